import { popcnt } from "../bits.ts";
import { fxsave } from "../fpu/bodies.ts";
import { type Body, type Entry, type Group, op, type Row } from "../pattern.ts";
import * as simd from "./bodies.ts";
import type { OperationName } from "./floating.ts";
import { conversion, Number32 } from "./helpers.ts";
import type { PackedName } from "./packed.ts";

/*
 * Opcodes behind 0F which a prefix of 66, F3 or F2 makes another instruction: SDM vol. 2 appendix A.3, tables. The beginning of a name says which
 * extension it came with.
 */

/** Without a prefix, with 66, F3, F2. */
export type Prefixed = readonly [none: Entry, operandSize: Entry, rep: Entry, repne: Entry];

/** By opcode; those behind 0F 38 and 0F 3A are told apart by 3800 and 3A00. */
const table = new Map<number, [Entry, Entry, Entry, Entry]>();
const _ = undefined;
const prefixes = { "": 0, "66": 1, f3: 2, f2: 3 } as const;
type Prefix = keyof typeof prefixes;

function entry(opcode: number, prefix: Prefix, what: Entry): void {
  let found = table.get(opcode);
  if (found === undefined) {
    found = [_, _, _, _];
    table.set(opcode, found);
  }
  found[prefixes[prefix]] = what;
}

function put(opcode: number, prefix: Prefix, name: string, operands: string, body: Body): void {
  entry(opcode, prefix, op(name, operands, body));
}

/** A group whose members differ for memory and for registers. */
function both(memory: Row | undefined, register: Row | undefined): Group {
  return [...new Array<Row | undefined>(8).fill(memory), ...new Array<Row | undefined>(64).fill(register)];
}

function registersOnly(opcode: number, prefix: Prefix, name: string, operands: string, body: Body): void {
  entry(opcode, prefix, both(_, op(name, operands, body)));
}

// --- packed integers: the same opcode for MMX and, with 66, for SSE2

const mmx: readonly (readonly [number, PackedName])[] = [
  [0x60, "punpcklbw"],
  [0x61, "punpcklwd"],
  [0x62, "punpckldq"],
  [0x63, "packsswb"],
  [0x64, "pcmpgtb"],
  [0x65, "pcmpgtw"],
  [0x66, "pcmpgtd"],
  [0x67, "packuswb"],
  [0x68, "punpckhbw"],
  [0x69, "punpckhwd"],
  [0x6a, "punpckhdq"],
  [0x6b, "packssdw"],
  [0x74, "pcmpeqb"],
  [0x75, "pcmpeqw"],
  [0x76, "pcmpeqd"],
  [0xd1, "psrlw"],
  [0xd2, "psrld"],
  [0xd3, "psrlq"],
  [0xd5, "pmullw"],
  [0xd8, "psubusb"],
  [0xd9, "psubusw"],
  [0xdb, "pand"],
  [0xdc, "paddusb"],
  [0xdd, "paddusw"],
  [0xdf, "pandn"],
  [0xe1, "psraw"],
  [0xe2, "psrad"],
  [0xe5, "pmulhw"],
  [0xe8, "psubsb"],
  [0xe9, "psubsw"],
  [0xeb, "por"],
  [0xec, "paddsb"],
  [0xed, "paddsw"],
  [0xef, "pxor"],
  [0xf1, "psllw"],
  [0xf2, "pslld"],
  [0xf3, "psllq"],
  [0xf5, "pmaddwd"],
  [0xf8, "psubb"],
  [0xf9, "psubw"],
  [0xfa, "psubd"],
  [0xfc, "paddb"],
  [0xfd, "paddw"],
  [0xfe, "paddd"],
];

/** Integer instructions for MMX registers which came with SSE. */
const extended: readonly (readonly [number, PackedName])[] = [
  [0xda, "pminub"],
  [0xde, "pmaxub"],
  [0xe0, "pavgb"],
  [0xe3, "pavgw"],
  [0xe4, "pmulhuw"],
  [0xea, "pminsw"],
  [0xee, "pmaxsw"],
  [0xf6, "psadbw"],
];

/** And with SSE2. */
const second: readonly (readonly [number, PackedName])[] = [
  [0xd4, "paddq"],
  [0xf4, "pmuludq"],
  [0xfb, "psubq"],
];

