import { describe, expect, it } from "vitest";
import { executors } from "./bare.ts";
import { readFloatVectors } from "./float-vectors.ts";
import { FloatRunner } from "./run-float-vector.ts";

const vectors = readFloatVectors(new URL("../../vectors/e500/floating.txt.gz", import.meta.url));
const byMnemonic = Map.groupBy(vectors, (v) => v.mnemonic);
const mnemonics = [...byMnemonic.keys()];

describe.each(executors)("on the %s every floating-point instruction does what qemu-ppc's e500mc did", (executor) => {
  const runner = new FloatRunner(executor);
  it.each(mnemonics)("%s", (mnemonic) => {
    // A region is made for every case, which takes its time: one in ten.
    const cases = (byMnemonic.get(mnemonic) ?? []).filter((_, k) => executor !== "regions" || k % 10 === 0);
    for (const vector of cases) {
      const wrong = runner.check(vector);
      if (wrong !== undefined) expect.fail(wrong);
    }
  });
});

it("has 500 cases of every floating-point instruction, in all rounding modes", () => {
  expect(mnemonics.length).toBe(51);
  for (const mnemonic of mnemonics) {
    const cases = byMnemonic.get(mnemonic) ?? [];
    expect(cases.length, mnemonic).toBe(500);
    for (const mode of [0, 1, 2, 3]) expect(cases.filter((v) => (v.fpscr & 3) === mode).length).toBeGreaterThan(80);
  }
});
