import { type Device, State } from "../bus/state.ts";
import type { PciFunction } from "./function.ts";
import { capability } from "./registers.ts";

/** Where things are in the capability with 64-bit addresses and per-vector masks (PCI 3.0 section 6.8.1). */
const control = 2;
const addressLow = 4;
const addressHigh = 8;
const data = 12;
const maskBits = 16;
const pendingBits = 20;

const msiEnable = 1 << 0;
const enableField = 7 << 4;
const wideAddress = 1 << 7;
const maskable = 1 << 8;

/**
 * MSI (PCI 3.0 section 6.8.1): one address, up to 32 messages told apart by the low bits of the data.
 *
 * Where software allows fewer messages than the function asks for, vectors share: the low bits of the vector count.
 * The state is the capability's bytes, so there is nothing to save here.
 */
export class Msi implements Device {
  readonly name: string;
  readonly state: State<Record<string, never>>;
  readonly vectors: number;
  readonly #fn: PciFunction;
  readonly #at: number;
  /** Derived from message control. */
  #enabled = false;

  /** @param vectors how many messages to ask for: 1, 2, 4, 8, 16 or 32. */
  constructor(fn: PciFunction, vectors: number) {
    const wanted = Math.log2(vectors);
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 5)
      throw new RangeError(`MSI cannot have ${vectors} vectors`);
    this.name = `${fn.name}.msi`;
    this.state = new State(this.name, {});
    this.vectors = vectors;
    this.#fn = fn;

    const bytes = new Uint8Array(24);
    new DataView(bytes.buffer).setUint16(control, (wanted << 1) | wideAddress | maskable, true);
    const writable = new Uint8Array(24);
    const bits = new DataView(writable.buffer);
    bits.setUint16(control, msiEnable | enableField, true);
    bits.setUint32(addressLow, 0xffff_fffc, true);
    bits.setUint32(addressHigh, 0xffff_ffff, true);
    bits.setUint16(data, 0xffff, true);
    bits.setUint32(maskBits, 2 ** vectors - 1, true);
    this.#at = fn.addCapability(capability.msi, bytes, writable, {
      afterWrite: () => this.#changed(),
      loaded: () => this.#changed(),
    });
    fn.addPart(this);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** How many messages software allows; more than were asked for count as those (section 6.8.1.3). */
  get allowed(): number {
    const field = (this.#fn.peek(this.#at + control, 2) & enableField) >>> 4;
    return Math.min(2 ** field, this.vectors);
  }

  /** Sends a vector's message, or keeps it pending while it is masked. Nothing while MSI is off or for no such vector. */
  notify(vector: number): void {
    if (!this.#enabled || !(vector >= 0 && vector < this.vectors)) return;
    const number = vector & (this.allowed - 1);
    const pending = this.#fn.peek(this.#at + pendingBits, 4);
    this.#fn.poke(this.#at + pendingBits, 4, (pending | (1 << number)) >>> 0);
    this.#sendPending();
  }

  reset(): void {
    this.#changed();
  }

  #changed(): void {
    const enabled = (this.#fn.peek(this.#at + control, 2) & msiEnable) !== 0;
    if (enabled !== this.#enabled) {
      this.#enabled = enabled;
      this.#fn.setSignalled(capability.msi, enabled);
    }
    if (enabled) this.#sendPending();
  }

  /** What is pending and not masked goes out, and is not pending any more (section 6.8.1.7). */
  #sendPending(): void {
    const fn = this.#fn;
    const at = this.#at;
    const ready = fn.peek(at + pendingBits, 4) & ~fn.peek(at + maskBits, 4);
    const { allowed } = this;
    for (let vector = 0; ready !== 0 && vector < allowed; vector++) {
      if (((ready >>> vector) & 1) === 0) continue;
      fn.poke(at + pendingBits, 4, (fn.peek(at + pendingBits, 4) & ~(1 << vector)) >>> 0);
      const address = fn.peek(at + addressHigh, 4) * 2 ** 32 + fn.peek(at + addressLow, 4);
      fn.messages.message(address, (fn.peek(at + data, 2) & ~(allowed - 1)) | vector);
    }
  }
}
