/*
 * Where our x86 decoder and capstone say different things about the same bytes, and why. Nothing else may differ.
 */

export interface Comparison {
  /** Our row's mnemonic; undefined for #UD. */
  readonly ours: string | undefined;
  readonly length: number;
  /** Capstone's, without prefixes; undefined for none. */
  readonly theirs: string | undefined;
  readonly theirLength: number;
  /** From the opcode on, 0F included. */
  readonly opcode: readonly number[];
  readonly lock: boolean;
  /** 66 among the prefixes in 16-bit code. */
  readonly narrow66: boolean;
  /** F2 or F3 among the prefixes. */
  readonly repeat: boolean;
}

export interface Difference {
  readonly name: string;
  readonly reason: string;
  readonly applies: (c: Comparison) => boolean;
}

/** Ours on the left: capstone's names for it. */
const spellings: Readonly<Record<string, RegExp>> = {
  callf: /^l?call$/,
  jmpf: /^l?jmp$/,
  cbw: /^cwde$/,
  cwd: /^cdq$/,
  iret: /^iretd$/,
  jcxz: /^jecxz$/,
  xlat: /^xlatb$/,
  pusha: /^pusha[lw]$/,
  popa: /^popa[lw]$/,
  pushf: /^pushfd$/,
  popf: /^popfd$/,
  sal: /^s[ah]l$/,
  wait: /^f?wait$/,
  xchg: /^nop$/,
  nop: /^(xchg|pause)$/,
};
const strings = /^(movs|cmps|stos|lods|scas|ins|outs)$/;

const between = (first: number, last: number) => (c: Comparison) => {
  const [byte, second = 0] = c.opcode;
  return byte === 0x0f && second >= first && second <= last;
};
/** Capstone knows an instruction, a Pentium Pro does not. */
const later = (...ranges: readonly (readonly [number, number])[]) => {
  const parts = ranges.map(([first, last]) => between(first, last));
  return (c: Comparison) => c.ours === undefined && c.theirs !== undefined && parts.some((part) => part(c));
};
const first = (c: Comparison) => c.opcode[0] ?? 0;
const reg = (c: Comparison) => ((c.opcode[first(c) === 0x0f ? 2 : 1] ?? 0) >> 3) & 7;
const isRegister = (c: Comparison) => (c.opcode[first(c) === 0x0f ? 2 : 1] ?? 0) >= 0xc0;

