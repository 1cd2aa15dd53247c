/** Some of an interrupt controller's sources: who has the highest priority is asked with each change, and few of hundreds take part. */
export class SourceSet {
  readonly #words: Int32Array;

  /** @param count sources are 0 to `count` - 1. */
  constructor(count: number) {
    this.#words = new Int32Array((count + 31) >>> 5);
  }

  set(source: number, member: boolean): void {
    const bit = 1 << (source & 31);
    if (member) (this.#words[source >>> 5] as number) |= bit;
    else (this.#words[source >>> 5] as number) &= ~bit;
  }

  /** The first member from a source on, or -1. */
  next(from: number): number {
    let at = from >>> 5;
    if (at >= this.#words.length) return -1;
    let bits = (this.#words[at] as number) & (-1 << (from & 31));
    while (bits === 0) {
      if (++at === this.#words.length) return -1;
      bits = this.#words[at] as number;
    }
    return 32 * at + 31 - Math.clz32(bits & -bits);
  }
}
