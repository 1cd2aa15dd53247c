import { multiply, nan } from "./arithmetic.ts";
import { bias, Float, Kind } from "./number.ts";
import { operand, operands } from "./operations.ts";
import { Exception, type Rounder } from "./round.ts";
import * as series from "./series.ts";
import { Condition, type Unit } from "./unit.ts";

/*
 * SDM vol. 1 section 8.3.8 and 8.3.10. Results are those of the functions themselves, rounded once as RC says: pi is not the processor's of 66 bits, so that the
 * bound of one unit in the last place holds for all arguments.
 */

const { fraction, one } = series;
const width = Number(fraction);

/** D9 F0..FF by the last five bits of ModRM. */
export function transcendental(unit: Unit, n: number): void {
  switch (n) {
    case 0x10:
      if (operand(unit)) {
        powerLessOne(unit.r, unit.a, unit.rounder);
        unit.finishExact(0, 0);
      }
      return;
    case 0x11:
    case 0x19:
      if (!operands(unit, 1, 1)) return;
      (n === 0x11 ? logarithm : logarithmOnePlus)(unit.r, unit.a, unit.b, unit.rounder);
      unit.finishExact(1, 1);
      return;
    case 0x13:
      if (!operands(unit, 1, 1)) return;
      arcTangent(unit.r, unit.b, unit.a, unit.rounder);
      unit.finishExact(1, 1);
      return;
    case 0x1e:
    case 0x1f:
      if (!operand(unit)) {
        unit.setConditions(0, Condition.c2);
        return;
      }
      if (outOfRange(unit)) return;
      circular(unit.r, unit.a, n === 0x1f ? "cosine" : "sine", unit.rounder);
      unit.finishExact(0, 0);
      return;
    case 0x12:
    case 0x1b:
      two(unit, n === 0x12);
      return;
    default:
      throw new RangeError(`no x87 function ${n}`);
  }
}

// --- sine, cosine, tangent

/** Arguments of 2^63 and more are left alone, and C2 says so. */
function outOfRange(unit: Unit): boolean {
  const { a } = unit;
  const out = a.kind === Kind.finite && a.exponent >= bias + 63;
  if (out) {
    unit.commit();
    unit.setConditions(Condition.c2, Condition.c2 | Condition.c1);
  } else unit.setConditions(0, Condition.c2);
  return out;
}

type Circular = "sine" | "cosine" | "tangent";

function circular(r: Float, a: Float, which: Circular, rounder: Rounder): void {
  if (a.isNaN) {
    nan(r, a, a, rounder);
    return;
  }
  if (a.kind === Kind.infinity) {
    rounder.raised |= Exception.invalid;
    r.indefinite();
    return;
  }
  if (a.kind === Kind.zero) {
    if (which === "cosine") r.set(Kind.finite, 0, bias, 0x8000_0000, 0);
    else r.copy(a);
    return;
  }
  if (a.denormal) rounder.raised |= Exception.denormal;
  // Near 0: x (1 - x^2 / 6), x (1 + x^2 / 3), 1 - x^2 / 2, where the second term is far below what can be seen.
  if (a.exponent < bias - 80) {
    const m = series.significand(a) << 64n;
    const power = a.exponent - bias - 63 - 64;
    if (which === "cosine") series.fromBig(r, 0, one - 1n, -width, true);
    else series.fromBig(r, a.sign, which === "sine" ? m - 1n : m, power, true);
    return;
  }
  const x = series.toFixed(a);
  const quarter = series.constants().pi >> 1n;
  const n = (2n * x + quarter) / (2n * quarter) - (2n * x + quarter < 0n ? 1n : 0n);
  const t = x - n * quarter;
  const sine = (t * series.sineSlope(t)) >> fraction;
  const cosine = series.cosine(t);
  const turn = Number(BigInt.asUintN(2, which === "cosine" ? n + 1n : n));
  let value: bigint;
  if (which === "tangent") value = (turn & 1) === 0 ? (sine << fraction) / cosine : -(cosine << fraction) / sine;
  else value = ((turn & 1) === 0 ? sine : cosine) * (turn >= 2 ? -1n : 1n);
  series.fromBig(r, value < 0n ? 1 : 0, value < 0n ? -value : value, -width, true);
}

