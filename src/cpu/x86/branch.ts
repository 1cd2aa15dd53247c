import type { Value } from "../../ir/builder.ts";
import { condition } from "./flags.ts";
import type { Instruction } from "./instruction.ts";
import type { Body } from "./pattern.ts";

/*
 * Control transfers inside a code segment, and the way to the helpers for those that leave it. A target beyond the limit of CS faults at
 * the branch, before it changed anything: SDM vol. 2, JMP, CALL, Jcc.
 */

function go(i: Instruction, target: Value): void {
  i.checkTarget(target);
  i.b.jump(target);
}

export const jmp: Body = (i) => go(i, i.relativeTarget());
export const jmpIndirect: Body = (i) => go(i, i.read(0));

export function jcc(number: number): Body {
  return (i) => {
    i.b.if(condition(i.b, number), () => go(i, i.relativeTarget()));
  };
}

function callTo(i: Instruction, target: Value): void {
  i.checkTarget(target);
  i.push(i.b.nextPc());
  i.b.jump(target);
}

export const call: Body = (i) => callTo(i, i.relativeTarget());
export const callIndirect: Body = (i) => callTo(i, i.read(0));

/** RET, with or without bytes to release. */
export const ret: Body = (i) => {
  const { b } = i;
  const target = i.peek();
  i.checkTarget(target);
  const popped = i.stackPointer(i.size);
  i.setStackPointer(i.row.operands.length === 0 ? popped : i.stackOffset(b.add(popped, i.read(0)), 0));
  b.jump(target);
};

/** LOOP, LOOPE, LOOPNE: the counter is as wide as an address. `wanted`: what ZF has to be besides. */
function loop(wanted: 0 | 1 | undefined): Body {
  return (i) => {
    const { b } = i;
    const all = b.sub(i.counter(), b.i32(1));
    const left = i.a32 ? all : b.and(all, b.i32(0xffff));
    const more = b.ne(left, b.i32(0));
    const taken = wanted === undefined ? more : b.and(more, condition(b, wanted === 1 ? 4 : 5));
    b.if(
      taken,
      () => {
        const target = i.relativeTarget();
        i.checkTarget(target);
        i.setCounter(left);
        b.jump(target);
      },
      () => i.setCounter(left),
    );
  };
}

export const loopAlways = loop(undefined);
export const loopEqual = loop(1);
export const loopNotEqual = loop(0);

export const jcxz: Body = (i) => {
  i.b.if(i.b.eqz(i.counter()), () => go(i, i.relativeTarget()));
};

// --- out of the segment

export const farJump: Body = (i) => {
  const { selector, offset } = i.farImmediate();
  i.exit("farJump", selector, offset, i.b.i32(i.size), i.b.nextPc());
};

export const farJumpIndirect: Body = (i) => {
  const { selector, offset } = i.readFar(0);
  i.exit("farJump", selector, offset, i.b.i32(i.size), i.b.nextPc());
};

export const farCall: Body = (i) => {
  const { selector, offset } = i.farImmediate();
  i.exit("farCall", selector, offset, i.b.i32(i.size), i.b.nextPc());
};

export const farCallIndirect: Body = (i) => {
  const { selector, offset } = i.readFar(0);
  i.exit("farCall", selector, offset, i.b.i32(i.size), i.b.nextPc());
};

export const farReturn: Body = (i) => {
  i.exit("farReturn", i.b.i32(i.size), i.row.operands.length === 0 ? i.b.i32(0) : i.read(0));
};

export const iret: Body = (i) => i.exit("interruptReturn", i.b.i32(i.size), i.b.nextPc());
export const int: Body = (i) => i.exit("interrupt", i.read(0), i.b.nextPc());
export const int3: Body = (i) => i.exit("breakpoint", i.b.nextPc());
export const int1: Body = (i) => i.exit("debugTrap", i.b.nextPc());

export const into: Body = (i) => {
  i.b.if(condition(i.b, 0), () => i.exit("overflow", i.b.nextPc()));
};
