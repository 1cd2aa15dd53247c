import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PackedDriverRing, packedFlags } from "../../support/packed-ring.ts";
import {
  eventIndex,
  type FixtureOptions,
  indirect,
  inOrder,
  packedFixture,
  type QueueFixture,
  ramSize,
} from "./fixture.ts";

const { next, write, indirect: table, available, used } = packedFlags;
type Fixture = QueueFixture<PackedDriverRing>;
const make = (options: FixtureOptions = {}) => packedFixture(options);

/** Expects a breach of the ring's rules: no chain, the device told once, and silence ever after (policy R3). */
function expectBroken(f: Fixture, why: RegExp): void {
  expect(f.queue.take()).toBeUndefined();
  expect(f.broken).toHaveLength(1);
  expect(f.broken[0]).toMatch(why);
  const before = f.ram.contents().slice(0x1000, 0x2000);
  f.queue.drain();
  expect(f.queue.take()).toBeUndefined();
  f.queue.signal();
  expect([f.broken.length, f.interrupts]).toEqual([1, []]);
  expect(f.ram.contents().slice(0x1000, 0x2000)).toEqual(before);
}

describe("a packed queue and a hostile driver", () => {
  it("case 1: stops at a list which never ends, at the cost of the ring's size", () => {
    const f = make();
    for (let i = 0; i < 8; i++) f.ring.descriptor(i, 0x1_0000, 1, 0, available | next);
    expectBroken(f, /more than 8 descriptors/);
    expect(f.queue.work.units).toBeLessThanOrEqual(8);
  });

  it("case 3: touches no byte of a buffer which is not all in RAM", () => {
    for (const address of [ramSize, ramSize - 2, 0xffff_fffe, 2 ** 36 - 2, 2 ** 64 - 4096]) {
      const f = make();
      f.ring.put(address, 4, 0, next);
      f.ring.put(address, 4, 0, write);
      const chain = f.queue.take();
      if (chain === undefined) throw new Error("no chain");
      const before = f.ram.contents().slice();
      expect(chain.read(0, new Uint8Array(4))).toBe(false);
      expect(chain.write(0, new Uint8Array(4).fill(0xee))).toBe(false);
      expect(f.ram.contents().every((byte, i) => byte === before[i])).toBe(true);
      f.queue.give(chain, 0);
      expect(f.ring.usedIndex).toBe(1);
    }
  });

  it("case 4: refuses an indirect descriptor without the feature, and one in a list of several, wherever it is (2.8.19)", () => {
    const without = make();
    without.ring.put(0x8000, 16, 0, table);
    expectBroken(without, /without the feature/);
    for (const [first, second] of [
      [table | next, 0],
      [next, table],
    ] as const) {
      const f = make({ features: indirect });
      f.ring.put(0x8000, 16, 0, first);
      f.ring.put(0x8000, 16, 0, second);
      expectBroken(f, /in a list of several/);
    }
  });

  it("case 4: does not follow a table out of a table: the flag is ignored there (2.8.7)", () => {
    const f = make({ features: indirect });
    f.ring.descriptor(0, 0x8000, 16, 0, table, 0x8000);
    f.ring.put(0x8000, 16, 0, table);
    expect([f.queue.take()?.readableLength, f.broken]).toEqual([16, []]);
  });

  it("case 5: refuses an indirect table of no length, of part of an entry, outside of RAM, or longer than the queue", () => {
    for (const [address, length, why] of [
      [0x8000, 0, /table of 0 bytes/],
      [0x8000, 17, /table of 17 bytes/],
      [ramSize, 16, /not in RAM/],
      [ramSize - 16, 32, /not in RAM/],
      [2 ** 64 - 4096, 16, /not in RAM/],
      [0x8000, 9 * 16, /9 entries for a queue of 8/],
      [0x8000, 0xffff_fff0, /268435455 entries/],
    ] as const) {
      const f = make({ features: indirect });
      f.ring.put(address, length, 0, table);
      expectBroken(f, why);
    }
  });

  it("case 8: refuses a readable buffer after a writable one, in the ring and in a table", () => {
    const f = make();
    f.ring.offer([{ write: 1 }, { read: new Uint8Array(1) }]);
    expectBroken(f, /readable buffer after a writable/);
    const g = make({ features: indirect });
    g.ring.offer([{ write: 1 }, { read: new Uint8Array(1) }], { indirect: true });
    expectBroken(g, /readable buffer after a writable/);
  });

  it("case 10: refuses a list of more than 2 ** 32 bytes, and takes one of as many", () => {
    for (const [last, ok] of [
      [1, true],
      [2, false],
    ] as const) {
      const f = make();
      f.ring.put(0x1_0000, 0xffff_ffff, 0, write | next);
      f.ring.put(0x1_0000, last, 0, write);
      if (ok) expect(f.queue.take()?.writableLength).toBe(2 ** 32);
      else expectBroken(f, /more than 4 GiB/);
    }
  });

  it("case 12: never has more descriptors in hand than the ring, though the driver makes those available again", () => {
    const f = make();
    for (let i = 0; i < 8; i++) f.ring.put(0x1_0000, 1, i, write);
    for (let i = 0; i < 8; i++) expect(f.queue.take()).toBeDefined();
    // None of them was used, so none is the driver's.
    f.ring.put(0x1_0000, 1, 0, write);
    f.queue.drain();
    expectBroken(f, /more than 8 descriptors with those in hand/);
  });

  it("cases 15 and 23: breaks the device when its ring is not in RAM, whichever part it is, before a buffer is touched", () => {
    for (const area of ["descriptorArea", "driverArea", "deviceArea"] as const) {
      const f = make();
      f.ring.offer([{ write: 1 }]);
      f.queue.start({ ...f.ring.ring, [area]: ramSize });
      expect(f.queue.take()).toBeUndefined();
      expect(f.broken, area).toHaveLength(1);
      expect(f.broken[0]).toMatch(/not in RAM/);
    }
  });

  it("case 15: survives a ring whose parts lie on each other", () => {
    const f = make({ features: eventIndex });
    const { descriptorArea } = f.ring.ring;
    f.queue.start({ ...f.ring.ring, driverArea: descriptorArea, deviceArea: descriptorArea });
    f.ring.put(0x1_0000, 1, 0, write);
    for (let i = 0; i < 100; i++) {
      f.queue.drain();
      const chain = f.queue.take();
      if (chain !== undefined) f.queue.give(chain, 0xffff_ffff);
      f.queue.signal();
    }
    expect(f.broken.length).toBeLessThanOrEqual(1);
  });

  it("is not stirred by an event far outside of the ring", () => {
    const f = make({ features: eventIndex, size: 3 });
    for (let i = 0; i < 12; i++) {
      f.ring.setEvents(2, 0x7fff, i & 1);
      f.ring.offer([{ write: 1 }]);
      f.queue.drain();
      const chain = f.queue.take();
      if (chain !== undefined) f.queue.give(chain, 0);
      f.queue.signal();
    }
    expect([f.interrupts, f.broken]).toEqual([[], []]);
  });
});