for (const [list, set] of [
  [mmx, "mmx"],
  [extended, "sse"],
  [second, "sse2"],
] as const) {
  for (const [opcode, name] of list) {
    // The low unpacks of MMX read half of their operand.
    const low = opcode >= 0x60 && opcode <= 0x62;
    put(opcode, "", `${set}.${name}`, low ? "Nq,Qd" : "Nq,Qq", simd.packed(name));
    put(opcode, "66", `sse2.${name}`, "Vo,Wo", simd.packed(name));
  }
}
put(0x6c, "66", "sse2.punpcklqdq", "Vo,Wo", simd.packed("punpcklqdq"));
put(0x6d, "66", "sse2.punpckhqdq", "Vo,Wo", simd.packed("punpckhqdq"));

const third: readonly (readonly [number, PackedName])[] = [
  [0x00, "pshufb"],
  [0x01, "phaddw"],
  [0x02, "phaddd"],
  [0x03, "phaddsw"],
  [0x04, "pmaddubsw"],
  [0x05, "phsubw"],
  [0x06, "phsubd"],
  [0x07, "phsubsw"],
  [0x08, "psignb"],
  [0x09, "psignw"],
  [0x0a, "psignd"],
  [0x0b, "pmulhrsw"],
  [0x1c, "pabsb"],
  [0x1d, "pabsw"],
  [0x1e, "pabsd"],
];
for (const [opcode, name] of third) {
  put(0x3800 | opcode, "", `ssse3.${name}`, "Nq,Qq", simd.packed(name));
  put(0x3800 | opcode, "66", `ssse3.${name}`, "Vo,Wo", simd.packed(name));
}
put(0x3a0f, "", "ssse3.palignr", "Nq,Qq,Ub", simd.alignRight);
put(0x3a0f, "66", "ssse3.palignr", "Vo,Wo,Ub", simd.alignRight);

/** Shifts by an immediate: groups 12, 13, 14, registers only. */
function shifts(opcode: number, members: Record<number, readonly [string, Body, boolean]>): void {
  for (const [prefix, set, operand] of [
    ["", "mmx", "Qq,Ub"],
    ["66", "sse2", "Wo,Ub"],
  ] as const) {
    const rows: (Row | undefined)[] = new Array<Row | undefined>(72).fill(_);
    for (const [reg, [name, body, wideOnly]] of Object.entries(members)) {
      if (wideOnly && prefix === "") continue;
      rows.fill(op(`${set}.${name}`, operand, body), 8 + 8 * Number(reg), 16 + 8 * Number(reg));
    }
    entry(opcode, prefix, rows);
  }
}
shifts(0x71, {
  2: ["psrlw", simd.shift(2, "right"), false],
  4: ["psraw", simd.shift(2, "arithmetic"), false],
  6: ["psllw", simd.shift(2, "left"), false],
});
shifts(0x72, {
  2: ["psrld", simd.shift(4, "right"), false],
  4: ["psrad", simd.shift(4, "arithmetic"), false],
  6: ["pslld", simd.shift(4, "left"), false],
});
shifts(0x73, {
  2: ["psrlq", simd.shift(8, "right"), false],
  3: ["psrldq", simd.shift(16, "right"), true],
  6: ["psllq", simd.shift(8, "left"), false],
  7: ["pslldq", simd.shift(16, "left"), true],
});

put(0x70, "", "sse.pshufw", "Nq,Qq,Ub", simd.shuffle(0));
put(0x70, "f2", "sse2.pshuflw", "Vo,Wo,Ub", simd.shuffle(1));
put(0x70, "f3", "sse2.pshufhw", "Vo,Wo,Ub", simd.shuffle(2));
put(0x70, "66", "sse2.pshufd", "Vo,Wo,Ub", simd.shuffle(3));
put(0xc6, "", "sse.shufps", "Vo,Wo,Ub", simd.shuffle(4));
put(0xc6, "66", "sse2.shufpd", "Vo,Wo,Ub", simd.shuffle(5));
put(0xc4, "", "sse.pinsrw", "Nq,Ed,Ub", simd.insertWord);
put(0xc4, "66", "sse2.pinsrw", "Vo,Ed,Ub", simd.insertWord);
registersOnly(0xc5, "", "sse.pextrw", "Gd,Qq,Ub", simd.extractWord);
registersOnly(0xc5, "66", "sse2.pextrw", "Gd,Wo,Ub", simd.extractWord);
registersOnly(0xd7, "", "sse.pmovmskb", "Gd,Qq", simd.signs(1));
registersOnly(0xd7, "66", "sse2.pmovmskb", "Gd,Wo", simd.signs(1));
registersOnly(0x50, "", "sse.movmskps", "Gd,Wo", simd.signs(4));
registersOnly(0x50, "66", "sse2.movmskpd", "Gd,Wo", simd.signs(8));
registersOnly(0xf7, "", "sse.maskmovq", "Nq,Qq,Xb", simd.maskedStore);
registersOnly(0xf7, "66", "sse2.maskmovdqu", "Vo,Wo,Xb", simd.maskedStore);
put(0x77, "", "mmx.emms", "", simd.emms);

