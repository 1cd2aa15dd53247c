import { Access, type Translation } from "../../ir/frontend.ts";
import type { Slot } from "../../ir/slots.ts";
import { Cr0, Cr4, Efer, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import { refusesFetch, watchesPage, watching } from "./debug.ts";
import * as s from "./slots.ts";

/** Entry bits, in the low word. SDM vol. 3 section 4.3, tables 4-4 to 4-6; section 4.4, tables 4-8 to 4-11. */
const Entry = {
  present: 1,
  write: 2,
  user: 4,
  accessed: 0x20,
  dirty: 0x40,
  large: 0x80,
  global: 0x100,
} as const;

/** Page-fault error code. SDM vol. 3 section 4.7. */
const Code = { present: 1, write: 2, user: 4, reserved: 8, fetch: 16 } as const;

/** Bits 35..32 of a physical address, in the high word of an entry; the rest of that word, but for execute-disable, is reserved. */
const highAddress = 0xf;
const executeDisable = 0x8000_0000 | 0;

/**
 * Translates a linear address by the page tables, as CR0.PG, CR4.PSE and CR4.PAE say. Sets the accessed bits, and the dirty bit
 * for a write. False when the access is refused: with #PF recorded and CR2 set, or, for a fetch, #GP beyond the end of CS or #DB for a breakpoint.
 */
export function translate(core: Core, address: number, access: Access, user: boolean, into: Translation): boolean {
  into.watched = watching(core) && watchesPage(core, address, access === Access.fetch);
  into.global = false;
  if (access === Access.fetch && !fetchable(core, address, into)) return false;
  if ((core.get(s.cr0) & Cr0.pg) === 0) {
    into.physical = address;
    into.writable = true;
    return true;
  }
  return (core.get(s.cr4) & Cr4.pae) !== 0
    ? translateWide(core, address, access, user, into)
    : translateNarrow(core, address, access, user, into);
}

/** What is asked before the page tables are: a breakpoint, then the limit of CS. SDM vol. 3 table 6-2, classes 7 and 8. */
function fetchable(core: Core, address: number, into: Translation): boolean {
  const base = core.get(s.engine.fetchBase);
  if (into.watched && address === (base + core.get(s.engine.pc)) >>> 0 && refusesFetch(core, address)) return false;
  const limit = core.get(s.limit[s.segment.cs] as Slot);
  if (limit === -1) return true;
  if ((address - base) >>> 0 > limit >>> 0) {
    core.protection();
    return false;
  }
  // The page in which the segment ends is fetched byte by byte.
  if (((address | 0xfff) - base) >>> 0 > limit >>> 0) into.watched = true;
  return true;
}

/** 4 KiB and, under CR4.PSE, 4 MiB pages. SDM vol. 3 section 4.3. */
function translateNarrow(core: Core, address: number, access: Access, user: boolean, into: Translation): boolean {
  const { engine } = core;
  const directoryAt = ((core.get(s.cr3) & -4096) + ((address >>> 22) << 2)) >>> 0;
  const directory = engine.readPhysical(directoryAt, 4);
  if ((directory & Entry.present) === 0) return refuse(core, address, access, user, 0);
  if ((directory & Entry.large) !== 0 && (core.get(s.cr4) & Cr4.pse) !== 0) {
    // Bit 21 is reserved; bits 16..13 are address bits 35..32 (PSE-36) or reserved too, as are those above them.
    if ((directory & (core.pse36 ? 0x003e_0000 : 0x003f_e000)) !== 0)
      return refuse(core, address, access, user, Code.present | Code.reserved);
    if (!permits(core, directory, access, user)) return refuse(core, address, access, user, Code.present);
    const marked = mark(core, directoryAt, directory, access);
    core.noteLarge((address & 0xffc0_0000) >>> 0, 0x40_0000);
    into.physical = ((directory >>> 13) & 0xf) * 2 ** 32 + (((directory & 0xffc0_0000) | (address & 0x3f_ffff)) >>> 0);
    found(core, marked, marked, user, into);
    return true;
  }
  const tableAt = ((directory & -4096) + (((address >>> 12) & 0x3ff) << 2)) >>> 0;
  const entry = engine.readPhysical(tableAt, 4);
  if ((entry & Entry.present) === 0) return refuse(core, address, access, user, 0);
  const both = entry & directory;
  if (!permits(core, both, access, user)) return refuse(core, address, access, user, Code.present);
  if ((directory & Entry.accessed) === 0) engine.writePhysical(directoryAt, 4, directory | Entry.accessed);
  const marked = mark(core, tableAt, entry, access);
  into.physical = ((entry & -4096) | (address & 0xfff)) >>> 0;
  found(core, both, marked, user, into);
  return true;
}

/** CR4.PAE: entries of 64 bits, pages of 4 KiB and 2 MiB, execute-disable under EFER.NXE. SDM vol. 3 section 4.4. */
function translateWide(core: Core, address: number, access: Access, user: boolean, into: Translation): boolean {
  const { engine } = core;
  const noExecute = (core.get(s.efer) & Efer.nxe) !== 0;
  const reservedHigh = ~(highAddress | (noExecute ? executeDisable : 0));
  const quarter = address >>> 30;
  const top = core.get(s.pdpteLow[quarter] as Slot);
  if ((top & Entry.present) === 0) return refuse(core, address, access, user, 0);
  const topHigh = core.get(s.pdpteHigh[quarter] as Slot);
  const directoryAt = topHigh * 2 ** 32 + (((top & -4096) + (((address >>> 21) & 0x1ff) << 3)) >>> 0);
  const directory = engine.readPhysical(directoryAt, 4);
  const directoryHigh = engine.readPhysical(directoryAt + 4, 4);
  if ((directory & Entry.present) === 0) return refuse(core, address, access, user, 0);
  const large = (directory & Entry.large) !== 0;
  if ((directoryHigh & reservedHigh) !== 0 || (large && (directory & 0x1f_e000) !== 0))
    return refuse(core, address, access, user, Code.present | Code.reserved);
  if (large) {
    if (
      !permits(core, directory, access, user) ||
      (access === Access.fetch && noExecute && (directoryHigh & executeDisable) !== 0)
    )
      return refuse(core, address, access, user, Code.present);
    const marked = mark(core, directoryAt, directory, access);
    core.noteLarge((address & 0xffe0_0000) >>> 0, 0x20_0000);
    into.physical =
      (directoryHigh & highAddress) * 2 ** 32 + (((directory & 0xffe0_0000) | (address & 0x1f_ffff)) >>> 0);
    found(core, marked, marked, user, into);
    return true;
  }
  const tableAt =
    (directoryHigh & highAddress) * 2 ** 32 + (((directory & -4096) + (((address >>> 12) & 0x1ff) << 3)) >>> 0);
  const entry = engine.readPhysical(tableAt, 4);
  const entryHigh = engine.readPhysical(tableAt + 4, 4);
  if ((entry & Entry.present) === 0) return refuse(core, address, access, user, 0);
  if ((entryHigh & reservedHigh) !== 0) return refuse(core, address, access, user, Code.present | Code.reserved);
  const both = entry & directory;
  const disabled = noExecute && ((entryHigh | directoryHigh) & executeDisable) !== 0;
  if (!permits(core, both, access, user) || (access === Access.fetch && disabled))
    return refuse(core, address, access, user, Code.present);
  if ((directory & Entry.accessed) === 0) engine.writePhysical(directoryAt, 4, directory | Entry.accessed);
  const marked = mark(core, tableAt, entry, access);
  into.physical = (entryHigh & highAddress) * 2 ** 32 + (((entry & -4096) | (address & 0xfff)) >>> 0);
  found(core, both, marked, user, into);
  return true;
}

/** SDM vol. 3 section 4.6. `entry` has the bits which all levels have. */
function permits(core: Core, entry: number, access: Access, user: boolean): boolean {
  if (user && (entry & Entry.user) === 0) return false;
  return access !== Access.write || mayWrite(core, entry, user);
}

function mayWrite(core: Core, entry: number, user: boolean): boolean {
  return (entry & Entry.write) !== 0 || (!user && (core.get(s.cr0) & Cr0.wp) === 0);
}

/** Sets accessed, and dirty for a write, in the entry that maps the page. */
function mark(core: Core, at: number, entry: number, access: Access): number {
  const marked = entry | Entry.accessed | (access === Access.write ? Entry.dirty : 0);
  if (marked !== entry) core.engine.writePhysical(at, 4, marked >>> 0);
  return marked;
}

function found(core: Core, rights: number, marked: number, user: boolean, into: Translation): void {
  into.writable = mayWrite(core, rights, user) && (marked & Entry.dirty) !== 0;
  into.global = (marked & Entry.global) !== 0 && (core.get(s.cr4) & Cr4.pge) !== 0;
}

function refuse(core: Core, address: number, access: Access, user: boolean, cause: number): false {
  const noExecute = (core.get(s.cr4) & Cr4.pae) !== 0 && (core.get(s.efer) & Efer.nxe) !== 0;
  core.set(s.cr2, address);
  core.raise(
    Vector.page,
    cause |
      (access === Access.write ? Code.write : 0) |
      (user ? Code.user : 0) |
      (access === Access.fetch && noExecute ? Code.fetch : 0),
  );
  return false;
}

/** MOV to CR3, and what else makes the processor read the pointers anew under PAE. Reserved bits are #GP(0). SDM vol. 3 section 4.4.1. */
export function loadPointers(core: Core, cr3: number): void {
  const at = (cr3 & -32) >>> 0;
  const low: number[] = [];
  const high: number[] = [];
  for (let n = 0; n < 4; n++) {
    low.push(core.engine.readPhysical(at + 8 * n, 4));
    high.push(core.engine.readPhysical(at + 8 * n + 4, 4));
    const present = ((low[n] as number) & Entry.present) !== 0;
    if (present && (((low[n] as number) & 0x1e6) !== 0 || ((high[n] as number) & ~highAddress) !== 0))
      throw core.protection();
  }
  for (let n = 0; n < 4; n++) {
    core.set(s.pdpteLow[n] as Slot, low[n] as number);
    core.set(s.pdpteHigh[n] as Slot, high[n] as number);
  }
}
