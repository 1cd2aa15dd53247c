import { engineSlots, type Slot, SlotTable } from "../../ir/slots.ts";
import { storedMsrs } from "./msr-table.ts";

const table = new SlotTable();

/** The words shared with the engine: `pc` is EIP, `fetchBase` the base of CS. */
export const engine = engineSlots(table);

/** EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI, 8 bytes apart. A byte register is a byte of one: AH lies at `gpr[0].offset + 1`. */
export const gpr = table.file(["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"]);
export const [eax, ecx, edx, ebx, esp, ebp, esi, edi] = gpr as [Slot, Slot, Slot, Slot, Slot, Slot, Slot, Slot];

/** Always 0: the base or index of an address that has none. */
export const zero = table.slot("zero");

/*
 * The arithmetic flags, kept as what they follow from (see flags.ts):
 * ZF = (result = 0), SF = bit 31 of (result ^ signFix), PF = parity of bits 7..0 of (result ^ signFix),
 * CF = bit 31 of carry, OF = bit 31 ^ bit 30 of carry, AF = bit 3 of carry.
 */
export const result = table.slot("result");
export const carry = table.slot("carry");
export const signFix = table.slot("signFix");
/** DF as a step: 1 or -1. */
export const step = table.slot("step");
/** The rest of EFLAGS in its own places: TF, IF, IOPL, NT, RF, VM, AC, VIF, VIP, ID. The arithmetic flags and DF read 0 here. */
export const eflags = table.slot("eflags");

/** ES, CS, SS, DS, FS, GS, then LDTR and TR: the selector, and what the CPU keeps of the descriptor. */
const names = ["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"];
export const selector = table.file(names.map((n) => `${n}.selector`));
export const base = table.file(names.map((n) => `${n}.base`));
/** The highest offset that may be used, already scaled to bytes; for an expand-down segment the lowest minus 1. */
export const limit = table.file(names.map((n) => `${n}.limit`));
/** Bits 8..23 of the descriptor's second word, at bits 8..23: type, S, DPL, P, AVL, D/B, G. 0 for a null selector. */
export const rights = table.file(names.map((n) => `${n}.rights`));
export const segment = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5, ldtr: 6, tr: 7 } as const;

export const gdtrBase = table.slot("gdtr.base");
export const gdtrLimit = table.slot("gdtr.limit");
export const idtrBase = table.slot("idtr.base");
export const idtrLimit = table.slot("idtr.limit");

export const cr0 = table.slot("cr0");
export const cr2 = table.slot("cr2");
export const cr3 = table.slot("cr3");
export const cr4 = table.slot("cr4");
export const dr = table.file(["dr0", "dr1", "dr2", "dr3", "dr4", "dr5", "dr6", "dr7"]);
/** Current privilege level, 0..3. */
export const cpl = table.slot("cpl");

/** IA32_SYSENTER_CS, _ESP, _EIP. */
export const sysenterCs = table.slot("sysenter.cs");
export const sysenterEsp = table.slot("sysenter.esp");
export const sysenterEip = table.slot("sysenter.eip");

/** The fault to be delivered: vector, error code, whether it has one. */
export const faultVector = table.slot("fault.vector");
export const faultCode = table.slot("fault.code");
export const faultHasCode = table.slot("fault.hasCode");
/** 1 in HLT, 2 after a shutdown. */
export const halted = table.slot("halted");

/*
 * What happens between instructions. Points in time are instruction counts.
 */

/** When #DB is due for an instruction that begins with TF set; 0 when none runs. */
export const stepAt = table.slot("stepAt", "f64");
/** When RF was set: it holds for the instruction which comes next, and where that is. */
export const resumedAt = table.slot("resumedAt", "f64");
export const resumedPc = table.slot("resumedPc");
/** From when interrupts are taken again, after STI and MOV SS held them off. */
export const shadow = table.slot("shadow", "f64");
/** The same after an STI in WebAssembly, which does not know the count: the pc behind it, at which interrupts are held off once. */
export const heldPc = table.slot("heldPc");
/** What instructions in WebAssembly have to know of the world while a slice runs: bits of `Asked`. */
export const asked = table.slot("asked");
export const Asked = {
  /** An interrupt waits for IF. */
  waits: 1,
  /** Exceptions are traced. */
  traced: 2,
} as const;
/** From when NMIs and debug traps are taken again too, after MOV SS. */
export const quiet = table.slot("quiet", "f64");
/** Bits of DR6 for the traps that are due behind the current instruction. */
export const debugPending = table.slot("debugPending");
/** 1 while an NMI waits; 1 while the handler of one keeps others out. */
export const nmi = table.slot("nmi");
export const nmiBlocked = table.slot("nmiBlocked");

