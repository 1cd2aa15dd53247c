import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ramSize } from "../../../support/bench.ts";
import { at, OverlayDriver, ringAlign, ringSize, separateConfig } from "../../../support/overlay-driver.ts";
import { disableMsix, enableMsix } from "../../../support/virtio-driver.ts";
import { plugConsole } from "../../../support/virtio-function.ts";
import { blk, reads, settle } from "./fixture.ts";

const registerBars = [0, 1, 2, 3] as const;

describe("an overlay function and a hostile driver", () => {
  it("a page beyond RAM stops the device, until reset", () => {
    for (const page of [ramSize / 4096, 0x8000_0000, 0xffff_ffff]) {
      const { bench, bar1 } = blk();
      bar1.start(1);
      bar1.write(at.queuePfn, 4, page);
      bar1.kick(0);
      expect([bar1.read(at.status, 1), bench.line]).toEqual([7, false]);
      expect(bench.lines.filter((line) => line.includes("is broken"))).toHaveLength(1);
      expect(reads(bench, bar1, bar1.start(1)[0])).toBe(true);
    }
  });

  it("a broken device stays so when its queue is placed again, until reset", () => {
    const { bench, bar0 } = blk();
    const [ring] = bar0.start(1);
    ring?.makeAvailable(256);
    bar0.kick(0);
    for (const page of [0, 0x10]) bar0.write(at.queuePfn, 4, page);
    ring?.setAvailableIndex(0);
    expect(reads(bench, bar0, ring)).toBe(false);
    expect(reads(bench, bar0, bar0.start(1)[0])).toBe(true);
  });

  it("registers of queues which are not there keep nothing", () => {
    const { bar1 } = blk();
    bar1.begin();
    bar1.accept(ringSize.word, ringSize.bit);
    for (const queue of [1, 77, 0xffff]) {
      bar1.write(at.queueSel, 2, queue);
      for (const register of [at.queuePfnHi, at.queuePfn]) bar1.write(register, 4, 0x10);
      for (const register of [at.queueNum, at.queueAlign, at.queueVector]) bar1.write(register, 2, 8);
      expect([at.queuePfnHi, at.queuePfn].map((r) => bar1.read(r, 4))).toEqual([0, 0]);
      expect([at.queueSize, at.queueNum, at.queueAlign].map((r) => bar1.read(r, 2))).toEqual([0, 0, 0]);
      expect(bar1.read(at.queueVector, 2)).toBe(0xffff);
      bar1.kick(queue);
    }
  });

  it("a reset with requests in flight writes nothing any more", () => {
    const { bench, bar0, bar1 } = blk();
    const [ring] = bar0.start(1);
    ring?.offer([{ read: new Uint8Array(16) }, { write: 512 }, { write: 1 }]);
    bar1.kick(0);
    bar1.write(at.status, 1, 0);
    const before = bench.ram.contents().slice();
    bench.clock.advance(settle);
    expect([bench.ram.contents(), bench.line]).toEqual([before, false]);
  });

  it("giving a queue up with requests in flight writes nothing to it any more", () => {
    const { bench, bar0 } = blk();
    const [ring] = bar0.start(1);
    ring?.offer([{ read: new Uint8Array(16) }, { write: 512 }, { write: 1 }]);
    bar0.kick(0);
    bar0.write(at.queuePfn, 4, 0);
    bench.clock.advance(settle);
    expect(ring?.usedIndex).toBe(0);
  });

  it("shows no status bit which the interface has not, and is dead once FAILED is set", () => {
    const { bench, bar1 } = blk();
    const [ring] = bar1.start(1);
    bar1.write(at.status, 1, 0x4f);
    expect(bar1.read(at.status, 1)).toBe(7);
    bar1.write(at.status, 1, 0x87);
    expect(reads(bench, bar1, ring)).toBe(false);
  });

  it("survives every width at every offset of every BAR, latched or not, MSI-X on or off, and a reset makes it whole", () => {
    const { bench, fn, bar0, bar1 } = blk();
    for (const latch of [false, true])
      for (const msix of [false, true]) {
        bar0.begin({ latch });
        if (msix) enableMsix(bench, fn);
        else disableMsix(fn);
        for (const value of [0xffff_ffff, 0x8000_0001, 0, 1])
          for (const bar of registerBars)
            for (let offset = 0; offset < 64; offset++)
              for (const width of [1, 2, 4] as const) {
                fn.writeBar(bar, offset, width, value);
                fn.readBar(bar, offset, width);
              }
      }
    disableMsix(fn);
    expect(reads(bench, bar1, bar1.start(1)[0])).toBe(true);
  });

  it("at random, latched from the start, is never brought down and works again after a reset", () => {
    const width = fc.constantFrom(1 as const, 2 as const, 4 as const);
    const value = fc.oneof(
      fc.constantFrom(
        0,
        1,
        2,
        3,
        4,
        8,
        16,
        0x10,
        0x100,
        4096,
        0xffff_ffff,
        separateConfig,
        ringSize.bit,
        ringAlign.bit,
      ),
      fc.nat(),
    );
    const step = fc.tuple(fc.constantFrom(...registerBars), fc.nat({ max: 63 }), width, value, fc.nat({ max: 9 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, latch) => {
        const { bench, fn, bar1 } = blk({ queueSize: 16 });
        bar1.start(1, { latch });
        for (const [bar, offset, wide, what, then] of steps) {
          if (then < 6) fn.writeBar(bar, offset, wide, what);
          else if (then < 8) expect(fn.readBar(bar, offset, wide)).toBeLessThan(2 ** (8 * wide));
          else if (then === 8) bench.clock.advance(50_000);
          else enableMsix(bench, fn);
        }
        disableMsix(fn);
        expect(reads(bench, bar1, bar1.start(1)[0])).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe("properties of the overlay", () => {
  const access = fc.record({
    offset: fc.nat({ max: 39 }),
    width: fc.constantFrom(1 as const, 2 as const, 4 as const),
    value: fc.oneof(fc.nat({ max: 0xffff }), fc.constantFrom(0xffff_ffff, separateConfig)),
    bar: fc.constantFrom(0, 1),
  });

  it("latched, BAR0 and BAR1 show the same registers whatever was written through either", () => {
    fc.assert(
      fc.property(fc.array(access, { maxLength: 60 }), fc.boolean(), (accesses, msix) => {
        const { bench, fn, bar0, bar1 } = blk({ queueSize: 16 });
        if (msix) enableMsix(bench, fn);
        bar0.begin();
        for (const { offset, width, value, bar } of accesses) {
          // Neither a reset, which would end the latch, nor the status at all.
          if (offset <= at.status && offset + width > at.status) continue;
          fn.writeBar(bar, offset, width, value);
        }
        for (let offset = 0; offset < 40; offset += 2) expect(bar0.read(offset, 2)).toBe(bar1.read(offset, 2));
      }),
      { numRuns: 60 },
    );
  });

  it("any width gives the bytes which single reads give, in every state and BAR, ISR left out", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...registerBars),
        fc.nat({ max: 80 }),
        fc.constantFrom(2 as const, 4 as const),
        fc.boolean(),
        fc.boolean(),
        (bar, offset, width, latch, msix) => {
          const { bench, fn, bar0 } = blk({}, "big");
          if (msix) enableMsix(bench, fn);
          bar0.begin({ latch });
          const size = fn.bars.find((b) => b.index === bar)?.size ?? 0;
          if (offset + width > size) return;
          let bytes = 0;
          for (let i = width - 1; i >= 0; i--) bytes = bytes * 256 + fn.readBar(bar, offset + i, 1);
          expect(fn.readBar(bar, offset, width)).toBe(bytes);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is saved and restored with its latch, its selects and its half-made queues", () => {
    const { bench, fn } = plugConsole({ layout: "overlay" });
    const bar0 = new OverlayDriver(bench, fn, 0);
    bar0.begin();
    bar0.accept(ringSize.word, ringSize.bit);
    bar0.write(at.queueSel, 2, 1);
    bar0.write(at.queueNum, 2, 8);
    bar0.write(at.queuePfnHi, 4, 3);
    bar0.write(at.hostFeatureSelect, 4, 3);
    const saved = fn.parts.map((part) => part.state.save());
    const shown = () => Array.from({ length: 20 }, (_, i) => bar0.read(2 * i, 2));
    const before = shown();
    bar0.write(at.status, 1, 0);
    expect(shown()).not.toEqual(before);
    for (const [i, part] of fn.parts.entries()) part.state.restore(saved[i] ?? {});
    for (const part of fn.parts) part.restored?.();
    expect(shown()).toEqual(before);
  });
});
