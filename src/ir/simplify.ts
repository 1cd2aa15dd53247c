import { bitOf, isTruth, mayBeOne } from "./bits.ts";
import type { Builder, Value } from "./builder.ts";
import { byCode } from "./codes.ts";
import { integerOperation } from "./evaluate.ts";
import type { Operation } from "./ops.ts";

/**
 * What an operation, with its number, can be replaced by, or undefined when it stands as it is. Constants are computed; the rules below are one
 * line of algebra each. A rule never makes more nodes than it takes away.
 */
export function fold(
  b: Builder,
  op: Operation,
  code: number,
  x: Value,
  y: Value | undefined,
  z: Value | undefined,
): Value | undefined {
  if (op === "select") {
    if (x.op === "const") return x.imm !== 0 ? y : z;
    if (y === z) return y;
    return undefined;
  }
  if (x.op === "const" && (y === undefined || y.op === "const") && (z === undefined || z.op === "const"))
    return compute(b, op, code, x, y, z);
  const rule = rules[code];
  return rule === undefined ? undefined : rule(b, x, y as Value, z as Value);
}

type Words = (x: number, y: number) => number;

/** What addresses and register numbers are folded with: the same as the general way below, without its big numbers. */
const words = byCode<Words>([
  ["add", (x, y) => x + y],
  ["sub", (x, y) => x - y],
  ["mul", Math.imul],
  ["and", (x, y) => x & y],
  ["or", (x, y) => x | y],
  ["xor", (x, y) => x ^ y],
  ["shl", (x, y) => x << y],
  ["shr_s", (x, y) => x >> y],
  ["shr_u", (x, y) => x >>> y],
  ["eq", (x, y) => (x === y ? 1 : 0)],
  ["ne", (x, y) => (x !== y ? 1 : 0)],
  ["eqz", (x) => (x === 0 ? 1 : 0)],
]);

/** The result for constants; a division that the front end has to test for first is left alone. */
function compute(
  b: Builder,
  op: Operation,
  code: number,
  x: Value,
  y: Value | undefined,
  z: Value | undefined,
): Value | undefined {
  const quick = words[code];
  if (quick !== undefined && x.type === "i32") return b.i32(quick(x.imm, (y ?? x).imm));
  const values: bigint[] = [];
  for (const arg of [x, y, z]) if (arg !== undefined) values.push(arg.type === "i64" ? arg.long : BigInt(arg.imm));
  const result = integerOperation(op, x.type === "i64" ? "i64" : "i32", values);
  if (result === undefined || result.type === "v128") return undefined;
  return result.type === "i64" ? b.i64(result.value) : b.i32(Number(result.value));
}

type Rule = (b: Builder, x: Value, y: Value, z: Value) => Value | undefined;

function is(value: Value | undefined, n: number): boolean {
  return value?.op === "const" && (value.type === "i64" ? value.long === BigInt(n) : value.imm === n);
}

function zero(b: Builder, like: Value): Value {
  return like.type === "i64" ? b.i64(0n) : b.i32(0);
}

/** (x + c) + d is x + (c + d), which is how a displacement meets a constant base. */
function reassociate(b: Builder, x: Value, y: Value): Value | undefined {
  const [inner, constant] = [x.args[0], x.args[1]];
  if (x.op !== "add" || x.type !== "i32" || inner === undefined || constant?.op !== "const" || y.op !== "const")
    return undefined;
  return b.add(inner, b.i32((constant.imm + y.imm) | 0));
}

const shift: Rule = (_b, x, y) => (is(y, 0) ? x : undefined);

// --- conditions: what flags kept as carries and results (cpu/x86/flags.ts) say is a comparison of what was subtracted

/** The operands of a subtraction, known to be as wide as its flags are. */
interface Subtraction {
  readonly a: Value;
  readonly b: Value;
}

/** Whether a value is a signed number of `bits`. */
function fits(value: Value, bits: number): boolean {
  if (value.op === "const") return (value.imm << (32 - bits)) >> (32 - bits) === value.imm;
  return value.op === "sext8" || (value.op === "sext16" && bits === 16);
}

/** Of the borrows of a - b, when a and b have as many bits as count. */
function subtracted(word: Value): Subtraction | undefined {
  const bits = word.op === "borrows" ? 32 : word.op === "borrows16" ? 16 : word.op === "borrows8" ? 8 : 0;
  if (bits === 0) return undefined;
  const [a, b, difference] = word.args as [Value, Value, Value];
  if (difference.op !== "sub" || difference.args[0] !== a || difference.args[1] !== b) return undefined;
  return bits === 32 || (fits(a, bits) && fits(b, bits)) ? { a, b } : undefined;
}

