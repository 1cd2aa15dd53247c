import { type Float, Kind, maxExponent } from "./number.ts";

/** Exceptions, at the place which they have in the status and control words (and in MXCSR). SDM vol. 1 section 8.1.3. */
export const Exception = {
  invalid: 1,
  denormal: 2,
  zeroDivide: 4,
  overflow: 8,
  underflow: 0x10,
  precision: 0x20,
  /** Not an exception of its own: the invalid operation was one on the stack. */
  stack: 0x40,
} as const;

/** RC of the control word. */
export const Rounding = { nearest: 0, down: 1, up: 2, chop: 3 } as const;

/** What rounding has to know and what it has found. One object is used again and again. */
export class Rounder {
  /** RC. */
  mode = 0;
  /** Exceptions that are masked. */
  masked = 0x3f;
  /** What was raised since it was cleared. */
  raised = 0;
  /** Whether the last rounding went away from zero: C1. */
  up = false;

  /** Whether a magnitude is rounded up: `half` is the bit below the last that is kept, `rest` what lies below it. */
  away(sign: number, odd: boolean, half: boolean, rest: boolean): boolean {
    switch (this.mode) {
      case Rounding.nearest:
        return half && (rest || odd);
      case Rounding.down:
        return sign !== 0 && (half || rest);
      case Rounding.up:
        return sign === 0 && (half || rest);
      default:
        return false;
    }
  }

  /** Cuts the fraction to `bits` and rounds it; gives whether something was cut off. A carry out moves the exponent. */
  #significand(v: Float, bits: number): boolean {
    let odd: boolean;
    let half: boolean;
    let rest: boolean;
    if (bits === 64) {
      odd = (v.lo & 1) !== 0;
      half = v.ext < 0;
      rest = (v.ext & 0x7fff_ffff) !== 0;
    } else if (bits > 32) {
      const cut = 64 - bits;
      odd = ((v.lo >>> cut) & 1) !== 0;
      half = ((v.lo >>> (cut - 1)) & 1) !== 0;
      rest = (v.lo & ((1 << (cut - 1)) - 1)) !== 0 || v.ext !== 0;
      v.lo &= -1 << cut;
    } else {
      const cut = 32 - bits;
      odd = ((v.hi >>> cut) & 1) !== 0;
      half = ((v.hi >>> (cut - 1)) & 1) !== 0;
      rest = (v.hi & ((1 << (cut - 1)) - 1)) !== 0 || v.lo !== 0 || v.ext !== 0;
      v.hi &= -1 << cut;
      v.lo = 0;
    }
    v.ext = 0;
    const inexact = half || rest;
    this.up = inexact && this.away(v.sign, odd, half, rest);
    if (!this.up) return inexact;
    if (bits > 32) {
      v.lo = (v.lo + (bits === 64 ? 1 : 1 << (64 - bits))) | 0;
      if (v.lo === 0) v.hi = (v.hi + 1) | 0;
      if (v.lo === 0 && v.hi === 0) this.#carried(v);
    } else {
      v.hi = (v.hi + (1 << (32 - bits))) | 0;
      if (v.hi === 0) this.#carried(v);
    }
    return inexact;
  }

  #carried(v: Float): void {
    v.hi = 0x8000_0000 | 0;
    v.exponent++;
  }

  /**
   * Rounds a normalized finite number to `bits` of significand and to a format whose exponents, biased as `v` is, go from 1 to `most - 1`.
   * SDM vol. 1 sections 4.8.4 and 4.9.1. A denormal result has exponent 0 or, when rounding made it normal, 1. With overflow or underflow unmasked
   * the exponent is moved by `wrap` (section 8.5.4). Tiny means tiny after rounding.
   */
  round(v: Float, bits: number, most: number, wrap: number): void {
    this.up = false;
    if (v.exponent <= 0 && this.#isTiny(v, bits)) {
      if ((this.masked & Exception.underflow) === 0) {
        this.raised |= Exception.underflow;
        // FSCALE can go so far that the moved exponent does not fit either.
        if (v.exponent + wrap <= 0 && most === maxExponent) {
          this.raised |= Exception.precision;
          v.zero(v.sign);
          return;
        }
        if (this.#significand(v, bits)) this.raised |= Exception.precision;
        v.exponent += wrap;
        return;
      }
      v.shiftRight(Math.min(1 - v.exponent, 200));
      v.exponent = 0;
      if (this.#significand(v, bits)) this.raised |= Exception.underflow | Exception.precision;
      if (v.hi < 0) v.exponent = 1;
      if (v.hi === 0 && v.lo === 0) v.kind = Kind.zero;
      return;
    }
    const inexact = this.#significand(v, bits);
    if (v.exponent < most) {
      if (inexact) this.raised |= Exception.precision;
      return;
    }
    this.raised |= Exception.overflow;
    if ((this.masked & Exception.overflow) === 0) {
      if (v.exponent - wrap >= most && most === maxExponent) {
        this.raised |= Exception.precision;
        this.up = true;
        v.infinity(v.sign);
        return;
      }
      if (inexact) this.raised |= Exception.precision;
      v.exponent -= wrap;
      return;
    }
    this.raised |= Exception.precision;
    this.#overflow(v, bits, most);
  }

  /** Whether a number below the normal ones stays there when it is rounded as if exponents had no end. */
  #isTiny(v: Float, bits: number): boolean {
    if (v.exponent < 0) return true;
    // Only a significand of all ones can grow to the smallest normal number.
    const { hi, lo, ext, exponent } = v;
    this.#significand(v, bits);
    const tiny = v.exponent <= 0;
    v.hi = hi;
    v.lo = lo;
    v.ext = ext;
    v.exponent = exponent;
    this.up = false;
    return tiny;
  }

  /** Infinity, or the largest finite number where the rounding mode forbids infinity. SDM vol. 1 table 4-10. */
  #overflow(v: Float, bits: number, most: number): void {
    const toInfinity =
      this.mode === Rounding.nearest ||
      (this.mode === Rounding.up && v.sign === 0) ||
      (this.mode === Rounding.down && v.sign !== 0);
    this.up = toInfinity;
    if (toInfinity) {
      v.infinity(v.sign);
      v.exponent = most;
      return;
    }
    v.exponent = most - 1;
    v.hi = bits >= 32 ? -1 : -1 << (32 - bits);
    v.lo = bits <= 32 ? 0 : bits === 64 ? -1 : -1 << (64 - bits);
  }

  /** To the double extended format with the precision that PC gives. */
  extended(v: Float, bits: number): void {
    if (v.kind === Kind.finite) this.round(v, bits, maxExponent, 0x6000);
  }
}

/** Significand bits by PC. 01 is reserved and behaves as 11. */
export const precisions: readonly number[] = [24, 64, 53, 64];
