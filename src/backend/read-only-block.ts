import type { BlockBackend, Done } from "./block.ts";

/** Another disk, which cannot be written through this one. */
export class ReadOnlyBlock implements BlockBackend {
  readonly readOnly = true;
  readonly readv: BlockBackend["readv"];
  readonly #under: BlockBackend;

  constructor(under: BlockBackend) {
    this.#under = under;
    this.readv = under.readv?.bind(under);
  }

  get size(): number {
    return this.#under.size;
  }

  get id(): string {
    return this.#under.id;
  }

  read(offset: number, into: Uint8Array, done: Done): void {
    this.#under.read(offset, into, done);
  }

  write(_offset: number, _from: Uint8Array, done: Done): void {
    done(false);
  }

  flush(done: Done): void {
    done(true);
  }

  discard(_offset: number, _length: number, done: Done): void {
    done(false);
  }

  writeZeroes(_offset: number, _length: number, done: Done): void {
    done(false);
  }
}
