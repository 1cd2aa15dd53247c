import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indirect, ramSize, splitFixture } from "./fixture.ts";

/** The driver's tables are below this; buffers of the properties are above. */
const buffersAt = 0x1_0000;

describe("a split queue under random drivers", () => {
  it("carries every byte of well-formed chains and never writes outside of writable buffers", () => {
    const buffer = fc.record({ write: fc.boolean(), length: fc.nat(40) });
    const chains = fc.array(
      fc.record({ buffers: fc.array(buffer, { minLength: 1, maxLength: 8 }), indirect: fc.boolean() }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(chains, fc.constantFrom("little", "big"), (list, order) => {
        const f = splitFixture({ size: 8, order: order as "little" | "big", features: indirect });
        for (const { buffers, indirect: byTable } of list) {
          f.ring.recycle(buffersAt);
          f.ram.fill(buffersAt, 0x2000, 0x11);
          const ordered = [...buffers.filter((b) => !b.write), ...buffers.filter((b) => b.write)];
          const offered = f.ring.offer(
            ordered.map((b, i) => (b.write ? { write: b.length } : { read: new Uint8Array(b.length).fill(100 + i) })),
            { indirect: byTable },
          );
          const before = f.ram.contents().slice(buffersAt, buffersAt + 0x2000);
          f.queue.drain();
          const chain = f.queue.take();
          if (chain === undefined) throw new Error(f.broken[0]);
          const readable = new Uint8Array(chain.readableLength);
          expect(chain.read(0, readable)).toBe(true);
          expect([...readable]).toEqual(ordered.flatMap((b, i) => (b.write ? [] : new Array(b.length).fill(100 + i))));
          const pattern = Uint8Array.from({ length: chain.writableLength }, (_, i) => i + 1);
          expect(chain.write(0, pattern)).toBe(true);
          f.queue.give(chain, pattern.length);
          expect(f.ring.used()).toEqual([{ head: offered.head, length: pattern.length }]);
          expect(f.ring.written(offered)).toEqual(pattern);
          const after = f.ram.contents().slice(buffersAt, buffersAt + 0x2000);
          for (const { at, length, writable } of offered.buffers)
            if (writable) after.set(before.subarray(at - buffersAt, at - buffersAt + length), at - buffersAt);
          expect(after).toEqual(before);
        }
        expect(f.broken).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it("never throws, never walks longer than its size, and writes only the used ring and writable buffers", () => {
    // A descriptor as likely to be nearly right as to be noise.
    const descriptor = fc.record({
      address: fc.oneof(fc.nat(ramSize), fc.constantFrom(buffersAt, 0x1000, 0x8000, ramSize - 1, 2 ** 40, 2 ** 63)),
      length: fc.oneof(fc.nat(64), fc.constantFrom(0, 16, 32, 128, 0xffff_ffff)),
      flags: fc.oneof(fc.nat(7), fc.nat(0xffff)),
      next: fc.oneof(fc.nat(8), fc.nat(0xffff)),
    });
    fc.assert(
      fc.property(
        fc.array(descriptor, { minLength: 8, maxLength: 8 }),
        fc.array(descriptor, { minLength: 8, maxLength: 8 }),
        fc.array(fc.oneof(fc.nat(8), fc.nat(0xffff)), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (direct, inTable, heads, withIndirect) => {
          const f = splitFixture({ size: 8, features: withIndirect ? indirect : 0n });
          for (const [i, d] of direct.entries()) f.ring.descriptor(i, d.address, d.length, d.flags, d.next);
          for (const [i, d] of inTable.entries()) f.ring.descriptor(i, d.address, d.length, d.flags, d.next, 0x8000);
          for (const head of heads) f.ring.makeAvailable(head);
          let taken = 0;
          f.queue.drain();
          for (let chain = f.queue.take(); chain !== undefined; chain = f.queue.take()) {
            taken++;
            const length = Math.min(chain.writableLength, 64);
            const before = f.ram.contents().slice();
            const ok = chain.write(0, new Uint8Array(length).fill(0xcc));
            const changed = f.ram.contents().filter((byte, i) => byte !== before[i]).length;
            expect(changed).toBeLessThanOrEqual(ok ? length : 0);
            f.queue.give(chain, ok ? length : 0);
          }
          f.queue.signal();
          expect(taken).toBeLessThanOrEqual(8);
          // Eight descriptors for each of eight heads, one for each table, and the bytes moved.
          expect(f.queue.work.units).toBeLessThanOrEqual(8 * 9 + 8);
        },
      ),
      { numRuns: 400 },
    );
  });
});
