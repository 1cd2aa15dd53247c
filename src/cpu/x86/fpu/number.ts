/** What an operand is. SDM vol. 1 section 8.2.2, table 8-3. */
export const Kind = { zero: 0, finite: 1, infinity: 2, quiet: 3, signaling: 4, unsupported: 5 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The largest biased exponent of the double extended format, and its bias. */
export const maxExponent = 0x7fff;
export const bias = 0x3fff;

/**
 * A number taken apart: (hi:lo:ext) as a fraction of 96 bits, 1 to 2 when bit 31 of `hi` is set, times 2 to the power of `exponent - bias`.
 *
 * Words are i32, so that engines keep them unboxed. `ext` holds what lies below a significand of 64 bits; its bit 0 stands for all that is
 * below it as well ("sticky"). Two guard bits and the sticky one suffice for every rounding.
 */
export class Float {
  kind: Kind = Kind.zero;
  sign = 0;
  /** Biased; while an operation is under way it may lie outside of 0..0x7fff. */
  exponent = 0;
  hi = 0;
  lo = 0;
  ext = 0;
  /** Whether it came from a denormal (or pseudo-denormal) operand, for #D. */
  denormal = false;

  get isNaN(): boolean {
    return this.kind >= Kind.quiet;
  }

  copy(from: Float): void {
    this.kind = from.kind;
    this.sign = from.sign;
    this.exponent = from.exponent;
    this.hi = from.hi;
    this.lo = from.lo;
    this.ext = from.ext;
    this.denormal = from.denormal;
  }

  set(kind: Kind, sign: number, exponent: number, hi: number, lo: number, ext = 0): void {
    this.kind = kind;
    this.sign = sign;
    this.exponent = exponent;
    this.hi = hi | 0;
    this.lo = lo | 0;
    this.ext = ext | 0;
    this.denormal = false;
  }

  zero(sign: number): void {
    this.set(Kind.zero, sign, 0, 0, 0);
  }

  infinity(sign: number): void {
    this.set(Kind.infinity, sign, maxExponent, 0x8000_0000, 0);
  }

  /** The quiet NaN "real indefinite". */
  indefinite(): void {
    this.set(Kind.quiet, 1, maxExponent, 0xc000_0000, 0);
  }

  /** Brings the highest one to bit 31 of `hi`; the fraction must not be 0. */
  normalize(): void {
    while (this.hi === 0) {
      this.hi = this.lo;
      this.lo = this.ext;
      this.ext = 0;
      this.exponent -= 32;
    }
    const shift = Math.clz32(this.hi);
    if (shift === 0) return;
    this.hi = (this.hi << shift) | (this.lo >>> (32 - shift));
    this.lo = (this.lo << shift) | (this.ext >>> (32 - shift));
    this.ext <<= shift;
    this.exponent -= shift;
  }

  /** Moves the fraction down by any number of bits, the sticky bit remembering what is lost. */
  shiftRight(distance: number): void {
    let left = distance;
    while (left >= 32) {
      this.ext = this.lo | (this.ext !== 0 ? 1 : 0);
      this.lo = this.hi;
      this.hi = 0;
      left -= 32;
      if (this.lo === 0 && this.hi === 0 && (this.ext & ~1) === 0) {
        // Nothing but the sticky bit is left.
        this.ext = this.ext !== 0 ? 1 : 0;
        return;
      }
    }
    if (left === 0) return;
    const lost = this.ext << (32 - left);
    this.ext = (this.lo << (32 - left)) | (this.ext >>> left) | (lost !== 0 ? 1 : 0);
    this.lo = (this.hi << (32 - left)) | (this.lo >>> left);
    this.hi >>>= left;
    this.hi |= 0;
  }

  // --- the formats in memory and in registers

  /** From the double extended format: sign and exponent in 16 bits, then the significand. */
  fromExtended(signExponent: number, hi: number, lo: number): void {
    const exponent = signExponent & maxExponent;
    this.set(Kind.finite, (signExponent >>> 15) & 1, exponent, hi, lo);
    if (exponent === maxExponent) {
      // Without the integer bit these were numbers to an 8087 and are not since the 387.
      if (hi >= 0) this.kind = Kind.unsupported;
      else if ((hi & 0x7fff_ffff) === 0 && lo === 0) this.kind = Kind.infinity;
      else this.kind = (hi & 0x4000_0000) !== 0 ? Kind.quiet : Kind.signaling;
      return;
    }
    if (exponent !== 0) {
      if (hi >= 0) this.kind = Kind.unsupported;
      return;
    }
    if (hi === 0 && lo === 0) {
      this.kind = Kind.zero;
      return;
    }
    this.exponent = 1;
    this.denormal = true;
    this.normalize();
  }

  fromSingle(bits: number): void {
    this.#fromFraction((bits >>> 31) & 1, (bits >>> 23) & 0xff, 0xff, 127, bits << 8, 0);
  }

  fromDouble(hi: number, lo: number): void {
    this.#fromFraction(hi >>> 31, (hi >>> 20) & 0x7ff, 0x7ff, 1023, (hi << 11) | (lo >>> 21), lo << 11);
  }

  /** `hi` and `lo` with the fraction below bit 31, which is the integer bit and not kept in these formats. */
  #fromFraction(sign: number, exponent: number, most: number, formatBias: number, hi: number, lo: number): void {
    const fraction = hi & 0x7fff_ffff;
    if (exponent === most) {
      this.set(Kind.infinity, sign, maxExponent, hi | 0x8000_0000, lo);
      if (fraction !== 0 || lo !== 0) this.kind = (hi & 0x4000_0000) !== 0 ? Kind.quiet : Kind.signaling;
    } else if (exponent !== 0) {
      this.set(Kind.finite, sign, exponent + bias - formatBias, hi | 0x8000_0000, lo);
    } else if (fraction === 0 && lo === 0) {
      this.zero(sign);
    } else {
      this.set(Kind.finite, sign, 1 + bias - formatBias, fraction, lo);
      this.denormal = true;
      this.normalize();
    }
  }

  /** From a signed integer of 64 bits. */
  fromInteger(hi: number, lo: number): void {
    if (hi === 0 && lo === 0) {
      this.zero(0);
      return;
    }
    this.set(Kind.finite, hi < 0 ? 1 : 0, bias + 63, hi, lo);
    if (hi < 0) {
      this.lo = -lo | 0;
      this.hi = (~hi + (lo === 0 ? 1 : 0)) | 0;
    }
    this.normalize();
  }
}
