import type { Value } from "../../ir/builder.ts";
import type { Slot } from "../../ir/slots.ts";
import { Msr } from "./constants.ts";
import { isSingle, quickNames } from "./floating-quick.ts";
import type { HelperName } from "./helpers.ts";
import type { Instruction } from "./instruction.ts";
import { addressOf } from "./load-store.ts";
import type { Body } from "./pattern.ts";
import { cr, fpscr, msr } from "./slots.ts";

/*
 * Floating point. Book I chapter 4. What moves bits is here; arithmetic, comparison and FPSCR are the helpers' (floating-helpers.ts). All of it
 * needs MSR[FP].
 */

/** An instruction which MSR[FP] has to allow. */
export function available(body: Body): Body {
  return (i) => {
    const { b } = i;
    b.unify();
    b.if(b.eqz(b.and(b.get(msr), b.i32(Msr.fp))), () => i.exit("floatingPointUnavailable"));
    body(i);
  };
}

const cr1 = cr[1] as Slot;

/** CR1 takes the leftmost four bits of FPSCR when Rc asks for it. */
function record(i: Instruction): void {
  if (i.record) i.b.set(cr1, i.b.shrU(i.b.get(fpscr), i.b.i32(28)));
}

// --- "Floating-Point Load Instructions", "Floating-Point Store Instructions"

interface Shape {
  readonly indexed?: boolean;
  readonly update?: boolean;
}

export function loadDouble(shape: Shape = {}): Body {
  return available((i) => {
    const address = addressOf(i, shape);
    i.setFpr(i.loadDouble(address));
    if (shape.update === true) i.ra = address;
  });
}

export function storeDouble(shape: Shape = {}): Body {
  return available((i) => {
    const address = addressOf(i, shape);
    i.storeDouble(address, i.fpr(0));
    if (shape.update === true) i.ra = address;
  });
}

export function loadSingle(shape: Shape = {}): Body {
  return available((i) => {
    const address = addressOf(i, shape);
    i.setFpr(toDouble(i, i.load(4, address)));
    if (shape.update === true) i.ra = address;
  });
}

export function storeSingle(shape: Shape = {}): Body {
  return available((i) => {
    const address = addressOf(i, shape);
    i.store(4, address, toSingle(i, i.fpr(0)));
    if (shape.update === true) i.ra = address;
  });
}

/** stfiwx: the lower half as it is. */
export const storeWord = available((i) => i.store(4, i.indexed, i.b.op("wrap", i.fpr(0))));

/** DOUBLE() of the load instructions: exact, and signalling NaNs stay what they are. */
function toDouble(i: Instruction, word: Value): Value {
  const { b } = i;
  const long = (value: Value) => b.op("extend_u", value);
  const wide = b.choose(
    b.eq(b.and(word, b.i32(0x7f80_0000)), b.i32(0x7f80_0000)),
    () => {
      const sign = b.shl(long(b.shrU(word, b.i32(31))), b.i64(63n));
      const fraction = b.shl(long(b.and(word, b.i32(0x7f_ffff))), b.i64(29n));
      return b.or(b.or(sign, b.i64(0x7ff0_0000_0000_0000n)), fraction);
    },
    () => b.op("fpromote", word),
  );
  b.know(isSingle(b, wide));
  return wide;
}

/** SINGLE() of the store instructions: no rounding. What is too small for a denormalized single gives an undefined result, here 0. */
function toSingle(i: Instruction, double: Value): Value {
  const { b } = i;
  const high = b.op("wrap", b.op("shr_u", double, b.i64(32n)));
  const exponent = b.and(b.shrU(high, b.i32(20)), b.i32(0x7ff));
  const sign = b.and(high, b.i32(0x8000_0000 | 0));
  return b.choose(
    b.op("gt_u", exponent, b.i32(896)),
    () => {
      const top = b.and(high, b.i32(0xc000_0000 | 0));
      return b.or(top, b.and(b.op("wrap", b.op("shr_u", double, b.i64(29n))), b.i32(0x3fff_ffff)));
    },
    () =>
      b.choose(
        b.op("lt_u", exponent, b.i32(874)),
        () => b.or(sign, b.i32(0)),
        () => {
          const fraction = b.or(b.and(double, b.i64(0x000f_ffff_ffff_ffffn)), b.i64(0x0010_0000_0000_0000n));
          const shift = b.op("extend_u", b.sub(b.i32(926), exponent));
          return b.or(sign, b.op("wrap", b.op("shr_u", fraction, shift)));
        },
      ),
  );
}

