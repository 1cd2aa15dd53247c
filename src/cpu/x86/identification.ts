import { Cr4 } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

/** A processor as CPUID tells of it. Only what is there is told. */
export interface Model {
  readonly name: string;
  /** Family, model and stepping: EAX of leaf 1. */
  readonly signature: number;
  /** EDX of leaf 1. */
  readonly features: number;
  /** ECX of leaf 1. */
  readonly features2: number;
  /** Execute-disable in page tables, and the extended leaf that tells of it. */
  readonly noExecute: boolean;
}

/** Feature bits of leaf 1, EDX. SDM vol. 2, table 3-11. */
export const Feature = {
  fpu: 1 << 0,
  vme: 1 << 1,
  de: 1 << 2,
  pse: 1 << 3,
  tsc: 1 << 4,
  msr: 1 << 5,
  pae: 1 << 6,
  mce: 1 << 7,
  cx8: 1 << 8,
  apic: 1 << 9,
  sep: 1 << 11,
  mtrr: 1 << 12,
  pge: 1 << 13,
  mca: 1 << 14,
  cmov: 1 << 15,
  pat: 1 << 16,
  pse36: 1 << 17,
  mmx: 1 << 23,
  fxsr: 1 << 24,
  sse: 1 << 25,
  sse2: 1 << 26,
} as const;

/** Those of ECX. SDM vol. 2, table 3-10. */
export const Feature2 = {
  sse3: 1 << 0,
  ssse3: 1 << 9,
  popcnt: 1 << 23,
} as const;

const { sse3, ssse3, popcnt } = Feature2;
const {
  vme,
  de,
  pse,
  tsc,
  msr,
  pae,
  mce,
  cx8,
  apic,
  sep,
  mtrr,
  pge,
  mca,
  cmov,
  pat,
  pse36,
  fpu,
  mmx,
  fxsr,
  sse,
  sse2,
} = Feature;
const pentium = fpu | vme | de | pse | tsc | msr | mce | cx8 | apic;
const pentiumPro = pentium | pae | sep | mtrr | pge | mca | cmov;
const pentium2 = pentiumPro | pat | pse36 | mmx | fxsr;
const pentium3 = pentium2 | sse;

const pentiumM = pentium3 | sse2;

function model(name: string, signature: number, features: number, noExecute = false, features2 = 0): Model {
  return { name, signature, features, features2, noExecute };
}

/**
 * By the name that `--cpu` takes. The Pentium Pro has a later stepping
 * than those which announced SYSENTER and did not have it (SDM vol. 2, SYSENTER). "p6-nx" never was, nor "max": all that there is.
 */
export const models: Readonly<Record<string, Model>> = Object.fromEntries(
  [
    model("486", 0x480, fpu | vme),
    model("pentium", 0x52c, pentium),
    model("pentium-pro", 0x633, pentiumPro),
    model("pentium2", 0x652, pentium2),
    model("pentium3", 0x68a, pentium3),
    model("pentium-m", 0x6d8, pentiumM),
    model("p6-nx", 0x6d8, pentiumM, true),
    model("core", 0x6ec, pentiumM, true, sse3),
    model("core2", 0x6fb, pentiumM, true, sse3 | ssse3),
    model("max", 0x6fb, pentiumM, true, sse3 | ssse3 | popcnt),
  ].map((m) => [m.name, m]),
);

/** Bits of CR4 which a model has; setting another is #GP(0). SDM vol. 3 section 2.5. */
export function cr4Bits({ features }: Model): number {
  const bit = (feature: number, bits: number) => ((features & feature) !== 0 ? bits : 0);
  return (
    bit(vme, Cr4.vme | Cr4.pvi) |
    bit(tsc, Cr4.tsd) |
    bit(de, Cr4.de) |
    bit(pse, Cr4.pse) |
    bit(pae, Cr4.pae) |
    bit(mce, Cr4.mce) |
    bit(pge, Cr4.pge) |
    // Performance counters have no bit of their own: they came with the P6.
    bit(pge, Cr4.pce) |
    bit(fxsr, Cr4.osfxsr) |
    bit(sse, Cr4.osxmmexcpt)
  );
}

