import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlockBackend } from "../../src/backend/block.ts";

/** The answer of an operation which is done when its call returns, or later. */
function answer(operation: (done: (ok: boolean) => void) => void): Promise<boolean> {
  return new Promise((resolve) => operation(resolve));
}

type Step = { kind: "write" | "zero" | "discard" | "read"; offset: number; length: number; byte: number };

/** What every writable block backend does. `make` gives one of `size` bytes, all `fill`. */
export function blockConformance(name: string, make: (size: number, fill: number) => BlockBackend): void {
  describe(`${name} as a block backend`, () => {
    it("refuses a range which is not on the disk, and changes nothing", async () => {
      const disk = make(1000, 7);
      const inside = new Uint8Array(10);
      for (const offset of [991, 1000, -1, 2 ** 53]) {
        expect(await answer((done) => disk.read(offset, inside, done))).toBe(false);
        expect(await answer((done) => disk.write(offset, inside, done))).toBe(false);
        expect(await answer((done) => disk.writeZeroes(offset, 10, done))).toBe(false);
        expect(await answer((done) => disk.discard(offset, 10, done))).toBe(false);
      }
      const all = new Uint8Array(1000);
      expect(await answer((done) => disk.read(0, all, done))).toBe(true);
      expect(all.every((byte) => byte === 7)).toBe(true);
    });

    it("reads back what was written, as an array of bytes would", async () => {
      const size = 300_000;
      const step = fc.record({
        kind: fc.constantFrom<Step["kind"]>("write", "zero", "discard", "read"),
        offset: fc.oneof(fc.nat(size), fc.constantFrom(0, 65536, 131072, 65535, 196607)),
        length: fc.oneof(fc.nat(600), fc.constantFrom(65536, 131072, 100_000)),
        byte: fc.nat(255),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const disk = make(size, 9);
          const model = new Uint8Array(size).fill(9);
          // What was discarded may read as anything.
          const unknown = new Uint8Array(size);
          for (const { kind, offset, length, byte } of steps) {
            const fits = offset + length <= size;
            const data = new Uint8Array(length).fill(byte);
            const ok = await answer((done) => {
              if (kind === "write") disk.write(offset, data, done);
              else if (kind === "zero") disk.writeZeroes(offset, length, done);
              else if (kind === "discard") disk.discard(offset, length, done);
              else disk.read(offset, data, done);
            });
            expect(ok).toBe(fits);
            if (!fits) continue;
            if (kind === "read") {
              for (let i = 0; i < length; i++)
                if (unknown[offset + i] === 0 && data[i] !== model[offset + i]) expect.fail(`byte ${offset + i}`);
            } else {
              model.fill(kind === "write" ? byte : 0, offset, offset + length);
              unknown.fill(kind === "discard" ? 1 : 0, offset, offset + length);
            }
          }
          expect(await answer((done) => disk.flush(done))).toBe(true);
        }),
        { numRuns: 60 },
      );
    });

    it("fills several places as one, where it can", async () => {
      const disk = make(200_000, 3);
      if (disk.readv === undefined) return;
      await answer((done) =>
        disk.write(
          65530,
          new Uint8Array(20).map((_, i) => i),
          done,
        ),
      );
      const lengths = fc.array(fc.oneof(fc.nat(3), fc.nat(70_000)), { maxLength: 6 });
      const offset = fc.oneof(fc.nat(200_000), fc.integer({ min: 65_500, max: 65_560 }));
      await fc.assert(
        fc.asyncProperty(offset, lengths, async (offset, lengths) => {
          const whole = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
          const expected = await answer((done) => disk.read(offset, whole, done));
          const places = lengths.map((length) => new Uint8Array(length));
          expect(disk.readv?.(offset, places)).toBe(expected);
          if (expected) expect(Buffer.compare(Buffer.concat(places), whole)).toBe(0);
        }),
        { numRuns: 60 },
      );
    });

    it("takes effect in the order of asking, answered or not", async () => {
      const disk = make(65536 * 2, 0);
      const read = new Uint8Array(4);
      await Promise.all([
        answer((done) => disk.write(65534, new Uint8Array([1, 2, 3, 4]), done)),
        answer((done) => disk.write(65535, new Uint8Array([9]), done)),
        answer((done) => disk.read(65534, read, done)),
      ]);
      expect([...read]).toEqual([1, 9, 3, 4]);
    });
  });
}
