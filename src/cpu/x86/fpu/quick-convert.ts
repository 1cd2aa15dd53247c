import type { Builder, Value } from "../../../ir/builder.ts";
import { notDone, type QuickWay } from "../../../ir/frontend.ts";
import * as s from "../slots.ts";
import { long, roundsUp, word } from "./quick-numbers.ts";
import { both, exponent, isPlain, masked, place, read, used, usual } from "./quick-stack.ts";

/*
 * The quick ways of what is about to be stored in memory: normal numbers and zeros that the format has room for. What is made stands in `fpu.out`, and what making it has
 * raised in `fpu.raised`.
 */

function made(b: Builder, value: Value, inexact: Value, up: Value): Value {
  b.set(s.fpuOut, value);
  b.set(s.fpuRaised, b.or(b.shl(inexact, b.i32(5)), b.shl(up, b.i32(9))));
  return b.i32(1);
}

/** To a binary64 or a binary32: `bits` of significand with the first one, exponents of `exponents` bits. */
function toReal(bits: number, exponents: number): QuickWay {
  return (b, [, chopped]) => {
    const here = place(b, b.i32(0));
    const x = read(b, here);
    const cut = BigInt(64 - bits);
    const kept = b.shrU(x.sig, b.i64(cut));
    const rest = b.shl(x.sig, b.i64(BigInt(bits)));
    const up = roundsUp(b, kept, rest);
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
        return made(b, b.or(b.select(zero, b.i64(0n), number), sign), b.ne(rest, b.i64(0n)), up);
      },
      () => notDone(b),
    );
  };
}

/** To an integer of so many bits, to the nearest or towards zero. */
function toInteger(bits: number): QuickWay {
  return (b, [, chopped]) => {
    const here = place(b, b.i32(0));
    const x = read(b, here);
    const shift = b.sub(b.i32(0x3fff + 63), x.exp);
    const far = long(b, shift);
    const near = b.ltU(shift, b.i32(64));
    const whole = b.select(near, b.shrU(x.sig, far), b.i64(0n));
    // Behind the point, of which the last bit stands for all that follows.
    const beyond = b.select(b.eq(shift, b.i32(64)), x.sig, long(b, b.ne(x.sig, b.i64(0n))));
    const rest = b.select(near, b.shl(x.sig, b.sub(b.i64(64n), far)), beyond);
    const control = b.and(b.get(s.fpuControl), b.i32(0xc00));
    const cut = b.or(b.ne(chopped as Value, b.i32(0)), b.eq(control, b.i32(0xc00)));
    const up = b.select(cut, b.i32(0), roundsUp(b, whole, rest));
    const magnitude = b.add(whole, long(b, up));
    const most = b.add(b.i64(1n << BigInt(bits - 1)), long(b, x.sign));
    // Below 2^(bits - 1), or that itself where it is negative.
    const fits = b.and(b.op("ge_s", shift, b.i32(65 - bits)), b.ltU(magnitude, most));
    return b.choose(
      both(b, masked(b), b.or(cut, b.eqz(control)), used(b, here), isPlain(b, x), fits),
      () => made(b, b.select(x.sign, b.sub(b.i64(0n), magnitude), magnitude), b.ne(rest, b.i64(0n)), up),
      () => notDone(b),
    );
  };
}

/** Bit for bit. */
const toExtended: QuickWay = (b) => {
  const here = place(b, b.i32(0));
  return b.choose(
    used(b, here),
    () => {
      b.set(s.fpuOutHigh, b.getAt(here, 4, exponent));
      return made(b, read(b, here).sig, b.i32(0), b.i32(0));
    },
    () => notDone(b),
  );
};

export const quickConversions: Readonly<Record<string, QuickWay>> = {
  "fpuConvert/0": toReal(24, 8),
  "fpuConvert/1": toReal(53, 11),
  "fpuConvert/2": toExtended,
  "fpuConvert/3": toInteger(16),
  "fpuConvert/4": toInteger(32),
  "fpuConvert/5": toInteger(64),
};
