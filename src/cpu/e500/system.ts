import { Access, type Contained, Translation } from "../../ir/frontend.ts";
import { Status } from "../../ir/node.ts";
import type { Slot } from "../../ir/slots.ts";
import { Dbcr0, Dbsr, Esr, Ivor, lineSize, Mas2, Msr } from "./constants.ts";
import type { Core } from "./core.ts";
import { dataAddress, event, instructionAddress, wanted } from "./debug.ts";
import { floatingHelpers } from "./floating-helpers.ts";
import type { Helpers } from "./helpers.ts";
import { returnFrom, systemCall } from "./interrupts.ts";
import { translate, translateAs } from "./mmu.ts";
import * as s from "./slots.ts";
import { type Identity, readSpr, writeSpr } from "./spr-effects.ts";
import type { Timers } from "./timers.ts";
import { tlbilx, tlbivax, tlbre, tlbsx, tlbwe } from "./tlb-instructions.ts";

const r = s.spr;

/** What it looks at is what `pending` in interrupts.ts does. */
export const containedSystem: Readonly<Record<string, Contained>> = {
  externalWaits: {
    words: [],
    others: [s.msr, s.fpscr, s.doorbells, s.criticalInput, s.machineCheck, r.MCSR, r.DBCR0, r.DBSR, r.TSR, r.TCR],
    repeatable: true,
  },
};

/** Helpers with which a region ends: those of kernels' ways in and out, and of TLB misses. */
export const endingSystem: ReadonlySet<string> = new Set([
  "systemCall",
  "rfi",
  "mtmsr",
  "enableExternal",
  "writeSpr",
  "tlbwe",
  "tlbsx",
  "tlbilx",
  "tlbivax",
]);

