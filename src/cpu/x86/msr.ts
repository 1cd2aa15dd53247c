import type { Slot } from "../../ir/slots.ts";
import { Efer, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import { Feature, type Model } from "./identification.ts";
import { type StoredMsr, storedMsrs } from "./msr-table.ts";
import * as s from "./slots.ts";

/** Model-specific registers that do something, or are slots of their own. SDM vol. 4, table 2-20 (P6 family). */
const Msr = {
  tsc: 0x10,
  apicBase: 0x1b,
  sysenterCs: 0x174,
  sysenterEsp: 0x175,
  sysenterEip: 0x176,
  miscEnable: 0x1a0,
  debugControl: 0x1d9,
  efer: 0xc000_0080,
} as const;

const stored = new Map(storedMsrs.map((msr, k) => [msr.index, { msr, slot: s.msrs[k] as Slot }]));

/** RDTSC, and MSR 10H: the machine's count, and what the guest has set it to. Wraps at 2 ** 53, after a hundred days at 1 GHz. */
export function readTimestamp(core: Core): void {
  const count = core.wires.timestamp() + core.count(s.tscOffset);
  core.set(s.eax, count % 2 ** 32);
  core.set(s.edx, Math.floor(count / 2 ** 32));
}

export function resetMsrs(core: Core): void {
  for (const { msr, slot } of stored.values()) {
    core.words[slot.index] = msr.reset?.[0] ?? 0;
    core.words[slot.index + 1] = msr.reset?.[1] ?? 0;
  }
}

/** Whether a model has an MSR: those of the P6 are not a Pentium's, nor those of the Pentium M a P6's. */
function present(model: Model, index: number): boolean {
  if (index < 2) return true;
  if (index === Msr.efer) return model.noExecute;
  if (index === Msr.tsc) return (model.features & Feature.tsc) !== 0;
  if (index === Msr.apicBase) return (model.features & Feature.apic) !== 0;
  if (index === 0x277) return (model.features & Feature.pat) !== 0;
  if (index >= Msr.sysenterCs && index <= Msr.sysenterEip) return (model.features & Feature.sep) !== 0;
  if (index === Msr.miscEnable) return model.signature >>> 4 >= 0x6d;
  return model.signature >>> 8 >= 6;
}

export function readMsr(core: Core, model: Model): void {
  const index = core.get(s.ecx) >>> 0;
  if (!present(model, index)) throw unknown(core, index, "read");
  const pair = (low: number, high = 0) => {
    core.set(s.eax, low);
    core.set(s.edx, high);
  };
  switch (index) {
    case Msr.tsc:
      readTimestamp(core);
      return;
    case Msr.apicBase:
      pair(core.wires.apicBase());
      return;
    case Msr.sysenterCs:
      pair(core.get(s.sysenterCs));
      return;
    case Msr.sysenterEsp:
      pair(core.get(s.sysenterEsp));
      return;
    case Msr.sysenterEip:
      pair(core.get(s.sysenterEip));
      return;
    case Msr.debugControl:
      pair(0);
      return;
    case Msr.efer:
      pair(core.get(s.efer));
      return;
    default: {
      const found = stored.get(index);
      if (found === undefined) throw unknown(core, index, "read");
      const { slot } = found;
      pair(core.words[slot.index] as number, core.words[slot.index + 1] as number);
    }
  }
}

export function writeMsr(core: Core, model: Model): void {
  const index = core.get(s.ecx) >>> 0;
  if (!present(model, index)) throw unknown(core, index, "write");
  const low = core.get(s.eax);
  const high = core.get(s.edx);
  switch (index) {
    case Msr.tsc:
      // A P6 takes the low word and clears the high one: SDM vol. 3 section 17.17.
      core.setCount(s.tscOffset, (low >>> 0) - core.wires.timestamp());
      return;
    case Msr.apicBase:
      // Reserved: bits 7..0, 9 and 10, and what lies above 36 address lines.
      if ((low & 0x6ff) !== 0 || (high & ~0xf) !== 0) throw core.protection();
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
    case Msr.debugControl:
      if ((low & ~0x7f) !== 0 || high !== 0) throw core.protection();
      if (low !== 0)
        core.wires.report(
          "debugctl",
          "branch traces and single-stepping on branches are not there: IA32_DEBUGCTL reads 0",
        );
      return;
    case Msr.efer:
      if ((low & ~Efer.nxe) !== 0 || high !== 0) throw core.protection();
      core.set(s.efer, low);
      core.flushTlb();
      return;
    default: {
      const found = stored.get(index);
      if (found === undefined) throw unknown(core, index, "write");
      store(core, found.msr, found.slot, low, high);
    }
  }
}

function store(core: Core, msr: StoredMsr, slot: Slot, low: number, high: number): void {
  const { writable } = msr;
  if (writable === undefined || (low & ~writable[0]) !== 0 || (high & ~writable[1]) !== 0) throw core.protection();
  if (msr.types !== undefined && !typesFit(msr.types, low, high)) throw core.protection();
  if (msr.clears === true) {
    // Loading microcode and clearing a machine check begin so; another value is no value of theirs.
    if ((low | high) !== 0) throw core.protection();
    if (msr.name === "biosSign") return;
  }
  const { missing } = msr;
  if (missing !== undefined && (low & missing.bits) !== 0) core.wires.report(`msr ${missing.text}`, missing.text);
  const { fixed = 0, reset } = msr;
  core.words[slot.index] = (low & ~fixed) | ((reset?.[0] ?? 0) & fixed);
  core.words[slot.index + 1] = high;
}

/** Uncacheable, write-combining, write-through, write-protected, write-back; UC- in the PAT. SDM vol. 3 tables 11-8 and 11-10. */
function typesFit(kind: "mtrr" | "mtrr-low" | "pat", low: number, high: number): boolean {
  const bytes = kind === "mtrr-low" ? [low] : [0, 8, 16, 24].flatMap((shift) => [low >>> shift, high >>> shift]);
  const types = kind === "pat" ? 0b1111_0011 : 0b0111_0011;
  return bytes.every((byte) => (byte & 0xff) < 8 && ((types >>> (byte & 0xff)) & 1) !== 0);
}

function unknown(core: Core, index: number, kind: string): object {
  core.wires.report(
    `msr ${kind} ${index}`,
    `${kind} of MSR 0x${index.toString(16)}, which is not there, at 0x${(core.get(s.engine.pc) >>> 0).toString(16)}`,
  );
  return core.raise(Vector.protection, 0);
}
