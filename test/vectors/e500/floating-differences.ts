import type { FloatAnswer, FloatVector } from "../../cpu/e500/float-vectors.ts";

/*
 * Where qemu-ppc (7.2) is known to be wrong against Power ISA 2.06 Book I, and what Book I leaves undefined, in floating point. This is the one place for it. Each
 * difference is a name, its reason, when it is there, and what is to be put for the oracle's answer.
 */

interface Mutable {
  fpscr: number;
  cr: number;
  signal: number;
  fpr: bigint[];
}

interface Difference {
  readonly name: string;
  readonly reason: string;
  /** Changes the oracle's answer to the right one, or takes ours where there is no right one. */
  readonly mend: (v: FloatVector, should: Mutable, is: FloatAnswer) => void;
}

const fx = 0x8000_0000;
const fr = 0x0004_0000;
const fi = 0x0002_0000;
const fprf = 0x0001_f000;
const c = 0x0001_0000;
const vxsnan = 0x0100_0000;
const invalid = 0x01f8_0700;
const vxvc = 0x0008_0000;
const vximz = 0x0010_0000;
const ve = 0x80;
const ue = 0x20;
const exceptions = 0x1ff8_0700;
const infinity = 0x7ff0_0000_0000_0000n;
const signBit = 1n << 63n;

const ours = (should: number, is: number, bits: number) => ((should & ~bits) | (is & bits)) >>> 0;
const target = (v: FloatVector) => ((v.word >>> 21) & 31) - 3;
const source = (v: FloatVector) => v.fpr[((v.word >>> 11) & 31) - 3] ?? 0n;

const isSingle = (v: FloatVector) => v.word >>> 26 === 59 || v.mnemonic === "frsp";
/** Whether FRT was written: nothing suppressed it. */
const written = (v: FloatVector, should: Mutable) =>
  should.signal !== 8 || (should.fpscr & ~v.fpscr & (invalid | 0x0400_0000)) === 0;

const scratch = new DataView(new ArrayBuffer(8));

function isSingleNumber(bits: bigint): boolean {
  scratch.setBigUint64(0, bits);
  const x = scratch.getFloat64(0);
  return Math.fround(x) === x;
}

function lower(v: FloatVector, should: Mutable, is: FloatAnswer): void {
  const t = target(v);
  should.fpr[t] = ((should.fpr[t] as bigint) & 0xffff_ffffn) | ((is.fpr[t] as bigint) & ~0xffff_ffffn);
}

