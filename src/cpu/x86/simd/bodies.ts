import type { Value } from "../../../ir/builder.ts";
import type { Instruction } from "../instruction.ts";
import type { Body } from "../pattern.ts";
import * as s from "../slots.ts";
import { type OperationName, operations } from "./floating.ts";
import { type PackedName, packedNames } from "./packed.ts";

/*
 * MMX, SSE and SSE2: gate, operands, operation. Moves are IR; what computes is a helper's. A memory operand is read whole before anything changes, into a
 * place of its own in the state. SDM vol. 1 chapters 9 to 11.
 */

const bytesOf: Record<string, number> = { w: 2, d: 4, q: 8, o: 16 };

const isMmx = (i: Instruction, k: number) => "NQ".includes(i.spec(k).letter);
const isXmm = (i: Instruction, k: number) => "VW".includes(i.spec(k).letter);

/** What the instruction's registers are, as `simdGate` has it. */
function kinds(i: Instruction): number {
  const all = i.row.operands.map((_, k) => k);
  return (all.some((k) => isMmx(i, k)) ? 1 : 0) | (all.some((k) => isXmm(i, k)) ? 2 : 0);
}

/** #UD, #NM, #MF. SDM vol. 3 tables 2-2 and 13-1. */
function gate(i: Instruction, which = kinds(i)): void {
  const { b } = i;
  b.unify();
  let closed = b.and(b.get(s.cr0), b.i32(0xc));
  if ((which & 2) !== 0) closed = b.or(closed, b.eqz(b.and(b.get(s.cr4), b.i32(0x200))));
  if ((which & 1) !== 0) closed = b.or(closed, b.and(b.get(s.fpuStatus), b.i32(0x80)));
  b.if(closed, () => {
    i.call("simdGate", b.i32(which));
  });
}

/** An MMX instruction marks all x87 registers used, puts TOP at 0, and the register it writes gets an exponent of ones. SDM vol. 1 section 9.5.1. */
function enter(i: Instruction, written?: number): void {
  const { b } = i;
  b.set(s.fpuTop, b.i32(0));
  b.set(s.fpuUsed, b.i32(0xff));
  if (written === undefined) return;
  const distance = (s.fpuExponent[0]?.offset ?? 0) - (s.fpuSignificand[0]?.offset ?? 0);
  b.setAt(b.add(i.register(written), b.i32(distance)), 4, b.i32(0xffff));
}

/** #GP(0) for an address that is no multiple of 16. */
function aligned(i: Instruction, linear: Value): void {
  const { b } = i;
  b.if(b.and(linear, b.i32(15)), () => i.exit("raiseCode", b.i32(13), b.i32(0)));
}

/** 16 bytes: whole where they lie on one page as they must be aligned, else by halves. */
function load128(i: Instruction, k: number, anywhere = false): Value {
  const { b } = i;
  const linear = i.linear(k, 16, 0, "read");
  if (!anywhere) {
    aligned(i, linear);
    return b.load(16, linear, "v128");
  }
  const low = b.load(8, linear);
  return b.op("with_high64", b.op("only_low64", low), b.load(8, b.add(linear, b.i32(8))));
}

function store128(i: Instruction, k: number, anywhere = false): void {
  const { b } = i;
  const linear = i.linear(k, 16, 0, "write");
  const value = b.getAt(i.register(1 - k), 16, 0, "v128");
  if (!anywhere) {
    aligned(i, linear);
    b.store(16, linear, value);
    return;
  }
  // The lower half's page is asked for first.
  const second = b.add(linear, b.i32(8));
  b.probe(8, linear);
  b.probe(8, second);
  b.store(8, linear, b.op("low64", value));
  b.store(8, second, b.op("high64", value));
}

const operandAt = s.simdOperand.offset;

/** Where operand `k` lies in the state; one in memory is read first, as many bytes as its size says. */
function source(i: Instruction, k: number, anywhere = false): Value {
  const { b } = i;
  if (!i.inMemory(k)) return i.register(k);
  const at = b.i32(operandAt);
  const bytes = bytesOf[i.spec(k).size] as number;
  if (bytes === 16) b.setAt(at, 16, load128(i, k, anywhere));
  else if (bytes === 8) b.setAt(at, 16, b.op("only_low64", b.load(8, i.linear(k, 8, 0, "read"))));
  else b.setAt(at, 16, b.op("only_low64", b.op("extend_u", b.load(bytes as 2 | 4, i.linear(k, bytes, 0, "read")))));
  return at;
}

