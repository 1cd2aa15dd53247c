import type { Slot } from "../../ir/slots.ts";
import { dplOf, Flag, Right, SystemType, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import { Dr7, watching } from "./debug.ts";
import {
  baseOf,
  type Descriptor,
  isCode,
  isConforming,
  limitOf,
  load,
  loadNull,
  loadParagraph,
  loadV86,
  markAccessed,
  needDescriptor,
  needStack,
} from "./descriptors.ts";
import * as s from "./slots.ts";
import { Stack } from "./stack-access.ts";
import { isWide, switchTask } from "./task.ts";
import { checkVirtualImage, setVirtualImage, virtualFlags } from "./v86.ts";

/**
 * Where an interrupt came from, which decides what is checked and what is pushed.
 *
 * - `software`: INT n, INT3, INTO. The gate's DPL is checked, and error codes have EXT clear.
 * - `int1`: INT1, which is checked as little as an exception is.
 * - `fault`: pushes RF set, but for an instruction breakpoint and the double fault. SDM vol. 3 section 17.3.1.1.
 * - `between`: debug traps, NMIs, interrupts: what is taken between two instructions.
 */
export type Origin = "software" | "int1" | "fault" | "between";

export interface Event {
  readonly vector: number;
  readonly origin: Origin;
  readonly code: number | undefined;
  /** EIP to be pushed: the instruction's own for a fault, the next one for a trap. */
  readonly returnTo: number;
}

/** Interrupt and exception delivery. SDM vol. 3 sections 6.12 and 20.1.4. */
export function deliver(core: Core, event: Event): void {
  const { exceptions } = core.wires;
  if (exceptions.on && (event.origin !== "between" || event.vector === Vector.debug))
    exceptions.log(describe(core, event));
  if (core.protected) throughGate(core, event);
  else throughTable(core, event);
  core.set(s.halted, 0);
  // The step ends in the handler, which runs with TF clear.
  core.setCount(s.stepAt, 0);
  // Whoever handles #DB may use the debug registers: SDM vol. 3 section 17.2.4, GD.
  if (event.vector === Vector.debug && event.origin !== "software")
    core.set(s.dr[7] as Slot, core.get(s.dr[7] as Slot) & ~Dr7.gd);
}

function describe(core: Core, { vector, code, returnTo, origin }: Event): string {
  const software = origin === "software";
  const error = code === undefined ? "" : `, code 0x${code.toString(16)}`;
  const page = vector === Vector.page && !software ? ` at 0x${(core.get(s.cr2) >>> 0).toString(16)}` : "";
  const cs = core.get(s.selector[s.segment.cs] as Slot).toString(16);
  return `${software ? "int" : "exception"} ${vector}${error}${page}, cs:eip ${cs}:${(returnTo >>> 0).toString(16)}`;
}

/** EFLAGS as they are pushed. */
function imageOf(core: Core, { origin, vector }: Event): number {
  const { flags } = core;
  if (origin === "between") return flags;
  const sets = origin === "fault" && !core.breakpoint && vector !== Vector.doubleFault;
  return sets ? flags | Flag.rf : flags & ~Flag.rf;
}

/** Real mode: SDM vol. 3 section 20.1.4. No error codes. */
function throughTable(core: Core, event: Event): void {
  const at = event.vector * 4;
  if (at + 3 > core.get(s.idtrLimit) >>> 0) throw core.raise(Vector.protection);
  const entry = core.engine.memory.read((core.get(s.idtrBase) + at) >>> 0, 4, true);
  if ((entry & 0xffff) > core.get(s.limit[s.segment.cs] as Slot) >>> 0) throw core.protection();
  const stack = Stack.current(core);
  stack.reserve(3, 2);
  stack.push(core.flags, 2);
  stack.push(core.get(s.selector[s.segment.cs] as Slot), 2);
  stack.push(event.returnTo, 2);
  stack.commit();
  core.setFlags(0, Flag.if | Flag.tf | Flag.ac | Flag.rf);
  loadParagraph(core, s.segment.cs, entry >>> 16);
  core.set(s.engine.pc, entry & 0xffff);
  core.updateMode();
}

function throughGate(core: Core, event: Event): void {
  const { vector } = event;
  const software = event.origin === "software";
  const ext = software ? 0 : 1;
  const named = vector * 8 + 2 + ext;
  if (vector * 8 + 7 > core.get(s.idtrLimit) >>> 0) throw core.protection(named);
  const at = (core.get(s.idtrBase) + vector * 8) >>> 0;
  const low = core.engine.memory.read(at, 4, true);
  const high = core.engine.memory.read((at + 4) >>> 0, 4, true);
  const type = (high >>> 8) & 0x1f;
  const gate =
    type === SystemType.taskGate ||
    type === SystemType.interruptGate16 ||
    type === SystemType.trapGate16 ||
    type === SystemType.interruptGate32 ||
    type === SystemType.trapGate32;
  if (!gate || (software && dplOf(high) < core.cpl)) throw core.protection(named);
  if ((high & Right.present) === 0) throw core.raise(Vector.notPresent, named);
  if (type === SystemType.taskGate) {
    switchTask(core, low >>> 16, "call", event.returnTo, imageOf(core, event), event.code, ext);
    return;
  }
  const size = type >= 8 ? 4 : 2;
  const selector = low >>> 16;
  const target = (low & 0xffff) | (size === 4 ? high & 0xffff_0000 : 0);
  const code = (selector & 0xfffc) | ext;
  if ((selector & 0xfffc) === 0) throw core.protection(ext);
  const descriptor = needDescriptor(core, selector, Vector.protection, ext);
  const dpl = dplOf(descriptor.high);
  if (!isCode(descriptor) || dpl > core.cpl) throw core.protection(code);
  if ((descriptor.high & Right.present) === 0) throw core.raise(Vector.notPresent, code);
  const image = imageOf(core, event);
  if (!isConforming(descriptor) && dpl < core.cpl) inward(core, event, descriptor, selector, target, size, image, ext);
  else {
    if (core.v86) throw core.protection(code);
    const stack = Stack.current(core, ext);
    stack.reserve(event.code === undefined ? 3 : 4, size);
    checkTarget(core, descriptor, target, ext);
    markAccessed(core, descriptor);
    pushReturn(core, stack, event, size, image);
    stack.commit();
    load(core, s.segment.cs, (selector & 0xfffc) | core.cpl, descriptor);
  }
  // Interrupt gates clear IF, trap gates leave it.
  const cleared = Flag.tf | Flag.nt | Flag.rf | Flag.vm | ((type & 1) === 0 ? Flag.if : 0);
  core.setFlags(0, cleared);
  core.set(s.engine.pc, target);
  core.updateMode();
}

/** To a more privileged ring: the stack comes from the TSS. SDM vol. 3 section 6.12.1. */
function inward(
  core: Core,
  event: Event,
  descriptor: Descriptor,
  selector: number,
  target: number,
  size: number,
  image: number,
  ext: number,
): void {
  const dpl = dplOf(descriptor.high);
  const fromV86 = core.v86;
  if (fromV86 && dpl !== 0) throw core.protection((selector & 0xfffc) | ext);
  const { ss, esp } = innerStack(core, dpl, ext);
  const stackDescriptor = needStack(core, ss, dpl, Vector.invalidTss, ext);
  const stack = new Stack(
    core,
    baseOf(stackDescriptor),
    limitOf(stackDescriptor),
    stackDescriptor.high,
    esp,
    true,
    (ss & 0xfffc) | ext,
  );
  stack.reserve((fromV86 ? 9 : 5) + (event.code === undefined ? 0 : 1), size);
  checkTarget(core, descriptor, target, ext);
  markAccessed(core, descriptor);
  if (fromV86) {
    for (const n of [s.segment.gs, s.segment.fs, s.segment.ds, s.segment.es]) {
      stack.push(core.get(s.selector[n] as Slot), size);
    }
  }
  stack.push(core.get(s.selector[s.segment.ss] as Slot), size);
  stack.push(core.get(s.esp), size);
  pushReturn(core, stack, event, size, image);
  if (fromV86) {
    for (const n of [s.segment.gs, s.segment.fs, s.segment.ds, s.segment.es]) loadNull(core, n, 0);
    core.setFlags(0, Flag.vm);
  }
  load(core, s.segment.ss, ss, stackDescriptor);
  load(core, s.segment.cs, (selector & 0xfffc) | dpl, descriptor);
  stack.commit();
  core.setCpl(dpl);
}

/** SS and ESP for a ring, from the current TSS. SDM vol. 3 section 7.2.1. */
export function innerStack(core: Core, ring: number, ext: number): { ss: number; esp: number } {
  const tr = s.segment.tr;
  const named = (core.get(s.selector[tr] as Slot) & 0xfffc) | ext;
  const wide = isWide(core.get(s.rights[tr] as Slot));
  const offset = wide ? 4 + ring * 8 : 2 + ring * 4;
  if (offset + (wide ? 5 : 3) > core.get(s.limit[tr] as Slot) >>> 0) throw core.raise(Vector.invalidTss, named);
  const at = (core.get(s.base[tr] as Slot) + offset) >>> 0;
  const { memory } = core.engine;
  return wide
    ? { esp: memory.read(at, 4, true), ss: memory.read((at + 4) >>> 0, 2, true) }
    : { esp: memory.read(at, 2, true), ss: memory.read((at + 2) >>> 0, 2, true) };
}

function pushReturn(core: Core, stack: Stack, event: Event, size: number, image: number): void {
  stack.push(image, size);
  stack.push(core.get(s.selector[s.segment.cs] as Slot), size);
  stack.push(event.returnTo, size);
  if (event.code !== undefined) stack.push(event.code, size);
}

function checkTarget(core: Core, descriptor: Descriptor, target: number, ext: number): void {
  if (target >>> 0 > limitOf(descriptor) >>> 0) throw core.protection(ext);
}

/** IRET; `next` is where a task that it leaves goes on. SDM vol. 2, IRET/IRETD. */
export function interruptReturn(core: Core, size: number, next: number): void {
  // The processor takes NMIs again whatever becomes of the return: SDM vol. 3 section 6.7.1.
  if (core.get(s.nmiBlocked) !== 0) {
    core.set(s.nmiBlocked, 0);
    core.engine.attention();
  }
  if (core.protected && !core.v86) protectedReturn(core, size, next);
  else {
    const virtual = virtualFlags(core);
    if (core.v86 && core.iopl < 3 && !(virtual && size === 2)) throw core.protection();
    paragraphReturn(core, size, virtual);
  }
  core.updateMode();
}

function paragraphReturn(core: Core, size: number, virtual: boolean): void {
  const stack = Stack.current(core);
  const ip = stack.pop(size);
  const cs = stack.pop(size) & 0xffff;
  const image = stack.pop(size);
  const { v86 } = core;
  if (ip > core.get(s.limit[s.segment.cs] as Slot) >>> 0) throw core.protection();
  if (virtual) checkVirtualImage(core, image);
  stack.commit();
  if (virtual) setVirtualImage(core, image);
  // VM, VIF and VIP stay; IOPL too in virtual-8086 mode.
  else core.setFlags(image, ~(Flag.vm | Flag.vif | Flag.vip | (v86 ? Flag.iopl : 0)) & (size === 2 ? 0xffff : -1));
  loadParagraph(core, s.segment.cs, cs);
  core.set(s.engine.pc, ip);
}

function protectedReturn(core: Core, size: number, next: number): void {
  const { cpl } = core;
  if ((core.get(s.eflags) & Flag.nt) !== 0) {
    const back = core.engine.memory.read(core.get(s.base[s.segment.tr] as Slot) >>> 0, 2, true);
    switchTask(core, back, "return", next, core.flags & ~(Flag.nt | Flag.rf), undefined, 0);
    return;
  }
  const stack = Stack.current(core);
  const eip = stack.pop(size);
  const cs = stack.pop(size) & 0xffff;
  const image = stack.pop(size);
  if (size === 4 && (image & Flag.vm) !== 0 && cpl === 0) {
    returnToV86(core, stack, eip, cs, image);
    return;
  }
  if ((cs & 0xfffc) === 0) throw core.protection();
  const descriptor = needDescriptor(core, cs);
  const { high } = descriptor;
  const rpl = cs & 3;
  const code = cs & 0xfffc;
  if (!isCode(descriptor) || rpl < cpl) throw core.protection(code);
  if (isConforming(descriptor) ? dplOf(high) > rpl : dplOf(high) !== rpl) throw core.protection(code);
  if ((high & Right.present) === 0) throw core.raise(Vector.notPresent, code);
  if (eip >>> 0 > limitOf(descriptor) >>> 0) throw core.protection();
  // IF needs CPL <= IOPL, IOPL needs ring 0.
  const mask =
    Flag.cf |
    Flag.pf |
    Flag.af |
    Flag.zf |
    Flag.sf |
    Flag.tf |
    Flag.df |
    Flag.of |
    Flag.nt |
    (size === 4 ? Flag.rf | Flag.ac | Flag.id : 0) |
    (cpl <= core.iopl ? Flag.if : 0) |
    (cpl === 0 ? Flag.iopl | (size === 4 ? Flag.vif | Flag.vip : 0) : 0);
  if (rpl === cpl) {
    markAccessed(core, descriptor);
    stack.commit();
    load(core, s.segment.cs, cs, descriptor);
  } else {
    const esp = stack.pop(size);
    const ss = stack.pop(size) & 0xffff;
    // #NP for an absent one, where RET has #SS.
    const outer = needStack(core, ss, rpl, Vector.protection, 0, Vector.notPresent);
    markAccessed(core, descriptor);
    load(core, s.segment.cs, cs, descriptor);
    load(core, s.segment.ss, ss, outer);
    outward(core, rpl, esp);
  }
  // While no breakpoint is armed RF does nothing, and the next instruction would clear it: every return from a page fault has it set.
  core.setFlags(watching(core) ? image : image & ~Flag.rf, mask);
  core.set(s.engine.pc, eip);
}

/** The end of a return to a less privileged ring: ESP, and data segments that are too privileged for it become null. */
export function outward(core: Core, rpl: number, esp: number): void {
  const big = (core.get(s.rights[s.segment.ss] as Slot) & Right.big) !== 0;
  core.set(s.esp, big ? esp : (core.get(s.esp) & ~0xffff) | (esp & 0xffff));
  core.setCpl(rpl);
  for (const n of [s.segment.es, s.segment.ds, s.segment.fs, s.segment.gs]) {
    const rights = core.get(s.rights[n] as Slot);
    if (rights !== 0 && !isConforming({ high: rights }) && dplOf(rights) < rpl) loadNull(core, n, 0);
  }
}

function returnToV86(core: Core, stack: Stack, eip: number, cs: number, image: number): void {
  const esp = stack.pop(4);
  const [ss, es, ds, fs, gs] = [stack.pop(4), stack.pop(4), stack.pop(4), stack.pop(4), stack.pop(4)];
  if (eip >>> 0 > 0xffff) throw core.protection();
  core.setFlags(image, -1);
  const loads: readonly (readonly [number, number])[] = [
    [s.segment.cs, cs],
    [s.segment.ss, ss],
    [s.segment.es, es],
    [s.segment.ds, ds],
    [s.segment.fs, fs],
    [s.segment.gs, gs],
  ];
  for (const [n, selector] of loads) loadV86(core, n, selector);
  core.set(s.esp, esp);
  core.setCpl(3);
  core.set(s.engine.pc, eip);
}
