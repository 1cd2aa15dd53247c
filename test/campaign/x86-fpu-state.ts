import type { Random } from "./random.ts";

/*
 * What the x87, MMX and SSE begin with and end in: the first 288 bytes of an FXSAVE image. SDM vol. 1 table 10-2.
 */

export type Fpu = Uint8Array;
export const fpuSize = 288;
export const offset = { control: 0, status: 2, used: 4, ip: 8, mxcsr: 24, mxcsrMask: 28, st: 32, xmm: 160 } as const;

/** Which bits of an image's words are compared: not the opcode, and not where its operand was, which processors of today keep at exceptions only. */
export const compared = Uint32Array.from({ length: fpuSize / 4 }, (_, k) => {
  if (k === 1) return 0xff;
  if (k === 3 || k === 4 || k === 5 || k === 7) return 0;
  if (k >= 8 && k < 40) return k % 4 === 3 ? 0 : k % 4 === 2 ? 0xffff : 0xffffffff;
  return 0xffffffff;
});

const singles = [
  0, 0x80000000, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0xffc12345,
  0x3f800000, 0xbf800000, 0x4effffff, 0x4f000000, 0x3effffff, 0x80800001, 0x00ffffff, 0x0c000000, 0x33800000,
];
const doubleHighs = [
  0, 0x80000000, 0xfffff, 0x100000, 0x7fefffff, 0x7ff00000, 0xfff00000, 0x7ff80000, 0xfff81234, 0x3ff00000, 0xbff00000,
  0x41dfffff, 0x41e00000, 0x380fffff, 0x36a00000, 0x47efffff, 0x47f00000, 0x3ca00000, 0x1ff00000, 0x43dfffff,
  0x43e00000,
];
const exponents = [
  0, 1, 2, 0x3fff, 0x3ffe, 0x4000, 0x3ffd, 0x4001, 0x7ffe, 0x7fff, 0x7fff, 0x403d, 0x403e, 0x403f, 0x3c01, 0x3c00,
  0x43fe, 0x3f81, 0x3f80, 0x407e, 0x407f, 0x401e, 0x401d, 0x400e, 0x3fc0, 0x5fff, 0x1fff,
];
const significandHighs = [
  0x80000000, 0x80000000, 0xffffffff, 0xc0000000, 0xa0000000, 0xffffff00, 0xffffff80, 0, 0x7fffffff, 0x40000000,
];
const significandLows = [0, 1, 0xffffffff, 0xfffffffe, 0xfffff800, 0xfffffc00, 0x400, 0x80000000];

/** Numbers which meet: near one another, or corners. */
export class Numbers {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  single(): number {
    const random = this.#random;
    if (random.once(2)) return random.pick(singles);
    return ((random.below(2) << 31) | ((124 + random.below(7)) << 23) | random.below(2 ** 23)) >>> 0;
  }

  double(into: DataView, at: number): void {
    const random = this.#random;
    if (random.once(2)) {
      into.setUint32(at, random.pick([0, 0, 1, 0xffffffff]), true);
      into.setUint32(at + 4, random.pick(doubleHighs), true);
    } else {
      into.setUint32(at, random.once(3) ? 0 : random.word(), true);
      into.setUint32(at + 4, (random.below(2) << 31) | ((1020 + random.below(7)) << 20) | random.below(2 ** 20), true);
    }
  }

  extended(into: DataView, at: number): void {
    const random = this.#random;
    const kind = random.below(10);
    const sign = random.below(2) << 15;
    let exponent = 0x3fff - 40 + random.below(80);
    let hi = random.word() | (random.once(8) ? 0 : 0x80000000);
    let lo = random.word();
    if (kind >= 3 && kind < 5) {
      // Small integers and halves.
      const n = random.below(200) + 1;
      const shift = Math.clz32(n);
      exponent = 0x3fff + 31 - shift - random.below(3);
      hi = n << shift;
      lo = 0;
    } else if (kind >= 5) {
      exponent = random.once(3) ? random.below(0x8000) : random.pick(exponents);
      hi = random.pick(significandHighs);
      lo = random.pick(significandLows);
      if (exponent !== 0 && exponent !== 0x7fff && !random.once(8)) hi |= 0x80000000;
    }
    into.setUint32(at, lo, true);
    into.setUint32(at + 4, hi, true);
    into.setUint16(at + 8, sign | exponent, true);
  }

  /** Sixteen bytes, as numbers of one kind. */
  lanes(into: DataView, at: number): void {
    const random = this.#random;
    const kind = random.below(4);
    if (kind === 0) for (let k = 0; k < 16; k += 4) into.setUint32(at + k, this.single(), true);
    else if (kind === 1) for (let k = 0; k < 16; k += 8) this.double(into, at + k);
    else if (kind === 2) {
      this.extended(into, at);
      for (let k = 10; k < 16; k++) into.setUint8(at + k, random.below(256));
    } else
      for (let k = 0; k < 16; k++)
        into.setUint8(at + k, random.once(3) ? random.pick([0, 0x80, 0x7f, 0xff, 1]) : random.below(256));
  }

  /** Control words in all modes, mostly with exceptions masked; any stack; no exception that waits, but sometimes. */
  fpu(): Fpu {
    const random = this.#random;
    const image = new Uint8Array(fpuSize);
    const view = new DataView(image.buffer);
    const unmasked = random.once(4) ? random.below(64) : 0;
    const raised = random.once(4) ? random.below(64) & ~unmasked : 0;
    const waits = unmasked !== 0 && random.once(8) ? unmasked & random.below(64) : 0;
    const precision = random.once(2) ? 3 : random.below(4);
    view.setUint16(offset.control, 0x40 | (0x3f & ~unmasked) | (precision << 8) | (random.below(4) << 10), true);
    const status = (random.once(4) ? random.word() & 0x4700 : 0) | (random.below(8) << 11) | raised | waits;
    view.setUint16(offset.status, waits === 0 ? status : status | 0x8080, true);
    view.setUint8(
      offset.used,
      random.once(5)
        ? random.below(256)
        : random.once(8)
          ? 0xff
          : random.pick([0x3f, 0x7e, 0xfc, 0xf9, 0xf3, 0xcf, 0x0f]),
    );
    const unmaskedSse = random.once(5) ? random.below(64) : 0;
    view.setUint32(
      offset.mxcsr,
      ((0x3f & ~unmaskedSse) << 7) |
        (random.below(4) << 13) |
        (random.once(4) ? 0x8000 : 0) |
        (random.once(4) ? 0x40 : 0) |
        (random.once(4) ? random.below(64) & ~unmaskedSse : 0),
      true,
    );
    view.setUint32(offset.mxcsrMask, 0xffff, true);
    for (let k = 0; k < 8; k++) {
      if (random.once(6)) this.lanes(view, offset.st + 16 * k);
      else this.extended(view, offset.st + 16 * k);
      for (let n = 10; n < 16; n++) view.setUint8(offset.st + 16 * k + n, 0);
      this.lanes(view, offset.xmm + 16 * k);
    }
    return image;
  }
}

/** After FNINIT and with MXCSR as it is after reset. */
export const initialFpu: Fpu = (() => {
  const image = new Uint8Array(fpuSize);
  const view = new DataView(image.buffer);
  view.setUint16(offset.control, 0x37f, true);
  view.setUint32(offset.mxcsr, 0x1f80, true);
  view.setUint32(offset.mxcsrMask, 0xffff, true);
  return image;
})();
