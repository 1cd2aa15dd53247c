import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IrqLine } from "../../src/bus/line.ts";
import type { Device } from "../../src/bus/state.ts";
import type { BusTarget, Width } from "../../src/bus/target.ts";
import type { ManualClock } from "../../src/time/clock.ts";
import { type Channel, Trace } from "../../src/trace/trace.ts";

/** A chip on a bench: its targets with their sizes, and what its wires said. */
export interface Bench {
  readonly device: Device;
  readonly targets: readonly { readonly target: BusTarget; readonly size: number }[];
  readonly clock: ManualClock;
  readonly lines: readonly Probe[];
  /** Changes which come from outside: lines pulled, bytes received. `n` is any number from 0 to 255. */
  readonly disturb?: (n: number) => void;
  /** Fields which a reset leaves alone, since they hang on a battery or are levels of wires. */
  readonly kept?: readonly string[];
}

/** The far end of a line. */
export class Probe implements IrqLine {
  level = false;
  rises = 0;

  set(level: boolean): void {
    if (level && !this.level) this.rises++;
    this.level = level;
  }
}

export function quiet(name = "test"): Channel {
  return new Trace().channel(name);
}

interface Step {
  readonly kind: "read" | "write" | "wait" | "disturb";
  readonly where: number;
  readonly width: Width;
  readonly value: number;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("read" as const, "write" as const, "write" as const),
      where: fc.nat(),
      width: fc.constantFrom<Width>(1, 2, 4),
      value: fc.oneof(fc.nat(0xff), fc.integer({ min: 0, max: 0xffff_ffff })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.nat(3_000_000).map((value) => ({ kind: "wait" as const, where: 0, width: 1 as Width, value })),
  },
  {
    weight: 1,
    arbitrary: fc.nat(255).map((value) => ({ kind: "disturb" as const, where: 0, width: 1 as Width, value })),
  },
);

function take(bench: Bench, s: Step): void {
  if (s.kind === "wait") bench.clock.advance(s.value);
  else if (s.kind === "disturb") bench.disturb?.(s.value);
  else {
    const at = bench.targets[s.where % bench.targets.length]!;
    const offset = Math.floor(s.where / bench.targets.length) % (at.size - s.width + 1 > 0 ? at.size - s.width + 1 : 1);
    if (s.kind === "read") {
      const value = at.target.read(offset, s.width);
      if (!(value >= 0 && value < 2 ** (8 * s.width)) || !Number.isInteger(value))
        throw new Error(`read ${s.width} at ${offset} gave ${value}`);
    } else at.target.write(offset, s.width, s.width === 4 ? s.value : s.value % 2 ** (8 * s.width));
  }
}

/** What the outside can see of a chip now: the levels of its lines, then all that reading gives. */
function look(bench: Bench): unknown {
  const levels = bench.lines.map((line) => line.level);
  const reads: number[] = [];
  for (const { target, size } of bench.targets)
    for (let offset = 0; offset < Math.min(size, 512); offset++) reads.push(target.read(offset, 1));
  return { levels, reads };
}

/** What every chip has to hold, whatever it is. */
export function conforms(name: string, make: () => Bench, runs = 60): void {
  describe(`${name} as any device`, () => {
    it("is after a reset what it was when it was made, but for what a reset keeps", () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
          const fresh = make();
          const used = make();
          for (const s of steps) take(used, s);
          used.device.reset();
          fresh.device.reset();
          const kept = Object.fromEntries((used.kept ?? []).map((key) => [key, used.device.state.save()[key]]));
          expect(used.device.state.save()).toEqual({ ...fresh.device.state.save(), ...kept });
        }),
        { numRuns: runs },
      );
    });

    it("takes every width at every offset, and never throws", () => {
      const bench = make();
      for (const { target, size } of bench.targets)
        for (let offset = 0; offset < Math.min(size, 4096); offset++)
          for (const width of [1, 2, 4] as const)
            for (const value of [0, 0xff, 0xffff_ffff, 0x5a5a_a5a5]) {
              target.write(offset, width, width === 4 ? value : value & (2 ** (8 * width) - 1));
              const read = target.read(offset, width);
              expect(read).toBeGreaterThanOrEqual(0);
              expect(read).toBeLessThan(2 ** (8 * width));
            }
    });

    it("goes on the same after a save and a restore into another one", () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 20 }), (before, after) => {
          const one = make();
          for (const s of before) take(one, s);
          const saved = one.device.state.save();
          const two = make();
          two.clock.advance(one.clock.now - two.clock.now);
          two.device.state.restore(JSON.parse(JSON.stringify(saved)));
          two.device.restored?.();
          expect(two.device.state.save()).toEqual(saved);
          for (const s of after) {
            take(one, s);
            take(two, s);
          }
          expect(look(two)).toEqual(look(one));
          expect(two.device.state.save()).toEqual(one.device.state.save());
        }),
        { numRuns: runs },
      );
    });
  });
}
