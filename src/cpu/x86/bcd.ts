import type { Value } from "../../ir/builder.ts";
import { cf, setResult } from "./flags.ts";
import type { Instruction } from "./instruction.ts";
import { joinAx, splitAl } from "./muldiv.ts";
import type { Body } from "./pattern.ts";
import { carry, eax } from "./slots.ts";

/*
 * Decimal adjustment: SDM vol. 2, DAA, DAS, AAA, AAS, AAM, AAD. Conditions are values of 0 or 1 which are multiplied in, so
 * that nothing branches. What the manual leaves undefined: OF is 0; SF, ZF and PF follow AL after AAA and AAS.
 */

/** Whether the low digit of AL is no digit or AF is set. */
function lowDigitOff(i: Instruction, al: Value): Value {
  const { b } = i;
  const adjust = b.and(b.shrU(b.get(carry), b.i32(3)), b.i32(1));
  return b.or(b.op("gt_u", b.and(al, b.i32(15)), b.i32(9)), adjust);
}

function setFlags(i: Instruction, adjusted: Value, carried: Value, value: Value): void {
  const { b } = i;
  b.set(carry, b.or(b.shrS(b.shl(carried, b.i32(31)), b.i32(1)), b.shl(adjusted, b.i32(3))));
  setResult(b, value);
}

function packed(direction: "add" | "sub"): Body {
  return (i) => {
    const { b } = i;
    const where = b.i32(eax.offset);
    const al = b.getAt(where, 1);
    const low = lowDigitOff(i, al);
    const high = b.or(b.op("gt_u", al, b.i32(0x99)), cf(b));
    const correction = b.add(b.mul(low, b.i32(0x06)), b.mul(high, b.i32(0x60)));
    const value = b.op(direction, al, correction);
    // DAS alone: taking 6 away may borrow by itself.
    const carried = direction === "add" ? high : b.or(high, b.and(low, b.ltU(al, b.i32(6))));
    b.setAt(where, 1, value);
    setFlags(i, low, carried, b.sext8(value));
  };
}

/** The correction is made to all of AX, as processors since the 286 do. */
function unpacked(direction: "add" | "sub"): Body {
  return (i) => {
    const { b } = i;
    const where = b.i32(eax.offset);
    const off = lowDigitOff(i, b.getAt(where, 1));
    const value = b.and(b.op(direction, b.getAt(where, 2), b.mul(off, b.i32(0x106))), b.i32(0xff0f));
    b.setAt(where, 2, value);
    setFlags(i, off, off, b.sext8(value));
  };
}

export const daa = packed("add");
export const das = packed("sub");
export const aaa = unpacked("add");
export const aas = unpacked("sub");

/** #DE when the immediate is 0. */
export const aam: Body = (i) => setFlags(i, i.b.i32(0), i.b.i32(0), splitAl(i));
export const aad: Body = (i) => setFlags(i, i.b.i32(0), i.b.i32(0), joinAx(i));
