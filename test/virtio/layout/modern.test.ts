import { describe, expect, it } from "vitest";
import { blkHeader as header } from "../../support/blk.ts";
import { common, disableMsix, enableMsix, findCapabilities, ModernDriver } from "../../support/virtio-driver.ts";
import { bits, type Options, patternDisk, plugBlk, plugConsole, plugRng } from "../../support/virtio-function.ts";

function blk(options: Options = {}) {
  const disk = patternDisk();
  const plugged = plugBlk(disk, options);
  return { ...plugged, disk, driver: new ModernDriver(plugged.bench, plugged.fn) };
}

const readSector = [{ read: header(0, 1) }, { write: 512 }, { write: 1 }];

describe("a modern virtio function's identity", () => {
  it("is vendor 0x1AF4, device 0x1040 plus the type, revision 1 (4.1.2)", () => {
    for (const [{ fn }, device, type] of [
      [blk(), 0x1042, 2],
      [plugConsole(), 0x1043, 3],
      [plugRng(), 0x1044, 4],
    ] as const) {
      expect(fn.readConfig(0, 2)).toBe(0x1af4);
      expect(fn.readConfig(2, 2)).toBe(device);
      expect(fn.readConfig(8, 1)).toBe(1);
      expect(fn.readConfig(0x2e, 2)).toBe(0x40 + type);
    }
    expect(blk().fn.readConfig(0x0a, 2)).toBe(0x0100);
  });

  it("has its table of vectors in BAR1 and its structures in a 64-bit prefetchable BAR4 of 16 KiB", () => {
    const { fn } = blk();
    expect(fn.bars.map(({ index, kind, size }) => [index, kind, size])).toEqual([
      [1, "memory32", 4096],
      [4, "memory64", 0x4000],
    ]);
    expect(fn.readConfig(0x20, 1) & 15).toBe(0xc);
  });

  it("lists common, ISR, device and notify structures and the window, each as 4.1.4 wants it", () => {
    const { fn, driver } = blk();
    const found = findCapabilities(fn, 9).map((at) => ({
      length: fn.readConfig(at + 2, 1),
      type: fn.readConfig(at + 3, 1),
      bar: fn.readConfig(at + 4, 1),
      offset: fn.readConfig(at + 8, 4),
      bytes: fn.readConfig(at + 12, 4),
    }));
    expect(found.map((c) => c.type)).toEqual([1, 3, 4, 2, 5]);
    expect(found.map((c) => c.length)).toEqual([16, 16, 16, 20, 20]);
    expect(found.slice(0, 4).every((c) => c.bar === 4 && c.offset % 4 === 0 && c.offset + c.bytes <= 0x4000)).toBe(
      true,
    );
    expect(found[0]?.bytes).toBeGreaterThanOrEqual(60);
    expect(found[2]?.bytes).toBe(60);
    // 4.1.4.4.1: length >= queue_notify_off * multiplier + 2 for every queue.
    expect(driver.notifyMultiplier).toBe(4);
    expect(found[3]?.bytes).toBeGreaterThanOrEqual(2);
  });

  it("has a device structure although its device has no configuration, which reads 0", () => {
    const { bench, fn } = plugRng();
    const driver = new ModernDriver(bench, fn);
    expect(driver.readConfig(0, 4)).toBe(0);
  });

  it("has no MSI-X capability with no vectors, and reads no vector then", () => {
    const { fn, driver } = blk({ vectors: 0 });
    expect(findCapabilities(fn, 0x11)).toEqual([]);
    driver.write(common.configVector, 2, 0);
    expect(driver.read(common.configVector, 2)).toBe(0xffff);
  });
});

