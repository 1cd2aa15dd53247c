import type { Builder, Value } from "../../../ir/builder.ts";
import { notDone, type QuickWay } from "../../../ir/frontend.ts";
import type { Operation } from "../../../ir/ops.ts";
import { setRelation } from "../flags.ts";
import * as s from "../slots.ts";
import { operations } from "./floating.ts";
import { conversion, Number32 } from "./helpers.ts";

/*
 * The quick ways of the SIMD helpers. Floating point goes by wasm's own operations where MXCSR rounds to nearest and masks everything,
 * where operands and result are normal numbers or zeros, and where PE is set already or the result exact: then there is no flag to raise. SDM vol. 1 sections 10.2.3 and 11.5.
 */

/** All exceptions masked, RC to nearest, neither DAZ nor FTZ. */
function usual(b: Builder): Value {
  return b.eq(b.and(b.get(s.mxcsr), b.i32(0xffc0)), b.i32(0x1f80));
}

/** PE: nothing is news any more about what is inexact. Until then the results have to be exact here. */
function inexactBefore(b: Builder): Value {
  return b.and(b.shrU(b.get(s.mxcsr), b.i32(5)), b.i32(1));
}

/** Bits of a significand, the first one included, up to the last that is 1. */
function length(b: Builder, x: Value, double: boolean): Value {
  const bits = double ? 53 : 24;
  const zeros = double ? b.op("wrap", b.op("ctz", b.or(x, b.i64(1n << 52n)))) : b.op("ctz", b.or(x, b.i32(1 << 23)));
  return b.sub(b.i32(bits), zeros);
}

/** Whether an operation is known to be exact: always so when this says so. */
function exactly(b: Builder, name: string, x: Value, y: Value, double: boolean): Value {
  const zeros = b.or(isZero(b, x, double), isZero(b, y, double));
  if (name === "add") return b.op("exactsum", x, y);
  if (name === "subtract") return b.op("exactsum", x, b.xor(y, double ? b.i64(1n << 63n) : b.i32(0x8000_0000 | 0)));
  if (name === "multiply") {
    const sum = b.add(length(b, x, double), length(b, y, double));
    return b.or(zeros, b.op("le_s", sum, b.i32(double ? 53 : 24)));
  }
  return name === "divide" ? isZero(b, x, double) : b.i32(0);
}

/** A lane of the state. */
function lane(b: Builder, at: Value, double: boolean, offset = 0): Value {
  return b.getAt(at, double ? 8 : 4, offset);
}

function exponentOf(b: Builder, x: Value, double: boolean): Value {
  return double ? b.and(b.op("wrap", b.shrU(x, b.i64(52n))), b.i32(0x7ff)) : b.and(b.shrU(x, b.i32(23)), b.i32(0xff));
}

function isNormal(b: Builder, x: Value, double: boolean): Value {
  return b.ltU(b.sub(exponentOf(b, x, double), b.i32(1)), b.i32(double ? 0x7fe : 0xfe));
}

function isZero(b: Builder, x: Value, double: boolean): Value {
  return b.eqz(b.shl(x, double ? b.i64(1n) : b.i32(1)));
}

const plain = (b: Builder, x: Value, double: boolean) => b.or(isNormal(b, x, double), isZero(b, x, double));

const names: Readonly<Record<string, Operation>> = { add: "fadd", subtract: "fsub", multiply: "fmul", divide: "fdiv" };

interface Computed {
  readonly value: Value;
  readonly good: Value;
}

