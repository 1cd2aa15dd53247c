import type { Contained } from "../../../ir/frontend.ts";
import type { Slot } from "../../../ir/slots.ts";
import { Cr0, Vector } from "../constants.ts";
import type { Core } from "../core.ts";
import * as s from "../slots.ts";
import { chop, convert, Format, fromBcd, indefinite, type Out } from "./convert.ts";
import * as environment from "./environment.ts";
import { Kind } from "./number.ts";
import * as operations from "./operations.ts";
import { Exception } from "./round.ts";
import { transcendental } from "./transcendental.ts";
import { Condition, Unit } from "./unit.ts";

/**
 * What the x87 bodies leave to software. All are calls: they return 0 unless something else is said, and the body goes on. A 64-bit operand is given as its two halves.
 */
export type FpuHelpers = {
  /** Before everything else, when CR0.EM or TS or an exception that waits says so: #NM or #MF. `wait`: the WAIT instruction, which looks at MP and TS. */
  readonly fpuGate: (wait: number) => number;

  /** ST(0) op ST(i) to ST(i) or, when `to` is 0, ST(0); `operation` as in operations.ts. */
  readonly fpuArithmetic: (operation: number, i: number, to: number, pops: number) => number;
  readonly fpuArithmeticSingle: (operation: number, bits: number) => number;
  readonly fpuArithmeticDouble: (operation: number, hi: number, lo: number) => number;
  readonly fpuArithmeticInteger: (operation: number, value: number) => number;
  /** FUCOM: `pops` 0 to 2. */
  readonly fpuCompareQuiet: (i: number, pops: number) => number;
  /** FCOMI and FUCOMI. */
  readonly fpuCompareFlags: (i: number, quiet: number, pops: number) => number;

  readonly fpuLoadSingle: (bits: number) => number;
  readonly fpuLoadDouble: (hi: number, lo: number) => number;
  readonly fpuLoadExtended: (signExponent: number, hi: number, lo: number) => number;
  readonly fpuLoadInteger: (hi: number, lo: number) => number;
  readonly fpuLoadBcd: (high: number, hi: number, lo: number) => number;
  readonly fpuLoadRegister: (i: number) => number;
  readonly fpuLoadConstant: (n: number) => number;

  /** Makes what is to be stored, in `fpu.out`; gives 1 when it is to be stored. `chopped`: FISTTP. */
  readonly fpuConvert: (format: number, chopped: number) => number;
  /** After the store, or without it: exceptions into the status word, pops. */
  readonly fpuStored: (pops: number) => number;
  /** `unchecked`: FSTP by D9 D8+i, which is no stack fault when ST(0) is empty, and stores nothing then. */
  readonly fpuStoreRegister: (i: number, pops: number, unchecked: number) => number;
  readonly fpuExchange: (i: number) => number;
  readonly fpuMoveIf: (i: number, holds: number) => number;
  readonly fpuFree: (i: number, pops: number) => number;
  /** D9 E0..FF by their last five bits. */
  readonly fpuUnary: (n: number) => number;

  readonly fpuInit: () => number;
  readonly fpuClear: () => number;
  readonly fpuStatusWord: () => number;
  readonly fpuLoadControl: (control: number) => number;
  /** FNSTENV, FLDENV, FNSAVE, FRSTOR: `which` 0 to 3. */
  readonly fpuEnvironment: (which: number, linear: number, wide: number) => number;
  readonly fpuFxsave: (linear: number) => number;
  readonly fpuFxrstor: (linear: number) => number;
};

/** The constants with 96 bits, cut off: FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ. */
const constants: readonly (readonly [exponent: number, hi: number, lo: number, ext: number])[] = [
  [0x3fff, 0x8000_0000, 0, 0],
  [0x4000, 0xd49a_784b, 0xcd1b_8afe, 0x492b_f6ff],
  [0x3fff, 0xb8aa_3b29, 0x5c17_f0bb, 0xbe87_fed0],
  [0x4000, 0xc90f_daa2, 0x2168_c234, 0xc4c6_628b],
  [0x3ffd, 0x9a20_9a84, 0xfbcf_f798, 0x8f89_59ac],
  [0x3ffe, 0xb172_17f7, 0xd1cf_79ab, 0xc9e3_b398],
  [0, 0, 0, 0],
];

/** An exception waits at an instruction that looks: #MF, or FERR# where CR0.NE is 0. SDM vol. 1 section 8.7. */
export function waits(core: Core): void {
  if ((core.get(s.cr0) & Cr0.ne) !== 0) throw core.raise(Vector.coprocessor);
  const { wires } = core;
  if (wires.coprocessorError === undefined) {
    wires.report("ferr", "an x87 exception waits, CR0.NE is 0 and FERR# goes nowhere: it is ignored");
    return;
  }
  core.set(s.fpuFerr, 1);
  if (wires.coprocessorError(1) === 0) throw core.freeze();
}