describe("the common configuration structure", () => {
  it("shows its reset values (4.1.4.3)", () => {
    const { driver } = blk();
    expect(driver.read(common.deviceFeatureSelect, 4)).toBe(0);
    expect(driver.read(common.driverFeatureSelect, 4)).toBe(0);
    expect(driver.read(common.driverFeature, 4)).toBe(0);
    expect(driver.read(common.configVector, 2)).toBe(0xffff);
    expect(driver.read(common.numQueues, 2)).toBe(1);
    expect(driver.read(common.status, 1)).toBe(0);
    expect(driver.read(common.queueSelect, 2)).toBe(0);
    expect(driver.read(common.queueSize, 2)).toBe(256);
    expect(driver.read(common.queueVector, 2)).toBe(0xffff);
    expect(driver.read(common.queueEnable, 2)).toBe(0);
    expect(driver.read(common.queueNotifyOff, 2)).toBe(0);
    for (const at of [32, 36, 40, 44, 48, 52]) expect(driver.read(at, 4)).toBe(0);
    expect(driver.read(common.queueNotifyData, 2)).toBe(0);
    expect(driver.read(common.queueReset, 2)).toBe(0);
  });

  it("offers what its rings and doorbells can do beside the device's own bits, packed rings only where the machine has them", () => {
    const { driver } = blk();
    const packed = blk({ packed: true }).driver;
    const own =
      bits.blkSegMax |
      bits.blkGeometry |
      bits.blkSize |
      bits.blkFlush |
      bits.blkTopology |
      bits.blkConfigWce |
      bits.blkDiscard |
      bits.blkWriteZeroes;
    const rings = bits.indirect | bits.eventIndex | bits.inOrder | bits.ringReset;
    expect(driver.offered()).toBe(own | rings | bits.version1 | bits.notificationData);
    expect(packed.offered()).toBe(driver.offered() | bits.ringPacked);
  });

  it("reads no features for a select beyond what there is (4.1.4.3.1)", () => {
    const { driver } = blk();
    for (const select of [2, 3, 4, 100, 0xffff_ffff]) {
      driver.write(common.deviceFeatureSelect, 4, select);
      expect(driver.read(common.deviceFeature, 4)).toBe(0);
      driver.write(common.driverFeatureSelect, 4, select);
      driver.write(common.driverFeature, 4, 0xffff_ffff);
      expect(driver.read(common.driverFeature, 4)).toBe(0);
    }
  });

  it("reads back the valid ones of the features written (4.1.4.3.1)", () => {
    const { driver } = blk();
    driver.write(common.driverFeature, 4, 0xffff_ffff);
    const valid = driver.offered() & 0xffff_ffffn;
    expect(driver.read(common.driverFeature, 4)).toBe(Number(valid));
  });

  it("shows no queue for a select beyond num_queues: size 0, no vector (4.1.4.3.1)", () => {
    const { driver } = blk();
    for (const select of [1, 2, 0xffff]) {
      driver.write(common.queueSelect, 2, select);
      expect(driver.read(common.queueSelect, 2)).toBe(select);
      expect(driver.read(common.queueSize, 2)).toBe(0);
      expect(driver.read(common.queueVector, 2)).toBe(0xffff);
      expect(driver.read(common.queueEnable, 2)).toBe(0);
      expect(driver.read(common.queueDesc, 4)).toBe(0);
    }
  });

  it("takes accesses of other widths apart into bytes of the fields", () => {
    const { driver } = blk();
    driver.negotiate(bits.version1);
    driver.write(common.queueDesc, 4, 0x1234_5678);
    driver.write(common.queueDesc + 4, 4, 0x9);
    expect(driver.read(common.queueDesc + 1, 1)).toBe(0x56);
    expect(driver.read(common.queueDesc + 2, 2)).toBe(0x1234);
    driver.write(common.queueDesc + 3, 1, 0xaa);
    expect(driver.read(common.queueDesc, 4)).toBe(0xaa34_5678);
    // Across the halves: two bytes of each.
    expect(driver.read(common.queueDesc + 2, 4)).toBe(0x0009_aa34);
    // config_msix_vector and num_queues in one.
    expect(driver.read(common.configVector, 4)).toBe(0x0001_ffff);
    // Status, generation and queue select in one: the write resets nothing, since the status is what it was.
    driver.write(common.status, 4, driver.read(common.status, 4));
    expect(driver.status).toBe(0x0b);
  });

  it("has halves of 64-bit fields which do not depend on each other (4.1.3.2)", () => {
    const { driver } = blk();
    driver.negotiate(bits.version1);
    driver.write(common.queueDriver + 4, 4, 7);
    expect(driver.read(common.queueDriver, 4)).toBe(0);
    driver.write(common.queueDriver, 4, 0x2000);
    expect(driver.read(common.queueDriver + 4, 4)).toBe(7);
  });

  it("ignores writes to what is read-only, and to bytes past its end", () => {
    const { driver, bench } = blk();
    const before = Array.from({ length: 60 }, (_, i) => driver.read(i, 1));
    for (const [at, width] of [
      [common.deviceFeature, 4],
      [common.numQueues, 2],
      [common.generation, 1],
      [common.queueNotifyOff, 2],
      [common.queueNotifyData, 2],
    ] as const)
      driver.write(at, width, 0xffff_ffff);
    for (let at = 60; at < 0x1000; at += 4) bench.memory.write(driver.common + at, 4, 0xffff_ffff);
    expect(Array.from({ length: 60 }, (_, i) => driver.read(i, 1))).toEqual(before);
    expect(driver.read(60, 4)).toBe(0);
  });
});

