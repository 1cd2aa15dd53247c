import type { Value } from "../../ir/builder.ts";
import type { Slot } from "../../ir/slots.ts";
import { lineSize } from "./constants.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";
import { cr, gpr, reserved, reservedAt, so } from "./slots.ts";

/*
 * Power ISA 2.06 Book I, "Fixed-Point Load Instructions" and those behind it; Book II, "Load and Reserve and Store Conditional". Registers change
 * behind the last access that may fault.
 */

export type Width = 1 | 2 | 4;

interface Shape {
  /** The address is RA + RB; else RA + displacement. */
  readonly indexed?: boolean;
  /** The address goes to RA afterwards. */
  readonly update?: boolean;
  readonly signed?: boolean;
  /** Little-endian. */
  readonly reversed?: boolean;
}

export function addressOf(i: Instruction, shape: Shape): Value {
  return shape.indexed === true ? i.indexed : i.displaced;
}

export function load(width: Width, shape: Shape = {}): Body {
  return (i) => {
    const address = addressOf(i, shape);
    const value = shape.reversed === true ? i.loadReversed(width, address) : i.load(width, address);
    i.rt = shape.signed === true ? i.b.sext16(value) : value;
    if (shape.update === true) i.ra = address;
  };
}

export function store(width: Width, shape: Shape = {}): Body {
  return (i) => {
    const address = addressOf(i, shape);
    if (shape.reversed === true) i.storeReversed(width, address, i.rs);
    else i.store(width, address, i.rs);
    if (shape.update === true) i.ra = address;
  };
}

/** All registers are loaded before one changes, so that a fault in the middle leaves RA for another try. */
export const lmw: Body = (i) => {
  const { b } = i;
  const first = i.special;
  const address = i.displaced;
  i.align(address, 4, false);
  const values = gpr.slice(first).map((_, k) => i.load(4, b.add(address, b.i32(4 * k))));
  for (const [k, value] of values.entries()) b.set(gpr[first + k] as Slot, value);
};

export const stmw: Body = (i) => {
  const { b } = i;
  const address = i.displaced;
  i.align(address, 4, true);
  for (const [k, register] of gpr.slice(i.special).entries()) i.store(4, b.add(address, b.i32(4 * k)), b.get(register));
};

const granule = (i: Instruction, address: Value) => i.b.and(address, i.b.i32(-lineSize));

export const lwarx: Body = (i) => {
  const { b } = i;
  const address = i.indexed;
  i.align(address, 4, false);
  const value = i.load(4, address);
  b.set(reserved, b.i32(1));
  b.set(reservedAt, granule(i, address));
  i.rt = value;
};

/** CR0 is EQ when it was stored, and SO. The reservation is gone in any case. */
export const stwcx: Body = (i) => {
  const { b } = i;
  const address = i.indexed;
  i.align(address, 4, true);
  const held = b.and(b.get(reserved), b.eq(b.get(reservedAt), granule(i, address)));
  b.if(held, () => i.store(4, address, i.rs));
  b.set(reserved, b.i32(0));
  b.set(cr[0] as Slot, b.or(b.shl(held, b.i32(1)), b.get(so)));
};
