import { bias, Float, Kind } from "./number.ts";
import { Exception, type Rounder, Rounding } from "./round.ts";

/*
 * The four operations on numbers taken apart: what they give before rounding. NaNs, infinities and zeros are settled here as well. Rounding, and what
 * the processor does with exceptions, are the caller's. SDM vol. 1 chapter 8, vol. 2 tables of FADD, FMUL, FDIV.
 */

/** Whether the magnitude of `a` is below that of `b`, both being normalized. */
function below(a: Float, b: Float): boolean {
  if (a.exponent !== b.exponent) return a.exponent < b.exponent;
  if (a.hi !== b.hi) return a.hi >>> 0 < b.hi >>> 0;
  return a.lo >>> 0 < b.lo >>> 0;
}

/** The NaN which an operation on NaNs gives: SDM vol. 1 table 4-7, x87 column. #I for a signaling one. */
export function nan(r: Float, a: Float, b: Float, rounder: Rounder): void {
  if (a.kind === Kind.unsupported || b.kind === Kind.unsupported) {
    rounder.raised |= Exception.invalid;
    r.indefinite();
    return;
  }
  const signaling = a.kind === Kind.signaling || b.kind === Kind.signaling;
  if (signaling) rounder.raised |= Exception.invalid;
  let from = a;
  if (!a.isNaN) from = b;
  else if (b.isNaN) {
    if (a.kind !== b.kind) from = a.kind === Kind.quiet ? a : b;
    else if (a.hi !== b.hi) from = a.hi >>> 0 > b.hi >>> 0 ? a : b;
    else if (a.lo !== b.lo) from = a.lo >>> 0 > b.lo >>> 0 ? a : b;
    else from = a.sign <= b.sign ? a : b;
  }
  r.copy(from);
  r.kind = Kind.quiet;
  r.hi |= 0x4000_0000;
}

function invalid(r: Float, rounder: Rounder): void {
  rounder.raised |= Exception.invalid;
  r.indefinite();
}

function denormals(a: Float, b: Float, rounder: Rounder): void {
  if (a.denormal || b.denormal) rounder.raised |= Exception.denormal;
}

const other = new Float();

/** r = a + b, or a - b. */
export function add(r: Float, a: Float, b: Float, subtract: boolean, rounder: Rounder): void {
  if (a.isNaN || b.isNaN) {
    nan(r, a, b, rounder);
    return;
  }
  const signB = subtract ? b.sign ^ 1 : b.sign;
  if (a.kind === Kind.infinity || b.kind === Kind.infinity) {
    if (a.kind === b.kind && a.sign !== signB) {
      invalid(r, rounder);
      return;
    }
    denormals(a, b, rounder);
    r.infinity(a.kind === Kind.infinity ? a.sign : signB);
    return;
  }
  denormals(a, b, rounder);
  if (a.kind === Kind.zero || b.kind === Kind.zero) {
    if (a.kind === b.kind) r.zero(a.sign === signB ? a.sign : rounder.mode === Rounding.down ? 1 : 0);
    else {
      const sign = a.kind === Kind.zero ? signB : a.sign;
      r.copy(a.kind === Kind.zero ? b : a);
      r.sign = sign;
    }
    return;
  }
  const swap = below(a, b);
  const signA = swap ? signB : a.sign;
  other.copy(swap ? a : b);
  const sameSign = a.sign === signB;
  r.copy(swap ? b : a);
  r.sign = signA;
  r.denormal = false;
  other.shiftRight(Math.min(r.exponent - other.exponent, 200));
  if (sameSign) addFraction(r, other);
  else subtractFraction(r, other, rounder);
}

function addFraction(r: Float, b: Float): void {
  r.ext = b.ext;
  const lo = (r.lo >>> 0) + (b.lo >>> 0);
  const hi = (r.hi >>> 0) + (b.hi >>> 0) + (lo > 0xffff_ffff ? 1 : 0);
  r.lo = lo | 0;
  r.hi = hi | 0;
  if (hi <= 0xffff_ffff) return;
  r.shiftRight(1);
  r.hi |= 0x8000_0000;
  r.exponent++;
}

