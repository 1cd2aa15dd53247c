import type { Value } from "../../ir/builder.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";
import { ca } from "./slots.ts";

/* Power ISA 2.06 Book I, "Fixed-Point Rotate and Shift Instructions". RS is in the field of RT, results go to RA. */

function finish(i: Instruction, value: Value): void {
  i.ra = value;
  i.recordResult(value);
}

export const rlwinm: Body = (i) => finish(i, i.b.and(i.b.op("rotl", i.rs, i.shift), i.mask));

export const rlwnm: Body = (i) => finish(i, i.b.and(i.b.op("rotl", i.rs, i.rb), i.mask));

export const rlwimi: Body = (i) => {
  const { b } = i;
  const { mask } = i;
  finish(i, b.or(b.and(b.op("rotl", i.rs, i.shift), mask), b.and(i.ra, b.not(mask))));
};

/** Amounts count mod 64, as they do for 64 bits; those of 32 to 63 shift everything out. */
function shift(op: "shl" | "shr_u"): Body {
  return (i) => {
    const { b } = i;
    finish(i, b.op("wrap", b.op(op, b.op("extend_u", i.rs), b.op("extend_u", i.rb))));
  };
}

export const slw = shift("shl");
export const srw = shift("shr_u");

/** CA: the source is negative and a one was shifted out. */
export const srawi: Body = (i) => {
  const { b } = i;
  const source = i.rs;
  const amount = i.shift;
  const value = b.shrS(source, amount);
  // Of the sign and what is shifted out, as one number: more than the sign alone.
  const sign = b.i32(0x8000_0000 | 0);
  const lost = b.or(b.sub(b.shl(b.i32(1), amount), b.i32(1)), sign);
  b.set(ca, b.op("gt_u", b.and(source, lost), sign));
  finish(i, value);
};

export const sraw: Body = (i) => {
  const { b } = i;
  const source = i.rs;
  const amount = i.rb;
  const far = b.ne(b.and(amount, b.i32(32)), b.i32(0));
  const value = b.shrS(source, b.select(far, b.i32(31), amount));
  const lost = b.or(far, b.ne(b.shl(value, amount), source));
  b.set(ca, b.and(b.shrU(source, b.i32(31)), lost));
  finish(i, value);
};
