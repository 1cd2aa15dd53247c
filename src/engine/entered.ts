/**
 * Which entries of a TLB were made since they were last asked for: whoever forgets them all need not look at the whole TLB then. An entry may be named more
 * than once, and may hold something else by now.
 */
export class Entered {
  readonly #entries = new Int32Array(8192);
  #count = 0;

  add(entry: number): void {
    if (this.#count < this.#entries.length) this.#entries[this.#count] = entry;
    this.#count++;
  }

  /** Those entries, or undefined when they were too many to be kept. */
  get made(): Int32Array | undefined {
    return this.#count <= this.#entries.length ? this.#entries.subarray(0, this.#count) : undefined;
  }

  /** The same. From here on they are forgotten. */
  take(): Int32Array | undefined {
    const { made } = this;
    this.#count = 0;
    return made;
  }
}
