import type { Builder, Value } from "../../ir/builder.ts";
import type { Body } from "./pattern.ts";

/* Power ISA 2.06 Book I, "Fixed-Point Logical Instructions". RS is in the field of RT, results go to RA. */

function logic(compute: (b: Builder, x: Value, y: Value) => Value): Body {
  return (i) => {
    const value = compute(i.b, i.rs, i.rb);
    i.ra = value;
    i.recordResult(value);
  };
}

export const and = logic((b, x, y) => b.and(x, y));
export const andc = logic((b, x, y) => b.and(x, b.not(y)));
export const nand = logic((b, x, y) => b.not(b.and(x, y)));
export const nor = logic((b, x, y) => b.not(b.or(x, y)));
export const xor = logic((b, x, y) => b.xor(x, y));
export const eqv = logic((b, x, y) => b.not(b.xor(x, y)));
export const orc = logic((b, x, y) => b.or(x, b.not(y)));

/** With one register twice it is mr. */
export const or: Body = (i) => {
  const value = i.same ? i.rs : i.b.or(i.rs, i.rb);
  i.ra = value;
  i.recordResult(value);
};

/** The immediate is unsigned, and shifted already in the forms that shift it. */
function immediate(op: "and" | "or" | "xor"): Body {
  return (i) => {
    const value = i.b.op(op, i.rs, i.immediate);
    i.ra = value;
    // andi. and andis. have no form without the dot, the others none with it.
    if (op === "and") i.setCr0(value);
  };
}

export const andi = immediate("and");
export const ori = immediate("or");
export const xori = immediate("xor");

function unary(op: "sext8" | "sext16" | "clz"): Body {
  return (i) => {
    const value = i.b.op(op, i.rs);
    i.ra = value;
    i.recordResult(value);
  };
}

export const extsb = unary("sext8");
export const extsh = unary("sext16");
export const cntlzw = unary("clz");
