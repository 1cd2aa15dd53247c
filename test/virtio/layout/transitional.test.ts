import { describe, expect, it } from "vitest";
import { blkHeader } from "../../support/blk.ts";
import { common, findCapabilities, LegacyDriver, ModernDriver } from "../../support/virtio-driver.ts";
import { bits, patternDisk, plugBlk } from "../../support/virtio-function.ts";

function blk(order: "little" | "big" = "little") {
  const plugged = plugBlk(patternDisk(), { layout: "transitional", guestOrder: () => order });
  return {
    ...plugged,
    modern: new ModernDriver(plugged.bench, plugged.fn),
    legacy: new LegacyDriver(plugged.bench, plugged.fn, order),
  };
}

const settle = 1_000_000;
const readSector = (order: "little" | "big") => [{ read: blkHeader(0, 1, order) }, { write: 512 }, { write: 1 }];

describe("a transitional virtio function", () => {
  it("has the legacy identity, BAR0 and the modern capabilities (4.1.2.3)", () => {
    const { fn } = blk();
    expect([fn.readConfig(2, 2), fn.readConfig(8, 1), fn.readConfig(0x2e, 2)]).toEqual([0x1001, 0, 2]);
    expect(fn.bars.map((bar) => bar.index).sort()).toEqual([0, 1, 4]);
    expect(findCapabilities(fn, 9)).toHaveLength(5);
  });

  it("is driven as legacy, big-endian in memory for a big-endian guest", () => {
    const { bench, legacy } = blk("big");
    const [ring] = legacy.start(0, 1, { msix: true });
    ring?.offer(readSector("big"));
    legacy.kick(0);
    bench.clock.advance(settle);
    expect(ring?.used()).toEqual([{ head: 0, length: 513 }]);
    expect(bench.taken()).toEqual([101]);
  });

  it("is driven as modern, little-endian in memory for a big-endian guest", () => {
    const { bench, modern } = blk("big");
    const [ring] = modern.start(bits.version1, [8], { msix: true });
    ring?.offer(readSector("little"));
    modern.kick(0);
    bench.clock.advance(settle);
    const at = ring?.ring.deviceArea ?? 0;
    expect([...bench.ram.contents().subarray(at, at + 12)]).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 0, 0]);
    expect(bench.taken()).toEqual([101]);
  });

  it("goes from one driver to the other by a reset, as from firmware to a kernel", () => {
    const { bench, legacy, modern } = blk("big");
    for (let i = 0; i < 2; i++) {
      const [old] = legacy.start(0, 1);
      old?.offer(readSector("big"));
      legacy.kick(0);
      bench.clock.advance(settle);
      expect(old?.usedIndex).toBe(1);
      const [fresh] = modern.start(bits.version1, [8]);
      fresh?.offer(readSector("little"));
      modern.kick(0);
      bench.clock.advance(settle);
      expect(fresh?.usedIndex).toBe(1);
    }
  });

  it("has one status, one ISR and one set of vectors behind both interfaces", () => {
    const { bench, legacy, modern } = blk();
    const [ring] = modern.start(bits.version1, [8]);
    expect(legacy.read(18, 1)).toBe(7);
    ring?.offer(readSector("little"));
    modern.kick(0);
    bench.clock.advance(settle);
    expect([bench.line, legacy.readIsr(), modern.readIsr(), bench.line]).toEqual([true, 1, 0, false]);
    legacy.write(18, 1, 0);
    expect([modern.status, modern.read(common.queueEnable, 2)]).toEqual([0, 0]);
  });
});
