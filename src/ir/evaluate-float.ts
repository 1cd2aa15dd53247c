import type { Operation, Type } from "./ops.ts";

/*
 * Floating point on bit patterns. JavaScript's numbers are binary64 and its arithmetic is IEEE 754's to nearest even; binary32 comes out
 * right by rounding once more, since 53 bits are more than twice 24 and two (Figueroa, "When is double rounding innocuous?").
 */

const view = new DataView(new ArrayBuffer(8));

/** The number that these bits are. */
function number(bits: bigint, wide: boolean): number {
  if (wide) view.setBigUint64(0, BigInt.asUintN(64, bits));
  else view.setUint32(0, Number(BigInt.asUintN(32, bits)));
  return wide ? view.getFloat64(0) : view.getFloat32(0);
}

function pattern(value: number, wide: boolean): bigint {
  if (wide) view.setFloat64(0, value);
  else view.setFloat32(0, value);
  return wide ? view.getBigInt64(0) : BigInt(view.getInt32(0));
}

const binary: Partial<Record<string, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
};

const relations: Partial<Record<string, (x: number, y: number) => boolean>> = {
  flt: (x, y) => x < y,
  fle: (x, y) => x <= y,
  feq: (x, y) => x === y,
};

function clamp(value: number, least: bigint, most: bigint): bigint {
  if (Number.isNaN(value)) return 0n;
  if (value <= Number(least)) return least;
  return value >= Number(most) ? most : BigInt(Math.trunc(value));
}

/** Like `integerOperation`, for the operations on binary32 and binary64; undefined for any other. */
export function floatOperation(
  op: Operation,
  type: Type,
  values: readonly bigint[],
): { type: Type; value: bigint } | undefined {
  const wide = type === "i64";
  const [x = 0n, y = 0n] = values;
  const long = (value: bigint) => ({ type: "i64" as const, value: BigInt.asIntN(64, value) });
  const relation = relations[op];
  if (relation !== undefined) return { type: "i32", value: relation(number(x, wide), number(y, wide)) ? 1n : 0n };
  const compute = op.startsWith("f") ? binary[op.slice(1)] : undefined;
  if (compute !== undefined) return { type, value: pattern(compute(number(x, wide), number(y, wide)), wide) };
  switch (op) {
    case "fsqrt":
      return { type, value: pattern(Math.sqrt(number(x, wide)), wide) };
    case "fpromote":
      return long(pattern(number(x, false), true));
    case "fdemote":
      return { type: "i32", value: pattern(number(x, true), false) };
    case "ffrom_u":
      return long(pattern(Number(BigInt.asUintN(64, x)), true));
    case "ffrom_s":
      return long(pattern(Number(BigInt.asIntN(64, x)), true));
    case "fto_u":
      return long(clamp(number(x, true), 0n, (1n << 64n) - 1n));
    case "fto_s":
      return long(clamp(number(x, true), -(1n << 63n), (1n << 63n) - 1n));
    case "exactsum":
      return truth(exactSum(number(x, wide), number(y, wide), wide));
    case "exactsum32x4":
      return truth(
        lanes(x, 32).every((lane, k) => exactSum(number(lane, false), number(lanes(y, 32)[k] as bigint, false), false)),
      );
    case "exactproduct32x4":
      // 24 bits times 24 bits fit into 53.
      return truth(
        lanes(x, 32).every((lane, k) => {
          const product = number(lane, false) * number(lanes(y, 32)[k] as bigint, false);
          return Math.fround(product) === product;
        }),
      );
    default:
      return vectorOperation(op, x, y);
  }
}

function truth(value: boolean): { type: Type; value: bigint } {
  return { type: "i32", value: value ? 1n : 0n };
}

/** What rounding takes from a sum is a number itself, and can be computed (Knuth, The Art of Computer Programming, vol. 2, 4.2.2, theorem B). */
function exactSum(x: number, y: number, wide: boolean): boolean {
  const sum = x + y;
  const back = sum - x;
  const lost = x - (sum - back) + (y - back);
  return lost === 0 && (wide || Math.fround(sum) === sum);
}

function lanes(value: bigint, bits: number): bigint[] {
  return Array.from({ length: 128 / bits }, (_, k) => BigInt.asUintN(bits, value >> BigInt(k * bits)));
}

const tests: Partial<Record<string, (lane: bigint, bits: number) => boolean>> = {
  normals: (lane, bits) => {
    const most = bits === 32 ? 0xffn : 0x7ffn;
    const exponent = (lane >> (bits === 32 ? 23n : 52n)) & most;
    return exponent !== 0n && exponent !== most;
  },
  zeros: (lane, bits) => BigInt.asUintN(bits - 1, lane) === 0n,
};