export function fpuHelpers(core: Core, mxcsrBits: number): FpuHelpers {
  const unit = new Unit(core, mxcsrBits);
  const { a, b, r } = unit;
  const out: Out = { hi: 0, lo: 0, high: 0 };

  const arithmetic = (operation: number) => {
    if (unit.isEmpty(0)) {
      const pops = operation === operations.Arithmetic.comparePop ? 1 : 0;
      if (operation === operations.Arithmetic.compare || pops > 0) operations.comparedEmpty(unit, pops);
      else unit.underflow(0, 0);
      return 0;
    }
    unit.read(0, a);
    operations.arithmetic(unit, operation, 0, 0);
    return 0;
  };

  return {
    fpuGate: (wait) => {
      const cr0 = core.get(s.cr0);
      const absent = wait !== 0 ? (cr0 & (Cr0.mp | Cr0.ts)) === (Cr0.mp | Cr0.ts) : (cr0 & (Cr0.em | Cr0.ts)) !== 0;
      if (absent) throw core.raise(Vector.noCoprocessor);
      if ((unit.status & 0x80) !== 0) waits(core);
      return 0;
    },

    fpuArithmetic: (operation, i, to, pops) => {
      unit.begin();
      const compares = operation === operations.Arithmetic.compare || operation === operations.Arithmetic.comparePop;
      if (unit.isEmpty(0) || unit.isEmpty(i)) {
        if (compares) operations.comparedEmpty(unit, pops);
        else unit.underflow(to === 0 ? 0 : i, pops);
        return 0;
      }
      unit.read(0, a);
      unit.read(i, b);
      if (compares) operations.compared(unit, false, pops);
      else operations.arithmetic(unit, operation, to === 0 ? 0 : i, pops);
      return 0;
    },
    fpuArithmeticSingle: (operation, bits) => {
      unit.begin();
      b.fromSingle(bits);
      return arithmetic(operation);
    },
    fpuArithmeticDouble: (operation, hi, lo) => {
      unit.begin();
      b.fromDouble(hi, lo);
      return arithmetic(operation);
    },
    fpuArithmeticInteger: (operation, value) => {
      unit.begin();
      b.fromInteger(value >> 31, value);
      return arithmetic(operation);
    },
    fpuCompareQuiet: (i, pops) => {
      unit.begin();
      if (unit.isEmpty(0) || unit.isEmpty(i)) operations.comparedEmpty(unit, pops);
      else {
        unit.read(0, a);
        unit.read(i, b);
        operations.compared(unit, true, pops);
      }
      return 0;
    },
    fpuCompareFlags: (i, quiet, pops) => {
      operations.comparedFlags(unit, i, quiet !== 0, pops);
      return 0;
    },

    fpuLoadSingle: (bits) => {
      unit.begin();
      r.fromSingle(bits);
      operations.loadReal(unit);
      return 0;
    },
    fpuLoadDouble: (hi, lo) => {
      unit.begin();
      r.fromDouble(hi, lo);
      operations.loadReal(unit);
      return 0;
    },
    fpuLoadExtended: (signExponent, hi, lo) => {
      unit.begin();
      r.set(Kind.finite, (signExponent >>> 15) & 1, signExponent & 0x7fff, hi, lo);
      unit.push();
      return 0;
    },
    fpuLoadInteger: (hi, lo) => {
      unit.begin();
      r.fromInteger(hi, lo);
      unit.push();
      return 0;
    },
    fpuLoadBcd: (high, hi, lo) => {
      unit.begin();
      fromBcd(r, high, hi, lo);
      unit.push();
      return 0;
    },
    fpuLoadRegister: (i) => {
      operations.loadRegister(unit, i);
      return 0;
    },
    fpuLoadConstant: (n) => {
      const rounder = unit.begin();
      const [exponent, hi, lo, ext] = constants[n] as (typeof constants)[number];
      r.set(exponent === 0 ? Kind.zero : Kind.finite, 0, exponent, hi, lo, ext);
      rounder.extended(r, 64);
      // They are rounded as RC says, and nobody is told.
      rounder.raised = 0;
      rounder.up = false;
      unit.push();
      return 0;
    },

    fpuConvert: (format, chopped) => {
      const rounder = unit.begin();
      if (chopped !== 0) chop(rounder);
      out.high = 0;
      out.hi = 0;
      out.lo = 0;
      if (unit.isEmpty(0)) {
        unit.stackFault(false);
        indefinite(format as Format, out);
      } else if (format === Format.extended) {
        const k = unit.physical(0);
        out.high = unit.rawExponent(k);
        out.hi = unit.rawHi(k);
        out.lo = unit.rawLo(k);
      } else {
        unit.read(0, a);
        convert(a, format as Format, rounder, out);
      }
      core.words[s.fpuOut.index] = out.lo;
      core.words[s.fpuOut.index + 1] = out.hi;
      core.set(s.fpuOutHigh, out.high);
      core.set(s.fpuRaised, rounder.raised | (rounder.up ? Condition.c1 : 0));
      return unit.stopped || unit.withheld ? 0 : 1;
    },
    fpuStored: (pops) => {
      const rounder = unit.begin();
      rounder.raised = core.get(s.fpuRaised) & 0x7f;
      rounder.up = (core.get(s.fpuRaised) & Condition.c1) !== 0;
      if (!unit.stopped && !unit.withheld) unit.pop(pops);
      else if (!unit.stopped) {
        // Nothing was stored, so nothing was inexact.
        unit.rounder.raised &= ~Exception.precision;
        unit.rounder.up = false;
      }
      unit.commit();
      return 0;
    },
    fpuStoreRegister: (i, pops, unchecked) => {
      operations.moveTo(unit, i, pops, unchecked !== 0);
      return 0;
    },
    fpuExchange: (i) => {
      operations.exchange(unit, i);
      return 0;
    },
    fpuMoveIf: (i, holds) => {
      operations.moveIf(unit, i, holds !== 0);
      return 0;
    },
    fpuFree: (i, pops) => {
      unit.free(i);
      unit.setConditions(0, Condition.c1);
      unit.pop(pops);
      return 0;
    },
    fpuUnary: (n) => {
      unary(unit, n);
      return 0;
    },

    fpuInit: () => {
      unit.init();
      return 0;
    },
    fpuClear: () => {
      unit.clear();
      return 0;
    },
    fpuStatusWord: () => unit.statusWord,
    fpuLoadControl: (control) => {
      unit.setWords(control, unit.statusWord);
      return 0;
    },
    fpuEnvironment: (which, linear, wide) => {
      const layout = (wide !== 0 ? environment.Layout.wide : 0) | (core.paragraphs ? environment.Layout.paragraphs : 0);
      const actions = [
        environment.storeEnvironment,
        environment.loadEnvironment,
        environment.saveAll,
        environment.restoreAll,
      ];
      actions[which]?.(unit, linear, layout);
      return 0;
    },
    fpuFxsave: (linear) => {
      if ((linear & 15) !== 0) throw core.protection();
      environment.fxsave(unit, linear);
      return 0;
    },
    fpuFxrstor: (linear) => {
      if ((linear & 15) !== 0) throw core.protection();
      environment.fxrstor(unit, linear);
      return 0;
    },
  };
}