describe("the device status", () => {
  it("keeps FEATURES_OK for a valid subset and goes on to DRIVER_OK (3.1.1)", () => {
    const { driver } = blk();
    expect(driver.negotiate(bits.version1 | bits.blkFlush)).toBe(true);
    driver.setUp(0, 8);
    driver.setStatus(0x0f);
    expect(driver.status).toBe(0x0f);
  });

  it("drops FEATURES_OK without VERSION_1, with what was not offered, and with WCE but not FLUSH (2.2.2)", () => {
    const { driver } = blk();
    expect(driver.negotiate(bits.blkFlush)).toBe(false);
    expect(driver.negotiate(bits.version1 | bits.blkReadOnly)).toBe(false);
    expect(driver.negotiate(bits.version1 | (1n << 33n))).toBe(false);
    expect(driver.negotiate(bits.version1 | (1n << 70n))).toBe(false);
    expect(driver.negotiate(bits.version1 | bits.blkConfigWce)).toBe(false);
    expect(driver.status).toBe(3);
    expect(driver.negotiate(bits.version1 | bits.blkConfigWce | bits.blkFlush)).toBe(true);
  });

  it("lets a set which was refused be put right and offered again", () => {
    const { driver } = blk();
    driver.negotiate(bits.blkFlush);
    driver.write(common.driverFeatureSelect, 4, 1);
    driver.write(common.driverFeature, 4, 1);
    driver.setStatus(0x0b);
    expect(driver.status).toBe(0x0b);
  });

  it("does not change features after FEATURES_OK", () => {
    const { driver } = blk();
    driver.negotiate(bits.version1);
    driver.write(common.driverFeatureSelect, 4, 0);
    driver.write(common.driverFeature, 4, Number(bits.blkFlush));
    expect(driver.read(common.driverFeature, 4)).toBe(0);
  });

  it("is 0 after a write of 0, and so is all that the driver has set up (2.4.1)", () => {
    const { driver } = blk();
    driver.start(bits.version1, [8], { msix: true });
    driver.setStatus(0);
    expect(driver.status).toBe(0);
    expect(driver.read(common.queueEnable, 2)).toBe(0);
    expect(driver.read(common.queueSize, 2)).toBe(256);
    expect(driver.read(common.queueDesc, 4)).toBe(0);
    expect(driver.read(common.queueVector, 2)).toBe(0xffff);
    expect(driver.read(common.configVector, 2)).toBe(0xffff);
    driver.write(common.driverFeatureSelect, 4, 1);
    expect(driver.read(common.driverFeature, 4)).toBe(0);
  });
});

