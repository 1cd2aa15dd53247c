import type { Slot } from "../../ir/slots.ts";
import { dplOf, Right, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

/** A descriptor as it was read: both words, and where it lies. SDM vol. 3 section 3.4.5. */
export interface Descriptor {
  readonly low: number;
  readonly high: number;
  /** Linear address. */
  readonly at: number;
}

/**
 * Reads the descriptor that a selector names, from the GDT or the LDT. `undefined` for a selector past the end of its table; a null
 * selector is the caller's to tell.
 */
export function findDescriptor(core: Core, selector: number): Descriptor | undefined {
  const local = (selector & 4) !== 0;
  if (local && core.get(s.rights[s.segment.ldtr] as Slot) === 0) return undefined;
  const limit = core.get(local ? (s.limit[s.segment.ldtr] as Slot) : s.gdtrLimit) >>> 0;
  const base = core.get(local ? (s.base[s.segment.ldtr] as Slot) : s.gdtrBase);
  const offset = selector & 0xfff8;
  if (offset + 7 > limit) return undefined;
  const at = (base + offset) >>> 0;
  const { memory } = core.engine;
  return { low: memory.read(at, 4, true), high: memory.read((at + 4) >>> 0, 4, true), at };
}

/** As `findDescriptor`, but a selector that names none is a fault with that selector as its code. */
export function needDescriptor(core: Core, selector: number, vector: number = Vector.protection, ext = 0): Descriptor {
  const found = (selector & 0xfffc) === 0 ? undefined : findDescriptor(core, selector);
  if (found === undefined) throw core.raise(vector, (selector & 0xfffc) | ext);
  return found;
}

export function baseOf({ low, high }: Descriptor): number {
  return (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff00_0000);
}

/** In bytes, scaled. */
export function limitOf({ low, high }: Descriptor): number {
  const raw = (low & 0xffff) | (high & 0xf_0000);
  return (high & Right.granular) !== 0 ? (raw << 12) | 0xfff : raw;
}

/** Marks the descriptor of a code or data segment accessed, where it lies. This may fault, so it stands before anything is loaded. */
export function markAccessed(core: Core, { high, at }: Descriptor): void {
  if ((high & Right.segment) !== 0 && (high & Right.accessed) === 0)
    core.engine.memory.write((at + 5) >>> 0, 1, ((high >>> 8) & 0xff) | 1, true);
}

/** Puts a descriptor into a segment register. It cannot fault. */
export function load(core: Core, n: number, selector: number, descriptor: Descriptor): void {
  const { high } = descriptor;
  core.set(s.selector[n] as Slot, selector & 0xffff);
  core.set(s.base[n] as Slot, baseOf(descriptor));
  core.set(s.limit[n] as Slot, limitOf(descriptor));
  core.set(s.rights[n] as Slot, (high & 0x00f0_ff00) | ((high & Right.segment) !== 0 ? Right.accessed : 0));
}

/** A null selector: nothing may be reached through it. */
export function loadNull(core: Core, n: number, selector: number): void {
  core.set(s.selector[n] as Slot, selector & 0xffff);
  core.set(s.base[n] as Slot, 0);
  core.set(s.limit[n] as Slot, 0);
  core.set(s.rights[n] as Slot, 0);
}

/**
 * A paragraph in real mode: base follows, limit and rights stay what they were (SDM vol. 3 section 20.1.1), but for CS, which a jump behind protected mode gives the rights of real mode
 * (section 9.9.2, step 7): there code writes to its own segment. What was null in protected mode can be used again.
 */
export function loadParagraph(core: Core, n: number, selector: number): void {
  const rights = core.get(s.rights[n] as Slot);
  if (rights === 0) core.set(s.limit[n] as Slot, 0xffff);
  if (rights === 0 || n === s.segment.cs)
    core.set(s.rights[n] as Slot, (rights & (Right.big | Right.granular)) | writable);
  core.set(s.selector[n] as Slot, selector & 0xffff);
  core.set(s.base[n] as Slot, (selector & 0xffff) << 4);
}

const writable = Right.present | Right.segment | Right.readWrite | Right.accessed;

/** A segment of virtual-8086 mode: 64 KiB, writable, ring 3. SDM vol. 3 section 20.2.1. */
export function loadV86(core: Core, n: number, selector: number): void {
  loadParagraph(core, n, selector);
  core.set(s.limit[n] as Slot, 0xffff);
  core.set(s.rights[n] as Slot, writable | (3 << 13));
}

/** MOV and POP to DS, ES, FS, GS, SS. SDM vol. 2, MOV. A task switch has another `vector` for what is wrong with a descriptor. */
export function loadData(core: Core, n: number, selector: number, vector: number = Vector.protection, ext = 0): void {
  if (core.v86) {
    loadV86(core, n, selector);
    return;
  }
  if (!core.protected) {
    loadParagraph(core, n, selector);
    return;
  }
  const { cpl } = core;
  const rpl = selector & 3;
  if (n === s.segment.ss) {
    loadStack(core, selector, cpl, vector, ext);
    return;
  }
  if ((selector & 0xfffc) === 0) {
    loadNull(core, n, selector);
    return;
  }
  const code = (selector & 0xfffc) | ext;
  const descriptor = needDescriptor(core, selector, vector, ext);
  const { high } = descriptor;
  const readable = (high & Right.code) === 0 || (high & Right.readWrite) !== 0;
  if ((high & Right.segment) === 0 || !readable) throw core.raise(vector, code);
  const conforming = (high & (Right.code | Right.direction)) === (Right.code | Right.direction);
  if (!conforming && (rpl > dplOf(high) || cpl > dplOf(high))) throw core.raise(vector, code);
  if ((high & Right.present) === 0) throw core.raise(Vector.notPresent, code);
  markAccessed(core, descriptor);
  load(core, n, selector, descriptor);
}

/** Checks a stack segment for privilege `cpl` and marks it accessed; faults are `vector` with the selector, `absent` where it is not present. */
export function needStack(
  core: Core,
  selector: number,
  cpl: number,
  vector: number,
  ext: number,
  absent: number = Vector.stack,
): Descriptor {
  const code = (selector & 0xfffc) | ext;
  if ((selector & 0xfffc) === 0) throw core.raise(vector, vector === Vector.invalidTss ? code : ext);
  const descriptor = needDescriptor(core, selector, vector, ext);
  const { high } = descriptor;
  const writable = (high & (Right.segment | Right.code | Right.readWrite)) === (Right.segment | Right.readWrite);
  if ((selector & 3) !== cpl || !writable || dplOf(high) !== cpl) throw core.raise(vector, code);
  if ((high & Right.present) === 0) throw core.raise(absent, code);
  markAccessed(core, descriptor);
  return descriptor;
}

export function isCode({ high }: Pick<Descriptor, "high">): boolean {
  return (high & (Right.segment | Right.code)) === (Right.segment | Right.code);
}

export function isConforming({ high }: Pick<Descriptor, "high">): boolean {
  const conforming = Right.segment | Right.code | Right.direction;
  return (high & conforming) === conforming;
}

export function loadStack(core: Core, selector: number, cpl: number, vector: number, ext: number): void {
  load(core, s.segment.ss, selector, needStack(core, selector, cpl, vector, ext));
}

/** What a segment allows at an offset. SDM vol. 3 sections 5.3 to 5.5. */
export function allows(rights: number, limit: number, offset: number, width: number, write: boolean): boolean {
  if ((rights & Right.present) === 0 || (rights & Right.segment) === 0) return false;
  const code = (rights & Right.code) !== 0;
  if (write ? code || (rights & Right.readWrite) === 0 : code && (rights & Right.readWrite) === 0) return false;
  const last = (offset >>> 0) + width - 1;
  if (!code && (rights & Right.direction) !== 0) {
    // Expand-down: from limit + 1 to the top, which B gives.
    return offset >>> 0 > limit >>> 0 && last <= ((rights & Right.big) !== 0 ? 0xffff_ffff : 0xffff);
  }
  return last <= limit >>> 0;
}
