import { describe, expect, it } from "vitest";
import type { PciLayout } from "../../../src/virtio/identity.ts";
import type { ByteOrder } from "../../../src/virtio/queue/virt-queue.ts";
import { messagePage, ramSize } from "../../support/bench.ts";
import { blkHeader } from "../../support/blk.ts";
import { sameBytes } from "../../support/bytes.ts";
import { OverlayDriver, at as overlayAt } from "../../support/overlay-driver.ts";
import { type DriverRing, flags } from "../../support/ring.ts";
import { common, disableMsix, enableMsix, LegacyDriver, ModernDriver } from "../../support/virtio-driver.ts";
import { bits, patternDisk, plugBlk } from "../../support/virtio-function.ts";

/** Which registers a device shows, which of them drive it, and in what byte order its guest is: little-endian as on pc, big-endian as on ppce500. */
interface Form {
  readonly layout: PciLayout;
  readonly driver: "legacy" | "overlay-bar0" | "overlay-bar1" | "modern";
  readonly guest: ByteOrder;
}

const forms: readonly Form[] = (["little", "big"] as const).flatMap((guest) =>
  (
    [
      ["legacy", "legacy"],
      ["overlay", "overlay-bar0"],
      ["overlay", "overlay-bar1"],
      ["modern", "modern"],
      ["transitional", "legacy"],
      ["transitional", "modern"],
    ] as const
  ).map(([layout, driver]) => ({ layout, driver, guest })),
);

const settle = 1_000_000;
const needsReset = 64;
/** Behind the buffers of the drivers. */
const elsewhere = 0xa_0000;

/** A disk in one form, and a driver for it which the cases misuse. */
function disk({ layout, driver: way, guest }: Form) {
  const { bench, fn } = plugBlk(patternDisk(), { layout, guestOrder: () => guest });
  const order = way === "modern" ? "little" : guest;
  const driver =
    way === "modern"
      ? new ModernDriver(bench, fn)
      : way === "legacy"
        ? new LegacyDriver(bench, fn, order)
        : new OverlayDriver(bench, fn, way === "overlay-bar0" ? 0 : 1, order);
  const start = (features = bits.indirect, msix = true): DriverRing => {
    if (!msix) disableMsix(fn);
    const rings =
      driver instanceof ModernDriver
        ? driver.start(bits.version1 | features, [256], { msix })
        : driver instanceof LegacyDriver
          ? driver.start(Number(features), 1, { msix })
          : driver.start(1, { msix });
    // The overlay's driver accepts its latch alone: the rest is accepted beside it.
    if (driver instanceof OverlayDriver && features !== 0n) driver.accept(0, Number(features));
    bench.taken();
    return rings[0] as DriverRing;
  };
  const status = () =>
    driver instanceof ModernDriver
      ? driver.status
      : driver.read(driver instanceof LegacyDriver ? 18 : overlayAt.status, 1);
  const reset = () => {
    if (driver instanceof ModernDriver) driver.setStatus(0);
    else driver.write(18, 1, 0);
  };
  const request = [{ read: blkHeader(0, 1, order) }, { write: 512 }, { write: 1 }] as const;
  const go = () => {
    driver.kick(0);
    bench.clock.advance(settle);
  };
  /** Reads a sector through a ring, and gives whether it came and somebody was told. */
  const works = (ring: DriverRing) => {
    bench.taken();
    const before = ring.usedIndex;
    const chain = ring.offer(request);
    go();
    const sector = ring.written(chain);
    return (
      ring.usedIndex === ((before + 1) & 0xffff) &&
      sector.every((byte, i) => byte === (i < 512 ? (3 + 512 + i) & 0xff : 0)) &&
      (bench.taken().join() === "101" || bench.line)
    );
  };
  return { bench, fn, driver, order, start, status, reset, request, go, works, modern: way === "modern" };
}

type Disk = ReturnType<typeof disk>;

/** Policy R3 (docs/threat-model.md): nothing is used, the device stops, modern ones say so; a reset makes all good. */
function expectBroken(d: Disk, ring: DriverRing): void {
  const before = ring.usedIndex;
  d.go();
  expect(ring.usedIndex).toBe(before);
  expect(d.status() & needsReset).toBe(d.modern ? needsReset : 0);
  expect(d.bench.taken()).toEqual(d.modern ? [100] : []);
  ring.offer(d.request);
  d.go();
  expect([ring.usedIndex, d.bench.taken()]).toEqual([before, []]);
  expect(d.bench.lines.filter((line) => line.includes("is broken"))).toHaveLength(1);
  d.reset();
  expect(d.works(d.start())).toBe(true);
}