// --- moves

put(0x6e, "", "mmx.movd", "Nq,Ed", simd.loadDword);
put(0x6e, "66", "sse2.movd", "Vo,Ed", simd.loadDword);
put(0x7e, "", "mmx.movd", "Ed,Nq", simd.storeDword);
put(0x7e, "66", "sse2.movd", "Ed,Vo", simd.storeDword);
put(0x7e, "f3", "sse2.movq", "Vo,Wq", simd.loadQword);
put(0xd6, "66", "sse2.movq", "Wq,Vo", simd.storeQword);
registersOnly(0xd6, "f3", "sse2.movq2dq", "Vo,Qq", simd.fromMmx);
registersOnly(0xd6, "f2", "sse2.movdq2q", "Nq,Wo", simd.toMmx);
put(0x6f, "", "mmx.movq", "Nq,Qq", simd.load());
put(0x7f, "", "mmx.movq", "Qq,Nq", simd.store());
const unaligned = { load: simd.load(true), store: simd.store(true) };
const inOrder = { load: simd.load(), store: simd.store() };
put(0x6f, "66", "sse2.movdqa", "Vo,Wo", inOrder.load);
put(0x7f, "66", "sse2.movdqa", "Wo,Vo", inOrder.store);
put(0x6f, "f3", "sse2.movdqu", "Vo,Wo", unaligned.load);
put(0x7f, "f3", "sse2.movdqu", "Wo,Vo", unaligned.store);
put(0x10, "", "sse.movups", "Vo,Wo", unaligned.load);
put(0x11, "", "sse.movups", "Wo,Vo", unaligned.store);
put(0x10, "66", "sse2.movupd", "Vo,Wo", unaligned.load);
put(0x11, "66", "sse2.movupd", "Wo,Vo", unaligned.store);
put(0x10, "f3", "sse.movss", "Vo,Wd", simd.loadScalar(4));
put(0x11, "f3", "sse.movss", "Wd,Vo", simd.storeScalar(4));
put(0x10, "f2", "sse2.movsd", "Vo,Wq", simd.loadScalar(8));
put(0x11, "f2", "sse2.movsd", "Wq,Vo", simd.storeScalar(8));
put(0x28, "", "sse.movaps", "Vo,Wo", inOrder.load);
put(0x29, "", "sse.movaps", "Wo,Vo", inOrder.store);
put(0x28, "66", "sse2.movapd", "Vo,Wo", inOrder.load);
put(0x29, "66", "sse2.movapd", "Wo,Vo", inOrder.store);
put(0x2b, "", "sse.movntps", "Mo,Vo", inOrder.store);
put(0x2b, "66", "sse2.movntpd", "Mo,Vo", inOrder.store);
put(0xe7, "", "sse.movntq", "Mq,Nq", simd.store());
put(0xe7, "66", "sse2.movntdq", "Mo,Vo", inOrder.store);
put(0xc3, "", "sse2.movnti", "Md,Gd", simd.storeGeneral);

entry(0x12, "", both(op("sse.movlps", "Vo,Mq", simd.loadHalf(0)), op("sse.movhlps", "Vo,Wo", simd.moveHalf(0, 8))));
entry(0x16, "", both(op("sse.movhps", "Vo,Mq", simd.loadHalf(8)), op("sse.movlhps", "Vo,Wo", simd.moveHalf(8, 0))));
put(0x13, "", "sse.movlps", "Mq,Vo", simd.storeHalf(0));
put(0x17, "", "sse.movhps", "Mq,Vo", simd.storeHalf(8));
put(0x12, "66", "sse2.movlpd", "Vo,Mq", simd.loadHalf(0));
put(0x16, "66", "sse2.movhpd", "Vo,Mq", simd.loadHalf(8));
put(0x13, "66", "sse2.movlpd", "Mq,Vo", simd.storeHalf(0));
put(0x17, "66", "sse2.movhpd", "Mq,Vo", simd.storeHalf(8));

