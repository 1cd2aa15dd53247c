import type { Slot } from "../../ir/slots.ts";
import { Cr4, Flag } from "./constants.ts";
import type { Core } from "./core.ts";
import { loadV86 } from "./descriptors.ts";
import * as s from "./slots.ts";
import { Stack } from "./stack-access.ts";
import { isWide } from "./task.ts";

/*
 * Virtual-8086 mode extensions and protected-mode virtual interrupts: SDM vol. 3 sections 20.3 and 20.4. IF is virtualized as VIF where the
 * guest may not touch IF itself.
 */

const { tr } = s.segment;

/** Whether CLI, STI, PUSHF, POPF, IRET and INT n of virtual-8086 mode work on VIF: CR4.VME with IOPL below 3. */
export function virtualFlags(core: Core): boolean {
  return core.v86 && core.iopl < 3 && (core.get(s.cr4) & Cr4.vme) !== 0;
}

/** The bit that CLI and STI change: IF, VIF, or neither, which is #GP(0). SDM vol. 2, CLI, table 3-7. */
export function interruptFlag(core: Core): number {
  if (!core.protected || core.iopl >= core.cpl) return Flag.if;
  if (virtualFlags(core)) return Flag.vif;
  if (!core.v86 && core.cpl === 3 && (core.get(s.cr4) & Cr4.pvi) !== 0) return Flag.vif;
  throw core.protection();
}

/** FLAGS as a virtual-8086 program sees them: VIF in the place of IF, and an IOPL of 3. */
export function virtualImage(core: Core): number {
  const flags = core.flags & 0xffff & ~Flag.if;
  return flags | Flag.iopl | ((core.get(s.eflags) & Flag.vif) !== 0 ? Flag.if : 0);
}

/** POPF and IRET of 16 bits under VME: IF goes to VIF. A pending interrupt that would become visible, and TF, are #GP(0). */
export function checkVirtualImage(core: Core, image: number): void {
  const pending = (core.get(s.eflags) & Flag.vip) !== 0 && (image & Flag.if) !== 0;
  if (pending || (image & Flag.tf) !== 0) throw core.protection();
}

export function setVirtualImage(core: Core, image: number): void {
  core.setFlags(
    (image & ~Flag.vif) | ((image & Flag.if) !== 0 ? Flag.vif : 0),
    (0xffff & ~(Flag.if | Flag.iopl)) | Flag.vif | Flag.rf,
  );
}

/**
 * INT n in virtual-8086 mode: SDM vol. 3 section 20.3, table 20-2. True when the program's own interrupt table served it (methods 5 and
 * 6); false when it goes through the IDT.
 */
export function redirected(core: Core, vector: number, returnTo: number): boolean {
  if ((core.get(s.cr4) & Cr4.vme) !== 0 && redirects(core, vector)) {
    const { memory } = core.engine;
    const target = memory.read(vector * 4, 4, true);
    const full = core.iopl === 3;
    const stack = Stack.current(core);
    stack.reserve(3, 2);
    stack.push(full ? core.flags : virtualImage(core), 2);
    stack.push(core.get(s.selector[s.segment.cs] as Slot), 2);
    stack.push(returnTo, 2);
    stack.commit();
    core.setFlags(0, Flag.tf | Flag.rf | (full ? Flag.if : Flag.vif));
    loadV86(core, s.segment.cs, target >>> 16);
    core.set(s.engine.pc, target & 0xffff);
    core.updateMode();
    return true;
  }
  if (core.iopl < 3) throw core.protection();
  return false;
}

/** The interrupt redirection bit map: 32 bytes in front of the map of ports; a clear bit redirects. SDM vol. 3 figure 20-5. */
function redirects(core: Core, vector: number): boolean {
  const { memory } = core.engine;
  const base = core.get(s.base[tr] as Slot);
  const limit = core.get(s.limit[tr] as Slot) >>> 0;
  if (!isWide(core.get(s.rights[tr] as Slot)) || limit < 0x67) throw core.protection();
  const at = memory.read((base + 0x66) >>> 0, 2, true) - 32 + (vector >>> 3);
  if (at < 0 || at > limit) throw core.protection();
  return ((memory.read((base + at) >>> 0, 1, true) >>> (vector & 7)) & 1) === 0;
}
