import type { Value } from "../../ir/builder.ts";
import { cf, setAdd, setIncDec, setLogic, setSub, setZero, signed } from "./flags.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";
import { eax } from "./slots.ts";

/*
 * Addition, subtraction, logic. Operands come sign-extended, so that the flags of all widths follow from 32-bit words; a result is
 * stored first, since the store may fault, and then the flags change.
 */

function sum(carryIn: boolean): Body {
  return (i) => {
    const { b } = i;
    const x = i.modifySigned(0);
    const y = i.signed(1);
    const plain = b.add(x, y);
    const value = carryIn ? b.add(plain, cf(b)) : plain;
    i.write(0, value);
    setAdd(b, i.width(0), x, y, value);
  };
}

function difference(borrowIn: boolean): Body {
  return (i) => {
    const { b } = i;
    const x = i.modifySigned(0);
    const y = i.signed(1);
    const plain = b.sub(x, y);
    const value = borrowIn ? b.sub(plain, cf(b)) : plain;
    i.write(0, value);
    setSub(b, i.width(0), x, y, value);
  };
}

function logic(op: "and" | "or" | "xor"): Body {
  return (i) => {
    const value = i.b.op(op, i.modifySigned(0), i.signed(1));
    i.write(0, value);
    // Both operands were sign-extended, so the result is.
    setLogic(i.b, 4, value);
  };
}

export const add = sum(false);
export const adc = sum(true);
export const sub = difference(false);
export const sbb = difference(true);
export const and = logic("and");
export const or = logic("or");
export const xor = logic("xor");

export const cmp: Body = (i) => {
  const x = i.signed(0);
  const y = i.signed(1);
  setSub(i.b, i.width(0), x, y, i.b.sub(x, y));
};

export const test: Body = (i) => setLogic(i.b, 4, i.b.and(i.signed(0), i.signed(1)));

export const inc: Body = (i) => {
  const x = i.modifySigned(0);
  const value = i.b.add(x, i.b.i32(1));
  i.write(0, value);
  setIncDec(i.b, i.width(0), "carries", x, value);
};

export const dec: Body = (i) => {
  const x = i.modifySigned(0);
  const value = i.b.sub(x, i.b.i32(1));
  i.write(0, value);
  setIncDec(i.b, i.width(0), "borrows", x, value);
};

export const not: Body = (i) => i.write(0, i.b.not(i.modify(0)));

export const neg: Body = (i) => {
  const { b } = i;
  const x = i.modifySigned(0);
  const value = b.sub(b.i32(0), x);
  i.write(0, value);
  setSub(b, i.width(0), b.i32(0), x, value);
};

/** XADD: the sum goes to operand 0, what was there to operand 1. */
export const xadd: Body = (i) => {
  const { b } = i;
  const x = i.modifySigned(0);
  const y = i.signed(1);
  const value = b.add(x, y);
  i.writeBoth(0, value, 1, x);
  setAdd(b, i.width(0), x, y, value);
};

/** CMPXCHG: the destination is written in any case, as the SDM has it: with the source, or with itself. */
export const cmpxchg: Body = (i) => {
  const { b } = i;
  const old = i.modifySigned(0);
  const accumulator = accumulatorSigned(i);
  const value = b.sub(accumulator, old);
  const equal = b.eq(accumulator, old);
  const written = b.select(equal, i.read(1), old);
  const loaded = b.select(equal, accumulator, old);
  if (i.inMemory(0)) {
    i.write(0, written);
    b.setAt(b.i32(eax.offset), i.width(0), loaded);
  } else {
    b.setAt(b.i32(eax.offset), i.width(0), loaded);
    i.write(0, written);
  }
  setSub(b, i.width(0), accumulator, old, value);
};

function accumulatorSigned(i: Instruction): Value {
  return signed(i.b, i.width(0), i.b.getAt(i.b.i32(eax.offset), i.width(0)));
}

/** CMPXCHG8B: EDX:EAX against 8 bytes of memory; only ZF changes. */
export const cmpxchg8b: Body = (i) => {
  const { b } = i;
  const [low, , high, source] = [0, 1, 2, 3].map((k) => b.i32(eax.offset + 8 * k)) as [Value, Value, Value, Value];
  const pair = (upper: Value, lower: Value) =>
    b.op("or", b.op("shl", b.op("extend_u", b.getAt(upper, 4)), b.i64(32n)), b.op("extend_u", b.getAt(lower, 4)));
  const counter = b.i32(eax.offset + 8);
  const at = i.linear(0, 8, 0, "write");
  const old = b.loadRw(8, at);
  const expected = pair(high, low);
  const equal = b.op("eq", expected, old);
  b.store(8, at, b.select(equal, pair(counter, source), old));
  const now = b.select(equal, expected, old);
  b.setAt(low, 4, b.op("wrap", now));
  b.setAt(high, 4, b.op("wrap", b.op("shr_u", now, b.i64(32n))));
  setZero(b, equal);
};