// --- packed integers

export function packed(name: PackedName): Body {
  const operation = packedNames.indexOf(name);
  return (i) => {
    const { b } = i;
    gate(i);
    const from = source(i, 1);
    const mmx = isMmx(i, 0);
    i.call("simdPacked", b.i32(operation), i.register(0), from, b.i32(mmx ? 8 : 16));
    if (mmx) enter(i, 0);
  };
}

export function shift(size: number, how: "left" | "right" | "arithmetic"): Body {
  const code = size | (how === "left" ? 0x100 : how === "arithmetic" ? 0x200 : 0);
  return (i) => {
    const { b } = i;
    gate(i);
    const mmx = isMmx(i, 0);
    i.call("simdShift", b.i32(code), i.register(0), i.immediate(), b.i32(mmx ? 8 : 16));
    if (mmx) enter(i, 0);
  };
}

export function shuffle(which: number): Body {
  return (i) => {
    gate(i);
    const from = source(i, 1);
    i.call("simdShuffle", i.b.i32(which), i.register(0), from, i.immediate());
    if (isMmx(i, 0)) enter(i, 0);
  };
}

export const alignRight: Body = (i) => {
  gate(i);
  const from = source(i, 1);
  i.call("simdShuffle", i.b.i32(isMmx(i, 0) ? 6 : 7), i.register(0), from, i.immediate());
  if (isMmx(i, 0)) enter(i, 0);
};

/** PMOVMSKB, MOVMSKPS, MOVMSKPD. */
export function signs(size: number): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const mmx = isMmx(i, 1);
    b.setAt(i.register(0), 4, i.call("simdSigns", i.register(1), b.i32(mmx ? 8 : 16), b.i32(size)));
    if (mmx) enter(i);
  };
}

/** PINSRW and PEXTRW: the immediate's low bits choose the word. */
export const insertWord: Body = (i) => {
  const { b } = i;
  gate(i);
  const mmx = isMmx(i, 0);
  const word = i.inMemory(1) ? b.load(2, i.linear(1, 2, 0, "read")) : b.getAt(i.register(1), 2);
  const lane = b.shl(b.and(i.immediate(), b.i32(mmx ? 3 : 7)), b.i32(1));
  b.setAt(b.add(i.register(0), lane), 2, word);
  if (mmx) enter(i, 0);
};

export const extractWord: Body = (i) => {
  const { b } = i;
  gate(i);
  const mmx = isMmx(i, 1);
  const lane = b.shl(b.and(i.immediate(), b.i32(mmx ? 3 : 7)), b.i32(1));
  b.setAt(i.register(0), 4, b.getAt(b.add(i.register(1), lane), 2));
  if (mmx) enter(i);
};

/** MASKMOVQ and MASKMOVDQU: to DS:EDI. */
export const maskedStore: Body = (i) => {
  const { b } = i;
  gate(i);
  const mmx = isMmx(i, 0);
  const bytes = mmx ? 8 : 16;
  const linear = i.implicitData(bytes);
  // The x87's registers become MMX registers whether the store faults or not.
  if (mmx) enter(i);
  i.call("simdMaskedStore", i.register(0), i.register(1), b.i32(bytes), linear);
};

/** EMMS: all x87 registers are free. */
export const emms: Body = (i) => {
  gate(i, 1);
  i.b.set(s.fpuTop, i.b.i32(0));
  i.b.set(s.fpuUsed, i.b.i32(0));
};

// --- moves

/** 64 bits to an MMX register; 128 to an XMM register, aligned or not. */
export function load(anywhere = false): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const to = i.register(0);
    if (isMmx(i, 0)) {
      const value = i.inMemory(1) ? b.load(8, i.linear(1, 8, 0, "read")) : b.getAt(i.register(1), 8);
      b.setAt(to, 8, value);
      enter(i, 0);
      return;
    }
    b.setAt(to, 16, i.inMemory(1) ? load128(i, 1, anywhere) : b.getAt(i.register(1), 16, 0, "v128"));
  };
}