describe("a queue of the modern layout", () => {
  it("has the size which the driver wrote, a power of 2 up to the largest", () => {
    const { driver } = blk();
    driver.negotiate(bits.version1);
    driver.write(common.queueSize, 2, 16);
    expect(driver.read(common.queueSize, 2)).toBe(16);
  });

  it("may use rings of the least alignment, 220 bytes and 2 of padding for 8 entries (2.7)", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1, [8]);
    if (ring === undefined) throw new Error("no ring");
    const { descriptorArea, deviceArea } = ring.ring;
    expect(deviceArea + 6 + 8 * 8 - descriptorArea).toBe(222);
    ring.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(ring.used()).toHaveLength(1);
  });

  it("is reset alone by queue_reset and may then be set up with another size (2.6.1)", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1 | bits.ringReset, [8], { msix: true });
    ring?.offer(readSector);
    driver.kick(0);
    driver.write(common.queueReset, 2, 1);
    expect(driver.read(common.queueReset, 2)).toBe(0);
    expect(driver.read(common.queueEnable, 2)).toBe(0);
    expect(driver.read(common.queueSize, 2)).toBe(256);
    expect(driver.read(common.queueVector, 2)).toBe(0xffff);
    bench.clock.advance(1_000_000);
    expect([ring?.usedIndex, bench.taken()]).toEqual([0, []]);
    expect(driver.status).toBe(0x0f);
    const again = driver.setUp(0, 16, { vector: 1 });
    expect(driver.read(common.queueEnable, 2)).toBe(1);
    again.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect([again.used().length, bench.taken()]).toEqual([1, [101]]);
  });

  it("is not reset by queue_reset without RING_RESET", () => {
    const { driver } = blk();
    driver.start(bits.version1, [8]);
    driver.write(common.queueReset, 2, 1);
    expect(driver.read(common.queueEnable, 2)).toBe(1);
  });

  it("hears a doorbell of 16 bits, or of 32 with NOTIFICATION_DATA (4.1.5.2.1)", () => {
    for (const data of [false, true]) {
      const { bench, driver } = blk();
      const [ring] = driver.start(bits.version1 | (data ? bits.notificationData : 0n), [8]);
      ring?.offer(readSector);
      bench.memory.write(driver.notify, data ? 2 : 4, 0);
      bench.memory.write(driver.notify, 1, 0);
      bench.clock.advance(1_000_000);
      expect(ring?.usedIndex).toBe(0);
      bench.memory.write(driver.notify, data ? 4 : 2, 0x1_0000);
      bench.clock.advance(1_000_000);
      expect(ring?.usedIndex).toBe(1);
    }
  });
});

describe("interrupts of the modern layout", () => {
  it("come by the pin and the ISR byte while MSI-X is off; reading it clears both (4.1.4.5)", () => {
    const { bench, fn, driver } = blk();
    const [ring] = driver.start(bits.version1, [8]);
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect([bench.line, fn.readConfig(6, 2) & 8]).toEqual([true, 8]);
    expect(driver.readIsr()).toBe(1);
    expect([bench.line, fn.readConfig(6, 2) & 8]).toEqual([false, 0]);
    expect(driver.readIsr()).toBe(0);
    expect(bench.taken()).toEqual([]);
  });

  it("come as messages while MSI-X is on, and leave the ISR's queue bit and the pin alone", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(bench.taken()).toEqual([101]);
    expect([bench.line, driver.readIsr()]).toEqual([false, 0]);
  });

  it("do not come with no vector (4.1.5.1.2.1)", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    driver.write(common.queueVector, 2, 0xffff);
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect([ring?.usedIndex, bench.taken(), bench.line]).toEqual([1, [], false]);
  });

  it("may share one vector between everything", () => {
    const { bench, driver } = blk({ vectors: 1 });
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    expect(driver.read(common.queueVector, 2)).toBe(0xffff);
    driver.write(common.queueVector, 2, 0);
    expect(driver.read(common.queueVector, 2)).toBe(0);
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(bench.taken()).toEqual([100]);
  });

  it("tell a change of the configuration with a new generation, by message and by ISR (4.1.4.5.1)", () => {
    const { bench, fn, device } = plugConsole({ size: { columns: 80, rows: 25 } });
    const driver = new ModernDriver(bench, fn);
    driver.start(bits.version1 | 1n, [8, 8], { msix: true });
    expect(driver.readConfig(0, 4)).toBe(80 + 25 * 65536);
    const before = driver.read(common.generation, 1);
    device.resize(132, 43);
    expect(driver.read(common.generation, 1)).not.toBe(before);
    expect(driver.readConfig(0, 2)).toBe(132);
    expect(bench.taken()).toEqual([100]);
    expect(driver.readIsr()).toBe(2);

    disableMsix(fn);
    device.resize(80, 25);
    expect([bench.line, driver.readIsr(), bench.line]).toEqual([true, 2, false]);
  });

  it("tell no change of the configuration before DRIVER_OK (2.1.2)", () => {
    const { bench, fn, device } = plugConsole({ size: { columns: 80, rows: 25 } });
    const driver = new ModernDriver(bench, fn);
    enableMsix(bench, fn);
    driver.negotiate(bits.version1);
    driver.write(common.configVector, 2, 0);
    device.resize(1, 1);
    expect([bench.taken(), bench.line]).toEqual([[], false]);
  });
});

