import type { Builder, Value } from "../../ir/builder.ts";
import { type Contained, notDone, type QuickWay } from "../../ir/frontend.ts";
import type { Slot } from "../../ir/slots.ts";
import { Fpscr } from "./constants.ts";
import * as s from "./slots.ts";

/*
 * The quick ways of arithmetic and comparison, when FPSCR says nothing that they could change: nothing enabled, to nearest, and XX set or the result exact. What they leave pending
 * is told in slots.ts, and where they are right above `arithmetic` in floating.ts.
 */

const signBit = -0x8000_0000_0000_0000n;
const both = (b: Builder, ...conditions: Value[]) => conditions.reduce((x, y) => b.and(x, y));
const word = (b: Builder, x: Value) => b.op("wrap", x);

/** VE to XE and NI clear, RN to nearest; and the instruction does not record. */
function usual(b: Builder, instruction: Value): Value {
  return b.eqz(b.or(b.and(b.get(s.fpscr), b.i32(0xff)), b.and(instruction, b.i32(1))));
}

/** XX is set: that a result is inexact says nothing new. */
const wasInexact = (b: Builder) => b.and(b.get(s.fpscr), b.i32(0x0200_0000));

const exponentOf = (b: Builder, x: Value) => b.and(word(b, b.shrU(x, b.i64(52n))), b.i32(0x7ff));
const isZero = (b: Builder, x: Value) => b.eqz(b.shl(x, b.i64(1n)));
/** Whether a number has no more bits than a single has, or is a NaN that could be one. */
export const isSingle = (b: Builder, x: Value) => b.eqz(b.and(x, b.i64(0x1fff_ffffn)));
const isNumber = (b: Builder, x: Value) => b.ne(exponentOf(b, x), b.i32(0x7ff));
/** Whether the magnitude lies above one bit pattern and is finite. */
function isAbove(b: Builder, x: Value, least: bigint): Value {
  const beyond = (0x7ffn << 53n) - 2n * least - 1n;
  return b.ltU(b.sub(b.shl(x, b.i64(1n)), b.i64(2n * least + 1n)), b.i64(beyond));
}
/** Finite, and larger than the least normal number, to which a tiny one may have been rounded. */
const isLarge = (b: Builder, x: Value) => isAbove(b, x, 1n << 52n);

/** FRT takes the result; what FPSCR has to say of it waits until somebody asks. */
function put(b: Builder, instruction: Value, a: Value, c: Value, d: Value, result: Value): void {
  b.set(s.fpOperandA, a);
  b.set(s.fpOperandB, c);
  b.set(s.fpOperandC, d);
  b.set(s.fpPending, instruction);
  b.set(s.fpCompared, b.i32(0));
  const target = b.shl(b.and(b.shrU(instruction, b.i32(21)), b.i32(31)), b.i32(3));
  b.setAt(target, 8, result, (s.fpr[0] as Slot).offset);
}

interface Result {
  readonly value: Value;
  readonly good: Value;
  /** Whether a good result is exact; asked only while XX is not set, since most are not. No where that is not known. */
  readonly exact: () => Value;
  /** Whether it is a single. */
  readonly single?: boolean;
}

type Compute = (b: Builder, a: Value, c: Value, d: Value) => Result;

function quick(compute: Compute): QuickWay {
  return (b, args) => {
    const [instruction, placeA, placeB, placeC] = args as [Value, Value, Value, Value];
    const [x, y, z] = [b.getAt(placeA, 8), b.getAt(placeB, 8), b.getAt(placeC, 8)];
    return b.choose(
      usual(b, instruction),
      () => {
        const { value, good, exact, single = false } = compute(b, x, y, z);
        return b.choose(
          b.and(
            good,
            b.choose(wasInexact(b), () => b.i32(1), exact),
          ),
          () => {
            put(b, instruction, x, y, z, value);
            if (single) b.know(isSingle(b, value));
            return b.i32(0);
          },
          () => notDone(b),
        );
      },
      () => notDone(b),
    );
  };
}

