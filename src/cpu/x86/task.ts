import type { Slot } from "../../ir/slots.ts";
import { Cr0, dplOf, Flag, Right, SystemType, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import {
  baseOf,
  findDescriptor,
  limitOf,
  load,
  loadData,
  loadNull,
  loadV86,
  needDescriptor,
  needStack,
} from "./descriptors.ts";
import * as s from "./slots.ts";
import { Stack } from "./stack-access.ts";

/** How a task is left: by JMP, by CALL or an interrupt, by IRET with NT set. */
export type TaskSwitch = "jump" | "call" | "return";

const { tr, ldtr } = s.segment;

/** Segment registers in the order of the TSS; GS and FS are in a 32-bit one only. */
const order = [s.segment.es, s.segment.cs, s.segment.ss, s.segment.ds, s.segment.fs, s.segment.gs];

/**
 * Switches tasks. SDM vol. 3 section 7.3, in its order: checks in the old task, the old state saved, the new one loaded; faults of the
 * new task's segments are taken in the new task.
 */
export function switchTask(
  core: Core,
  selector: number,
  how: TaskSwitch,
  returnTo: number,
  code: number | undefined,
  ext: number,
): void {
  const vector = how === "return" ? Vector.invalidTss : Vector.protection;
  const named = (selector & 0xfffc) | ext;
  if ((selector & 4) !== 0) throw core.raise(vector, named);
  const target = needDescriptor(core, selector, vector, ext);
  const type = (target.high >>> 8) & 0x1f;
  const wide = (type & 8) !== 0;
  const busy = type === SystemType.busyTss16 || type === SystemType.busyTss32;
  const available = type === SystemType.tss16 || type === SystemType.tss32;
  if (how === "return" ? !busy : !available) throw core.raise(vector, named);
  if ((target.high & Right.present) === 0) throw core.raise(Vector.notPresent, named);
  if (limitOf(target) >>> 0 < (wide ? 0x67 : 0x2b)) throw core.raise(Vector.invalidTss, named);

  const old = core.get(s.selector[tr] as Slot);
  const image = how === "return" ? core.flags & ~Flag.nt : core.flags;
  saveState(core, returnTo, image);
  if (how !== "call") setBusy(core, old, false);
  const base = baseOf(target) >>> 0;
  if (how === "call") core.engine.memory.write(base, 2, old, true);
  if (how !== "return") setBusy(core, selector, true);
  load(core, tr, selector, target);
  core.set(s.rights[tr] as Slot, core.get(s.rights[tr] as Slot) | 0x200);
  core.set(s.cr0, core.get(s.cr0) | Cr0.ts);
  loadState(core, base, wide, how === "call");
  if (code !== undefined) {
    const stack = Stack.current(core);
    stack.push(code, wide ? 4 : 2);
    stack.commit();
  }
  core.updateMode();
}

/** Bit 1 of a TSS descriptor's type. */
function setBusy(core: Core, selector: number, busy: boolean): void {
  const descriptor = findDescriptor(core, selector);
  if (descriptor === undefined) return;
  const type = (descriptor.high >>> 8) & 0xff;
  core.engine.memory.write((descriptor.at + 5) >>> 0, 1, busy ? type | 2 : type & ~2, true);
}

function saveState(core: Core, pc: number, image: number): void {
  const at = core.get(s.base[tr] as Slot) >>> 0;
  const wide = ((core.get(s.rights[tr] as Slot) >>> 8) & 8) !== 0;
  const { memory } = core.engine;
  const size = wide ? 4 : 2;
  const start = wide ? 0x20 : 0x0e;
  memory.probe(at + start, wide ? 0x40 : 0x1c, true);
  const values = [pc, image, ...s.gpr.map((r) => core.get(r))];
  for (const [k, value] of values.entries()) memory.write(at + start + k * size, size, value, true);
  const segments = at + start + values.length * size;
  for (const [k, n] of order.entries()) {
    if (wide || k < 4) memory.write(segments + k * size, 2, core.get(s.selector[n] as Slot), true);
  }
}

function loadState(core: Core, at: number, wide: boolean, nested: boolean): void {
  const { memory } = core.engine;
  const size = wide ? 4 : 2;
  const start = wide ? 0x20 : 0x0e;
  const value = (k: number) => memory.read(at + start + k * size, size, true);
  const cr3 = wide ? memory.read(at + 0x1c, 4, true) : 0;
  const pc = value(0);
  const image = value(1);
  const general = s.gpr.map((_, k) => value(2 + k));
  const segments = order.map((_, k) => (wide || k < 4 ? value(10 + k) & 0xffff : 0));
  const local = memory.read(at + (wide ? 0x60 : 0x2a), 2, true);
  if (wide && (core.get(s.cr0) & Cr0.pg) !== 0) {
    core.set(s.cr3, cr3);
    core.engine.flushTlb();
  }
  core.set(s.engine.pc, pc);
  for (const [k, register] of s.gpr.entries())
    core.set(register, wide ? (general[k] as number) : 0xffff_0000 | (general[k] as number));
  core.setFlags(image | (nested ? Flag.nt : 0), wide ? -1 : 0xffff & -1);
  for (const [k, n] of order.entries()) loadNull(core, n, segments[k] as number);
  loadLdt(core, local, Vector.invalidTss);
  const [es, cs, ss, ds, fs, gs] = segments as [number, number, number, number, number, number];
  if (core.v86) {
    for (const [k, n] of order.entries()) loadV86(core, n, segments[k] as number);
    core.setCpl(3);
    return;
  }
  core.setCpl(cs & 3);
  loadCode(core, cs);
  load(core, s.segment.ss, ss, needStack(core, ss, cs & 3, Vector.invalidTss, 0));
  for (const [n, selector] of [
    [s.segment.es, es],
    [s.segment.ds, ds],
    [s.segment.fs, fs],
    [s.segment.gs, gs],
  ] as const) {
    loadData(core, n, selector);
  }
}

function loadCode(core: Core, selector: number): void {
  const code = selector & 0xfffc;
  const descriptor = needDescriptor(core, selector, Vector.invalidTss);
  const { high } = descriptor;
  const conforming = (high & Right.direction) !== 0;
  const fits = conforming ? dplOf(high) <= (selector & 3) : dplOf(high) === (selector & 3);
  if ((high & (Right.segment | Right.code)) !== (Right.segment | Right.code) || !fits)
    throw core.raise(Vector.invalidTss, code);
  if ((high & Right.present) === 0) throw core.raise(Vector.notPresent, code);
  load(core, s.segment.cs, selector, descriptor);
}

/** LLDT, and the LDT of a new task. */
export function loadLdt(core: Core, selector: number, vector: number = Vector.protection): void {
  const code = selector & 0xfffc;
  if (code === 0) {
    loadNull(core, ldtr, selector);
    return;
  }
  if ((selector & 4) !== 0) throw core.raise(vector, code);
  const descriptor = needDescriptor(core, selector, vector);
  if (((descriptor.high >>> 8) & 0x1f) !== SystemType.ldt) throw core.raise(vector, code);
  if ((descriptor.high & Right.present) === 0)
    throw core.raise(vector === Vector.protection ? Vector.notPresent : vector, code);
  load(core, ldtr, selector, descriptor);
}