export const differences: readonly Difference[] = [
  {
    name: "FR",
    reason: "QEMU does not compute it; test/cpu/ieee and test/cpu/e500/floating.test.ts do",
    mend: (_, should, is) => {
      should.fpscr = ours(should.fpscr, is.fpscr, fr);
    },
  },
  {
    name: "comparisons",
    reason: "a comparison leaves C, FR and FI alone, an invalid one too; QEMU changes them",
    mend: (v, should) => {
      if (/^fcmp/.test(v.mnemonic)) should.fpscr = ours(should.fpscr, v.fpscr, c | fi);
    },
  },
  {
    name: "FI of enabled invalid operations",
    reason: "an operation that VE suppresses clears FR and FI; of signalling NaNs QEMU's does not",
    mend: (v, should) => {
      if (/^f(?!cmp)/.test(v.mnemonic) && should.signal === 8 && (should.fpscr & vxsnan & ~v.fpscr) !== 0)
        should.fpscr = (should.fpscr & ~fi) >>> 0;
    },
  },
  {
    name: "VXVC",
    reason: "fcmpo of a signalling NaN sets VXVC only when VE is clear; QEMU's always",
    mend: (v, should) => {
      const both = (should.fpscr & ~v.fpscr & vxsnan) !== 0;
      if (v.mnemonic === "fcmpo" && both && (v.fpscr & ve) !== 0) should.fpscr = ours(should.fpscr, v.fpscr, vxvc);
    },
  },
  {
    name: "VXSNAN beside VXIMZ",
    reason: "a signalling NaN added to infinity times 0 is invalid in both ways; QEMU says one of them",
    mend: (v, should) => {
      const addend = source(v);
      const signals = (addend & ~signBit) > infinity && (addend & 0x0008_0000_0000_0000n) === 0n;
      if (/^fn?m(add|sub)s?$/.test(v.mnemonic) && signals && (should.fpscr & vximz) !== 0)
        should.fpscr = (should.fpscr | vxsnan) >>> 0;
    },
  },
  {
    name: "fctiw",
    reason: "FPRF and the upper half of FRT are undefined",
    mend: (v, should, is) => {
      if (!/^fctiw/.test(v.mnemonic)) return;
      should.fpscr = ours(should.fpscr, is.fpscr, fprf);
      if (should.signal !== 8 || (should.fpscr & invalid & ~v.fpscr) === 0) lower(v, should, is);
    },
  },
  {
    name: "NI",
    reason: "what NI does is the implementation's; here it is a bit that is kept. QEMU's mtfsb0 and mtfsb1 leave it alone",
    mend: (v, should) => {
      if (((v.word >>> 21) & 31) !== 29) return;
      if (v.mnemonic === "mtfsb1") should.fpscr = (should.fpscr | 4) >>> 0;
      if (v.mnemonic === "mtfsb0") should.fpscr = (should.fpscr & ~4) >>> 0;
    },
  },
  {
    name: "class of denormalized singles",
    reason: "frsp's model in Book I calls them denormalized, as single-precision results; QEMU looks at the register, which is a normalized double",
    mend: (v, should) => {
      const magnitude = (should.fpr[target(v)] ?? 0n) & ~signBit;
      const isDenormal = magnitude !== 0n && magnitude < 0x3810_0000_0000_0000n;
      if (isSingle(v) && isDenormal && (should.fpscr & ue) === 0 && written(v, should)) should.fpscr |= c;
      should.fpscr >>>= 0;
    },
  },
  {
    name: "negated directed roundings",
    reason: "fnmadd and fnmsub round and then negate; QEMU negates first, which is another number to plus and to minus infinity",
    mend: (v, should, is) => {
      if (!/^fnm/.test(v.mnemonic) || (v.fpscr & 2) === 0 || (should.fpscr & fi) === 0) return;
      should.signal = is.signal;
      should.fpscr = is.fpscr;
      should.cr = is.cr;
      should.fpr = [...is.fpr];
    },
  },
  {
    name: "adjusted exponents",
    reason:
      "frsp's model in Book I adds 192 to the exponent or subtracts it, whatever comes of it; QEMU leaves eight bits of it. Single-precision arithmetic on what are no singles is undefined",
    mend: (v, should, is) => {
      const adjusted = (should.fpscr & 0x1800_0000 & ~v.fpscr & ((v.fpscr & 0x60) << 22)) !== 0;
      const undefinedHere = v.mnemonic === "frsp" || (isSingle(v) && !v.fpr.every(isSingleNumber));
      if (!adjusted || !undefinedHere) return;
      should.fpr[target(v)] = is.fpr[target(v)] as bigint;
      should.fpscr = ours(should.fpscr, is.fpscr, fprf);
    },
  },
  {
    name: "estimates of 0",
    reason: "the reciprocal of 0 and of its root are infinite; QEMU gives 1/2",
    mend: (v, should) => {
      if (!/^fr(es|sqrte)$/.test(v.mnemonic) || (source(v) & ~signBit) !== 0n || (v.fpscr & 0x10) !== 0) return;
      const negative = source(v) !== 0n;
      should.fpr[target(v)] = infinity | (negative ? signBit : 0n);
      should.fpscr = ours(should.fpscr, negative ? 0x9000 : 0x5000, fprf);
    },
  },
  {
    name: "FX",
    reason: "FX is set when an exception bit goes from 0 to 1; QEMU sets it with some that were 1 before, and mtfsb1 of some does not set it",
    mend: (v, should) => {
      if (/^mtfsfi?$/.test(v.mnemonic) || /^mcrfs/.test(v.mnemonic)) return;
      if (v.mnemonic === "mtfsb0" || (v.mnemonic === "mtfsb1" && ((v.word >>> 21) & 31) === 0)) return;
      const rises = (should.fpscr & ~v.fpscr & exceptions) !== 0;
      should.fpscr = ((should.fpscr & ~fx) | (v.fpscr & fx) | (rises ? fx : 0)) >>> 0;
    },
  },
  {
    name: "CR1",
    reason: "an instruction that ends in a program interrupt has set CR1; QEMU's has not",
    mend: (v, should) => {
      if (!/^m?f|^mt/.test(v.mnemonic) || (v.word & 1) === 0) return;
      should.cr = ((should.cr & ~0x0f00_0000) | ((should.fpscr >>> 28) << 24)) >>> 0;
    },
  },
];

/** Whether ours is the oracle's answer, but for the differences above. `tally` counts those which are there, by name. */
export function agrees(v: FloatVector, is: FloatAnswer, tally?: Map<string, number>): boolean {
  const should: Mutable = { ...v.answer, fpr: [...v.answer.fpr] };
  for (const { name, mend } of differences) {
    const { fpscr, cr, signal } = should;
    const result = should.fpr[target(v)];
    mend(v, should, is);
    const changed = fpscr !== should.fpscr || cr !== should.cr || signal !== should.signal || result !== should.fpr[target(v)];
    if (changed && tally !== undefined) tally.set(name, (tally.get(name) ?? 0) + 1);
  }
  return (
    should.signal === is.signal &&
    should.fpscr === is.fpscr &&
    should.cr === is.cr &&
    should.fpr.every((bits, k) => bits === is.fpr[k]) &&
    v.answer.r4 === is.r4 &&
    v.answer.r5 === is.r5 &&
    v.answer.memory.every((byte, k) => byte === is.memory[k])
  );
}