/** Rounds a result of singles once more, to a single; it is not to be tiny. */
function toSingle(b: Builder, value: Value): Value {
  return b.op("fpromote", b.op("fdemote", value));
}

const isLargeSingle = (b: Builder, x: Value) => isAbove(b, x, 0x381n << 52n);

/** For operands which are no denormalized numbers and not so large that the test itself overflows. */
function isExactSum(b: Builder, op: "fadd" | "fsub", x: Value, y: Value): Value {
  const other = op === "fadd" ? y : b.xor(y, b.i64(signBit));
  return both(b, isModerate(b, x, 1000, true), isModerate(b, y, 1000, true), b.op("exactsum", x, other));
}

const sum =
  (op: "fadd" | "fsub"): Compute =>
  (b, x, y) => {
    const value = b.op(op, x, y);
    return { value, good: isNumber(b, value), exact: () => isExactSum(b, op, x, y) };
  };

const sumSingle =
  (op: "fadd" | "fsub"): Compute =>
  (b, x, y) => {
    const exact = b.op(op, x, y);
    const value = toSingle(b, exact);
    // A zero is what equal operands leave, and exact.
    return {
      value,
      good: both(b, isSingle(b, x), isSingle(b, y), b.or(isLargeSingle(b, value), isZero(b, exact))),
      exact: () => b.and(isSingle(b, exact), isExactSum(b, op, x, y)),
      single: true,
    };
  };

/** Whether x * y is `value`, which is not so where nothing can be lost that could be told: far from 1. */
function isExactProduct(b: Builder, x: Value, y: Value, value: Value): Value {
  const known = b.and(isModerate(b, x, 400, true), isModerate(b, y, 400, true));
  const product = twoProduct(b, x, y);
  return both(b, known, b.op("feq", product.value, value), isZero(b, product.lost));
}

const product: Compute = (b, x, _y, z) => {
  const value = b.op("fmul", x, z);
  const zero = b.and(isNumber(b, value), b.or(isZero(b, x), isZero(b, z)));
  return { value, good: b.or(isLarge(b, value), zero), exact: () => isExactProduct(b, x, z, value) };
};

const productSingle: Compute = (b, x, _y, z) => {
  const exact = b.op("fmul", x, z);
  const value = toSingle(b, exact);
  const zero = b.and(isNumber(b, exact), b.or(isZero(b, x), isZero(b, z)));
  const good = both(b, isSingle(b, x), isSingle(b, z), b.or(isLargeSingle(b, value), zero));
  return { value, good, exact: () => isSingle(b, exact), single: true };
};

const quotient: Compute = (b, x, y) => {
  const value = b.op("fdiv", x, y);
  return { value, good: isLarge(b, value), exact: () => isExactProduct(b, value, y, x) };
};

const quotientSingle: Compute = (b, x, y) => {
  const value = toSingle(b, b.op("fdiv", x, y));
  return {
    value,
    good: both(b, isSingle(b, x), isSingle(b, y), isLargeSingle(b, value)),
    // The product of singles is exact.
    exact: () => b.op("feq", b.op("fmul", value, y), x),
    single: true,
  };
};

const roundToSingle: Compute = (b, _x, y) => {
  const value = toSingle(b, y);
  return { value, good: b.or(isLargeSingle(b, value), isZero(b, y)), exact: () => isSingle(b, y), single: true };
};

/** fctiwz: of numbers that fit into a word. */
const toInteger: Compute = (b, _x, y) => {
  const value = b.op("fto_s", y);
  const fits = b.eq(value, b.op("extend_s", word(b, value)));
  return { value, good: b.and(isNumber(b, y), fits), exact: () => b.op("feq", b.op("ffrom_s", value), y) };
};

// --- fused multiply-add

interface Pair {
  readonly value: Value;
  /** What rounding took from it, itself a number. */
  readonly lost: Value;
}