/** The page-directory-pointer-table entries, which MOV CR3 reads ahead: SDM vol. 3 section 4.4.1. */
export const pdpteLow = table.file(["pdpte0.low", "pdpte1.low", "pdpte2.low", "pdpte3.low"]);
export const pdpteHigh = table.file(["pdpte0.high", "pdpte1.high", "pdpte2.high", "pdpte3.high"]);

/** IA32_EFER. */
export const efer = table.slot("efer");
/** What RDTSC adds to the machine's count since the guest wrote the counter. */
export const tscOffset = table.slot("tscOffset", "f64");
/** MSRs that keep what is written: `storedMsrs[k]` in slot k, low word first. */
export const msrs = table.file(
  storedMsrs.map((msr) => `msr.${msr.name}`),
  "i64",
);

/*
 * The x87. Registers are physical: ST(i) is number (top + i) mod 8. Each is kept in two parts, the significand of 64 bits and the sign with the exponent
 * (bits 15..0), which is also how MMX registers lie over them.
 */
const eight = [0, 1, 2, 3, 4, 5, 6, 7];
export const fpuSignificand = table.file(
  eight.map((k) => `fpu.r${k}.significand`),
  "i64",
);
export const fpuExponent = table.file(eight.map((k) => `fpu.r${k}.exponent`));
export const fpuTop = table.slot("fpu.top");
/** Bit k: physical register k is in use. What else a tag tells follows from what is in the register. */
export const fpuUsed = table.slot("fpu.used");
export const fpuControl = table.slot("fpu.control");
/** The status word without TOP. */
export const fpuStatus = table.slot("fpu.status");
/** The last instruction: opcode (11 bits), CS:EIP, and its memory operand's segment and offset. SDM vol. 1 section 8.1.8. */
export const fpuOpcode = table.slot("fpu.opcode");
export const fpuIp = table.slot("fpu.ip");
export const fpuCs = table.slot("fpu.cs");
export const fpuDp = table.slot("fpu.dp");
export const fpuDs = table.slot("fpu.ds");
/** 1 while FERR# is asserted. */
export const fpuFerr = table.slot("fpu.ferr");
/** What is about to be stored in memory, between the helper which makes it and the store: 64 bits, and 16 above them. */
export const fpuOut = table.slot("fpu.out", "i64");
export const fpuOutHigh = table.slot("fpu.outHigh");
/** What making it has raised, at the bits which that has in the status word. */
export const fpuRaised = table.slot("fpu.raised");

/** XMM0 to XMM7, 16 bytes apart, as two halves each; MXCSR; and where a memory operand waits for a helper. */
export const xmm = table.file(
  eight.flatMap((k) => [`xmm${k}.low`, `xmm${k}.high`]),
  "i64",
);
export const mxcsr = table.slot("mxcsr");
export const [simdOperand] = table.file(["simd.operand.low", "simd.operand.high"], "i64") as [Slot, Slot];

export const slots: readonly Slot[] = table.slots;

/**
 * The `mode` word: what the meaning of code bytes depends on, besides the bytes.
 * - `d32`: CS.D, 32-bit operands and addresses. `ss32`: SS.B, the stack pointer is ESP.
 * - `flat`: DS, ES, SS have base 0, limit 4 GiB and may be read and written (FS and GS are always added and checked); CS may be read and has base 0: addresses need no
 *   check. - `user`: privilege 3. - `real`: real or virtual-8086 mode: selectors are paragraphs. `v86`.
 */
export const Mode = { d32: 1, ss32: 2, flat: 4, user: 8, real: 16, v86: 32 } as const;