export function store(anywhere = false): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const from = i.register(1);
    if (isMmx(i, 1)) {
      const value = b.getAt(from, 8);
      if (i.inMemory(0)) b.store(8, i.linear(0, 8, 0, "write"), value);
      else b.setAt(i.register(0), 8, value);
      enter(i, i.inMemory(0) ? undefined : 0);
      return;
    }
    if (i.inMemory(0)) {
      store128(i, 0, anywhere);
      return;
    }
    b.setAt(i.register(0), 16, b.getAt(from, 16, 0, "v128"));
  };
}

/** MOVD from a register or memory: the rest of the destination is 0. */
export const loadDword: Body = (i) => {
  const { b } = i;
  gate(i);
  const value = b.op("extend_u", i.inMemory(1) ? b.load(4, i.linear(1, 4, 0, "read")) : b.getAt(i.register(1), 4));
  b.setAt(i.register(0), 8, value);
  if (isMmx(i, 0)) enter(i, 0);
  else b.setAt(i.register(0), 8, b.i64(0n), 8);
};

export const storeDword: Body = (i) => {
  const { b } = i;
  gate(i);
  const value = b.getAt(i.register(1), 4);
  if (i.inMemory(0)) b.store(4, i.linear(0, 4, 0, "write"), value);
  else b.setAt(i.register(0), 4, value);
  if (isMmx(i, 1)) enter(i);
};

/** MOVQ to an XMM register from one or from memory: the high half is 0. */
export const loadQword: Body = (i) => {
  const { b } = i;
  gate(i);
  const value = i.inMemory(1) ? b.load(8, i.linear(1, 8, 0, "read")) : b.getAt(i.register(1), 8);
  b.setAt(i.register(0), 8, value);
  b.setAt(i.register(0), 8, b.i64(0n), 8);
};

/** MOVQ from an XMM register; into another it clears the high half. */
export const storeQword: Body = (i) => {
  const { b } = i;
  gate(i);
  const value = b.getAt(i.register(1), 8);
  if (i.inMemory(0)) b.store(8, i.linear(0, 8, 0, "write"), value);
  else {
    b.setAt(i.register(0), 8, value);
    b.setAt(i.register(0), 8, b.i64(0n), 8);
  }
};

/** MOVSS and MOVSD: from memory the rest becomes 0, from a register it stays. */
export function loadScalar(bytes: 4 | 8): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const to = i.register(0);
    if (!i.inMemory(1)) {
      b.setAt(to, bytes, b.getAt(i.register(1), bytes));
      return;
    }
    const value = b.load(bytes, i.linear(1, bytes, 0, "read"));
    b.setAt(to, 8, bytes === 8 ? value : b.op("extend_u", value));
    b.setAt(to, 8, b.i64(0n), 8);
  };
}

export function storeScalar(bytes: 4 | 8): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const value = b.getAt(i.register(1), bytes);
    if (i.inMemory(0)) b.store(bytes, i.linear(0, bytes, 0, "write"), value);
    else b.setAt(i.register(0), bytes, value);
  };
}

/** Halves of XMM registers: MOVLPS, MOVHPS and the like; `to` and `from` are 0 for the low half and 8 for the high one. */
export function loadHalf(to: 0 | 8): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    b.setAt(i.register(0), 8, b.load(8, i.linear(1, 8, 0, "read")), to);
  };
}

export function storeHalf(from: 0 | 8): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    b.store(8, i.linear(0, 8, 0, "write"), b.getAt(i.register(1), 8, from));
  };
}

/** MOVHLPS and MOVLHPS. */
export function moveHalf(to: 0 | 8, from: 0 | 8): Body {
  return (i) => {
    gate(i);
    i.b.setAt(i.register(0), 8, i.b.getAt(i.register(1), 8, from), to);
  };
}

