import { Access, type Translation } from "../../ir/frontend.ts";
import { Cr0, Cr4, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

/** Entry bits. SDM vol. 3 section 4.3, tables 4-4 to 4-6. */
const Entry = { present: 1, write: 2, user: 4, accessed: 0x20, dirty: 0x40, large: 0x80 } as const;

/** Page-fault error code. SDM vol. 3 section 4.7. */
const Code = { present: 1, write: 2, user: 4, reserved: 8 } as const;

/**
 * Translates a linear address by the page tables: 4 KiB pages, and 4 MiB pages under CR4.PSE (SDM vol. 3 section 4.3).
 * Sets the accessed bits, and the dirty bit for a write. False, with #PF recorded and CR2 set, when the access is refused.
 */
export function translate(core: Core, address: number, access: Access, user: boolean, into: Translation): boolean {
  const cr0 = core.get(s.cr0);
  if ((cr0 & Cr0.pg) === 0) {
    into.physical = address;
    into.writable = true;
    return true;
  }
  const { engine } = core;
  const write = access === Access.write;
  const directoryAt = (core.get(s.cr3) & -4096) + ((address >>> 22) << 2);
  const directory = engine.readPhysical(directoryAt >>> 0, 4);
  if ((directory & Entry.present) === 0) return refuse(core, address, access, user, 0);
  const large = (directory & Entry.large) !== 0 && (core.get(s.cr4) & Cr4.pse) !== 0;
  // Bit 21 of a 4 MiB page is reserved; bits 20..13 are address bits 39..32 (PSE-36), which this CPU does not have.
  if (large && (directory & 0x003f_e000) !== 0)
    return refuse(core, address, access, user, Code.present | Code.reserved);
  const tableAt = ((directory & -4096) + (((address >>> 12) & 0x3ff) << 2)) >>> 0;
  const entry = large ? directory : engine.readPhysical(tableAt, 4);
  if ((entry & Entry.present) === 0) return refuse(core, address, access, user, 0);
  const both = large ? entry : entry & directory;
  const mayWrite = (both & Entry.write) !== 0 || (!user && (cr0 & Cr0.wp) === 0);
  if ((user && (both & Entry.user) === 0) || (write && !mayWrite))
    return refuse(core, address, access, user, Code.present);
  if (!large && (directory & Entry.accessed) === 0)
    engine.writePhysical(directoryAt >>> 0, 4, directory | Entry.accessed);
  const marked = entry | Entry.accessed | (write ? Entry.dirty : 0);
  if (marked !== entry) engine.writePhysical(large ? directoryAt >>> 0 : tableAt, 4, marked >>> 0);
  into.physical = large
    ? ((entry & 0xffc0_0000) | (address & 0x3f_ffff)) >>> 0
    : ((entry & -4096) | (address & 0xfff)) >>> 0;
  into.writable = mayWrite && (marked & Entry.dirty) !== 0;
  return true;
}

function refuse(core: Core, address: number, access: Access, user: boolean, cause: number): false {
  core.set(s.cr2, address);
  core.raise(Vector.page, cause | (access === Access.write ? Code.write : 0) | (user ? Code.user : 0));
  return false;
}
