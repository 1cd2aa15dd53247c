/** The 256-bit registers of a local APIC (ISR, TMR, IRR), as eight words. */
export class VectorSet {
  readonly #words: Uint32Array;

  constructor(words: Uint32Array) {
    this.#words = words;
  }

  has(vector: number): boolean {
    return (((this.#words[vector >>> 5] as number) >>> (vector & 31)) & 1) !== 0;
  }

  add(vector: number): void {
    (this.#words[vector >>> 5] as number) |= 1 << (vector & 31);
  }

  delete(vector: number): void {
    (this.#words[vector >>> 5] as number) &= ~(1 << (vector & 31));
  }

  /** The highest vector in the set, or -1. */
  get highest(): number {
    for (let i = 7; i >= 0; i--) {
      const word = this.#words[i] as number;
      if (word !== 0) return i * 32 + 31 - Math.clz32(word);
    }
    return -1;
  }
}

/** How an interrupt message wants to be taken (Intel SDM vol. 3 section 10.6.1): bits 10-8 of ICR, LVT, redirection entry, MSI data. */
export const fixedDelivery = 0;
export const lowestPriority = 1;
export const smiDelivery = 2;
export const nmiDelivery = 4;
export const initDelivery = 5;
export const startUpDelivery = 6;
export const extIntDelivery = 7;
