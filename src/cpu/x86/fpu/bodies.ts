import type { Value } from "../../../ir/builder.ts";
import { condition } from "../flags.ts";
import type { Instruction } from "../instruction.ts";
import type { Body } from "../pattern.ts";
import * as s from "../slots.ts";
import type { Format } from "./convert.ts";

/*
 * The x87 instructions: gate, operand, record, operation. `opcode` is the first byte's low three bits; ModRM is where an immediate would be.
 * SDM vol. 1 section 8.3.
 */

/** CR0.EM and TS: #NM. */
const absent = 0xc;
/** ES. */
const waiting = 0x80;

/** #NM and, for instructions that wait, #MF. SDM vol. 1 sections 8.7 and 8.3.12. */
function gate(i: Instruction, waits = true): void {
  const { b } = i;
  b.unify();
  const off = b.and(b.get(s.cr0), b.i32(absent));
  const closed = waits ? b.or(off, b.and(b.get(s.fpuStatus), b.i32(waiting))) : off;
  b.if(closed, () => {
    i.call("fpuGate", b.i32(0));
  });
}

/**
 * Notes the instruction, and its memory operand if it has one, for the handler of an exception. Control instructions do not. It comes last, since nothing may be begun again
 * behind it.
 */
function record(i: Instruction, opcode: number, memory = false): void {
  const { b } = i;
  b.set(s.fpuOpcode, b.or(i.immediate(), b.i32(opcode << 8)));
  b.set(s.fpuIp, b.pc());
  b.set(s.fpuCs, b.getAt(b.i32(s.selector[s.segment.cs]?.offset ?? 0), 2));
  if (!memory) return;
  b.set(s.fpuDp, i.offset(0));
  b.set(s.fpuDs, i.segmentSelector());
}

const stackNumber = (i: Instruction) => i.b.and(i.immediate(), i.b.i32(7));

interface Halves {
  readonly hi: Value;
  readonly lo: Value;
}

function load64(i: Instruction): Halves {
  const { b } = i;
  const value = b.load(8, i.linear(0, 8, 0, "read"));
  return { hi: b.op("wrap", b.shrU(value, b.i64(32n))), lo: b.op("wrap", value) };
}

function load80(i: Instruction): Halves & { readonly high: Value } {
  const { b } = i;
  const low = i.linear(0, 8, 0, "read");
  const second = i.linear(0, 2, 8, "read");
  const value = b.load(8, low);
  const high = b.load(2, second);
  return { hi: b.op("wrap", b.shrU(value, b.i64(32n))), lo: b.op("wrap", value), high };
}

const load32 = (i: Instruction) => i.b.load(4, i.linear(0, 4, 0, "read"));
const load16 = (i: Instruction) => i.b.sext16(i.b.load(2, i.linear(0, 2, 0, "read")));

// --- arithmetic: `operation` is ModRM's reg

export function arithmeticMemory(opcode: number, operation: number): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    if (opcode === 4) {
      const { hi, lo } = load64(i);
      i.call("fpuArithmeticDouble", b.i32(operation), hi, lo);
      record(i, opcode, true);
      return;
    }
    const value = opcode === 6 ? load16(i) : load32(i);
    i.call(opcode === 0 ? "fpuArithmeticSingle" : "fpuArithmeticInteger", b.i32(operation), value);
    record(i, opcode, true);
  };
}

export function arithmeticRegister(opcode: number, operation: number, pops: number): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    i.call("fpuArithmetic", b.i32(operation), stackNumber(i), b.i32(opcode === 0 ? 0 : 1), b.i32(pops));
    record(i, opcode);
  };
}

// --- loads

export function loadReal(opcode: number): Body {
  return (i) => {
    gate(i);
    if (opcode === 1) {
      const value = load32(i);
      i.call("fpuLoadSingle", value);
      record(i, opcode, true);
    } else {
      const { hi, lo } = load64(i);
      i.call("fpuLoadDouble", hi, lo);
      record(i, opcode, true);
    }
  };
}

export function load10(opcode: number): Body {
  return (i) => {
    gate(i);
    const { high, hi, lo } = load80(i);
    i.call(opcode === 3 ? "fpuLoadExtended" : "fpuLoadBcd", high, hi, lo);
    record(i, opcode, true);
  };
}

export function loadInteger(opcode: number, width: 2 | 4 | 8): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const value = width === 8 ? undefined : width === 4 ? load32(i) : load16(i);
    const { hi, lo } = value === undefined ? load64(i) : { hi: b.shrS(value, b.i32(31)), lo: value };
    i.call("fpuLoadInteger", hi, lo);
    record(i, opcode, true);
  };
}

/** A helper that takes ST(i) by number and nothing else. */
export function withRegister(opcode: number, helper: "fpuLoadRegister" | "fpuExchange"): Body {
  return (i) => {
    gate(i);
    i.call(helper, stackNumber(i));
    record(i, opcode);
  };
}

export function constant(n: number): Body {
  return (i) => {
    gate(i);
    i.call("fpuLoadConstant", i.b.i32(n));
    record(i, 1);
  };
}

// --- stores

const widths = [4, 8, 10, 2, 4, 8, 10] as const;

