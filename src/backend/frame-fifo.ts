/** Frames with a time each, first in first out, of a fixed number. Its memory is used again and again. */
export class FrameFifo {
  readonly #slots: Uint8Array[];
  readonly #lengths: Float64Array;
  readonly #times: Float64Array;
  #first = 0;
  #count = 0;

  /** @param capacity in frames. */
  constructor(capacity: number) {
    this.#slots = Array.from({ length: capacity }, () => new Uint8Array(0));
    this.#lengths = new Float64Array(capacity);
    this.#times = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** How many more it takes. */
  get room(): number {
    return this.#slots.length - this.#count;
  }

  /** Copies a frame to the end. False, and nothing done, where there is no room. */
  push(frame: Uint8Array, time: number): boolean {
    if (this.room === 0) return false;
    const at = (this.#first + this.#count++) % this.#slots.length;
    if ((this.#slots[at] as Uint8Array).length < frame.length)
      // Most frames are of one of two kinds, short or of full length: a slot grows once or twice.
      this.#slots[at] = new Uint8Array(Math.max(frame.length, 128));
    (this.#slots[at] as Uint8Array).set(frame);
    this.#lengths[at] = frame.length;
    this.#times[at] = time;
    return true;
  }

  /** The frame which came first, good until the next `push`; undefined when there is none. */
  get first(): Uint8Array | undefined {
    if (this.#count === 0) return undefined;
    return this.#slots[this.#first]?.subarray(0, this.#lengths[this.#first]);
  }

  /** The time of the first, or Infinity. */
  get time(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : (this.#times[this.#first] as number);
  }

  shift(): void {
    if (this.#count === 0) return;
    this.#first = (this.#first + 1) % this.#slots.length;
    this.#count--;
  }

  clear(): void {
    this.#count = 0;
  }
}
