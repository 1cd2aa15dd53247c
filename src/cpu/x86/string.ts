import type { Value } from "../../ir/builder.ts";
import { setSub } from "./flags.ts";
import type { Instruction } from "./instruction.ts";
import { type Body, Kind, Repeat } from "./pattern.ts";
import { step as direction, edx } from "./slots.ts";

/*
 * String instructions: SDM vol. 2, MOVS to SCAS, INS, OUTS, REP. With a repeat prefix one execution makes one step and jumps to itself while steps
 * are left: an interrupt or a fault then finds registers as they are between two steps, and a long one never holds
 * the run loop. Steps that can be made at once belong in front of `step`, behind the test of the counter.
 */

type Register = "esi" | "edi";

/** Registers move behind the last access that may fault. */
function advance(i: Instruction, ...registers: Register[]): void {
  for (const register of registers) i.advance(register, i.width(0));
}

/** From so many steps on they are made many at a time. */
const many = 32;

/** Steps that only move or fill memory, upwards and in flat segments: as many as there is budget for are made at once, each counted. */
function bulk(i: Instruction, helper: "moveBulk" | "storeBulk", count: Value): void {
  const { b } = i;
  if (!i.a32 || i.kind === Kind.segmented) return;
  b.if(b.and(b.op("ge_u", count, b.i32(many)), b.eq(b.get(direction), b.i32(1))), () =>
    i.exit(helper, b.i32(i.width(0))),
  );
}

function string(
  step: (i: Instruction) => void,
  before?: (i: Instruction) => void,
  inBulk?: "moveBulk" | "storeBulk",
): Body {
  return (i) => {
    before?.(i);
    if (i.repeat === Repeat.none) {
      step(i);
      return;
    }
    const { b } = i;
    const count = i.counter();
    if (inBulk !== undefined) bulk(i, inBulk, count);
    b.if(count, () => {
      step(i);
      const left = b.sub(count, b.i32(1));
      i.setCounter(left);
      b.if(left, () => b.jump(b.pc()));
    });
  };
}

/**
 * CMPS and SCAS: `step` gives what is compared. The flags are those of the last step, and change with it: a repeated one that faults leaves
 * them as they were before all its steps (SDM vol. 2, REP).
 */
function comparing(step: (i: Instruction) => readonly [Value, Value]): Body {
  return (i) => {
    const { b } = i;
    const finish = (x: Value, y: Value) => setSub(b, i.width(0), x, y, b.sub(x, y));
    if (i.repeat === Repeat.none) {
      finish(...step(i));
      return;
    }
    const count = i.counter();
    b.if(count, () => {
      const [x, y] = step(i);
      const left = b.sub(count, b.i32(1));
      i.setCounter(left);
      const goesOn = i.repeat === Repeat.whileEqual ? b.eq(x, y) : b.ne(x, y);
      b.if(b.and(b.ne(left, b.i32(0)), goesOn), () => b.jump(b.pc()));
      finish(x, y);
    });
  };
}

export const movs = string(
  (i) => {
    i.write(0, i.read(1));
    advance(i, "esi", "edi");
  },
  undefined,
  "moveBulk",
);

export const stos = string(
  (i) => {
    i.write(0, i.read(1));
    advance(i, "edi");
  },
  undefined,
  "storeBulk",
);

export const lods = string((i) => {
  const value = i.read(1);
  advance(i, "esi");
  i.write(0, value);
});

/** When both operands fault the processor tells of ES:EDI, so that one is read first. */
export const cmps = comparing((i) => {
  const y = i.signed(1);
  const x = i.signed(0);
  advance(i, "esi", "edi");
  return [x, y];
});

export const scas = comparing((i) => {
  const x = i.signed(0);
  const y = i.signed(1);
  advance(i, "edi");
  return [x, y];
});

function portNumber(i: Instruction): Value {
  return i.b.getAt(i.b.i32(edx.offset), 2);
}

/** Whether the port may be used is asked before the counter is looked at. */
function check(i: Instruction): void {
  i.call("checkPort", portNumber(i), i.b.i32(i.width(0)));
}

/** INS: a port is read, which cannot be taken back, when the memory is known to take the value. */
export const ins = string((i) => {
  i.probe(0);
  i.write(0, i.call("readPort", portNumber(i), i.b.i32(i.width(0))));
  advance(i, "edi");
}, check);

export const outs = string((i) => {
  const value = i.read(0);
  i.call("writePort", portNumber(i), i.b.i32(i.width(0)), value);
  advance(i, "esi");
}, check);
