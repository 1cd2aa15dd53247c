import { describe, expect, it } from "vitest";
import { SeededEntropy } from "../../../src/backend/entropy.ts";
import { DeviceConfig } from "../../../src/virtio/config.ts";
import { Rng } from "../../../src/virtio/device/rng.ts";
import { blkHeader } from "../../support/blk.ts";
import { plugNet } from "../../support/net.ts";
import { common, findCapabilities, LegacyDriver, ModernDriver } from "../../support/virtio-driver.ts";
import { bits, patternDisk, plugBlk, plugConsole, plugDevice, plugRng } from "../../support/virtio-function.ts";

const space = "ports";
const settle = 1_000_000;
const readSector = [{ read: blkHeader(0, 1) }, { write: 512 }, { write: 1 }];

function blk(layout: "modern" | "modern-latched" | "transitional" = "modern") {
  const plugged = plugBlk(patternDisk(), { layout, space });
  const { bench, fn } = plugged;
  return { ...plugged, driver: new ModernDriver(bench, fn) };
}

/** virtio 1.2 section 4.1.4: the BAR which a capability names may be one of memory or of I/O. */
describe("the modern layout in ports", () => {
  it("has its structures in an I/O BAR of 256 bytes, and memory for the table of vectors alone", () => {
    const { fn } = blk();
    expect(fn.bars.map(({ index, kind, size }) => [index, kind, size])).toEqual([
      [1, "memory32", 4096],
      [4, "io", 256],
    ]);
    expect(fn.peek(0x20, 4) & 3).toBe(1);
  });

  it("has room in it for the structures of every device, aligned and apart from each other", () => {
    const everyone = [blk(), plugConsole({ space }), plugRng({ space }), plugNet({ space })];
    for (const { fn } of everyone) {
      const found = findCapabilities(fn, 9)
        .map((at) => ({
          type: fn.readConfig(at + 3, 1),
          bar: fn.readConfig(at + 4, 1),
          offset: fn.readConfig(at + 8, 4),
          end: fn.readConfig(at + 8, 4) + fn.readConfig(at + 12, 4),
        }))
        .filter(({ type }) => type !== 5)
        .sort((a, b) => a.offset - b.offset);
      expect(found.map(({ type }) => type).sort()).toEqual([1, 2, 3, 4]);
      for (const [i, { bar, offset, end }] of found.entries()) {
        expect(bar).toBe(4);
        expect(offset % 4).toBe(0);
        expect(end).toBeLessThanOrEqual(found[i + 1]?.offset ?? 256);
      }
    }
  });

  it("serves a request, tells of it by message, and shows configuration and ISR", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(settle);
    expect(ring?.usedIndex).toBe(1);
    expect(bench.taken()).toEqual([101]);
    expect(driver.readConfig(0, 4)).toBe(64);
    expect(driver.readIsr()).toBe(0);
  });

  it("answers in no memory", () => {
    const { bench, fn, driver } = blk();
    fn.writeConfig(4, 2, 6);
    expect(driver.read(common.numQueues, 2)).toBe(0xffff);
    expect(bench.memory.read(driver.common, 4)).toBe(0);
  });

  it("makes an access which crosses from one structure into the next byte by byte", () => {
    const { bench, driver } = blk();
    // The last two bytes before the device's configuration, and the first two of it: 64 sectors.
    expect(bench.ports.read(driver.config - 2, 4)).toBe(64 << 16);
    driver.setStatus(1);
    bench.ports.write(driver.isr - 2, 4, 0xffff_ffff);
    expect(driver.status).toBe(1);
  });

  it("is reached through the window in configuration space, inside of its structures alone", () => {
    const { fn, driver } = blk();
    const window = findCapabilities(fn, 9).find((at) => fn.readConfig(at + 3, 1) === 5) as number;
    const through = (offset: number, width: number) => {
      fn.writeConfig(window + 4, 1, 4);
      fn.writeConfig(window + 8, 4, offset);
      fn.writeConfig(window + 12, 4, width);
      return fn.readConfig(window + 16, 4);
    };
    driver.setStatus(3);
    expect(through(common.status, 1)).toBe(3);
    expect(through(driver.config - driver.common, 4)).toBe(64);
    expect(through(60, 4)).toBe(0);
    expect(through(0x1000, 4)).toBe(0);
  });

  it("takes BAR0 away at its first access, with Rusty's latch (docs/overlay.md, D23)", () => {
    const { bench, fn, driver } = blk("modern-latched");
    const legacy = new LegacyDriver(bench, fn);
    expect(legacy.read(20, 4)).toBe(64);
    driver.readIsr();
    expect(legacy.read(20, 4)).toBe(0xffff_ffff);
  });

  it("shares one device with the legacy header of a transitional function", () => {
    const { bench, fn, driver } = blk("transitional");
    driver.setStatus(3);
    expect(new LegacyDriver(bench, fn).read(18, 1)).toBe(3);
  });

  it("refuses to be made for a device whose configuration has no room in it", () => {
    class Large extends Rng {
      override readonly config = new DeviceConfig("large", 65, []);
    }
    const make = (where: "ports" | "memory") => () =>
      plugDevice(({ clock }) => new Large("large0", { entropy: new SeededEntropy(1), clock }), { space: where });
    expect(make("memory")).not.toThrow();
    expect(make("ports")).toThrow(/65 bytes/);
  });
});