const { next, write, indirect } = flags;
const table = 0x9_0000;

/** Chains and rings which break the device. */
const breaches: readonly (readonly [
  name: string,
  offer: (ring: DriverRing, order: ByteOrder) => void,
  features?: bigint,
])[] = [
  [
    "case 1: a loop of descriptors",
    (ring) => {
      ring.descriptor(0, elsewhere, 4, next, 1);
      ring.descriptor(1, elsewhere, 4, next, 0);
      ring.makeAvailable(0);
    },
  ],
  [
    "case 2: a next beyond the queue",
    (ring) => {
      ring.descriptor(0, elsewhere, 4, next, 256);
      ring.makeAvailable(0);
    },
  ],
  ["case 2: a head beyond the queue", (ring) => ring.makeAvailable(256)],
  [
    "case 4: an indirect table in an indirect table",
    (ring) => {
      ring.descriptor(0, table, 16, indirect, 0);
      ring.descriptor(0, table, 16, indirect, 0, table);
      ring.makeAvailable(0);
    },
  ],
  [
    "case 4: an indirect table without the feature",
    (ring, order) => void ring.offer([{ read: blkHeader(0, 1, order) }, { write: 513 }], { indirect: true }),
    0n,
  ],
  [
    "case 4: an indirect table with a next",
    (ring) => {
      ring.descriptor(0, table, 16, indirect | next, 1);
      ring.makeAvailable(0);
    },
  ],
  ...[0, 8, 17, 16 * 257, 0xffff_fff0].map(
    (bytes) =>
      [
        `case 5: an indirect table of ${bytes} bytes`,
        (ring: DriverRing) => {
          ring.descriptor(0, table, bytes, indirect, 0);
          ring.makeAvailable(0);
        },
      ] as const,
  ),
  [
    "case 5: an indirect table outside of RAM",
    (ring) => {
      ring.descriptor(0, ramSize - 8, 16, indirect, 0);
      ring.makeAvailable(0);
    },
  ],
  [
    "case 8: a readable buffer behind a writable one",
    (ring, order) => void ring.offer([{ write: 512 }, { read: blkHeader(0, 1, order) }, { write: 1 }]),
  ],
  [
    "case 10: more than 4 GiB",
    (ring) => {
      ring.descriptor(0, elsewhere, 0xffff_ffff, next, 1);
      ring.descriptor(1, elsewhere, 2, 0, 0);
      ring.makeAvailable(0);
    },
  ],
  ["case 11: an index which jumps", (ring) => ring.setAvailableIndex(257)],
  ["case 11: an index which goes back", (ring) => ring.setAvailableIndex(-1)],
  [
    "case 12: the same head twice",
    (ring, order) => {
      ring.offer([{ read: blkHeader(0, 1, order) }, { write: 512 }, { write: 1 }]);
      ring.makeAvailable(0);
    },
  ],
];

