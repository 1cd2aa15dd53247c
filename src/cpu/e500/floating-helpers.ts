import { Status } from "../../ir/node.ts";
import type { Slot } from "../../ir/slots.ts";
import { Esr, Fpscr, Ivor, Msr } from "./constants.ts";
import type { Core } from "./core.ts";
import { type QuickName, quickNames } from "./floating-quick.ts";
import { FloatingUnit } from "./floating-unit.ts";
import type { Helpers } from "./helpers.ts";
import * as s from "./slots.ts";

type FloatingHelpers = Pick<
  Helpers,
  | "floating"
  | "mffs"
  | "compareUnordered"
  | "compareOrdered"
  | "mcrfs"
  | "mtfsb0"
  | "mtfsb1"
  | "mtfsf"
  | "mtfsfi"
  | QuickName
>;

/** FPSCR as it follows from a new one: VX and FEX sum up the others. Book I, "Floating-Point Status and Control Register". */
function summed(value: number): number {
  let fpscr = value & ~(Fpscr.vx | Fpscr.fex | Fpscr.reserved);
  if ((fpscr & Fpscr.invalid) !== 0) fpscr |= Fpscr.vx;
  // VX OX UX ZX XX stand 22 bits above VE OE UE ZE XE.
  if (((fpscr >>> 22) & fpscr & Fpscr.enables) !== 0) fpscr |= Fpscr.fex;
  return fpscr;
}

/** Sets exception bits; FX goes with those that were not set. */
const except = (fpscr: number, bits: number) =>
  fpscr | bits | ((bits & ~fpscr & Fpscr.exceptions) !== 0 ? Fpscr.fx : 0);

const derived = Fpscr.fr | Fpscr.fi | Fpscr.fprf;

/** FPSCR with what the slots behind it say: see `fpPending` in slots.ts. */
export function currentFpscr(core: Core, unit = new FloatingUnit()): number {
  let fpscr = core.get(s.fpscr);
  const word = core.get(s.fpPending);
  if (word !== 0) {
    unit.attach(core.words);
    unit.compute(word, s.fpOperandA.offset, s.fpOperandB.offset, s.fpOperandC.offset, fpscr);
    fpscr = (fpscr & ~derived) | (unit.status & (Fpscr.fr | Fpscr.fi)) | unit.class;
  }
  const compared = core.get(s.fpCompared);
  if (compared !== 0) fpscr = (fpscr & ~Fpscr.condition) | ((compared & 15) << 12);
  return fpscr;
}

/** Floating-point instructions which compute or change FPSCR. */
export function floatingHelpers(core: Core): FloatingHelpers {
  const field = (k: number) => s.cr[k] as Slot;
  const unit = new FloatingUnit();

  /** FPSCR with nothing pending. */
  const settled = (): number => {
    if ((core.get(s.fpPending) | core.get(s.fpCompared)) !== 0) core.set(s.fpscr, currentFpscr(core, unit));
    core.set(s.fpPending, 0);
    core.set(s.fpCompared, 0);
    return core.get(s.fpscr);
  };

  /** The new FPSCR; a program interrupt when it has an enabled exception and MSR[FE0] or [FE1] lets it. */
  const settle = (value: number, record: number): number => {
    const fpscr = summed(value);
    core.set(s.fpscr, fpscr);
    core.set(s.fpPending, 0);
    core.set(s.fpCompared, 0);
    if (record !== 0) core.set(field(1), fpscr >>> 28);
    if ((fpscr & Fpscr.fex) !== 0 && (core.msr & (Msr.fe0 | Msr.fe1)) !== 0)
      throw core.raise(Ivor.program, Esr.floatingPoint);
    return Status.next;
  };

  /** The leftmost bit of a signalling NaN's fraction is 0. */
  const signalling = (place: number) => {
    const high = core.engine.view.getInt32(place + 4, true);
    return Number.isNaN(core.engine.view.getFloat64(place, true)) && (high & 0x0008_0000) === 0;
  };

  const compare = (ordered: boolean) => (left: number, right: number, to: number) => {
    const { view } = core.engine;
    const [x, y] = [view.getFloat64(left, true), view.getFloat64(right, true)];
    const unordered = Number.isNaN(x) || Number.isNaN(y);
    const condition = unordered ? 1 : x < y ? 8 : x > y ? 4 : 2;
    let fpscr = (settled() & ~Fpscr.condition) | (condition << 12);
    const signals = signalling(left) || signalling(right);
    if (signals) fpscr = except(fpscr, Fpscr.vxsnan);
    // A comparison that wants order finds none invalid; of a signalling NaN only when that is not a trap already.
    if (ordered && unordered && (!signals || (fpscr & Fpscr.ve) === 0)) fpscr = except(fpscr, Fpscr.vxvc);
    view.setInt32(to, condition, true);
    return settle(fpscr, 0);
  };

  const floating = (word: number, a: number, b: number, c: number): number => {
    const { words } = core;
    unit.attach(words);
    let fpscr = core.get(s.fpscr);
    unit.compute(word, a, b, c, fpscr);
    if (unit.suppressed) {
      fpscr = settled() & ~(Fpscr.fr | Fpscr.fi);
    } else {
      const target = ((s.fpr[0] as Slot).offset + 8 * ((word >>> 21) & 31)) >> 2;
      words[target] = unit.low;
      words[target + 1] = unit.high;
      fpscr = (fpscr & ~derived) | unit.class;
    }
    return settle(except(fpscr, unit.status), word & 1);
  };

  return {
    ...(Object.fromEntries(quickNames.map((name) => [name, floating])) as Record<QuickName, typeof floating>),
    floating,
    mffs: (place, record) => {
      const fpscr = settled();
      core.engine.view.setInt32(place, fpscr, true);
      core.engine.view.setInt32(place + 4, 0, true);
      return settle(fpscr, record);
    },
    compareUnordered: compare(false),
    compareOrdered: compare(true),
    /** BF takes field BFA; its exception bits become 0. */
    mcrfs: (word) => {
      const shift = 28 - 4 * ((word >>> 18) & 7);
      const fpscr = settled();
      core.set(field((word >>> 23) & 7), (fpscr >>> shift) & 15);
      return settle(fpscr & ~((15 << shift) & (Fpscr.exceptions | Fpscr.fx)), 0);
    },
    mtfsb0: (word, record) => settle(settled() & ~(0x8000_0000 >>> ((word >>> 21) & 31)), record),
    mtfsb1: (word, record) => settle(except(settled(), 0x8000_0000 >>> ((word >>> 21) & 31)), record),
    /** FLM names the fields that FRB's lower half gives. */
    mtfsf: (word, record) => {
      const flm = (word >>> 17) & 0xff;
      const value = core.engine.view.getInt32((s.fpr[(word >>> 11) & 31] as Slot).offset, true);
      let mask = 0;
      for (let k = 0; k < 8; k++) if ((flm & (0x80 >> k)) !== 0) mask |= 0xf000_0000 >>> (4 * k);
      return settle((settled() & ~mask) | (value & mask), record);
    },
    mtfsfi: (word, record) => {
      const shift = 28 - 4 * ((word >>> 23) & 7);
      return settle((settled() & ~(15 << shift)) | (((word >>> 12) & 15) << shift), record);
    },
  };
}
