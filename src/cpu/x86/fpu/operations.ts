import { Flag } from "../constants.ts";
import { add, compare, divide, multiply, nan, Relation, squareRoot } from "./arithmetic.ts";
import { roundInPlace } from "./convert.ts";
import { type Float, Kind } from "./number.ts";
import { extract, type Reduction, remainder, scale } from "./remainder.ts";
import { Exception } from "./round.ts";
import { Condition, type Unit } from "./unit.ts";

/* Instructions as operations of the unit: what is checked, computed, stored, popped. */

/** In the order in which the opcodes have them. */
export const Arithmetic = {
  add: 0,
  multiply: 1,
  compare: 2,
  comparePop: 3,
  subtract: 4,
  subtractReversed: 5,
  divide: 6,
  divideReversed: 7,
} as const;

/** `r` = ST(0) op `b`, stored in ST(to). The operands are in `a` and `b`. */
export function arithmetic(unit: Unit, operation: number, to: number, pops: number): void {
  const { a, b, r, rounder } = unit;
  switch (operation) {
    case Arithmetic.add:
      add(r, a, b, false, rounder);
      break;
    case Arithmetic.multiply:
      multiply(r, a, b, rounder);
      break;
    case Arithmetic.subtract:
      add(r, a, b, true, rounder);
      break;
    case Arithmetic.subtractReversed:
      add(r, b, a, true, rounder);
      break;
    case Arithmetic.divide:
      divide(r, a, b, rounder);
      break;
    case Arithmetic.divideReversed:
      divide(r, b, a, rounder);
      break;
    default:
      compared(unit, false, operation === Arithmetic.comparePop ? 1 : 0);
      return;
  }
  unit.finish(to, pops);
}

/** FCOM and its like: `a` against `b`, which is in the condition codes then. */
export function compared(unit: Unit, quiet: boolean, pops: number): void {
  const relation = compare(unit.a, unit.b, quiet, unit.rounder);
  unit.commit();
  unit.setConditions(relation);
  if (unit.stopped) return;
  unit.pop(pops);
}

/** The same without operands: an empty register. */
export function comparedEmpty(unit: Unit, pops: number): void {
  unit.stackFault(false);
  unit.commit();
  unit.setConditions(Relation.unordered);
  if (unit.stopped) return;
  unit.pop(pops);
}

/** FCOMI and FUCOMI: the relation goes to ZF, PF, CF. SDM vol. 2, table 3-29. */
export function comparedFlags(unit: Unit, i: number, quiet: boolean, pops: number): void {
  unit.begin();
  let relation: number = Relation.unordered;
  if (unit.isEmpty(0) || unit.isEmpty(i)) unit.stackFault(false);
  else {
    unit.read(0, unit.a);
    unit.read(i, unit.b);
    relation = compare(unit.a, unit.b, quiet, unit.rounder);
    // Unlike FCOM these leave C1 alone.
    unit.rounder.up = (unit.status & Condition.c1) !== 0;
  }
  unit.commit();
  const all = Flag.zf | Flag.pf | Flag.cf | Flag.of | Flag.sf | Flag.af;
  // C3 stands where ZF does, eight bits up, and so do C2 and C0.
  unit.core.setFlags(relation >>> 8, all);
  if (!unit.stopped) unit.pop(pops);
}

/** FXAM. SDM vol. 2, table 3-42: C3, C2, C0 the class, C1 the sign, also of what an empty register holds. */
export function examine(unit: Unit): void {
  const { a } = unit;
  unit.read(0, a);
  const sign = a.sign !== 0 ? Condition.c1 : 0;
  if (unit.isEmpty(0)) unit.setConditions(Condition.c3 | Condition.c0 | sign);
  else unit.setConditions(classOf(a) | sign);
}

function classOf(v: Float): number {
  switch (v.kind) {
    case Kind.zero:
      return Condition.c3;
    case Kind.finite:
      return v.denormal ? Condition.c3 | Condition.c2 : Condition.c2;
    case Kind.infinity:
      return Condition.c2 | Condition.c0;
    case Kind.unsupported:
      return 0;
    default:
      return Condition.c0;
  }
}

/** FTST: against +0. */
export function test(unit: Unit): void {
  unit.begin();
  if (unit.isEmpty(0)) {
    comparedEmpty(unit, 0);
    return;
  }
  unit.read(0, unit.a);
  unit.b.zero(0);
  compared(unit, false, 0);
}

/** Reads ST(0) into `a`; false, with the stack fault dealt with, when it is empty. */
export function operand(unit: Unit): boolean {
  unit.begin();
  if (unit.isEmpty(0)) {
    unit.underflow(0, 0);
    return false;
  }
  unit.read(0, unit.a);
  return true;
}

/** FCHS and FABS touch the sign alone and look at nothing. */
export function sign(unit: Unit, absolute: boolean): void {
  unit.begin();
  if (unit.isEmpty(0)) {
    unit.underflow(0, 0);
    return;
  }
  const k = unit.physical(0);
  const word = unit.rawExponent(k);
  unit.writeRaw(k, absolute ? word & 0x7fff : word ^ 0x8000, unit.rawHi(k), unit.rawLo(k));
  unit.commit();
}

export function root(unit: Unit): void {
  if (!operand(unit)) return;
  squareRoot(unit.r, unit.a, unit.rounder);
  unit.finish(0, 0);
}

