import type { Builder, Value } from "../../ir/builder.ts";
import { Flag } from "./constants.ts";
import { carry, eflags, result, signFix, step } from "./slots.ts";

/** Bytes of an integer operand. */
export type Width = 1 | 2 | 4;

/*
 * The arithmetic flags as IR. They are kept as what they follow from (slots.ts); an instruction that sets them writes three words,
 * and nobody computes a flag until one is asked for. Results are sign-extended to 32 bits, so that one rule for SF and ZF serves
 * all widths; carries are moved up, so that one rule for CF and OF does.
 */

export const flag = {
  cf: 0x1,
  pf: 0x4,
  af: 0x10,
  zf: 0x40,
  sf: 0x80,
  tf: 0x100,
  if: 0x200,
  df: 0x400,
  of: 0x800,
} as const;
/** CF, PF, AF, ZF, SF, OF. */
export const arithmeticFlags = 0x8d5;

/** `value`, of which `width` bytes count, as a signed 32-bit number. */
export function signed(b: Builder, width: Width, value: Value): Value {
  return width === 1 ? b.sext8(value) : width === 2 ? b.sext16(value) : value;
}

/** `value`, of which `width` bytes count, zero-extended. */
export function unsigned(b: Builder, width: Width, value: Value): Value {
  return width === 1 ? b.and(value, b.i32(0xff)) : width === 2 ? b.and(value, b.i32(0xffff)) : value;
}

/** Carries out of each bit, so placed that the topmost of `width` is bit 31; the carry into bit 4 stays at bit 3. */
const placed = {
  carries: { 1: "carries8", 2: "carries16", 4: "carries" },
  borrows: { 1: "borrows8", 2: "borrows16", 4: "borrows" },
} as const;

/** SF, ZF and PF from a result that is sign-extended already. */
export function setResult(b: Builder, value: Value): void {
  b.set(result, value);
  b.set(signFix, b.i32(0));
}

/** All six from a sum a + b (+ CF). */
export function setAdd(b: Builder, width: Width, x: Value, y: Value, sum: Value): void {
  b.set(carry, b.op(placed.carries[width], x, y, sum));
  setResult(b, signed(b, width, sum));
}

/** All six from a difference a - b (- CF). */
export function setSub(b: Builder, width: Width, x: Value, y: Value, difference: Value): void {
  b.set(carry, b.op(placed.borrows[width], x, y, difference));
  setResult(b, signed(b, width, difference));
}

/** All but CF: INC (`carries`) and DEC (`borrows`). Where CF differs from the new carry, bits 31 and 30 turn over together: OF stays. */
export function setIncDec(b: Builder, width: Width, op: "carries" | "borrows", x: Value, value: Value): void {
  const fresh = b.op(placed[op][width], x, b.i32(1), value);
  const differs = b.and(b.xor(fresh, b.get(carry)), b.i32(0x80000000 | 0));
  b.set(carry, b.xor(fresh, b.shrS(differs, b.i32(1))));
  setResult(b, signed(b, width, value));
}

/** AND, OR, XOR, TEST: CF and OF are 0; AF is undefined, and 0 here. */
export function setLogic(b: Builder, width: Width, value: Value): void {
  b.set(carry, b.i32(0));
  setResult(b, signed(b, width, value));
}

/** CF alone, from a value of 0 or 1; OF and AF stay. */
export function setCarry(b: Builder, on: Value): void {
  const now = b.get(carry);
  const differs = b.and(b.xor(now, b.shl(on, b.i32(31))), b.i32(0x80000000 | 0));
  b.set(carry, b.xor(now, b.shrS(differs, b.i32(1))));
}

/** CF and OF both from a value of 0 or 1, AF 0. */
export function setCarryAndOverflow(b: Builder, on: Value): void {
  b.set(carry, b.shl(on, b.i32(31)));
}

/** ZF and CF from a comparison of two numbers which are ordered; PF, OF, SF and AF are 0. */
export function setRelation(b: Builder, less: Value, equal: Value): void {
  b.set(result, b.select(equal, b.i32(0), b.i32(0x100)));
  b.set(signFix, b.i32(1));
  b.set(carry, b.sub(b.i32(0), b.shl(less, b.i32(30))));
}

/** ZF alone, from a value of 0 or 1. */
export function setZero(b: Builder, on: Value): void {
  const low = b.xor(b.get(result), b.get(signFix));
  const bit8 = b.i32(0x100);
  b.set(signFix, b.xor(low, b.select(on, b.i32(0), bit8)));
  b.set(result, b.select(on, b.i32(0), bit8));
}

/** ZF from whether `value` is 0, and the other five clear. */
export function setZeroOnly(b: Builder, value: Value): void {
  b.set(carry, b.i32(0));
  b.set(result, b.select(value, b.i32(0x100), b.i32(0)));
  // One bit in the low byte: PF is 0.
  b.set(signFix, b.i32(1));
}

