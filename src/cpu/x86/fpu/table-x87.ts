import { type Body, type Entry, op, type Row } from "../pattern.ts";
import * as x87 from "./bodies.ts";
import { Format } from "./convert.ts";

/*
 * D8..DF: SDM vol. 2 appendix A.5, tables. Each entry has the eight memory forms by ModRM's reg and then, by the low six bits of ModRM,
 * the 64 register forms. Aliases which the manual does not name do what processors do.
 */

const _ = undefined;
type Rows = readonly (Row | undefined)[];

function eight(row: Row | undefined): Rows {
  return new Array<Row | undefined>(8).fill(row);
}

const names = ["fadd", "fmul", "fcom", "fcomp", "fsub", "fsubr", "fdiv", "fdivr"];

/** D8, DA, DC, DE with memory. */
function arithmetic(opcode: number, size: string, prefix: string): Row[] {
  return names.map((name, k) => op(name.replace("f", prefix), `M${size}`, x87.arithmeticMemory(opcode, k)));
}

/** Register forms of D8, DC, DE; `k` as ModRM has it. */
function registers(opcode: number, k: number, pops: number): Rows {
  const where = opcode === 0 ? "st,st(i)" : "st(i),st";
  const name = `${names[k]}${pops > 0 && k !== 3 ? "p" : ""} ${where}`;
  return eight(op(name, "", x87.arithmeticRegister(opcode, k, k === 3 ? 1 : pops)));
}

function one(name: string, body: Body): Row {
  return op(name, "", body);
}

const d8: Entry = [...arithmetic(0, "d", "f"), ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((k) => registers(0, k, 0))];

