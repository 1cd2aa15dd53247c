import type { Builder, Value } from "../../ir/builder.ts";
import { setCarry, setResult, setZeroOnly, signed } from "./flags.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";

/*
 * Single bits: SDM vol. 2, BT to BTS, BSF, BSR. BT and its like define CF alone and ZF stays; OF, SF, AF and PF are undefined, and
 * stay here, as they do on the processors at hand.
 */

/**
 * A bit number in a register reaches beyond a memory operand: the operand is the element which has the bit, up to 2 GiB of bits away.
 * A bit number in the instruction is taken mod the operand's size.
 */
function bitOf(i: Instruction): Value {
  const { b } = i;
  const width = i.width(0);
  if (i.inMemory(0) && i.spec(1).letter === "G") {
    const elements = b.shrS(signed(b, width, i.read(1)), b.i32(width === 4 ? 5 : 4));
    i.moveOperand(0, b.shl(elements, b.i32(width >> 1)));
  }
  return b.and(i.read(1), b.i32(8 * width - 1));
}

export const bt: Body = (i) => {
  const { b } = i;
  const bit = bitOf(i);
  setCarry(b, b.and(b.shrU(i.read(0), bit), b.i32(1)));
};

function change(how: (b: Builder, value: Value, mask: Value) => Value): Body {
  return (i) => {
    const { b } = i;
    const bit = bitOf(i);
    const value = i.modify(0);
    i.write(0, how(b, value, b.shl(b.i32(1), bit)));
    setCarry(b, b.and(b.shrU(value, bit), b.i32(1)));
  };
}

export const bts = change((b, value, mask) => b.or(value, mask));
export const btr = change((b, value, mask) => b.and(value, b.not(mask)));
export const btc = change((b, value, mask) => b.xor(value, mask));

/** The destination stays when the source is 0, as on every processor though the manual says undefined. */
function scan(how: (b: Builder, value: Value) => Value): Body {
  return (i) => {
    const { b } = i;
    const value = i.read(1);
    i.write(0, b.select(value, how(b, value), i.read(0)));
    setResult(b, value);
  };
}

/** POPCNT: ZF for a source of 0; all other flags are clear. */
export const popcnt: Body = (i) => {
  const { b } = i;
  const value = i.read(1);
  i.write(0, b.op("popcnt", value));
  setZeroOnly(b, value);
};

export const bsf = scan((b, value) => b.op("ctz", value));
export const bsr = scan((b, value) => b.xor(b.op("clz", value), b.i32(31)));
