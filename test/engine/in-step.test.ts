import { describe, expect, it } from "vitest";
import { e500Programs } from "../campaign/e500-programs.ts";
import { inStep, type StepTarget } from "../campaign/in-step.ts";
import { x86Programs } from "../campaign/x86-programs.ts";

const targets: readonly [string, StepTarget<never>, number][] = [
  ["x86", x86Programs as StepTarget<never>, 8],
  ["e500", e500Programs as StepTarget<never>, 12],
];

describe.each(targets)("random programs of %s", (_name, target, cases) => {
  it("leave the same machine on translated regions as on the interpreter, slice for slice", () => {
    const { difference, instructions, translated } = inStep(target, { seed: 20261122, from: 0, cases });
    expect(difference?.join("\n")).toBeUndefined();
    // They are worth little where regions run little of them.
    expect(translated).toBeGreaterThan(instructions / 8);
  });

  it("are found to differ where a register is spoiled, at the instruction behind which it is", () => {
    const wrong = 300;
    const spoiled: StepTarget<never> = {
      ...target,
      machine: (executor) => {
        const machine = target.machine(executor);
        const run = machine.run.bind(machine);
        if (executor === "regions")
          machine.run = (limit) => {
            run(limit);
            const slot = machine.slots.find(({ name }) => name === "esp" || name === "r31");
            if (slot !== undefined && machine.instructions >= wrong) machine.words[slot.index] = 0x5a5a5a5a;
          };
        return machine;
      },
    };
    const { difference } = inStep(spoiled, { seed: 1, from: 0, cases: 10 });
    expect(difference?.[0]).toMatch(/case \d+ of seed 1: .* behind instruction 300,/);
    expect(difference?.[1]).toMatch(/(esp|r31): 0x5a5a5a5a with regions/);
  });
});
