import type { Dma, Lent } from "../../bus/dma.ts";

/** Bytes which cost as much to make or to look at as a descriptor costs to walk, about. */
const bytesAUnit = 64;
/** And of bytes that are lent, which the host only moves: a read of 256 KiB is ten to twenty microseconds of the host's. */
const lentBytesAUnit = 512;
/** What a chain may hold (virtio 1.2 section 2.7.5.2 has it for split rings). */
const maxBytes = 2 ** 32;

/** What the host has had to do for a queue: descriptors walked, bytes moved. Whoever limits it sets it back. */
export interface Work {
  units: number;
}

/**
 * A descriptor chain taken from a queue: the driver's buffers, those it may read before those it may write.
 *
 * A device sees two runs of bytes, one to read and one to write, however they are cut into descriptors (virtio 1.2
 * section 2.7.4: a device must not rely on the framing). The object goes back to its queue with `give` and serves again.
 */
export class Chain {
  /** Its queue's name for it, below the queue's size: in a split ring the index of its first descriptor. */
  head = 0;
  /** The queue's incarnation in which it was taken: a chain of an earlier one is dead. */
  incarnation = 0;
  /** Bytes which the device may read, and which it may write. */
  readableLength = 0;
  writableLength = 0;
  readonly #dma: Dma;
  readonly #work: Work;
  #address = new Float64Array(8);
  #length = new Float64Array(8);
  /** Pieces in all, and how many of them are readable: these come first. */
  #pieces = 0;
  #readablePieces = 0;
  /** At which of its run's bytes the last piece begins. */
  #lastAt = 0;
  /** See `#seek`. */
  #skip = 0;

  constructor(dma: Dma, work: Work) {
    this.#dma = dma;
    this.#work = work;
  }

  /** How many buffers it has. Those of no length are not counted. */
  get pieces(): number {
    return this.#pieces;
  }

  begin(head: number, incarnation: number): void {
    this.head = head;
    this.incarnation = incarnation;
    this.readableLength = 0;
    this.writableLength = 0;
    this.#pieces = 0;
    this.#readablePieces = 0;
  }

  /** Adds a buffer; one of no length is skipped, since drivers do make them. Gives what is wrong with it, or undefined. */
  add(address: number, length: number, writable: boolean): string | undefined {
    if (writable) this.writableLength += length;
    else if (this.writableLength > 0) return "a readable buffer after a writable one";
    else this.readableLength += length;
    if (this.readableLength + this.writableLength > maxBytes) return "more than 4 GiB";
    if (length === 0) return undefined;
    this.#lastAt = (writable ? this.writableLength : this.readableLength) - length;
    if (this.#pieces === this.#address.length) {
      this.#address = grown(this.#address);
      this.#length = grown(this.#length);
    }
    this.#address[this.#pieces] = address;
    this.#length[this.#pieces++] = length;
    if (!writable) this.#readablePieces = this.#pieces;
    return undefined;
  }

  /** Copies readable bytes from `position` on. False, and nothing usable in `into`, where they are not all there or not RAM. */
  read(position: number, into: Uint8Array): boolean {
    if (position + into.length > this.readableLength) return false;
    this.#work.units += into.length / bytesAUnit;
    let done = 0;
    let i = this.#seek(0, this.#readablePieces, position);
    for (let skip = this.#skip; i < this.#readablePieces && done < into.length; i++) {
      const part = Math.min((this.#length[i] as number) - skip, into.length - done);
      // The usual chain has what is asked for in one piece.
      const view = part === into.length ? into : into.subarray(done, done + part);
      if (!this.#dma.read((this.#address[i] as number) + skip, view)) return false;
      done += part;
      skip = 0;
    }
    return true;
  }

  /** Copies to writable bytes from `position` on. False, and nothing written, where there are too few or one is not RAM. */
  write(position: number, from: Uint8Array): boolean {
    if (!this.canWrite(position, from.length)) return false;
    this.#work.units += from.length / bytesAUnit;
    let done = 0;
    let i = this.#seek(this.#readablePieces, this.#pieces, position);
    for (let skip = this.#skip; i < this.#pieces && done < from.length; i++) {
      const part = Math.min((this.#length[i] as number) - skip, from.length - done);
      const view = part === from.length ? from : from.subarray(done, done + part);
      if (!this.#dma.write((this.#address[i] as number) + skip, view)) return false;
      done += part;
      skip = 0;
    }
    return true;
  }

  /**
   * Puts the driver's own memory of a range of readable bytes, or of writable ones to be filled, into `views`, for as long as `Dma.lend` says. False, and nothing there to use, where they
   * are not all there or not RAM.
   */
  lend(position: number, length: number, views: Uint8Array[], use: Lent): boolean {
    const fills = use === "to-fill";
    if (position + length > (fills ? this.writableLength : this.readableLength)) return false;
    this.#work.units += length / lentBytesAUnit;
    let left = length;
    const end = fills ? this.#pieces : this.#readablePieces;
    let i = this.#seek(fills ? this.#readablePieces : 0, end, position);
    for (let skip = this.#skip; i < end && left > 0; i++) {
      const part = Math.min((this.#length[i] as number) - skip, left);
      if (!this.#dma.lend((this.#address[i] as number) + skip, part, views, use)) return false;
      left -= part;
      skip = 0;
    }
    return true;
  }

  /** Whether a range of the readable bytes is there and is RAM. */
  canRead(position: number, length: number): boolean {
    return position + length <= this.readableLength && this.#reaches(0, this.#readablePieces, position, length);
  }

  /** Whether a range of the writable bytes is there and is RAM. */
  canWrite(position: number, length: number): boolean {
    return (
      position + length <= this.writableLength && this.#reaches(this.#readablePieces, this.#pieces, position, length)
    );
  }

  #reaches(first: number, end: number, position: number, length: number): boolean {
    let left = length;
    let i = this.#seek(first, end, position);
    for (let skip = this.#skip; i < end && left > 0; i++) {
      const part = Math.min((this.#length[i] as number) - skip, left);
      if (!this.#dma.reaches((this.#address[i] as number) + skip, part)) return false;
      left -= part;
      skip = 0;
    }
    return true;
  }

  /** In which piece of `first` to `end` a position lies, and in `#skip` how far. The last one, which has a request's status, is asked for most. */
  #seek(first: number, end: number, position: number): number {
    if (end === this.#pieces && first < end && position >= this.#lastAt) {
      this.#skip = position - this.#lastAt;
      return end - 1;
    }
    let skip = position;
    let i = first;
    while (i < end && skip >= (this.#length[i] as number)) skip -= this.#length[i++] as number;
    this.#skip = skip;
    return i;
  }

  /** For the trace. */
  describe(): string {
    return `head ${this.head}, ${this.#pieces} buffers, ${this.readableLength} bytes to read, ${this.writableLength} to write`;
  }
}

/** Twice as long. A chain has no more pieces than its queue has entries, so this ends soon. */
function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(array.length * 2);
  longer.set(array);
  return longer;
}