describe("the device configuration structure", () => {
  it("gives the same bytes for any width of access", () => {
    const { driver, bench } = blk();
    expect(driver.readConfig(0, 4)).toBe(64);
    expect(driver.readConfig(4, 4)).toBe(0);
    expect(driver.readConfig(20, 4)).toBe(512);
    const bytes = Array.from({ length: 60 }, (_, i) => driver.readConfig(i, 1));
    for (let at = 0; at < 57; at++) {
      const [a, b, c, d] = bytes.slice(at, at + 4) as [number, number, number, number];
      expect(driver.readConfig(at, 2)).toBe(a | (b << 8));
      expect(bench.memory.read(driver.config + at, 4)).toBe((a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
    }
  });

  it("lets the driver write what the device says it may, and nothing else", () => {
    const { driver, bench } = blk();
    bench.memory.write(driver.config + 32, 1, 0);
    expect(driver.readConfig(32, 1)).toBe(0);
    bench.memory.write(driver.config, 4, 0xffff_ffff);
    expect(driver.readConfig(0, 4)).toBe(64);
  });
});

describe("the PCI configuration access window", () => {
  function windowed() {
    const plugged = blk();
    const at = findCapabilities(plugged.fn, 9).find((c) => plugged.fn.readConfig(c + 3, 1) === 5);
    if (at === undefined) throw new Error("no window");
    const aim = (bar: number, offset: number, length: number) => {
      plugged.fn.writeConfig(at + 4, 1, bar);
      plugged.fn.writeConfig(at + 8, 4, offset);
      plugged.fn.writeConfig(at + 12, 4, length);
    };
    return { ...plugged, at, aim, data: at + 16 };
  }

  it("reads what its fields describe, as a direct access would (4.1.4.9.1)", () => {
    const { fn, aim, data, driver } = windowed();
    aim(4, common.queueSize, 2);
    expect(fn.readConfig(data, 2)).toBe(256);
    aim(4, common.deviceFeature, 4);
    expect(fn.readConfig(data, 4)).toBe(driver.read(common.deviceFeature, 4));
    aim(4, 0x2000, 1);
    expect(fn.readConfig(data, 1)).toBe(64);
  });

  it("writes what its fields describe (4.1.4.9.1)", () => {
    const { fn, aim, data, driver } = windowed();
    aim(4, common.status, 1);
    fn.writeConfig(data, 1, 1);
    expect(driver.status).toBe(1);
    fn.writeConfig(data, 1, 0);
    expect(driver.status).toBe(0);
  });

  it("reads the ISR through it once", () => {
    const { bench, fn, aim, data, driver } = windowed();
    const [ring] = driver.start(bits.version1, [8]);
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    aim(4, 0x1000, 1);
    expect([fn.readConfig(data, 1), fn.readConfig(data, 1), bench.line]).toEqual([1, 0, false]);
  });

  it("makes no access while its other fields are written or read", () => {
    const { fn, at, aim, bench, driver } = windowed();
    const [ring] = driver.start(bits.version1, [8]);
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    aim(4, 0x1000, 1);
    for (let i = 0; i < 16; i++) fn.readConfig(at + i, 1);
    expect(bench.line).toBe(true);
  });
});

it("one read of a disk can be followed in the trace from the doorbell to the message", () => {
  const { bench, driver } = blk();
  const [ring] = driver.start(bits.version1, [8], { msix: true });
  ring?.offer(readSector);
  bench.trace.enable("virtio", "pci");
  bench.lines.length = 0;
  driver.kick(0);
  bench.clock.advance(1_000_000);
  expect(bench.lines).toEqual([
    "virtio: blk0 queue_select <- 0x0",
    "virtio: blk0 queue_notify_off -> 0x0",
    "virtio: blk0 doorbell of queue 0",
    "virtio: blk0.queue0 chain taken: head 0, 3 buffers, 16 bytes to read, 513 to write",
    "virtio: blk0 request 0: read of 512 bytes at sector 1",
    "virtio: blk0 request 0: status 0",
    "virtio: blk0.queue0 used element: head 0, 513 bytes written, index 1",
    "virtio: blk0.interrupts queue 0: message of vector 1",
    "pci: 00:04.0 message 0xfee00000 <- 0x65",
  ]);
});