/** The larger is in `r`. */
function subtractFraction(r: Float, b: Float, rounder: Rounder): void {
  const ext = 0 - (b.ext >>> 0);
  const lo = (r.lo >>> 0) - (b.lo >>> 0) - (ext < 0 ? 1 : 0);
  const hi = (r.hi >>> 0) - (b.hi >>> 0) - (lo < 0 ? 1 : 0);
  r.ext = ext | 0;
  r.lo = lo | 0;
  r.hi = hi | 0;
  if (r.hi === 0 && r.lo === 0 && r.ext === 0) r.zero(rounder.mode === Rounding.down ? 1 : 0);
  else r.normalize();
}

/** High word of the product of two unsigned words. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middle = (cross & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(cross / 65536) + Math.floor(middle / 65536)) | 0;
}

/** r = a * b. */
export function multiply(r: Float, a: Float, b: Float, rounder: Rounder): void {
  if (a.isNaN || b.isNaN) {
    nan(r, a, b, rounder);
    return;
  }
  const sign = a.sign ^ b.sign;
  if (a.kind === Kind.infinity || b.kind === Kind.infinity) {
    if (a.kind === Kind.zero || b.kind === Kind.zero) {
      invalid(r, rounder);
      return;
    }
    denormals(a, b, rounder);
    r.infinity(sign);
    return;
  }
  denormals(a, b, rounder);
  if (a.kind === Kind.zero || b.kind === Kind.zero) {
    r.zero(sign);
    return;
  }
  // Four partial products of 64 bits, added in columns of 32.
  const low = Math.imul(a.lo, b.lo);
  const c1 = (multiplyHigh(a.lo, b.lo) >>> 0) + (Math.imul(a.hi, b.lo) >>> 0) + (Math.imul(a.lo, b.hi) >>> 0);
  const c2 =
    (multiplyHigh(a.hi, b.lo) >>> 0) +
    (multiplyHigh(a.lo, b.hi) >>> 0) +
    (Math.imul(a.hi, b.hi) >>> 0) +
    Math.floor(c1 / 2 ** 32);
  const c3 = (multiplyHigh(a.hi, b.hi) >>> 0) + Math.floor(c2 / 2 ** 32);
  r.set(Kind.finite, sign, a.exponent + b.exponent - bias + 1, c3, c2, c1 | (low !== 0 ? 1 : 0));
  r.normalize();
}

/** r = a / b. */
export function divide(r: Float, a: Float, b: Float, rounder: Rounder): void {
  if (a.isNaN || b.isNaN) {
    nan(r, a, b, rounder);
    return;
  }
  const sign = a.sign ^ b.sign;
  if (a.kind === b.kind && a.kind !== Kind.finite) {
    // 0 / 0 and infinity / infinity.
    invalid(r, rounder);
    return;
  }
  if (a.kind === Kind.infinity) {
    denormals(a, b, rounder);
    r.infinity(sign);
  } else if (b.kind === Kind.zero) {
    // A denormal dividend is not called one then: SDM vol. 1 section 4.9.2.
    rounder.raised |= Exception.zeroDivide;
    r.infinity(sign);
  } else if (a.kind === Kind.zero || b.kind === Kind.infinity) {
    denormals(a, b, rounder);
    r.zero(sign);
  } else {
    denormals(a, b, rounder);
    quotient(r, a, b, sign);
  }
}

/**
 * Long division by digits of 16 bits: 64 bits of the quotient and 32 below them, of which the last is sticky. All that is computed is exact in doubles; a digit is
 * estimated first and may be off by one.
 */
