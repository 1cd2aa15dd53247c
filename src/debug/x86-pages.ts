import { Cr0, Cr4 } from "../cpu/x86/constants.ts";
import type { Core } from "../cpu/x86/core.ts";
import * as s from "../cpu/x86/slots.ts";
import type { Slot } from "../ir/slots.ts";
import type { Mapped, ReadWord } from "./target.ts";

/*
 * The page tables as they lie in memory: no accessed bit is set, no right is asked for. SDM vol. 3 sections 4.3 and 4.4.
 */

const present = 1;
const write = 2;
const user = 4;
const large = 0x80;

/** One level of the tables: how many bytes of addresses an entry stands for, and where it is. */
interface Entry {
  readonly low: number;
  readonly high: number;
}

/** Where a linear address lies; undefined when no present entry maps it. */
export function lookUp(core: Core, readWord: ReadWord, linear: number): number | undefined {
  if ((core.get(s.cr0) & Cr0.pg) === 0) return linear;
  const wide = (core.get(s.cr4) & Cr4.pae) !== 0;
  const directory = directoryEntry(core, readWord, linear, wide);
  if (directory === undefined) return undefined;
  if (isLarge(core, directory, wide)) return largeBase(directory, wide) + (linear % largeSize(wide));
  const entry = tableEntry(readWord, directory, linear, wide);
  return entry === undefined ? undefined : frame(entry) + (linear & 0xfff);
}

/** Every page that is mapped, in order of its linear address. */
export function* pages(core: Core, readWord: ReadWord): Generator<Mapped> {
  if ((core.get(s.cr0) & Cr0.pg) === 0) return;
  const wide = (core.get(s.cr4) & Cr4.pae) !== 0;
  const step = largeSize(wide);
  for (let linear = 0; linear < 2 ** 32; linear += step) {
    const directory = directoryEntry(core, readWord, linear, wide);
    if (directory === undefined) continue;
    if (isLarge(core, directory, wide)) {
      yield { address: linear, size: step, physical: largeBase(directory, wide), rights: rights(directory.low) };
      continue;
    }
    for (let at = linear; at < linear + step; at += 4096) {
      const entry = tableEntry(readWord, directory, at, wide);
      if (entry === undefined) continue;
      yield { address: at, size: 4096, physical: frame(entry), rights: rights(entry.low & directory.low) };
    }
  }
}

function largeSize(wide: boolean): number {
  return wide ? 0x20_0000 : 0x40_0000;
}

function rights(bits: number): string {
  return `r${(bits & write) !== 0 ? "w" : "-"}${(bits & user) !== 0 ? "u" : "-"}`;
}

function directoryEntry(core: Core, readWord: ReadWord, linear: number, wide: boolean): Entry | undefined {
  if (!wide) return read(readWord, ((core.get(s.cr3) & -4096) >>> 0) + (linear >>> 22) * 4, false);
  const top = core.get(s.pdpteLow[linear >>> 30] as Slot);
  if ((top & present) === 0) return undefined;
  const base = frame({ low: top, high: core.get(s.pdpteHigh[linear >>> 30] as Slot) });
  return read(readWord, base + ((linear >>> 21) & 0x1ff) * 8, true);
}

function tableEntry(readWord: ReadWord, directory: Entry, linear: number, wide: boolean): Entry | undefined {
  const index = wide ? ((linear >>> 12) & 0x1ff) * 8 : ((linear >>> 12) & 0x3ff) * 4;
  return read(readWord, frame(directory) + index, wide);
}

function read(readWord: ReadWord, at: number, wide: boolean): Entry | undefined {
  const low = readWord(at);
  const high = wide ? readWord(at + 4) : 0;
  return low === undefined || high === undefined || (low & present) === 0 ? undefined : { low, high };
}

function isLarge(core: Core, { low }: Entry, wide: boolean): boolean {
  return (low & large) !== 0 && (wide || (core.get(s.cr4) & Cr4.pse) !== 0);
}

function frame({ low, high }: Entry): number {
  return (high & 0xf) * 2 ** 32 + ((low & -4096) >>> 0);
}

/** Under CR4.PSE bits 16..13 are address bits 35..32. */
function largeBase({ low, high }: Entry, wide: boolean): number {
  if (!wide) return ((low >>> 13) & 0xf) * 2 ** 32 + ((low & 0xffc0_0000) >>> 0);
  return (high & 0xf) * 2 ** 32 + ((low & 0xffe0_0000) >>> 0);
}
