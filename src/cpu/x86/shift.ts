import type { Builder, Value } from "../../ir/builder.ts";
import { cf, setResult, signed, unsigned, type Width } from "./flags.ts";
import type { Body } from "./pattern.ts";
import { carry } from "./slots.ts";

/*
 * Shifts and rotates: SDM vol. 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD. The count is taken mod 32; with 0 nothing changes,
 * not even flags. OF is defined for a count of 1 only, and the same formula is used for the others. In the carry word CF is bit 31
 * and CF ^ OF bit 30: for a left shift these are the last bit to leave and the new top bit, neighbours in the operand shifted by one
 * less, which is why that is the carry word.
 */

interface Shifted {
  readonly value: Value;
  readonly carry: Value;
}

/** `x` is zero-extended, `n` is 1..31. */
type Shift = (b: Builder, width: Width, x: Value, n: Value) => Shifted;

const upper = { 1: 24, 2: 16, 4: 0 } as const;

/** Bits 31 and 30 both from bit 0 of `word`: CF without OF. */
function both(b: Builder, word: Value): Value {
  return b.shrS(b.shl(word, b.i32(31)), b.i32(1));
}

const left: Shift = (b, width, x, n) => {
  const before = b.shl(x, b.sub(n, b.i32(1)));
  return { value: signed(b, width, b.shl(before, b.i32(1))), carry: b.shl(before, b.i32(upper[width])) };
};

/** SHR: OF is the old top bit, which has become the second. */
const right: Shift = (b, width, x, n) => {
  const before = b.shrU(x, b.sub(n, b.i32(1)));
  const value = b.shrU(before, b.i32(1));
  return { value, carry: b.xor(both(b, before), b.shl(value, b.i32(upper[width]))) };
};

const rightSigned: Shift = (b, width, x, n) => {
  const before = b.shrS(signed(b, width, x), b.sub(n, b.i32(1)));
  return { value: b.shrS(before, b.i32(1)), carry: both(b, before) };
};

/** A shift by operand 1: its result decides SF, ZF and PF. */
function shift(how: Shift): Body {
  return (i) => {
    const { b } = i;
    const x = i.modify(0);
    const n = b.and(i.read(1), b.i32(31));
    b.if(n, () => {
      const shifted = how(b, i.width(0), x, n);
      i.write(0, shifted.value);
      b.set(carry, shifted.carry);
      setResult(b, shifted.value);
    });
  };
}

/** A rotate by operand 1: only CF and OF change. */
function rotate(how: Shift): Body {
  return (i) => {
    const { b } = i;
    const x = i.modify(0);
    const n = b.and(i.read(1), b.i32(31));
    b.if(n, () => {
      const rotated = how(b, i.width(0), x, n);
      i.write(0, rotated.value);
      b.set(carry, b.or(b.and(rotated.carry, b.i32(~8)), b.and(b.get(carry), b.i32(8))));
    });
  };
}

/** The operand side by side until 32 bits are full: a rotate of that is a rotate of each. */
function repeated(b: Builder, width: Width, x: Value): Value {
  return width === 4 ? x : b.mul(x, b.i32(width === 1 ? 0x01010101 : 0x00010001));
}

/** CF is the bit that came in at the bottom, OF whether it differs from the top. */
const rotateLeft: Shift = (b, width, x, n) => {
  const value = b.op("rotl", repeated(b, width, x), n);
  return { value, carry: b.op("rotr", value, b.i32(1)) };
};

/** CF is the new top bit, OF whether it differs from the one below. */
const rotateRight: Shift = (b, width, x, n) => {
  const value = b.op("rotr", repeated(b, width, x), n);
  return { value, carry: value };
};

/**
 * RCL and RCR: CF stands above the operand, and the 9, 17 or 33 bits turn together, in 64 bits, by `n` mod 9, 17 or 33
 * (SDM: the count is masked to 5 bits first).
 */
function throughCarry(direction: "left" | "right"): Shift {
  return (b, width, x, n) => {
    const bits = 8 * width;
    const long = (value: Value) => b.op("extend_u", value);
    const size = b.i32(bits + 1);
    const turns = width === 4 ? n : b.op("rem_u", n, size);
    const whole = b.or(long(x), b.shl(long(cf(b)), b.i64(BigInt(bits))));
    const up = long(direction === "left" ? turns : b.sub(size, turns));
    const down = long(direction === "left" ? b.sub(size, turns) : turns);
    const turned = b.or(b.shl(whole, up), b.shrU(whole, down));
    const value = unsigned(b, width, b.op("wrap", turned));
    const out = b.and(b.op("wrap", b.shrU(turned, b.i64(BigInt(bits)))), b.i32(1));
    const placed = b.shl(value, b.i32(upper[width]));
    // RCL: OF = CF ^ top bit. RCR: OF = top bit ^ the one below, from which CF ^ OF follows.
    const below = b.shrU(placed, b.i32(1));
    const flag = b.shl(out, b.i32(31));
    if (direction === "left") return { value, carry: b.or(flag, b.and(below, b.i32(0x40000000))) };
    const top = b.and(b.xor(b.shrU(flag, b.i32(1)), b.xor(below, placed)), b.i32(0x40000000));
    return { value, carry: b.or(flag, top) };
  };
}

export const shl = shift(left);
export const shr = shift(right);
export const sar = shift(rightSigned);
export const rol = rotate(rotateLeft);
export const ror = rotate(rotateRight);
export const rcl = rotate(throughCarry("left"));
export const rcr = rotate(throughCarry("right"));

/** SHLD: operand 1 comes in from the right. 16-bit operands with a count above 16 are undefined: here the pair turns. */
const leftDouble = (b: Builder, width: Width, x: Value, y: Value, n: Value): Shifted => {
  if (width === 2) {
    const pair = b.or(b.shl(x, b.i32(16)), y);
    const before = b.op("rotl", pair, b.sub(n, b.i32(1)));
    return { value: b.sext16(b.shrU(b.op("rotl", before, b.i32(1)), b.i32(16))), carry: before };
  }
  const before = b.shl(x, b.sub(n, b.i32(1)));
  return { value: b.or(b.shl(before, b.i32(1)), b.shrU(y, b.sub(b.i32(32), n))), carry: before };
};

/** SHRD: operand 1 comes in from the left. OF: whether the sign changed. */
const rightDouble = (b: Builder, width: Width, x: Value, y: Value, n: Value): Shifted => {
  const before =
    width === 2 ? b.op("rotr", b.or(b.shl(y, b.i32(16)), x), b.sub(n, b.i32(1))) : b.shrU(x, b.sub(n, b.i32(1)));
  const value =
    width === 2
      ? b.sext16(b.op("rotr", before, b.i32(1)))
      : b.or(b.shrU(before, b.i32(1)), b.shl(y, b.sub(b.i32(32), n)));
  const sign = b.shl(b.xor(value, x), b.i32(upper[width]));
  return { value, carry: b.xor(both(b, before), b.and(b.shrU(sign, b.i32(1)), b.i32(0x40000000))) };
};

function double(how: typeof leftDouble): Body {
  return (i) => {
    const { b } = i;
    const x = i.modify(0);
    const n = b.and(i.read(2), b.i32(31));
    b.if(n, () => {
      const shifted = how(b, i.width(0), x, i.read(1), n);
      i.write(0, shifted.value);
      b.set(carry, shifted.carry);
      setResult(b, shifted.value);
    });
  };
}

export const shld = double(leftDouble);
export const shrd = double(rightDouble);
