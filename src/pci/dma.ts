import type { Dma, GuestWords } from "../bus/dma.ts";
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
  readonly #views: DmaView[] = [];

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

  /** A view for a device which needs no gate: fw_cfg. */
  open(name: string): Dma {
    const view = new DmaView(name);
    view.attach(this);
    view.enable(true);
    return view;
  }

  /** Whoever keeps what `ram` answered is told when it may have changed. */
  join(view: DmaView): void {
    if (!this.#views.includes(view)) this.#views.push(view);
  }

  /** The run of RAM around a bus address; `delta` leads into the guest memory. */
  ram(address: number): Run | undefined {
    const inbound = this.#inbound.translate(address);
    if (inbound === undefined) return undefined;
    const segment = this.#space.find(address + inbound.delta);
    const backing = segment?.target.backing;
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

/**
 * One device's view of memory. It remembers the run of RAM it used last, so that a word costs a comparison
 * and a load; the path and the gate make it forget.
 */
export class DmaView implements Dma {
  readonly le: GuestWords = new Words(this, true);
  readonly be: GuestWords = new Words(this, false);
  /** Told of an access which the bridge refused although the gate was open: a master abort. */
  onAbort: (() => void) | undefined;
  readonly #name: string;
  #path: DmaPath | undefined;
  #enabled = false;
  #words = new DataView(new ArrayBuffer(0));
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #delta = 0;
  readonly #scratch = new Uint8Array(8);
  readonly #scratchWords = new DataView(this.#scratch.buffer);

  constructor(name: string) {
    this.#name = name;
  }

  attach(path: DmaPath): void {
    this.#path = path;
    this.#words = new DataView(path.guest.memory.buffer);
    this.#bytes = path.guest.bytes;
    path.join(this);
    this.forget();
  }

  /** Opens and shuts the gate. */
  enable(on: boolean): void {
    this.#enabled = on;
    this.forget();
  }

  forget(): void {
    this.#start = 0;
    this.#end = 0;
  }

  read(address: number, into: Uint8Array): boolean {
    const { length } = into;
    if (length === 0) return true;
    const at = this.#place(address, length);
    if (at >= 0) {
      into.set(this.#bytes.subarray(at, at + length));
      return true;
    }
    if (!this.reaches(address, length)) return this.#refuse("read", address, length);
    for (let done = 0; done < length; ) {
      const piece = this.#piece(address + done, length - done);
      const from = address + done + this.#delta;
      into.set(this.#bytes.subarray(from, from + piece), done);
      done += piece;
    }
    return true;
  }

  write(address: number, from: Uint8Array): boolean {
    const { length } = from;
    if (length === 0) return true;
    const at = this.#place(address, length);
    if (at >= 0) {
      this.#bytes.set(from, at);
      this.#wrote(at, length);
      return true;
    }
    if (!this.reaches(address, length)) return this.#refuse("write", address, length);
    for (let done = 0; done < length; ) {
      const piece = this.#piece(address + done, length - done);
      const to = address + done + this.#delta;
      this.#bytes.set(from.subarray(done, done + piece), to);
      this.#wrote(to, piece);
      done += piece;
    }
    return true;
  }

  reaches(address: number, length: number): boolean {
    if (!(length >= 0)) return false;
    for (let done = 0; done < length; ) {
      const piece = this.#piece(address + done, length - done);
      if (piece <= 0) return false;
      done += piece;
    }
    return true;
  }

  /** The word of `width` bytes, or -1. */
  word(address: number, width: 2 | 4, little: boolean): number {
    const at = this.#place(address, width);
    if (at >= 0) return width === 2 ? this.#words.getUint16(at, little) : this.#words.getUint32(at, little);
    const scratch = width === 2 ? this.#scratch.subarray(0, 2) : this.#scratch.subarray(0, 4);
    if (!this.read(address, scratch)) return -1;
    return width === 2 ? this.#scratchWords.getUint16(0, little) : this.#scratchWords.getUint32(0, little);
  }

  setWord(address: number, width: 2 | 4, value: number, little: boolean): boolean {
    const at = this.#place(address, width);
    if (at >= 0) {
      if (width === 2) this.#words.setUint16(at, value, little);
      else this.#words.setUint32(at, value, little);
      this.#wrote(at, width);
      return true;
    }
    if (width === 2) this.#scratchWords.setUint16(0, value, little);
    else this.#scratchWords.setUint32(0, value, little);
    return this.write(address, this.#scratch.subarray(0, width));
  }

  /** Where the range starts in the guest memory, or -1 when it is not inside one run of RAM. */
  #place(address: number, length: number): number {
    if (address >= this.#start && address + length <= this.#end) return address + this.#delta;
    return this.#find(address) && address + length <= this.#end ? address + this.#delta : -1;
  }

  /** How many bytes from an address on are in one run of RAM, at most `length`. */
  #piece(address: number, length: number): number {
    if (!(address >= this.#start && address < this.#end) && !this.#find(address)) return 0;
    return Math.min(length, this.#end - address);
  }

  #find(address: number): boolean {
    const run = this.#enabled ? this.#path?.ram(address) : undefined;
    if (run === undefined) return false;
    this.#start = run.start;
    this.#end = run.end;
    this.#delta = run.delta;
    return true;
  }

  #wrote(at: number, length: number): void {
    (this.#path as DmaPath).guest.wrote(at, length);
  }

  #refuse(kind: "read" | "write", address: number, length: number): false {
    this.#path?.refuse(this.#name, kind, address, length, this.#enabled ? "not RAM" : "not a bus master");
    if (this.#enabled) this.onAbort?.();
    return false;
  }
}

class Words implements GuestWords {
  readonly #view: DmaView;
  readonly #little: boolean;

  constructor(view: DmaView, little: boolean) {
    this.#view = view;
    this.#little = little;
  }

  u16(address: number): number {
    return this.#view.word(address, 2, this.#little);
  }

  u32(address: number): number {
    return this.#view.word(address, 4, this.#little);
  }

  u64(address: number): number {
    const first = this.#view.word(address, 4, this.#little);
    const second = this.#view.word(address + 4, 4, this.#little);
    if (first < 0 || second < 0) return -1;
    return this.#little ? second * 2 ** 32 + first : first * 2 ** 32 + second;
  }

  setU16(address: number, value: number): boolean {
    return this.#view.setWord(address, 2, value, this.#little);
  }

  setU32(address: number, value: number): boolean {
    return this.#view.setWord(address, 4, value, this.#little);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
