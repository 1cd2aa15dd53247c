/*
 * IEEE 754 arithmetic by integers of any size, as plain as it can be written: what src/cpu/ieee is held to beside TestFloat. A number is
 * n * 2^e with n and e integers.
 */

export interface Dyadic {
  readonly n: bigint;
  readonly e: number;
}

const scratch = new DataView(new ArrayBuffer(8));

export function bitsOf(x: number): bigint {
  scratch.setFloat64(0, x);
  return scratch.getBigUint64(0);
}

export function fromBits(bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}

export function dyadic(x: number): Dyadic {
  const bits = bitsOf(x);
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  const n = field === 0 ? fraction : fraction | (1n << 52n);
  return { n: x < 0 ? -n : n, e: Math.max(field, 1) - 1075 };
}

export function plus(x: Dyadic, y: Dyadic): Dyadic {
  const e = Math.min(x.e, y.e);
  return { n: (x.n << BigInt(x.e - e)) + (y.n << BigInt(y.e - e)), e };
}

export function times(x: Dyadic, y: Dyadic): Dyadic {
  return { n: x.n * y.n, e: x.e + y.e };
}

/** x / y to 200 bits, and one more that says whether that is all. */
export function over(x: Dyadic, y: Dyadic): Dyadic {
  const negative = x.n < 0n !== y.n < 0n;
  const [a, b] = [magnitude(x.n) << 300n, magnitude(y.n)];
  const n = ((a / b) << 1n) | (a % b === 0n ? 0n : 1n);
  return { n: negative ? -n : n, e: x.e - y.e - 301 };
}

/** The root of x, the same way. */
export function rootOf(x: Dyadic): Dyadic {
  const odd = x.e & 1;
  const a = x.n << BigInt(400 + odd);
  let r = 1n << BigInt(Math.ceil(a.toString(2).length / 2));
  for (;;) {
    const next = (r + a / r) >> 1n;
    if (next >= r) break;
    r = next;
  }
  return { n: (r << 1n) | (r * r === a ? 0n : 1n), e: (x.e - odd - 400) / 2 - 1 };
}

const magnitude = (n: bigint) => (n < 0n ? -n : n);

export interface Outcome {
  readonly value: number;
  readonly inexact: boolean;
  readonly up: boolean;
  readonly overflow: boolean;
  readonly tiny: boolean;
}

/** Rounds n * 2^e, not 0, to `precision` bits and exponents from `least` to `greatest`: 0 to nearest, 1 to 0, 2 up, 3 down. */
export function roundTo(
  x: Dyadic,
  [precision, least, greatest, adjust]: readonly [number, number, number, number],
  mode: number,
  trapOverflow: boolean,
  trapUnderflow: boolean,
): Outcome {
  const negative = x.n < 0n;
  const n = magnitude(x.n);
  const exponent = n.toString(2).length - 1 + x.e;
  const tiny = exponent < least;
  const last = (tiny && !trapUnderflow ? least : exponent) - precision + 1;
  const drop = last - x.e;
  const whole = drop > 0 ? n >> BigInt(drop) : n << BigInt(-drop);
  const rest = drop > 0 ? n - (whole << BigInt(drop)) : 0n;
  const half = drop > 0 ? 1n << BigInt(drop - 1) : 1n;
  const above =
    mode === 0
      ? rest > half || (rest === half && (whole & 1n) === 1n)
      : mode === 1
        ? false
        : rest !== 0n && (mode === 3) === negative;
  const result = above ? whole + 1n : whole;
  const sign = negative ? -1 : 1;
  const overflow = result.toString(2).length - 1 + last > greatest && !(tiny && trapUnderflow);
  const inexact = rest !== 0n;
  if (overflow && !trapOverflow) {
    const toInfinity = mode === 0 || (mode !== 1 && (mode === 3) === negative);
    const largest = Number((1n << BigInt(precision)) - 1n) * 2 ** (greatest - precision + 1);
    return { value: sign * (toInfinity ? Infinity : largest), inexact: true, up: toInfinity, overflow, tiny };
  }
  const shift = last + (tiny && trapUnderflow ? adjust : overflow ? -adjust : 0);
  // Two steps: 2^-1074 and less is no double on its own.
  const value = sign * Number(result) * 2 ** Math.trunc(shift / 2) * 2 ** (shift - Math.trunc(shift / 2));
  return { value, inexact, up: above, overflow, tiny };
}

export const formats = { double: [53, -1022, 1023, 1536], single: [24, -126, 127, 192] } as const;