/** D9 E0..FF. */
function unary(unit: Unit, n: number): void {
  switch (n) {
    case 0x00:
    case 0x01:
      operations.sign(unit, n === 1);
      return;
    case 0x04:
      operations.test(unit);
      return;
    case 0x05:
      operations.examine(unit);
      return;
    case 0x14:
      operations.split(unit);
      return;
    case 0x15:
    case 0x18:
      operations.reduce(unit, n === 0x15);
      return;
    case 0x16:
    case 0x17:
      // FDECSTP and FINCSTP: tags and contents stay.
      unit.begin();
      unit.setTop(unit.top + (n === 0x16 ? -1 : 1));
      unit.commit();
      return;
    case 0x1a:
      operations.root(unit);
      return;
    case 0x1c:
      operations.integer(unit);
      return;
    case 0x1d:
      operations.scaled(unit);
      return;
    default:
      transcendental(unit, n);
  }
}

const words: readonly Slot[] = [s.fpuTop, s.fpuUsed, s.fpuStatus, s.fpuControl];
const registers: readonly Slot[] = [...s.fpuSignificand, ...s.fpuExponent];

/** Helpers which do nothing but compute: exceptions are taken by the gate of the next instruction. */
export const containedFpu: Readonly<Record<string, Contained>> = {
  ...Object.fromEntries(
    [
      "fpuArithmetic",
      "fpuArithmeticSingle",
      "fpuArithmeticDouble",
      "fpuArithmeticInteger",
      "fpuCompareQuiet",
      "fpuLoadSingle",
      "fpuLoadDouble",
      "fpuLoadExtended",
      "fpuLoadInteger",
      "fpuLoadRegister",
      "fpuLoadConstant",
      "fpuStored",
      "fpuStoreRegister",
      "fpuExchange",
      "fpuMoveIf",
      "fpuFree",
      "fpuUnary",
      "fpuLoadControl",
    ].map((name) => [name, { words: name === "fpuStored" ? [...words, s.fpuRaised] : words, others: registers }]),
  ),
  fpuConvert: { words: [...words, s.fpuRaised, s.fpuOut, s.fpuOutHigh], others: registers, repeatable: true },
  fpuCompareFlags: { words: [...words, s.result, s.carry, s.signFix], others: registers },
};
