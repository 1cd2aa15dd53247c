import { describe, expect, it } from "vitest";
import { MemoryBlock } from "../../../src/backend/memory-block.ts";
import { Blk } from "../../../src/virtio/device/blk/blk.ts";
import { createVirtioPci } from "../../../src/virtio/pci.ts";
import { Bench } from "../../support/bench.ts";
import { ModernDriver } from "../../support/virtio-driver.ts";

/** Bits as the specification numbers them. */
const version1 = 1n << 32n;
const flush = 1n << 9n;

function header(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const fields = new DataView(bytes.buffer);
  fields.setUint32(0, type, true);
  fields.setBigUint64(8, BigInt(sector), true);
  return bytes;
}

function fixture(sectors = 64) {
  const bench = new Bench();
  const disk = new MemoryBlock(Uint8Array.from({ length: sectors * 512 }, (_, i) => (i >>> 9) + i));
  const trace = bench.trace.channel("virtio");
  const blk = new Blk("blk0", { disk, clock: bench.clock, trace });
  const fn = createVirtioPci(blk, { layout: "modern", clock: bench.clock, trace });
  bench.plug(fn);
  return { bench, disk, fn, driver: new ModernDriver(bench, fn) };
}

describe("a block device", () => {
  it("reads sectors into the driver's buffer and says so by a message", () => {
    const { bench, disk, driver } = fixture();
    const [ring] = driver.start(version1 | flush, [8], { msix: true });
    if (ring === undefined) throw new Error("no ring");
    const chain = ring.offer([{ read: header(0, 3) }, { write: 1024 }, { write: 1 }]);
    driver.kick(0);
    expect(ring.used()).toEqual([]);
    bench.clock.advance(1_000_000);
    expect(ring.used()).toEqual([{ head: chain.head, length: 1025 }]);
    const written = ring.written(chain);
    expect(written.subarray(0, 1024)).toEqual(disk.bytes.subarray(3 * 512, 5 * 512));
    expect(written[1024]).toBe(0);
    expect(bench.taken()).toEqual([101]);
  });
});
