import type { Builder, Value } from "../../ir/builder.ts";
import type { Slot } from "../../ir/slots.ts";
import type { Body } from "./pattern.ts";
import { ca, cr, ov, so } from "./slots.ts";

/* Power ISA 2.06 Book I, "Condition Register Instructions" and "Move To/From System Register Instructions". */

function logic(compute: (b: Builder, x: Value, y: Value) => Value): Body {
  return (i) => i.setCrBit(compute(i.b, i.crBit(1), i.crBit(2)));
}

const invert = (b: Builder, x: Value) => b.xor(x, b.i32(1));

export const crand = logic((b, x, y) => b.and(x, y));
export const crandc = logic((b, x, y) => b.and(x, invert(b, y)));
export const creqv = logic((b, x, y) => invert(b, b.xor(x, y)));
export const crnand = logic((b, x, y) => invert(b, b.and(x, y)));
export const crnor = logic((b, x, y) => invert(b, b.or(x, y)));
export const cror = logic((b, x, y) => b.or(x, y));
export const crorc = logic((b, x, y) => b.or(x, invert(b, y)));
export const crxor = logic((b, x, y) => b.xor(x, y));

export const mcrf: Body = (i) => i.setField(i.sourceField);

/** XER[SO, OV, CA] to a field, and they become 0. */
export const mcrxr: Body = (i) => {
  const { b } = i;
  const bits = [b.shl(b.get(so), b.i32(3)), b.shl(b.get(ov), b.i32(2)), b.shl(b.get(ca), b.i32(1))] as const;
  i.setField(b.or(b.or(bits[0], bits[1]), bits[2]));
  for (const slot of [so, ov, ca]) b.set(slot, b.i32(0));
};

const field = (k: number) => cr[k] as Slot;

/** FXM's leftmost bit is field 0. */
const named = (fxm: number) => [0, 1, 2, 3, 4, 5, 6, 7].filter((k) => (fxm & (0x80 >> k)) !== 0);

export const mtcrf: Body = (i) => {
  const { b } = i;
  const source = i.rs;
  for (const k of named(i.special & 0xff)) b.set(field(k), b.and(b.shrU(source, b.i32(28 - 4 * k)), b.i32(15)));
};

/** mfcr gives all fields, mfocrf the one that it names; what else it gives is undefined, here 0. */
export const mfcr: Body = (i) => {
  const { b } = i;
  const fields = named(i.special & 0xff);
  const one = (i.special & 0x100) !== 0 && fields.length === 1;
  let value = b.i32(0);
  for (const k of one ? fields : named(0xff)) value = b.or(value, b.shl(b.get(field(k)), b.i32(28 - 4 * k)));
  i.rt = value;
};
