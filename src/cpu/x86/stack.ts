import type { Value } from "../../ir/builder.ts";
import { Flag } from "./constants.ts";
import { putFlags, readFlags } from "./flags.ts";
import type { Body } from "./pattern.ts";
import { Asked, asked, cpl, ebp, eflags, gpr } from "./slots.ts";

/* The stack. ESP moves when nothing can fault any more. */

/** PUSH. An immediate of a byte comes sign-extended; ESP is pushed as it was before. */
export const push: Body = (i) => i.push(i.read(0));

/**
 * POP. A memory operand with ESP as its base is addressed with ESP as it is afterwards (SDM vol. 2, POP): the decoder has
 * added that to the displacement. POP ESP keeps what was popped.
 */
export const pop: Body = (i) => {
  const value = i.peek();
  const pointer = i.stackPointer(i.size);
  if (i.inMemory(0)) {
    i.write(0, value);
    i.setStackPointer(pointer);
  } else {
    i.setStackPointer(pointer);
    i.write(0, value);
  }
};

export const popSegment: Body = (i) => {
  const value = i.b.and(i.peek(), i.b.i32(0xffff));
  const pointer = i.stackPointer(i.size);
  const segment = i.registerNumber();
  i.b.if(i.call("reloadSegment", segment, value), () =>
    i.exit("popSegment", segment, value, i.wholeStackPointer(pointer)),
  );
  i.setStackPointer(pointer);
};

/** PUSHA: ESP is pushed as it was, and moves when all eight are stored: those stored before one that faults lie below it. */
export const pusha: Body = (i) => {
  const { b, size } = i;
  for (const [k, register] of gpr.entries()) {
    const place = i.stackLinear(i.stackPointer(-size * (k + 1)), size, "write");
    b.store(size, place, b.getAt(b.i32(register.offset), size));
  }
  i.setStackPointer(i.stackPointer(-8 * size));
};

/** POPA: from EDI up to EAX; the image of ESP is read and dropped. */
export const popa: Body = (i) => {
  const { b, size } = i;
  const values = gpr.map((_, k) => b.load(size, i.stackLinear(i.stackPointer(size * k), size, "read"))).reverse();
  i.setStackPointer(i.stackPointer(8 * size));
  for (const [k, register] of gpr.entries()) {
    if (k !== 4) b.setAt(b.i32(register.offset), size, values[k] as Value);
  }
};

/** PUSHF: VM and RF are stored as 0. In virtual-8086 mode IOPL decides whether it may run. */
export const pushf: Body = (i) => {
  const image = i.b.and(readFlags(i.b), i.b.i32(0xfcffff));
  if (i.v86) i.exit("pushFlagsV86", image, i.b.i32(i.size));
  else i.push(image);
};

/** What POPF of ring 0 changes in the slot `eflags`; RF becomes 0. SDM vol. 2, POPF. */
const poppedWord = Flag.tf | Flag.if | Flag.iopl | Flag.nt | Flag.rf;
const poppedLong = poppedWord | Flag.ac | Flag.id;

/** POPF of ring 0 that changes neither TF nor AC and lets no interrupt in; the others are the helper's. */
export const popf: Body = (i) => {
  const { b, size } = i;
  const value = i.peek();
  const pointer = i.stackPointer(size);
  const before = b.get(eflags);
  const differs = b.and(b.xor(value, before), b.i32(size === 4 ? Flag.tf | Flag.ac : Flag.tf));
  const rises = b.and(b.shrU(b.and(value, b.not(before)), b.i32(9)), b.and(b.get(asked), b.i32(Asked.waits)));
  b.if(b.or(b.or(b.get(cpl), differs), rises), () =>
    i.exit("popFlags", value, b.i32(size), i.wholeStackPointer(pointer)),
  );
  putFlags(b, value, before, size === 4 ? poppedLong : poppedWord);
  i.setStackPointer(pointer);
};

/**
 * ENTER: SDM vol. 2. Its level is part of the form, so the copying is written out, in the manual's order: a frame that is copied may lie where
 * this copying stores. ESP and EBP change when nothing can fault any more; what was pushed by then lies below ESP, as on the processor.
 */
export const enter: Body = (i) => {
  const { b, size, level } = i;
  const where = b.i32(ebp.offset);
  const frame = b.get(ebp);
  const pushAt = (k: number, value: Value) =>
    b.store(size, i.stackLinear(i.stackPointer(-size * k), size, "write"), value);
  pushAt(1, b.getAt(where, size));
  for (let k = 1; k < level; k++)
    pushAt(k + 1, b.load(size, i.stackLinear(i.stackOffset(frame, -size * k), size, "read")));
  // The manual's FrameTemp is ESP, also where the stack uses SP alone.
  const temporary = i.wholeStackPointer(i.stackPointer(-size));
  if (level > 0) pushAt(level + 1, temporary);
  const last = i.stackPointer(-size * (level > 0 ? level + 1 : 1));
  const moved = i.stackOffset(b.sub(last, i.read(0)), 0);
  b.probe(size, i.stackLinear(moved, size, "write"));
  b.setAt(where, size, temporary);
  i.setStackPointer(moved);
};

/** LEAVE: the stack pointer is EBP, and EBP is popped. */
export const leave: Body = (i) => {
  const { b, size } = i;
  const at = i.stackOffset(b.get(ebp), 0);
  const value = b.load(size, i.stackLinear(at, size, "read"));
  i.setStackPointer(i.stackOffset(at, size));
  b.setAt(b.i32(ebp.offset), size, value);
};
