import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressSpace, type Mapping } from "../../src/bus/space.ts";
import type { BusTarget } from "../../src/bus/target.ts";

const size = 64;

const chip = (): BusTarget => ({ read: () => 0, write: () => {} });

type Step =
  | { base: number; size: number; priority: number; offset: number; enabled: boolean }
  | { move: number; base: number; enabled: boolean }
  | { remove: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      base: fc.nat(size / 2),
      size: fc.integer({ min: 1, max: size / 2 - 1 }),
      priority: fc.constantFrom(0, 10, 50),
      offset: fc.nat(100),
      enabled: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ move: fc.nat(20), base: fc.nat(size / 2), enabled: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat(20) }) },
);

describe("windows over one another", () => {
  it("give each address to the one of the highest priority that holds it, and among equals to the one mapped first", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const space = new AddressSpace("test", size);
        let windows: { mapping: Mapping; priority: number; offset: number }[] = [];
        for (const what of steps) {
          if ("size" in what) {
            const { base, priority, offset, enabled } = what;
            const mapping = space.map(base, what.size, chip(), { name: "w", priority, offset, enabled });
            windows.push({ mapping, priority, offset });
          } else if ("move" in what) {
            windows[what.move]?.mapping.update({ base: what.base, enabled: what.enabled });
          } else {
            windows[what.remove]?.mapping.remove();
            windows = windows.filter((_, k) => k !== what.remove);
          }
          for (let address = 0; address < size; address++) {
            const holding = windows.filter(
              ({ mapping: { base, size: bytes, enabled } }) => enabled && address >= base && address < base + bytes,
            );
            const first = Math.max(...holding.map(({ priority }) => priority));
            const seen = holding.find(({ priority }) => priority === first);
            const found = space.find(address);
            expect(found?.target).toBe(seen?.mapping.target);
            if (seen !== undefined)
              expect(address + (found?.delta ?? 0)).toBe(address - seen.mapping.base + seen.offset);
          }
          let past = 0;
          for (const { start, end } of space.segments()) {
            expect(start).toBeGreaterThanOrEqual(past);
            expect(end).toBeGreaterThan(start);
            past = end;
          }
        }
      }),
    );
  });
});
