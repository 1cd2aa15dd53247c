import { cf, flag, lowFlags, setCarry, writeLowFlags } from "./flags.ts";
import type { Body } from "./pattern.ts";
import { Asked, asked, cpl, eax, eflags, engine, heldPc, Mode, step } from "./slots.ts";

/* Instructions about single flags, and those which move the low byte of EFLAGS. */

export const clc: Body = (i) => setCarry(i.b, i.b.i32(0));
export const stc: Body = (i) => setCarry(i.b, i.b.i32(1));
export const cmc: Body = (i) => setCarry(i.b, i.b.eqz(cf(i.b)));
export const cld: Body = (i) => i.b.set(step, i.b.i32(1));
export const std: Body = (i) => i.b.set(step, i.b.i32(-1));
/** In ring 0 and outside of virtual-8086 mode there is nothing to ask. */
export const cli: Body = (i) => {
  const { b } = i;
  b.if(b.and(b.get(engine.mode), b.i32(Mode.user | Mode.v86)), () => i.exit("cli"));
  b.set(eflags, b.and(b.get(eflags), b.i32(~flag.if)));
};
/** STI of ring 0 while no interrupt waits. Where it sets IF, interrupts are held off for an instruction: SDM vol. 2, STI. */
export const sti: Body = (i) => {
  const { b } = i;
  const before = b.get(eflags);
  const on = b.and(before, b.i32(flag.if));
  const waits = b.and(b.eqz(on), b.and(b.get(asked), b.i32(Asked.waits)));
  b.if(b.or(b.get(cpl), waits), () => i.exit("sti"));
  b.set(heldPc, b.select(on, b.get(heldPc), b.nextPc()));
  b.set(eflags, b.or(before, b.i32(flag.if)));
};

/** AH is a byte of EAX of its own. */
export const lahf: Body = (i) => i.b.setAt(i.b.i32(eax.offset + 1), 1, lowFlags(i.b));
export const sahf: Body = (i) => writeLowFlags(i.b, i.b.getAt(i.b.i32(eax.offset + 1), 1));
