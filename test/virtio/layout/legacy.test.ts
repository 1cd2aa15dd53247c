import { describe, expect, it } from "vitest";
import { ramSize } from "../../support/bench.ts";
import { blkHeader } from "../../support/blk.ts";
import { sameBytes } from "../../support/bytes.ts";
import { disableMsix, enableMsix, findCapabilities, LegacyDriver } from "../../support/virtio-driver.ts";
import { bits, type Options, patternDisk, plugBlk, plugConsole, plugRng } from "../../support/virtio-function.ts";

type Order = "little" | "big";

function blk(order: Order = "little", options: Options = {}) {
  const disk = patternDisk();
  const plugged = plugBlk(disk, { layout: "legacy", guestOrder: () => order, ...options });
  return { ...plugged, disk, driver: new LegacyDriver(plugged.bench, plugged.fn, order) };
}

const readSector = (order: Order = "little") => [{ read: blkHeader(0, 1, order) }, { write: 512 }, { write: 1 }];
const settle = 1_000_000;

describe("a legacy virtio function", () => {
  it("is told by its transitional device ID, revision 0 and its type as subsystem (4.1.2.3)", () => {
    for (const [{ fn }, device, type] of [
      [blk(), 0x1001, 2],
      [plugConsole({ layout: "legacy" }), 0x1003, 3],
      [plugRng({ layout: "legacy" }), 0x1005, 4],
    ] as const) {
      expect([fn.readConfig(0, 2), fn.readConfig(2, 2)]).toEqual([0x1af4, device]);
      expect([fn.readConfig(8, 1), fn.readConfig(0x2e, 2)]).toEqual([0, type]);
      expect(findCapabilities(fn, 9)).toEqual([]);
    }
  });

  it("is driven through BAR0 in port space, with its vectors in BAR1", () => {
    const { fn } = blk();
    expect(fn.bars.map(({ index, kind }) => [index, kind])).toEqual([
      [1, "memory32"],
      [0, "io"],
    ]);
    expect(fn.bars[1]?.size).toBe(128);
  });

  it("offers 32 feature bits, ANY_LAYOUT among them and VERSION_1 not", () => {
    const { driver } = blk();
    const offered = BigInt(driver.read(0, 4));
    expect(offered & bits.anyLayout).toBe(bits.anyLayout);
    expect(offered & (bits.indirect | bits.eventIndex)).toBe(bits.indirect | bits.eventIndex);
    driver.write(4, 4, 0xffff_ffff);
    expect(driver.read(4, 4)).toBe(0xffff_ffff);
  });

  it("dictates the queue's size, 0 where there is none", () => {
    const { driver } = blk();
    expect(driver.read(12, 2)).toBe(256);
    driver.write(12, 2, 8);
    expect(driver.read(12, 2)).toBe(256);
    driver.write(14, 2, 1);
    expect([driver.read(12, 2), driver.read(8, 4)]).toEqual([0, 0]);
  });

  for (const order of ["little", "big"] as const) {
    it(`reads a disk for a ${order}-endian guest, by the pin and by messages`, () => {
      for (const msix of [false, true]) {
        const { bench, disk, driver } = blk(order);
        const [ring] = driver.start(0, 1, { msix });
        if (ring === undefined) throw new Error("no ring");
        const chain = ring.offer(readSector(order));
        driver.kick(0);
        bench.clock.advance(settle);
        expect(ring.used()).toEqual([{ head: chain.head, length: 513 }]);
        expect(ring.written(chain).subarray(0, 512)).toEqual(disk.bytes.subarray(512, 1024));
        expect(bench.taken()).toEqual(msix ? [101] : []);
        expect(bench.line).toBe(!msix);
        expect(driver.readIsr()).toBe(msix ? 0 : 1);
        expect(bench.line).toBe(false);
      }
    });
  }

  it("keeps a big-endian guest's ring big-endian in memory, its header registers little-endian (2.7.3)", () => {
    const { bench, driver } = blk("big");
    const [ring] = driver.start(0, 1);
    ring?.offer(readSector("big"));
    driver.kick(0);
    bench.clock.advance(settle);
    const used = ring?.ring.deviceArea ?? 0;
    expect([...bench.ram.contents().subarray(used, used + 12)]).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 1]);
    expect(driver.read(12, 2)).toBe(256);
  });

  it("has its configuration in the guest's byte order, any width giving the same bytes (2.5.3)", () => {
    const little = blk("little").driver;
    const big = blk("big").driver;
    // Capacity 64, 8 bytes; blk_size 512, 4 bytes at 20.
    expect([20, 21, 26, 27].map((at) => little.read(at, 1))).toEqual([64, 0, 0, 0]);
    expect([20, 21, 26, 27].map((at) => big.read(at, 1))).toEqual([0, 0, 0, 64]);
    expect(big.read(40, 4)).toBe(0x0002_0000);
    expect([big.read(40, 2), big.read(42, 2)]).toEqual([0, 2]);
    expect(little.read(40, 4)).toBe(512);
  });

  it("samples the guest's byte order when it is reset", () => {
    let order: Order = "big";
    const { bench, fn } = plugBlk(patternDisk(), { layout: "legacy", guestOrder: () => order });
    const driver = new LegacyDriver(bench, fn, "little");
    expect(driver.read(27, 1)).toBe(64);
    order = "little";
    expect(driver.read(27, 1)).toBe(64);
    driver.write(18, 1, 0);
    expect(driver.read(20, 1)).toBe(64);
    const [ring] = driver.start(0, 1);
    ring?.offer(readSector());
    driver.kick(0);
    bench.clock.advance(settle);
    expect(ring?.usedIndex).toBe(1);
  });

  it("has its configuration at 20, and at 24 while MSI-X is enabled, at each access anew (4.1.4.10)", () => {
    const { bench, fn, driver } = blk();
    expect(driver.read(20, 4)).toBe(64);
    enableMsix(bench, fn);
    expect(driver.read(20, 4)).toBe(0xffff_ffff);
    expect(driver.read(24, 4)).toBe(64);
    driver.write(20, 2, 1);
    expect([driver.read(20, 2), driver.read(22, 2)]).toEqual([1, 0xffff]);
    // Across the border: the queue's vector and the first bytes of the configuration.
    expect(driver.read(22, 4)).toBe(0x0040_ffff);
    disableMsix(fn);
    expect(driver.read(20, 4)).toBe(64);
    driver.write(20, 2, 0);
    enableMsix(bench, fn);
    expect(driver.read(20, 2)).toBe(1);
  });

  it("lets a legacy driver write its configuration before features and status", () => {
    const { driver } = blk();
    driver.write(20 + 32, 1, 0);
    expect(driver.read(20 + 32, 1)).toBe(0);
  });

  it("uses a queue before DRIVER_OK (3.1.2)", () => {
    const { bench, driver } = blk();
    driver.write(18, 1, 3);
    const ring = driver.setUp(0);
    ring.offer(readSector());
    driver.kick(0);
    bench.clock.advance(settle);
    expect(ring.usedIndex).toBe(1);
  });

  it("lays a ring out from one page on, the used part on the next page (2.7.2)", () => {
    const { driver } = blk();
    const [ring] = driver.start(0, 1);
    expect(ring?.ring).toMatchObject({ descriptorArea: 0x1_0000, driverArea: 0x1_1000, deviceArea: 0x1_2000 });
  });

  it("takes offered features only, and works with event index and indirect descriptors", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(Number(bits.eventIndex | bits.indirect), 1);
    ring?.setUsedEvent(1);
    ring?.offer(readSector(), { indirect: true });
    driver.kick(0);
    bench.clock.advance(settle);
    expect([ring?.usedIndex, bench.line]).toEqual([1, false]);
    ring?.offer(readSector(), { indirect: true });
    driver.kick(0);
    bench.clock.advance(settle);
    expect([ring?.usedIndex, bench.line]).toEqual([2, true]);
  });
});

