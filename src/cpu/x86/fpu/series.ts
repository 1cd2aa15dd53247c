import { bias, type Float, Kind } from "./number.ts";

/*
 * Elementary functions in fixed point, far beyond what a significand of 64 bits can show: the result is rounded once and is the true one but for cases that lie
 * within 2^-200 of a half. Values are integers times 2^-fraction.
 */

export const fraction = 384n;
export const one = 1n << fraction;

export const significand = (v: Float) => (BigInt(v.hi >>> 0) << 32n) | BigInt(v.lo >>> 0);

/** Sum of z^(2k+1) / (2k+1), with alternating signs for the arc tangent and without for its hyperbolic cousin. |z| well below 1. */
function odd(z: bigint, alternate: boolean): bigint {
  const square = (z * z) >> fraction;
  let power = z;
  let sum = z;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = (power * square) >> fraction;
    if (alternate) power = -power;
    sum += power / k;
  }
  return sum;
}

let known: { readonly pi: bigint; readonly ln2: bigint } | undefined;

/** Machin's formula, and ln 2 = 2 artanh(1/3). Computed when first asked for. */
export function constants(): { readonly pi: bigint; readonly ln2: bigint } {
  known ??= {
    pi: 16n * odd(one / 5n, true) - 4n * odd(one / 239n, true),
    ln2: 2n * odd(one / 3n, false),
  };
  return known;
}

/** (e^t - 1) / t for |t| up to 1. */
export function exponentialSlope(t: bigint): bigint {
  let term = one;
  let sum = one;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = ((term * t) >> fraction) / k;
    sum += term;
  }
  return sum;
}

/** ln((1 + z) / (1 - z)) / z, for small z. */
export function logarithmSlope(z: bigint): bigint {
  const square = (z * z) >> fraction;
  let power = one;
  let sum = one;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = (power * square) >> fraction;
    sum += power / k;
  }
  return 2n * sum;
}

/** ln m for m between 1/2 and 2. */
export function logarithm(m: bigint): bigint {
  const z = ((m - one) << fraction) / (m + one);
  return (z * logarithmSlope(z)) >> fraction;
}

/** Sine and cosine of t, |t| up to 1: sin t / t, cos t. */
export function sineSlope(t: bigint): bigint {
  return alternating(t, 2n);
}

export function cosine(t: bigint): bigint {
  return alternating(t, 1n);
}

/** 1 - t^2 / (first (first + 1)) + t^4 / (first ... (first + 3)) - ... */
function alternating(t: bigint, first: bigint): bigint {
  const square = (t * t) >> fraction;
  let term = one;
  let sum = one;
  for (let k = first; term !== 0n && term !== -1n; k += 2n) {
    term = -((term * square) >> fraction) / (k * (k + 1n));
    sum += term;
  }
  return sum;
}

/** atan t for t between 0 and 1: atan t = 2 atan(t / (1 + sqrt(1 + t^2))) brings it near 0 first. */
export function arcTangent(t: bigint): bigint {
  let z = t;
  for (let k = 0; k < 3; k++) z = (z << fraction) / (one + root((one << fraction) + z * z));
  return odd(z, true) << 3n;
}

/** Integer square root, by Newton's iteration from above. */
function root(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(16).length * 4 + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** What a number is in fixed point; what lies below is cut off. */
export function toFixed(v: Float): bigint {
  if (v.kind !== Kind.finite) return 0n;
  const shift = BigInt(v.exponent - bias - 63) + fraction;
  const magnitude = shift >= 0n ? significand(v) << shift : significand(v) >> -shift;
  return v.sign !== 0 ? -magnitude : magnitude;
}

/** r = m * 2^power, with its last bit sticky when `inexact`. A magnitude of 0 is not for this. */
export function fromBig(r: Float, sign: number, m: bigint, power: number, inexact: boolean): void {
  const length = bits(m);
  const shift = length - 96;
  const top = shift > 0 ? m >> BigInt(shift) : m << BigInt(-shift);
  const rest = shift > 0 && top << BigInt(shift) !== m;
  const word = (k: bigint) => Number(BigInt.asIntN(32, top >> k));
  r.set(Kind.finite, sign, bias + power + length - 1, word(64n), word(32n), word(0n) | (rest || inexact ? 1 : 0));
}

export function bits(m: bigint): number {
  const text = m.toString(16);
  return 4 * text.length - (Math.clz32(Number.parseInt(text[0] as string, 16)) - 28);
}