/** MOVDDUP: the low half twice. */
export const duplicateDouble: Body = (i) => {
  const { b } = i;
  gate(i);
  const value = i.inMemory(1) ? b.load(8, i.linear(1, 8, 0, "read")) : b.getAt(i.register(1), 8);
  b.setAt(i.register(0), 8, value);
  b.setAt(i.register(0), 8, value, 8);
};

/** MOVSLDUP (0) and MOVSHDUP (4): of each pair the one or the other, twice. */
export function duplicateSingles(which: 0 | 4): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const from = source(i, 1);
    const low = b.getAt(from, 4, which);
    const high = b.getAt(from, 4, 8 + which);
    for (const [value, at] of [
      [low, 0],
      [high, 8],
    ] as const) {
      b.setAt(i.register(0), 4, value, at);
      b.setAt(i.register(0), 4, value, at + 4);
    }
  };
}

/** MOVDQ2Q and MOVQ2DQ. */
export const toMmx: Body = (i) => {
  gate(i);
  i.b.setAt(i.register(0), 8, i.b.getAt(i.register(1), 8));
  enter(i, 0);
};

export const fromMmx: Body = (i) => {
  const { b } = i;
  gate(i);
  b.setAt(i.register(0), 8, b.getAt(i.register(1), 8));
  b.setAt(i.register(0), 8, b.i64(0n), 8);
  enter(i);
};

/** MOVNTI. */
export const storeGeneral: Body = (i) => i.b.store(4, i.linear(0, 4, 0, "write"), i.b.getAt(i.register(1), 4));

// --- floating point

function shape(double: boolean, scalar: boolean): number {
  return (double ? 1 : 0) | ((scalar ? 1 : double ? 2 : 4) << 1);
}

export function arithmetic(name: OperationName, double: boolean, scalar: boolean): Body {
  const operation = operations.indexOf(name);
  return (i) => {
    gate(i);
    const from = source(i, 1);
    i.call("simdArithmetic", i.b.i32(operation), i.register(0), from, i.b.i32(shape(double, scalar)));
  };
}

/** HADD (0), HSUB (1), ADDSUB (2). */
export function pairs(how: 0 | 1 | 2, double: boolean): Body {
  return (i) => {
    gate(i);
    const from = source(i, 1);
    i.call("simdPairs", i.b.i32(how), i.register(0), from, i.b.i32(double ? 1 : 0));
  };
}

/** Predicates above 7 are reserved; the upper bits are not looked at. */
export function compare(double: boolean, scalar: boolean): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const from = source(i, 1);
    const how = b.or(b.and(i.immediate(), b.i32(7)), b.i32(shape(double, scalar) << 8));
    i.call("simdCompare", how, i.register(0), from);
  };
}

export function compareFlags(double: boolean, quiet: boolean): Body {
  return (i) => {
    gate(i);
    const from = source(i, 1);
    i.call("simdCompareFlags", i.b.i32((double ? 1 : 0) | (quiet ? 2 : 0)), i.register(0), from);
  };
}

export function convert(how: number): Body {
  return (i) => {
    // An MMX operand in memory is none: the x87 is not asked for exceptions that wait, and its registers stay what they are.
    const mmx = isMmx(i, 0) || (isMmx(i, 1) && !i.inMemory(1));
    gate(i, mmx ? kinds(i) : 2);
    const from = source(i, 1);
    // The x87's registers become MMX registers before anything faults.
    if (mmx) enter(i);
    i.call("simdConvert", i.b.i32(how), i.register(0), from);
    if (isMmx(i, 0)) enter(i, 0);
  };
}

export const loadMxcsr: Body = (i) => {
  gate(i, 2);
  i.call("simdLoadMxcsr", i.b.load(4, i.linear(0, 4, 0, "read")));
};

export const storeMxcsr: Body = (i) => {
  gate(i, 2);
  i.b.store(4, i.linear(0, 4, 0, "write"), i.b.get(s.mxcsr));
};

/** PREFETCH, SFENCE, LFENCE, MFENCE, PAUSE: one processor sees its memory in order. */
export const nothing: Body = () => {};

/** CLFLUSH: faults as a read would. */
export const flushLine: Body = (i) => {
  i.b.load(1, i.linear(0, 1, 0, "read"));
};
