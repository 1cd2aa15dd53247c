import type { Value } from "../../ir/builder.ts";
import type { Slot } from "../../ir/slots.ts";
import { Vector } from "./constants.ts";
import { setZero } from "./flags.ts";
import type { HelperName } from "./helpers.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";
import { cr0, edx, gdtrBase, gdtrLimit, idtrBase, idtrLimit, segment, selector } from "./slots.ts";

/* System instructions: the operands are found here, the rest is the helpers' (helpers.ts). */

/** An instruction without operands that is all a helper's. */
export function leaveTo(helper: HelperName): Body {
  return (i) => i.exit(helper);
}

export const hlt: Body = (i) => i.exit("halt", i.b.nextPc());

export const undefinedOpcode: Body = (i) => i.exit("undefinedOpcode");
export const generalProtection: Body = (i) => i.exit("raiseCode", i.b.i32(13), i.b.i32(0));

// --- ports: the number is an immediate or in DX

const dx = (i: Instruction) => i.b.getAt(i.b.i32(edx.offset), 2);

export const inImmediate: Body = (i) => i.exit("inPort", i.read(1), i.b.i32(i.width(0)));
export const inDx: Body = (i) => i.exit("inPort", dx(i), i.b.i32(i.width(0)));
export const outImmediate: Body = (i) => i.exit("outPort", i.read(0), i.b.i32(i.width(1)), i.read(1));
export const outDx: Body = (i) => i.exit("outPort", dx(i), i.b.i32(i.width(0)), i.read(0));

// --- control and debug registers

export const movToCr: Body = (i) => i.exit("movToCr", i.registerNumber(), i.read(1));
export const movFromCr: Body = (i) => i.exit("movFromCr", i.registerNumber(), i.register(0));
export const movToDr: Body = (i) => i.exit("movToDr", i.registerNumber(), i.read(1));
export const movFromDr: Body = (i) => i.exit("movFromDr", i.registerNumber(), i.register(0));
export const lmsw: Body = (i) => i.exit("lmsw", i.read(0));

/** Stores a word of the state: 16 bits to memory, the operand size to a register. */
function storeWord(slot: Slot): Body {
  return (i) => {
    const word = i.b.get(slot);
    if (i.inMemory(0)) i.b.store(2, i.linear(0, 2, 0, "write"), word);
    else i.write(0, word);
  };
}

/** SMSW into a 32-bit register gives all of CR0, as P6 processors do. */
export const smsw = storeWord(cr0);
export const sldt = storeWord(selector[segment.ldtr] as Slot);
export const str = storeWord(selector[segment.tr] as Slot);

// --- GDTR and IDTR: 16 bits of limit, then 32 bits of base, of which a 16-bit operand size loads 24

function loadTable(helper: "lgdt" | "lidt"): Body {
  return (i) => {
    const { b } = i;
    const limit = b.load(2, i.linear(0, 2, 0, "read"));
    const base = b.load(4, i.linear(0, 4, 2, "read"));
    i.exit(helper, i.size === 4 ? base : b.and(base, b.i32(0xffffff)), limit);
  };
}

/** SGDT and SIDT store all 32 bits of the base whatever the operand size is, as processors since the 386 do. */
function storeTable(base: Slot, limit: Slot): Body {
  return (i) => {
    const { b } = i;
    const first = i.linear(0, 2, 0, "write");
    const second = i.linear(0, 4, 2, "write");
    b.probe(4, second);
    b.store(2, first, b.get(limit));
    b.store(4, second, b.get(base));
  };
}

export const lgdt = loadTable("lgdt");
export const lidt = loadTable("lidt");
export const sgdt = storeTable(gdtrBase, gdtrLimit);
export const sidt = storeTable(idtrBase, idtrLimit);

// --- descriptors

export function withSelector(helper: "lldt" | "ltr" | "verr" | "verw"): Body {
  return (i) => i.exit(helper, i.read(0));
}

export function describe(helper: "lar" | "lsl"): Body {
  return (i) => i.exit(helper, i.read(1), i.register(0), i.b.i32(i.size));
}

export const invlpg: Body = (i) => i.exit("invlpg", i.linearUnchecked(0));

/** ARPL: the destination's RPL is raised to the source's. */
export const arpl: Body = (i) => {
  const { b } = i;
  const old = i.read(0);
  const wanted = b.and(i.read(1), b.i32(3));
  const lower = b.ltU(b.and(old, b.i32(3)), wanted);
  // A selector that stays is not written: it may lie in a page that is read-only.
  b.if(lower, () => i.write(0, b.or(b.and(old, b.i32(0xfffc)), wanted)));
  setZero(b, lower);
};

/** BOUND: #BR unless the index lies between the two signed bounds in memory. The second is not read where the first is enough. */
export const bound: Body = (i) => {
  const { b, size } = i;
  const index = i.signed(0);
  const limit = (distance: number): Value => {
    const value = b.load(size, i.linear(1, size, distance, "read"));
    return size === 4 ? value : b.sext16(value);
  };
  const outside = () => i.exit("raise", b.i32(Vector.bound));
  b.if(b.ltS(index, limit(0)), outside);
  b.if(b.ltS(limit(size), index), outside);
};
