import type { Value } from "../../ir/builder.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";
import { ca } from "./slots.ts";

/* Power ISA 2.06 Book I, "Fixed-Point Arithmetic Instructions". Results go to RT. */

function finish(i: Instruction, value: Value): void {
  i.rt = value;
  i.recordResult(value);
}

/** Whether x + y (+ 1) = sum overflowed: both operands have the sign which the sum has not. */
function sumOverflow(i: Instruction, x: Value, y: Value, sum: Value): Value {
  const { b } = i;
  return b.shrU(b.and(b.xor(x, sum), b.xor(y, sum)), b.i32(31));
}

/** The same for x - y: the operands differ in sign, and the result has not the sign of x. */
function differenceOverflow(i: Instruction, x: Value, y: Value, difference: Value): Value {
  const { b } = i;
  return b.shrU(b.and(b.xor(x, y), b.xor(x, difference)), b.i32(31));
}

export const add: Body = (i) => {
  const [x, y] = [i.ra, i.rb];
  const value = i.b.add(x, y);
  i.recordOverflow(() => sumOverflow(i, x, y, value));
  finish(i, value);
};

/** RB - RA. */
export const subf: Body = (i) => {
  const [x, y] = [i.rb, i.ra];
  const value = i.b.sub(x, y);
  i.recordOverflow(() => differenceOverflow(i, x, y, value));
  finish(i, value);
};

export const addc: Body = (i) => {
  const [x, y] = [i.ra, i.rb];
  const value = i.b.add(x, y);
  i.b.set(ca, i.b.ltU(value, x));
  i.recordOverflow(() => sumOverflow(i, x, y, value));
  finish(i, value);
};

/** RB - RA; CA is set when nothing was borrowed. */
export const subfc: Body = (i) => {
  const [x, y] = [i.rb, i.ra];
  const value = i.b.sub(x, y);
  i.b.set(ca, i.b.op("ge_u", x, y));
  i.recordOverflow(() => differenceOverflow(i, x, y, value));
  finish(i, value);
};

/** x + y + CA, where x comes from RA and y is RB or a constant. */
function extended(x: (i: Instruction) => Value, y: (i: Instruction) => Value): Body {
  return (i) => {
    const { b } = i;
    const [p, q] = [x(i), y(i)];
    // In 64 bits the carry is the bit above the sum.
    const wide = (x: Value) => b.op("extend_u", x);
    const sum = b.add(b.add(wide(p), wide(q)), wide(b.get(ca)));
    const value = b.op("wrap", sum);
    b.set(ca, b.op("wrap", b.op("shr_u", sum, b.i64(32n))));
    i.recordOverflow(() => sumOverflow(i, p, q, value));
    finish(i, value);
  };
}

const ra = (i: Instruction) => i.ra;
const notRa = (i: Instruction) => i.b.not(i.ra);
const rb = (i: Instruction) => i.rb;
const zero = (i: Instruction) => i.b.i32(0);
const minusOne = (i: Instruction) => i.b.i32(-1);

export const adde = extended(ra, rb);
export const addme = extended(ra, minusOne);
export const addze = extended(ra, zero);
export const subfe = extended(notRa, rb);
export const subfme = extended(notRa, minusOne);
export const subfze = extended(notRa, zero);

export const neg: Body = (i) => {
  const { b } = i;
  const x = i.ra;
  const value = b.sub(b.i32(0), x);
  i.recordOverflow(() => b.eq(x, b.i32(0x8000_0000 | 0)));
  finish(i, value);
};

// --- with an immediate

/** Also li, when RA is 0; addis has its immediate shifted already. */
export const addi: Body = (i) => {
  i.rt = i.plain ? i.immediate : i.b.add(i.ra, i.immediate);
};

function addCarrying(record: boolean): Body {
  return (i) => {
    const x = i.ra;
    const value = i.b.add(x, i.immediate);
    i.b.set(ca, i.b.ltU(value, x));
    i.rt = value;
    if (record) i.setCr0(value);
  };
}

export const addic = addCarrying(false);
export const addicRecord = addCarrying(true);

export const subfic: Body = (i) => {
  const [x, y] = [i.immediate, i.ra];
  i.b.set(ca, i.b.op("ge_u", x, y));
  i.rt = i.b.sub(x, y);
};

export const mulli: Body = (i) => {
  i.rt = i.b.mul(i.ra, i.immediate);
};

// --- multiplication and division

export const mullw: Body = (i) => {
  const { b } = i;
  const [x, y] = [i.ra, i.rb];
  const value = b.mul(x, y);
  i.recordOverflow(() => {
    const product = b.mul(b.op("extend_s", x), b.op("extend_s", y));
    return b.op("ne", product, b.op("extend_s", value));
  });
  finish(i, value);
};

function high(extend: "extend_s" | "extend_u"): Body {
  return (i) => {
    const { b } = i;
    const product = b.mul(b.op(extend, i.ra), b.op(extend, i.rb));
    finish(i, b.op("wrap", b.op("shr_u", product, b.i64(32n))));
  };
}

export const mulhw = high("extend_s");
export const mulhwu = high("extend_u");

/** What cannot be divided gives an undefined result: here the dividend. */
export const divw: Body = (i) => {
  const { b } = i;
  const [x, y] = [i.ra, i.rb];
  const least = b.and(b.eq(x, b.i32(0x8000_0000 | 0)), b.eq(y, b.i32(-1)));
  const refused = b.or(b.eqz(y), least);
  const value = b.op("div_s", x, b.select(refused, b.i32(1), y));
  i.recordOverflow(() => refused);
  finish(i, value);
};

export const divwu: Body = (i) => {
  const { b } = i;
  const y = i.rb;
  const refused = b.eqz(y);
  const value = b.op("div_u", i.ra, b.select(refused, b.i32(1), y));
  i.recordOverflow(() => refused);
  finish(i, value);
};