export const differences: readonly Difference[] = [
  {
    name: "spelling",
    reason: "Our rows have one name for both operand sizes or for near and far; capstone spells the size.",
    applies: ({ ours = "", theirs = "", length, theirLength }) =>
      length === theirLength &&
      ((spellings[ours]?.test(theirs) ?? false) || (strings.test(ours) && theirs.replace(/[bwd]$/, "") === ours)),
  },
  {
    name: "x87-names",
    reason:
      "Our x87 rows are named for what they compute, with the operand's format behind it where it matters; capstone gives the reversed name to the forms which write ST(i), as AT&T's assembler once did, and turns others' letters round.",
    applies: ({ ours, theirs, length, theirLength, opcode: [byte = 0] }) =>
      byte >= 0xd8 && byte <= 0xdf && ours !== undefined && theirs !== undefined && length === theirLength,
  },
  {
    name: "x87-aliases",
    reason:
      "DC D0, DC D8, DD C8, DE D0, DF C8, DF D0 and DF D8 do what their plain forms do, on every x87; capstone has not got them.",
    applies: ({ ours, theirs, opcode: [byte = 0] }) =>
      byte >= 0xd8 && byte <= 0xdf && ours !== undefined && theirs === undefined,
  },
  {
    name: "hints",
    reason:
      "0F 18 to 0F 1F do nothing on a P6. Capstone has the later meanings of some, and no instruction for others.",
    applies: (c) => c.ours === "nop" && between(0x18, 0x1f)(c),
  },
  {
    name: "ud",
    reason: "UD0, UD1 and UD2 are #UD, which is what our decoder says of them.",
    applies: (c) => c.ours === undefined && /^ud[012]/.test(c.theirs ?? ""),
  },
  {
    name: "predicates",
    reason: "CMPPS and its like: capstone puts the predicate of the immediate into the name.",
    applies: ({ ours = "", theirs = "", length, theirLength }) =>
      length === theirLength &&
      /^cmp[ps][sd]$/.test(ours) &&
      theirs.startsWith("cmp") &&
      theirs.slice(-2) === ours.slice(-2),
  },
  {
    name: "narrow-66",
    reason:
      "66 is a part of SSE2's opcodes in 16-bit code as well (SDM vol. 2 section 2.1.2); capstone takes it for an operand size alone there.",
    applies: (c) => c.narrow66 && c.opcode[0] === 0x0f && c.ours !== undefined,
  },
  {
    name: "66-behind-repeat",
    reason:
      "F2 or F3 chooses the instruction wherever 66 stands, as processors have it; capstone takes the last of the three.",
    applies: (c) => c.repeat && c.opcode[0] === 0x0f && c.ours !== undefined && c.length === c.theirLength,
  },
  {
    name: "control-registers",
    reason: "CR1 and CR5 to CR7 do not exist: #UD (SDM vol. 2, MOV); capstone names them.",
    applies: (c) =>
      c.ours === undefined && c.theirs === "mov" && between(0x20, 0x22)(c) && [1, 5, 6, 7].includes(reg(c)),
  },
  {
    name: "fences",
    reason:
      "The low bits of ModRM do not matter to LFENCE, MFENCE and SFENCE (SDM vol. 2, each); capstone has them with 0 only.",
    applies: (c) => /^[lms]fence$/.test(c.ours ?? "") && c.theirs === undefined,
  },
  {
    name: "sse-later",
    reason: "SSE4 and what came after it, and SSE4a, in 0F 10..17, 28..2F, 38, 3A, 50..7F, C2..C6 and D0..FF.",
    applies: later([0x10, 0x17], [0x28, 0x2f], [0x38, 0x3f], [0x50, 0x7f], [0xc2, 0xc6], [0xd0, 0xff]),
  },
  {
    name: "group-15",
    reason: "0F AE beyond SSE2: XSAVE, later cache line instructions, FS and GS bases.",
    applies: later([0xae, 0xae]),
  },
  {
    name: "group-9",
    reason: "0F C7 beyond CMPXCHG8B: VMX, XSAVE, random numbers.",
    applies: (c) => later([0xc7, 0xc7])(c),
  },
  {
    name: "group-7",
    reason: "0F 01 with a register operand: VMX, SVM, SMAP, MONITOR and the like.",
    applies: (c) => later([0x01, 0x01])(c) && (isRegister(c) || reg(c) === 5),
  },
  {
    name: "later-system",
    reason:
      "AMD's SYSCALL, SYSRET, 3DNow!, PREFETCHW, FEMMS; GETSEC; VIA's PadLock; RSM outside of system management mode is #UD.",
    applies: later([0x05, 0x05], [0x07, 0x07], [0x0d, 0x0f], [0x37, 0x37], [0xa6, 0xa7], [0xaa, 0xaa], [0xb8, 0xb8]),
  },
  {
    name: "bit-counts",
    reason:
      "F3 0F BC and BD are TZCNT and LZCNT from Haswell on, and BSF and BSR with a prefix that means nothing before.",
    applies: (c) => (c.ours === "bsf" && c.theirs === "tzcnt") || (c.ours === "bsr" && c.theirs === "lzcnt"),
  },
  {
    name: "repeat-prefix",
    reason:
      "F2 and F3 mean nothing but in front of string instructions; capstone takes them for a part of a later opcode, which it may then not have.",
    applies: (c) =>
      c.repeat && c.opcode[0] === 0x0f && c.ours !== undefined && (c.theirs === undefined || c.theirs === "wbnoinvd"),
  },
  {
    name: "pause",
    reason: "F3 90 is PAUSE, which is NOP on a P6; capstone has no instruction for it behind another size prefix.",
    applies: (c) => c.ours === "nop" && c.opcode[0] === 0x90 && c.repeat && c.theirs === undefined,
  },
  {
    name: "vector-prefixes",
    reason: "C4, C5, 62 and 8F in front of what cannot be LES, LDS, BOUND or POP: VEX, EVEX, XOP.",
    applies: (c) =>
      c.ours === undefined && [0xc4, 0xc5, 0x62, 0x8f].includes(first(c)) && (isRegister(c) || first(c) === 0x8f),
  },
  {
    name: "transactions",
    reason: "C6 F8 and C7 F8 are XABORT and XBEGIN, of TSX.",
    applies: (c) => c.ours === undefined && (first(c) === 0xc6 || first(c) === 0xc7) && c.opcode[1] === 0xf8,
  },
  {
    name: "lock",
    reason:
      "LOCK in front of an instruction that does not write memory is #UD (SDM vol. 2, LOCK); capstone looks only at the opcode.",
    applies: (c) => c.lock && c.ours === undefined,
  },
  {
    name: "mov-cs",
    reason: "MOV to CS is #UD (SDM vol. 2, MOV), and so is a segment register 6 or 7.",
    applies: (c) => c.ours === undefined && (first(c) === 0x8e || first(c) === 0x8c),
  },
];

/** The difference that explains it, if there is one; "same" when nothing has to be explained. */
export function explain(c: Comparison): Difference | "same" | undefined {
  if (c.ours === c.theirs && (c.ours === undefined || c.length === c.theirLength)) return "same";
  return differences.find((d) => d.applies(c));
}
