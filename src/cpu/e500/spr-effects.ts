import { Status } from "../../ir/node.ts";
import type { Slot } from "../../ir/slots.ts";
import { Dbcr0 } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";
import { clearedByOnes, type Register, sprs } from "./spr.ts";
import type { Timers } from "./timers.ts";
import { tlb0Config, tlb1Config } from "./tlb.ts";
import { flashInvalidate } from "./tlb-instructions.ts";

/** Numbers which tell software what it runs on. */
export interface Identity {
  /** Processor version. */
  readonly pvr: number;
  /** System version: of the chip around the core. */
  readonly svr: number;
}

/** The e500mc, revision 2.0. */
export const pvrE500mc = 0x8023_0020 | 0;

/** 32 KiB, 8 ways, lines of 64 bytes, locks, parity, pseudo-LRU; the data cache's first. Core manual, "Register Model", L1CFG0. */
const l1Config = 0x00b8_3820;

/** What mfspr gives for registers that are not kept as they are read. */
export function readSpr(timers: Timers, identity: Identity, number: number): number {
  switch (number) {
    case 22:
      return timers.decrementer | 0;
    // The alternate timebase runs at the timebase's own rate.
    case 268:
    case 526:
      return timers.lower;
    case 269:
    case 527:
      return timers.upper;
    case 287:
      return identity.pvr;
    case 336:
      return timers.tsr;
    case 515:
      return l1Config;
    case 516:
      // L1CFG1 has no cache architecture and no flush assist fields.
      return l1Config & 0x01ff_ffff;
    case 688:
      return tlb0Config;
    case 689:
      return tlb1Config;
    case 1023:
      return identity.svr;
    // No second-level cache; MMUCSR0 has cleared itself; MMUCFG as the board's device tree and kernels expect it.
    case 519:
    case 1012:
    case 1015:
      return 0;
    default:
      throw new RangeError(`SPR ${number} cannot be read here`);
  }
}

/** What mtspr does to registers that are more than storage. Gives a `Status`. */
export function writeSpr(core: Core, timers: Timers, number: number, value: number): number {
  switch (number) {
    case 22:
      timers.decrementer = value;
      return Status.next;
    case 48:
      if (core.get(s.spr.PID) !== (value & 0xff)) {
        core.set(s.spr.PID, value & 0xff);
        core.forgetProcess();
      }
      return Status.next;
    case 54:
      // Reloads up to now took the old one.
      timers.update();
      core.set(s.spr.DECAR, value);
      return Status.next;
    case 284:
      timers.setLower(value);
      return Status.next;
    case 285:
      timers.setUpper(value);
      return Status.next;
    case 306:
      core.set(s.spr.DBSR, value);
      return attend(core);
    case 336:
      timers.writeTsr(value);
      return Status.next;
    case 340:
      timers.writeTcr(value);
      return Status.next;
    case 1012:
      flashInvalidate(core, value);
      return Status.next;
    default:
      return writeActive(core, number, value);
  }
}

function writeActive(core: Core, number: number, value: number): number {
  const register = sprs.get(number) as Register;
  const slot = register.slot as Slot;
  if (clearedByOnes.has(number)) {
    core.set(slot, core.get(slot) & ~value);
    return Status.next;
  }
  core.set(slot, value & register.mask);
  if (number === 338 && core.get(slot) !== 0)
    core.wires.report("lpid", `logical partition ${core.get(slot)}: translations do not look at it`);
  if (!debugControls.has(number)) return Status.next;
  if (number === 308 && (value & Dbcr0.ft) !== 0)
    core.wires.report("freeze", "DBCR0[FT]: timers go on during debug events");
  if (number === 308 && (value & Dbcr0.reset) !== 0) core.wires.reset("debug control register 0");
  core.setNumber(s.stepFrom, core.engine.instructions);
  core.updateMode();
  attend(core);
  return core.resume();
}

/** DBCR0 to 2 and 4, IAC and DAC: code may have to look for events from here on. */
const debugControls: ReadonlySet<number> = new Set([308, 309, 310, 312, 313, 316, 317, 563]);

function attend(core: Core): number {
  core.engine.attention();
  return Status.next;
}