put(0xf0, "f2", "sse3.lddqu", "Vo,Mo", unaligned.load);
put(0x12, "f2", "sse3.movddup", "Vo,Wq", simd.duplicateDouble);
put(0x12, "f3", "sse3.movsldup", "Vo,Wo", simd.duplicateSingles(0));
put(0x16, "f3", "sse3.movshdup", "Vo,Wo", simd.duplicateSingles(4));
put(0xb8, "f3", "popcnt", "Gv,Ev", popcnt);

// --- floating point

const unpack = { low4: simd.packed("punpckldq"), high4: simd.packed("punpckhdq") };
put(0x14, "", "sse.unpcklps", "Vo,Wo", unpack.low4);
put(0x15, "", "sse.unpckhps", "Vo,Wo", unpack.high4);
put(0x14, "66", "sse2.unpcklpd", "Vo,Wo", simd.packed("punpcklqdq"));
put(0x15, "66", "sse2.unpckhpd", "Vo,Wo", simd.packed("punpckhqdq"));
for (const [opcode, name, body] of [
  [0x54, "and", "pand"],
  [0x55, "andn", "pandn"],
  [0x56, "or", "por"],
  [0x57, "xor", "pxor"],
] as const) {
  put(opcode, "", `sse.${name}ps`, "Vo,Wo", simd.packed(body));
  put(opcode, "66", `sse2.${name}pd`, "Vo,Wo", simd.packed(body));
}

const floating: readonly (readonly [number, string, OperationName])[] = [
  [0x51, "sqrt", "root"],
  [0x58, "add", "add"],
  [0x59, "mul", "multiply"],
  [0x5c, "sub", "subtract"],
  [0x5d, "min", "minimum"],
  [0x5e, "div", "divide"],
  [0x5f, "max", "maximum"],
];
for (const [opcode, name, operation] of floating) {
  put(opcode, "", `sse.${name}ps`, "Vo,Wo", simd.arithmetic(operation, false, false));
  put(opcode, "f3", `sse.${name}ss`, "Vo,Wd", simd.arithmetic(operation, false, true));
  put(opcode, "66", `sse2.${name}pd`, "Vo,Wo", simd.arithmetic(operation, true, false));
  put(opcode, "f2", `sse2.${name}sd`, "Vo,Wq", simd.arithmetic(operation, true, true));
}
put(0x52, "", "sse.rsqrtps", "Vo,Wo", simd.arithmetic("reciprocalRoot", false, false));
put(0x52, "f3", "sse.rsqrtss", "Vo,Wd", simd.arithmetic("reciprocalRoot", false, true));
put(0x53, "", "sse.rcpps", "Vo,Wo", simd.arithmetic("reciprocal", false, false));
put(0x53, "f3", "sse.rcpss", "Vo,Wd", simd.arithmetic("reciprocal", false, true));
put(0xc2, "", "sse.cmpps", "Vo,Wo,Ub", simd.compare(false, false));
put(0xc2, "f3", "sse.cmpss", "Vo,Wd,Ub", simd.compare(false, true));
put(0xc2, "66", "sse2.cmppd", "Vo,Wo,Ub", simd.compare(true, false));
put(0xc2, "f2", "sse2.cmpsd", "Vo,Wq,Ub", simd.compare(true, true));
put(0x2e, "", "sse.ucomiss", "Vo,Wd", simd.compareFlags(false, true));
put(0x2f, "", "sse.comiss", "Vo,Wd", simd.compareFlags(false, false));
put(0x2e, "66", "sse2.ucomisd", "Vo,Wq", simd.compareFlags(true, true));
put(0x2f, "66", "sse2.comisd", "Vo,Wq", simd.compareFlags(true, false));

for (const [opcode, name, how] of [
  [0x7c, "hadd", 0],
  [0x7d, "hsub", 1],
  [0xd0, "addsub", 2],
] as const) {
  put(opcode, "66", `sse3.${name}pd`, "Vo,Wo", simd.pairs(how, true));
  put(opcode, "f2", `sse3.${name}ps`, "Vo,Wo", simd.pairs(how, false));
}

