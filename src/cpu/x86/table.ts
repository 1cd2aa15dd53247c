import * as alu from "./alu.ts";
import * as bcd from "./bcd.ts";
import * as branch from "./branch.ts";
import * as flags from "./flag-control.ts";
import { wait } from "./fpu/bodies.ts";
import { escapes } from "./fpu/table-x87.ts";
import * as move from "./move.ts";
import * as muldiv from "./muldiv.ts";
import { Attribute, type Body, type Entry, op, type Row } from "./pattern.ts";
import * as shift from "./shift.ts";
import { segment } from "./slots.ts";
import * as stack from "./stack.ts";
import * as string from "./string.ts";
import * as system from "./system-bodies.ts";

/*
 * The one-byte opcode map in opcode order: SDM vol. 2 appendix A.3, table A-2, as a P6 has it. Prefixes and 0F are
 * the decoder's. undefined: #UD.
 */

const { stack: Stack, near: Near, address: Address, size: OpSize, repeat: Rep, ends: Ends, lock: Lock } = Attribute;
const { protected: Protected, privileged: Privileged, level: Level, v86: V86 } = Attribute;
const _ = undefined;
const prefix = undefined;

/** x0..x5 of a row of the ALU: register and memory both ways round, accumulator and immediate. */
function alu6(name: string, body: Body, lock: number): Row[] {
  return [
    op(name, "Eb,Gb", body, lock),
    op(name, "Ev,Gv", body, lock),
    op(name, "Gb,Eb", body),
    op(name, "Gv,Ev", body),
    op(name, "Ab,Ib", body),
    op(name, "Av,Iv", body),
  ];
}

/** Group 1. */
function group1(operands: string): Row[] {
  return [
    op("add", operands, alu.add, Lock),
    op("or", operands, alu.or, Lock),
    op("adc", operands, alu.adc, Lock),
    op("sbb", operands, alu.sbb, Lock),
    op("and", operands, alu.and, Lock),
    op("sub", operands, alu.sub, Lock),
    op("xor", operands, alu.xor, Lock),
    op("cmp", operands, alu.cmp),
  ];
}

/** Group 2. The seventh is SAL, which is SHL. */
function group2(operands: string): Row[] {
  return [
    op("rol", operands, shift.rol),
    op("ror", operands, shift.ror),
    op("rcl", operands, shift.rcl),
    op("rcr", operands, shift.rcr),
    op("shl", operands, shift.shl),
    op("shr", operands, shift.shr),
    op("sal", operands, shift.shl),
    op("sar", operands, shift.sar),
  ];
}

/** Group 3. The second is TEST as the first is. */
function group3(e: string, immediate: string): Row[] {
  return [
    op("test", `${e},${immediate}`, alu.test),
    op("test", `${e},${immediate}`, alu.test),
    op("not", e, alu.not, Lock),
    op("neg", e, alu.neg, Lock),
    op("mul", e, muldiv.mul),
    op("imul", e, muldiv.imul),
    op("div", e, muldiv.div),
    op("idiv", e, muldiv.idiv),
  ];
}

const group4: Entry = [op("inc", "Eb", alu.inc, Lock), op("dec", "Eb", alu.dec, Lock), _, _, _, _, _, _];

const group5: Entry = [
  op("inc", "Ev", alu.inc, Lock),
  op("dec", "Ev", alu.dec, Lock),
  op("call", "Ev", branch.callIndirect, Stack | Near | Ends),
  op("callf", "Mp", branch.farCallIndirect, Ends),
  op("jmp", "Ev", branch.jmpIndirect, Near | Ends),
  op("jmpf", "Mp", branch.farJumpIndirect, Ends),
  op("push", "Ev", stack.push, Stack),
  _,
];

function eight<T>(make: (k: number) => T): T[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].map(make);
}

const names = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];

/** One row for each of the sixteen conditions. */
export function sixteen(name: string, operands: string, body: (condition: number) => Body, attributes = 0): Row[] {
  return names.map((suffix, k) => op(name + suffix, operands, body(k), attributes));
}