/** x + y, and what its rounding took (Knuth, The Art of Computer Programming, vol. 2, 4.2.2, theorem B). */
function twoSum(b: Builder, x: Value, y: Value): Pair {
  const value = b.op("fadd", x, y);
  const back = b.op("fsub", value, x);
  return { value, lost: b.op("fadd", b.op("fsub", x, b.op("fsub", value, back)), b.op("fsub", y, back)) };
}

/** x * y and what its rounding took, by halves of 26 bits (Dekker, "A floating-point technique for extending the available precision", 1971). */
function twoProduct(b: Builder, x: Value, y: Value): Pair {
  const value = b.op("fmul", x, y);
  const halves = (v: Value) => {
    const scaled = b.op("fmul", v, b.i64(0x41a0_0000_0200_0000n));
    const high = b.op("fsub", scaled, b.op("fsub", scaled, v));
    return [high, b.op("fsub", v, high)] as const;
  };
  const [xh, xl] = halves(x);
  const [yh, yl] = halves(y);
  const first = b.op("fsub", b.op("fmul", xh, yh), value);
  const cross = b.op("fadd", b.op("fadd", first, b.op("fmul", xh, yl)), b.op("fmul", xl, yh));
  return { value, lost: b.op("fadd", cross, b.op("fmul", xl, yl)) };
}

/** A sum rounded to odd: its last bit is 1 when anything was lost. Rounding it again, to fewer bits, is then right (Boldo and Melquiond, 2008). */
function toOdd(b: Builder, { value, lost }: Pair): Value {
  const even = b.eqz(b.and(word(b, value), b.i32(1)));
  const away = b.eqz(b.ltS(b.xor(value, lost), b.i64(0n)));
  const moved = b.add(value, b.select(away, b.i64(1n), b.i64(-1n)));
  return b.select(b.and(even, b.eqz(isZero(b, lost))), moved, value);
}

/** Far from both ends of the range, so that nothing which is lost is lost again; zero may be allowed. */
function isModerate(b: Builder, x: Value, reach: number, zero = false): Value {
  const moderate = b.ltU(b.sub(exponentOf(b, x), b.i32(0x3ff - reach)), b.i32(2 * reach));
  return zero ? b.or(moderate, isZero(b, x)) : moderate;
}

/** `subtract`: FRB is taken away; `negate`: the result changes its sign. */
function fused(subtract: boolean, negate: boolean, single: boolean): Compute {
  return (b, x, y, z) => {
    const addend = subtract ? b.xor(y, b.i64(signBit)) : y;
    const factors = b.and(isModerate(b, x, 400), isModerate(b, z, 400));
    let value: Value;
    let good: Value;
    let exact: () => Value;
    if (single) {
      // The product of singles is exact.
      const total = twoSum(b, b.op("fmul", x, z), addend);
      value = toSingle(b, toOdd(b, total));
      exact = () => b.and(isZero(b, total.lost), isSingle(b, total.value));
      good = both(b, isSingle(b, x), isSingle(b, y), isSingle(b, z), factors, isLargeSingle(b, value));
    } else {
      const { value: high, lost: low } = twoProduct(b, x, z);
      const total = twoSum(b, high, addend);
      const rest = twoSum(b, total.lost, low);
      value = b.op("fadd", total.value, toOdd(b, rest));
      exact = () => isZero(b, rest.value);
      good = both(b, factors, isModerate(b, value, 900));
    }
    const ready = both(b, good, isModerate(b, addend, 850, true));
    return { value: negate ? b.xor(value, b.i64(signBit)) : value, good: ready, exact, single };
  };
}

