import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ticks } from "../../src/devices/ticks.ts";

const frequencies = [1193182, 3579545, 32768, 400e6, 1e9];

describe("an oscillator", () => {
  it.each(frequencies)("at %i Hz counts exactly, as integers of any size do", (hz) => {
    const ticks = new Ticks(hz);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (any) => {
        const at = Math.abs(any) % 2 ** 50;
        expect(BigInt(ticks.at(at))).toBe((BigInt(at) * BigInt(hz)) / 1_000_000_000n);
      }),
    );
  });

  it.each(frequencies)("at %i Hz tells the first nanosecond of a tick", (hz) => {
    const ticks = new Ticks(hz);
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), (n) => {
        const time = ticks.time(n);
        expect(ticks.at(time)).toBeGreaterThanOrEqual(n);
        if (time > 0) expect(ticks.at(time - 1)).toBeLessThan(n);
      }),
    );
  });

  it("refuses a frequency which it could not count exactly", () => {
    expect(() => new Ticks(123_456_789)).toThrow(RangeError);
  });
});