// --- what is asked for, as 0 or 1

export function cf(b: Builder): Value {
  return b.shrU(b.get(carry), b.i32(31));
}

/** Bit 31 is OF, the others mean nothing. */
function overflowWord(b: Builder): Value {
  const c = b.get(carry);
  return b.xor(c, b.shl(c, b.i32(1)));
}

function zf(b: Builder): Value {
  return b.eqz(b.get(result));
}

/** Bit 31 is SF, bits 7..0 have the parity of PF. */
function signWord(b: Builder): Value {
  return b.xor(b.get(result), b.get(signFix));
}

/** 1 when the number of ones in bits 7..0 is odd: PF = 0. */
function odd(b: Builder): Value {
  return b.and(b.op("popcnt", b.and(signWord(b), b.i32(0xff))), b.i32(1));
}

function top(b: Builder, word: Value): Value {
  return b.shrU(word, b.i32(31));
}

const less = (b: Builder) => top(b, b.xor(signWord(b), overflowWord(b)));

/** The sixteen conditions of Jcc, SETcc, CMOVcc without their negations: SDM vol. 1 appendix B. */
const conditions: readonly ((b: Builder) => Value)[] = [
  (b) => top(b, overflowWord(b)), // O
  cf, // B
  zf, // Z
  (b) => b.or(cf(b), zf(b)), // BE
  (b) => top(b, signWord(b)), // S
  (b) => b.eqz(odd(b)), // P
  less, // L
  (b) => b.or(less(b), zf(b)), // LE
];

/** Condition 0..15 as 0 or 1. The order of the words inside is what simplify.ts looks for. */
export function condition(b: Builder, number: number): Value {
  const plain = (conditions[number >> 1] as (b: Builder) => Value)(b);
  return (number & 1) === 0 ? plain : b.eqz(plain);
}

// --- EFLAGS as a whole

/** SF, ZF, AF, PF, CF at their places and bit 1 set, as LAHF has them. */
export function lowFlags(b: Builder): Value {
  const parity = b.shl(b.xor(odd(b), b.i32(1)), b.i32(2));
  const zero = b.shl(zf(b), b.i32(6));
  const sign = b.shl(top(b, signWord(b)), b.i32(7));
  const adjust = b.shl(b.and(b.get(carry), b.i32(8)), b.i32(1));
  return b.or(b.or(b.or(cf(b), b.i32(2)), b.or(parity, adjust)), b.or(zero, sign));
}

/** EFLAGS with all its bits. */
export function readFlags(b: Builder): Value {
  const overflow = b.and(b.shrU(overflowWord(b), b.i32(20)), b.i32(flag.of));
  // DF is kept as a step: -1 has bit 10, 1 has not.
  const direction = b.and(b.get(step), b.i32(flag.df));
  return b.or(b.or(lowFlags(b), overflow), b.or(direction, b.get(eflags)));
}

/** SF, ZF, AF, PF and CF from bits 7..0 of `value`, OF from bit 11. */
export function writeArithmetic(b: Builder, value: Value): void {
  // CF at bit 31, and CF ^ OF at bit 30.
  const c = b.shl(value, b.i32(31));
  const differs = b.and(b.xor(b.shl(value, b.i32(30)), b.shl(value, b.i32(19))), b.i32(0x40000000));
  b.set(carry, b.or(b.or(c, differs), b.and(b.shrU(value, b.i32(1)), b.i32(8))));
  // A result that is 0 where ZF is set, else bit 8; signFix then brings SF and PF.
  b.set(result, b.and(b.shl(b.not(value), b.i32(2)), b.i32(0x100)));
  const parity = b.and(b.shrU(b.not(value), b.i32(2)), b.i32(1));
  b.set(signFix, b.or(b.and(b.shl(value, b.i32(24)), b.i32(0x80000000 | 0)), parity));
}

/** The arithmetic flags and DF from an image, and of the slot `eflags` what the mask names; RF becomes 0. */
export function putFlags(b: Builder, image: Value, before: Value, mask: number): void {
  writeArithmetic(b, image);
  b.set(step, b.sub(b.i32(1), b.and(b.shrU(image, b.i32(9)), b.i32(2))));
  b.set(eflags, b.or(b.and(before, b.i32(~mask)), b.and(image, b.i32(mask & ~Flag.rf))));
}

/** LAHF's counterpart: OF stays. */
export function writeLowFlags(b: Builder, value: Value): void {
  const overflow = b.and(b.shrU(overflowWord(b), b.i32(20)), b.i32(flag.of));
  writeArithmetic(b, b.or(b.and(value, b.i32(0xff)), overflow));
}