/** Of a difference, or of one cut to the operands' width. */
function difference(value: Value): Subtraction | undefined {
  if (value.type !== "i32") return undefined;
  if (value.op === "sub") return { a: value.args[0] as Value, b: value.args[1] as Value };
  const bits = value.op === "sext8" ? 8 : value.op === "sext16" ? 16 : 0;
  const [inner] = value.args;
  if (bits === 0 || inner?.op !== "sub") return undefined;
  const found = { a: inner.args[0] as Value, b: inner.args[1] as Value };
  return fits(found.a, bits) && fits(found.b, bits) ? found : undefined;
}

/** Bit 31 of a word: the carry is a <u b, and sign ^ overflow is a <s b. */
function topBit(b: Builder, word: Value): Value | undefined {
  const borrowed = subtracted(word);
  if (borrowed !== undefined) return b.ltU(borrowed.a, borrowed.b);
  const [sign, overflow] = word.args;
  if (word.op !== "xor" || sign === undefined || overflow?.op !== "xor") return undefined;
  const [carry, moved] = overflow.args as [Value, Value];
  if (moved.op !== "shl" || moved.args[0] !== carry || !is(moved.args[1], 1)) return undefined;
  const one = difference(sign);
  const other = subtracted(carry);
  return one !== undefined && one.a === other?.a && one.b === other.b ? b.ltS(one.a, one.b) : undefined;
}

/** a < b or a = b; bit 31 of r or r = 0. */
function orEqual(b: Builder, x: Value, y: Value): Value | undefined {
  const [p, q] = x.args;
  if (y.op === "eqz" && x.op === "shr_u" && is(q, 31) && p !== undefined && p === y.args[0])
    return b.op("le_s", p, b.i32(0));
  if (y.op !== "eq" || p !== y.args[0] || q !== y.args[1]) return undefined;
  return x.op === "lt_u"
    ? b.op("le_u", p as Value, q as Value)
    : x.op === "lt_s"
      ? b.op("le_s", p as Value, q as Value)
      : undefined;
}

const opposites: Partial<Record<string, Operation>> = {
  eq: "ne",
  ne: "eq",
  lt_s: "ge_s",
  ge_s: "lt_s",
  lt_u: "ge_u",
  ge_u: "lt_u",
  le_s: "gt_s",
  gt_s: "le_s",
  le_u: "gt_u",
  gt_u: "le_u",
};

/** The opposite of a comparison is one; a - b = 0 is a = b. */
function isZero(b: Builder, x: Value): Value | undefined {
  const opposite = opposites[x.op];
  if (opposite !== undefined) return b.op(opposite, x.args[0] as Value, x.args[1] as Value);
  if (x.op === "eqz") return b.ne(x.args[0] as Value, zero(b, x.args[0] as Value));
  const found = difference(x);
  return found && b.eq(found.a, found.b);
}

/** The bit of x | c, and of x & c: it is known, or that of x. */
function bitBelow(b: Builder, value: Value, place: Value): Value | undefined {
  const [x, c] = value.args;
  if ((value.op !== "or" && value.op !== "and") || x === undefined || c?.op !== "const") return undefined;
  const on = (c.imm >>> (place.imm & 31)) & 1;
  if (on === (value.op === "or" ? 1 : 0)) return b.i32(on);
  return b.and(b.shrU(x, place), b.i32(1));
}

/** x & m, m known: what of it is known, or follows from how x was made. */
function masked(b: Builder, x: Value, m: Value): Value | undefined {
  if (m.op !== "const" || m.type !== "i32") return undefined;
  const [inner, by] = x.args;
  const known = inner !== undefined && by?.op === "const";
  if (known && x.op === "shr_u" && m.imm === 1) {
    const bit = bitOf(b, inner, by.imm & 31) ?? bitBelow(b, inner, by);
    if (bit !== undefined) return bit;
  }
  const may = mayBeOne(x);
  if ((may & m.imm) === 0) return b.i32(0);
  if ((may & ~m.imm) === 0) return x;
  if (x.op === "or" && inner !== undefined && by !== undefined) {
    // What the mask takes away need not be put in.
    if ((mayBeOne(by) & m.imm) === 0) return b.and(inner, m);
    if ((mayBeOne(inner) & m.imm) === 0) return b.and(by, m);
  }
  if (!known) return undefined;
  if (x.op === "and") return b.and(inner, b.i32(by.imm & m.imm));
  // Bits that are rotated out at one end, and masked where they come in at the other, are shifted out.
  const shift = by.imm & 31;
  if (x.op === "rotl" && m.imm === -1 << shift) return b.shl(inner, b.i32(shift));
  if (x.op === "rotl" && m.imm === -1 >>> (32 - shift)) return b.shrU(inner, b.i32(32 - shift));
  return undefined;
}

