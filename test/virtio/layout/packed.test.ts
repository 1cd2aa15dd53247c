import { describe, expect, it } from "vitest";
import type { Ring } from "../../../src/virtio/queue/virt-queue.ts";
import { blkHeader } from "../../support/blk.ts";
import { PackedDriverRing } from "../../support/packed-ring.ts";
import { common, LegacyDriver, ModernDriver } from "../../support/virtio-driver.ts";
import { bits, type Options, patternDisk, plugBlk } from "../../support/virtio-function.ts";

const disk = patternDisk();
const readSector = (sector: number) => [{ read: blkHeader(0, sector) }, { write: 512 }, { write: 1 }];
const packed = bits.version1 | bits.ringPacked;

function blk(options: Options = {}) {
  const plugged = plugBlk(disk, { packed: true, ...options });
  return { ...plugged, driver: new ModernDriver(plugged.bench, plugged.fn) };
}

/** Queue 0 with a packed ring of this size, which the device may refuse. */
function setUp(driver: ModernDriver, size: number): PackedDriverRing {
  const ring = new PackedDriverRing(driver.bench.ram, size, 0x1_0000, 0x4_0000);
  driver.write(common.queueSelect, 2, 0);
  driver.write(common.queueSize, 2, size);
  place(driver, ring.ring);
  driver.write(common.queueEnable, 2, 1);
  return ring;
}

function place(driver: ModernDriver, ring: Ring): void {
  driver.address(common.queueDesc, ring.descriptorArea);
  driver.address(common.queueDriver, ring.driverArea);
  driver.address(common.queueDevice, ring.deviceArea);
}

function start(options: Options = {}, features = packed, size = 7) {
  const machine = blk(options);
  if (!machine.driver.negotiate(features)) throw new Error("the features were refused");
  const ring = setUp(machine.driver, size);
  machine.driver.setStatus(0x0f);
  return { ...machine, ring };
}

describe("packed rings in the modern layout", () => {
  it("carry a disk's requests in a ring of 7", () => {
    const { bench, driver, ring } = start();
    expect(driver.read(common.queueSize, 2)).toBe(7);
    for (let i = 0; i < 40; i++) {
      ring.recycle(0x4_0000);
      const offered = ring.offer(readSector(i));
      driver.kick(0);
      bench.clock.advance(1_000_000);
      expect(ring.used()).toEqual([{ head: offered.head, length: 513 }]);
      expect(ring.written(offered).subarray(0, 512)).toEqual(disk.bytes.subarray(512 * i, 512 * (i + 1)));
    }
  });

  it("are refused where they were not offered, and the queue's size is a power of 2 without them (4.1.4.3.2)", () => {
    const { driver } = blk({ packed: false });
    expect(driver.negotiate(packed)).toBe(false);
    expect(driver.negotiate(bits.version1)).toBe(true);
    const before = driver.read(common.queueSize, 2);
    driver.write(common.queueSize, 2, 7);
    expect(driver.read(common.queueSize, 2)).toBe(before);
  });

  it("are the driver's choice: after a reset the same device has split rings", () => {
    const { bench, driver, ring } = start();
    ring.offer(readSector(1));
    driver.kick(0);
    const [split] = driver.start(bits.version1, [8]);
    split?.offer(readSector(2));
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(split?.used()).toEqual([{ head: 0, length: 513 }]);
    expect(ring.usedIndex).toBe(0);
  });

  it("can be reset one by one and started with another size (2.6.1)", () => {
    const { bench, driver, ring } = start({}, packed | bits.ringReset);
    ring.offer(readSector(1));
    driver.kick(0);
    driver.write(common.queueReset, 2, 1);
    bench.clock.advance(1_000_000);
    expect([driver.read(common.queueEnable, 2), ring.usedIndex]).toEqual([0, 0]);
    const again = setUp(driver, 5);
    again.offer(readSector(1));
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(again.usedIndex).toBe(1);
  });

  it("are not to be had by way of the legacy registers of the same function", () => {
    const { bench, fn } = plugBlk(disk, { layout: "transitional", packed: true });
    const legacy = new LegacyDriver(bench, fn);
    const [ring] = legacy.start(0xffff_ffff & ~(1 << 30), 1);
    ring?.offer(readSector(1));
    legacy.write(16, 2, 0);
    bench.clock.advance(1_000_000);
    expect(ring?.usedIndex).toBe(1);
  });

  it("break the device when the driver breaks their rules, and the driver is told (2.1.2)", () => {
    const { driver, ring } = start();
    ring.offer([{ write: 1 }, { read: new Uint8Array(16) }]);
    driver.kick(0);
    expect(driver.status & 64).toBe(64);
    expect(driver.readIsr() & 2).toBe(2);
  });

  it("are saved with requests in hand, and another machine answers these", () => {
    const from = start({}, packed | bits.indirect);
    const to = blk();
    const sent = [1, 2].map((sector) => from.ring.offer(readSector(sector)));
    from.driver.kick(0);
    to.bench.ram.load(0, from.bench.ram.contents());
    for (const [i, part] of to.fn.parts.entries()) part.state.restore(from.fn.parts[i]?.state.save() ?? {});
    for (const part of to.fn.parts) part.restored?.();
    from.bench.clock.advance(1_000_000);
    to.bench.clock.advance(1_000_000);
    expect(from.ring.usedIndex).toBe(2);
    expect(to.bench.ram.contents()).toEqual(from.bench.ram.contents());
    for (const [i, { buffers }] of sent.entries())
      expect(to.bench.ram.contents().slice(buffers[1]?.at, (buffers[1]?.at ?? 0) + 512)).toEqual(
        disk.bytes.slice(512 * (i + 1), 512 * (i + 2)),
      );
  });
});

describe("notification data (2.9)", () => {
  it("is for the trace: queue, then next index, or next offset and wrap counter in a packed ring", () => {
    for (const [features, value, told] of [
      [bits.version1 | bits.notificationData, 0x8001_0000, "queue 0, next index 32769"],
      [packed | bits.notificationData, 0x8003_0000, "queue 0, next offset 3, wrap 1"],
    ] as const) {
      const { bench, driver } = blk();
      driver.negotiate(features);
      bench.trace.enable("virtio");
      bench.memory.write(driver.notify, 4, value);
      expect(bench.lines).toContain(`virtio: blk0 notification data: ${told}`);
    }
  });

  it("rings the queue of its address whatever it says", () => {
    const { bench, driver, ring } = start({}, packed | bits.notificationData);
    ring.offer(readSector(1));
    bench.memory.write(driver.notify, 4, 0xffff_ffff);
    bench.clock.advance(1_000_000);
    expect(ring.usedIndex).toBe(1);
  });
});
