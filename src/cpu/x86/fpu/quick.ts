import type { Builder, Value } from "../../../ir/builder.ts";
import type { QuickWay } from "../../../ir/frontend.ts";
import type { Slot } from "../../../ir/slots.ts";
import { setRelation } from "../flags.ts";
import * as s from "../slots.ts";

/*
 * The quick ways of the x87's helpers: normal numbers at 64 bits of precision, rounded to nearest, every exception masked, registers neither missing nor in
 * the way. That is what compiled code does all day; the helpers do the rest, and are what these are held to.
 */

const significand = (s.fpuSignificand[0] as Slot).offset;
const exponent = (s.fpuExponent[0] as Slot).offset;
const notDone = (b: Builder) => b.i32(-1);
const top63 = 1n << 63n;

const both = (b: Builder, ...conditions: Value[]) => conditions.reduce((x, y) => b.and(x, y));
const long = (b: Builder, word: Value) => b.op("extend_u", word);
const word = (b: Builder, value: Value) => b.op("wrap", value);

/** PC 64 bits, RC to nearest, all exceptions masked. SDM vol. 1 section 8.1.5. */
function usual(b: Builder): Value {
  return b.eq(b.and(b.get(s.fpuControl), b.i32(0xf3f)), b.i32(0x33f));
}

/** Where physical register top + i lies, from the first one on. */
function place(b: Builder, i: Value): Value {
  return b.shl(b.and(b.add(b.get(s.fpuTop), i), b.i32(7)), b.i32(3));
}

function used(b: Builder, at: Value): Value {
  return b.and(b.shrU(b.get(s.fpuUsed), b.shrU(at, b.i32(3))), b.i32(1));
}

interface Operand {
  readonly sig: Value;
  /** Biased. */
  readonly exp: Value;
  /** 0 or 1. */
  readonly sign: Value;
}

function read(b: Builder, at: Value): Operand {
  const e = b.getAt(at, 4, exponent);
  return {
    sig: b.getAt(at, 8, significand),
    exp: b.and(e, b.i32(0x7fff)),
    sign: b.and(b.shrU(e, b.i32(15)), b.i32(1)),
  };
}

function inRange(b: Builder, exp: Value): Value {
  return b.ltU(b.sub(exp, b.i32(1)), b.i32(0x7ffe));
}

/** A normal number: its highest bit is there, and its exponent is neither the least nor the largest. */
function isNormal(b: Builder, { sig, exp }: Operand): Value {
  return b.and(inRange(b, exp), b.ltS(sig, b.i64(0n)));
}

function write(b: Builder, at: Value, { sig, exp, sign }: Operand): void {
  b.setAt(at, 8, sig, significand);
  b.setAt(at, 4, b.or(exp, b.shl(sign, b.i32(15))), exponent);
}

/** PE when something was lost, C1 when the magnitude grew. */
function report(b: Builder, inexact: Value, up: Value): void {
  const kept = b.and(b.get(s.fpuStatus), b.i32(~0x200));
  b.set(s.fpuStatus, b.or(kept, b.or(b.shl(inexact, b.i32(5)), b.shl(up, b.i32(9)))));
}

function pop(b: Builder, count: Value): void {
  const mask = b.shl(b.sub(b.shl(b.i32(1), count), b.i32(1)), b.get(s.fpuTop));
  b.set(s.fpuUsed, b.and(b.get(s.fpuUsed), b.not(b.or(mask, b.shrU(mask, b.i32(8))))));
  b.set(s.fpuTop, b.and(b.add(b.get(s.fpuTop), count), b.i32(7)));
}

/** What an operation gives before it is rounded: 64 bits, the first of them 1, and the 64 bits behind them, of which the last stands for all that follows. */
interface Exact {
  readonly sig: Value;
  readonly rest: Value;
  readonly exp: Value;
  readonly sign: Value;
}

/** Rounds to nearest even, stores and pops, when the exponent is one of a normal number. */
function finish(b: Builder, to: Value, pops: Value, { sig, rest, exp, sign }: Exact): Value {
  const half = b.i64(top63);
  const odd = word(b, b.and(sig, b.i64(1n)));
  const up = b.or(b.op("gt_u", rest, half), b.and(b.eq(rest, half), odd));
  const sum = b.add(sig, long(b, up));
  const carried = b.and(up, b.eqz(sum));
  const rounded = b.or(sum, b.shl(long(b, carried), b.i64(63n)));
  const moved = b.add(exp, carried);
  return b.choose(
    b.and(inRange(b, moved), b.ltS(rounded, b.i64(0n))),
    () => {
      write(b, to, { sig: rounded, exp: moved, sign });
      report(b, b.ne(rest, b.i64(0n)), up);
      pop(b, pops);
      return b.i32(0);
    },
    () => notDone(b),
  );
}