// --- vectors and their parts: of several that were put in one after the other the last one counts

/** What lies under parts that are covered by another one. */
function under(x: Value, covered: readonly string[]): Value {
  return covered.includes(x.op) ? under(x.args[0] as Value, covered) : x;
}

const inLow: readonly string[] = ["with_low64", "with_low32"];
const inHigh: readonly string[] = ["with_high64"];

const low64: Rule = (b, x) => {
  const found = under(x, inHigh);
  if (found.op === "with_low64") return found.args[1];
  if (found.op === "only_low64") return found.args[0];
  return found === x ? undefined : b.op("low64", found);
};

const high64: Rule = (b, x) => {
  const found = under(x, inLow);
  if (found.op === "with_high64") return found.args[1];
  if (found.op === "only_low64") return b.i64(0n);
  return found === x ? undefined : b.op("high64", found);
};

const low32: Rule = (b, x) => {
  const found = under(x, inHigh);
  if (found.op === "with_low32") return found.args[1];
  if (found.op === "with_low64") return b.op("wrap", found.args[1] as Value);
  if (found.op === "only_low64") return b.op("wrap", found.args[0] as Value);
  return found === x ? undefined : b.op("low32", found);
};

const withLow64: Rule = (b, x, y) => {
  const found = under(x, inLow);
  if (found.op === "only_low64") return b.op("only_low64", y);
  return found === x ? undefined : b.op("with_low64", found, y);
};

const withHigh64: Rule = (b, x, y) => {
  const found = under(x, inHigh);
  if (is(y, 0)) return b.op("only_low64", b.op("low64", found));
  return found === x ? undefined : b.op("with_high64", found, y);
};

const algebra: Partial<Record<Operation, Rule>> = {
  low64,
  high64,
  low32,
  with_low64: withLow64,
  with_high64: withHigh64,
  lows64x2: (b, x, y) => b.op("with_high64", x, b.op("low64", y)),
  // x ^ x = 0, which is how a register is made 0
  xor128: (b, x, y) => (x === y ? b.op("only_low64", b.i64(0n)) : undefined),
  // x + 0 = x, 0 + y = y
  add: (b, x, y) => (is(y, 0) ? x : is(x, 0) ? y : reassociate(b, x, y)),
  // x - 0 = x, x - x = 0
  sub: (b, x, y) => (is(y, 0) ? x : x === y ? zero(b, x) : undefined),
  // x * 0 = 0, x * 1 = x
  mul: (b, x, y) => (is(y, 0) || is(x, 0) ? zero(b, x) : is(y, 1) ? x : is(x, 1) ? y : undefined),
  // x & 0 = 0, x & -1 = x, x & x = x
  and: (b, x, y) => (is(y, 0) || is(x, 0) ? zero(b, x) : is(y, -1) || x === y ? x : is(x, -1) ? y : masked(b, x, y)),
  // x | 0 = x, x | x = x
  or: (b, x, y) => (is(y, 0) || x === y ? x : is(x, 0) ? y : orEqual(b, x, y)),
  // x ^ 0 = x, x ^ x = 0, a comparison ^ 1 = its opposite
  xor: (b, x, y) =>
    is(y, 0) ? x : is(x, 0) ? y : x === y ? zero(b, x) : is(y, 1) && isTruth(x) ? isZero(b, x) : undefined,
  shl: shift,
  shr_s: shift,
  shr_u: (b, x, y) => (is(y, 0) ? x : is(y, 31) ? topBit(b, x) : undefined),
  rotl: shift,
  rotr: shift,
  eqz: isZero,
  // the bytes in the other order, and back; the lowest byte alone is moved up
  bswap: (b, x) =>
    x.op === "bswap" ? x.args[0] : x.type === "i32" && (mayBeOne(x) & ~0xff) === 0 ? b.shl(x, b.i32(24)) : undefined,
  // nothing is borrowed by x - 0 and x - x
  borrows: (b, x, y, z) => ((is(y, 0) && x === z) || (x === y && is(z, 0)) ? b.i32(0) : undefined),
  // the high part of what was just extended, and the low part of it
  wrap: (_b, x) => (x.op === "extend_s" || x.op === "extend_u" ? x.args[0] : undefined),
};

const rules = byCode(Object.entries(algebra));
