import { type BlockBackend, type Done, isInside } from "./block.ts";

/** A disk which is an array of bytes. What is written is gone with the machine. */
export class MemoryBlock implements BlockBackend {
  readonly id: string;
  readonly readOnly: boolean;
  readonly bytes: Uint8Array;

  /** @param bytes what is on it; they are used, not copied. */
  constructor(bytes: Uint8Array, id = "memory", readOnly = false) {
    this.bytes = bytes;
    this.id = id;
    this.readOnly = readOnly;
  }

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, into: Uint8Array, done: Done): void {
    const ok = isInside(this, offset, into.length);
    if (ok) into.set(this.bytes.subarray(offset, offset + into.length));
    done(ok);
  }

  write(offset: number, from: Uint8Array, done: Done): void {
    const ok = !this.readOnly && isInside(this, offset, from.length);
    if (ok) this.bytes.set(from, offset);
    done(ok);
  }

  flush(done: Done): void {
    done(true);
  }

  /** Reads as zeroes afterwards, so that a guest which relies on what it gave up sees the same in every run. */
  discard(offset: number, length: number, done: Done): void {
    this.writeZeroes(offset, length, done);
  }

  writeZeroes(offset: number, length: number, done: Done): void {
    const ok = !this.readOnly && isInside(this, offset, length);
    if (ok) this.bytes.fill(0, offset, offset + length);
    done(ok);
  }
}
