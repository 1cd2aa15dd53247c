import type { Slot } from "../../ir/slots.ts";
import { Cr0, Cr4, dplOf, Flag, Right, SystemType, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import { findDescriptor, isConforming, limitOf, load, needDescriptor } from "./descriptors.ts";
import { loadPointers } from "./mmu.ts";
import * as s from "./slots.ts";
import { isWide } from "./task.ts";

/** Bits of CR0 that exist; the others read 0. */
const cr0Bits = Cr0.pe | Cr0.mp | Cr0.em | Cr0.ts | Cr0.et | Cr0.ne | Cr0.wp | Cr0.am | Cr0.nw | Cr0.cd | Cr0.pg;
/** MOV to CR0, CR2, CR3, CR4. SDM vol. 3 section 2.5. */
export function writeControl(core: Core, n: number, value: number): void {
  switch (n) {
    case 0:
      writeCr0(core, value);
      return;
    case 2:
      core.set(s.cr2, value);
      return;
    case 3:
      if (paging(core) && (core.get(s.cr4) & Cr4.pae) !== 0) loadPointers(core, value);
      core.set(s.cr3, value);
      core.flushTlb((core.get(s.cr4) & Cr4.pge) !== 0);
      return;
    case 4:
      writeCr4(core, value);
      return;
    default:
      throw core.raise(Vector.undefined);
  }
}

export function readControl(core: Core, n: number): number {
  switch (n) {
    case 0:
      return core.get(s.cr0);
    case 2:
      return core.get(s.cr2);
    case 3:
      return core.get(s.cr3);
    case 4:
      return core.get(s.cr4);
    default:
      throw core.raise(Vector.undefined);
  }
}

function paging(core: Core): boolean {
  return (core.get(s.cr0) & Cr0.pg) !== 0;
}

export function writeCr0(core: Core, value: number): void {
  const next = (value & cr0Bits) | Cr0.et;
  // Paging without protection, and write-through without caching disabled, do not exist.
  if ((next & Cr0.pg) !== 0 && (next & Cr0.pe) === 0) throw core.protection();
  if ((next & Cr0.nw) !== 0 && (next & Cr0.cd) === 0) throw core.protection();
  const changed = core.get(s.cr0) ^ next;
  if ((changed & next & Cr0.pg) !== 0 && (core.get(s.cr4) & Cr4.pae) !== 0) loadPointers(core, core.get(s.cr3));
  core.set(s.cr0, next);
  if ((changed & (Cr0.pg | Cr0.wp | Cr0.pe)) !== 0) core.flushTlb();
  if ((changed & Cr0.pe) !== 0) core.setCpl(0);
  else if ((changed & Cr0.am) !== 0) core.chooseTlb();
  core.updateMode();
}

/** Bits that this processor does not have are #GP(0). */
function writeCr4(core: Core, value: number): void {
  const absent = value & ~core.cr4Bits;
  if (absent !== 0) {
    core.wires.report(`cr4 ${absent}`, `CR4 bits 0x${(absent >>> 0).toString(16)} are not there`);
    throw core.protection();
  }
  const changed = core.get(s.cr4) ^ value;
  const tables = (changed & (Cr4.pse | Cr4.pae | Cr4.pge)) !== 0;
  // SDM vol. 3 section 4.4.1: the pointers are read when paging is on and one of these changes.
  if (tables && paging(core) && (value & Cr4.pae) !== 0) loadPointers(core, core.get(s.cr3));
  core.set(s.cr4, value);
  if (tables) core.flushTlb();
}

/** LTR. */
export function loadTask(core: Core, selector: number): void {
  const code = selector & 0xfffc;
  if (code === 0) throw core.protection();
  if ((selector & 4) !== 0) throw core.protection(code);
  const descriptor = needDescriptor(core, selector);
  const type = (descriptor.high >>> 8) & 0x1f;
  if (type !== SystemType.tss16 && type !== SystemType.tss32) throw core.protection(code);
  if ((descriptor.high & Right.present) === 0) throw core.raise(Vector.notPresent, code);
  core.engine.memory.write((descriptor.at + 5) >>> 0, 1, ((descriptor.high >>> 8) & 0xff) | 2, true);
  load(core, s.segment.tr, selector, { ...descriptor, high: descriptor.high | 0x200 });
}

/** What LAR, LSL, VERR and VERW ask: the descriptor, if the selector may be used at this privilege. */
function visible(core: Core, selector: number) {
  if ((selector & 0xfffc) === 0) return undefined;
  const descriptor = findDescriptor(core, selector);
  if (descriptor === undefined) return undefined;
  const { high } = descriptor;
  if (!isConforming(descriptor) && (core.cpl > dplOf(high) || (selector & 3) > dplOf(high))) return undefined;
  return descriptor;
}

/** VERR and VERW: ZF. */
export function verify(core: Core, selector: number, write: boolean): void {
  const high = visible(core, selector)?.high ?? 0;
  const code = (high & Right.code) !== 0;
  const right = (high & Right.readWrite) !== 0;
  const ok = (high & Right.segment) !== 0 && (write ? !code && right : !code || right);
  core.setFlags(ok ? Flag.zf : 0, Flag.zf);
}

/** System descriptors which LAR tells of; LSL leaves the gates out. SDM vol. 2, table 3-51. */
const larTypes = [1, 2, 3, 4, 5, 9, 11, 12];
const lslTypes = [1, 2, 3, 9, 11];

/** LAR: the rights as they lie in the descriptor. LSL: the limit in bytes. Undefined, with ZF clear, when the selector does not serve. */
export function query(core: Core, selector: number, what: "rights" | "limit"): number | undefined {
  const descriptor = visible(core, selector);
  const types = what === "rights" ? larTypes : lslTypes;
  const ok =
    descriptor !== undefined &&
    ((descriptor.high & Right.segment) !== 0 || types.includes((descriptor.high >>> 8) & 0xf));
  core.setFlags(ok ? Flag.zf : 0, Flag.zf);
  if (!ok) return undefined;
  return what === "rights" ? descriptor.high & 0x00ff_ff00 : limitOf(descriptor);
}

/** IN and OUT: IOPL, or the bitmap of a 32-bit TSS. SDM vol. 1 section 18.5. */
export function checkPort(core: Core, port: number, width: number): void {
  if (!core.protected || (!core.v86 && core.cpl <= core.iopl)) return;
  const tr = s.segment.tr;
  const limit = core.get(s.limit[tr] as Slot) >>> 0;
  if (!isWide(core.get(s.rights[tr] as Slot)) || limit < 0x67) throw core.protection();
  const base = core.get(s.base[tr] as Slot) >>> 0;
  const map = core.engine.memory.read((base + 0x66) >>> 0, 2, true) + (port >>> 3);
  if (map + 1 > limit) throw core.protection();
  const bits = core.engine.memory.read((base + map) >>> 0, 2, true) >>> (port & 7);
  if ((bits & ((1 << width) - 1)) !== 0) throw core.protection();
}
