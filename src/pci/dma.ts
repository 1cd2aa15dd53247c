import type { GuestMemory } from "../bus/guest-memory.ts";
import type { AddressSpace } from "../bus/space.ts";
import { type Device, State } from "../bus/state.ts";
import type { Channel } from "../trace/trace.ts";

/** A run of addresses, `end` not included, and what to add to one of them to have its translation. */
export interface Run {
  readonly start: number;
  readonly end: number;
  readonly delta: number;
}

/** How a bridge translates what comes from its devices. */
export interface Inbound {
  /** The run around a bus address with what makes it a CPU address; undefined where the bridge claims nothing. */
  translate(address: number): Run | undefined;
}

/** A bridge which passes addresses on as they are, as the i440FX does. */
export const untranslated: Inbound = {
  translate: (address) => (address >= 0 ? everywhere : undefined),
};
const everywhere: Run = { start: 0, end: Number.POSITIVE_INFINITY, delta: 0 };

/** Whoever keeps what `DmaPath.ram` answered: it is told when that may not hold any more. */
export interface RamUser {
  forget(): void;
}

/**
 * The way from a bridge's devices to memory. All views of one bridge share it.
 *
 * Only RAM is reached: a target whose bytes may be written without asking. ROM, chips and windows are refused,
 * so that DMA never calls a register handler (CVE-2021-3750 and its kin).
 */
export class DmaPath implements Device {
  readonly name: string;
  /** Counters of the host: a reset leaves them alone. */
  readonly state: State<{ refused: number; messagesSent: number; messagesDropped: number }>;
  readonly guest: GuestMemory;
  readonly trace: Channel;
  readonly #space: AddressSpace;
  readonly #inbound: Inbound;
  readonly #views: RamUser[] = [];

  constructor(name: string, space: AddressSpace, guest: GuestMemory, trace: Channel, inbound: Inbound = untranslated) {
    this.name = name;
    this.guest = guest;
    this.trace = trace;
    this.#space = space;
    this.#inbound = inbound;
    this.state = new State(name, { refused: 0, messagesSent: 0, messagesDropped: 0 }, [
      "refused",
      "messagesSent",
      "messagesDropped",
    ]);
    space.onChange(() => this.changed());
  }

  reset(): void {
    this.state.reset();
  }

  /** To be called when `inbound` gives other answers than before. */
  changed(): void {
    for (const view of this.#views) view.forget();
  }

  join(view: RamUser): void {
    if (!this.#views.includes(view)) this.#views.push(view);
  }

  /** The run of RAM around a bus address; `delta` leads into the guest memory. */
  ram(address: number): Run | undefined {
    const inbound = this.#inbound.translate(address);
    if (inbound === undefined) return undefined;
    const segment = this.#space.find(address + inbound.delta);
    const backing = segment?.backing;
    if (segment === undefined || backing?.writable !== true) return undefined;
    return {
      start: Math.max(inbound.start, segment.start - inbound.delta),
      end: Math.min(inbound.end, segment.end - inbound.delta),
      delta: inbound.delta + segment.delta + backing.base,
    };
  }

  /**
   * Delivers a message: a 4-byte write to RAM or to a target which takes messages. Anything else, a chip's
   * register too, is dropped and counted.
   */
  message(from: string, address: number, data: number): boolean {
    const ram = this.ram(address);
    if (ram !== undefined && address + 4 <= ram.end) {
      new DataView(this.guest.memory.buffer).setUint32(address + ram.delta, data, true);
      this.guest.wrote(address + ram.delta, 4);
      return this.#sent(from, address, data);
    }
    const inbound = this.#inbound.translate(address);
    const segment = inbound && this.#space.find(address + inbound.delta);
    if (inbound === undefined || segment?.target.message === undefined)
      return this.drop(from, address, data, "no taker");
    this.#sent(from, address, data);
    segment.target.message(address + inbound.delta + segment.delta, data);
    return true;
  }

  drop(from: string, address: number, data: number, why: string): false {
    this.state.now.messagesDropped++;
    if (this.trace.on) this.trace.log(`${from} message ${hex(address)} <- ${hex(data)} dropped: ${why}`);
    return false;
  }

  refuse(from: string, kind: "read" | "write", address: number, length: number, why: string): void {
    this.state.now.refused++;
    if (this.trace.on) this.trace.log(`${from} DMA ${kind} of ${length} at ${hex(address)} refused: ${why}`);
  }

  #sent(from: string, address: number, data: number): true {
    this.state.now.messagesSent++;
    if (this.trace.on) this.trace.log(`${from} message ${hex(address)} <- ${hex(data)}`);
    return true;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