// --- the four operations on normal numbers

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
  const tail = b.select(b.ltU(distance, b.i32(128)), b.or(b.shrU(c, beyond), lowest), b.i64(1n));
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
    sign,
  };
}

interface Wide {
  readonly high: Value;
  readonly low: Value;
}

/** The 128 bits of a product, from four of 64. */
function product(b: Builder, x: Value, y: Value): Wide {
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
function compute(b: Builder, operation: number, x: Operand, y: Operand): Exact {
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

function arithmetic(operation: number): QuickWay {
  return (b, [, i, to, pops]) => {
    const here = place(b, b.i32(0));
    const there = place(b, i as Value);
    const x = read(b, here);
    const y = read(b, there);
    const ready = both(b, usual(b), used(b, here), used(b, there), isNormal(b, x), isNormal(b, y));
    return b.choose(
      ready,
      () => finish(b, b.select(to as Value, there, here), pops as Value, compute(b, operation, x, y)),
      () => notDone(b),
    );
  };
}

/** A binary64 taken apart; `normal` is whether it is one. */
function fromDouble(b: Builder, bits: Value): Operand & { readonly normal: Value } {
  const e = b.and(word(b, b.shrU(bits, b.i64(52n))), b.i32(0x7ff));
  return {
    sig: b.or(b.shl(bits, b.i64(11n)), b.i64(top63)),
    exp: b.add(e, b.i32(0x3fff - 0x3ff)),
    sign: word(b, b.shrU(bits, b.i64(63n))),
    normal: b.ltU(b.sub(e, b.i32(1)), b.i32(0x7fe)),
  };
}

function fromSingle(b: Builder, bits: Value): Operand & { readonly normal: Value } {
  const e = b.and(b.shrU(bits, b.i32(23)), b.i32(0xff));
  return {
    sig: b.or(b.shl(long(b, bits), b.i64(40n)), b.i64(top63)),
    exp: b.add(e, b.i32(0x3fff - 0x7f)),
    sign: b.shrU(bits, b.i32(31)),
    normal: b.ltU(b.sub(e, b.i32(1)), b.i32(0xfe)),
  };
}

/** Not 0, and not the least number there is. */
function fromInteger(b: Builder, value: Value): Operand & { readonly normal: Value } {
  const negative = b.ltS(value, b.i64(0n));
  const magnitude = b.select(negative, b.sub(b.i64(0n), value), value);
  const shift = b.op("clz", magnitude);
  return {
    sig: b.shl(magnitude, shift),
    exp: b.sub(b.i32(0x3fff + 63), word(b, shift)),
    sign: negative,
    normal: b.ne(value, b.i64(0n)),
  };
}

function halves(b: Builder, hi: Value, lo: Value): Value {
  return b.or(b.shl(long(b, hi), b.i64(32n)), long(b, lo));
}

/** ST(0) op what comes from memory. */
function arithmeticWith(
  operation: number,
  operand: (b: Builder, args: readonly Value[]) => Operand & { readonly normal: Value },
): QuickWay {
  return (b, args) => {
    const here = place(b, b.i32(0));
    const x = read(b, here);
    const y = operand(b, args.slice(1));
    return b.choose(
      both(b, usual(b), used(b, here), isNormal(b, x), y.normal),
      () => finish(b, here, b.i32(0), compute(b, operation, x, y)),
      () => notDone(b),
    );
  };
}

// --- loads

/** Pushes a value that needs no rounding, when there is room and `ready` holds. */
function push(b: Builder, ready: Value, { sig, exp, sign }: Operand): Value {
  const there = place(b, b.i32(-1));
  return b.choose(
    b.and(ready, b.eqz(used(b, there))),
    () => {
      write(b, there, { sig, exp, sign });
      b.set(s.fpuUsed, b.or(b.get(s.fpuUsed), b.shl(b.i32(1), b.shrU(there, b.i32(3)))));
      b.set(s.fpuTop, b.shrU(there, b.i32(3)));
      report(b, b.i32(0), b.i32(0));
      return b.i32(0);
    },
    () => notDone(b),
  );
}

/** A number from memory, or +0. */
function load(
  operand: (b: Builder, args: readonly Value[]) => Operand & { readonly normal: Value },
  isZero: (b: Builder, args: readonly Value[]) => Value,
): QuickWay {
  return (b, args) => {
    const v = operand(b, args);
    const zero = isZero(b, args);
    return push(b, b.or(v.normal, zero), {
      sig: b.select(zero, b.i64(0n), v.sig),
      exp: b.select(zero, b.i32(0), v.exp),
      sign: v.sign,
    });
  };
}

const loadRegister: QuickWay = (b, [i]) => {
  const from = place(b, i as Value);
  return push(b, used(b, from), read(b, from));
};

/** FLD1 and FLDZ, which are exact. */
const loadConstant: QuickWay = (b, [n]) => {
  const one = b.eqz(n as Value);
  return push(b, b.or(one, b.eq(n as Value, b.i32(6))), {
    sig: b.select(one, b.i64(top63), b.i64(0n)),
    exp: b.select(one, b.i32(0x3fff), b.i32(0)),
    sign: b.i32(0),
  });
};

const exchange: QuickWay = (b, [i]) => {
  const here = place(b, b.i32(0));
  const there = place(b, i as Value);
  return b.choose(
    b.and(used(b, here), used(b, there)),
    () => {
      const x = read(b, here);
      const y = read(b, there);
      write(b, here, y);
      write(b, there, x);
      report(b, b.i32(0), b.i32(0));
      return b.i32(0);
    },
    () => notDone(b),
  );
};

// --- stores

const storeRegister: QuickWay = (b, [i, pops]) => {
  const here = place(b, b.i32(0));
  const there = place(b, i as Value);
  return b.choose(
    used(b, here),
    () => {
      write(b, there, read(b, here));
      b.set(s.fpuUsed, b.or(b.get(s.fpuUsed), b.shl(b.i32(1), b.shrU(there, b.i32(3)))));
      report(b, b.i32(0), b.i32(0));
      pop(b, pops as Value);
      return b.i32(0);
    },
    () => notDone(b),
  );
};

/** To a binary64 or a binary32: `bits` of significand with the first one, exponents of `exponents` bits. Zeros too. */
function convertReal(bits: number, exponents: number): QuickWay {
  return (b, [, chopped]) => {
    const here = place(b, b.i32(0));
    const x = read(b, here);
    const cut = BigInt(64 - bits);
    const kept = b.shrU(x.sig, b.i64(cut));
    const rest = b.shl(x.sig, b.i64(BigInt(bits)));
    const half = b.i64(top63);
    const odd = word(b, b.and(kept, b.i64(1n)));
    const up = b.or(b.op("gt_u", rest, half), b.and(b.eq(rest, half), odd));
    const most = (1 << exponents) - 1;
    const e = b.sub(x.exp, b.i32(0x3fff - (most >> 1)));
    // A carry goes on into the exponent, which is what it should do; the first bit of the significand is taken away by counting the exponent from 0.
    const number = b.add(b.add(b.shl(long(b, b.sub(e, b.i32(1))), b.i64(BigInt(bits - 1))), kept), long(b, up));
    const reached = word(b, b.shrU(number, b.i64(BigInt(bits - 1))));
    const fits = both(
      b,
      b.ltS(x.sig, b.i64(0n)),
      b.ltU(b.sub(e, b.i32(1)), b.i32(most - 1)),
      b.ltU(reached, b.i32(most)),
    );
    const zero = b.and(b.eqz(x.sig), b.eqz(x.exp));
    return b.choose(
      both(b, usual(b), b.eqz(chopped as Value), used(b, here), b.or(fits, zero)),
      () => {
        const sign = b.shl(long(b, x.sign), b.i64(BigInt(bits + exponents - 1)));
        b.set(s.fpuOut, b.or(b.select(zero, b.i64(0n), number), sign));
        const inexact = b.ne(rest, b.i64(0n));
        b.set(s.fpuRaised, b.or(b.shl(inexact, b.i32(5)), b.shl(up, b.i32(9))));
        return b.i32(1);
      },
      () => notDone(b),
    );
  };
}

/** Nothing but PE was raised, and that is masked. */
const stored: QuickWay = (b, [pops]) => {
  const raised = b.get(s.fpuRaised);
  return b.choose(
    b.and(usual(b), b.eqz(b.and(raised, b.i32(~0x220)))),
    () => {
      b.set(s.fpuStatus, b.or(b.and(b.get(s.fpuStatus), b.i32(~0x200)), raised));
      pop(b, pops as Value);
      return b.i32(0);
    },
    () => notDone(b),
  );
};

// --- comparisons

/** x < y and x = y, of normal numbers and zeros. */
function relation(b: Builder, x: Operand, y: Operand): { readonly less: Value; readonly equal: Value } {
  const same = b.and(b.eq(x.exp, y.exp), b.eq(x.sig, y.sig));
  const zeros = b.and(b.eqz(x.sig), b.eqz(y.sig));
  const smaller = b.or(b.ltU(x.exp, y.exp), b.and(b.eq(x.exp, y.exp), b.ltU(x.sig, y.sig)));
  const differ = b.ne(x.sign, y.sign);
  const magnitude = b.select(x.sign, b.eqz(b.or(smaller, same)), smaller);
  return {
    less: b.and(b.eqz(zeros), b.select(differ, x.sign, magnitude)),
    equal: b.or(zeros, b.and(b.eqz(differ), same)),
  };
}

function comparable(b: Builder, v: Operand): Value {
  return b.or(isNormal(b, v), b.and(b.eqz(v.sig), b.eqz(v.exp)));
}

function comparing(
  then: (b: Builder, less: Value, equal: Value) => void,
): (b: Builder, i: Value, pops: Value) => Value {
  return (b, i, pops) => {
    const here = place(b, b.i32(0));
    const there = place(b, i);
    const x = read(b, here);
    const y = read(b, there);
    return b.choose(
      both(b, usual(b), used(b, here), used(b, there), comparable(b, x), comparable(b, y)),
      () => {
        const { less, equal } = relation(b, x, y);
        then(b, less, equal);
        pop(b, pops);
        return b.i32(0);
      },
      () => notDone(b),
    );
  };
}

/** C3 and C0; C2 and C1 are 0. */
const toConditions = comparing((b, less, equal) => {
  const kept = b.and(b.get(s.fpuStatus), b.i32(~0x4700));
  b.set(s.fpuStatus, b.or(kept, b.or(b.shl(less, b.i32(8)), b.shl(equal, b.i32(14)))));
});

/** C1 stays. */
const toFlags = comparing(setRelation);

// --- ST(0) alone

/** FCHS and FABS; and FSQRT of a positive normal number. */
const unary: QuickWay = (b, [n]) => {
  const here = place(b, b.i32(0));
  return b.choose(
    used(b, here),
    () =>
      b.choose(
        b.ltU(n as Value, b.i32(2)),
        () => {
          const e = b.getAt(here, 4, exponent);
          b.setAt(here, 4, b.select(n as Value, b.and(e, b.i32(0x7fff)), b.xor(e, b.i32(0x8000))), exponent);
          report(b, b.i32(0), b.i32(0));
          return b.i32(0);
        },
        () => root(b, n as Value, here),
      ),
    () => notDone(b),
  );
};

/**
 * The square root from that of the nearest binary64, mended by what its square lacks: the guess is right to 53 bits, so one step by Newton makes it right
 * but for one in the last place, and two comparisons see to that.
 */
function root(b: Builder, n: Value, here: Value): Value {
  const x = read(b, here);
  return b.choose(
    both(b, usual(b), b.eq(n, b.i32(0x1a)), isNormal(b, x), b.eqz(x.sign)),
    () => {
      // The radicand is m * 2^64 with m of 63 or 64 bits, so that the exponent is even and the root has 64 bits.
      const odd = b.and(x.exp, b.i32(1));
      const m = b.select(odd, b.shrU(x.sig, b.i64(1n)), x.sig);
      const dropped = b.select(odd, b.shl(x.sig, b.i64(63n)), b.i64(0n));
      const near = b.op("fto_u", b.op("fmul", b.op("fsqrt", b.op("ffrom_u", m)), b.i64(0x41f0_0000_0000_0000n)));
      const guess = b.or(near, b.i64(top63));
      const square = product(b, guess, guess);
      const low = b.sub(dropped, square.low);
      const high = b.sub(b.sub(m, square.high), long(b, b.ltU(dropped, square.low)));
      // (high : low) is small: 2^13 times the root at most. Half of it over the root, to the nearest.
      const gap = b.op(
        "fadd",
        b.op("fmul", b.op("ffrom_s", high), b.i64(0x43f0_0000_0000_0000n)),
        b.op("ffrom_u", low),
      );
      const step = b.op(
        "fto_s",
        b.op("fdiv", b.op("fmul", gap, b.i64(0x3fe0_0000_0000_0000n)), b.op("ffrom_u", guess)),
      );
      const better = b.add(guess, step);
      const again = product(b, better, better);
      const restLow = b.sub(dropped, again.low);
      const restHigh = b.sub(b.sub(m, again.high), long(b, b.ltU(dropped, again.low)));
      // The rest must be 0 to 2 * root for the root to be the largest whose square fits.
      const less = b.ltS(restHigh, b.i64(0n));
      const down = long(b, less);
      const lowered = b.sub(better, down);
      const twice = b.add(b.add(lowered, lowered), b.i64(1n));
      const low1 = b.select(less, b.add(restLow, twice), restLow);
      const high1 = b.select(
        less,
        b.add(b.add(restHigh, b.shrU(lowered, b.i64(63n))), long(b, b.ltU(low1, twice))),
        restHigh,
      );
      const over = b.or(
        b.or(b.op("gt_s", high1, b.i64(1n)), b.ltS(high1, b.i64(0n))),
        b.and(b.eq(high1, b.i64(1n)), b.op("gt_u", low1, b.shl(lowered, b.i64(1n)))),
      );
      const exact = b.and(b.eqz(high1), b.eqz(low1));
      // Above root + 1/2 when the rest is above the root, since it is whole: never half.
      const above = b.or(b.ne(high1, b.i64(0n)), b.op("gt_u", low1, lowered));
      const exp = b.shrU(b.add(x.exp, b.i32(0x3fff)), b.i32(1));
      return b.choose(
        b.or(over, b.op("ge_s", lowered, b.i64(0n))),
        () => notDone(b),
        () =>
          finish(b, here, b.i32(0), {
            sig: lowered,
            rest: b.select(exact, b.i64(0n), b.select(above, b.i64(top63 | 1n), b.i64(1n))),
            exp,
            sign: b.i32(0),
          }),
      );
    },
    () => notDone(b),
  );
}

const operations = [0, 1, 4, 5, 6, 7] as const;

const double = (b: Builder, [hi, lo]: readonly Value[]) => fromDouble(b, halves(b, hi as Value, lo as Value));
const single = (b: Builder, [bits]: readonly Value[]) => fromSingle(b, bits as Value);
const integer = (b: Builder, [value]: readonly Value[]) => fromInteger(b, b.op("extend_s", value as Value));
const longInteger = (b: Builder, [hi, lo]: readonly Value[]) => fromInteger(b, halves(b, hi as Value, lo as Value));

/** By the helper's name, and, where its first argument tells what to do, by that as well. */
export const quickFpu: Readonly<Record<string, QuickWay>> = {
  ...Object.fromEntries(
    operations.flatMap((n) => [
      [`fpuArithmetic/${n}`, arithmetic(n)],
      [`fpuArithmeticDouble/${n}`, arithmeticWith(n, double)],
      [`fpuArithmeticSingle/${n}`, arithmeticWith(n, single)],
      [`fpuArithmeticInteger/${n}`, arithmeticWith(n, integer)],
    ]),
  ),
  "fpuArithmetic/2": (b, [, i, , pops]) => toConditions(b, i as Value, pops as Value),
  "fpuArithmetic/3": (b, [, i, , pops]) => toConditions(b, i as Value, pops as Value),
  fpuCompareQuiet: (b, [i, pops]) => toConditions(b, i as Value, pops as Value),
  fpuCompareFlags: (b, [i, , pops]) => toFlags(b, i as Value, pops as Value),
  fpuLoadDouble: load(double, (b, [hi, lo]) => b.eqz(b.or(b.and(hi as Value, b.i32(0x7fff_ffff)), lo as Value))),
  fpuLoadSingle: load(single, (b, [bits]) => b.eqz(b.and(bits as Value, b.i32(0x7fff_ffff)))),
  fpuLoadInteger: load(longInteger, (b, [hi, lo]) => b.eqz(b.or(hi as Value, lo as Value))),
  fpuLoadRegister: loadRegister,
  fpuLoadConstant: loadConstant,
  fpuExchange: exchange,
  fpuStoreRegister: storeRegister,
  "fpuConvert/0": convertReal(24, 8),
  "fpuConvert/1": convertReal(53, 11),
  fpuStored: stored,
  fpuUnary: unary,
};
