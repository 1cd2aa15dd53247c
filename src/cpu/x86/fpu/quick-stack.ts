import type { Builder, Value } from "../../../ir/builder.ts";
import type { Slot } from "../../../ir/slots.ts";
import * as s from "../slots.ts";
import { type Exact, long, type Operand, top63, word } from "./quick-numbers.ts";

/*
 * The register stack and the words of the x87 as the quick ways see them, and the end of an operation: rounding, storing, popping.
 */

const significand = (s.fpuSignificand[0] as Slot).offset;
export const exponent = (s.fpuExponent[0] as Slot).offset;
export const notDone = (b: Builder) => b.i32(-1);
export const both = (b: Builder, ...conditions: Value[]) => conditions.reduce((x, y) => b.and(x, y));
/** PC 64 bits, RC to nearest, all exceptions masked. SDM vol. 1 section 8.1.5. */
export function usual(b: Builder): Value {
  return b.eq(b.and(b.get(s.fpuControl), b.i32(0xf3f)), b.i32(0x33f));
}

/** Where physical register top + i lies, from the first one on. */
export function place(b: Builder, i: Value): Value {
  return b.shl(b.and(b.add(b.get(s.fpuTop), i), b.i32(7)), b.i32(3));
}

export function used(b: Builder, at: Value): Value {
  return b.and(b.shrU(b.get(s.fpuUsed), b.shrU(at, b.i32(3))), b.i32(1));
}

export function read(b: Builder, at: Value): Operand {
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
export function isNormal(b: Builder, { sig, exp }: Operand): Value {
  return b.and(inRange(b, exp), b.ltS(sig, b.i64(0n)));
}

export function write(b: Builder, at: Value, { sig, exp, sign }: Operand): void {
  b.setAt(at, 8, sig, significand);
  b.setAt(at, 4, b.or(exp, b.shl(sign, b.i32(15))), exponent);
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

/** Rounds to nearest even, stores and pops, when the exponent is one of a normal number. */
export function finish(b: Builder, to: Value, pops: Value, { sig, rest, exp, sign }: Exact): Value {
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
