/*
 * Exact results of IEEE 754 operations on doubles, by error-free transformations: the host's result to nearest, and on which side of it the true
 * one lies. All roundings to 53 bits or fewer follow from these two (round.ts). Muller et al., "Handbook of Floating-Point Arithmetic", 2nd edition,
 * chapter 4; fused multiply-add: Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", 2008.
 */

/** A number (value + something) * 2^scale: the something has `error`'s sign and is at most half a unit in the last place of `value`. */
export class Exact {
  /** 0, or of a magnitude between 2^-900 and 2^1000. */
  value = 0;
  /** -1, 0 or 1. */
  error = 0;
  scale = 0;
}

const number = new Float64Array(1);
const words = new Int32Array(number.buffer);

const least = 2 ** -900;
const most = 2 ** 1000;

function keep(to: Exact, value: number, error: number, scale: number): void {
  const magnitude = Math.abs(value);
  to.error = error > 0 ? 1 : error < 0 ? -1 : 0;
  if ((magnitude >= least && magnitude <= most) || value === 0) {
    to.value = value;
    to.scale = scale;
  } else if (magnitude < 1) {
    to.value = value * 2 ** 200;
    to.scale = scale - 200;
  } else {
    to.value = value * 2 ** -200;
    to.scale = scale + 200;
  }
}

/** A number as it is. */
export function same(x: number, to: Exact): void {
  keep(to, x, 0, 0);
}

/** The power of two in `x`, which is finite and not 0. */
export function exponentOf(x: number): number {
  number[0] = x;
  const field = ((words[1] as number) >>> 20) & 0x7ff;
  if (field !== 0) return field - 1023;
  number[0] = x * 2 ** 64;
  return (((words[1] as number) >>> 20) & 0x7ff) - 1023 - 64;
}

/** `x` by a power of two that brings it between 1 and 2; `exponent` is exponentOf(x). */
function normal(x: number, exponent: number): number {
  return exponent < -1022
    ? x * 2 ** 64 * power(-exponent - 64)
    : exponent > 1022
      ? x * 2 ** -1023
      : x * power(-exponent);
}

/** 2^exponent for -1074 to 1023. */
export function power(exponent: number): number {
  words[0] = 0;
  if (exponent >= -1022) {
    words[1] = (exponent + 1023) << 20;
    return number[0] as number;
  }
  words[1] = (exponent + 64 + 1023) << 20;
  return (number[0] as number) * 2 ** -64;
}

/** x + y, both finite. */
export function sum(x: number, y: number, to: Exact): void {
  let scale = 0;
  let value = x + y;
  if (Math.abs(value) === Number.POSITIVE_INFINITY) {
    // Both are large then: no bit gets lost.
    x *= 2 ** -100;
    y *= 2 ** -100;
    scale = 100;
    value = x + y;
  }
  keep(to, value, sumError(x, y, value), scale);
}

/** x + y - s for s = x + y to nearest, which is finite. */
export function sumError(x: number, y: number, s: number): number {
  return Math.abs(x) >= Math.abs(y) ? y - (s - x) : x - (s - y);
}

const splitter = 2 ** 27 + 1;

