import { Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

/** A processor as CPUID tells of it. */
export interface Model {
  readonly name: string;
  /** Family, model and stepping: EAX of leaf 1. */
  readonly signature: number;
  /** EDX of leaf 1. */
  readonly features: number;
}

/** Feature bits of leaf 1, EDX. SDM vol. 2, table 3-11. */
const Feature = {
  de: 1 << 2,
  pse: 1 << 3,
  tsc: 1 << 4,
  msr: 1 << 5,
  mce: 1 << 7,
  cx8: 1 << 8,
  apic: 1 << 9,
  sep: 1 << 11,
  pge: 1 << 13,
  cmov: 1 << 15,
} as const;

/** By the name that `--cpu` takes. Floating point is not offered: there is none yet. */
export const models: Readonly<Record<string, Model>> = {
  "pentium-pro": {
    name: "pentium-pro",
    signature: 0x633,
    features:
      Feature.pse |
      Feature.tsc |
      Feature.msr |
      Feature.mce |
      Feature.cx8 |
      Feature.apic |
      Feature.sep |
      Feature.pge |
      Feature.cmov,
  },
};

/** "GenuineIntel" as EBX, ECX and EDX have it: EDX is the middle of it. */
const vendor = [0x756e_6547, 0x6c65_746e, 0x4965_6e69];

/** CPUID: leaves 0 to 2. A leaf past the last gives that of the last. SDM vol. 2, CPUID. */
export function cpuid(core: Core, model: Model): void {
  const leaf = core.get(s.eax) >>> 0;
  const put = (a: number, b: number, c: number, d: number) => {
    core.set(s.eax, a);
    core.set(s.ebx, b);
    core.set(s.ecx, c);
    core.set(s.edx, d);
  };
  if (leaf === 0) put(2, vendor[0] as number, vendor[1] as number, vendor[2] as number);
  else if (leaf === 1) put(model.signature, 0, 0, model.features);
  else if (leaf >= 0x8000_0000 && leaf <= 0x8000_0004) extended(leaf, model, put);
  // One descriptor read suffices; what it would tell of caches is left empty.
  else put(1, 0, 0, 0);
}

/** The brand string, 48 bytes over three leaves. */
function extended(leaf: number, model: Model, put: (a: number, b: number, c: number, d: number) => void): void {
  if (leaf === 0x8000_0000) put(0x8000_0004 | 0, 0, 0, 0);
  else if (leaf === 0x8000_0001) put(0, 0, 0, 0);
  else {
    const text = `Barzero ${model.name}`.padEnd(48, "\0");
    const at = (leaf - 0x8000_0002) * 16;
    const word = (k: number) => [0, 1, 2, 3].reduce((sum, i) => sum | (text.charCodeAt(at + 4 * k + i) << (8 * i)), 0);
    put(word(0), word(1), word(2), word(3));
  }
}

/** Model-specific registers. SDM vol. 4, section 2.20 (P6 family). */
const Msr = {
  tsc: 0x10,
  apicBase: 0x1b,
  sysenterCs: 0x174,
  sysenterEsp: 0x175,
  sysenterEip: 0x176,
  mcgCap: 0x179,
  mcgStatus: 0x17a,
} as const;

export function readMsr(core: Core): void {
  const index = core.get(s.ecx) >>> 0;
  let low = 0;
  let high = 0;
  switch (index) {
    case Msr.tsc: {
      const count = core.wires.timestamp();
      low = count % 2 ** 32;
      high = Math.floor(count / 2 ** 32);
      break;
    }
    case Msr.apicBase:
      low = core.wires.apicBase();
      break;
    case Msr.sysenterCs:
      low = core.get(s.sysenterCs);
      break;
    case Msr.sysenterEsp:
      low = core.get(s.sysenterEsp);
      break;
    case Msr.sysenterEip:
      low = core.get(s.sysenterEip);
      break;
    // Machine checks: no banks.
    case Msr.mcgCap:
    case Msr.mcgStatus:
      break;
    default:
      throw unknown(core, index, "read");
  }
  core.set(s.eax, low);
  core.set(s.edx, high);
}

export function writeMsr(core: Core): void {
  const index = core.get(s.ecx) >>> 0;
  const low = core.get(s.eax);
  switch (index) {
    case Msr.apicBase:
      core.wires.setApicBase(low >>> 0);
      return;
    case Msr.sysenterCs:
      core.set(s.sysenterCs, low);
      return;
    case Msr.sysenterEsp:
      core.set(s.sysenterEsp, low);
      return;
    case Msr.sysenterEip:
      core.set(s.sysenterEip, low);
      return;
    case Msr.mcgStatus:
      return;
    default:
      throw unknown(core, index, "write");
  }
}

function unknown(core: Core, index: number, kind: string): object {
  core.wires.report(
    `msr ${kind} ${index}`,
    `${kind} of MSR 0x${index.toString(16)}, which is not there, at 0x${(core.get(s.engine.pc) >>> 0).toString(16)}`,
  );
  return core.raise(Vector.protection, 0);
}
