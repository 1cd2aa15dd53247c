import type { Contained } from "../../../ir/frontend.ts";
import type { Slot } from "../../../ir/slots.ts";
import { Cr0, Cr4, Flag, Vector } from "../constants.ts";
import type { Core } from "../core.ts";
import { waits } from "../fpu/helpers.ts";
import * as s from "../slots.ts";
import { LaneUnit, operations } from "./floating.ts";
import { align, type Lanes, packedOperations, shiftBytes, shiftLanes, shuffle, shuffleTwo, signs } from "./packed.ts";

/**
 * What the MMX, SSE and SSE2 bodies leave to software. Registers and memory operands (which the body has put into `simd.operand`) are given as
 * their places in the state. All are calls and return 0 unless something else is said.
 */
export type SimdHelpers = {
  /** Before everything else, when a control bit says so: #UD, #NM, #MF. `which`: 1 MMX registers are used, 2 SSE's, 3 both. */
  readonly simdGate: (which: number) => number;
  /** `operation` as a number of `packedNames`; `bytes` 8 or 16. */
  readonly simdPacked: (operation: number, destination: number, source: number, bytes: number) => number;
  /** Shifts by an immediate: `how` = bytes of a lane (16: the register), 0x100 left, 0x200 arithmetic. */
  readonly simdShift: (how: number, destination: number, by: number, bytes: number) => number;
  /** PSHUFW (0), PSHUFLW (1), PSHUFHW (2), PSHUFD (3), SHUFPS (4), SHUFPD (5), PALIGNR of 8 bytes (6) and of 16 (7). */
  readonly simdShuffle: (which: number, destination: number, source: number, control: number) => number;
  /** The sign bits of lanes. */
  readonly simdSigns: (source: number, bytes: number, size: number) => number;
  /** `shape`: bit 0 double precision, the number of lanes above it. */
  readonly simdArithmetic: (operation: number, destination: number, source: number, shape: number) => number;
  /** SSE3's pairs: `how` 0 HADD, 1 HSUB, 2 ADDSUB; `double` 0 or 1. */
  readonly simdPairs: (how: number, destination: number, source: number, double: number) => number;
  /** `predicate` and the shape eight bits up. */
  readonly simdCompare: (predicate: number, destination: number, source: number) => number;
  /** COMISS and its like: `how` bit 0 double, bit 1 unordered (quiet). */
  readonly simdCompareFlags: (how: number, first: number, second: number) => number;
  /** See `Conversion`. */
  readonly simdConvert: (conversion: number, destination: number, source: number) => number;
  readonly simdLoadMxcsr: (value: number) => number;
  /** MASKMOVQ and MASKMOVDQU: bytes whose mask has bit 7, to memory at `linear`. */
  readonly simdMaskedStore: (source: number, mask: number, bytes: number, linear: number) => number;
};

/** Kinds of numbers, and how a conversion says them: from, to, whether it chops, lanes, whether the rest of the register becomes 0. */
export const Number32 = { single: 0, double: 1, integer: 2 } as const;
export function conversion(from: number, to: number, lanes: number, chopped = false, clears = false): number {
  return from | (to << 2) | ((chopped ? 1 : 0) << 4) | (lanes << 5) | ((clears ? 1 : 0) << 8);
}

const plus = operations.indexOf("add");
const minus = operations.indexOf("subtract");

