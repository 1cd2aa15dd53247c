import { bias, type Float, Kind } from "./number.ts";
import { Exception, type Rounder, Rounding } from "./round.ts";

/** What a number can be stored as. */
export const Format = { single: 0, double: 1, extended: 2, int16: 3, int32: 4, int64: 5, bcd: 6 } as const;
export type Format = (typeof Format)[keyof typeof Format];

/** 64 bits and 16 above them. */
export interface Out {
  hi: number;
  lo: number;
  high: number;
}

/** The value as it stands in memory in one of the formats. What it raises goes to the rounder. */
export function convert(v: Float, format: Format, rounder: Rounder, out: Out): void {
  switch (format) {
    case Format.single:
      toSingle(v, rounder, out);
      break;
    case Format.double:
      toDouble(v, rounder, out);
      break;
    case Format.bcd:
      toBcd(v, rounder, out);
      break;
    default:
      toInteger(v, format, rounder, out);
  }
}

/** What takes the place of a value that is not there, or cannot be had: SDM vol. 1 tables 4-3, 4-4. */
export function indefinite(format: Format, out: Out): void {
  out.high = 0xffff;
  out.lo = 0;
  switch (format) {
    case Format.single:
      out.lo = 0xffc0_0000 | 0;
      break;
    case Format.double:
      out.hi = 0xfff8_0000 | 0;
      break;
    case Format.int16:
      out.lo = 0x8000;
      break;
    case Format.int32:
      out.lo = 0x8000_0000 | 0;
      break;
    case Format.int64:
      out.hi = 0x8000_0000 | 0;
      break;
    default:
      out.hi = 0xc000_0000 | 0;
  }
}

/** Settles NaNs for the real formats; false when that is all. */
function real(v: Float, format: Format, rounder: Rounder, out: Out): boolean {
  if (v.kind >= Kind.signaling) rounder.raised |= Exception.invalid;
  if (v.kind === Kind.unsupported) {
    indefinite(format, out);
    return false;
  }
  if (v.kind === Kind.signaling) v.hi |= 0x4000_0000;
  return true;
}

function toSingle(v: Float, rounder: Rounder, out: Out): void {
  if (!real(v, Format.single, rounder, out)) return;
  if (v.kind === Kind.finite) {
    v.exponent += 127 - bias;
    rounder.round(v, 24, 0xff, 0xc0);
  } else if (v.kind !== Kind.zero) v.exponent = 0xff;
  out.lo = (v.sign << 31) | ((v.exponent & 0xff) << 23) | ((v.hi >>> 8) & 0x7f_ffff);
}

function toDouble(v: Float, rounder: Rounder, out: Out): void {
  if (!real(v, Format.double, rounder, out)) return;
  if (v.kind === Kind.finite) {
    v.exponent += 1023 - bias;
    rounder.round(v, 53, 0x7ff, 0x600);
  } else if (v.kind !== Kind.zero) v.exponent = 0x7ff;
  out.hi = (v.sign << 31) | ((v.exponent & 0x7ff) << 20) | ((v.hi >>> 11) & 0xf_ffff);
  out.lo = (v.hi << 21) | (v.lo >>> 11);
}

/**
 * Rounds to an integer, whose magnitude is left in hi:lo; false for what has more than 64 bits. `ext` is 0 afterwards, and the inexact exception is raised.
 */
export function roundToInteger(v: Float, rounder: Rounder): boolean {
  const distance = bias + 63 - v.exponent;
  if (distance < 0) return false;
  v.shiftRight(Math.min(distance, 200));
  const half = v.ext < 0;
  const rest = (v.ext & 0x7fff_ffff) !== 0;
  v.ext = 0;
  rounder.up = (half || rest) && rounder.away(v.sign, (v.lo & 1) !== 0, half, rest);
  if (half || rest) rounder.raised |= Exception.precision;
  if (!rounder.up) return true;
  v.lo = (v.lo + 1) | 0;
  if (v.lo === 0) v.hi = (v.hi + 1) | 0;
  return v.lo !== 0 || v.hi !== 0;
}

/** Only #I, when it is raised: not #P for a result that was not delivered. */
function tooLarge(format: Format, rounder: Rounder, out: Out): void {
  rounder.raised = (rounder.raised & ~Exception.precision) | Exception.invalid;
  rounder.up = false;
  indefinite(format, out);
}

function toInteger(v: Float, format: Format, rounder: Rounder, out: Out): void {
  if (v.kind === Kind.zero) {
    out.hi = 0;
    out.lo = 0;
    return;
  }
  if (v.kind !== Kind.finite || !roundToInteger(v, rounder)) {
    tooLarge(format, rounder, out);
    return;
  }
  // The magnitude may be 2^(n-1) when the number is negative.
  const limit = format === Format.int16 ? 0x8000 : 0x8000_0000;
  const top = format === Format.int64 ? v.hi >>> 0 : v.lo >>> 0;
  const below = format === Format.int64 ? v.lo !== 0 : false;
  const fits = top < limit || (top === limit && !below && v.sign !== 0);
  if (!fits || (format !== Format.int64 && v.hi !== 0)) {
    tooLarge(format, rounder, out);
    return;
  }
  out.lo = v.sign !== 0 ? -v.lo | 0 : v.lo;
  out.hi = v.sign !== 0 ? (~v.hi + (v.lo === 0 ? 1 : 0)) | 0 : v.hi;
}

const mostDecimal = 10n ** 18n;

/** Eighteen decimal digits, two a byte, and a byte with the sign. */
function toBcd(v: Float, rounder: Rounder, out: Out): void {
  if (v.kind !== Kind.zero && (v.kind !== Kind.finite || !roundToInteger(v, rounder))) {
    tooLarge(Format.bcd, rounder, out);
    return;
  }
  const value = (BigInt(v.hi >>> 0) << 32n) | BigInt(v.lo >>> 0);
  if (value >= mostDecimal) {
    tooLarge(Format.bcd, rounder, out);
    return;
  }
  const digits = value.toString().padStart(18, "0");
  out.high = (v.sign << 15) | Number.parseInt(digits.slice(0, 2), 16);
  out.hi = Number.parseInt(digits.slice(2, 10), 16) | 0;
  out.lo = Number.parseInt(digits.slice(10), 16) | 0;
}

/** Digits above 9 are undefined; they count for what they are. */
export function fromBcd(v: Float, high: number, hi: number, lo: number): void {
  let value = 0n;
  const digit = (word: number, k: number) => BigInt((word >>> (4 * k)) & 15);
  for (let k = 1; k >= 0; k--) value = value * 10n + digit(high, k);
  for (let k = 7; k >= 0; k--) value = value * 10n + digit(hi, k);
  for (let k = 7; k >= 0; k--) value = value * 10n + digit(lo, k);
  v.fromInteger(Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
  v.sign = (high >>> 15) & 1;
}

/** FRNDINT. */
export function roundInPlace(v: Float, rounder: Rounder): void {
  if (v.denormal) rounder.raised |= Exception.denormal;
  if (v.exponent >= bias + 63) return;
  roundToInteger(v, rounder);
  v.exponent = bias + 63;
  if (v.hi === 0 && v.lo === 0) v.zero(v.sign);
  else v.normalize();
}

/** FISTTP rounds towards zero whatever RC says. */
export function chop(rounder: Rounder): void {
  rounder.mode = Rounding.chop;
}
