import type { Builder, Value } from "./builder.ts";
import { integerOperation } from "./evaluate.ts";
import type { Operation } from "./ops.ts";

/**
 * What an operation can be replaced by, or undefined when it stands as it is. Constants are computed; the rules below are one
 * line of algebra each. A rule never makes more nodes than it takes away.
 */
export function fold(b: Builder, op: Operation, args: readonly Value[]): Value | undefined {
  const [x, y, z] = args as [Value, Value | undefined, Value | undefined];
  if (op === "select") {
    if (x.op === "const") return x.imm !== 0 ? y : z;
    if (y === z) return y;
    return undefined;
  }
  if (args.every((a) => a.op === "const")) return compute(b, op, args);
  const rule = rules[op];
  return rule === undefined ? undefined : rule(b, x, y as Value, z as Value);
}

/** The result for constants; a division that the front end has to test for first is left alone. */
function compute(b: Builder, op: Operation, args: readonly Value[]): Value | undefined {
  const type = (args[0] as Value).type;
  const values = args.map((a) => (a.type === "i64" ? a.long : BigInt(a.imm)));
  const result = integerOperation(op, type === "i64" ? "i64" : "i32", values);
  if (result === undefined) return undefined;
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

const rules: Partial<Record<Operation, Rule>> = {
  // x + 0 = x, 0 + y = y
  add: (b, x, y) => (is(y, 0) ? x : is(x, 0) ? y : reassociate(b, x, y)),
  // x - 0 = x, x - x = 0
  sub: (b, x, y) => (is(y, 0) ? x : x === y ? zero(b, x) : undefined),
  // x * 0 = 0, x * 1 = x
  mul: (b, x, y) => (is(y, 0) || is(x, 0) ? zero(b, x) : is(y, 1) ? x : is(x, 1) ? y : undefined),
  // x & 0 = 0, x & -1 = x, x & x = x
  and: (b, x, y) => (is(y, 0) || is(x, 0) ? zero(b, x) : is(y, -1) || x === y ? x : is(x, -1) ? y : undefined),
  // x | 0 = x, x | x = x
  or: (_b, x, y) => (is(y, 0) || x === y ? x : is(x, 0) ? y : undefined),
  // x ^ 0 = x, x ^ x = 0
  xor: (b, x, y) => (is(y, 0) ? x : is(x, 0) ? y : x === y ? zero(b, x) : undefined),
  shl: shift,
  shr_s: shift,
  shr_u: shift,
  rotl: shift,
  rotr: shift,
  // the high part of what was just extended, and the low part of it
  wrap: (_b, x) => (x.op === "extend_s" || x.op === "extend_u" ? x.args[0] : undefined),
};
