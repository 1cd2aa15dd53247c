import type { Slot } from "../../ir/slots.ts";
import { Dbcr0, Dbsr, Esr, Fpscr, Ivor, Msr, Tcr, Tsr } from "./constants.ts";
import type { Core } from "./core.ts";
import { prepareMas } from "./mmu.ts";
import * as s from "./slots.ts";
import { debugEvents } from "./spr.ts";

/**
 * How an interrupt of a class is entered: where pc and MSR are saved, and which MSR bits it leaves as they are. Core manual,
 * "Interrupts and Exceptions", the settings of MSR by interrupt.
 */
interface Class {
  readonly pc: Slot;
  readonly msr: Slot;
  readonly keeps: number;
  /** The debug event of taking one. */
  readonly event: number;
}

const r = s.spr;
const base: Class = { pc: r.SRR0, msr: r.SRR1, keeps: Msr.ce | Msr.me | Msr.de | Msr.ri, event: Dbcr0.irpt };
const critical: Class = { pc: r.CSRR0, msr: r.CSRR1, keeps: Msr.me | Msr.de | Msr.ri, event: Dbcr0.cirpt };
const debug: Class = { pc: r.DSRR0, msr: r.DSRR1, keeps: Msr.me | Msr.ri, event: 0 };
const machineCheck: Class = { pc: r.MCSRR0, msr: r.MCSRR1, keeps: 0, event: 0 };

function enter(core: Core, ivor: number, of: Class, returnTo: number): void {
  core.set(of.pc, returnTo);
  core.set(of.msr, core.msr);
  core.set(s.halted, 0);
  core.set(s.engine.pc, core.get(r.IVPR) | core.get(s.ivor[ivor] as Slot));
  core.setNumber(s.stepFrom, core.engine.instructions);
  // "Interrupt taken" is an event of its own: its debug interrupt returns to the handler's first instruction.
  const dbcr0 = core.get(r.DBCR0);
  if ((dbcr0 & Dbcr0.idm) !== 0) core.set(r.DBSR, core.get(r.DBSR) | (dbcr0 & of.event));
  core.setMsr(core.msr & of.keeps);
}

/** Delivers the recorded fault. The instruction under the pc has done nothing, or will do it again. Book III-E, "Interrupt Definitions". */
export function deliverFault(core: Core): void {
  const ivor = core.get(s.faultIvor);
  const pc = core.get(s.engine.pc);
  const address = core.get(s.faultAddress);
  switch (ivor) {
    case Ivor.dataTlb:
      core.set(r.DEAR, address);
      core.set(r.ESR, core.get(s.faultEsr) | floating(core, pc));
      prepareMas(core, address, core.get(s.faultSpace), core.get(s.faultPid));
      break;
    case Ivor.instructionTlb:
      prepareMas(core, address, core.get(s.faultSpace), core.get(s.faultPid));
      break;
    case Ivor.dataStorage:
    case Ivor.alignment:
      core.set(r.DEAR, address);
      core.set(r.ESR, core.get(s.faultEsr) | floating(core, pc));
      break;
    case Ivor.instructionStorage:
    case Ivor.program:
      core.set(r.ESR, core.get(s.faultEsr));
      break;
    case Ivor.debug:
      core.set(r.DBSR, core.get(r.DBSR) | core.get(s.faultDebug));
      enter(core, Ivor.debug, debug, pc);
      return;
  }
  enter(core, ivor, base, pc);
}

/** ESR[FP] when the access that faulted is one of a floating-point load or store, which takes MSR[FP]. */
function floating(core: Core, pc: number): number {
  if ((core.msr & Msr.fp) === 0) return 0;
  const at = core.tlb.find(pc, (core.msr & Msr.is) !== 0 ? 1 : 0, core.get(r.PID));
  if (at < 0) return 0;
  const bytes = core.engine.readPhysical(core.tlb.physical(at, pc), 4);
  // Words are big-endian: the opcode is in the first byte, the extended opcode's ten bits in the last two.
  const opcode = (bytes & 0xff) >>> 2;
  const extended = ((((bytes >>> 16) & 0xff) << 8) | (bytes >>> 24)) >>> 1;
  return (opcode >= 48 && opcode < 56) || (opcode === 31 && floatingAccess.has(extended & 0x3ff))
    ? Esr.floatingPoint
    : 0;
}

