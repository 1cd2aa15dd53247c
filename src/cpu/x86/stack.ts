import type { Value } from "../../ir/builder.ts";
import { readFlags } from "./flags.ts";
import type { Body } from "./pattern.ts";
import { ebp, gpr } from "./slots.ts";

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
  i.exit("popSegment", i.registerNumber(), value, i.wholeStackPointer(i.stackPointer(i.size)));
};

/** PUSHA: eight stores that succeed together, so the whole piece is probed first. ESP is pushed as it was. */
export const pusha: Body = (i) => {
  const { b, size } = i;
  const places = gpr.map((_, k) => i.stackLinear(i.stackPointer(-size * (k + 1)), size, "write"));
  b.probe(size, places[0] as Value);
  b.probe(size, places[7] as Value);
  for (const [k, register] of gpr.entries()) b.store(size, places[k] as Value, b.getAt(b.i32(register.offset), size));
  i.setStackPointer(i.stackPointer(-8 * size));
};

/** POPA: the image of ESP is read and dropped. */
export const popa: Body = (i) => {
  const { b, size } = i;
  const values = gpr.map((_, k) => b.load(size, i.stackLinear(i.stackPointer(size * (7 - k)), size, "read")));
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

export const popf: Body = (i) => {
  i.exit("popFlags", i.peek(), i.b.i32(i.size), i.wholeStackPointer(i.stackPointer(i.size)));
};

/**
 * ENTER: SDM vol. 2. Its level is part of the form, so the copying is written out. Everything is read before anything is stored, and both ends
 * of what is stored are probed, as is the final stack pointer: the frame may then be used without a fault behind ENTER's back.
 */
export const enter: Body = (i) => {
  const { b, size, level } = i;
  const where = b.i32(ebp.offset);
  const frame = b.get(ebp);
  const values: Value[] = [b.getAt(where, size)];
  const pointers = [i.stackPointer(-size)];
  const temporary = pointers[0] as Value;
  for (let k = 1; k < level; k++) {
    values.push(b.load(size, i.stackLinear(i.stackOffset(frame, -size * k), size, "read")));
    pointers.push(i.stackPointer(-size * (k + 1)));
  }
  if (level > 0) {
    values.push(temporary);
    pointers.push(i.stackPointer(-size * (level + 1)));
  }
  const last = pointers.at(-1) as Value;
  const moved = i.stackOffset(b.sub(last, i.read(0)), 0);
  b.probe(size, i.stackLinear(moved, size, "write"));
  const places = pointers.map((pointer) => i.stackLinear(pointer, size, "write"));
  b.probe(size, places.at(-1) as Value);
  b.probe(size, places[0] as Value);
  for (const [k, value] of values.entries()) b.store(size, places[k] as Value, value);
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
