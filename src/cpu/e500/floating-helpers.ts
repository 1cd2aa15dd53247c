import { Status } from "../../ir/node.ts";
import type { Slot } from "../../ir/slots.ts";
import { Esr, Fpscr, Ivor, Msr } from "./constants.ts";
import type { Core } from "./core.ts";
import type { Helpers } from "./helpers.ts";
import * as s from "./slots.ts";

type FloatingHelpers = Pick<
  Helpers,
  "compareUnordered" | "compareOrdered" | "mcrfs" | "mtfsb0" | "mtfsb1" | "mtfsf" | "mtfsfi"
>;

/** FPSCR as it follows from a new one: VX and FEX sum up the others. Book I, "Floating-Point Status and Control Register". */
function summed(value: number): number {
  let fpscr = value & ~(Fpscr.vx | Fpscr.fex);
  if ((fpscr & Fpscr.invalid) !== 0) fpscr |= Fpscr.vx;
  // VX OX UX ZX XX stand 22 bits above VE OE UE ZE XE.
  if (((fpscr >>> 22) & fpscr & Fpscr.enables) !== 0) fpscr |= Fpscr.fex;
  return fpscr;
}

/** Floating-point instructions which change FPSCR without computing. */
export function floatingHelpers(core: Core): FloatingHelpers {
  const field = (k: number) => s.cr[k] as Slot;

  /** The new FPSCR; a program interrupt when it has an enabled exception and MSR[FE0] or [FE1] lets it. */
  const settle = (value: number, record: number): number => {
    const fpscr = summed(value);
    core.set(s.fpscr, fpscr);
    if (record !== 0) core.set(field(1), fpscr >>> 28);
    if ((fpscr & Fpscr.fex) !== 0 && (core.msr & (Msr.fe0 | Msr.fe1)) !== 0)
      throw core.raise(Ivor.program, Esr.floatingPoint);
    return Status.next;
  };

  /** Sets exception bits; FX goes with those that were not set. */
  const except = (fpscr: number, bits: number) =>
    fpscr | bits | ((bits & ~fpscr & Fpscr.exceptions) !== 0 ? Fpscr.fx : 0);

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
    let fpscr = (core.get(s.fpscr) & ~Fpscr.condition) | (condition << 12);
    const signals = signalling(left) || signalling(right);
    if (signals) fpscr = except(fpscr, Fpscr.vxsnan);
    // A comparison that wants order finds none invalid; of a signalling NaN only when that is not a trap already.
    if (ordered && unordered && (!signals || (fpscr & Fpscr.ve) === 0)) fpscr = except(fpscr, Fpscr.vxvc);
    view.setInt32(to, condition, true);
    return settle(fpscr, 0);
  };

  return {
    compareUnordered: compare(false),
    compareOrdered: compare(true),
    /** BF takes field BFA; its exception bits become 0. */
    mcrfs: (word) => {
      const shift = 28 - 4 * ((word >>> 18) & 7);
      const fpscr = core.get(s.fpscr);
      core.set(field((word >>> 23) & 7), (fpscr >>> shift) & 15);
      return settle(fpscr & ~((15 << shift) & (Fpscr.exceptions | Fpscr.fx)), 0);
    },
    mtfsb0: (word, record) => settle(core.get(s.fpscr) & ~(0x8000_0000 >>> ((word >>> 21) & 31)), record),
    mtfsb1: (word, record) => settle(except(core.get(s.fpscr), 0x8000_0000 >>> ((word >>> 21) & 31)), record),
    /** FLM names the fields that FRB's lower half gives. */
    mtfsf: (word, record) => {
      const flm = (word >>> 17) & 0xff;
      const value = core.engine.view.getInt32((s.fpr[(word >>> 11) & 31] as Slot).offset, true);
      let mask = 0;
      for (let k = 0; k < 8; k++) if ((flm & (0x80 >> k)) !== 0) mask |= 0xf000_0000 >>> (4 * k);
      return settle((core.get(s.fpscr) & ~mask) | (value & mask), record);
    },
    mtfsfi: (word, record) => {
      const shift = 28 - 4 * ((word >>> 23) & 7);
      return settle((core.get(s.fpscr) & ~(15 << shift)) | (((word >>> 12) & 15) << shift), record);
    },
  };
}