/** One lane: what comes out, and whether nothing was to be told of it. */
function compute(b: Builder, name: string, x: Value, y: Value, double: boolean): Computed {
  const zero = (v: Value) => isZero(b, v, double);
  const normal = (v: Value) => isNormal(b, v, double);
  const operands = b.and(plain(b, x, double), plain(b, y, double));
  if (name === "minimum" || name === "maximum") {
    const first = name === "minimum" ? b.op("flt", x, y) : b.op("flt", y, x);
    return { value: b.select(first, x, y), good: operands };
  }
  if (name === "root") {
    const positive = b.op("ge_s", y, double ? b.i64(0n) : b.i32(0));
    const known = b.or(inexactBefore(b), isZero(b, y, double));
    return { value: b.op("fsqrt", y), good: b.and(known, b.and(plain(b, y, double), positive)) };
  }
  const value = b.op(names[name] as Operation, x, y);
  // A sum that is zero is exact; a product or a quotient only where an operand is.
  const exact =
    name === "multiply" ? b.or(zero(x), zero(y)) : name === "divide" ? b.and(zero(x), normal(y)) : zero(value);
  const quiet = b.choose(
    inexactBefore(b),
    () => b.i32(1),
    () => exactly(b, name, x, y, double),
  );
  return { value, good: b.and(quiet, b.and(operands, b.or(normal(value), exact))) };
}

function scalar(b: Builder, name: string, to: Value, from: Value, double: boolean): Value {
  const { value, good } = compute(b, name, lane(b, to, double), lane(b, from, double), double);
  return b.choose(
    good,
    () => {
      // The next operation need not ask again.
      b.know(plain(b, value, double));
      b.setAt(to, double ? 8 : 4, value);
      return b.i32(0);
    },
    () => notDone(b),
  );
}

function vector(b: Builder, name: string, to: Value, from: Value, double: boolean): Value {
  const suffix = double ? "64x2" : "32x4";
  const x = b.getAt(to, 16, 0, "v128");
  const y = b.getAt(from, 16, 0, "v128");
  const on = (op: string, p: Value, q?: Value) => b.op(`${op}${suffix}` as Operation, p, q);
  const or = (p: Value, q: Value) => b.op("or128", p, q);
  const plainLanes = (v: Value) => on("all", or(on("normals", v), on("zeros", v)));
  const value = on((names[name] as string).slice(1), x, y);
  // A sum that is zero is exact; a product or a quotient only where an operand is.
  const exact =
    name === "multiply"
      ? or(on("zeros", x), on("zeros", y))
      : name === "divide"
        ? b.op("and128", on("zeros", x), on("normals", y))
        : on("zeros", value);
  const quiet = b.choose(
    inexactBefore(b),
    () => b.i32(1),
    () => exactLanes(b, name, x, y, double),
  );
  return b.choose(
    b.and(quiet, b.and(b.and(plainLanes(x), plainLanes(y)), on("all", or(on("normals", value), exact)))),
    () => {
      b.know(plainLanes(value));
      b.setAt(to, 16, value);
      return b.i32(0);
    },
    () => notDone(b),
  );
}

/** Whether the operation is known to be exact in each lane. */
function exactLanes(b: Builder, name: string, x: Value, y: Value, double: boolean): Value {
  if (double) {
    const half = (op: "low64" | "high64") => exactly(b, name, b.op(op, x), b.op(op, y), true);
    return b.and(half("low64"), half("high64"));
  }
  if (name === "divide") return b.op("all32x4", b.op("zeros32x4", x));
  if (name === "multiply") return b.op("exactproduct32x4", x, y);
  return b.op("exactsum32x4", x, name === "add" ? y : b.op("xor128", y, signsOfSingles(b)));
}

function signsOfSingles(b: Builder): Value {
  const two = b.i64(-0x7fff_ffff_8000_0000n);
  return b.op("with_high64", b.op("only_low64", two), two);
}

const scalarDouble = 3;
const scalarSingle = 2;
const packedDouble = 5;
const packedSingle = 8;

function arithmetic(name: string): QuickWay {
  return (b, args) => {
    const [, to, from, shape] = args as [Value, Value, Value, Value];
    const is = (n: number) => b.eq(shape, b.i32(n));
    const wide = name in names;
    return b.choose(
      usual(b),
      () =>
        b.choose(
          is(scalarDouble),
          () => scalar(b, name, to, from, true),
          () =>
            b.choose(
              is(scalarSingle),
              () => scalar(b, name, to, from, false),
              () =>
                !wide
                  ? notDone(b)
                  : b.choose(
                      is(packedSingle),
                      () => vector(b, name, to, from, false),
                      () =>
                        b.choose(
                          is(packedDouble),
                          () => vector(b, name, to, from, true),
                          () => notDone(b),
                        ),
                    ),
            ),
        ),
      () => notDone(b),
    );
  };
}