/** Of integers in lanes of `bits`, `a` and `b` unsigned. */
const onLanes: Partial<Record<string, (a: bigint, b: bigint, bits: number) => bigint>> = {
  iadd: (a, b) => a + b,
  isub: (a, b) => a - b,
  imul: (a, b) => a * b,
  ieq: (a, b) => (a === b ? -1n : 0n),
  igt: (a, b, bits) => (BigInt.asIntN(bits, a) > BigInt.asIntN(bits, b) ? -1n : 0n),
  umin: (a, b) => (a < b ? a : b),
  umax: (a, b) => (a > b ? a : b),
  imin: (a, b, bits) => (BigInt.asIntN(bits, a) < BigInt.asIntN(bits, b) ? a : b),
  imax: (a, b, bits) => (BigInt.asIntN(bits, a) > BigInt.asIntN(bits, b) ? a : b),
};

function integerLanes(op: Operation, x: bigint, y: bigint): { type: Type; value: bigint } | undefined {
  const [, name = "", size] = /^([a-z]+)(8|16|32|64)x\d+$/.exec(op) ?? [];
  const bits = Number(size);
  const joined = (all: readonly bigint[]) => ({
    type: "v128" as const,
    value: all.reduce((sum, lane, k) => sum | (BigInt.asUintN(bits, lane) << BigInt(k * bits)), 0n),
  });
  const of = onLanes[name];
  if (of !== undefined) return joined(lanes(x, bits).map((lane, k) => of(lane, lanes(y, bits)[k] as bigint, bits)));
  if (name === "signs") {
    const value = lanes(x, bits).reduce((sum, lane, k) => sum | ((lane >> BigInt(bits - 1)) << BigInt(k)), 0n);
    return { type: "i32", value };
  }
  if (name !== "lows" && name !== "highs") return undefined;
  const half = 64 / bits;
  const from = name === "lows" ? 0 : half;
  const a = lanes(x, bits).slice(from, from + half);
  return joined(a.flatMap((lane, k) => [lane, lanes(y, bits)[from + k] as bigint]));
}

const low64 = (value: bigint) => BigInt.asUintN(64, value);

/** Moves between vectors and their parts, and what is done bit by bit. */
const onBits: Partial<Record<string, { readonly type: Type; readonly of: (x: bigint, y: bigint) => bigint }>> = {
  and128: { type: "v128", of: (x, y) => x & y },
  andnot128: { type: "v128", of: (x, y) => x & ~y },
  or128: { type: "v128", of: (x, y) => x | y },
  xor128: { type: "v128", of: (x, y) => x ^ y },
  low64: { type: "i64", of: (x) => BigInt.asIntN(64, x) },
  high64: { type: "i64", of: (x) => BigInt.asIntN(64, x >> 64n) },
  low32: { type: "i32", of: (x) => BigInt.asIntN(32, x) },
  with_low64: { type: "v128", of: (x, y) => ((x >> 64n) << 64n) | low64(y) },
  with_high64: { type: "v128", of: (x, y) => low64(x) | (low64(y) << 64n) },
  with_low32: { type: "v128", of: (x, y) => ((x >> 32n) << 32n) | BigInt.asUintN(32, y) },
  only_low64: { type: "v128", of: (x) => low64(x) },
};

function vectorOperation(op: Operation, x: bigint, y: bigint): { type: Type; value: bigint } | undefined {
  const part = onBits[op];
  if (part !== undefined) {
    const value = part.of(x, y);
    return { type: part.type, value: part.type === "v128" ? BigInt.asUintN(128, value) : value };
  }
  const integers = integerLanes(op, x, y);
  if (integers !== undefined) return integers;
  const [, name, size] = /^(add|sub|mul|div|normals|zeros|all)(32|64)x[24]$/.exec(op) ?? [];
  if (name === undefined) return undefined;
  const bits = Number(size);
  const a = lanes(x, bits);
  const b = lanes(y, bits);
  if (name === "all") return truth(a.every((lane) => lane !== 0n));
  const test = tests[name];
  if (test !== undefined) {
    const ones = (1n << BigInt(bits)) - 1n;
    const value = a.reduce((mask, lane, k) => mask | (test(lane, bits) ? ones << BigInt(k * bits) : 0n), 0n);
    return { type: "v128", value };
  }
  const compute = binary[name] as (x: number, y: number) => number;
  const wide = bits === 64;
  const value = a.reduce(
    (sum, lane, k) =>
      sum |
      (BigInt.asUintN(bits, pattern(compute(number(lane, wide), number(b[k] as bigint, wide)), wide)) <<
        BigInt(k * bits)),
    0n,
  );
  return { type: "v128", value };
}
