import { Access, type Translation } from "../../ir/frontend.ts";
import { Esr, Ivor, Mas0, Mas1, Mas2, Mas3, Msr } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

const needs = [
  [Mas3.sr, Mas3.ur],
  [Mas3.sw, Mas3.uw],
  [Mas3.sx, Mas3.ux],
] as const satisfies readonly (readonly [number, number])[];

/**
 * Translates an effective address: core manual, "Memory Management Units". Code is looked for in the space which MSR[IS] names, data in MSR[DS]'s. False,
 * with the interrupt recorded, when no entry answers or the one that does refuses.
 */
export function translate(core: Core, address: number, access: Access, user: boolean, into: Translation): boolean {
  const bit = access === Access.fetch ? Msr.is : Msr.ds;
  const space = (core.get(s.msr) & bit) !== 0 ? 1 : 0;
  return translateAs(core, address, access, user, space, core.get(s.spr.PID), 0, into);
}

/** The same for a process and a space that are given: external process ID. `esr` is added to the syndrome. */
export function translateAs(
  core: Core,
  address: number,
  access: Access,
  user: boolean,
  space: number,
  pid: number,
  esr: number,
  into: Translation,
): boolean {
  const { tlb } = core;
  const fetch = access === Access.fetch;
  const syndrome = access === Access.write ? esr | Esr.store : esr;
  const at = tlb.find(address, space, pid);
  if (at < 0) {
    core.set(s.faultSpace, space);
    core.set(s.faultPid, pid);
    core.raise(fetch ? Ivor.instructionTlb : Ivor.dataTlb, syndrome, address);
    return false;
  }
  const permissions = tlb.permissions(at);
  const column = user ? 1 : 0;
  if ((permissions & needs[access][column]) === 0) {
    core.raise(fetch ? Ivor.instructionStorage : Ivor.dataStorage, syndrome, address);
    return false;
  }
  into.physical = tlb.physical(at, address);
  into.writable = (permissions & needs[Access.write][column]) !== 0;
  into.global = tlb.isGlobal(at);
  return true;
}

/** What a TLB miss leaves in the MAS registers for the software that will write the entry. Core manual, MAS updates by exceptions. */
export function prepareMas(core: Core, address: number, space: number, pid: number): void {
  const mas4 = core.get(s.spr.MAS4);
  core.set(s.spr.MAS0, victim(core, address, mas4));
  core.set(s.spr.MAS1, Mas1.valid | (pid << 16) | (space !== 0 ? Mas1.ts : 0) | (mas4 & Mas1.size));
  core.set(s.spr.MAS2, (address & Mas2.page) | (mas4 & 0x7f));
  core.set(s.spr.MAS3, 0);
  core.set(s.spr.MAS6, (pid << 16) | space);
  core.set(s.spr.MAS7, 0);
}

/** MAS0 naming the default TLB, and in TLB0 the way to replace and the one after it. */
export function victim(core: Core, address: number, mas4: number): number {
  const select = mas4 & Mas0.select;
  if (select !== 0) return select;
  const way = core.tlb.nextWay(address);
  return (way << 16) | ((way + 1) & 3);
}