const unary = (name: string) => one(name, x87.unary);
const constants = ["fld1", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fldz"];

const d9: Entry = [
  op("fld", "Md", x87.loadReal(1)),
  _,
  op("fst", "Md", x87.store(1, Format.single, 0)),
  op("fstp", "Md", x87.store(1, Format.single, 1)),
  op("fldenv", "Ms", x87.environment(1)),
  op("fldcw", "Mw", x87.loadControl),
  op("fnstenv", "Ms", x87.environment(0)),
  op("fnstcw", "Mw", x87.storeControl),
  // C0
  ...eight(one("fld st(i)", x87.withRegister(1, "fpuLoadRegister"))),
  ...eight(one("fxch", x87.withRegister(1, "fpuExchange"))),
  one("fnop", x87.nop),
  ...new Array<undefined>(7).fill(undefined),
  ...eight(one("fstp1 st(i)", x87.storeRegister(1, 1, true))),
  // E0
  unary("fchs"),
  unary("fabs"),
  _,
  _,
  unary("ftst"),
  unary("fxam"),
  _,
  _,
  ...constants.map((name, k) => one(name, x87.constant(k))),
  _,
  // F0
  ...["f2xm1", "fyl2x", "fptan", "fpatan", "fxtract", "fprem1", "fdecstp", "fincstp"].map(unary),
  ...["fprem", "fyl2xp1", "fsqrt", "fsincos", "frndint", "fscale", "fsin", "fcos"].map(unary),
];

const conditions = [2, 4, 6, 10];
const suffixes = ["b", "e", "be", "u"];
const fcmov = (opcode: number, negated: 0 | 1) =>
  conditions.flatMap((number, k) =>
    eight(one(`fcmov${negated ? "n" : ""}${suffixes[k]}`, x87.moveIf(opcode, number + negated))),
  );

const da: Entry = [
  ...arithmetic(2, "d", "fi"),
  ...fcmov(2, 0),
  ...eight(_),
  _,
  one("fucompp", x87.compareQuiet(2, 2)),
  ...new Array<undefined>(6).fill(undefined),
  ...eight(_),
  ...eight(_),
];

const db: Entry = [
  op("fild", "Md", x87.loadInteger(3, 4)),
  op("fisttp", "Md", x87.store(3, Format.int32, 1, true)),
  op("fist", "Md", x87.store(3, Format.int32, 0)),
  op("fistp", "Md", x87.store(3, Format.int32, 1)),
  _,
  op("fld80", "Mq", x87.load10(3)),
  _,
  op("fstp80", "Mq", x87.store(3, Format.extended, 1)),
  ...fcmov(3, 1),
  // E0
  one("feni", x87.ignored),
  one("fdisi", x87.ignored),
  one("fnclex", x87.control("fpuClear")),
  one("fninit", x87.control("fpuInit")),
  one("fsetpm", x87.ignored),
  _,
  _,
  _,
  ...eight(one("fucomi", x87.compareFlags(3, true, 0))),
  ...eight(one("fcomi", x87.compareFlags(3, false, 0))),
  ...eight(_),
];

const dc: Entry = [
  ...arithmetic(4, "q", "f"),
  ...registers(4, 0, 0),
  ...registers(4, 1, 0),
  ...registers(4, 2, 0),
  ...registers(4, 3, 0),
  ...[4, 5, 6, 7].flatMap((k) => registers(4, k, 0)),
];

const dd: Entry = [
  op("fld", "Mq", x87.loadReal(5)),
  op("fisttp", "Mq", x87.store(5, Format.int64, 1, true)),
  op("fst", "Mq", x87.store(5, Format.double, 0)),
  op("fstp", "Mq", x87.store(5, Format.double, 1)),
  op("frstor", "Ms", x87.environment(3)),
  _,
  op("fnsave", "Ms", x87.environment(2)),
  op("fnstsw", "Mw", x87.storeStatus),
  ...eight(one("ffree", x87.free(5, 0))),
  ...eight(one("fxch4", x87.withRegister(5, "fpuExchange"))),
  ...eight(one("fst st(i)", x87.storeRegister(5, 0))),
  ...eight(one("fstp st(i)", x87.storeRegister(5, 1))),
  ...eight(one("fucom", x87.compareQuiet(5, 0))),
  ...eight(one("fucomp", x87.compareQuiet(5, 1))),
  ...eight(_),
  ...eight(_),
];

const de: Entry = [
  ...arithmetic(6, "w", "fi"),
  ...registers(6, 0, 1),
  ...registers(6, 1, 1),
  ...eight(one("fcomp5", x87.arithmeticRegister(6, 3, 1))),
  _,
  one("fcompp", x87.arithmeticRegister(6, 3, 2)),
  ...new Array<undefined>(6).fill(undefined),
  ...[4, 5, 6, 7].flatMap((k) => registers(6, k, 1)),
];

const df: Entry = [
  op("fild", "Mw", x87.loadInteger(7, 2)),
  op("fisttp", "Mw", x87.store(7, Format.int16, 1, true)),
  op("fist", "Mw", x87.store(7, Format.int16, 0)),
  op("fistp", "Mw", x87.store(7, Format.int16, 1)),
  op("fbld", "Mq", x87.load10(7)),
  op("fild", "Mq", x87.loadInteger(7, 8)),
  op("fbstp", "Mq", x87.store(7, Format.bcd, 1)),
  op("fistp", "Mq", x87.store(7, Format.int64, 1)),
  ...eight(one("ffreep", x87.free(7, 1))),
  ...eight(one("fxch7", x87.withRegister(7, "fpuExchange"))),
  ...eight(one("fstp8 st(i)", x87.storeRegister(7, 1))),
  ...eight(one("fstp9 st(i)", x87.storeRegister(7, 1))),
  one("fnstsw ax", x87.statusToAx),
  ...new Array<undefined>(7).fill(undefined),
  ...eight(one("fucomip", x87.compareFlags(7, true, 1))),
  ...eight(one("fcomip", x87.compareFlags(7, false, 1))),
  ...eight(_),
];

export const escapes: readonly Entry[] = [d8, d9, da, db, dc, dd, de, df];
