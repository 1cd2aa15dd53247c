import type { Value } from "../../ir/builder.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";
import { ctr, lr } from "./slots.ts";

/* Power ISA 2.06 Book I, "Branch Instructions". BO is part of the form; its hint bits, also in encodings which the book reserves, mean nothing. */

const Bo = { unconditional: 16, whenSet: 8, keepCtr: 4, whenZero: 2 } as const;

/** LR and CTR are written whether the branch is taken or not. */
function branchTo(i: Instruction, bo: number, target: () => Value): void {
  const { b } = i;
  const to = target();
  let go: Value | undefined;
  const counts = (bo & Bo.keepCtr) === 0;
  const left = b.sub(b.get(ctr), b.i32(1));
  if (counts) go = (bo & Bo.whenZero) !== 0 ? b.eqz(left) : b.ne(left, b.i32(0));
  if ((bo & Bo.unconditional) === 0) {
    const holds = (bo & Bo.whenSet) !== 0 ? i.condition : b.xor(i.condition, b.i32(1));
    go = go === undefined ? holds : b.and(go, holds);
  }
  if (i.debug) b.if(go ?? b.i32(1), () => void i.call("branchTaken"));
  if (counts) b.set(ctr, left);
  if (i.record) b.set(lr, b.nextPc());
  b.if(go ?? b.i32(1), () => b.jump(to));
}

const relative = (i: Instruction) => (i.overflow ? i.immediate : i.b.add(i.b.pc(), i.immediate));

export const branch: Body = (i) => branchTo(i, Bo.unconditional | Bo.keepCtr, () => relative(i));

export const bc: Body = (i) => branchTo(i, i.special, () => relative(i));

const wordOf = (i: Instruction, value: Value) => i.b.and(value, i.b.i32(-4));

export const bclr: Body = (i) => branchTo(i, i.special, () => wordOf(i, i.b.get(lr)));

/** BO of bcctr may not count CTR: the decoder refuses those. */
export const bcctr: Body = (i) => branchTo(i, i.special, () => wordOf(i, i.b.get(ctr)));
