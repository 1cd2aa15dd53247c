import { nan } from "./arithmetic.ts";
import { bias, type Float, Kind } from "./number.ts";
import { Exception, type Rounder } from "./round.ts";

/** What a remainder tells by the condition codes: C2 while it is partial, else the quotient's low three bits. */
export interface Reduction {
  partial: boolean;
  quotient: number;
}

const significand = (v: Float) => (BigInt(v.hi >>> 0) << 32n) | BigInt(v.lo >>> 0);

/**
 * r = a - q * b. FPREM: q is cut off; FPREM1: q is rounded to nearest. Exponents that are 64 or more apart are reduced by 32 to 63 at a time.
 * SDM vol. 2, FPREM and FPREM1. The result is exact.
 */
export function remainder(r: Float, a: Float, b: Float, nearest: boolean, rounder: Rounder, out: Reduction): void {
  out.partial = false;
  out.quotient = 0;
  if (a.isNaN || b.isNaN) {
    nan(r, a, b, rounder);
    return;
  }
  if (a.kind === Kind.infinity || b.kind === Kind.zero) {
    rounder.raised |= Exception.invalid;
    r.indefinite();
    return;
  }
  if (a.denormal || b.denormal) rounder.raised |= Exception.denormal;
  if (a.kind === Kind.zero || b.kind === Kind.infinity) {
    r.copy(a);
    return;
  }
  const distance = a.exponent - b.exponent;
  if (distance < -1) {
    r.copy(a);
    return;
  }
  out.partial = distance >= 64;
  const shift = out.partial ? (distance & 31) + 32 : Math.max(distance, 0);
  let dividend = significand(a) << BigInt(shift);
  let divisor = significand(b);
  // A dividend below half the divisor's binade: the comparison needs one bit more.
  if (distance === -1) divisor <<= 1n;
  let quotient = dividend / divisor;
  dividend -= quotient * divisor;
  let sign = a.sign;
  if (nearest && !out.partial) {
    const twice = dividend * 2n;
    if (twice > divisor || (twice === divisor && (quotient & 1n) !== 0n)) {
      dividend = divisor - dividend;
      quotient++;
      sign ^= 1;
    }
  }
  out.quotient = out.partial ? 0 : Number(quotient & 7n);
  if (dividend === 0n) {
    r.zero(a.sign);
    return;
  }
  const exponent = distance === -1 ? a.exponent : a.exponent - shift;
  r.set(Kind.finite, sign, exponent, Number(BigInt.asIntN(32, dividend >> 32n)), Number(BigInt.asIntN(32, dividend)));
  if (dividend >> 64n !== 0n) {
    // Can only be one bit, from the doubled divisor.
    r.shiftRight(1);
    r.hi |= 0x8000_0000;
    r.exponent++;
  }
  r.normalize();
}

/** r = a * 2^(b cut to an integer). SDM vol. 2, FSCALE. */
export function scale(r: Float, a: Float, b: Float, rounder: Rounder): void {
  if (a.isNaN || b.isNaN) {
    nan(r, a, b, rounder);
    return;
  }
  if (b.kind === Kind.infinity) {
    if ((a.kind === Kind.infinity && b.sign !== 0) || (a.kind === Kind.zero && b.sign === 0)) {
      rounder.raised |= Exception.invalid;
      r.indefinite();
      return;
    }
    if (a.denormal) rounder.raised |= Exception.denormal;
    if (b.sign !== 0) r.zero(a.sign);
    else r.infinity(a.sign);
    return;
  }
  if (a.denormal || b.denormal) rounder.raised |= Exception.denormal;
  r.copy(a);
  if (a.kind !== Kind.finite || b.kind !== Kind.finite) return;
  const power = b.exponent - bias;
  if (power < 0) return;
  // Beyond 2^16 every result has overflowed or is below the smallest denormal.
  const steps = power > 16 ? 0x1_0000 : b.hi >>> (31 - power);
  r.exponent += b.sign !== 0 ? -steps : steps;
}

/** Splits a into its exponent, as a number, and its significand. SDM vol. 2, FXTRACT. */
export function extract(exponent: Float, a: Float, rounder: Rounder): void {
  if (a.isNaN) {
    nan(exponent, a, a, rounder);
    a.copy(exponent);
    return;
  }
  if (a.kind === Kind.infinity) {
    exponent.infinity(0);
    return;
  }
  if (a.kind === Kind.zero) {
    rounder.raised |= Exception.zeroDivide;
    exponent.infinity(1);
    return;
  }
  if (a.denormal) rounder.raised |= Exception.denormal;
  const power = a.exponent - bias;
  exponent.fromInteger(power >> 31, power);
  a.exponent = bias;
}
