import type { PciWindow } from "./bus.ts";
import type { Run } from "./dma.ts";

/** Offsets of the ATMU's windows from CFGADDR, and the stride of one (MPC8544E reference manual, PCI ATMU registers). */
const outboundBase = 0xc00;
const inboundBase = 0xda0;
const stride = 0x20;

/** Words of a window. */
const translation = 0x00;
const translationHigh = 0x04;
const base = 0x08;
const baseHigh = 0x0c;
const attributes = 0x10;

/** Window attributes: enable, target (inbound), read transaction type, size exponent less one. */
const enable = 0x8000_0000;
const localMemory = 0xf;
const typeIo = 8;

/**
 * Which bits of the registers are there. Outbound windows are 1 to 4: window 0 on a real part takes what no other
 * one claims, which nobody here relies on. Inbound windows are numbered downwards, 3 first.
 */
function writableBits(): Map<number, number> {
  const bits = new Map<number, number>();
  for (let window = 1; window <= 4; window++) {
    const at = outboundBase + window * stride;
    bits.set(at + translation, 0x000f_ffff);
    bits.set(at + translationHigh, 0x000f_ffff);
    bits.set(at + base, 0x00ff_ffff);
    bits.set(at + attributes, 0x800f_f03f);
  }
  for (let window = 0; window < 3; window++) {
    const at = inboundBase + window * stride;
    bits.set(at + translation, 0x00ff_ffff);
    bits.set(at + base, 0x000f_ffff);
    bits.set(at + baseHigh, 0x000f_ffff);
    bits.set(at + attributes, 0xa0ff_f03f);
  }
  return bits;
}

/** Writable bits by offset; what is not in it is not an ATMU register. */
export const atmuRegisters: ReadonlyMap<number, number> = writableBits();

/** The first register, and the first byte past the last one. */
export const atmuStart = outboundBase;
export const atmuEnd = 0xe00;

/** What the registers, whose values `word` gives, forward from the CPU to PCI: window 1 first. */
export function outboundWindows(word: (offset: number) => number): PciWindow[] {
  const windows: PciWindow[] = [];
  for (let window = 1; window <= 4; window++) {
    const at = outboundBase + window * stride;
    const attribute = word(at + attributes);
    const size = windowSize(attribute);
    if (attribute < enable || size === 0) continue;
    windows.push({
      kind: ((attribute >>> 16) & 0xf) === typeIo ? "io" : "memory",
      bus: aligned(word(at + translationHigh) * 2 ** 44 + word(at + translation) * 4096, size),
      cpu: aligned(word(at + base) * 4096, size),
      size,
    });
  }
  return windows;
}

/** What they forward from PCI to local memory: window 1, the last in address order, first. */
export function inboundRuns(word: (offset: number) => number): Run[] {
  const runs: Run[] = [];
  for (let window = 2; window >= 0; window--) {
    const at = inboundBase + window * stride;
    const attribute = word(at + attributes);
    const size = windowSize(attribute);
    if (attribute < enable || size === 0 || ((attribute >>> 20) & 0xf) !== localMemory) continue;
    const start = aligned(word(at + baseHigh) * 2 ** 44 + word(at + base) * 4096, size);
    runs.push({ start, end: start + size, delta: aligned(word(at + translation) * 4096, size) - start });
  }
  return runs;
}

/** 2 to the power of the field plus one, from 4 KiB up to the 64 GiB there are; 0 for reserved values. */
function windowSize(attribute: number): number {
  const exponent = (attribute & 0x3f) + 1;
  return exponent >= 12 && exponent <= 36 ? 2 ** exponent : 0;
}

/** Windows are aligned to their size: lower bits do not count. */
function aligned(address: number, size: number): number {
  return address - (address % size);
}
