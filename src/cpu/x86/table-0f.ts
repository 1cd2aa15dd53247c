import * as alu from "./alu.ts";
import * as bits from "./bits.ts";
import * as branch from "./branch.ts";
import * as move from "./move.ts";
import * as muldiv from "./muldiv.ts";
import { Attribute, type Entry, op } from "./pattern.ts";
import * as shift from "./shift.ts";
import { segment } from "./slots.ts";
import * as stack from "./stack.ts";
import * as system from "./system-bodies.ts";
import { sixteen } from "./table.ts";

/* The map behind 0F: SDM vol. 2 appendix A.3, table A-3, as a P6 has it. Opcodes which a prefix changes (MMX, SSE) are in simd/table-simd.ts. undefined: #UD. */

const { stack: Stack, near: Near, ends: Ends, lock: Lock, protected: Protected, privileged: Privileged } = Attribute;
const _ = undefined;

function none(count: number): Entry[] {
  return new Array<Entry>(count).fill(undefined);
}

const group6: Entry = [
  op("sldt", "Ev", system.sldt, Protected),
  op("str", "Ev", system.str, Protected),
  op("lldt", "Ew", system.withSelector("lldt"), Protected | Privileged | Ends),
  op("ltr", "Ew", system.withSelector("ltr"), Protected | Privileged | Ends),
  op("verr", "Ew", system.withSelector("verr"), Protected),
  op("verw", "Ew", system.withSelector("verw"), Protected),
  _,
  _,
];

const group7: Entry = [
  op("sgdt", "Ms", system.sgdt),
  op("sidt", "Ms", system.sidt),
  op("lgdt", "Ms", system.lgdt, Privileged | Ends),
  op("lidt", "Ms", system.lidt, Privileged | Ends),
  op("smsw", "Ev", system.smsw),
  _,
  op("lmsw", "Ew", system.lmsw, Privileged | Ends),
  op("invlpg", "Mb", system.invlpg, Privileged | Ends),
];

const group8: Entry = [
  _,
  _,
  _,
  _,
  op("bt", "Ev,Ub", bits.bt),
  op("bts", "Ev,Ub", bits.bts, Lock),
  op("btr", "Ev,Ub", bits.btr, Lock),
  op("btc", "Ev,Ub", bits.btc, Lock),
];

const group9: Entry = [_, op("cmpxchg8b", "Mq", alu.cmpxchg8b, Lock), _, _, _, _, _, _];

/** Opcodes set aside for hints, which do nothing on a processor that does not know them; 0F 1F is the long NOP. */
function hints(count: number): Entry[] {
  return Array.from({ length: count }, () => op("nop", "Ev", move.nop));
}

export const twoByte: readonly Entry[] = [
  // 00
  group6,
  group7,
  op("lar", "Gv,Ew", system.describe("lar"), Protected),
  op("lsl", "Gv,Ew", system.describe("lsl"), Protected),
  _,
  _,
  op("clts", "", system.leaveTo("clts"), Privileged | Ends),
  _,
  op("invd", "", system.leaveTo("flushCaches"), Privileged),
  op("wbinvd", "", system.leaveTo("flushCaches"), Privileged),
  _,
  _, // UD2
  ...none(4),
  // 10
  ...none(8),
  ...hints(8),
  // 20
  op("mov", "Rd,Cd", system.movFromCr, Privileged),
  op("mov", "Rd,Dd", system.movFromDr, Privileged),
  op("mov", "Cd,Rd", system.movToCr, Privileged | Ends),
  op("mov", "Dd,Rd", system.movToDr, Privileged | Ends),
  ...none(12),
  // 30
  op("wrmsr", "", system.leaveTo("wrmsr"), Privileged | Ends),
  op("rdtsc", "", system.leaveTo("rdtsc")),
  op("rdmsr", "", system.leaveTo("rdmsr"), Privileged),
  op("rdpmc", "", system.leaveTo("rdpmc")),
  op("sysenter", "", system.leaveTo("sysenter"), Ends),
  op("sysexit", "", system.leaveTo("sysexit"), Privileged | Ends),
  ...none(10),
  // 40
  ...sixteen("cmov", "Gv,Ev", move.cmov),
  // 50, 60, 70
  ...none(48),
  // 80
  ...sixteen("j", "Jv", branch.jcc, Near),
  // 90
  ...sixteen("set", "Eb", move.set),
  // A0
  op("push", "Tv", stack.push, Stack),
  op("pop", "Tv", stack.popSegment, Stack | Ends),
  op("cpuid", "", system.leaveTo("cpuid")),
  op("bt", "Ev,Gv", bits.bt),
  op("shld", "Ev,Gv,Ub", shift.shld),
  op("shld", "Ev,Gv,Lb", shift.shld),
  _,
  _,
  op("push", "Tv", stack.push, Stack),
  op("pop", "Tv", stack.popSegment, Stack | Ends),
  _, // RSM, which is #UD outside system management mode
  op("bts", "Ev,Gv", bits.bts, Lock),
  op("shrd", "Ev,Gv,Ub", shift.shrd),
  op("shrd", "Ev,Gv,Lb", shift.shrd),
  _, // group 15: table-simd.ts
  op("imul", "Gv,Ev", muldiv.imulTo),
  // B0
  op("cmpxchg", "Eb,Gb", alu.cmpxchg, Lock),
  op("cmpxchg", "Ev,Gv", alu.cmpxchg, Lock),
  op("lss", "Gv,Mp", move.loadFar(segment.ss), Ends),
  op("btr", "Ev,Gv", bits.btr, Lock),
  op("lfs", "Gv,Mp", move.loadFar(segment.fs), Ends),
  op("lgs", "Gv,Mp", move.loadFar(segment.gs), Ends),
  op("movzx", "Gv,Eb", move.movzx),
  op("movzx", "Gv,Ew", move.movzx),
  _,
  _, // UD1
  group8,
  op("btc", "Ev,Gv", bits.btc, Lock),
  op("bsf", "Gv,Ev", bits.bsf),
  op("bsr", "Gv,Ev", bits.bsr),
  op("movsx", "Gv,Eb", move.movsx),
  op("movsx", "Gv,Ew", move.movsx),
  // C0
  op("xadd", "Eb,Gb", alu.xadd, Lock),
  op("xadd", "Ev,Gv", alu.xadd, Lock),
  ...none(5),
  group9,
  ...Array.from({ length: 8 }, () => op("bswap", "Zv", move.bswap)),
  // D0, E0, F0
  ...none(48),
];