/** What instruction bodies leave to the system half; `helpers.ts` says what each is to do. */
export function systemHelpers(core: Core, timers: Timers, identity: Identity): Helpers {
  const { next, jump, leave } = Status;
  const found = new Translation();
  const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;
  const here = () => hex(core.get(s.engine.pc));

  const reach = (address: number, access: Access) => {
    if (!translate(core, address >>> 0, access, core.user, found)) throw core.fault;
    return found.physical;
  };

  const giveBack = (pc: Slot, msr: Slot, bit: number) => {
    if (wanted(core, bit)) event(core, bit);
    returnFrom(core, pc, msr);
    return jump;
  };

  /** Locks take MSR[UCLE] in problem state; a cache that is off cannot lock, and says so in L1CSR0 or L1CSR1[CUL]. */
  const lock = (address: number, syndrome: number, control: Slot, access: Access | undefined) => {
    if (core.user && (core.msr & Msr.ucle) === 0) throw core.raise(Ivor.dataStorage, syndrome, address);
    if (access === undefined) return next;
    reach(address, access);
    if ((core.get(control) & 1) === 0) core.set(control, core.get(control) | 0x400);
    return next;
  };

  /** Where an access of another process lies. Book III-E, "External Process ID Registers": EPR, EAS and EPID of EPLC or EPSC. */
  const reachExternal = (address: number, access: Access) => {
    const context = core.get(access === Access.write ? r.EPSC : r.EPLC);
    const user = context < 0;
    const space = (context & 0x4000_0000) !== 0 ? 1 : 0;
    if (!translateAs(core, address >>> 0, access, user, space, context & 0xff, Esr.externalPid, found))
      throw core.fault;
    return found.physical;
  };

  /** A byte at a time: an access may go over a page's end. */
  const external = (address: number, width: number, access: Access, each: (physical: number, k: number) => void) => {
    reachExternal(address, access);
    reachExternal(address + width - 1, access);
    for (let k = 0; k < width; k++) each(reachExternal(address + k, access), k);
  };

  /** A message is for this core when it is broadcast or names it. */
  const answers = (message: number) =>
    (message & 0x0400_0000) !== 0 || (message & 0x3fff) === (core.get(r.PIR) & 0x3fff);
  const typeOf = (message: number) => (message >>> 27) & 31;

  return {
    ...floatingHelpers(core),
    illegal: (word) => {
      core.wires.report(`illegal ${here()}`, `illegal instruction ${hex(word)} at ${here()}`);
      throw core.illegal();
    },
    privileged: () => {
      throw core.raise(Ivor.program, Esr.privileged);
    },
    trap: () => {
      if (wanted(core, Dbcr0.trap)) event(core, Dbsr.trap);
      throw core.raise(Ivor.program, Esr.trap);
    },
    floatingPointUnavailable: () => {
      throw core.raise(Ivor.floatingPoint);
    },
    alignment: (address, store) => {
      throw core.raise(Ivor.alignment, store !== 0 ? Esr.store : 0, address);
    },

    systemCall: (level) => {
      systemCall(core, level === 1 ? Ivor.hypervisorCall : Ivor.systemCall);
      return jump;
    },
    hypervisorPrivilege: () => {
      throw core.raise(Ivor.hypervisorPrivilege);
    },
    rfi: () => giveBack(r.SRR0, r.SRR1, Dbcr0.ret),
    rfci: () => giveBack(r.CSRR0, r.CSRR1, Dbcr0.cret),
    rfdi: () => giveBack(r.DSRR0, r.DSRR1, 0),
    rfmci: () => giveBack(r.MCSRR0, r.MCSRR1, 0),
    rfgi: () => giveBack(r.GSRR0, r.GSRR1, 0),
    mtmsr: (value) => {
      core.setMsr(value);
      return core.resume();
    },
    wait: () => {
      core.set(s.halted, 1);
      return leave;
    },
    externalWaits: () => {
      const { msr } = core;
      core.set(s.msr, msr | Msr.ee);
      const waits = core.wanted();
      core.set(s.msr, msr);
      return waits ? 1 : 0;
    },
    enableExternal: () => {
      core.set(s.msr, core.msr | Msr.ee);
      core.engine.attention();
      return next;
    },

    readSpr: (number) => readSpr(timers, identity, number),
    countersRun: () => {
      core.wires.report("counters", `performance monitor counters run from ${here()} on: they count nothing`);
      return 0;
    },
    writeSpr: (number, value) => writeSpr(core, timers, number, value),

    tlbwe: () => {
      tlbwe(core);
      return next;
    },
    tlbre: () => {
      tlbre(core);
      return next;
    },
    tlbsx: (address) => {
      tlbsx(core, address);
      return next;
    },
    tlbivax: (address) => {
      tlbivax(core, address);
      return next;
    },
    tlbilx: (type, address) => {
      tlbilx(core, type, address);
      return next;
    },

    msgsnd: (message) => {
      const type = typeOf(message);
      if (type > 4)
        core.wires.report(`message ${type}`, `processor message of type ${type} at ${here()}: there is none`);
      else if (answers(message)) core.set(s.doorbells, core.get(s.doorbells) | (1 << type));
      if (core.wanted()) core.engine.attention();
      return next;
    },
    msgclr: (message) => {
      if (typeOf(message) <= 4 && answers(message))
        core.set(s.doorbells, core.get(s.doorbells) & ~(1 << typeOf(message)));
      return next;
    },

    touch: (address) => {
      reach(address, Access.read);
      return 0;
    },
    zeroable: (address) => {
      reach(address, Access.write);
      const space = (core.msr & Msr.ds) !== 0 ? 1 : 0;
      const entry = core.tlb.find(address, space, core.get(r.PID));
      if ((core.tlb.attributes(entry) & (Mas2.writeThrough | Mas2.inhibited)) !== 0)
        throw core.raise(Ivor.alignment, Esr.store, address);
      core.set(s.zeroablePage, address & -4096);
      return 0;
    },
    dataLock: (address) => lock(address, Esr.dataLock, r.L1CSR0, Access.read),
    dataLockForStore: (address) => lock(address, Esr.dataLock, r.L1CSR0, Access.write),
    instructionLock: (address) => lock(address, Esr.instructionLock, r.L1CSR1, Access.read),
    dataUnlock: (address) => lock(address, Esr.dataLock, r.L1CSR0, undefined),
    instructionUnlock: (address) => lock(address, Esr.instructionLock, r.L1CSR1, undefined),

    loadExternal: (address, width, place) => {
      // The register's bytes lie in little-endian order; a general register has zeros above them.
      const bytes = width === 8 ? 8 : 4;
      let [low, high] = [0, 0];
      external(address, width, Access.read, (physical, k) => {
        const byte = core.engine.readPhysical(physical, 1);
        if (width - k > 4) high = (high << 8) | byte;
        else low = (low << 8) | byte;
      });
      core.engine.view.setInt32(place, low, true);
      if (bytes === 8) core.engine.view.setInt32(place + 4, high, true);
      return next;
    },
    storeExternal: (address, width, place) => {
      external(address, width, Access.write, (physical, k) => {
        core.engine.writePhysical(physical, 1, core.engine.view.getUint8(place + width - 1 - k));
      });
      return next;
    },
    touchExternal: (address, kind) => {
      if (kind !== 2) {
        reachExternal(address, kind === 1 ? Access.write : Access.read);
        return next;
      }
      const line = address & -lineSize;
      const physical = reachExternal(line, Access.write);
      for (let at = 0; at < lineSize; at += 4) core.engine.writePhysical(physical + at, 4, 0);
      return next;
    },

    instructionAddress: () => {
      instructionAddress(core);
      return 0;
    },
    dataAddress: (address, access) => {
      dataAddress(core, address, access);
      return 0;
    },
    branchTaken: () => {
      if (wanted(core, Dbcr0.brt)) event(core, Dbsr.brt);
      return 0;
    },
  };
}
