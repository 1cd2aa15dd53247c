import type { Builder, Value } from "../../../ir/builder.ts";

/*
 * The arithmetic of the quick ways: normal numbers of 64 bits as IR, exact to 128 bits, before they are rounded.
 */

export const top63 = 1n << 63n;
export const long = (b: Builder, word: Value) => b.op("extend_u", word);
export const word = (b: Builder, value: Value) => b.op("wrap", value);
export interface Operand {
  readonly sig: Value;
  /** Biased. */
  readonly exp: Value;
  /** 0 or 1. */
  readonly sign: Value;
}

/** What an operation gives before it is rounded: 64 bits, the first of them 1 unless it is zero, and the 64 bits behind them, of which the last stands for all that follows. */
export interface Exact {
  readonly sig: Value;
  readonly rest: Value;
  readonly exp: Value;
  readonly sign: Value;
}

/** Whether the nearest, or the even one of two, is a unit above what is kept: `rest` is 64 bits of what is behind it. */
export function roundsUp(b: Builder, kept: Value, rest: Value): Value {
  const half = b.i64(top63);
  const odd = word(b, b.and(kept, b.i64(1n)));
  return b.or(b.op("gt_u", rest, half), b.and(b.eq(rest, half), odd));
}

// --- the four operations on normal numbers and zeros

/** The magnitude of the larger plus or minus that of the smaller. */
function sum(b: Builder, x: Operand, y: Operand): Exact {
  const swap = b.or(b.ltU(x.exp, y.exp), b.and(b.eq(x.exp, y.exp), b.ltU(x.sig, y.sig)));
  const a = b.select(swap, y.sig, x.sig);
  const c = b.select(swap, x.sig, y.sig);
  const exp = b.select(swap, y.exp, x.exp);
  const sign = b.select(swap, y.sign, x.sign);
  const distance = b.sub(exp, b.select(swap, x.exp, y.exp));
  const far = long(b, distance);
  const near = b.ltU(distance, b.i32(64));
  const low = b.select(near, b.shrU(c, far), b.i64(0n));
  // What is moved out, of which the last bit stands for all that is moved out of that too.
  const beyond = b.sub(far, b.i64(64n));
  const lowest = long(b, b.ne(b.shl(c, b.sub(b.i64(64n), beyond)), b.i64(0n)));
  const all = long(b, b.ne(c, b.i64(0n)));
  const tail = b.select(b.ltU(distance, b.i32(128)), b.or(b.shrU(c, beyond), lowest), all);
  const cut = b.select(near, b.shl(c, b.sub(b.i64(64n), far)), b.select(b.eq(distance, b.i32(64)), c, tail));
  const rest = b.select(distance, cut, b.i64(0n));
  const differ = b.xor(x.sign, y.sign);
  const total = b.add(a, low);
  const carry = b.ltU(total, a);
  const moved = b.or(b.or(b.shl(total, b.i64(63n)), b.shrU(rest, b.i64(1n))), b.and(rest, b.i64(1n)));
  const lost = long(b, b.ne(rest, b.i64(0n)));
  const difference = b.sub(b.sub(a, low), lost);
  const behind = b.sub(b.i64(0n), rest);
  const shift = b.op("clz", difference);
  const back = b.sub(b.i64(64n), shift);
  const shifts = b.ne(shift, b.i64(0n));
  return {
    sig: b.select(
      differ,
      b.or(b.shl(difference, shift), b.select(shifts, b.shrU(behind, back), b.i64(0n))),
      b.select(carry, b.or(b.shrU(total, b.i64(1n)), b.i64(top63)), total),
    ),
    rest: b.select(differ, b.select(b.eqz(difference), b.i64(0n), b.shl(behind, shift)), b.select(carry, moved, rest)),
    exp: b.add(exp, b.select(differ, b.sub(b.i32(0), word(b, shift)), carry)),
    // What is left of two that are alike is +0.
    sign: b.and(sign, b.eqz(b.and(differ, b.eqz(b.or(difference, rest))))),
  };
}

interface Wide {
  readonly high: Value;
  readonly low: Value;
}

/** The 128 bits of a product, from four of 64. */
export function product(b: Builder, x: Value, y: Value): Wide {
  const mask = b.i64(0xffff_ffffn);
  const by = b.i64(32n);
  const [x0, x1, y0, y1] = [b.and(x, mask), b.shrU(x, by), b.and(y, mask), b.shrU(y, by)];
  const low = b.mul(x0, y0);
  const cross = b.add(b.mul(x1, y0), b.shrU(low, by));
  const middle = b.add(b.mul(x0, y1), b.and(cross, mask));
  return {
    high: b.add(b.add(b.mul(x1, y1), b.shrU(cross, by)), b.shrU(middle, by)),
    low: b.or(b.shl(middle, by), b.and(low, mask)),
  };
}

function times(b: Builder, x: Operand, y: Operand): Exact {
  const { high, low } = product(b, x.sig, y.sig);
  const tall = b.ltS(high, b.i64(0n));
  return {
    sig: b.select(tall, high, b.or(b.shl(high, b.i64(1n)), b.shrU(low, b.i64(63n)))),
    rest: b.select(tall, low, b.shl(low, b.i64(1n))),
    exp: b.add(b.sub(b.add(x.exp, y.exp), b.i32(0x3fff)), tall),
    sign: b.xor(x.sign, y.sign),
  };
}

interface Digit {
  readonly digit: Value;
  readonly rest: Value;
}

