import type { Machine } from "../board/machine.ts";
import { X86Cpu } from "../board/x86-cpu.ts";
import { Flag } from "../cpu/x86/constants.ts";
import type { Core } from "../cpu/x86/core.ts";
import * as s from "../cpu/x86/slots.ts";
import type { Slot } from "../ir/slots.ts";
import type { ReadWord, Register, Target } from "./target.ts";
import { lookUp, pages } from "./x86-pages.ts";

const coreFeature = "org.gnu.gdb.i386.core";
const systemFeature = "org.barzero.x86.system";

const mask32 = 0xffff_ffffn;

/** An x86 processor, with the registers which gdb expects of an i386 and those of the system half behind them. */
export function x86Target(machine: Machine, readWord: ReadWord): Target | undefined {
  const { cpu } = machine;
  if (!(cpu instanceof X86Cpu)) return undefined;
  const { core } = cpu.front;
  return {
    architecture: "i386",
    bigEndian: false,
    registers: [...general(core), ...segments(core), ...fpu(core), ...system(core)],
    get pc() {
      return (core.get(s.engine.fetchBase) + core.get(s.engine.pc)) >>> 0;
    },
    physical: (address) => lookUp(core, readWord, address),
    mapped: () => pages(core, readWord),
  };
}

function unsigned(core: Core, slot: Slot): bigint {
  return BigInt(core.get(slot) >>> 0);
}

function word(core: Core, name: string, slot: Slot, type?: string): Register {
  const write = (value: bigint) => {
    core.set(slot, Number(value & mask32) | 0);
    return true;
  };
  return { name, bits: 32, feature: coreFeature, ...(type && { type }), read: () => unsigned(core, slot), write };
}

function readOnly(name: string, bits: number, feature: string, read: () => bigint): Register {
  return { name, bits, feature, read };
}

function general(core: Core): Register[] {
  const types: Readonly<Record<string, string>> = { esp: "data_ptr", ebp: "data_ptr" };
  const eip = word(core, "eip", s.engine.pc, "code_ptr");
  return [
    ...s.gpr.map((slot) => word(core, slot.name, slot, types[slot.name])),
    {
      ...eip,
      write(value) {
        // One that waits in HLT is woken by being sent elsewhere, as by an interrupt.
        if (value !== eip.read() && core.get(s.halted) === 1) core.set(s.halted, 0);
        return eip.write?.(value) ?? false;
      },
    },
    {
      name: "eflags",
      bits: 32,
      feature: coreFeature,
      type: "i386_eflags",
      read: () => BigInt(core.flags >>> 0),
      write(value) {
        // Virtual-8086 mode is more than a flag: it comes and goes by IRET and task switches.
        core.setFlags(Number(value & mask32) | 0, ~Flag.vm);
        return true;
      },
    },
  ];
}

/** The six selectors. In real mode a new one brings its base; in protected mode it would need a descriptor, and is refused. */
function segments(core: Core): Register[] {
  return (["cs", "ss", "ds", "es", "fs", "gs"] as const).map((name) => {
    const n = s.segment[name];
    const selector = s.selector[n] as Slot;
    return {
      name,
      bits: 32,
      feature: coreFeature,
      read: () => unsigned(core, selector),
      write(value) {
        const wanted = Number(value & 0xffffn);
        if (wanted === core.get(selector)) return true;
        if (!core.paragraphs) return false;
        core.set(selector, wanted);
        core.set(s.base[n] as Slot, wanted << 4);
        core.updateMode();
        return true;
      },
    };
  });
}

/** ST(0) to ST(7), then the words of the environment. SDM vol. 1 section 8.1. Left to the program to change. */
function fpu(core: Core): Register[] {
  const physical = (i: number) => (core.get(s.fpuTop) + i) & 7;
  const stack = Array.from({ length: 8 }, (_, i) => ({
    ...readOnly(`st${i}`, 80, coreFeature, () => {
      const significand = s.fpuSignificand[physical(i)] as Slot;
      const low = BigInt(core.words[significand.index] as number) & mask32;
      const high = BigInt(core.words[significand.index + 1] as number) & mask32;
      return ((unsigned(core, s.fpuExponent[physical(i)] as Slot) & 0xffffn) << 64n) | (high << 32n) | low;
    }),
    type: "i387_ext",
  }));
  const words: [string, () => bigint][] = [
    ["fctrl", () => unsigned(core, s.fpuControl)],
    ["fstat", () => unsigned(core, s.fpuStatus) | (unsigned(core, s.fpuTop) << 11n)],
    ["ftag", () => tags(core)],
    ["fiseg", () => unsigned(core, s.fpuCs)],
    ["fioff", () => unsigned(core, s.fpuIp)],
    ["foseg", () => unsigned(core, s.fpuDs)],
    ["fooff", () => unsigned(core, s.fpuDp)],
    ["fop", () => unsigned(core, s.fpuOpcode)],
  ];
  return [...stack, ...words.map(([name, read]) => readOnly(name, 32, coreFeature, read))];
}

/** Two bits a register: 0 valid, 1 zero, 2 special, 3 empty. SDM vol. 1 section 8.1.7. */
function tags(core: Core): bigint {
  let all = 0;
  for (let k = 0; k < 8; k++) all |= tag(core, k) << (2 * k);
  return BigInt(all);
}

function tag(core: Core, k: number): number {
  if (((core.get(s.fpuUsed) >>> k) & 1) === 0) return 3;
  const { index } = s.fpuSignificand[k] as Slot;
  const exponent = core.get(s.fpuExponent[k] as Slot) & 0x7fff;
  const high = core.words[index + 1] as number;
  if (exponent === 0) return high === 0 && core.words[index] === 0 ? 1 : 2;
  return exponent === 0x7fff || high >= 0 ? 2 : 0;
}

function system(core: Core): Register[] {
  const of = (name: string, slot: Slot) => readOnly(name, 32, systemFeature, () => unsigned(core, slot));
  const at = (n: number) => [s.selector[n], s.base[n], s.limit[n]] as [Slot, Slot, Slot];
  const table = (name: string, n: number) => {
    const [selector, base, limit] = at(n);
    return [of(name, selector), of(`${name}_base`, base), of(`${name}_limit`, limit)];
  };
  return [
    ...[of("cr0", s.cr0), of("cr2", s.cr2), of("cr3", s.cr3), of("cr4", s.cr4)],
    ...(["cs", "ss", "ds", "es", "fs", "gs"] as const).map((name) =>
      of(`${name}_base`, s.base[s.segment[name]] as Slot),
    ),
    ...[of("gdtr_base", s.gdtrBase), of("gdtr_limit", s.gdtrLimit)],
    ...[of("idtr_base", s.idtrBase), of("idtr_limit", s.idtrLimit)],
    ...table("ldtr", s.segment.ldtr),
    ...table("tr", s.segment.tr),
    of("cpl", s.cpl),
  ];
}