export function simdHelpers(core: Core, mxcsrBits: number): SimdHelpers {
  const unit = new LaneUnit();
  let lanes: Lanes | undefined;
  /** The state exists once the front end is attached. */
  const views = (): Lanes => {
    const { buffer, byteOffset, byteLength } = core.words;
    lanes ??= {
      u8: new Uint8Array(buffer, byteOffset, byteLength),
      i8: new Int8Array(buffer, byteOffset, byteLength),
      u16: new Uint16Array(buffer, byteOffset, byteLength >> 1),
      i16: new Int16Array(buffer, byteOffset, byteLength >> 1),
      i32: core.words,
    };
    return lanes;
  };
  /** Results wait here until no lane has faulted. */
  const results = new Int32Array(4);

  const begin = () => unit.begin(core.get(s.mxcsr));
  /** Notes exceptions; #XM when one is not masked. SDM vol. 1 section 11.5.1. */
  const commit = () => {
    core.set(s.mxcsr, core.get(s.mxcsr) | unit.flags);
    if (!unit.faults) return;
    throw core.raise((core.get(s.cr4) & Cr4.osxmmexcpt) !== 0 ? Vector.simd : Vector.undefined);
  };
  const put = (destination: number, words: number) => {
    const at = destination >> 2;
    for (let k = 0; k < words; k++) core.words[at + k] = results[k] as number;
  };
  const keep = (lane: number, double: boolean) => {
    if (double) {
      results[2 * lane] = unit.out.lo;
      results[2 * lane + 1] = unit.out.hi;
    } else results[lane] = unit.out.lo;
  };

  return {
    simdGate: (which) => {
      const cr0 = core.get(s.cr0);
      const undefinedHere = (cr0 & Cr0.em) !== 0 || ((which & 2) !== 0 && (core.get(s.cr4) & Cr4.osfxsr) === 0);
      if (undefinedHere) throw core.raise(Vector.undefined);
      if ((cr0 & Cr0.ts) !== 0) throw core.raise(Vector.noCoprocessor);
      if ((which & 1) !== 0 && (core.get(s.fpuStatus) & 0x80) !== 0) waits(core);
      return 0;
    },
    simdPacked: (operation, destination, source, bytes) => {
      packedOperations[operation]?.(views(), destination, source, bytes);
      return 0;
    },
    simdShift: (how, destination, by, bytes) => {
      const size = how & 0xff;
      const left = (how & 0x100) !== 0;
      if (size === 16) shiftBytes(views(), destination, left, by);
      else
        shiftLanes(views(), destination, bytes, size, left ? "left" : (how & 0x200) !== 0 ? "arithmetic" : "right", by);
      return 0;
    },
    simdShuffle: (which, destination, source, control) => {
      const v = views();
      if (which >= 6) align(v, destination, source, which === 7 ? 16 : 8, control);
      else if (which >= 4) shuffleTwo(v, destination, source, which === 4 ? 4 : 8, control);
      else if (which === 3) shuffle(v, destination, source, 4, control);
      else {
        const half = which === 2 ? 8 : 0;
        const other = 8 - half;
        // The half that is not shuffled is copied; PSHUFW has no other half.
        if (which !== 0) v.u8.copyWithin(destination + other, source + other, source + other + 8);
        shuffle(v, destination + half, source + half, 2, control);
      }
      return 0;
    },
    simdSigns: (source, bytes, size) => signs(views(), source, bytes, size),
    simdArithmetic: (operation, destination, source, shape) => {
      const double = (shape & 1) !== 0;
      const size = double ? 8 : 4;
      const count = shape >> 1;
      begin();
      for (let k = 0; k < count; k++) {
        unit.load(unit.a, views(), destination + k * size, double);
        unit.load(unit.b, views(), source + k * size, double);
        unit.arithmetic(operation, double);
        keep(k, double);
      }
      commit();
      put(destination, (count * size) >> 2);
      return 0;
    },
    simdPairs: (how, destination, source, isDouble) => {
      const double = isDouble !== 0;
      const size = double ? 8 : 4;
      const count = 16 / size;
      begin();
      for (let k = 0; k < count; k++) {
        const from = k < count / 2 ? destination : source;
        const pair = from + ((2 * k) % count) * size;
        unit.load(unit.a, views(), how === 2 ? destination + k * size : pair, double);
        unit.load(unit.b, views(), how === 2 ? source + k * size : pair + size, double);
        unit.arithmetic(how === 0 || (how === 2 && k % 2 !== 0) ? plus : minus, double);
        keep(k, double);
      }
      commit();
      put(destination, 4);
      return 0;
    },
    simdCompare: (how, destination, source) => {
      const predicate = how & 7;
      const double = ((how >> 8) & 1) !== 0;
      const size = double ? 8 : 4;
      const count = how >> 9;
      begin();
      for (let k = 0; k < count; k++) {
        unit.load(unit.a, views(), destination + k * size, double);
        unit.load(unit.b, views(), source + k * size, double);
        unit.out.lo = unit.holds(predicate) ? -1 : 0;
        unit.out.hi = unit.out.lo;
        keep(k, double);
      }
      commit();
      put(destination, (count * size) >> 2);
      return 0;
    },
    simdCompareFlags: (how, first, second) => {
      const double = (how & 1) !== 0;
      begin();
      unit.load(unit.a, views(), first, double);
      unit.load(unit.b, views(), second, double);
      const relation = unit.relation((how & 2) !== 0);
      commit();
      core.setFlags(relation >>> 8, Flag.zf | Flag.pf | Flag.cf | Flag.of | Flag.sf | Flag.af);
      return 0;
    },
    simdConvert: (how, destination, source) => {
      const from = how & 3;
      const to = (how >> 2) & 3;
      const chopped = (how & 0x10) !== 0;
      const count = (how >> 5) & 7;
      begin();
      results.fill(0);
      for (let k = 0; k < count; k++) {
        const at = source + k * (from === Number32.double ? 8 : 4);
        if (from === Number32.integer) unit.fromInteger(core.words[at >> 2] as number, to === Number32.double);
        else {
          unit.load(unit.b, views(), at, from === Number32.double);
          if (to === Number32.integer) unit.toInteger(chopped);
          else unit.toReal(to === Number32.double);
        }
        keep(k, to === Number32.double);
      }
      commit();
      const words = to === Number32.double ? 2 * count : count;
      put(destination, (how & 0x100) !== 0 ? 4 : words);
      return 0;
    },
    simdLoadMxcsr: (value) => {
      if ((value & ~mxcsrBits) !== 0) throw core.protection();
      core.set(s.mxcsr, value);
      return 0;
    },
    simdMaskedStore: (source, mask, bytes, linear) => {
      const { u8 } = views();
      const { memory } = core.engine;
      // By halves, the upper first, whatever the mask is: the manual leaves open when and where it faults, and so processors do it.
      for (let half = bytes - 8; half >= 0; half -= 8) memory.probe((linear + half) >>> 0, 8);
      for (let k = 0; k < bytes; k++)
        if ((u8[mask + k] as number) >= 0x80) memory.write((linear + k) >>> 0, 1, u8[source + k] as number);
      return 0;
    },
  };
}

const flags: readonly Slot[] = [s.result, s.carry, s.signFix];

/** Helpers which regions may call: they compute, and those which go by MXCSR may raise #XM, or #GP for what it may not hold. */
export const containedSimd: Readonly<Record<string, Contained>> = {
  simdPacked: { words: [] },
  simdShift: { words: [] },
  simdShuffle: { words: [] },
  simdSigns: { words: [], repeatable: true },
  simdArithmetic: { words: [s.mxcsr], faults: true },
  simdCompare: { words: [s.mxcsr], faults: true },
  simdCompareFlags: { words: [s.mxcsr, ...flags], faults: true },
  simdConvert: { words: [s.mxcsr], others: [...s.gpr, ...s.fpuExponent], faults: true },
  simdLoadMxcsr: { words: [s.mxcsr], faults: true },
};