export const oneByte: readonly Entry[] = [
  // 00
  ...alu6("add", alu.add, Lock),
  op("push", "Tv", stack.push, Stack),
  op("pop", "Tv", stack.popSegment, Stack | Ends),
  ...alu6("or", alu.or, Lock),
  op("push", "Tv", stack.push, Stack),
  prefix, // 0F
  // 10
  ...alu6("adc", alu.adc, Lock),
  op("push", "Tv", stack.push, Stack),
  op("pop", "Tv", stack.popSegment, Stack | Ends),
  ...alu6("sbb", alu.sbb, Lock),
  op("push", "Tv", stack.push, Stack),
  op("pop", "Tv", stack.popSegment, Stack | Ends),
  // 20
  ...alu6("and", alu.and, Lock),
  prefix, // ES
  op("daa", "", bcd.daa),
  ...alu6("sub", alu.sub, Lock),
  prefix, // CS
  op("das", "", bcd.das),
  // 30
  ...alu6("xor", alu.xor, Lock),
  prefix, // SS
  op("aaa", "", bcd.aaa),
  ...alu6("cmp", alu.cmp, 0),
  prefix, // DS
  op("aas", "", bcd.aas),
  // 40
  ...eight(() => op("inc", "Zv", alu.inc)),
  ...eight(() => op("dec", "Zv", alu.dec)),
  // 50
  ...eight(() => op("push", "Zv", stack.push, Stack)),
  ...eight(() => op("pop", "Zv", stack.pop, Stack)),
  // 60
  op("pusha", "", stack.pusha, Stack),
  op("popa", "", stack.popa, Stack),
  op("bound", "Gv,Mv", system.bound),
  op("arpl", "Ew,Gw", system.arpl, Protected),
  prefix, // FS
  prefix, // GS
  prefix, // operand size
  prefix, // address size
  op("push", "Iv", stack.push, Stack),
  op("imul", "Gv,Ev,Iv", muldiv.imulTo),
  op("push", "Ib", stack.push, Stack),
  op("imul", "Gv,Ev,Ib", muldiv.imulTo),
  op("ins", "Yb", string.ins, Rep),
  op("ins", "Yv", string.ins, Rep),
  op("outs", "Xb", string.outs, Rep),
  op("outs", "Xv", string.outs, Rep),
  // 70
  ...sixteen("j", "Jb", branch.jcc, Near),
  // 80
  group1("Eb,Ib"),
  group1("Ev,Iv"),
  group1("Eb,Ib"),
  group1("Ev,Ib"),
  op("test", "Eb,Gb", alu.test),
  op("test", "Ev,Gv", alu.test),
  op("xchg", "Eb,Gb", move.xchg, Lock),
  op("xchg", "Ev,Gv", move.xchg, Lock),
  op("mov", "Eb,Gb", move.mov),
  op("mov", "Ev,Gv", move.mov),
  op("mov", "Gb,Eb", move.mov),
  op("mov", "Gv,Ev", move.mov),
  op("mov", "Ev,Sw", move.movFromSegment),
  op("lea", "Gv,Mv", move.lea),
  op("mov", "Sw,Ew", move.movToSegment, Ends),
  [op("pop", "Ev", stack.pop, Stack), _, _, _, _, _, _, _],
  // 90
  ...eight((k) => (k === 0 ? op("nop", "", move.nop) : op("xchg", "Av,Zv", move.xchg))),
  op("cbw", "", move.cbw, OpSize),
  op("cwd", "", move.cwd, OpSize),
  op("callf", "Pp", branch.farCall, Ends),
  op("wait", "", wait),
  op("pushf", "", stack.pushf, Stack | V86),
  op("popf", "", stack.popf, Stack | Ends),
  op("sahf", "", flags.sahf),
  op("lahf", "", flags.lahf),
  // A0
  op("mov", "Ab,Ob", move.mov),
  op("mov", "Av,Ov", move.mov),
  op("mov", "Ob,Ab", move.mov),
  op("mov", "Ov,Av", move.mov),
  op("movs", "Yb,Xb", string.movs, Rep),
  op("movs", "Yv,Xv", string.movs, Rep),
  op("cmps", "Xb,Yb", string.cmps, Rep),
  op("cmps", "Xv,Yv", string.cmps, Rep),
  op("test", "Ab,Ib", alu.test),
  op("test", "Av,Iv", alu.test),
  op("stos", "Yb,Ab", string.stos, Rep),
  op("stos", "Yv,Av", string.stos, Rep),
  op("lods", "Ab,Xb", string.lods, Rep),
  op("lods", "Av,Xv", string.lods, Rep),
  op("scas", "Ab,Yb", string.scas, Rep),
  op("scas", "Av,Yv", string.scas, Rep),
  // B0
  ...eight(() => op("mov", "Zb,Ib", move.mov)),
  ...eight(() => op("mov", "Zv,Iv", move.mov)),
  // C0
  group2("Eb,Ub"),
  group2("Ev,Ub"),
  op("ret", "Uw", branch.ret, Stack | Near | Ends),
  op("ret", "", branch.ret, Stack | Near | Ends),
  op("les", "Gv,Mp", move.loadFar(segment.es), Ends),
  op("lds", "Gv,Mp", move.loadFar(segment.ds), Ends),
  [op("mov", "Eb,Ib", move.mov), _, _, _, _, _, _, _],
  [op("mov", "Ev,Iv", move.mov), _, _, _, _, _, _, _],
  op("enter", "Uw", stack.enter, Stack | Level),
  op("leave", "", stack.leave, Stack),
  op("retf", "Uw", branch.farReturn, OpSize | Ends),
  op("retf", "", branch.farReturn, OpSize | Ends),
  op("int3", "", branch.int3, Ends),
  op("int", "Ub", branch.int, Ends),
  op("into", "", branch.into),
  op("iret", "", branch.iret, OpSize | Ends),
  // D0
  group2("Eb,1b"),
  group2("Ev,1b"),
  group2("Eb,Lb"),
  group2("Ev,Lb"),
  op("aam", "Ub", bcd.aam),
  op("aad", "Ub", bcd.aad),
  op("salc", "", move.salc),
  op("xlat", "Ab,Bb", move.xlat),
  ...escapes,
  // E0
  op("loopne", "Jb", branch.loopNotEqual, Near | Address),
  op("loope", "Jb", branch.loopEqual, Near | Address),
  op("loop", "Jb", branch.loopAlways, Near | Address),
  op("jcxz", "Jb", branch.jcxz, Near | Address),
  op("in", "Ab,Ub", system.inImmediate),
  op("in", "Av,Ub", system.inImmediate),
  op("out", "Ub,Ab", system.outImmediate),
  op("out", "Ub,Av", system.outImmediate),
  op("call", "Jv", branch.call, Stack | Near | Ends),
  op("jmp", "Jv", branch.jmp, Near | Ends),
  op("jmpf", "Pp", branch.farJump, Ends),
  op("jmp", "Jb", branch.jmp, Near | Ends),
  op("in dx", "Ab", system.inDx),
  op("in dx", "Av", system.inDx),
  op("out dx", "Ab", system.outDx),
  op("out dx", "Av", system.outDx),
  // F0
  prefix, // LOCK
  op("int1", "", branch.int1, Ends),
  prefix, // REPNE
  prefix, // REP
  op("hlt", "", system.hlt, Privileged | Ends),
  op("cmc", "", flags.cmc),
  group3("Eb", "Ib"),
  group3("Ev", "Iv"),
  op("clc", "", flags.clc),
  op("stc", "", flags.stc),
  op("cli", "", flags.cli, Ends),
  op("sti", "", flags.sti, Ends),
  op("cld", "", flags.cld),
  op("std", "", flags.std),
  group4,
  group5,
];
