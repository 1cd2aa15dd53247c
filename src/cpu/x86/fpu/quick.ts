import type { Builder, Value } from "../../../ir/builder.ts";
import { notDone, type QuickWay } from "../../../ir/frontend.ts";
import { setRelation } from "../flags.ts";
import * as s from "../slots.ts";
import { quickConversions } from "./quick-convert.ts";
import {
  compute,
  fromDouble,
  fromInteger,
  fromSingle,
  halves,
  type Loaded,
  long,
  type Operand,
  product,
  top63,
} from "./quick-numbers.ts";
import {
  both,
  exponent,
  finish,
  isNormal,
  isPlain,
  masked,
  place,
  pop,
  read,
  report,
  used,
  usual,
  write,
} from "./quick-stack.ts";

/*
 * The quick ways of the x87's helpers: normal numbers at 64 bits of precision, rounded to nearest, every exception masked, registers neither missing nor in
 * the way. That is what compiled code does all day; the helpers do the rest, and are what these are held to.
 */

/** Whether these are operands for it: normal numbers and zeros, but no zero to divide by. */
function operands(b: Builder, operation: number, x: Operand, y: Operand): Value {
  const test = (v: Operand, divisor: boolean) => (divisor ? isNormal(b, v) : isPlain(b, v));
  return b.and(test(x, operation === 7), test(y, operation === 6));
}

function arithmetic(operation: number): QuickWay {
  return (b, [, i, to, pops]) => {
    const here = place(b, b.i32(0));
    const there = place(b, i as Value);
    const x = read(b, here);
    const y = read(b, there);
    const ready = both(b, usual(b), used(b, here), used(b, there), operands(b, operation, x, y));
    return b.choose(
      ready,
      () => finish(b, b.select(to as Value, there, here), pops as Value, compute(b, operation, x, y)),
      () => notDone(b),
    );
  };
}

/** ST(0) op what comes from memory. */
function arithmeticWith(operation: number, operand: (b: Builder, args: readonly Value[]) => Loaded): QuickWay {
  return (b, args) => {
    const here = place(b, b.i32(0));
    const x = read(b, here);
    const y = operand(b, args.slice(1));
    const good = operation === 6 ? b.and(y.plain, b.ltS(y.sig, b.i64(0n))) : y.plain;
    return b.choose(
      both(b, usual(b), used(b, here), operation === 7 ? isNormal(b, x) : isPlain(b, x), good),
      () => finish(b, here, b.i32(0), compute(b, operation, x, y)),
      () => notDone(b),
    );
  };
}

// --- loads

/** Pushes a value that needs no rounding, when there is room and `ready` holds. */
function push(b: Builder, ready: Value, { sig, exp, sign }: Operand, plain = true): Value {
  const there = place(b, b.i32(-1));
  return b.choose(
    b.and(ready, b.eqz(used(b, there))),
    () => {
      write(b, there, { sig, exp, sign });
      if (plain) b.know(isPlain(b, { sig, exp, sign }));
      b.set(s.fpuUsed, b.or(b.get(s.fpuUsed), b.shl(b.i32(1), b.shrU(there, b.i32(3)))));
      b.set(s.fpuTop, b.shrU(there, b.i32(3)));
      report(b, b.i32(0), b.i32(0));
      return b.i32(0);
    },
    () => notDone(b),
  );
}

/** A number from memory. */
function load(operand: (b: Builder, args: readonly Value[]) => Loaded): QuickWay {
  return (b, args) => {
    const v = operand(b, args);
    return push(b, v.plain, v);
  };
}

const loadExtended: QuickWay = (b, [word, hi, lo]) => {
  const sign = b.and(b.shrU(word as Value, b.i32(15)), b.i32(1));
  const number = { sig: halves(b, hi as Value, lo as Value), exp: b.and(word as Value, b.i32(0x7fff)), sign };
  return push(b, b.i32(1), number, false);
};

/** FLDCW, where no exception waits and none begins to. */
const loadControl: QuickWay = (b, [control]) => {
  const status = b.get(s.fpuStatus);
  const waiting = b.or(b.and(status, b.i32(0x8080)), b.and(b.and(status, b.not(control as Value)), b.i32(0x3f)));
  return b.choose(
    b.and(b.eqz(waiting), b.eqz(b.get(s.fpuFerr))),
    () => {
      b.set(s.fpuControl, b.or(b.and(control as Value, b.i32(0x1f3f)), b.i32(0x40)));
      return b.i32(0);
    },
    () => notDone(b),
  );
};

const loadRegister: QuickWay = (b, [i]) => {
  const from = place(b, i as Value);
  return push(b, used(b, from), read(b, from), false);
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

/** Nothing but PE was raised, and that is masked. */
const stored: QuickWay = (b, [pops]) => {
  // TOP is asked for first: a region may leave for it.
  b.get(s.fpuTop);
  const raised = b.get(s.fpuRaised);
  return b.choose(
    b.and(masked(b), b.eqz(b.and(raised, b.i32(~0x220)))),
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

function comparing(
  then: (b: Builder, less: Value, equal: Value) => void,
): (b: Builder, i: Value, pops: Value) => Value {
  return (b, i, pops) => {
    const here = place(b, b.i32(0));
    const there = place(b, i);
    const x = read(b, here);
    const y = read(b, there);
    return b.choose(
      both(b, usual(b), used(b, here), used(b, there), isPlain(b, x), isPlain(b, y)),
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
        b.and(b.eqz(over), b.ltS(lowered, b.i64(0n))),
        () =>
          finish(b, here, b.i32(0), {
            sig: lowered,
            rest: b.select(exact, b.i64(0n), b.select(above, b.i64(top63 | 1n), b.i64(1n))),
            exp,
            sign: b.i32(0),
          }),
        () => notDone(b),
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
  fpuLoadDouble: load(double),
  fpuLoadSingle: load(single),
  fpuLoadInteger: load(longInteger),
  fpuLoadExtended: loadExtended,
  fpuLoadControl: loadControl,
  fpuLoadRegister: loadRegister,
  fpuLoadConstant: loadConstant,
  fpuExchange: exchange,
  fpuStoreRegister: storeRegister,
  ...quickConversions,
  fpuStored: stored,
  fpuUnary: unary,
};