const { single, double, integer } = Number32;
put(0x5a, "", "sse2.cvtps2pd", "Vo,Wq", simd.convert(conversion(single, double, 2)));
put(0x5a, "66", "sse2.cvtpd2ps", "Vo,Wo", simd.convert(conversion(double, single, 2, false, true)));
put(0x5a, "f3", "sse2.cvtss2sd", "Vo,Wd", simd.convert(conversion(single, double, 1)));
put(0x5a, "f2", "sse2.cvtsd2ss", "Vo,Wq", simd.convert(conversion(double, single, 1)));
put(0x5b, "", "sse2.cvtdq2ps", "Vo,Wo", simd.convert(conversion(integer, single, 4)));
put(0x5b, "66", "sse2.cvtps2dq", "Vo,Wo", simd.convert(conversion(single, integer, 4)));
put(0x5b, "f3", "sse2.cvttps2dq", "Vo,Wo", simd.convert(conversion(single, integer, 4, true)));
put(0xe6, "f3", "sse2.cvtdq2pd", "Vo,Wq", simd.convert(conversion(integer, double, 2)));
put(0xe6, "f2", "sse2.cvtpd2dq", "Vo,Wo", simd.convert(conversion(double, integer, 2, false, true)));
put(0xe6, "66", "sse2.cvttpd2dq", "Vo,Wo", simd.convert(conversion(double, integer, 2, true, true)));
put(0x2a, "", "sse.cvtpi2ps", "Vo,Qq", simd.convert(conversion(integer, single, 2)));
put(0x2a, "66", "sse2.cvtpi2pd", "Vo,Qq", simd.convert(conversion(integer, double, 2)));
put(0x2a, "f3", "sse.cvtsi2ss", "Vo,Ed", simd.convert(conversion(integer, single, 1)));
put(0x2a, "f2", "sse2.cvtsi2sd", "Vo,Ed", simd.convert(conversion(integer, double, 1)));
put(0x2c, "", "sse.cvttps2pi", "Nq,Wq", simd.convert(conversion(single, integer, 2, true)));
put(0x2d, "", "sse.cvtps2pi", "Nq,Wq", simd.convert(conversion(single, integer, 2)));
put(0x2c, "66", "sse2.cvttpd2pi", "Nq,Wo", simd.convert(conversion(double, integer, 2, true)));
put(0x2d, "66", "sse2.cvtpd2pi", "Nq,Wo", simd.convert(conversion(double, integer, 2)));
put(0x2c, "f3", "sse.cvttss2si", "Gd,Wd", simd.convert(conversion(single, integer, 1, true)));
put(0x2d, "f3", "sse.cvtss2si", "Gd,Wd", simd.convert(conversion(single, integer, 1)));
put(0x2c, "f2", "sse2.cvttsd2si", "Gd,Wq", simd.convert(conversion(double, integer, 1, true)));
put(0x2d, "f2", "sse2.cvtsd2si", "Gd,Wq", simd.convert(conversion(double, integer, 1)));

// --- state, fences, group 15

const fences: Group = [
  op("fxsave", "Mq", fxsave(true)),
  op("fxrstor", "Mq", fxsave(false)),
  op("sse.ldmxcsr", "Md", simd.loadMxcsr),
  op("sse.stmxcsr", "Md", simd.storeMxcsr),
  _,
  _,
  _,
  op("sse2.clflush", "Mb", simd.flushLine),
  ...new Array<undefined>(40).fill(_),
  ...new Array<Row>(8).fill(op("sse2.lfence", "", simd.nothing)),
  ...new Array<Row>(8).fill(op("sse2.mfence", "", simd.nothing)),
  ...new Array<Row>(8).fill(op("sse.sfence", "", simd.nothing)),
];
entry(0xae, "", fences);

/** By opcode; undefined for one which prefixes do not change. */
export const prefixed: readonly (Prefixed | undefined)[] = Array.from({ length: 256 }, (__, k) => table.get(k));
/** The maps behind 0F 38 and 0F 3A: SDM vol. 2 tables. */
export const prefixed38: typeof prefixed = Array.from({ length: 256 }, (__, k) => table.get(0x3800 | k));
export const prefixed3a: typeof prefixed = Array.from({ length: 256 }, (__, k) => table.get(0x3a00 | k));