/** fcmpu and fcmpo of what are no NaNs: FPCC waits, too. */
const compare: QuickWay = (b, args) => {
  const [left, right, field] = args as [Value, Value, Value];
  const [x, y] = [b.getAt(left, 8), b.getAt(right, 8)];
  const less = b.op("flt", x, y);
  const greater = b.op("flt", y, x);
  const equal = b.op("feq", x, y);
  return b.choose(
    b.or(b.or(less, greater), equal),
    () => {
      const condition = b.or(b.or(b.shl(less, b.i32(3)), b.shl(greater, b.i32(2))), b.shl(equal, b.i32(1)));
      b.setAt(field, 4, condition);
      b.set(s.fpCompared, b.or(condition, b.i32(16)));
      return b.i32(0);
    },
    () => notDone(b),
  );
};

/** mtfsf of all fields, when nothing is enabled by them; not where it records. VX sums up its reasons. */
const moveAll: QuickWay = (b, args) => {
  const [instruction, record] = args as [Value, Value];
  const place = b.shl(b.and(b.shrU(instruction, b.i32(11)), b.i32(31)), b.i32(3));
  const value = b.getAt(place, 4, (s.fpr[0] as Slot).offset);
  const all = b.eq(b.and(instruction, b.i32(0xff << 17)), b.i32(0xff << 17));
  const idle = b.eqz(b.and(value, b.i32(Fpscr.enables)));
  return b.choose(
    both(b, all, idle, b.eqz(record)),
    () => {
      const kept = b.and(value, b.i32(~(Fpscr.vx | Fpscr.fex | Fpscr.reserved)));
      b.set(s.fpscr, b.or(kept, b.select(b.and(value, b.i32(Fpscr.invalid)), b.i32(Fpscr.vx), b.i32(0))));
      b.set(s.fpPending, b.i32(0));
      b.set(s.fpCompared, b.i32(0));
      return b.i32(0);
    },
    () => notDone(b),
  );
};

/** What each instruction computes, by mnemonic. */
const computations = {
  fadd: sum("fadd"),
  fsub: sum("fsub"),
  fmul: product,
  fdiv: quotient,
  fmadd: fused(false, false, false),
  fmsub: fused(true, false, false),
  fnmadd: fused(false, true, false),
  fnmsub: fused(true, true, false),
  fadds: sumSingle("fadd"),
  fsubs: sumSingle("fsub"),
  fmuls: productSingle,
  fdivs: quotientSingle,
  fmadds: fused(false, false, true),
  fmsubs: fused(true, false, true),
  fnmadds: fused(false, true, true),
  fnmsubs: fused(true, true, true),
  frsp: roundToSingle,
  fctiwz: toInteger,
} as const satisfies Record<string, Compute>;

/** Instructions whose helper has a quick way; the helper is named after the instruction. */
export type QuickName = keyof typeof computations;
export const quickNames = Object.keys(computations) as QuickName[];

export const quickFloating: Readonly<Record<string, QuickWay>> = {
  ...Object.fromEntries(quickNames.map((name) => [name, quick(computations[name])])),
  compareUnordered: compare,
  compareOrdered: compare,
  mtfsf: moveAll,
};

const words: readonly Slot[] = [s.fpscr, s.fpPending, s.fpCompared, s.fpOperandA, s.fpOperandB, s.fpOperandC];

const others = [
  "floating",
  "compareUnordered",
  "compareOrdered",
  "mffs",
  "mcrfs",
  "mtfsb0",
  "mtfsb1",
  "mtfsf",
  "mtfsfi",
];

/** They raise the program interrupt of an enabled exception, and record in a CR field. */
export const containedFloating: Readonly<Record<string, Contained>> = Object.fromEntries(
  [...quickNames, ...others].map((name) => [name, { words, others: [...s.cr, ...s.fpr], faults: true }]),
);

/** Those that regions have inside, where registers and what is pending are values. */
export const insideFloating: ReadonlySet<string> = new Set([...quickNames, "compareUnordered", "compareOrdered"]);

/** State of 64 bits. */
export const floatingState: ReadonlyMap<number, "i64"> = new Map(
  [...s.fpr, s.fpOperandA, s.fpOperandB, s.fpOperandC].map(({ offset }) => [offset, "i64"]),
);