export function integer(unit: Unit): void {
  if (!operand(unit)) return;
  const { a, r, rounder } = unit;
  if (a.isNaN) nan(r, a, a, rounder);
  else {
    r.copy(a);
    if (a.kind === Kind.finite) roundInPlace(r, rounder);
    // A denormal operand that stops it comes before the rounding.
    if (unit.stopped) {
      rounder.raised &= ~Exception.precision;
      rounder.up = false;
    }
  }
  unit.finishExact(0, 0);
}

/** Reads ST(0) and ST(1); false, with the stack fault dealt with, when one is empty. */
export function operands(unit: Unit, to: number, pops: number): boolean {
  unit.begin();
  if (unit.isEmpty(0) || unit.isEmpty(1)) {
    unit.underflow(to, pops);
    return false;
  }
  unit.read(0, unit.a);
  unit.read(1, unit.b);
  return true;
}

const reduction: Reduction = { partial: false, quotient: 0 };

/** FPREM and FPREM1: C0, C3, C1 are bits 2, 1, 0 of the quotient; where there is none, C0 and C3 stay. */
export function reduce(unit: Unit, nearest: boolean): void {
  unit.setConditions(0, Condition.c2);
  if (!operands(unit, 0, 0)) return;
  remainder(unit.r, unit.a, unit.b, nearest, unit.rounder, reduction);
  // By infinity it is the operand again, and no underflow when that is a denormal.
  if (unit.b.kind === Kind.infinity) unit.rounder.masked |= Exception.underflow;
  unit.finishExact(0, 0);
  if (unit.stopped || unit.r.isNaN) return;
  const { partial, quotient } = reduction;
  const codes =
    ((quotient & 4) !== 0 ? Condition.c0 : 0) |
    ((quotient & 2) !== 0 ? Condition.c3 : 0) |
    ((quotient & 1) !== 0 ? Condition.c1 : 0);
  unit.setConditions(partial ? Condition.c2 : codes);
}

export function scaled(unit: Unit): void {
  if (!operands(unit, 0, 0)) return;
  scale(unit.r, unit.a, unit.b, unit.rounder);
  // By zero it is the operand again, and no underflow when that is a denormal.
  if (unit.b.kind === Kind.zero) unit.rounder.masked |= Exception.underflow;
  unit.finishExact(0, 0);
}

/** FXTRACT: the exponent takes the place of ST(0), and the significand is pushed. */
export function split(unit: Unit): void {
  unit.begin();
  const { a, r, rounder } = unit;
  const empty = unit.isEmpty(0);
  if (empty || !unit.isEmpty(-1)) {
    unit.stackFault(!empty);
    r.indefinite();
    a.indefinite();
  } else {
    unit.read(0, a);
    extract(r, a, rounder);
  }
  if (!unit.stopped) {
    unit.write(0, r);
    unit.setTop(unit.top - 1);
    unit.write(0, a);
  }
  unit.commit();
}

/** FXCH: registers that are empty become indefinite first. */
export function exchange(unit: Unit, i: number): void {
  unit.begin();
  const { a } = unit;
  if (unit.isEmpty(0) || unit.isEmpty(i)) {
    unit.stackFault(false);
    if (unit.stopped) {
      unit.commit();
      return;
    }
    a.indefinite();
    if (unit.isEmpty(0)) unit.write(0, a);
    if (unit.isEmpty(i)) unit.write(i, a);
  }
  const x = unit.physical(0);
  const y = unit.physical(i);
  const word = unit.rawExponent(x);
  const hi = unit.rawHi(x);
  const lo = unit.rawLo(x);
  unit.writeRaw(x, unit.rawExponent(y), unit.rawHi(y), unit.rawLo(y));
  unit.writeRaw(y, word, hi, lo);
  unit.commit();
}

/** FST ST(i) and FSTP ST(i), and FLD ST(i) when `push`: bit for bit. */
export function moveTo(unit: Unit, i: number, pops: number, unchecked: boolean): void {
  unit.begin();
  const empty = unit.isEmpty(0);
  if (empty && !unchecked) {
    unit.underflow(i, pops);
    return;
  }
  if (!empty) unit.copy(0, i);
  unit.pop(pops);
  unit.commit();
}

export function loadRegister(unit: Unit, i: number): void {
  unit.begin();
  const { r } = unit;
  const empty = unit.isEmpty(i);
  if (empty || !unit.isEmpty(-1)) {
    unit.stackFault(!empty);
    r.indefinite();
    if (!unit.stopped) {
      unit.setTop(unit.top - 1);
      unit.write(0, r);
    }
    unit.commit();
    return;
  }
  unit.setTop(unit.top - 1);
  unit.copy(i + 1, 0);
  unit.commit();
}

/** FCMOVcc when the condition holds, or does not: empty registers fault either way. */
export function moveIf(unit: Unit, i: number, holds: boolean): void {
  unit.begin();
  if (unit.isEmpty(0) || unit.isEmpty(i)) {
    unit.underflow(0, 0);
    return;
  }
  if (holds) unit.copy(i, 0);
}

/** FLD of a single or double: `r` holds it. A signaling NaN becomes quiet. */
export function loadReal(unit: Unit): void {
  const { r, rounder } = unit;
  // A full stack comes first, and then nothing else is looked at.
  if (unit.isEmpty(-1)) {
    if (r.kind === Kind.signaling) {
      rounder.raised |= Exception.invalid;
      r.hi |= 0x4000_0000;
    }
    if (r.denormal) rounder.raised |= Exception.denormal;
  }
  unit.push();
}
