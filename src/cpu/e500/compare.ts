import type { Builder, Value } from "../../ir/builder.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";

/* Power ISA 2.06 Book I, "Fixed-Point Compare Instructions" and "Fixed-Point Trap Instructions". Of cmp's L the core knows 0 only, and ignores it. */

function compare(less: "lt_s" | "lt_u", second: (i: Instruction) => Value): Body {
  return (i) => {
    const { b } = i;
    const [x, y] = [i.ra, second(i)];
    const order = b.select(b.op(less, x, y), b.i32(8), b.select(b.eq(x, y), b.i32(2), b.i32(4)));
    i.setField(b.or(order, i.summary));
  };
}

const rb = (i: Instruction) => i.rb;
const immediate = (i: Instruction) => i.immediate;

export const cmp = compare("lt_s", rb);
export const cmpi = compare("lt_s", immediate);
export const cmpl = compare("lt_u", rb);
export const cmpli = compare("lt_u", immediate);

/** The conditions of TO, from its leftmost bit on. */
const conditions = [
  [16, "lt_s"],
  [8, "gt_s"],
  [4, "eq"],
  [2, "lt_u"],
  [1, "gt_u"],
] as const;

function trapWhen(b: Builder, to: number, x: Value, y: Value): Value {
  let any = b.i32(0);
  for (const [bit, op] of conditions) if ((to & bit) !== 0) any = b.or(any, b.op(op, x, y));
  return any;
}

function trap(second: (i: Instruction) => Value): Body {
  return (i) => {
    // Less, greater and equal are all that there is.
    const always = (i.special & 28) === 28;
    const condition = always ? i.b.i32(1) : trapWhen(i.b, i.special, i.ra, second(i));
    i.b.if(condition, () => i.exit("trap"));
  };
}

export const tw = trap(rb);
export const twi = trap(immediate);

/** RT becomes (RA|0) where the bit is set, else RB. Book I, "Fixed-Point Select". */
export const isel: Body = (i) => {
  i.rt = i.b.select(i.condition, i.ra, i.rb);
};
