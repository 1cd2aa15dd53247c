/**
 * Which entries of a TLB were made since they were last asked for: whoever forgets them all need not look at the whole TLB then. An entry may be named more
 * than once, and may hold something else by now.
 */
export class Entered {
  readonly #entries = new Int32Array(1024);
  #count = 0;

  add(entry: number): void {
    if (this.#count < this.#entries.length) this.#entries[this.#count] = entry;
    this.#count++;
  }

  /** Those entries, or undefined when they were too many to be kept. From here on they are forgotten. */
  take(): Int32Array | undefined {
    const count = this.#count;
    this.#count = 0;
    return count <= this.#entries.length ? this.#entries.subarray(0, count) : undefined;
  }
}
