import { E500Cpu } from "../board/e500-cpu.ts";
import type { Machine } from "../board/machine.ts";
import { Mas1, Mas3, Msr } from "../cpu/e500/constants.ts";
import type { Core } from "../cpu/e500/core.ts";
import { currentFpscr } from "../cpu/e500/floating-helpers.ts";
import * as s from "../cpu/e500/slots.ts";
import { sets, tlb1Size, ways } from "../cpu/e500/tlb.ts";
import type { Slot } from "../ir/slots.ts";
import type { Mapped, Register, Target } from "./target.ts";

const coreFeature = "org.gnu.gdb.power.core";
const fpuFeature = "org.gnu.gdb.power.fpu";
const sprFeature = "org.barzero.e500.spr";

const mask32 = 0xffff_ffffn;
const mask64 = (1n << 64n) - 1n;

/** An e500mc, with the registers in gdb's order for PowerPC and SPRs behind them. */
export function e500Target(machine: Machine): Target | undefined {
  const { cpu } = machine;
  if (!(cpu instanceof E500Cpu)) return undefined;
  const { core } = cpu.front;
  const spr = [...Object.values(s.spr), ...s.ivor.filter((_, n) => n < 16 || n > 31)];
  return {
    architecture: "powerpc:common",
    bigEndian: true,
    registers: [
      ...s.gpr.map((slot) => word(core, slot.name, slot)),
      ...s.fpr.map((slot) => double(core, slot)),
      ...special(core),
      ...spr.map((slot) => readOnly(core, slot)),
    ],
    get pc() {
      return core.get(s.engine.pc) >>> 0;
    },
    physical: (address) => lookUp(core, address),
    mapped: () => entries(core),
  };
}

function unsigned(core: Core, slot: Slot): bigint {
  return BigInt(core.get(slot) >>> 0);
}

function word(core: Core, name: string, slot: Slot, type?: string): Register {
  return {
    name,
    bits: 32,
    feature: coreFeature,
    ...(type && { type }),
    read: () => unsigned(core, slot),
    write(value) {
      core.set(slot, Number(value & mask32) | 0);
      return true;
    },
  };
}

/** SPRs are for looking: writing one may do anything that mtspr does. */
function readOnly(core: Core, slot: Slot): Register {
  return { name: slot.name.toLowerCase(), bits: 32, feature: sprFeature, read: () => unsigned(core, slot) };
}

function double(core: Core, slot: Slot): Register {
  return {
    name: slot.name,
    bits: 64,
    feature: fpuFeature,
    type: "ieee_double",
    read: () => core.engine.view.getBigUint64(slot.offset, true),
    write(value) {
      core.engine.view.setBigUint64(slot.offset, value & mask64, true);
      return true;
    },
  };
}

function special(core: Core): Register[] {
  const pc = word(core, "pc", s.engine.pc, "code_ptr");
  return [
    {
      ...pc,
      write(value) {
        if ((value & 3n) !== 0n) return false;
        // One that waits is woken by being sent elsewhere, as by an interrupt.
        if (value !== pc.read()) core.set(s.halted, 0);
        return pc.write?.(value) ?? false;
      },
    },
    {
      ...word(core, "msr", s.msr),
      write(value) {
        core.setMsr(Number(value & mask32) | 0);
        return true;
      },
    },
    {
      name: "cr",
      bits: 32,
      feature: coreFeature,
      read: () => s.cr.reduce((all, field) => (all << 4n) | (unsigned(core, field) & 15n), 0n),
      write(value) {
        for (const [n, field] of s.cr.entries()) core.set(field, Number((value >> BigInt(28 - 4 * n)) & 15n));
        return true;
      },
    },
    word(core, "lr", s.lr, "code_ptr"),
    word(core, "ctr", s.ctr),
    {
      name: "xer",
      bits: 32,
      feature: coreFeature,
      read: () =>
        (unsigned(core, s.so) << 31n) |
        (unsigned(core, s.ov) << 30n) |
        (unsigned(core, s.ca) << 29n) |
        (unsigned(core, s.byteCount) & 0x7fn),
      write(value) {
        core.set(s.so, Number((value >> 31n) & 1n));
        core.set(s.ov, Number((value >> 30n) & 1n));
        core.set(s.ca, Number((value >> 29n) & 1n));
        core.set(s.byteCount, Number(value & 0x7fn));
        return true;
      },
    },
    {
      ...word(core, "fpscr", s.fpscr),
      feature: fpuFeature,
      read: () => BigInt(currentFpscr(core) >>> 0),
      write(value) {
        core.set(s.fpPending, 0);
        core.set(s.fpCompared, 0);
        core.set(s.fpscr, Number(value & mask32));
        return true;
      },
    },
  ];
}

/** In the space of data first, then in that of instructions, then in the other one; for the current process. */
function lookUp(core: Core, address: number): number | undefined {
  const data = (core.msr & Msr.ds) !== 0 ? 1 : 0;
  for (const space of [data, 1 - data]) {
    const at = core.tlb.find(address, space, core.get(s.spr.PID));
    if (at >= 0) return core.tlb.physical(at, address);
  }
  return undefined;
}

/** The valid entries of both TLBs. Core manual section 6.5. */
function* entries(core: Core): Generator<Mapped> {
  const { tlb } = core;
  for (let at = 0; at < sets * ways + tlb1Size; at++) {
    if (!tlb.isValid(at)) continue;
    const mas1 = tlb.mas(at, 1);
    const bits = tlb.permissions(at);
    const may = (bit: number, name: string) => ((bits & bit) !== 0 ? name : "-");
    const supervisor = may(Mas3.sr, "r") + may(Mas3.sw, "w") + may(Mas3.sx, "x");
    const user = may(Mas3.ur, "r") + may(Mas3.uw, "w") + may(Mas3.ux, "x");
    const address = tlb.page(at) >>> 0;
    const more = [
      `TLB${tlb.isTlb1(at) ? 1 : 0}[${tlb.isTlb1(at) ? tlb.selector(at) : at}]`,
      `pid ${(mas1 & Mas1.tid) >> 16}`,
      `space ${(mas1 & Mas1.ts) !== 0 ? 1 : 0}`,
    ];
    const size = 1024 * 4 ** ((mas1 & Mas1.size) >> 8);
    yield {
      address,
      size,
      physical: tlb.physical(at, address),
      rights: `${supervisor} user ${user} ${more.join(" ")}`,
    };
  }
}
