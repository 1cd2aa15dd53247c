import type { Slot } from "../../ir/slots.ts";
import { Cr4, Flag, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

/* Breakpoints. SDM vol. 3 sections 17.2 and 17.3. Nothing here runs while DR7 enables none, but for one test in a page walk. */

/** Bits of DR6. SDM vol. 3 section 17.2.3. */
export const Dr6 = { hit: 0xf, bd: 1 << 13, bs: 1 << 14, bt: 1 << 15 } as const;
/** Bits of DR7. SDM vol. 3 section 17.2.4. */
export const Dr7 = { enables: 0xff, local: 0x155, gd: 1 << 13 } as const;

/** R/W fields of DR7. */
const When = { execute: 0, write: 1, port: 2, access: 3 } as const;
const lengths = [1, 2, 8, 4] as const;

const numbers = [0, 1, 2, 3] as const;
const pageMask = -4096;

/** Whether DR7 enables any breakpoint. */
export function watching(core: Core): boolean {
  return (core.get(s.dr[7] as Slot) & Dr7.enables) !== 0;
}

function enabled(dr7: number, n: number): boolean {
  return ((dr7 >>> (2 * n)) & 3) !== 0;
}

function when(dr7: number, n: number): number {
  return (dr7 >>> (16 + 4 * n)) & 3;
}

/** Whether accesses to the page of `address` have to be seen, to fetch or else to read and write. */
export function watchesPage(core: Core, address: number, fetch: boolean): boolean {
  const dr7 = core.get(s.dr[7] as Slot);
  return numbers.some(
    (n) =>
      enabled(dr7, n) &&
      (fetch ? when(dr7, n) === When.execute : (when(dr7, n) & 1) !== 0) &&
      ((core.get(s.dr[n] as Slot) ^ address) & pageMask) === 0,
  );
}

/** #DB, a fault, when a breakpoint is on the instruction at this linear address. Not under RF, and not behind MOV SS: section 17.3.1.1. */
export function refusesFetch(core: Core, address: number): boolean {
  if ((core.get(s.eflags) & Flag.rf) !== 0 || core.engine.instructions < core.count(s.quiet)) return false;
  const dr7 = core.get(s.dr[7] as Slot);
  let hit = 0;
  for (const n of numbers)
    if (enabled(dr7, n) && when(dr7, n) === When.execute && core.get(s.dr[n] as Slot) === (address | 0)) hit |= 1 << n;
  if (hit === 0) return false;
  addDr6(core, hit);
  core.raiseBreakpoint();
  return true;
}

/** An access to a watched page: a trap behind the instruction, if it is one to a breakpoint. */
export function touched(core: Core, address: number, width: number, write: boolean): void {
  const dr7 = core.get(s.dr[7] as Slot);
  let hit = 0;
  for (const n of numbers) {
    if (!enabled(dr7, n)) continue;
    const kind = when(dr7, n);
    if ((kind === When.access || (kind === When.write && write)) && overlaps(core, dr7, n, address, width))
      hit |= 1 << n;
  }
  if (hit !== 0) core.trapLater(hit);
}

/** IN and OUT: breakpoints on ports exist under CR4.DE. */
export function portTouched(core: Core, port: number, width: number): void {
  if ((core.get(s.cr4) & Cr4.de) === 0) return;
  const dr7 = core.get(s.dr[7] as Slot);
  let hit = 0;
  for (const n of numbers)
    if (enabled(dr7, n) && when(dr7, n) === When.port && overlaps(core, dr7, n, port, width)) hit |= 1 << n;
  if (hit !== 0) core.trapLater(hit);
}

function overlaps(core: Core, dr7: number, n: number, address: number, width: number): boolean {
  const length = lengths[(dr7 >>> (18 + 4 * n)) & 3] as number;
  const from = (core.get(s.dr[n] as Slot) & -length) >>> 0;
  return address < from + length && address + width > from;
}

export function addDr6(core: Core, bits: number): void {
  const dr6 = s.dr[6] as Slot;
  core.set(dr6, core.get(dr6) | bits);
}

/** DR4 and DR5 are DR6 and DR7 unless CR4.DE. SDM vol. 3 section 17.2.2. */
function debugRegister(core: Core, n: number): number {
  let register = n;
  if (n === 4 || n === 5) {
    if ((core.get(s.cr4) & Cr4.de) !== 0) throw core.raise(Vector.undefined);
    register = n + 2;
  }
  const dr7 = core.get(s.dr[7] as Slot);
  if ((dr7 & Dr7.gd) !== 0) {
    // Whoever handles this may use the registers: section 17.2.4, GD.
    core.set(s.dr[7] as Slot, dr7 & ~Dr7.gd);
    addDr6(core, Dr6.bd);
    throw core.raise(Vector.debug);
  }
  return register;
}

export function readDebug(core: Core, n: number): number {
  return core.get(s.dr[debugRegister(core, n)] as Slot);
}

export function writeDebug(core: Core, n: number, value: number): void {
  const register = debugRegister(core, n);
  // Fixed bits: DR6 section 17.2.3, DR7 section 17.2.4.
  const fixed =
    register === 6 ? (value & 0xe00f) | 0xffff_0ff0 : register === 7 ? (value & 0xffff_23ff) | 0x400 : value;
  core.set(s.dr[register] as Slot, fixed);
  // Which pages have to be watched has changed.
  if (register === 7 || (register < 4 && watching(core))) core.flushTlb();
}

/** A task switch takes the breakpoints of the old task away. SDM vol. 3 section 17.2.4, L0 to L3. */
export function dropLocal(core: Core): void {
  const dr7 = core.get(s.dr[7] as Slot);
  if ((dr7 & Dr7.local) === 0) return;
  core.set(s.dr[7] as Slot, dr7 & ~Dr7.local);
  core.flushTlb();
}
