import type { Builder, Value } from "../../ir/builder.ts";
import { setCarryAndOverflow, signed, unsigned } from "./flags.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";
import { eax, edx } from "./slots.ts";

/*
 * Multiplication and division. SF, ZF, AF and PF are undefined after the first and all flags after the second: they stay, but AF, which
 * shares its word with CF and OF.
 */

const low = eax.offset;
const high = edx.offset;

/** Writes a product or a dividend's two halves: AX, or DX:AX, or EDX:EAX. */
function setPair(i: Instruction, product: Value): void {
  const { b } = i;
  const width = i.width(0);
  if (width === 4) {
    b.setAt(b.i32(low), 4, b.op("wrap", product));
    b.setAt(b.i32(high), 4, b.op("wrap", b.shrU(product, b.i64(32n))));
  } else if (width === 2) {
    b.setAt(b.i32(low), 2, product);
    b.setAt(b.i32(high), 2, b.shrU(product, b.i32(16)));
  } else {
    b.setAt(b.i32(low), 2, product);
  }
}

/** The accumulator, as wide as the operand. */
function accumulator(i: Instruction): Value {
  return i.b.getAt(i.b.i32(low), i.width(0));
}

export const mul: Body = (i) => {
  const { b } = i;
  const width = i.width(0);
  if (width === 4) {
    const product = b.mul(b.op("extend_u", accumulator(i)), b.op("extend_u", i.read(0)));
    setPair(i, product);
    setCarryAndOverflow(b, b.ne(b.shrU(product, b.i64(32n)), b.i64(0n)));
  } else {
    const product = b.mul(accumulator(i), i.read(0));
    setPair(i, product);
    setCarryAndOverflow(b, b.ne(b.shrU(product, b.i32(8 * width)), b.i32(0)));
  }
};

/** IMUL with one operand. */
export const imul: Body = (i) => {
  const { b } = i;
  const width = i.width(0);
  if (width === 4) {
    const product = b.mul(b.op("extend_s", accumulator(i)), b.op("extend_s", i.read(0)));
    setPair(i, product);
    setCarryAndOverflow(b, b.ne(product, b.op("extend_s", b.op("wrap", product))));
  } else {
    const product = b.mul(signed(b, width, accumulator(i)), i.signed(0));
    setPair(i, product);
    setCarryAndOverflow(b, b.ne(product, signed(b, width, product)));
  }
};

/** IMUL with a destination register: the product of the last two operands is cut, and CF and OF say whether that lost something. */
export const imulTo: Body = (i) => {
  const { b } = i;
  const sources = i.row.operands.length - 2;
  const x = i.signed(sources);
  const y = i.signed(sources + 1);
  const product = b.mul(x, y);
  let lost: Value;
  if (i.size === 4) {
    const whole = b.mul(b.op("extend_s", x), b.op("extend_s", y));
    lost = b.ne(whole, b.op("extend_s", product));
  } else {
    lost = b.ne(product, b.sext16(product));
  }
  i.write(0, product);
  setCarryAndOverflow(b, lost);
};

/** #DE where `wrong` is not 0. */
function refuse(i: Instruction, wrong: Value): void {
  i.b.if(wrong, () => i.exit("raise", i.b.i32(0)));
}

/** EDX:EAX as 64 bits. */
function longDividend(b: Builder): Value {
  return b.or(b.shl(b.op("extend_u", b.getAt(b.i32(high), 4)), b.i64(32n)), b.op("extend_u", b.getAt(b.i32(low), 4)));
}

/** AX, or DX:AX. */
function shortDividend(i: Instruction): Value {
  const { b } = i;
  const word = b.getAt(b.i32(low), 2);
  return i.width(0) === 1 ? word : b.or(b.shl(b.getAt(b.i32(high), 2), b.i32(16)), word);
}

function setQuotient(i: Instruction, quotient: Value, remainder: Value): void {
  const { b } = i;
  const width = i.width(0);
  b.setAt(b.i32(low), width, quotient);
  b.setAt(b.i32(width === 1 ? low + 1 : high), width, remainder);
}

export const div: Body = (i) => {
  const { b } = i;
  const width = i.width(0);
  const divisor = i.read(0);
  if (width === 4) {
    const long = b.op("extend_u", divisor);
    // The quotient fits exactly when the upper half is smaller than the divisor; a divisor of 0 is refused by the same test.
    refuse(i, b.op("ge_u", b.getAt(b.i32(high), 4), divisor));
    const dividend = longDividend(b);
    setQuotient(i, b.op("wrap", b.op("div_u", dividend, long)), b.op("wrap", b.op("rem_u", dividend, long)));
    return;
  }
  const dividend = shortDividend(i);
  refuse(i, b.op("ge_u", b.shrU(dividend, b.i32(8 * width)), divisor));
  setQuotient(i, b.op("div_u", dividend, divisor), b.op("rem_u", dividend, divisor));
};

export const idiv: Body = (i) => {
  const { b } = i;
  const width = i.width(0);
  const divisor = i.signed(0);
  if (width === 4) {
    const dividend = longDividend(b);
    const long = b.op("extend_s", divisor);
    // -2^63 / -1 has no 64-bit quotient, and 0 divides nothing: neither may reach the division.
    refuse(i, b.or(b.eqz(divisor), b.and(b.eq(dividend, b.i64(-(1n << 63n))), b.eq(divisor, b.i32(-1)))));
    const quotient = b.op("div_s", dividend, long);
    refuse(i, b.ne(quotient, b.op("extend_s", b.op("wrap", quotient))));
    setQuotient(i, b.op("wrap", quotient), b.op("wrap", b.op("rem_s", dividend, long)));
    return;
  }
  const dividend = signed(b, width === 1 ? 2 : 4, shortDividend(i));
  refuse(i, b.or(b.eqz(divisor), b.and(b.eq(dividend, b.i32(0x80000000 | 0)), b.eq(divisor, b.i32(-1)))));
  const quotient = b.op("div_s", dividend, divisor);
  refuse(i, b.ne(quotient, signed(b, width, quotient)));
  setQuotient(i, quotient, b.op("rem_s", dividend, divisor));
};

// --- the ASCII adjustments of AX after a multiplication and before a division: vol. 2, AAM, AAD

/** AAM: AL divided by the immediate, quotient to AH, remainder to AL. */
export function splitAl(i: Instruction): Value {
  const { b } = i;
  const divisor = i.read(0);
  refuse(i, b.eqz(divisor));
  const al = b.getAt(b.i32(low), 1);
  const remainder = b.op("rem_u", al, divisor);
  b.setAt(b.i32(low + 1), 1, b.op("div_u", al, divisor));
  b.setAt(b.i32(low), 1, remainder);
  return b.sext8(remainder);
}

/** AAD: AL + AH * immediate to AL, 0 to AH. */
export function joinAx(i: Instruction): Value {
  const { b } = i;
  const product = b.mul(b.getAt(b.i32(low + 1), 1), i.read(0));
  const value = unsigned(b, 1, b.add(b.getAt(b.i32(low), 1), product));
  b.setAt(b.i32(low), 2, value);
  return b.sext8(value);
}
