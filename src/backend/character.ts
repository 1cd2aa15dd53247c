/** Where a device's characters go: a terminal, a log, a test. */
export interface CharacterSink {
  /** How many bytes it takes now. 0 asks the device to wait for `onRoom`. */
  readonly room: number;
  /** Takes bytes, at most `room` of them; they are the caller's again when it returns. */
  write(bytes: Uint8Array): void;
  /** Told when there is room again after there was none. The device sets it. */
  onRoom: (() => void) | undefined;
}

/** Where a device's characters come from. Bytes stay with the source until the device takes them, so that none is lost. */
export interface CharacterSource {
  /** How many bytes wait. */
  readonly available: number;
  /** Takes bytes: as many as wait and `into` has room for. Gives how many. */
  read(into: Uint8Array): number;
  /** Told when bytes wait after none did. The device sets it. */
  onAvailable: (() => void) | undefined;
}

/** A sink which hands everything on at once. */
export function sinkTo(put: (bytes: Uint8Array) => void): CharacterSink {
  return { room: Number.POSITIVE_INFINITY, write: put, onRoom: undefined };
}

/** Bytes on their way, first in first out, of a fixed size: a source whose other end is `offer`. */
export class CharacterFifo implements CharacterSource {
  onAvailable: (() => void) | undefined;
  readonly #bytes: Uint8Array;
  #first = 0;
  #count = 0;

  /** @param size in bytes. */
  constructor(size = 4096) {
    this.#bytes = new Uint8Array(size);
  }

  get available(): number {
    return this.#count;
  }

  /** How many bytes `offer` takes now. */
  get room(): number {
    return this.#bytes.length - this.#count;
  }

  /** Takes as many bytes as there is room for, and gives how many; the rest is the caller's to offer again. */
  offer(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    for (let i = 0; i < taken; i++)
      this.#bytes[(this.#first + this.#count + i) % this.#bytes.length] = bytes[i] as number;
    const before = this.#count;
    this.#count += taken;
    if (before === 0 && taken > 0) this.onAvailable?.();
    return taken;
  }

  read(into: Uint8Array): number {
    const taken = Math.min(into.length, this.#count);
    for (let i = 0; i < taken; i++) into[i] = this.#bytes[(this.#first + i) % this.#bytes.length] as number;
    this.#first = (this.#first + taken) % this.#bytes.length;
    this.#count -= taken;
    return taken;
  }
}