/**
 * What is stored may fault, so it is made first, then stored, and only then does the state change. Where an exception which is not masked keeps it from being
 * stored, nobody asks where to.
 */
export function store(opcode: number, format: Format, pops: number, chopped = false): Body {
  return (i) => {
    const { b } = i;
    gate(i);
    const width = widths[format] as number;
    const long = width === 10;
    // Asked for here, as it is needed behind the branch too.
    i.offset(0);
    b.if(i.call("fpuConvert", b.i32(format), b.i32(chopped ? 1 : 0)), () => {
      const first = i.linear(0, long ? 8 : width, 0, "write");
      const second = long ? i.linear(0, 2, 8, "write") : undefined;
      if (second !== undefined) {
        b.probe(8, first);
        b.probe(2, second);
      }
      if (width >= 8) b.store(8, first, b.get(s.fpuOut));
      else b.store(width as 2 | 4, first, b.op("wrap", b.get(s.fpuOut)));
      if (second !== undefined) b.store(2, second, b.get(s.fpuOutHigh));
    });
    i.call("fpuStored", b.i32(pops));
    record(i, opcode, true);
  };
}

export function storeRegister(opcode: number, pops: number, unchecked = false): Body {
  return (i) => {
    gate(i);
    i.call("fpuStoreRegister", stackNumber(i), i.b.i32(pops), i.b.i32(unchecked ? 1 : 0));
    record(i, opcode);
  };
}

export function free(opcode: number, pops: number): Body {
  return (i) => {
    gate(i);
    i.call("fpuFree", stackNumber(i), i.b.i32(pops));
    record(i, opcode);
  };
}

// --- comparisons and conditions

export function compareQuiet(opcode: number, pops: number): Body {
  return (i) => {
    gate(i);
    i.call("fpuCompareQuiet", stackNumber(i), i.b.i32(pops));
    record(i, opcode);
  };
}

export function compareFlags(opcode: number, quiet: boolean, pops: number): Body {
  return (i) => {
    gate(i);
    i.call("fpuCompareFlags", stackNumber(i), i.b.i32(quiet ? 1 : 0), i.b.i32(pops));
    record(i, opcode);
  };
}

/** FCMOVcc: B, E, BE, U, and with DB their opposites. */
export function moveIf(opcode: number, number: number): Body {
  return (i) => {
    gate(i);
    i.call("fpuMoveIf", stackNumber(i), condition(i.b, number));
    record(i, opcode);
  };
}

/** D9 E0..FF, which have no operands but the stack. */
export const unary: Body = (i) => {
  gate(i);
  i.call("fpuUnary", i.b.and(i.immediate(), i.b.i32(0x1f)));
  record(i, 1);
};

export const nop: Body = (i) => {
  gate(i);
  record(i, 1);
};

// --- control

/** FNOP's relatives which were the 8087's and the 287's: FENI, FDISI, FSETPM. */
export const ignored: Body = (i) => gate(i, false);

export function control(helper: "fpuInit" | "fpuClear"): Body {
  return (i) => {
    gate(i, false);
    i.call(helper);
  };
}

export const storeControl: Body = (i) => {
  gate(i, false);
  i.b.store(2, i.linear(0, 2, 0, "write"), i.b.get(s.fpuControl));
};

export const loadControl: Body = (i) => {
  gate(i);
  i.call("fpuLoadControl", i.b.load(2, i.linear(0, 2, 0, "read")));
};

function statusWord(i: Instruction): Value {
  const { b } = i;
  return b.or(b.get(s.fpuStatus), b.shl(b.get(s.fpuTop), b.i32(11)));
}

export const storeStatus: Body = (i) => {
  gate(i, false);
  i.b.store(2, i.linear(0, 2, 0, "write"), statusWord(i));
};

export const statusToAx: Body = (i) => {
  gate(i, false);
  i.b.setAt(i.b.i32(s.eax.offset), 2, statusWord(i));
};

const environmentBytes = [
  [14, 28],
  [14, 28],
  [94, 108],
  [94, 108],
] as const;

/** FNSTENV, FLDENV, FNSAVE, FRSTOR. */
export function environment(which: 0 | 1 | 2 | 3): Body {
  return (i) => {
    const { b } = i;
    const stores = which === 0 || which === 2;
    const wide = i.size === 4;
    gate(i, !stores);
    const bytes = environmentBytes[which]?.[wide ? 1 : 0] as number;
    const linear = i.linear(0, bytes, 0, stores ? "write" : "read");
    i.call("fpuEnvironment", b.i32(which), linear, b.i32(wide ? 1 : 0));
  };
}

/** FXSAVE and FXRSTOR look at no exception that waits. */
export function fxsave(stores: boolean): Body {
  return (i) => {
    const purpose = stores ? "write" : "read";
    gate(i, false);
    const linear = i.linear(0, 4, 0, purpose);
    i.linear(0, 4, 508, purpose);
    i.call(stores ? "fpuFxsave" : "fpuFxrstor", linear);
  };
}

export const wait: Body = (i) => {
  const { b } = i;
  const closed = b.or(b.and(b.get(s.cr0), b.i32(8)), b.and(b.get(s.fpuStatus), b.i32(waiting)));
  b.if(closed, () => {
    i.call("fpuGate", b.i32(1));
  });
};
