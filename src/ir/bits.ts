import type { Builder, Value } from "./builder.ts";
import type { Operation } from "./ops.ts";

/** How deep a value is looked into: what front ends build of conditions and masks is shallow. */
const deepest = 6;

const truths: ReadonlySet<string> = new Set<Operation>([
  "eqz",
  "eq",
  "ne",
  "lt_s",
  "lt_u",
  "gt_s",
  "gt_u",
  "le_s",
  "le_u",
  "ge_s",
  "ge_u",
  "flt",
  "fle",
  "feq",
  "exactsum",
  "exactsum32x4",
  "exactproduct32x4",
  "all32x4",
  "all64x2",
]);

/** Whether an i32 is the outcome of a comparison: 0 or 1. */
export function isTruth(value: Value): boolean {
  return truths.has(value.op);
}

/** Which bits of an i32 may be 1; -1 where nothing is known. */
export function mayBeOne(value: Value, depth = 0): number {
  if (value.type !== "i32" || depth > deepest) return -1;
  if (isTruth(value)) return 1;
  const [x, y, z] = value.args as [Value, Value, Value];
  const below = (arg: Value) => mayBeOne(arg, depth + 1);
  switch (value.op) {
    case "const":
      return value.imm;
    case "load":
    case "load_rw":
    case "get":
      return value.width === 1 ? 0xff : value.width === 2 ? 0xffff : -1;
    case "and":
      return below(x) & below(y);
    case "or":
    case "xor":
      return below(x) | below(y);
    case "select":
      return below(y) | below(z);
    case "if":
      return value.yes?.result && value.no?.result ? below(value.yes.result) | below(value.no.result) : -1;
    case "signs8x16":
      return 0xffff;
    case "signs32x4":
      return 0xf;
    case "signs64x2":
      return 3;
    case "shl":
      return y.op === "const" ? below(x) << y.imm : -1;
    case "shr_u":
      return y.op === "const" ? below(x) >>> y.imm : -1;
    default:
      return -1;
  }
}

/** What a comparison says, with `eqz(a)` as a = 0. */
function comparison(value: Value): { readonly op: string; readonly a: Value; readonly b: Value | undefined } {
  const [a, b] = value.args as [Value, Value | undefined];
  if (value.op === "eqz") return { op: "eq", a, b: undefined };
  return { op: value.op, a, b: b?.op === "const" && b.type === "i32" && b.imm === 0 ? undefined : b };
}

/** Of "not c, and d": what is left of it when both compare the same two values; undefined where it is no comparison. */
function without(b: Builder, c: Value, d: Value): Value | undefined {
  const [first, second] = [comparison(c), comparison(d)];
  if (first.a !== second.a || first.b !== second.b) return undefined;
  // Less, equal and greater exclude each other, and one of them holds.
  if (first.op !== "lt_s" && first.op !== "lt_u") return undefined;
  if (second.op === "eq") return d;
  return second.op === "ne"
    ? b.op(first.op === "lt_s" ? "gt_s" : "gt_u", c.args[0] as Value, c.args[1] as Value)
    : undefined;
}

/**
 * Bit `k` of an i32 as a value that is 0 or 1, where that takes no more than a comparison: what a condition that was put together by `select` and `or`
 * of constants tells of its parts. Undefined where it takes more.
 */
export function bitOf(b: Builder, value: Value, k: number, depth = 0): Value | undefined {
  if (value.type !== "i32" || depth > deepest) return undefined;
  if (((mayBeOne(value) >>> k) & 1) === 0) return b.i32(0);
  if (k === 0 && isTruth(value)) return value;
  const [x, y, z] = value.args as [Value, Value, Value];
  const of = (arg: Value) => bitOf(b, arg, k, depth + 1);
  switch (value.op) {
    case "const":
      return b.i32((value.imm >>> k) & 1);
    case "or": {
      const p = of(x);
      const q = p === undefined ? undefined : of(y);
      if (p === undefined || q === undefined) return undefined;
      return p.op === "const" || q.op === "const" ? b.or(p, q) : undefined;
    }
    case "select": {
      if (!isTruth(x)) return undefined;
      const [p, q] = [of(y), of(z)];
      if (p?.op !== "const" || q === undefined) return undefined;
      if (q.op === "const") return p.imm === q.imm ? p : p.imm === 1 ? x : b.eqz(x);
      return p.imm === 0 && isTruth(q) ? without(b, x, q) : undefined;
    }
    default:
      return undefined;
  }
}
