import { describe, expect, it } from "vitest";
import { blkHeader } from "../../support/blk.ts";
import { common, findCapabilities, LegacyDriver, ModernDriver } from "../../support/virtio-driver.ts";
import { bits, patternDisk, plugBlk } from "../../support/virtio-function.ts";

function blk() {
  const plugged = plugBlk(patternDisk(), { layout: "modern-latched" });
  const { bench, fn } = plugged;
  return { ...plugged, modern: new ModernDriver(bench, fn), legacy: new LegacyDriver(bench, fn) };
}

const settle = 1_000_000;
const readSector = [{ read: blkHeader(0, 1) }, { write: 512 }, { write: 1 }];
const dead = 0xffff_ffff;

/** Decision D23 of docs/overlay.md. */
describe("a virtio function with Rusty's latch", () => {
  it("is found as a transitional one", () => {
    const { fn } = blk();
    expect([fn.readConfig(2, 2), fn.readConfig(8, 1)]).toEqual([0x1001, 0]);
    expect(fn.bars.map((bar) => bar.index).sort()).toEqual([0, 1, 4]);
  });

  it("works for a legacy driver which never touches the modern BAR", () => {
    const { bench, legacy } = blk();
    const [ring] = legacy.start(0, 1, { msix: true });
    ring?.offer(readSector);
    legacy.kick(0);
    bench.clock.advance(settle);
    expect([ring?.usedIndex, legacy.read(24, 4)]).toEqual([1, 64]);
  });

  it("works for a modern driver, whose first access takes BAR0 away", () => {
    const { bench, legacy, modern } = blk();
    expect(legacy.read(20, 4)).toBe(64);
    const [ring] = modern.start(bits.version1, [8], { msix: true });
    ring?.offer(readSector);
    modern.kick(0);
    bench.clock.advance(settle);
    expect(ring?.usedIndex).toBe(1);
    expect([legacy.read(0, 4), legacy.read(20, 4), legacy.read(18, 1)]).toEqual([dead, dead, 0xff]);
  });

  it("is latched by a read as by a write, of any byte of the BAR", () => {
    for (const touch of [
      (m: ModernDriver) => m.bench.memory.read(m.isr + 7, 1),
      (m: ModernDriver) => m.bench.memory.read(m.notify + 0xffc, 4),
      (m: ModernDriver) => m.write(common.numQueues, 2, 0),
    ]) {
      const { legacy, modern } = blk();
      touch(modern);
      expect(legacy.read(20, 4)).toBe(dead);
    }
  });

  it("takes the device away from a running legacy driver, whose doorbell no longer rings", () => {
    const { bench, legacy, modern } = blk();
    const [ring] = legacy.start(0, 1);
    modern.readIsr();
    ring?.offer(readSector);
    legacy.kick(0);
    legacy.write(18, 1, 128);
    bench.clock.advance(settle);
    expect([ring?.usedIndex, modern.status]).toEqual([0, 7]);
  });

  it("is not latched by configuration space: sizing, moving, turning off, dumping all of it", () => {
    const { fn, legacy } = blk();
    const bar = fn.readConfig(0x20, 4);
    for (const value of [0xffff_ffff, bar]) fn.writeConfig(0x20, 4, value);
    for (const value of [0, 7]) fn.writeConfig(4, 2, value);
    for (let offset = 0; offset < 256; offset++) fn.readConfig(offset, 1);
    expect(legacy.read(20, 4)).toBe(64);
  });

  it("is latched through the window in configuration space, by a dump too once it points somewhere", () => {
    const { fn, legacy } = blk();
    const window = findCapabilities(fn, 9).find((at) => fn.readConfig(at + 3, 1) === 5) ?? 0;
    fn.writeConfig(window + 4, 1, 4);
    fn.writeConfig(window + 12, 4, 4);
    expect(legacy.read(20, 4)).toBe(64);
    for (let offset = 0; offset < 256; offset++) fn.readConfig(offset, 1);
    expect(legacy.read(20, 4)).toBe(dead);
  });

  it("stays latched over a modern driver's reset, and goes back with a legacy driver's or the function's", () => {
    const { fn, legacy, modern } = blk();
    modern.start(bits.version1, [8]);
    modern.setStatus(0);
    expect(legacy.read(20, 4)).toBe(dead);
    for (const [width, value] of [
      [1, 1],
      [2, 0],
      [4, 0],
    ] as const) {
      legacy.write(18, width, value);
      expect(legacy.read(20, 4)).toBe(dead);
    }
    legacy.write(18, 1, 0);
    expect(legacy.read(20, 4)).toBe(64);
    modern.readIsr();
    for (const part of fn.parts) part.reset();
    expect(fn.readBar(0, 20, 4)).toBe(64);
  });

  it("gives a device which firmware drove as modern to a legacy kernel, reset", () => {
    const { bench, legacy, modern } = blk();
    modern.start(bits.version1, [8]);
    const [ring] = legacy.start(0, 1);
    ring?.offer(readSector);
    legacy.kick(0);
    bench.clock.advance(settle);
    expect(ring?.usedIndex).toBe(1);
  });

  it("is saved and restored latched", () => {
    const { fn, legacy, modern } = blk();
    modern.readIsr();
    const saved = fn.parts.map((part) => part.state.save());
    legacy.write(18, 1, 0);
    for (const [i, part] of fn.parts.entries()) part.state.restore(saved[i] ?? {});
    expect(legacy.read(20, 4)).toBe(dead);
  });
});
