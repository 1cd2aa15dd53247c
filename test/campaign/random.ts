/** A seeded generator of numbers (splitmix32), so that a case can be made again from its seed alone. */
export class Random {
  #state: number;

  /** `stream` tells sequences of one seed apart: the number of a case. */
  constructor(seed: number, stream = 0) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream, 0x85ebca6b) ^ Math.floor(stream / 2 ** 32)) | 0;
    this.word();
  }

  /** 0..2^32 - 1. */
  word(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  }

  /** 0..limit - 1; `limit` at most 2^32. */
  below(limit: number): number {
    return this.word() % limit;
  }

  /** True once in `n`. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}