/** FPTAN pushes 1 on top of the tangent, FSINCOS the cosine on top of the sine. */
function two(unit: Unit, tangent: boolean): void {
  const { a, r, rounder } = unit;
  unit.begin();
  const empty = unit.isEmpty(0);
  if (empty || !unit.isEmpty(-1)) {
    unit.stackFault(!empty);
    r.indefinite();
    second.indefinite();
    unit.setConditions(0, Condition.c2);
  } else {
    unit.read(0, a);
    if (outOfRange(unit)) return;
    circular(r, a, tangent ? "tangent" : "sine", rounder);
    if (!tangent) circular(second, a, "cosine", rounder);
    else if (r.isNaN) second.copy(r);
    else second.set(Kind.finite, 0, bias, 0x8000_0000, 0);
  }
  if (unit.stopped) {
    unit.commit();
    return;
  }
  const exact = !tangent && second.kind === Kind.finite;
  if (exact) rounder.extended(second, 64);
  if (r.kind === Kind.finite) rounder.extended(r, 64);
  unit.write(0, r);
  unit.setTop(unit.top - 1);
  unit.write(0, second);
  unit.commit();
}

const second = new Float();

// --- powers and logarithms

/** F2XM1: 2^a - 1 for a from -1 to 1; beyond that the result is not defined, and is the argument. */
function powerLessOne(r: Float, a: Float, rounder: Rounder): void {
  if (a.isNaN) {
    nan(r, a, a, rounder);
    return;
  }
  if (a.denormal) rounder.raised |= Exception.denormal;
  r.copy(a);
  if (a.kind === Kind.infinity && a.sign !== 0) r.set(Kind.finite, 1, bias, 0x8000_0000, 0);
  if (a.kind !== Kind.finite) return;
  if (a.exponent >= bias) rounder.raised |= Exception.precision;
  if (a.exponent > bias) return;
  if (a.exponent === bias) {
    const whole = (a.hi & 0x7fff_ffff) === 0 && a.lo === 0;
    if (whole && a.sign !== 0) r.set(Kind.finite, 1, bias - 1, 0x8000_0000, 0);
    return;
  }
  const { ln2 } = series.constants();
  const slope = series.exponentialSlope((series.toFixed(a) * ln2) >> fraction);
  // 2^a - 1 = a ln 2 (e^t - 1) / t
  const product = series.significand(a) * ((ln2 * slope) >> fraction);
  series.fromBig(r, a.sign, product, a.exponent - bias - 63 - width, true);
}

/** r = b times a number given as m * 2^power. */
function times(r: Float, b: Float, sign: number, m: bigint, power: number): void {
  series.fromBig(r, b.sign ^ sign, series.significand(b) * m, b.exponent - bias - 63 + power, true);
}

const factor = new Float();

/** FYL2X: b log2(a). SDM vol. 2, table 3-50. */
function logarithm(r: Float, a: Float, b: Float, rounder: Rounder): void {
  if (a.isNaN || b.isNaN) {
    nan(r, b, a, rounder);
    return;
  }
  const isOne = a.kind === Kind.finite && a.exponent === bias && (a.hi & 0x7fff_ffff) === 0 && a.lo === 0;
  const wrong =
    (a.sign !== 0 && a.kind !== Kind.zero) ||
    (b.kind === Kind.zero && (a.kind === Kind.zero || a.kind === Kind.infinity)) ||
    (b.kind === Kind.infinity && isOne);
  if (wrong) {
    rounder.raised |= Exception.invalid;
    r.indefinite();
    return;
  }
  // A pole comes before a denormal operand.
  if (a.kind !== Kind.zero && (a.denormal || b.denormal)) rounder.raised |= Exception.denormal;
  const negative = a.kind === Kind.zero || (a.kind === Kind.finite && a.exponent < bias) ? 1 : 0;
  if (a.kind === Kind.zero && b.kind === Kind.finite) rounder.raised |= Exception.zeroDivide;
  if (a.kind !== Kind.finite || b.kind === Kind.infinity) {
    r.infinity(b.sign ^ negative);
    return;
  }
  if (b.kind === Kind.zero || isOne) {
    r.zero(b.sign ^ negative);
    return;
  }
  let exponent = a.exponent - bias;
  if ((a.hi & 0x7fff_ffff) === 0 && a.lo === 0) {
    // Exact as it may be, processors call it inexact.
    rounder.raised |= Exception.precision;
    factor.fromInteger(exponent >> 31, exponent);
    multiply(r, factor, b, rounder);
    return;
  }
  let m = series.significand(a) << (fraction - 63n);
  if (a.hi >>> 0 > 0xb504_f333) {
    m >>= 1n;
    exponent++;
  }
  const value = (BigInt(exponent) << fraction) + (series.logarithm(m) << fraction) / series.constants().ln2;
  times(r, b, value < 0n ? 1 : 0, value < 0n ? -value : value, -width);
}