describe.each(forms)("a $layout disk driven as $driver by a $guest-endian guest", (form) => {
  const cases = breaches.map(([name, offer, features = bits.indirect]) => ({ name, offer, features }));
  it.each(cases)("is broken by $name, until it is reset", ({ offer, features }) => {
    const d = disk(form);
    const ring = d.start(features);
    offer(ring, d.order);
    expectBroken(d, ring);
  });

  it("case 3: fails a request whose data are not all in RAM, and writes none of them", () => {
    for (const address of [ramSize, ramSize - 256, 0xffff_ff00, 2 ** 36 - 256, 2 ** 64 - 4096]) {
      const d = disk(form);
      const ring = d.start();
      const chain = ring.offer(d.request);
      ring.descriptor(1, address, 512, next | write, 2);
      const before = d.bench.ram.contents().slice(ramSize - 256);
      d.go();
      expect(ring.used()).toEqual([{ head: chain.head, length: 1 }]);
      expect(ring.written(chain)[512]).toBe(1);
      expect(sameBytes(d.bench.ram.contents().subarray(ramSize - 256), before)).toBe(true);
      expect(d.works(ring)).toBe(true);
    }
  });

  it("cases 4, 6, 7 and 9: takes WRITE on a table, a table behind a buffer, buffers of no length, and a header in single bytes", () => {
    const d = disk(form);
    const ring = d.start();
    const header = blkHeader(0, 1, d.order);
    const single = [...header].map((byte) => ({ read: Uint8Array.of(byte) }));
    const whole = ring.offer([...single, { read: new Uint8Array(0) }, { write: 0 }, { write: 513 }]);
    const tabled = ring.offer(d.request, { indirect: true });
    // The same table, marked writable.
    ring.descriptor(tabled.head, (tabled.buffers[2]?.at ?? 0) + 16, 48, indirect | write, 0);
    const mixed = ring.offer([{ read: header }, { write: 513 }]);
    const second = (mixed.head + 1) % 256;
    ring.descriptor(0, mixed.buffers[1]?.at ?? 0, 513, write, 0, table);
    ring.descriptor(second, table, 16, indirect, 0);
    d.go();
    expect(ring.used().map(({ length }) => length)).toEqual([513, 513, 513]);
    for (const chain of [whole, mixed]) expect(ring.written(chain)[0]).toBe(3);
  });

  it("case 9: gives a request without a place for its status back with length 0", () => {
    const d = disk(form);
    const ring = d.start();
    const chain = ring.offer([{ read: blkHeader(0, 1, d.order) }]);
    d.go();
    expect(ring.used()).toEqual([{ head: chain.head, length: 0 }]);
    expect(d.works(ring)).toBe(true);
  });

  it("case 11: goes on when the available index wraps", () => {
    const d = disk(form);
    const ring = d.start();
    for (let i = 0; i < 256; i++) {
      ring.descriptor(i, elsewhere, 0, 0, 0);
      ring.makeAvailable(i);
    }
    for (let round = 1; round <= 257; round++) {
      ring.setAvailableIndex(256 * round);
      d.go();
    }
    expect(ring.usedIndex).toBe(256);
    expect(d.works(ring)).toBe(true);
  });

  it("case 15: is broken by a ring which is not in RAM, at its first use", () => {
    const d = disk(form);
    const ring = d.start();
    const { driver } = d;
    if (driver instanceof ModernDriver) {
      driver.negotiate(bits.version1);
      driver.write(common.configVector, 2, 0);
      for (const [i, register] of [common.queueDesc, common.queueDriver, common.queueDevice].entries())
        driver.address(register, 2 ** 40 + 0x1_0000 * i);
      driver.write(common.queueEnable, 2, 1);
      driver.setStatus(0x0f);
    } else {
      driver.write(8, 4, 0);
      driver.write(8, 4, 0xffff_0000);
    }
    expectBroken(d, ring);
  });

  it("case 17: takes nothing after a reset, nor by the doorbell of a queue which is not there", () => {
    const d = disk(form);
    const ring = d.start();
    ring.offer(d.request);
    if (d.driver instanceof ModernDriver) d.bench.memory.write(d.driver.notify + 4, 2, 1);
    else for (const queue of [1, 0x8000, 0xffff]) d.driver.kick(queue);
    d.bench.clock.advance(settle);
    expect(ring.usedIndex).toBe(0);
    d.reset();
    d.go();
    expect([ring.usedIndex, d.bench.taken(), d.bench.line]).toEqual([0, [], false]);
  });

  it("case 18: is not held up by ten thousand kicks", () => {
    const d = disk(form);
    const ring = d.start();
    for (let i = 0; i < 10_000; i++) d.driver.kick(0);
    expect([ring.usedIndex, d.bench.taken()]).toEqual([0, []]);
    expect(d.works(ring)).toBe(true);
  });

  it("case 20: forgets what was in flight when it is reset", () => {
    const d = disk(form);
    const ring = d.start();
    for (let i = 0; i < 3; i++) ring.offer(d.request);
    d.driver.kick(0);
    d.reset();
    const before = d.bench.ram.contents().slice();
    d.bench.clock.advance(1e9);
    expect([sameBytes(d.bench.ram.contents(), before), d.bench.taken(), d.bench.line]).toEqual([true, [], false]);
    expect(d.works(d.start())).toBe(true);
  });

  it("case 23: fails a request whose data are a BAR or a message page, and calls no register", () => {
    const d = disk(form);
    const memoryBars = d.fn.bars
      .filter(({ kind }) => kind !== "io")
      .map(({ index }) => d.fn.barAddress(index) as number);
    for (const address of [messagePage, ...memoryBars]) {
      const ring = d.start();
      const chain = ring.offer(d.request);
      ring.descriptor(1, address, 512, next | write, 2);
      const before = d.fn.parts
        .filter((part) => part.name.endsWith("msix"))
        .map((part) => JSON.stringify(part.state.save()));
      const status = d.status();
      d.go();
      expect(ring.written(chain)[512], `0x${address.toString(16)}`).toBe(1);
      expect(d.status()).toBe(status);
      expect(
        d.fn.parts.filter((part) => part.name.endsWith("msix")).map((part) => JSON.stringify(part.state.save())),
      ).toEqual(before);
      d.bench.taken();
    }
  });

  it("case 24: sends a message to RAM as four bytes, and loses one to a BAR or to nowhere", () => {
    const d = disk(form);
    const ring = d.start();
    const entry = (d.fn.barAddress(d.fn.readConfig(0x40 + 4, 4) & 7) ?? 0) + 16;
    const home = d.bench.memory.read(entry, 4);
    expect(home).toBe(messagePage);
    d.bench.memory.write(entry, 4, elsewhere);
    ring.offer(d.request);
    d.go();
    expect([...d.bench.ram.contents().subarray(elsewhere, elsewhere + 5)]).toEqual([101, 0, 0, 0, 0]);
    for (const address of [entry, 0xd000_0000]) {
      d.bench.memory.write(entry, 4, address);
      ring.offer(d.request);
      d.go();
    }
    expect([ring.used().length, d.bench.taken()]).toEqual([3, []]);
    d.bench.memory.write(entry, 4, home);
    expect(d.works(ring)).toBe(true);
  });

  it("case 25: keeps a masked vector's message, and sends it when the mask goes", () => {
    const d = disk(form);
    const ring = d.start();
    const control = (d.fn.barAddress(d.fn.readConfig(0x40 + 4, 4) & 7) ?? 0) + 16 + 12;
    d.bench.memory.write(control, 4, 1);
    ring.offer(d.request);
    d.go();
    expect(d.bench.taken()).toEqual([]);
    d.bench.memory.write(control, 4, 0);
    expect(d.bench.taken()).toEqual([101]);
  });

  it("case 26: keeps its line up until the ISR is read, and takes requests meanwhile", () => {
    const d = disk(form);
    const ring = d.start(bits.indirect, false);
    for (let i = 0; i < 3; i++) {
      ring.offer(d.request);
      d.go();
    }
    expect([ring.usedIndex, d.bench.line, d.bench.rises]).toEqual([3, true, 1]);
    const isr = d.driver instanceof OverlayDriver ? d.driver.read(overlayAt.isr, 1) : d.driver.readIsr();
    expect([isr, d.bench.line]).toEqual([1, false]);
  });

  it("case 27: completes by DMA with its decoding off, and is found where its BARs go", () => {
    const d = disk(form);
    const ring = d.start();
    ring.offer(d.request);
    d.driver.kick(0);
    d.fn.writeConfig(4, 2, 4);
    d.bench.clock.advance(settle);
    expect(ring.usedIndex).toBe(1);
    d.fn.writeConfig(4, 2, 7);
    const homes = d.fn.bars.map((bar) => [bar.offset, d.fn.peek(bar.offset, 4)] as const);
    const word = d.bench.ram.read(elsewhere, 4);
    for (const base of [0, elsewhere, 0xffff_f000, 0xffff_ffff, 0xe041_0000]) {
      for (const [offset] of homes) d.fn.writeConfig(offset, 4, base);
      // RAM is in front of a BAR.
      d.bench.memory.write(elsewhere, 4, 0x1234_5678);
      expect(d.bench.ram.read(elsewhere, 4)).toBe(0x1234_5678);
      d.bench.ram.write(elsewhere, 4, word);
    }
    for (const [offset, base] of homes) d.fn.writeConfig(offset, 4, base);
    expect(d.works(ring)).toBe(true);
  });

  it("case 28: neither reads nor writes nor sends without bus mastering", () => {
    const d = disk(form);
    const ring = d.start();
    ring.offer(d.request);
    d.fn.writeConfig(4, 2, 3);
    const before = d.bench.ram.contents().slice();
    d.go();
    expect([sameBytes(d.bench.ram.contents(), before), d.bench.taken()]).toEqual([true, []]);
    d.fn.writeConfig(4, 2, 7);
    d.reset();
    expect(d.works(d.start())).toBe(true);
  });

  it("case 28: is the same function after all ones were written to every register, and these put back", () => {
    const d = disk(form);
    const saved = Array.from({ length: 64 }, (_, i) => d.fn.readConfig(4 * i, 4));
    for (const width of [1, 2, 4] as const)
      for (let at = 0; at < 256; at += width) d.fn.writeConfig(at, width, 0xffff_ffff);
    for (const at of [0, 8, 0x2c, 0x34]) expect(d.fn.readConfig(at, 4)).toBe(saved[at / 4]);
    for (let at = 252; at >= 4; at -= 4) d.fn.writeConfig(at, 4, saved[at / 4] as number);
    enableMsix(d.bench, d.fn);
    expect(d.works(d.start())).toBe(true);
  });
});