function quotient(r: Float, a: Float, b: Float, sign: number): void {
  let exponent = a.exponent - b.exponent + bias;
  let hi = a.hi >>> 0;
  let lo = a.lo >>> 0;
  const bHi = b.hi >>> 0;
  const bLo = b.lo >>> 0;
  const divisor = bHi * 2 ** 32 + bLo;
  // The first digit holds what is left of 16 bits when the quotient is below 1: one bit more of the dividend.
  const less = hi < bHi || (hi === bHi && lo < bLo);
  if (less) exponent--;
  let scale = less ? 2 ** 16 : 2 ** 15;
  let q0 = 0;
  let q1 = 0;
  let q2 = 0;
  for (let k = 0; k < 6; k++) {
    let digit = Math.floor(((hi * 2 ** 32 + lo) * scale) / divisor);
    const low = lo * scale - digit * bLo;
    const carry = Math.floor(low / 2 ** 32);
    hi = hi * scale - digit * bHi + carry;
    lo = low - carry * 2 ** 32;
    while (hi < 0) {
      digit--;
      lo += bLo;
      hi += bHi;
      if (lo >= 2 ** 32) {
        lo -= 2 ** 32;
        hi++;
      }
    }
    while (hi > bHi || (hi === bHi && lo >= bLo)) {
      digit++;
      lo -= bLo;
      hi -= bHi;
      if (lo < 0) {
        lo += 2 ** 32;
        hi--;
      }
    }
    if (k < 2) q0 = (q0 << 16) | digit;
    else if (k < 4) q1 = (q1 << 16) | digit;
    else q2 = (q2 << 16) | digit;
    scale = 2 ** 16;
  }
  r.set(Kind.finite, sign, exponent, q0, q1, q2 | (hi !== 0 || lo !== 0 ? 1 : 0));
}

/** r = the square root of a. */
export function squareRoot(r: Float, a: Float, rounder: Rounder): void {
  if (a.isNaN) {
    nan(r, a, a, rounder);
    return;
  }
  if (a.kind === Kind.zero) {
    r.copy(a);
    return;
  }
  if (a.sign !== 0) {
    invalid(r, rounder);
    return;
  }
  if (a.denormal) rounder.raised |= Exception.denormal;
  if (a.kind === Kind.infinity) {
    r.infinity(0);
    return;
  }
  // A root of 66 bits from a radicand of 132, so that the lowest two serve for rounding; what is left over is sticky.
  const odd = (a.exponent - bias) & 1;
  const significand = (BigInt(a.hi >>> 0) << 32n) | BigInt(a.lo >>> 0);
  const radicand = significand << (odd !== 0 ? 68n : 67n);
  const root = integerRoot(radicand);
  const sticky = root * root !== radicand ? 1 : 0;
  const exponent = Math.floor((a.exponent - bias) / 2) + bias;
  const top = root >> 2n;
  const rest = Number(root & 3n) << 30;
  r.set(Kind.finite, 0, exponent, Number(BigInt.asIntN(32, top >> 32n)), Number(BigInt.asIntN(32, top)), rest | sticky);
}

/** The largest integer whose square is not above `n`, of 132 bits: a double gives 52 bits of it and one step of Newton's iteration the rest, but for the last. */
function integerRoot(n: bigint): bigint {
  const guess = BigInt(Math.floor(Math.sqrt(Number(n))));
  let x = (guess + n / guess) >> 1n;
  while (x * x > n) x--;
  while ((x + 1n) * (x + 1n) <= n) x++;
  return x;
}

/** Relations of two operands, as C3, C2, C0 of the status word have them. SDM vol. 2, FCOM. */
export const Relation = { greater: 0, less: 0x100, equal: 0x4000, unordered: 0x4500 } as const;

/** Compares; a quiet NaN is #I unless `quiet` says otherwise (FUCOM). */
export function compare(a: Float, b: Float, quiet: boolean, rounder: Rounder): number {
  if (a.isNaN || b.isNaN) {
    const signals = a.kind >= Kind.signaling || b.kind >= Kind.signaling;
    if (!quiet || signals) rounder.raised |= Exception.invalid;
    return Relation.unordered;
  }
  denormals(a, b, rounder);
  if (a.kind === Kind.zero && b.kind === Kind.zero) return Relation.equal;
  if (a.kind === Kind.zero) return b.sign !== 0 ? Relation.greater : Relation.less;
  if (b.kind === Kind.zero || a.sign !== b.sign) return a.sign !== 0 ? Relation.less : Relation.greater;
  // Infinities have the largest exponent and the smallest significand.
  if (below(a, b)) return a.sign !== 0 ? Relation.greater : Relation.less;
  if (below(b, a)) return a.sign !== 0 ? Relation.less : Relation.greater;
  return Relation.equal;
}