describe("a legacy virtio function and a hostile driver", () => {
  it("case 32: gives a queue up at page 0 and takes it again", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(0, 1);
    ring?.offer(readSector());
    driver.kick(0);
    driver.write(8, 4, 0);
    bench.clock.advance(settle);
    expect([ring?.usedIndex, driver.read(8, 4)]).toEqual([0, 0]);
    const again = driver.setUp(0);
    again.offer(readSector());
    driver.kick(0);
    bench.clock.advance(settle);
    expect(again.usedIndex).toBe(1);
  });

  it("case 32: a page beyond RAM stops the device without DEVICE_NEEDS_RESET, until reset", () => {
    for (const page of [ramSize / 4096, 0xffff_ffff]) {
      const { bench, driver } = blk();
      driver.start(0, 1);
      driver.write(8, 4, page);
      driver.kick(0);
      expect([driver.read(18, 1), bench.line]).toEqual([7, false]);
      expect(bench.lines.filter((line) => line.includes("is broken"))).toHaveLength(1);
      const [ring] = driver.start(0, 1);
      ring?.offer(readSector());
      driver.kick(0);
      bench.clock.advance(settle);
      expect(ring?.usedIndex).toBe(1);
    }
  });

  it("case 32: a broken device stays so when its queue is placed again, until reset", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(0, 1);
    ring?.makeAvailable(256);
    driver.kick(0);
    for (const page of [0, 0x10]) driver.write(8, 4, page);
    ring?.setAvailableIndex(0);
    ring?.offer(readSector());
    driver.kick(0);
    bench.clock.advance(settle);
    expect(ring?.usedIndex).toBe(0);
  });

  it("case 32: vectors out of range read back as none, for queues which are not there too", () => {
    const { bench, fn, driver } = blk();
    enableMsix(bench, fn);
    for (const vector of [2, 0x800, 0xfffe]) {
      driver.write(20, 2, vector);
      driver.write(22, 2, vector);
      expect([driver.read(20, 2), driver.read(22, 2)]).toEqual([0xffff, 0xffff]);
    }
    driver.write(14, 2, 77);
    driver.write(22, 2, 1);
    expect(driver.read(22, 2)).toBe(0xffff);
  });

  it("case 32: does nothing for queues which are not there", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(0, 1);
    driver.write(14, 2, 5);
    driver.write(8, 4, 0x20);
    ring?.offer(readSector());
    driver.kick(5);
    driver.kick(0xffff);
    bench.clock.advance(settle);
    expect(ring?.usedIndex).toBe(0);
  });

  it("case 32: does not show status bits which the interface has not", () => {
    const { driver } = blk();
    driver.write(18, 1, 0x0f | 0x40);
    expect(driver.read(18, 1)).toBe(7);
  });

  it("case 20: writes nothing after a reset with requests in flight", () => {
    const { bench, driver } = blk();
    const [ring] = driver.start(0, 1);
    ring?.offer(readSector());
    driver.kick(0);
    driver.write(18, 1, 0);
    const before = bench.ram.contents().slice();
    bench.clock.advance(settle);
    expect([sameBytes(bench.ram.contents(), before), bench.line]).toEqual([true, false]);
  });

  it("survives every width at every offset of BAR0 with MSI-X off and on, and a reset makes it whole", () => {
    const { bench, fn, driver } = blk();
    for (const toggle of [() => enableMsix(bench, fn), () => disableMsix(fn)]) {
      toggle();
      for (const value of [0xffff_ffff, 0x8000_0001, 0, 1])
        for (let at = 0; at < 128; at++)
          for (const width of [1, 2, 4] as const) {
            driver.write(at, width, value);
            driver.read(at, width);
          }
    }
    const [ring] = driver.start(0, 1);
    ring?.offer(readSector());
    driver.kick(0);
    bench.clock.advance(settle);
    expect(ring?.usedIndex).toBe(1);
  });
});
