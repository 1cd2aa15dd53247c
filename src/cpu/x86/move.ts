import { cf, condition, signed } from "./flags.ts";
import type { Body } from "./pattern.ts";
import { eax, edx } from "./slots.ts";

/* Moves: nothing here touches the flags. */

export const mov: Body = (i) => i.write(0, i.read(1));

/** MOV r/m, Sreg: a register takes the operand size, zero-extended; memory takes 16 bits whatever the operand size is. */
export const movFromSegment: Body = (i) => {
  const value = i.read(1);
  if (i.inMemory(0)) i.b.store(2, i.linear(0, 2, 0, "write"), value);
  else i.write(0, value);
};

export const movToSegment: Body = (i) => {
  const [segment, selector] = [i.registerNumber(), i.read(1)];
  i.b.if(i.call("reloadSegment", segment, selector), () => i.exit("loadSegment", segment, selector));
};

export const movzx: Body = (i) => i.write(0, i.read(1));
export const movsx: Body = (i) => i.write(0, i.signed(1));

export const xchg: Body = (i) => {
  const x = i.modify(0);
  const y = i.read(1);
  i.writeBoth(0, y, 1, x);
};

export const lea: Body = (i) => i.write(0, i.offset(1));

/** CMOVcc: the source is read, and may fault, whether the condition holds or not. */
export function cmov(number: number): Body {
  return (i) => {
    const value = i.read(1);
    i.write(0, i.b.select(condition(i.b, number), value, i.read(0)));
  };
}

export function set(number: number): Body {
  return (i) => i.write(0, condition(i.b, number));
}

/** BSWAP of a 16-bit register is undefined; P6 processors clear it. */
export const bswap: Body = (i) => i.write(0, i.size === 4 ? i.b.op("bswap", i.read(0)) : i.b.i32(0));

/** XLAT's operand is DS:EBX + AL. */
export const xlat: Body = (i) => i.write(0, i.read(1));

/** LDS and its like: the register changes when the segment was loaded. */
export function loadFar(number: number): Body {
  return (i) => {
    const { b } = i;
    const { selector, offset } = i.readFar(1);
    const register = i.register(0);
    const value = i.size === 4 ? offset : b.or(b.and(b.getAt(register, 4), b.i32(0xffff0000 | 0)), offset);
    i.exit("loadFar", b.i32(number), selector, register, value);
  };
}

/** CBW and CWDE: the accumulator's lower half fills its upper half with its sign. */
export const cbw: Body = (i) => {
  const { b } = i;
  const accumulator = b.i32(eax.offset);
  b.setAt(accumulator, i.size, i.size === 4 ? b.sext16(b.getAt(accumulator, 2)) : b.sext8(b.getAt(accumulator, 1)));
};

/** CWD and CDQ: DX or EDX is filled with the accumulator's sign. */
export const cwd: Body = (i) => {
  const { b } = i;
  const value = signed(b, i.size, b.getAt(b.i32(eax.offset), i.size));
  b.setAt(b.i32(edx.offset), i.size, b.shrS(value, b.i32(31)));
};

export const nop: Body = () => {};

/** SALC (D6, in no manual before 2010): AL is all CF. */
export const salc: Body = (i) => {
  const { b } = i;
  b.setAt(b.i32(eax.offset), 1, b.sub(b.i32(0), cf(b)));
};