/** One digit of 32 bits of (rest : next) / y, by Knuth's algorithm D (The Art of Computer Programming, vol. 2, 4.3.1): the guess is too large by two at most. */
function digit(b: Builder, rest: Value, next: Value, y: Value): Digit {
  const by = b.i64(32n);
  const high = b.shrU(y, by);
  const guess = b.op("div_u", rest, high);
  // rest * 2^32 + next - guess * y, in 128 bits: when it is negative the guess was too large.
  const taken = product(b, guess, y);
  const low0 = b.or(b.shl(rest, by), next);
  const left = b.sub(low0, taken.low);
  const above = b.sub(b.sub(b.shrU(rest, by), taken.high), long(b, b.ltU(low0, taken.low)));
  const under = b.ltS(above, b.i64(0n));
  const left1 = b.select(under, b.add(left, y), left);
  const above1 = b.select(under, b.add(above, long(b, b.ltU(left1, y))), above);
  const twice = b.and(under, b.ltS(above1, b.i64(0n)));
  return {
    digit: b.sub(b.sub(guess, long(b, under)), long(b, twice)),
    rest: b.select(twice, b.add(left1, y), left1),
  };
}

function quotient(b: Builder, x: Operand, y: Operand): Exact {
  // The dividend is x / 2 where x is not below y, so that the first digit fits.
  const large = b.op("ge_u", x.sig, y.sig);
  const halved = b.select(large, b.shrU(x.sig, b.i64(1n)), x.sig);
  const lowest = b.select(large, b.shl(b.and(x.sig, b.i64(1n)), b.i64(31n)), b.i64(0n));
  const first = digit(b, halved, lowest, y.sig);
  const second = digit(b, first.rest, b.i64(0n), y.sig);
  // The rest is compared with half of the divisor, which is what rounding wants to know of it.
  const twice = b.shl(second.rest, b.i64(1n));
  const over = b.or(b.ltS(second.rest, b.i64(0n)), b.op("gt_u", twice, y.sig));
  const exact = b.eqz(second.rest);
  const half = b.and(b.eqz(over), b.eq(twice, y.sig));
  return {
    sig: b.or(b.shl(first.digit, b.i64(32n)), second.digit),
    rest: b.select(exact, b.i64(0n), b.select(half, b.i64(top63), b.select(over, b.i64(top63 | 1n), b.i64(1n)))),
    exp: b.add(b.sub(x.exp, y.exp), b.add(b.i32(0x3ffe), large)),
    sign: b.xor(x.sign, y.sign),
  };
}

/** The operations by the number that opcodes have. */
export function compute(b: Builder, operation: number, x: Operand, y: Operand): Exact {
  const negative = (v: Operand): Operand => ({ ...v, sign: b.xor(v.sign, b.i32(1)) });
  switch (operation) {
    case 0:
      return sum(b, x, y);
    case 1:
      return times(b, x, y);
    case 4:
      return sum(b, x, negative(y));
    case 5:
      return sum(b, y, negative(x));
    case 6:
      return quotient(b, x, y);
    default:
      return quotient(b, y, x);
  }
}

/** What was taken apart, and whether it is a normal number or zero. */
export interface Loaded extends Operand {
  readonly plain: Value;
}

function loaded(b: Builder, v: Operand, normal: Value, zero: Value): Loaded {
  return {
    sig: b.select(zero, b.i64(0n), v.sig),
    exp: b.select(zero, b.i32(0), v.exp),
    sign: v.sign,
    plain: b.or(normal, zero),
  };
}

export function fromDouble(b: Builder, bits: Value): Loaded {
  const e = b.and(word(b, b.shrU(bits, b.i64(52n))), b.i32(0x7ff));
  const number = {
    sig: b.or(b.shl(bits, b.i64(11n)), b.i64(top63)),
    exp: b.add(e, b.i32(0x3fff - 0x3ff)),
    sign: word(b, b.shrU(bits, b.i64(63n))),
  };
  return loaded(b, number, b.ltU(b.sub(e, b.i32(1)), b.i32(0x7fe)), b.eqz(b.shl(bits, b.i64(1n))));
}

export function fromSingle(b: Builder, bits: Value): Loaded {
  const e = b.and(b.shrU(bits, b.i32(23)), b.i32(0xff));
  const number = {
    sig: b.or(b.shl(long(b, bits), b.i64(40n)), b.i64(top63)),
    exp: b.add(e, b.i32(0x3fff - 0x7f)),
    sign: b.shrU(bits, b.i32(31)),
  };
  return loaded(b, number, b.ltU(b.sub(e, b.i32(1)), b.i32(0xfe)), b.eqz(b.shl(bits, b.i32(1))));
}

export function fromInteger(b: Builder, value: Value): Loaded {
  const negative = b.ltS(value, b.i64(0n));
  const magnitude = b.select(negative, b.sub(b.i64(0n), value), value);
  const shift = b.op("clz", magnitude);
  const zero = b.eqz(value);
  return {
    sig: b.select(zero, b.i64(0n), b.shl(magnitude, shift)),
    exp: b.select(zero, b.i32(0), b.sub(b.i32(0x3fff + 63), word(b, shift))),
    sign: negative,
    plain: b.i32(1),
  };
}

export function halves(b: Builder, hi: Value, lo: Value): Value {
  return b.or(b.shl(long(b, hi), b.i64(32n)), long(b, lo));
}
