import type { Slot } from "../../ir/slots.ts";
import { dplOf, Flag, Right, SystemType, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import {
  baseOf,
  type Descriptor,
  isCode,
  isConforming,
  limitOf,
  load,
  loadParagraph,
  loadV86,
  markAccessed,
  needDescriptor,
  needStack,
} from "./descriptors.ts";
import { innerStack, outward } from "./interrupts.ts";
import * as s from "./slots.ts";
import { Stack } from "./stack-access.ts";
import { switchTask } from "./task.ts";

const { cs: CS, ss: SS } = s.segment;

/** JMP far. SDM vol. 2, JMP; vol. 3 section 5.8. */
export function farJump(core: Core, selector: number, offset: number, size: number, next: number): void {
  if (core.paragraphs) {
    toParagraph(core, selector, offset, size);
    return;
  }
  const descriptor = needDescriptor(core, selector);
  if (isCode(descriptor)) {
    checkDirect(core, descriptor, selector);
    toCode(core, descriptor, selector, core.cpl, offset);
    return;
  }
  switch (systemType(descriptor)) {
    case SystemType.callGate16:
    case SystemType.callGate32: {
      const gate = readGate(core, descriptor, selector);
      const target = needDescriptor(core, gate.selector);
      const dpl = dplOf(target.high);
      if (!isCode(target) || (isConforming(target) ? dpl > core.cpl : dpl !== core.cpl))
        throw core.protection(gate.selector & 0xfffc);
      needPresent(core, target, gate.selector);
      toCode(core, target, gate.selector, core.cpl, gate.offset);
      return;
    }
    default:
      taskTransfer(core, descriptor, selector, "jump", next);
  }
}

/** CALL far; `next` is the return address. */
export function farCall(core: Core, selector: number, offset: number, size: number, next: number): void {
  if (core.paragraphs) {
    const stack = Stack.current(core);
    if ((size === 2 ? offset & 0xffff : offset) >>> 0 > core.get(s.limit[CS] as Slot) >>> 0) throw core.protection();
    stack.reserve(2, size);
    stack.push(core.get(s.selector[CS] as Slot), size);
    stack.push(next, size);
    stack.commit();
    toParagraph(core, selector, offset, size);
    return;
  }
  const descriptor = needDescriptor(core, selector);
  if (isCode(descriptor)) {
    checkDirect(core, descriptor, selector);
    const stack = Stack.current(core);
    stack.reserve(2, size);
    checkOffset(core, descriptor, offset);
    markAccessed(core, descriptor);
    stack.push(core.get(s.selector[CS] as Slot), size);
    stack.push(next, size);
    stack.commit();
    toCode(core, descriptor, selector, core.cpl, offset);
    return;
  }
  const type = systemType(descriptor);
  if (type === SystemType.callGate16 || type === SystemType.callGate32)
    callThroughGate(core, descriptor, selector, next);
  else taskTransfer(core, descriptor, selector, "call", next);
}

/** RET far. */
export function farReturn(core: Core, size: number, release: number): void {
  const stack = Stack.current(core);
  const offset = stack.pop(size);
  const selector = stack.pop(size) & 0xffff;
  if (core.paragraphs) {
    if (offset >>> 0 > core.get(s.limit[CS] as Slot) >>> 0) throw core.protection();
    stack.release(release);
    stack.commit();
    toParagraph(core, selector, offset, size);
    return;
  }
  const rpl = selector & 3;
  const code = selector & 0xfffc;
  const descriptor = needDescriptor(core, selector);
  const { high } = descriptor;
  if (!isCode(descriptor) || rpl < core.cpl) throw core.protection(code);
  if (isConforming(descriptor) ? dplOf(high) > rpl : dplOf(high) !== rpl) throw core.protection(code);
  needPresent(core, descriptor, selector);
  checkOffset(core, descriptor, offset);
  stack.release(release);
  if (rpl === core.cpl) {
    stack.commit();
    toCode(core, descriptor, selector, rpl, offset);
    return;
  }
  const esp = stack.pop(size);
  const ss = stack.pop(size) & 0xffff;
  const outer = needStack(core, ss, rpl, Vector.protection, 0);
  markAccessed(core, descriptor);
  load(core, SS, ss, outer);
  outward(core, rpl, (esp + release) | 0);
  toCode(core, descriptor, selector, rpl, offset);
}

function toParagraph(core: Core, selector: number, offset: number, size: number): void {
  const target = size === 2 ? offset & 0xffff : offset;
  if (target >>> 0 > core.get(s.limit[CS] as Slot) >>> 0) throw core.protection();
  if (core.v86) loadV86(core, CS, selector);
  else loadParagraph(core, CS, selector);
  core.set(s.engine.pc, target);
  core.updateMode();
}

function toCode(core: Core, descriptor: Descriptor, selector: number, cpl: number, offset: number): void {
  checkOffset(core, descriptor, offset);
  markAccessed(core, descriptor);
  load(core, CS, (selector & 0xfffc) | cpl, descriptor);
  core.set(s.engine.pc, offset);
  core.updateMode();
}

function checkOffset(core: Core, descriptor: Descriptor, offset: number): void {
  if (offset >>> 0 > limitOf(descriptor) >>> 0) throw core.protection();
}

/** A code segment named directly: nonconforming ones need DPL = CPL and RPL <= CPL. */
function checkDirect(core: Core, descriptor: Descriptor, selector: number): void {
  const dpl = dplOf(descriptor.high);
  const fits = isConforming(descriptor) ? dpl <= core.cpl : (selector & 3) <= core.cpl && dpl === core.cpl;
  if (!fits) throw core.protection(selector & 0xfffc);
  needPresent(core, descriptor, selector);
}

function needPresent(core: Core, descriptor: Descriptor, selector: number): void {
  if ((descriptor.high & Right.present) === 0) throw core.raise(Vector.notPresent, selector & 0xfffc);
}

/** The type of a system descriptor, -1 for code and data. */
function systemType({ high }: Descriptor): number {
  return (high & Right.segment) !== 0 ? -1 : (high >>> 8) & 0xf;
}

interface Gate {
  readonly selector: number;
  readonly offset: number;
  readonly size: 2 | 4;
  /** Parameters to be copied to the inner stack. */
  readonly count: number;
}

function readGate(core: Core, { low, high }: Descriptor, selector: number): Gate {
  const code = selector & 0xfffc;
  if (dplOf(high) < core.cpl || dplOf(high) < (selector & 3)) throw core.protection(code);
  if ((high & Right.present) === 0) throw core.raise(Vector.notPresent, code);
  const size = ((high >>> 8) & 8) !== 0 ? 4 : 2;
  const target = low >>> 16;
  if ((target & 0xfffc) === 0) throw core.protection();
  return { selector: target, offset: (low & 0xffff) | (size === 4 ? high & 0xffff_0000 : 0), size, count: high & 0x1f };
}

/** SDM vol. 3 section 5.8.5. */
function callThroughGate(core: Core, descriptor: Descriptor, selector: number, next: number): void {
  const gate = readGate(core, descriptor, selector);
  const { size } = gate;
  const target = needDescriptor(core, gate.selector);
  const dpl = dplOf(target.high);
  if (!isCode(target) || dpl > core.cpl) throw core.protection(gate.selector & 0xfffc);
  needPresent(core, target, gate.selector);
  const outer = Stack.current(core);
  const inner = !isConforming(target) && dpl < core.cpl;
  if (!inner) {
    outer.reserve(2, size);
    checkOffset(core, target, gate.offset);
    markAccessed(core, target);
    outer.push(core.get(s.selector[CS] as Slot), size);
    outer.push(next, size);
    outer.commit();
    toCode(core, target, gate.selector, core.cpl, gate.offset);
    return;
  }
  const { ss, esp } = innerStack(core, dpl, 0);
  const stackDescriptor = needStack(core, ss, dpl, Vector.invalidTss, 0);
  const stack = new Stack(
    core,
    baseOf(stackDescriptor),
    limitOf(stackDescriptor),
    stackDescriptor.high,
    esp,
    true,
    ss & 0xfffc,
  );
  const parameters: number[] = [];
  for (let k = 0; k < gate.count; k++) parameters.push(outer.pop(size));
  stack.reserve(4 + gate.count, size);
  checkOffset(core, target, gate.offset);
  markAccessed(core, target);
  stack.push(core.get(s.selector[SS] as Slot), size);
  stack.push(core.get(s.esp), size);
  for (const value of parameters.reverse()) stack.push(value, size);
  stack.push(core.get(s.selector[CS] as Slot), size);
  stack.push(next, size);
  load(core, SS, ss, stackDescriptor);
  stack.commit();
  core.setCpl(dpl);
  toCode(core, target, gate.selector, dpl, gate.offset);
}

/** A TSS or a task gate as the target of JMP and CALL. */
function taskTransfer(core: Core, descriptor: Descriptor, selector: number, how: "jump" | "call", next: number): void {
  const code = selector & 0xfffc;
  const { high } = descriptor;
  const type = systemType(descriptor);
  const task = type === SystemType.tss16 || type === SystemType.tss32 || type === SystemType.taskGate;
  if (!task || dplOf(high) < core.cpl || dplOf(high) < (selector & 3)) throw core.protection(code);
  if ((high & Right.present) === 0) throw core.raise(Vector.notPresent, code);
  const tss = type === SystemType.taskGate ? descriptor.low >>> 16 : selector;
  switchTask(core, tss, how, next, core.flags & ~Flag.rf, undefined, 0);
}