/** Bits of MXCSR which a model has: "denormals are zeros" came with SSE2. SDM vol. 1 section 11.6.6. */
export function mxcsrBits({ features }: Model): number {
  if ((features & sse) === 0) return 0;
  return (features & sse2) !== 0 ? 0xffff : 0xffbf;
}

/** Instructions which came with a feature, by the beginning of their names. */
const instructions: readonly (readonly [feature: number, names: readonly string[]])[] = [
  [cmov, ["cmov"]],
  [cx8, ["cmpxchg8b"]],
  [tsc, ["rdtsc"]],
  [msr, ["rdmsr", "wrmsr"]],
  [sep, ["sysenter", "sysexit"]],
  [pge, ["rdpmc"]],
  [cmov, ["fcmov", "fcomi", "fucomi"]],
  [fxsr, ["fxsave", "fxrstor"]],
  [mmx, ["mmx."]],
  [sse, ["sse."]],
  [sse2, ["sse2."]],
];
const instructions2: readonly (readonly [feature: number, names: readonly string[]])[] = [
  [sse3, ["sse3.", "fisttp"]],
  [ssse3, ["ssse3."]],
  [popcnt, ["popcnt"]],
];

/** What an instruction came with: bits of EDX and of ECX of leaf 1. */
export type Needs = Pick<Model, "features" | "features2">;

/** What the instruction of a form came with, by the form's name. */
export function needsOf(form: string): Needs {
  const among = (list: typeof instructions) =>
    list.reduce((all, [feature, names]) => (names.some((name) => form.startsWith(name)) ? all | feature : all), 0);
  return { features: among(instructions), features2: among(instructions2) };
}

/** Whether a model lacks an instruction that needs this: it is #UD there. */
export function lacks(model: Model, { features, features2 }: Needs): boolean {
  return ((features & ~model.features) | (features2 & ~model.features2)) !== 0;
}

const vendor = [0x756e_6547, 0x6c65_746e, 0x4965_6e69]; // EBX, ECX, EDX

/** CPUID: leaves 0 to 2. A leaf past the last gives that of the last. SDM vol. 2, CPUID. */
export function cpuid(core: Core, model: Model): void {
  const leaf = core.get(s.eax) >>> 0;
  const put = (a: number, b: number, c: number, d: number) => {
    core.set(s.eax, a);
    core.set(s.ebx, b);
    core.set(s.ecx, c);
    core.set(s.edx, d);
  };
  const last = model.signature >>> 8 >= 6 ? 2 : 1;
  if (leaf === 0) put(last, vendor[0] as number, vendor[1] as number, vendor[2] as number);
  else if (leaf === 1 || last === 1) put(model.signature, 0, model.features2, model.features);
  else if (leaf >= 0x8000_0000 && leaf <= 0x8000_0008) extended(leaf, model, put);
  // One descriptor read suffices; what it would tell of caches is left empty.
  else put(1, 0, 0, 0);
}

/** Execute-disable, the brand string, 48 bytes over three leaves, and 36 physical address bits. */
function extended(leaf: number, model: Model, put: (a: number, b: number, c: number, d: number) => void): void {
  if (leaf === 0x8000_0000) put(0x8000_0008 | 0, 0, 0, 0);
  else if (leaf === 0x8000_0001) put(0, 0, 0, model.noExecute ? 1 << 20 : 0);
  else if (leaf === 0x8000_0008) put(0x2024, 0, 0, 0);
  else if (leaf > 0x8000_0004) put(0, 0, 0, 0);
  else {
    const text = `Barzero ${model.name}`.padEnd(48, "\0");
    const at = (leaf - 0x8000_0002) * 16;
    const word = (k: number) => [0, 1, 2, 3].reduce((sum, i) => sum | (text.charCodeAt(at + 4 * k + i) << (8 * i)), 0);
    put(word(0), word(1), word(2), word(3));
  }
}