/** x * y - p for p = x * y to nearest. Dekker's product: nothing in it may overflow or underflow, so `isPlainProduct` has to hold. */
export function productError(x: number, y: number, p: number): number {
  const a = splitter * x;
  const xHigh = a - (a - x);
  const xLow = x - xHigh;
  const b = splitter * y;
  const yHigh = b - (b - y);
  const yLow = y - yHigh;
  return xLow * yLow - (p - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
}

export function isPlainProduct(x: number, y: number, p: number): boolean {
  const magnitude = Math.abs(p);
  return magnitude > least && magnitude < most && Math.abs(x) < 2 ** 990 && Math.abs(y) < 2 ** 990;
}

/** x * y, both finite. */
export function product(x: number, y: number, to: Exact): void {
  const p = x * y;
  if (isPlainProduct(x, y, p)) {
    keep(to, p, productError(x, y, p), 0);
  } else if (x === 0 || y === 0) {
    keep(to, p, 0, 0);
  } else {
    const [ex, ey] = [exponentOf(x), exponentOf(y)];
    const [mx, my] = [normal(x, ex), normal(y, ey)];
    keep(to, mx * my, productError(mx, my, mx * my), ex + ey);
  }
}

/** Of two such numbers product and quotient, and what is computed on the way, are far from where exponents end. */
export const moderate = (x: number) => Math.abs(x) > 2 ** -420 && Math.abs(x) < 2 ** 450;

/** x / y, both finite, y not 0. */
export function quotient(x: number, y: number, to: Exact): void {
  let scale = 0;
  if (x === 0) {
    keep(to, x / y, 0, 0);
    return;
  }
  if (!moderate(x) || !moderate(y)) {
    const [ex, ey] = [exponentOf(x), exponentOf(y)];
    x = normal(x, ex);
    y = normal(y, ey);
    scale = ex - ey;
  }
  const q = x / y;
  keep(to, q, quotientError(x, y, q), scale);
}

/** A number with the sign of x / y - q for q = x / y to nearest; both `moderate`. */
export function quotientError(x: number, y: number, q: number): number {
  const p = q * y;
  const remainder = x - p - productError(q, y, p);
  return y < 0 ? -remainder : remainder;
}

/** The square root of x, which is finite and not below 0. */
export function root(x: number, to: Exact): void {
  let scale = 0;
  if (x === 0) {
    keep(to, x, 0, 0);
    return;
  }
  if (!moderate(x)) {
    const ex = exponentOf(x);
    x = normal(x, ex);
    if ((ex & 1) !== 0) x *= 2;
    scale = ex >> 1;
  }
  const r = Math.sqrt(x);
  const p = r * r;
  keep(to, r, x - p - productError(r, r, p), scale);
}

/** x * y + z, all finite, rounded nowhere on the way. */
export function fused(x: number, y: number, z: number, to: Exact): void {
  if (x === 0 || y === 0) {
    keep(to, x * y + z, 0, 0);
  } else if (z === 0) {
    product(x, y, to);
  } else if (!fusedModerate(x, y, z, to)) {
    const [ex, ey, ez] = [exponentOf(x), exponentOf(y), exponentOf(z)];
    const [mx, my, mz] = [normal(x, ex), normal(y, ey), normal(z, ez)];
    // Where one of them is far below the other's last place only its sign counts.
    const apart = Math.max(-200, Math.min(200, ez - ex - ey));
    productAndSum(mx, my, mz * power(apart), apart === 200 ? ez - 200 : ex + ey, to);
  }
}

/** The same where no exponent is near its end, which NaNs and infinities are not; gives whether it is so. */
export function fusedModerate(x: number, y: number, z: number, to: Exact): boolean {
  if (!(moderate(x) && moderate(y) && Math.abs(z) > least && Math.abs(z) < 2 ** 960)) return false;
  productAndSum(x, y, z, 0, to);
  return true;
}

function productAndSum(x: number, y: number, z: number, scale: number, to: Exact): void {
  const p = x * y;
  const low = productError(x, y, p);
  const s = p + z;
  const sError = twoSumError(p, z, s);
  let t = sError + low;
  const tError = twoSumError(sError, low, t);
  // What is left of t's true value behind its rounding to odd.
  let rest = tError;
  if (tError !== 0) {
    number[0] = t;
    const last = words[0] as number;
    if ((last & 1) === 0) {
      if (tError > 0 === t > 0) words[0] = last + 1;
      else {
        words[0] = last - 1;
        if (last === 0) words[1] = (words[1] as number) - 1;
      }
      t = number[0] as number;
      rest = -tError;
    }
  }
  const value = s + t;
  const error = twoSumError(s, t, value);
  keep(to, value, error !== 0 ? error : rest, scale);
}

/** x + y - s for s = x + y to nearest. Knuth's sum. */
function twoSumError(x: number, y: number, s: number): number {
  const fromY = s - x;
  return x - (s - fromY) + (y - fromY);
}