describe("a packed queue under random drivers", () => {
  it("carries every byte of well-formed lists in rings of any size, whatever order they come back in", () => {
    const buffer = fc.record({ write: fc.boolean(), length: fc.nat(24) });
    const list = fc.record({ buffers: fc.array(buffer, { minLength: 1, maxLength: 4 }), byTable: fc.boolean() });
    const rounds = fc.array(fc.tuple(fc.array(list, { minLength: 1, maxLength: 3 }), fc.nat(5), fc.boolean()), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(rounds, fc.integer({ min: 12, max: 17 }), fc.boolean(), (all, size, ordered) => {
        const f = packedFixture({ size, features: indirect | (ordered ? inOrder : 0n) });
        for (const [lists, turn, moved] of all) {
          f.ring.recycle(0x1_0000);
          f.queue.drain();
          const offered = lists.map(({ buffers, byTable }, n) =>
            f.ring.offer(
              [...buffers.filter((b) => !b.write), ...buffers.filter((b) => b.write)].map((b, i) =>
                b.write ? { write: b.length } : { read: new Uint8Array(b.length).fill(16 * n + i) },
              ),
              { indirect: byTable },
            ),
          );
          let chains = lists.map(() => f.queue.take());
          if (moved) {
            // The machine is saved and another one goes on with it.
            const names = chains.map((chain) => chain?.head as number);
            const saved = f.queue.state.save();
            f.queue.reset();
            f.queue.state.restore(saved);
            f.queue.restored?.();
            chains = names.map((name) => f.queue.retake(name));
          }
          const back: number[] = [];
          for (let i = 0; i < lists.length; i++) {
            const n = (i * (lists.length === 2 ? 1 : 2) + turn) % lists.length;
            back.push(n);
            const [chain, sent] = [chains[n], offered[n]];
            if (chain === undefined || sent === undefined) throw new Error(f.broken[0] ?? "no chain");
            const bytes = new Uint8Array(chain.readableLength);
            expect(chain.read(0, bytes)).toBe(true);
            const readable = sent.buffers.filter((b) => !b.writable);
            expect([...bytes]).toEqual(readable.flatMap((b, k) => new Array(b.length).fill(16 * n + k)));
            const pattern = Uint8Array.from({ length: chain.writableLength }, (_, k) => k + n + 1);
            expect(chain.write(0, pattern)).toBe(true);
            f.queue.give(chain, pattern.length);
            expect(f.ring.written(sent)).toEqual(pattern);
          }
          f.queue.signal();
          const order = ordered ? back.toSorted((a, b) => a - b) : back;
          expect(f.ring.used()).toEqual(
            order.map((n) => ({
              head: offered[n]?.head,
              length: offered[n]?.buffers.reduce((sum, b) => sum + (b.writable ? b.length : 0), 0),
            })),
          );
        }
        expect([f.broken, f.queue.state.save().occupied]).toEqual([[], 0]);
      }),
      { numRuns: 200 },
    );
  });

  it("never throws, never walks longer than its size, and writes only its ring and writable buffers", () => {
    const marks = fc.constantFrom(available, available, used, 0, available | used);
    const descriptor = fc.record({
      address: fc.oneof(fc.nat(ramSize), fc.constantFrom(0x1_0000, 0x1000, 0x8000, ramSize - 1, 2 ** 40, 2 ** 63)),
      length: fc.oneof(fc.nat(64), fc.constantFrom(0, 16, 32, 128, 0xffff_ffff)),
      id: fc.nat(0xffff),
      flags: fc
        .tuple(marks, fc.oneof(fc.nat(7), fc.nat(0xffff)))
        .map(([mark, rest]) => mark | (rest & ~(available | used))),
    });
    const descriptors = fc.array(descriptor, { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(descriptors, descriptors, fc.nat(7), (direct, inTable, bits) => {
        const features = (bits & 1 ? indirect : 0n) | (bits & 2 ? eventIndex : 0n) | (bits & 4 ? inOrder : 0n);
        const f = packedFixture({ size: 7, features });
        for (const [i, d] of direct.entries()) f.ring.descriptor(i, d.address, d.length, d.id, d.flags);
        for (const [i, d] of inTable.entries()) f.ring.descriptor(i, d.address, d.length, d.id, d.flags, 0x8000);
        const { descriptorArea, deviceArea } = f.ring.ring;
        let taken = 0;
        f.queue.drain();
        for (let chain = f.queue.take(); chain !== undefined; chain = f.queue.take()) {
          taken++;
          const length = Math.min(chain.writableLength, 64);
          const before = f.ram.contents().slice();
          const ok = chain.write(0, new Uint8Array(length).fill(0xcc));
          const changed = f.ram.contents().filter((byte, i) => byte !== before[i]).length;
          expect(changed).toBeLessThanOrEqual(ok ? length : 0);
          const between = f.ram.contents().slice();
          f.queue.give(chain, ok ? length : 0);
          const elsewhere = f.ram
            .contents()
            .findIndex((byte, i) => byte !== between[i] && !(i >= descriptorArea && i < deviceArea + 4));
          expect(elsewhere).toBe(-1);
        }
        f.queue.signal();
        expect(taken).toBeLessThanOrEqual(7);
        // A copy of each descriptor and a table for each, once for those which fill the ring and at most once more, and the bytes moved.
        expect(f.queue.work.units).toBeLessThanOrEqual(7 * 8 + 8 + 7);
      }),
      { numRuns: 300 },
    );
  });
});
