import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Width } from "../../src/bus/target.ts";
import type { PciFunction } from "../../src/pci/function.ts";
import { command, header, status } from "../../src/pci/registers.ts";

/** A configuration access, its offset up to and past the end of the space. */
const access = fc.record({
  offset: fc.nat(259),
  width: fc.constantFrom<Width>(1, 2, 4),
  value: fc.oneof(fc.constantFrom(0, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff })),
  write: fc.boolean(),
});

/** The offsets of the capability list, as software walks it. */
export function capabilityOffsets(fn: PciFunction): number[] {
  const offsets: number[] = [];
  if ((fn.readConfig(header.status, 2) & status.capabilities) === 0) return offsets;
  for (let at = fn.readConfig(header.capabilities, 1); at !== 0; at = fn.readConfig(at + 1, 1)) {
    if (offsets.includes(at) || at < header.end || at % 4 !== 0) throw new Error(`capability list leads to ${at}`);
    offsets.push(at);
  }
  return offsets;
}

/**
 * What holds for every PCI function, whatever the device.
 * @param make a fresh function, plugged into a bus, with all that it needs to be driven.
 */
export function pciConformance(name: string, make: () => PciFunction): void {
  describe(`${name} as a PCI function`, () => {
    it("keeps its identity whatever is written to it (PCI 3.0 section 6.2.1)", () => {
      const fn = make();
      const identity = () => [0x00, 0x08, 0x0c, 0x2c, 0x34, 0x3c].map((at) => (fn.readConfig(at, 4) & kept(at)) >>> 0);
      const before = identity();
      for (const value of [0xffff_ffff, 0, 0xa5a5_5a5a]) {
        for (let at = 0; at < 0x40; at += 4) if (at !== header.command) fn.writeConfig(at, 4, value);
        expect(identity()).toEqual(before);
      }
    });

    it("sizes each BAR: writable bits from its size up, the low bits fixed (section 6.2.5.1)", () => {
      const fn = make();
      for (const bar of fn.bars) {
        fn.writeConfig(bar.offset, 4, 0xffff_ffff);
        let mask = BigInt(fn.readConfig(bar.offset, 4)) | (0xffff_ffffn << 32n);
        if (bar.kind === "memory64") {
          fn.writeConfig(bar.offset + 4, 4, 0xffff_ffff);
          mask = BigInt(fn.readConfig(bar.offset, 4)) | (BigInt(fn.readConfig(bar.offset + 4, 4)) << 32n);
        }
        const flags = mask & (bar.kind === "io" ? 3n : 15n);
        expect(Number((2n ** 64n - (mask - flags)) % 2n ** 64n)).toBe(bar.size);
        expect(Number(flags & 7n)).toBe({ io: 1, memory32: 0, memory64: 4 }[bar.kind]);
      }
    });

    it("has no BAR and no ROM where none was declared: those registers read 0", () => {
      const fn = make();
      const taken = new Set(fn.bars.flatMap((b) => (b.kind === "memory64" ? [b.offset, b.offset + 4] : [b.offset])));
      for (const at of [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x30]) {
        if (taken.has(at)) continue;
        fn.writeConfig(at, 4, 0xffff_ffff);
        expect(fn.readConfig(at, 4)).toBe(0);
      }
    });

    it("has a capability list which ends, and whose headers are read-only (section 6.7)", () => {
      const fn = make();
      const offsets = capabilityOffsets(fn);
      const headers = offsets.map((at) => fn.readConfig(at, 2));
      for (const at of offsets) fn.writeConfig(at, 2, 0xffff);
      expect(capabilityOffsets(fn)).toEqual(offsets);
      expect(offsets.map((at) => fn.readConfig(at, 2))).toEqual(headers);
    });

    it("takes any access at any offset and width, answers in range, and never throws", () => {
      fc.assert(
        fc.property(fc.array(access, { maxLength: 200 }), (accesses) => {
          const fn = make();
          for (const { offset, width, value, write } of accesses) {
            if (write) fn.writeConfig(offset, width, value);
            const read = fn.readConfig(offset, width);
            expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * width)).toBe(true);
          }
        }),
        { numRuns: 50 },
      );
    });

    it("keeps nothing over a reset of what software wrote", () => {
      const fn = make();
      for (const part of fn.parts) part.reset();
      const fresh = fn.parts.map((part) => part.state.save());
      for (let at = 0; at < 256; at += 4) fn.writeConfig(at, 4, 0xffff_ffff);
      for (const part of fn.parts) part.reset();
      expect(fn.parts.map((part) => part.state.save())).toEqual(fresh);
    });

    it("continues from a saved state as if nothing had happened", () => {
      fc.assert(
        fc.property(fc.array(access, { maxLength: 60 }), (accesses) => {
          const fn = make();
          for (const { offset, width, value } of accesses) fn.writeConfig(offset, width, value);
          const saved = fn.parts.map((part) => part.state.save());
          const other = make();
          for (const [i, part] of other.parts.entries()) part.state.restore(saved[i]!);
          for (const part of other.parts) part.restored?.();
          expect(other.parts.map((part) => part.state.save())).toEqual(saved);
          expect(other.busMaster).toBe(fn.busMaster);
          for (const bar of fn.bars) expect(other.barAddress(bar.index)).toBe(fn.barAddress(bar.index));
        }),
        { numRuns: 30 },
      );
    });

    it("decodes nothing and masters nothing while its command register says so", () => {
      const fn = make();
      fn.writeConfig(header.command, 2, 0);
      const bits = fn.readConfig(header.command, 2);
      if ((bits & command.busMaster) === 0) {
        expect(fn.busMaster).toBe(false);
        expect(fn.dma.reaches(0, 1)).toBe(false);
      }
      for (const bar of fn.bars) {
        if ((bits & (bar.kind === "io" ? command.io : command.memory)) === 0)
          expect(fn.barAddress(bar.index)).toBeUndefined();
      }
    });
  });
}

/** Which bits of a header word software may not change. */
function kept(at: number): number {
  if (at === 0x0c) return 0xffff_0000;
  return at === 0x3c ? 0xffff_ff00 : 0xffff_ffff;
}
