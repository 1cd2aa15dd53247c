import { Mas0, Mas1, Mas2 } from "./constants.ts";
import type { Core } from "./core.ts";
import { victim } from "./mmu.ts";
import * as s from "./slots.ts";

/* tlbwe and its like: core manual, "Memory Management Units". There are two TLBs; of TLBSEL the lower bit counts. */

const select = (mas0: number) => (mas0 >>> 28) & 1;

/** The entry which MAS0 and MAS2 name. */
function named(core: Core): number {
  const mas0 = core.get(s.spr.MAS0);
  const entry = (mas0 & Mas0.entry) >>> 16;
  return select(mas0) === 1 ? core.tlb.index1(entry) : core.tlb.index0(core.get(s.spr.MAS2), entry);
}

export function tlbwe(core: Core): void {
  const { tlb } = core;
  const mas0 = core.get(s.spr.MAS0);
  const mas1 = core.get(s.spr.MAS1);
  const mas2 = core.get(s.spr.MAS2);
  if ((mas1 & Mas1.valid) !== 0 && (mas2 & Mas2.little) !== 0)
    core.wires.report("little", `a little-endian page at 0x${(mas2 >>> 0).toString(16)}: this core has none`);
  if ((mas1 & Mas1.valid) !== 0 && core.get(s.spr.MAS8) !== 0)
    core.wires.report(
      "guest tlb",
      "a TLB entry of a guest or a partition (MAS8): it is taken for one of the hypervisor's",
    );
  const at = named(core);
  const before = tlb.isValid(at);
  const kept = before && (tlb.isGlobal(at) || tlb.tid(at) === core.get(s.spr.PID));
  const page = tlb.page(at);
  tlb.write(at, mas1, mas2, core.get(s.spr.MAS3), core.get(s.spr.MAS7));
  if (tlb.isTlb1(at)) {
    // An entry that was invalid gave no translation which could have been kept.
    if (before) core.forgetTranslations();
    return;
  }
  tlb.setNextWay(mas2, mas0 & Mas0.next);
  if (kept) core.forgetPage(page);
}

/** MAS1 to MAS3 and MAS7 from an entry. */
function show(core: Core, at: number): void {
  const { tlb } = core;
  core.set(s.spr.MAS1, tlb.mas(at, 1));
  core.set(s.spr.MAS2, tlb.mas(at, 2));
  core.set(s.spr.MAS3, tlb.mas(at, 3));
  core.set(s.spr.MAS7, tlb.mas(at, 7));
}

export function tlbre(core: Core): void {
  const at = named(core);
  const address = core.get(s.spr.MAS2);
  show(core, at);
  if (!core.tlb.isTlb1(at)) core.set(s.spr.MAS0, (core.get(s.spr.MAS0) & ~Mas0.next) | core.tlb.nextWay(address));
}

/** Looks for an address in the process and space which MAS6 names. */
export function tlbsx(core: Core, address: number): void {
  const { tlb } = core;
  const mas6 = core.get(s.spr.MAS6);
  const at = tlb.find(address, mas6 & 1, mas6 >>> 16);
  if (at >= 0) {
    show(core, at);
    const where = tlb.selector(at) << 16;
    core.set(s.spr.MAS0, tlb.isTlb1(at) ? 0x1000_0000 | where : where | tlb.nextWay(address));
    return;
  }
  const mas4 = core.get(s.spr.MAS4);
  core.set(s.spr.MAS0, victim(core, address, mas4));
  core.set(s.spr.MAS1, (mas6 & Mas1.tid) | ((mas6 & 1) !== 0 ? Mas1.ts : 0) | (mas4 & Mas1.size));
  core.set(s.spr.MAS2, mas4 & 0x7f);
  core.set(s.spr.MAS3, 0);
  core.set(s.spr.MAS7, 0);
}

/** EA[61] all of a TLB, EA[60] which TLB; of whatever process and space. */
export function tlbivax(core: Core, address: number): void {
  const which = ((address >>> 3) & 1) as 0 | 1;
  if ((address & 4) !== 0) {
    core.tlb.invalidateAll(which);
    core.forgetTranslations();
  } else forget(core, address, core.tlb.invalidateAddress(address, which));
}

/** T = 0 all, 1 by process, 3 by address and process. T = 2 is reserved and does nothing. Book III-E, tlbilx. */
export function tlbilx(core: Core, type: number, address: number): void {
  const mas6 = core.get(s.spr.MAS6);
  const { tlb } = core;
  switch (type & 3) {
    case 0:
      tlb.invalidateAll(0);
      tlb.invalidateAll(1);
      core.forgetTranslations();
      return;
    case 1:
      tlb.invalidateProcess((mas6 & Mas1.tid) >>> 16);
      forgetTid(core, (mas6 & Mas1.tid) >>> 16);
      return;
    case 3:
      forget(core, address, tlb.invalidateAddress(address, undefined, { pid: mas6 >>> 16, space: mas6 & 1 }));
      return;
  }
}

/** MMUCSR0[TLB0_FI, TLB1_FI]. */
export function flashInvalidate(core: Core, value: number): void {
  if ((value & 4) !== 0) core.tlb.invalidateAll(0);
  if ((value & 2) !== 0) core.tlb.invalidateAll(1);
  if ((value & 6) !== 0) core.forgetTranslations();
}

/** Translations are kept for all processes and for the one in PID: those of others need not be forgotten. */
function forgetTid(core: Core, pid: number): void {
  if (pid === 0) core.forgetTranslations();
  else if (pid === core.get(s.spr.PID)) core.forgetProcess();
}

function forget(core: Core, address: number, wide: boolean): void {
  if (wide) core.forgetTranslations();
  else core.forgetPage(address);
}