// --- "Floating-Point Move Instructions"

function move(change: (i: Instruction, value: Value) => Value): Body {
  return available((i) => {
    i.setFpr(change(i, i.fpr(2)));
    record(i);
  });
}

const signBit = -0x8000_0000_0000_0000n;

export const fmr = move((_i, value) => value);
export const fneg = move((i, value) => i.b.xor(value, i.b.i64(signBit)));
export const fabs = move((i, value) => i.b.and(value, i.b.i64(~signBit)));
export const fnabs = move((i, value) => i.b.or(value, i.b.i64(signBit)));

/** fsel: FRC where FRA is 0 or more, -0 included, else FRB; a NaN is not. */
export const fsel = available((i) => {
  const { b } = i;
  const value = i.fpr(1);
  const magnitude = b.and(value, b.i64(~signBit));
  const number = b.op("le_u", magnitude, b.i64(0x7ff0_0000_0000_0000n));
  const notBelow = b.or(b.op("ge_s", value, b.i64(0n)), b.op("eqz", magnitude));
  i.setFpr(b.select(b.and(number, notBelow), i.fpr(3), i.fpr(2)));
  record(i);
});

// --- "Floating-Point Arithmetic Instructions", "Floating-Point Rounding and Conversion Instructions"

/**
 * All of it: the helper finds the operation in the word. Operands which it does not have lie where another does.
 *
 * What the quick ways (floating-quick.ts) do in the helper's place, when FPSCR & 0xff is 0 (nothing enabled, NI 0, to nearest) and XX is set or R exact: write the host's
 * result, and `fpPending` with what belongs to it (slots.ts). This holds for results R to nearest of
 * - fadd, fsub: R finite (it is exact where it is denormalized);
 * - fmul, fdiv, fmadd and its like: R finite and above 2^-1022, which a tiny result may have been rounded to; the fused ones rounded once;
 * - singles, frsp: R as a double is rounded again, which is right for operands that are singles (Book I leaves the others undefined) but not for
 *   fmadds, where R must not lie in the middle between two singles, unless it is exact: R & 0x1fff_ffff = 0x1000_0000; finite and above 2^-126.
 * - fctiwz: R fits into 32 bits.
 * fnmadd and fnmsub negate then. Comparisons of what are no NaNs set the CR field and `fpCompared`, whatever FPSCR is.
 */
export function arithmetic(mnemonic: string): Body {
  const helper = quickNames.find((name) => name === mnemonic) ?? "floating";
  return available((i) => {
    i.call(helper, i.immediate, ...i.floatPlaces);
  });
}

// --- "Floating-Point Compare Instructions", "Floating-Point Status and Control Register Instructions"

/** fcmpu, fcmpo: the helper is given where both lie. */
export function compare(helper: "compareUnordered" | "compareOrdered"): Body {
  return available((i) => {
    i.call(helper, i.places[0], i.places[1], i.fieldPlace);
  });
}

export const mffs = available((i) => void i.call("mffs", i.place, i.b.i32(i.record ? 1 : 0)));

/** mcrfs, mtfsb0 and mtfsb1, mtfsf, mtfsfi: what FPSCR says of itself follows from the rest, and may be an exception. */
export function status(helper: HelperName): Body {
  return available((i) => void i.call(helper, i.immediate, i.b.i32(i.record ? 1 : 0)));
}
