import type { Builder, Value } from "../../../ir/builder.ts";
import { notDone } from "../../../ir/frontend.ts";
import type { Slot } from "../../../ir/slots.ts";
import * as s from "../slots.ts";
import { type Exact, long, type Operand, roundsUp } from "./quick-numbers.ts";

/*
 * The register stack and the words of the x87 as the quick ways see them, and the end of an operation: rounding, storing, popping.
 */

const significand = (s.fpuSignificand[0] as Slot).offset;
export const exponent = (s.fpuExponent[0] as Slot).offset;
export const both = (b: Builder, ...conditions: Value[]) => conditions.reduce((x, y) => b.and(x, y));
/** PC 64 bits, RC to nearest, all exceptions masked. SDM vol. 1 section 8.1.5. */
export function usual(b: Builder): Value {
  return b.eq(b.and(b.get(s.fpuControl), b.i32(0xf3f)), b.i32(0x33f));
}

/** All exceptions masked. */
export function masked(b: Builder): Value {
  return b.eq(b.and(b.get(s.fpuControl), b.i32(0x3f)), b.i32(0x3f));
}

/** Where physical register top + i lies, from the first one on. */
export function place(b: Builder, i: Value): Value {
  return b.shl(b.and(b.add(b.get(s.fpuTop), i), b.i32(7)), b.i32(3));
}

export function used(b: Builder, at: Value): Value {
  return b.and(b.shrU(b.get(s.fpuUsed), b.shrU(at, b.i32(3))), b.i32(1));
}

/** Of words that hold a sign and an exponent, as they were put together: in a region they are found again. */
const together = new WeakMap<Value, Pick<Operand, "exp" | "sign">>();

export function read(b: Builder, at: Value): Operand {
  const e = b.getAt(at, 4, exponent);
  const sig = b.getAt(at, 8, significand);
  const known = together.get(e);
  if (known !== undefined) return { sig, ...known };
  return { sig, exp: b.and(e, b.i32(0x7fff)), sign: b.and(b.shrU(e, b.i32(15)), b.i32(1)) };
}

function inRange(b: Builder, exp: Value): Value {
  return b.ltU(b.sub(exp, b.i32(1)), b.i32(0x7ffe));
}

/** A normal number: its highest bit is there, and its exponent is neither the least nor the largest. */
export function isNormal(b: Builder, { sig, exp }: Operand): Value {
  return b.and(inRange(b, exp), b.ltS(sig, b.i64(0n)));
}

/** A normal number or zero. */
export function isPlain(b: Builder, v: Operand): Value {
  return b.or(isNormal(b, v), b.and(b.eqz(v.sig), b.eqz(v.exp)));
}

/** The exponent has 15 bits. */
export function write(b: Builder, at: Value, { sig, exp, sign }: Operand): void {
  const e = b.or(exp, b.shl(sign, b.i32(15)));
  together.set(e, { exp, sign });
  b.setAt(at, 8, sig, significand);
  b.setAt(at, 4, e, exponent);
}

/** PE when something was lost, C1 when the magnitude grew. */
export function report(b: Builder, inexact: Value, up: Value): void {
  const kept = b.and(b.get(s.fpuStatus), b.i32(~0x200));
  b.set(s.fpuStatus, b.or(kept, b.or(b.shl(inexact, b.i32(5)), b.shl(up, b.i32(9)))));
}

export function pop(b: Builder, count: Value): void {
  const mask = b.shl(b.sub(b.shl(b.i32(1), count), b.i32(1)), b.get(s.fpuTop));
  b.set(s.fpuUsed, b.and(b.get(s.fpuUsed), b.not(b.or(mask, b.shrU(mask, b.i32(8))))));
  b.set(s.fpuTop, b.and(b.add(b.get(s.fpuTop), count), b.i32(7)));
}

/** Rounds to nearest even, stores and pops, when what comes out is zero or its exponent is one of a normal number. */
export function finish(b: Builder, to: Value, pops: Value, { sig, rest, exp, sign }: Exact): Value {
  const up = roundsUp(b, sig, rest);
  const sum = b.add(sig, long(b, up));
  // All ones and one more.
  const carried = b.ltU(sum, sig);
  const rounded = b.or(sum, b.shl(long(b, carried), b.i64(63n)));
  const moved = b.add(exp, carried);
  const zero = b.eqz(sig);
  return b.choose(
    b.or(inRange(b, moved), zero),
    () => {
      const result = { sig: rounded, exp: b.select(zero, b.i32(0), moved), sign };
      b.know(isPlain(b, result));
      write(b, to, result);
      report(b, b.ne(rest, b.i64(0n)), up);
      pop(b, pops);
      return b.i32(0);
    },
    () => notDone(b),
  );
}
