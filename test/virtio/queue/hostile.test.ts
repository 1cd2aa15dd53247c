import { describe, expect, it } from "vitest";
import { sameBytes } from "../../support/bytes.ts";
import { type FixtureOptions, indirect, type QueueFixture, ramSize, splitFixture } from "./fixture.ts";

const next = 1;
const write = 2;
const table = 4;

/** Expects a breach of the ring's rules: no chain, the device told once, and silence ever after (policy R3). */
function expectBroken(f: QueueFixture, why: RegExp): void {
  expect(f.queue.take()).toBeUndefined();
  expect(f.broken).toHaveLength(1);
  expect(f.broken[0]).toMatch(why);
  const used = f.ring.usedIndex;
  f.ring.offer([{ write: 1 }]);
  f.queue.drain();
  expect(f.queue.take()).toBeUndefined();
  f.queue.signal();
  expect([f.broken.length, f.ring.usedIndex, f.interrupts]).toEqual([1, used, []]);
}

for (const order of ["little", "big"] as const) {
  const make = (options: FixtureOptions = {}) => splitFixture({ order, ...options });

  describe(`a ${order}-endian split queue and a hostile driver`, () => {
    it("case 1: stops at a loop of descriptors", () => {
      const f = make();
      f.ring.descriptor(0, 0x1_0000, 1, next, 1);
      f.ring.descriptor(1, 0x1_0000, 1, next, 0);
      f.ring.makeAvailable(0);
      expectBroken(f, /more than 8 descriptors/);
      expect(f.queue.work.units).toBeLessThanOrEqual(8);
    });

    it("case 1: stops at a loop inside of an indirect table, and at one whose buffers have no length", () => {
      const f = make({ features: indirect });
      f.ring.descriptor(0, 0x8000, 16, table, 0);
      f.ring.descriptor(0, 0x1_0000, 0, next, 0, 0x8000);
      f.ring.makeAvailable(0);
      expectBroken(f, /more than 8 descriptors/);
    });

    it("case 2: does not follow a next beyond the queue", () => {
      for (const index of [8, 9, 0xffff]) {
        const f = make();
        f.ring.descriptor(0, 0x1_0000, 1, next, index);
        f.ring.makeAvailable(0);
        expectBroken(f, /next \d+ of 8/);
      }
    });

    it("case 2: does not follow a next beyond an indirect table", () => {
      const f = make({ features: indirect });
      f.ring.descriptor(0, 0x8000, 32, table, 0);
      f.ring.descriptor(0, 0x1_0000, 1, next, 2, 0x8000);
      f.ring.makeAvailable(0);
      expectBroken(f, /next 2 of 2/);
    });

    it("case 2: takes no head beyond the queue", () => {
      for (const head of [8, 0xffff]) {
        const f = make();
        f.ring.makeAvailable(head);
        expectBroken(f, /head \d+ of 8/);
      }
    });

    it("case 3: touches no byte of a buffer which is not all in RAM", () => {
      const outside = [
        { address: ramSize, length: 4 },
        { address: ramSize - 2, length: 4 },
        { address: 0xffff_fffe, length: 4 },
        { address: 2 ** 36 - 2, length: 4 },
        { address: 2 ** 64 - 4096, length: 4 },
        { address: 0x1_0000, length: 0xffff_fff0 },
      ];
      for (const { address, length } of outside) {
        const f = make();
        f.ring.descriptor(0, address, Math.min(length, 4), next, 1);
        f.ring.descriptor(1, address, length, write, 0);
        f.ring.makeAvailable(0);
        const before = f.ram.contents().slice();
        const chain = f.queue.take();
        if (chain === undefined) throw new Error("no chain");
        expect(chain.read(0, new Uint8Array(4)), `read at ${address}`).toBe(address === 0x1_0000);
        expect(chain.canWrite(0, Math.min(length, 2 ** 20)), `write at ${address}`).toBe(false);
        if (length === 4) expect(chain.write(0, new Uint8Array(4).fill(0xee))).toBe(false);
        expect(sameBytes(f.ram.contents(), before)).toBe(true);
        f.queue.give(chain, 0);
        expect(f.ring.used()).toHaveLength(1);
      }
    });

    it("case 3: writes none of several buffers when one of them is not RAM", () => {
      const f = make();
      f.ring.descriptor(0, 0x1_0000, 4, write | next, 1);
      f.ring.descriptor(1, ramSize, 4, write, 0);
      f.ring.makeAvailable(0);
      const chain = f.queue.take();
      expect(chain?.write(0, new Uint8Array(8).fill(0xee))).toBe(false);
      expect(f.ram.contents()[0x1_0000]).toBe(0);
    });

    it("case 4: refuses an indirect descriptor in an indirect table", () => {
      const f = make({ features: indirect });
      f.ring.descriptor(0, 0x8000, 16, table, 0);
      f.ring.descriptor(0, 0x8000, 16, table, 0, 0x8000);
      f.ring.makeAvailable(0);
      expectBroken(f, /in an indirect table/);
    });

    it("case 4: refuses an indirect descriptor without the feature", () => {
      const f = make();
      f.ring.offer([{ write: 1 }], { indirect: true });
      expectBroken(f, /without the feature/);
    });

    it("case 4: refuses an indirect descriptor which has a next one", () => {
      const f = make({ features: indirect });
      f.ring.descriptor(0, 0x8000, 16, table | next, 1);
      f.ring.makeAvailable(0);
      expectBroken(f, /with a next/);
    });

    it("case 5: refuses an indirect table of no length, of part of an entry, outside of RAM, or longer than the queue", () => {
      for (const [address, length, why] of [
        [0x8000, 0, /table of 0 bytes/],
        [0x8000, 8, /table of 8 bytes/],
        [0x8000, 17, /table of 17 bytes/],
        [ramSize, 16, /not in RAM/],
        [ramSize - 16, 32, /not in RAM/],
        [2 ** 64 - 4096, 16, /not in RAM/],
        [0x8000, 9 * 16, /9 entries for a queue of 8/],
        [0x8000, 0xffff_fff0, /268435455 entries/],
      ] as const) {
        const f = make({ features: indirect });
        f.ring.descriptor(0, address, length, table, 0);
        f.ring.makeAvailable(0);
        expectBroken(f, why);
      }
    });

    it("case 5: counts direct descriptors and those of the table together", () => {
      const f = make({ features: indirect, size: 2 });
      f.ring.descriptor(0, 0x1_0000, 1, next, 1);
      f.ring.descriptor(1, 0x8000, 32, table, 0);
      f.ring.descriptor(0, 0x1_0000, 1, next, 1, 0x8000);
      f.ring.descriptor(1, 0x1_0000, 1, 0, 0, 0x8000);
      f.ring.makeAvailable(0);
      expectBroken(f, /more than 2 descriptors/);
    });

    it("case 8: refuses a readable buffer after a writable one", () => {
      const f = make();
      f.ring.offer([{ write: 1 }, { read: new Uint8Array(1) }]);
      expectBroken(f, /readable buffer after a writable/);
    });

    it("case 9: never writes to a buffer which the driver gave to be read", () => {
      const f = make();
      f.ring.offer([{ read: new Uint8Array([1, 2, 3, 4]) }]);
      const chain = f.queue.take();
      expect([chain?.writableLength, chain?.canWrite(0, 1), chain?.write(0, new Uint8Array(1))]).toEqual([
        0,
        false,
        false,
      ]);
      expect([...f.ram.contents().subarray(0x1_0000, 0x1_0004)]).toEqual([1, 2, 3, 4]);
    });

    it("case 10: refuses a chain of more than 2 ** 32 bytes, and takes one of as many", () => {
      const f = make();
      f.ring.descriptor(0, 0x1_0000, 0xffff_ffff, write | next, 1);
      f.ring.descriptor(1, 0x1_0000, 1, write, 0);
      f.ring.makeAvailable(0);
      expect(f.queue.take()?.writableLength).toBe(2 ** 32);
      f.ring.descriptor(2, 0x1_0000, 0xffff_ffff, write | next, 3);
      f.ring.descriptor(3, 0x1_0000, 2, write, 0);
      f.ring.makeAvailable(2);
      expectBroken(f, /more than 4 GiB/);
    });

    it("case 11: refuses an available index which is further ahead than the queue has entries", () => {
      for (const index of [9, 0x8000, 0xffff]) {
        const f = make();
        f.ring.setAvailableIndex(index);
        expectBroken(f, /ahead of 8/);
      }
    });

    it("case 11: refuses an available index which goes backwards", () => {
      const f = make();
      for (let i = 0; i < 3; i++) f.ring.offer([{ write: 1 }]);
      for (let i = 0; i < 3; i++) f.queue.take();
      f.ring.setAvailableIndex(2);
      expectBroken(f, /65535 ahead of 8/);
    });

    it("case 12: refuses a head which the device has already, so that it never has more than the queue", () => {
      const f = make();
      f.ring.offer([{ write: 1 }]);
      f.queue.take();
      f.ring.makeAvailable(0);
      expectBroken(f, /available twice/);
    });

    it("cases 15 and 23: breaks the device when its ring is not in RAM, whichever part it is", () => {
      for (const area of ["descriptorArea", "driverArea", "deviceArea"] as const) {
        const f = make();
        const elsewhere = { ...f.ring.ring, [area]: ramSize };
        f.queue.start(elsewhere);
        f.ring.offer([{ write: 1 }]);
        expect(f.queue.take()).toBeUndefined();
        expect(f.broken, area).toHaveLength(1);
        expect(f.broken[0]).toMatch(/not in RAM/);
        expect(f.queue.take()).toBeUndefined();
      }
    });

    it("case 15: survives a ring whose parts lie on each other", () => {
      const f = make();
      const { descriptorArea } = f.ring.ring;
      f.queue.start({ ...f.ring.ring, driverArea: descriptorArea, deviceArea: descriptorArea });
      f.ring.descriptor(0, 0x1_0000, 1, write, 0);
      for (let i = 0; i < 100; i++) {
        f.queue.drain();
        const chain = f.queue.take();
        if (chain !== undefined) f.queue.give(chain, 0xffff_ffff);
        f.queue.signal();
      }
      expect(f.broken.length).toBeLessThanOrEqual(1);
    });
  });
}
