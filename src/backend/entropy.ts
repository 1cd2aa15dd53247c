/** Where a device's random bytes come from. */
export interface EntropySource {
  /** Fills all of it. */
  fill(into: Uint8Array): void;
}

/**
 * Random bytes from a seed, the same in every run: a xoshiro128** generator (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2021) whose state a SplitMix-style sequence makes from the seed. Not for secrets.
 */
export class SeededEntropy implements EntropySource {
  /** The generator's four words: all of its state, for whoever saves it. */
  readonly words = new Uint32Array(4);

  constructor(seed: number) {
    // A 32-bit finaliser over a Weyl sequence: no seed leaves the state all zero, which would be a fixed point.
    let weyl = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      weyl = (weyl + 0x9e37_79b9) >>> 0;
      let z = weyl;
      z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
      this.words[i] = z ^ (z >>> 16);
    }
  }

  /** The next 32 bits. */
  next(): number {
    const s = this.words;
    const s1 = s[1] as number;
    const five = Math.imul(s1, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    s[2] = (s[2] as number) ^ (s[0] as number);
    s[3] = (s[3] as number) ^ s1;
    s[1] = s1 ^ (s[2] as number);
    s[0] = (s[0] as number) ^ (s[3] as number);
    s[2] = (s[2] as number) ^ (s1 << 9);
    const s3 = s[3] as number;
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  fill(into: Uint8Array): void {
    for (let i = 0; i < into.length; i += 4) {
      const word = this.next();
      // What lies behind the end is not stored.
      into[i] = word;
      into[i + 1] = word >>> 8;
      into[i + 2] = word >>> 16;
      into[i + 3] = word >>> 24;
    }
  }
}