/** lfsx, lfsux, lfdx, lfdepx, lfdux, stfsx, stfsux, stfdx, stfdepx, stfdux, stfiwx. */
const floatingAccess: ReadonlySet<number> = new Set([535, 567, 599, 607, 631, 663, 695, 727, 735, 759, 983]);

/** sc: returns behind itself. */
export function systemCall(core: Core, ivor: number): void {
  enter(core, ivor, base, core.get(s.engine.pc) + 4);
}

/** Whether each instruction is to be followed by a debug interrupt. */
export function stepping(core: Core): boolean {
  const wanted = Dbcr0.idm | Dbcr0.icmp;
  return (core.msr & Msr.de) !== 0 && (core.get(r.DBCR0) & wanted) === wanted;
}

function debugWanted(core: Core): boolean {
  if ((core.get(r.DBCR0) & Dbcr0.idm) === 0) return false;
  return (core.get(r.DBSR) & (debugEvents | Dbsr.ude)) !== 0;
}

const timed = (core: Core, status: number, enable: number) =>
  (core.get(r.TSR) & status) !== 0 && (core.get(r.TCR) & enable) !== 0;

/** Bits of `doorbells`: the message types. */
export const Doorbell = { normal: 1, critical: 2 } as const;

const exceptionMode = Msr.fe0 | Msr.fe1;

/** Which asynchronous interrupt is to be taken now, by its IVOR number; -1 for none. Book III-E, "Exception Priorities", highest first. */
export function pending(core: Core, externalWaits: boolean): number {
  const { msr } = core;
  if ((msr & (Msr.ee | Msr.ce | Msr.me | Msr.de | exceptionMode)) === 0) return -1;
  if ((msr & Msr.me) !== 0 && core.get(r.MCSR) !== 0 && core.get(s.machineCheck) !== 0) return Ivor.machineCheck;
  if ((msr & Msr.de) !== 0) {
    if (debugWanted(core)) return Ivor.debug;
    if (stepping(core) && core.engine.instructions > core.getNumber(s.stepFrom)) return Ivor.debug;
  }
  // An enabled floating-point exception that was there before MSR let it interrupt. Book III-E, "Program Interrupt".
  if ((msr & exceptionMode) !== 0 && (core.get(s.fpscr) & Fpscr.fex) !== 0) return Ivor.program;
  if ((msr & Msr.ce) !== 0) {
    if (core.get(s.criticalInput) !== 0) return Ivor.critical;
    if (timed(core, Tsr.wis, Tcr.wie)) return Ivor.watchdog;
    if ((core.get(s.doorbells) & Doorbell.critical) !== 0) return Ivor.doorbellCritical;
  }
  if ((msr & Msr.ee) !== 0) {
    if (externalWaits) return Ivor.external;
    if (timed(core, Tsr.fis, Tcr.fie)) return Ivor.fixedInterval;
    if (timed(core, Tsr.dis, Tcr.die)) return Ivor.decrementer;
    if ((core.get(s.doorbells) & Doorbell.normal) !== 0) return Ivor.doorbell;
  }
  return -1;
}

/** Takes the interrupt which `pending` named. `acknowledge` gives the vector of an external one. */
export function take(core: Core, ivor: number, acknowledge: () => number): void {
  const pc = core.get(s.engine.pc);
  switch (ivor) {
    case Ivor.machineCheck:
      core.set(s.machineCheck, 0);
      enter(core, ivor, machineCheck, pc);
      return;
    case Ivor.debug:
      if (!debugWanted(core)) core.set(r.DBSR, core.get(r.DBSR) | Dbsr.icmp);
      enter(core, ivor, debug, pc);
      return;
    case Ivor.doorbellCritical:
      core.set(s.doorbells, core.get(s.doorbells) & ~Doorbell.critical);
      enter(core, ivor, critical, pc);
      return;
    case Ivor.critical:
    case Ivor.watchdog:
      enter(core, ivor, critical, pc);
      return;
    case Ivor.program:
      core.set(r.ESR, Esr.floatingPoint | Esr.imprecise);
      break;
    case Ivor.doorbell:
      core.set(s.doorbells, core.get(s.doorbells) & ~Doorbell.normal);
      break;
    case Ivor.external:
      // External proxy: the interrupt controller's vector comes with the interrupt.
      core.set(r.EPR, acknowledge());
      break;
  }
  enter(core, ivor, base, pc);
}

/** rfi and its like, by where they return from. */
export function returnFrom(core: Core, pc: Slot, msr: Slot): void {
  core.set(s.engine.pc, core.get(pc) & -4);
  core.setMsr(core.get(msr));
}