/** COMISD and its like: ordered, and no denormal, so that nothing is raised whatever MXCSR says. */
const compareFlags =
  (double: boolean): QuickWay =>
  (b, args) => {
    const [, first, second] = args as [Value, Value, Value];
    const x = lane(b, first, double);
    const y = lane(b, second, double);
    return b.choose(
      b.and(plain(b, x, double), plain(b, y, double)),
      () => {
        setRelation(b, b.op("flt", x, y), b.op("feq", x, y));
        return b.i32(0);
      },
      () => notDone(b),
    );
  };

const { single, double, integer } = Number32;

/** From an integer that is exact in the other format. */
const fromInteger =
  (toDouble: boolean): QuickWay =>
  (b, args) => {
    const [, to, from] = args as [Value, Value, Value];
    const value = b.getAt(from, 4);
    const number = b.op("ffrom_s", b.op("extend_s", value));
    const store = () => {
      if (toDouble) b.setAt(to, 8, number);
      else b.setAt(to, 4, b.op("fdemote", number));
      return b.i32(0);
    };
    if (toDouble) return store();
    return b.choose(b.ltU(b.add(value, b.i32(1 << 24)), b.i32(1 << 25)), store, () => notDone(b));
  };

/** Towards zero, to 32 bits that it fits. */
const toInteger =
  (fromDouble: boolean): QuickWay =>
  (b, args) => {
    const [, to, from] = args as [Value, Value, Value];
    const x = lane(b, from, fromDouble);
    const bias = fromDouble ? 0x3ff : 0x7f;
    const fits = b.ltU(exponentOf(b, x, fromDouble), b.i32(bias + 31));
    return b.choose(
      b.and(b.and(usual(b), inexactBefore(b)), b.and(fits, plain(b, x, fromDouble))),
      () => {
        b.setAt(to, 4, b.op("wrap", b.op("fto_s", fromDouble ? x : b.op("fpromote", x))));
        return b.i32(0);
      },
      () => notDone(b),
    );
  };

const widen: QuickWay = (b, args) => {
  const [, to, from] = args as [Value, Value, Value];
  const x = lane(b, from, false);
  return b.choose(
    plain(b, x, false),
    () => {
      b.setAt(to, 8, b.op("fpromote", x));
      return b.i32(0);
    },
    () => notDone(b),
  );
};

const narrow: QuickWay = (b, args) => {
  const [, to, from] = args as [Value, Value, Value];
  const x = lane(b, from, true);
  const value = b.op("fdemote", x);
  return b.choose(
    b.and(
      b.and(usual(b), inexactBefore(b)),
      b.or(b.and(isNormal(b, x, true), isNormal(b, value, false)), isZero(b, x, true)),
    ),
    () => {
      b.setAt(to, 4, value);
      return b.i32(0);
    },
    () => notDone(b),
  );
};

export const quickSimd: Readonly<Record<string, QuickWay>> = {
  ...Object.fromEntries(
    [...Object.keys(names), "minimum", "maximum", "root"].map((name) => [
      `simdArithmetic/${(operations as readonly string[]).indexOf(name)}`,
      arithmetic(name),
    ]),
  ),
  "simdCompareFlags/0": compareFlags(false),
  "simdCompareFlags/1": compareFlags(true),
  "simdCompareFlags/2": compareFlags(false),
  "simdCompareFlags/3": compareFlags(true),
  [`simdConvert/${conversion(integer, double, 1)}`]: fromInteger(true),
  [`simdConvert/${conversion(integer, single, 1)}`]: fromInteger(false),
  [`simdConvert/${conversion(double, integer, 1, true)}`]: toInteger(true),
  [`simdConvert/${conversion(single, integer, 1, true)}`]: toInteger(false),
  [`simdConvert/${conversion(single, double, 1)}`]: widen,
  [`simdConvert/${conversion(double, single, 1)}`]: narrow,
};
