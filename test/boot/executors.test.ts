import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { boot } from "../../src/host/index.ts";

/** A whole self-test: instructions, RAM and console at its end. */
async function run(machine: string, exec: "jit" | "interp") {
  await using vm = await boot({ machine, append: "selftest", exec });
  // So short a run has few places that get hot by themselves.
  vm.machine.cpu.warmth = 8;
  expect(await vm.exit).toBe(0);
  const { instructions, regions } = vm.stats();
  const ram = createHash("sha256").update(vm.machine.ram.contents()).digest("hex");
  return { regions, run: { instructions, ram, console: vm.console.text } };
}

describe("a self-test on both executors", () => {
  test.each(["pc", "ppce500"])("on %s is the same run, instruction for instruction", async (machine) => {
    const interpreted = await run(machine, "interp");
    const translated = await run(machine, "jit");
    expect(interpreted.regions).toBe(0);
    expect(translated.regions).toBeGreaterThan(10);
    expect(translated.run).toEqual(interpreted.run);
  });
});
