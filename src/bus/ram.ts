import type { GuestMemory } from "./guest-memory.ts";
import type { Backing, BusTarget, Width } from "./target.ts";

/** RAM or ROM: bytes in the guest memory, in the guest's own order. */
export class Ram implements BusTarget {
  readonly backing: Backing;
  readonly #guest: GuestMemory;
  readonly #bytes: Uint8Array;

  /** @param writable false for ROM: writes from the bus are ignored, `load` still works. */
  constructor(guest: GuestMemory, name: string, size: number, writable = true) {
    this.#guest = guest;
    this.backing = { base: guest.allocate(name, size), size, writable };
    this.#bytes = guest.bytes.subarray(this.backing.base, this.backing.base + size);
  }

  get size(): number {
    return this.backing.size;
  }

  read(offset: number, width: Width): number {
    const bytes = this.#bytes;
    const b0 = bytes[offset] as number;
    if (width === 1) return b0;
    const b1 = bytes[offset + 1] as number;
    if (width === 2) return b0 | (b1 << 8);
    return (b0 | (b1 << 8) | ((bytes[offset + 2] as number) << 16) | ((bytes[offset + 3] as number) << 24)) >>> 0;
  }

  write(offset: number, width: Width, value: number): void {
    if (!this.backing.writable) return;
    const bytes = this.#bytes;
    bytes[offset] = value;
    if (width > 1) bytes[offset + 1] = value >>> 8;
    if (width === 4) {
      bytes[offset + 2] = value >>> 16;
      bytes[offset + 3] = value >>> 24;
    }
    this.#guest.wrote(this.backing.base + offset, width);
  }

  /** Copies out; throws where the range is not inside. */
  copyOut(offset: number, into: Uint8Array): void {
    into.set(this.#range(offset, into.length));
  }

  /** Copies in, ROM or not: for loaders and DMA, which know what they do. */
  load(offset: number, from: Uint8Array): void {
    if (from.length === 0) return;
    this.#range(offset, from.length).set(from);
    this.#guest.wrote(this.backing.base + offset, from.length);
  }

  fill(offset: number, length: number, byte: number): void {
    if (length === 0) return;
    this.#range(offset, length).fill(byte);
    this.#guest.wrote(this.backing.base + offset, length);
  }

  /** All the bytes, to be read only: for hashes and dumps. */
  contents(): Uint8Array {
    return this.#bytes;
  }

  #range(offset: number, length: number): Uint8Array {
    if (offset < 0 || offset + length > this.size) throw new RangeError(`${offset}+${length} is outside of RAM`);
    return this.#bytes.subarray(offset, offset + length);
  }
}