/** FYL2XP1: b log2(a + 1), good for small a. SDM vol. 2, table 3-51. */
function logarithmOnePlus(r: Float, a: Float, b: Float, rounder: Rounder): void {
  if (a.isNaN || b.isNaN) {
    nan(r, b, a, rounder);
    return;
  }
  const wrong =
    (a.sign !== 0 && a.kind === Kind.infinity) ||
    (a.kind === Kind.infinity && b.kind === Kind.zero) ||
    (b.kind === Kind.infinity && a.kind === Kind.zero);
  if (wrong) {
    rounder.raised |= Exception.invalid;
    r.indefinite();
    return;
  }
  if (a.denormal || b.denormal) rounder.raised |= Exception.denormal;
  const sign = a.sign ^ b.sign;
  if (a.kind === Kind.infinity || b.kind === Kind.infinity) {
    r.infinity(sign);
    return;
  }
  if (a.kind === Kind.zero || b.kind === Kind.zero) {
    r.zero(sign);
    return;
  }
  if (a.sign !== 0 && a.exponent >= bias) {
    // There is no such logarithm. It is not called invalid, and the argument comes back.
    rounder.raised |= Exception.precision;
    r.copy(a);
    return;
  }
  const { ln2 } = series.constants();
  const x = series.toFixed(a);
  if (a.exponent >= bias - 1) {
    // Outside of the range for which the instruction is meant.
    let m = one + x;
    let exponent = 0;
    const length = series.bits(m) - 1 - width;
    exponent = length;
    m = length >= 0 ? m >> BigInt(length) : m << BigInt(-length);
    const value = (BigInt(exponent) << fraction) + (series.logarithm(m) << fraction) / ln2;
    times(r, b, value < 0n ? 1 : 0, value < 0n ? -value : value, -width);
    return;
  }
  // ln(1 + x) = z slope(z) with z = x / (2 + x), which keeps all of a small x.
  const reciprocal = (one << fraction) / (2n * one + x);
  const z = (x * reciprocal) >> fraction;
  const slope = (series.logarithmSlope(z) * reciprocal) / ln2;
  times(r, b, a.sign, series.significand(a) * slope, a.exponent - bias - 63 - width);
}

// --- arc tangent

/** FPATAN: the angle of the point (x, y). SDM vol. 2, table 3-40. */
function arcTangent(r: Float, y: Float, x: Float, rounder: Rounder): void {
  if (x.isNaN || y.isNaN) {
    nan(r, y, x, rounder);
    return;
  }
  if (x.denormal || y.denormal) rounder.raised |= Exception.denormal;
  const { pi } = series.constants();
  const angle = (eighths: bigint) => series.fromBig(r, y.sign, (pi * eighths) >> 3n, -width, true);
  if (y.kind === Kind.infinity) {
    angle(x.kind === Kind.infinity ? (x.sign !== 0 ? 6n : 2n) : 4n);
    return;
  }
  if (x.kind === Kind.infinity || y.kind === Kind.zero) {
    if (x.sign !== 0) angle(8n);
    else r.zero(y.sign);
    return;
  }
  if (x.kind === Kind.zero) {
    angle(4n);
    return;
  }
  const distance = y.exponent - x.exponent;
  const sy = series.significand(y);
  const sx = series.significand(x);
  if (distance < -100) {
    // The ratio itself, or pi less what cannot be seen.
    if (x.sign !== 0) series.fromBig(r, y.sign, pi - 1n, -width, true);
    else {
      const ratio = (sy << fraction) / sx;
      const exact = ratio * sx === sy << fraction;
      series.fromBig(r, y.sign, (ratio << 64n) - (exact ? 1n : 0n), distance - width - 64, true);
    }
    return;
  }
  if (distance > 100) {
    series.fromBig(r, y.sign, (pi >> 1n) + (x.sign !== 0 ? 1n : -1n), -width, true);
    return;
  }
  const up = distance > 0 ? sy << BigInt(distance) : sy;
  const right = distance < 0 ? sx << BigInt(-distance) : sx;
  const steep = up > right;
  const base = series.arcTangent(steep ? (right << fraction) / up : (up << fraction) / right);
  const quadrant = steep ? (pi >> 1n) - base : base;
  series.fromBig(r, y.sign, x.sign !== 0 ? pi - quadrant : quadrant, -width, true);
}
