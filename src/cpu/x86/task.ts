import type { Slot } from "../../ir/slots.ts";
import { Cr0, Cr4, dplOf, Flag, Right, SystemType, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import { Dr6, dropLocal } from "./debug.ts";
import {
  baseOf,
  type Descriptor,
  findDescriptor,
  isCode,
  isConforming,
  limitOf,
  load,
  loadData,
  loadNull,
  loadV86,
  markAccessed,
  needDescriptor,
  needStack,
} from "./descriptors.ts";
import { loadPointers } from "./mmu.ts";
import * as s from "./slots.ts";
import { Stack } from "./stack-access.ts";

/** How a task is left: by JMP, by CALL or an interrupt, by IRET with NT set. */
export type TaskSwitch = "jump" | "call" | "return";

const { tr, ldtr } = s.segment;

/** Segment registers in the order of the TSS; GS and FS are in a 32-bit one only. */
const order = [s.segment.es, s.segment.cs, s.segment.ss, s.segment.ds, s.segment.fs, s.segment.gs];

/** Where a TSS keeps things, in bytes from its start. SDM vol. 3 figures 7-2 and 7-10. */
const layouts = {
  wide: { size: 4, limit: 0x67, saved: 0x20, savedBytes: 0x40, segments: 6, ldt: 0x60 },
  narrow: { size: 2, limit: 0x2b, saved: 0x0e, savedBytes: 0x1c, segments: 4, ldt: 0x2a },
} as const;

interface TaskState {
  readonly cr3: number;
  readonly pc: number;
  readonly flags: number;
  readonly general: readonly number[];
  /** In `order`. */
  readonly segments: readonly number[];
  readonly ldt: number;
  /** The T flag: #DB when the task begins. */
  readonly trap: boolean;
}

/** Whether a TSS is one of 32 bits, by the rights of its descriptor. */
export function isWide(rights: number): boolean {
  return ((rights >>> 8) & 8) !== 0;
}

/**
 * Switches tasks. SDM vol. 3 section 7.3: what may fault is checked or read in the old task; then the old state is saved and the new one
 * loaded; what is wrong with the new segments is a fault before the first instruction of the new task.
 * `image`: EFLAGS as they are saved. `code`: an error code for the new task's stack.
 */
export function switchTask(
  core: Core,
  selector: number,
  how: TaskSwitch,
  returnTo: number,
  image: number,
  code: number | undefined,
  ext: number,
): void {
  const target = findTask(core, selector, how, ext);
  const wide = isWide(target.high);
  const base = baseOf(target) >>> 0;
  const old = core.get(s.selector[tr] as Slot);
  const next = readState(core, base, wide);
  const left = how === "call" ? undefined : findDescriptor(core, old);
  const { memory } = core.engine;
  probeOld(core, ext);
  if (left !== undefined) memory.probe((left.at + 5) >>> 0, 1, true);
  if (how !== "return") memory.probe((target.at + 5) >>> 0, 1, true);
  if (how === "call") memory.probe(base, 2, true);

  saveState(core, returnTo, image);
  if (left !== undefined) setBusy(core, left, false);
  if (how === "call") memory.write(base, 2, old, true);
  if (how !== "return") setBusy(core, target, true);
  load(core, tr, selector, { ...target, high: target.high | 0x200 });
  core.set(s.cr0, core.get(s.cr0) | Cr0.ts);
  dropLocal(core);
  core.setCount(s.stepAt, 0);
  loadRegisters(core, next, wide, how === "call");
  try {
    if (wide) loadSpace(core, next.cr3);
    loadSegments(core, next, ext);
    if (code !== undefined) {
      const stack = Stack.current(core, ext);
      stack.push(code, wide ? 4 : 2);
      stack.commit();
    }
    if (next.pc >>> 0 > core.get(s.limit[s.segment.cs] as Slot) >>> 0) throw core.protection(ext);
  } catch (thrown) {
    core.restart = next.pc;
    throw thrown;
  } finally {
    core.updateMode();
  }
  if (next.trap) core.trapLater(Dr6.bt);
}

/** The descriptor of the task's TSS: SDM vol. 3 table 7-1, first lines. */
function findTask(core: Core, selector: number, how: TaskSwitch, ext: number): Descriptor {
  const vector = how === "return" ? Vector.invalidTss : Vector.protection;
  const named = (selector & 0xfffc) | ext;
  if ((selector & 4) !== 0) throw core.raise(vector, named);
  const target = needDescriptor(core, selector, vector, ext);
  const type = (target.high >>> 8) & 0x1f;
  const fits =
    how === "return"
      ? type === SystemType.busyTss16 || type === SystemType.busyTss32
      : type === SystemType.tss16 || type === SystemType.tss32;
  if (!fits) throw core.raise(vector, named);
  if ((target.high & Right.present) === 0) throw core.raise(Vector.notPresent, named);
  const layout = isWide(target.high) ? layouts.wide : layouts.narrow;
  if (limitOf(target) >>> 0 < layout.limit) throw core.raise(Vector.invalidTss, named);
  return target;
}

/** Bit 1 of a TSS descriptor's type. */
function setBusy(core: Core, { high, at }: Descriptor, busy: boolean): void {
  const type = (high >>> 8) & 0xff;
  core.engine.memory.write((at + 5) >>> 0, 1, busy ? type | 2 : type & ~2, true);
}

/** The current TSS has to take what is saved. */
function probeOld(core: Core, ext: number): void {
  const layout = isWide(core.get(s.rights[tr] as Slot)) ? layouts.wide : layouts.narrow;
  const { saved, savedBytes } = layout;
  if (core.get(s.limit[tr] as Slot) >>> 0 < saved + savedBytes - 1)
    throw core.raise(Vector.invalidTss, (core.get(s.selector[tr] as Slot) & 0xfffc) | ext);
  core.engine.memory.probe((core.get(s.base[tr] as Slot) + saved) >>> 0, savedBytes, true);
}

function saveState(core: Core, pc: number, image: number): void {
  const { memory } = core.engine;
  const { size, saved, segments } = isWide(core.get(s.rights[tr] as Slot)) ? layouts.wide : layouts.narrow;
  const at = core.get(s.base[tr] as Slot) + saved;
  const values = [pc, image, ...s.gpr.map((r) => core.get(r))];
  for (const [k, value] of values.entries()) memory.write((at + k * size) >>> 0, size, value, true);
  for (let k = 0; k < segments; k++) {
    const selector = core.get(s.selector[order[k] as number] as Slot);
    memory.write((at + (values.length + k) * size) >>> 0, 2, selector, true);
  }
}

function readState(core: Core, base: number, wide: boolean): TaskState {
  const { memory } = core.engine;
  const { size, saved, segments, ldt } = wide ? layouts.wide : layouts.narrow;
  const value = (k: number) => memory.read((base + saved + k * size) >>> 0, size, true);
  return {
    cr3: wide ? memory.read((base + 0x1c) >>> 0, 4, true) : 0,
    pc: value(0),
    flags: value(1),
    // What a 16-bit TSS has no room for is set in the upper halves of P6 registers.
    general: s.gpr.map((_, k) => (wide ? value(2 + k) : value(2 + k) | 0xffff_0000)),
    segments: order.map((_, k) => (k < segments ? value(10 + k) & 0xffff : 0)),
    ldt: memory.read((base + ldt) >>> 0, 2, true),
    trap: wide && (memory.read((base + 0x64) >>> 0, 1, true) & 1) !== 0,
  };
}

/** All that cannot fault. The segment registers hold their selectors, and nothing can be reached through them yet. */
function loadRegisters(core: Core, next: TaskState, wide: boolean, nested: boolean): void {
  core.set(s.engine.pc, next.pc);
  for (const [k, register] of s.gpr.entries()) core.set(register, next.general[k] as number);
  core.setFlags((wide ? next.flags : next.flags & 0xffff) | (nested ? Flag.nt : 0), -1);
  for (const [k, n] of order.entries()) loadNull(core, n, next.segments[k] as number);
  loadNull(core, ldtr, next.ldt);
  core.setCpl(core.v86 ? 3 : (next.segments[1] as number) & 3);
}

function loadSpace(core: Core, cr3: number): void {
  if ((core.get(s.cr0) & Cr0.pg) === 0) return;
  if ((core.get(s.cr4) & Cr4.pae) !== 0) loadPointers(core, cr3);
  core.set(s.cr3, cr3);
  core.flushTlb(true);
}

function loadSegments(core: Core, { ldt, segments }: TaskState, ext: number): void {
  loadLdt(core, ldt, Vector.invalidTss, ext);
  if (core.v86) {
    for (const [k, n] of order.entries()) loadV86(core, n, segments[k] as number);
    return;
  }
  const [es, cs, ss, ds, fs, gs] = segments as [number, number, number, number, number, number];
  loadCode(core, cs, ext);
  load(core, s.segment.ss, ss, needStack(core, ss, cs & 3, Vector.invalidTss, ext));
  loadData(core, s.segment.es, es, Vector.invalidTss, ext);
  loadData(core, s.segment.ds, ds, Vector.invalidTss, ext);
  loadData(core, s.segment.fs, fs, Vector.invalidTss, ext);
  loadData(core, s.segment.gs, gs, Vector.invalidTss, ext);
}

function loadCode(core: Core, selector: number, ext: number): void {
  const code = (selector & 0xfffc) | ext;
  const descriptor = needDescriptor(core, selector, Vector.invalidTss, ext);
  const dpl = dplOf(descriptor.high);
  const fits = isConforming(descriptor) ? dpl <= (selector & 3) : dpl === (selector & 3);
  if (!isCode(descriptor) || !fits) throw core.raise(Vector.invalidTss, code);
  if ((descriptor.high & Right.present) === 0) throw core.raise(Vector.notPresent, code);
  markAccessed(core, descriptor);
  load(core, s.segment.cs, selector, descriptor);
}

/** LLDT, and the LDT of a new task. */
export function loadLdt(core: Core, selector: number, vector: number = Vector.protection, ext = 0): void {
  const code = (selector & 0xfffc) | ext;
  if ((selector & 0xfffc) === 0) {
    loadNull(core, ldtr, selector);
    return;
  }
  if ((selector & 4) !== 0) throw core.raise(vector, code);
  const descriptor = needDescriptor(core, selector, vector, ext);
  if (((descriptor.high >>> 8) & 0x1f) !== SystemType.ldt) throw core.raise(vector, code);
  if ((descriptor.high & Right.present) === 0)
    throw core.raise(vector === Vector.protection ? Vector.notPresent : vector, code);
  load(core, ldtr, selector, descriptor);
}
