import { describe, expect, it } from "vitest";
import { MemoryBlock } from "../../../src/backend/memory-block.ts";
import { ramSize } from "../../support/bench.ts";
import { blkHeader as header } from "../../support/blk.ts";
import { sameBytes } from "../../support/bytes.ts";
import { common, disableMsix, enableMsix, findCapabilities, ModernDriver } from "../../support/virtio-driver.ts";
import { bits, type Options, patternDisk, plugBlk, plugRng } from "../../support/virtio-function.ts";

function blk(options: Options = {}) {
  const plugged = plugBlk(patternDisk(), options);
  return { ...plugged, driver: new ModernDriver(plugged.bench, plugged.fn) };
}

const readSector = [{ read: header(0, 1) }, { write: 512 }, { write: 1 }];
const needsReset = 64;

describe("a modern virtio function and a hostile driver", () => {
  it("cases 1 to 12: sets DEVICE_NEEDS_RESET for a broken ring and says so by a configuration interrupt (2.1.2)", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    ring?.makeAvailable(8);
    driver.kick(0);
    expect(driver.status).toBe(0x0f | needsReset);
    expect(bench.taken()).toEqual([100]);
    // Nothing works until reset, and the reset makes all good.
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect([ring?.usedIndex, bench.taken()]).toEqual([0, []]);
    driver.setStatus(0);
    const [fresh] = driver.start(bits.version1, [8], { msix: true });
    fresh?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect([fresh?.usedIndex, bench.taken()]).toEqual([1, [101]]);
  });

  it("cases 1 to 12: a broken device drops the requests in hand and says why once, in one line", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    ring?.offer(readSector);
    driver.kick(0);
    ring?.makeAvailable(0);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(ring?.usedIndex).toBe(0);
    for (let i = 0; i < 100; i++) driver.kick(0);
    expect(bench.lines).toEqual(["virtio: blk0 is broken until it is reset: queue 0: head 0 is made available twice"]);
  });

  it("case 13: takes no queue size of 0, of no power of 2, or beyond the largest", () => {
    const { driver } = blk();
    driver.negotiate(bits.version1);
    for (const size of [0, 3, 255, 257, 512, 0x8000, 0xffff]) {
      driver.write(common.queueSize, 2, size);
      expect(driver.read(common.queueSize, 2)).toBe(256);
    }
  });

  it("case 14: latches size and addresses at queue_enable, whatever is written after it (CVE-2026-5747)", () => {
    const { bench, driver } = blk();
    driver.negotiate(bits.version1);
    const ring = driver.setUp(0, 8);
    const attack = () => {
      for (const size of [0, 1, 256]) driver.write(common.queueSize, 2, size);
      for (const at of [common.queueDesc, common.queueDriver, common.queueDevice]) driver.address(at, 2 ** 40 + 3);
      for (let byte = 24; byte < 26; byte++) driver.write(byte, 1, 0xff);
    };
    attack();
    expect(driver.read(common.queueSize, 2)).toBe(8);
    expect(driver.read(common.queueDesc, 4)).toBe(ring.ring.descriptorArea);
    driver.setStatus(0x0f);
    attack();
    ring.offer(readSector);
    driver.kick(0);
    attack();
    bench.clock.advance(1_000_000);
    expect(ring.usedIndex).toBe(1);
  });

  it("case 14: takes no queue set-up before FEATURES_OK", () => {
    const { driver } = blk();
    driver.setStatus(3);
    driver.write(common.queueSize, 2, 8);
    driver.address(common.queueDesc, 0x1_0000);
    driver.write(common.queueEnable, 2, 1);
    expect(driver.read(common.queueSize, 2)).toBe(256);
    expect(driver.read(common.queueDesc, 4)).toBe(0);
    expect(driver.read(common.queueEnable, 2)).toBe(0);
  });

  it("case 15: enables no queue whose areas are nowhere or not aligned", () => {
    for (const [register, value] of [
      [common.queueDesc, 0],
      [common.queueDriver, 0],
      [common.queueDevice, 0],
      [common.queueDesc, 0x1_0008],
      [common.queueDriver, 0x1_0001],
      [common.queueDevice, 0x1_0002],
    ] as const) {
      const { driver } = blk();
      driver.negotiate(bits.version1);
      driver.address(common.queueDesc, 0x1_0000);
      driver.address(common.queueDriver, 0x1_1000);
      driver.address(common.queueDevice, 0x1_2000);
      driver.address(register, value);
      driver.write(common.queueEnable, 2, 1);
      expect(driver.read(common.queueEnable, 2)).toBe(0);
    }
  });

  it("case 15: a ring outside of RAM or in a BAR breaks the device at the first kick, and calls no register", () => {
    for (const at of [ramSize, 0xe044_0000, 2 ** 32, 2 ** 40, 2 ** 63]) {
      const { bench, driver } = blk();
      driver.negotiate(bits.version1);
      driver.write(common.queueSize, 2, 8);
      driver.address(common.queueDesc, at);
      driver.address(common.queueDriver, at + 0x1000);
      driver.address(common.queueDevice, at + 0x2000);
      driver.write(common.queueEnable, 2, 1);
      driver.setStatus(0x0f);
      // A word of the BAR which the device would write its used index over, were that ring written.
      driver.write(common.deviceFeatureSelect, 4, 1);
      const before = bench.ram.contents().slice();
      driver.kick(0);
      expect(driver.status & needsReset, `ring at ${at}`).toBe(needsReset);
      expect(sameBytes(bench.ram.contents(), before)).toBe(true);
      expect(driver.read(common.deviceFeatureSelect, 4)).toBe(1);
    }
  });

  it("case 15: queue_enable takes nothing but 1, and nothing disables a queue but a reset", () => {
    const { driver } = blk();
    driver.negotiate(bits.version1);
    driver.address(common.queueDesc, 0x1_0000);
    driver.address(common.queueDriver, 0x1_1000);
    driver.address(common.queueDevice, 0x1_2000);
    for (const value of [0, 2, 3, 0xffff]) driver.write(common.queueEnable, 2, value);
    expect(driver.read(common.queueEnable, 2)).toBe(0);
    driver.write(common.queueEnable, 2, 1);
    driver.write(common.queueEnable, 2, 0);
    expect(driver.read(common.queueEnable, 2)).toBe(1);
  });

  it("case 16: a vector which the function does not have reads back as none", () => {
    const { driver, bench, fn } = blk();
    enableMsix(bench, fn);
    for (const vector of [2, 3, 0x7ff, 0x800, 0xfffe]) {
      driver.write(common.configVector, 2, 1);
      driver.write(common.configVector, 2, vector);
      driver.write(common.queueVector, 2, vector);
      expect([driver.read(common.configVector, 2), driver.read(common.queueVector, 2)]).toEqual([0xffff, 0xffff]);
    }
  });

  it("case 17: consumes nothing before DRIVER_OK, on a queue that is not enabled or not there, or after reset", () => {
    const { bench, driver } = blk();
    const settle = () => bench.clock.advance(1_000_000);
    driver.kick(0);
    driver.negotiate(bits.version1);
    driver.kick(0);
    const ring = driver.setUp(0, 8);
    ring.offer(readSector);
    driver.kick(0);
    settle();
    expect(ring.usedIndex).toBe(0);
    driver.setStatus(0x0f);
    for (const at of [4, 8, 2, 0xffc]) bench.memory.write(driver.notify + at, 2, 0);
    settle();
    expect(ring.usedIndex).toBe(0);
    driver.setStatus(0);
    driver.kick(0);
    settle();
    expect([ring.usedIndex, bench.line]).toEqual([0, false]);
  });

  it("case 17: goes dead with FAILED until reset (2.1.1)", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1, [8]);
    driver.setStatus(0x8f);
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect([ring?.usedIndex, driver.status]).toEqual([0, 0x8f]);
  });

  it("case 18: a million kicks of an empty ring are soon over and do nothing", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(bits.version1, [8]);
    const before = performance.now();
    for (let i = 0; i < 1_000_000; i++) bench.memory.write(driver.notify, 2, 0);
    // Some 200 ns each on a slow machine; the bound only has to tell O(1) from more.
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(ring?.usedIndex).toBe(0);
  });

  it("case 18: bounds the work of a driver which offers the same chains with each store, and goes on with time", () => {
    const { bench, fn } = plugRng({ queueSize: 64 });
    const driver = new ModernDriver(bench, fn);
    const [ring] = driver.start(bits.version1, [64]);
    if (ring === undefined) throw new Error("no ring");
    for (let i = 0; i < 64; i++) {
      ring.descriptor(i, 0x4_0000, 4096, 2, 0);
      ring.makeAvailable(i);
    }
    // 256 KiB a millisecond, each worth 64 units of 64 bytes and more: ten times what the account allows.
    let given = 0;
    for (let i = 0; i < 1000; i++) {
      driver.kick(0);
      bench.clock.advance(20_000);
      given += ring.used().length;
      ring.setAvailableIndex(ring.usedIndex + 64);
    }
    const bytes = given * 4096;
    const milliseconds = bench.clock.now / 1e6;
    expect(bytes / milliseconds).toBeLessThan(3 * 2 ** 20);
    expect(bytes / milliseconds).toBeGreaterThan(2 ** 20);
  });

  it("case 19: rejects a status write which clears a bit, sets DEVICE_NEEDS_RESET or skips FEATURES_OK", () => {
    const { driver } = blk();
    driver.negotiate(bits.version1);
    for (const value of [1, 3, 8, 0x0a, 0x09, 2, 4, 0x0c, 0x80]) {
      driver.setStatus(value);
      expect(driver.status, `status ${value}`).toBe(0x0b);
    }
    driver.setStatus(0x0b | needsReset | 0x30);
    expect(driver.status).toBe(0x0b);
    driver.setStatus(0);
    driver.setStatus(3);
    driver.setStatus(7);
    expect(driver.status).toBe(3);
  });

  it("case 19: no write of the driver's clears DEVICE_NEEDS_RESET but 0", () => {
    const { driver } = blk();
    const [ring] = driver.start(bits.version1, [8]);
    ring?.makeAvailable(8);
    driver.kick(0);
    driver.setStatus(0x0f);
    expect(driver.status).toBe(0x0f | needsReset);
    driver.setStatus(0x8f);
    expect(driver.status).toBe(0x8f | needsReset);
    driver.setStatus(0);
    expect(driver.status).toBe(0);
  });

  it("case 20: writes nothing and interrupts nobody after a reset with requests in flight", () => {
    for (const reset of [
      (d: ModernDriver) => d.setStatus(0),
      (d: ModernDriver) => d.write(common.queueReset, 2, 1),
      (d: ModernDriver) => {
        for (const part of d.fn.parts) part.reset();
      },
    ]) {
      const { bench, driver } = blk();
      const [ring] = driver.start(bits.version1 | bits.ringReset, [8], { msix: true });
      for (let i = 0; i < 2; i++) ring?.offer(readSector);
      driver.kick(0);
      reset(driver);
      const before = bench.ram.contents().slice();
      bench.clock.advance(1_000_000_000);
      expect(sameBytes(bench.ram.contents(), before)).toBe(true);
      expect([bench.taken(), bench.line]).toEqual([[], false]);
    }
  });

  it("case 20: drops the answers of a host which is late until after a reset, and time waits for them", () => {
    const answers: ((ok: boolean) => void)[] = [];
    const disk = new (class extends MemoryBlock {
      override read(_offset: number, _into: Uint8Array, done: (ok: boolean) => void): void {
        answers.push(done);
      }
    })(new Uint8Array(64 * 512));
    const { bench, fn } = plugBlk(disk);
    const driver = new ModernDriver(bench, fn);
    const [ring] = driver.start(bits.version1, [8]);
    for (let i = 0; i < 2; i++) ring?.offer(readSector);
    driver.kick(0);
    driver.setStatus(0);
    expect(bench.clock.holds).toBe(2);
    const before = bench.ram.contents().slice();
    for (const answer of answers) answer(true);
    expect(bench.clock.holds).toBe(0);
    bench.clock.advance(1_000_000_000);
    expect(sameBytes(bench.ram.contents(), before)).toBe(true);
  });

  it("case 20: gives no buffer to a new request while a late host may still write to it", () => {
    const reads: (() => void)[] = [];
    const disk = new (class extends MemoryBlock {
      override read(offset: number, into: Uint8Array, done: (ok: boolean) => void): void {
        reads.push(() => super.read(offset, into, done));
      }
    })(patternDisk().bytes);
    const { bench, fn } = plugBlk(disk);
    const driver = new ModernDriver(bench, fn);
    const [old] = driver.start(bits.version1, [8]);
    old?.offer([{ read: header(0, 9) }, { write: 512 }, { write: 1 }]);
    driver.kick(0);
    const [ring] = driver.start(bits.version1, [8]);
    const offered = ring?.offer(readSector);
    driver.kick(0);
    for (const read of reads.reverse()) read();
    bench.clock.advance(1_000_000);
    if (ring === undefined || offered === undefined) throw new Error("no ring");
    expect(ring.written(offered).subarray(0, 512)).toEqual(disk.bytes.subarray(512, 1024));
  });

  it("case 21: reads 0 and writes nothing past the device configuration, at any width and place", () => {
    const { bench, driver } = blk();
    const inside = Array.from({ length: 60 }, (_, i) => driver.readConfig(i, 1));
    for (let at = 58; at < 0x1000; at += 3)
      for (const width of [1, 2, 4] as const) {
        bench.memory.write(driver.config + at, width, 0xffff_ffff);
        if (at >= 60 && at + width <= 0x1000) expect(bench.memory.read(driver.config + at, width)).toBe(0);
      }
    expect(Array.from({ length: 60 }, (_, i) => driver.readConfig(i, 1))).toEqual(inside);
    expect(bench.memory.read(driver.config + 0xffe, 4)).toBe(0);
    expect(bench.memory.read64(driver.config + 56)).toBe(1n);
  });

  it("case 22: the window ignores a BAR, offset or length which describe no access, and cannot reach itself", () => {
    const { fn, driver } = blk();
    const at = findCapabilities(fn, 9).find((c) => fn.readConfig(c + 3, 1) === 5) ?? 0;
    for (const [bar, offset, length] of [
      [0, common.status, 1],
      [1, common.status, 1],
      [5, common.status, 1],
      [0xff, common.status, 1],
      [4, common.status, 0],
      [4, common.status, 3],
      [4, common.status, 8],
      [4, common.status, 0xffff_ffff],
      [4, common.numQueues, 4],
      [4, 60, 4],
      [4, 0x0ffe, 4],
      [4, 0x1001, 1],
      [4, 0x3004, 2],
      [4, 0x4000, 4],
      [4, 0xffff_fffc, 4],
    ] as const) {
      fn.writeConfig(at + 4, 1, bar);
      fn.writeConfig(at + 8, 4, offset);
      fn.writeConfig(at + 12, 4, length);
      fn.writeConfig(at + 16, 4, 0x0101_0101);
      expect(fn.readConfig(at + 16, 4), `${bar} ${offset} ${length}`).toBe(0);
      expect(driver.status).toBe(0);
    }
  });

  it("case 23: a buffer which is a BAR, a message page or nowhere fails its request and calls no register", () => {
    for (const address of [0xe044_0000, 0xfee0_0000, ramSize, 2 ** 36]) {
      const { bench, driver } = blk();
      const [ring] = driver.start(bits.version1, [8], { msix: true });
      if (ring === undefined) throw new Error("no ring");
      const offered = ring.offer(readSector);
      ring.descriptor(1, address, 512, 3, 2);
      driver.kick(0);
      bench.clock.advance(1_000_000);
      expect(ring.used()).toEqual([{ head: 0, length: 1 }]);
      expect(ring.written(offered)[512]).toBe(1);
      expect([driver.status, bench.taken()]).toEqual([0x0f, [101]]);
    }
  });

  it("case 25: a vector masked keeps its message pending and sends it when the mask goes", () => {
    const { bench, fn, driver } = blk();
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    const control = fn.peek(0x14, 4) + 16 + 12;
    bench.memory.write(control, 4, 1);
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(bench.taken()).toEqual([]);
    bench.memory.write(control, 4, 0);
    expect(bench.taken()).toEqual([101]);
  });

  it("case 26: the pin stays up while the ISR is not read, and MSI-X takes it down and puts it up again", () => {
    const { bench, fn, driver } = blk();
    const [ring] = driver.start(bits.version1, [8]);
    for (let i = 0; i < 2; i++) {
      ring?.offer(readSector);
      driver.kick(0);
      bench.clock.advance(1_000_000);
    }
    expect([bench.line, bench.rises]).toEqual([true, 1]);
    // The status bit too follows the ISR byte only while MSI-X is off (virtio 1.2 section 4.1.4.5.1).
    enableMsix(bench, fn);
    expect([bench.line, fn.readConfig(6, 2) & 8]).toEqual([false, 0]);
    disableMsix(fn);
    expect([bench.line, fn.readConfig(6, 2) & 8]).toEqual([true, 8]);
    expect([driver.readIsr(), bench.line]).toEqual([1, false]);
  });

  it("case 28: without bus mastering nothing is read or written and no message leaves", () => {
    const { bench, fn, driver } = blk();
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    ring?.offer(readSector);
    fn.writeConfig(4, 2, 3);
    const before = bench.ram.contents().slice();
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(sameBytes(bench.ram.contents(), before)).toBe(true);
    expect(bench.taken()).toEqual([]);
  });

  it("survives every width at every offset of its BAR, and a reset makes it whole", () => {
    const { bench, driver } = blk();
    for (const value of [0, 1, 0xffff_ffff, 0x8000_0001])
      for (let at = 0; at < 0x4000; at += at < 64 ? 1 : 61)
        for (const width of [1, 2, 4] as const) {
          bench.memory.write(driver.common + at, width, value);
          bench.memory.read(driver.common + at, width);
        }
    driver.setStatus(0);
    const [ring] = driver.start(bits.version1, [8], { msix: true });
    ring?.offer(readSector);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect(ring?.usedIndex).toBe(1);
  });
});
