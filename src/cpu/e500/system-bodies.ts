import type { Value } from "../../ir/builder.ts";
import { Msr } from "./constants.ts";
import type { HelperName } from "./helpers.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";
import { msr } from "./slots.ts";
import { pmrs, type Register, sprs } from "./spr.ts";

/* System instructions: Book III-E. The operands are found here, the rest is the helpers' (helpers.ts). */

/** An instruction without operands that is all a helper's. */
export function leaveTo(helper: HelperName): Body {
  return (i) => i.exit(helper);
}

/** An instruction that gives a helper its effective address. */
export function withAddress(helper: HelperName): Body {
  return (i) => i.exit(helper, i.indexed);
}

/** An instruction that gives a helper RB. */
export function withRb(helper: HelperName): Body {
  return (i) => i.exit(helper, i.rb);
}

export const nothing: Body = () => {};

export const illegal: Body = (i) => i.exit("illegal", i.immediate);
export const privileged: Body = (i) => i.exit("privileged");

/** sc: LEV is bits 20 to 26 of the word. */
export const sc: Body = (i) => i.exit("systemCall", i.b.and(i.b.shrU(i.immediate, i.b.i32(5)), i.b.i32(0x7f)));

// --- MSR

export const mfmsr: Body = (i) => {
  i.rt = i.b.get(msr);
};

export const mtmsr: Body = (i) => i.exit("mtmsr", i.rs);

const ee = (i: Instruction) => i.b.i32(Msr.ee);

/** Where EE becomes 1 and lets an interrupt in that waits, a helper does it. */
function setEe(i: Instruction, value: Value): void {
  const { b } = i;
  const before = b.get(msr);
  b.if(b.and(value, b.not(before)), () => void b.if(i.call("externalWaits"), () => i.exit("enableExternal")));
  b.set(msr, b.or(b.and(before, b.not(ee(i))), value));
}

export const wrtee: Body = (i) => setEe(i, i.b.and(i.rs, ee(i)));

/** E is part of the form: clearing it takes no helper. */
export const wrteei: Body = (i) => setEe(i, i.special !== 0 ? ee(i) : i.b.i32(0));

// --- special-purpose registers: which is part of the form

function read(i: Instruction, register: Register, number: number): Value {
  if (register.get !== undefined) return register.get(i.b);
  return register.slot !== undefined && register.read === undefined
    ? i.b.get(register.slot)
    : i.call("readSpr", i.b.i32(number));
}

function write(i: Instruction, register: Register, number: number): void {
  const { b } = i;
  const value = i.rs;
  if (register.set !== undefined) register.set(b, value);
  else if (register.slot !== undefined && register.write === undefined)
    b.set(register.slot, b.and(value, b.i32(register.mask)));
  else i.exit("writeSpr", b.i32(number), value);
}

export const mfspr: Body = (i) => {
  i.rt = read(i, sprs.get(i.special) as Register, i.special);
};

export const mtspr: Body = (i) => write(i, sprs.get(i.special) as Register, i.special);

export const mfpmr: Body = (i) => {
  i.rt = read(i, pmrs.get(i.special) as Register, i.special);
};

export const mtpmr: Body = (i) => write(i, pmrs.get(i.special) as Register, i.special);

// --- TLB

/** T is part of the form: 0 all, 1 by process, 3 by address. */
export const tlbilx: Body = (i) => i.exit("tlbilx", i.b.i32(i.special), i.indexed);

// --- external process ID

export function loadExternal(width: 1 | 2 | 4 | 8): Body {
  return (i) => i.exit("loadExternal", i.indexed, i.b.i32(width), i.place);
}

export function storeExternal(width: 1 | 2 | 4 | 8): Body {
  return (i) => i.exit("storeExternal", i.indexed, i.b.i32(width), i.place);
}

export function touchExternal(kind: 0 | 1 | 2): Body {
  return (i) => i.exit("touchExternal", i.indexed, i.b.i32(kind));
}
