import { expect, describe as group, it } from "vitest";
import { describeSimd, SimdRunner } from "../../support/simd-run.ts";
import { readSimdVectors } from "../../support/simd-vectors.ts";

const vectors = readSimdVectors(new URL("../../vectors/x86/simd.jsonl.gz", import.meta.url));
const mnemonics = [...new Set(vectors.map((v) => v.mnemonic))].sort();

group.each(["evaluator", "interpreter", "regions"] as const)(
  "on the %s every MMX and SSE instruction does what the processor did, bit for bit",
  (executor) => {
    const runner = new SimdRunner(executor);
    it.each(mnemonics)("%s", (mnemonic) => {
      for (const v of vectors) {
        if (v.mnemonic !== mnemonic) continue;
        const wrong = runner.check(v);
        if (wrong.length > 0) expect.fail(`${describeSimd(v)}: ${wrong.join("; ")}`);
      }
    });
  },
);

it("has vectors for every instruction, in all rounding modes, with exceptions taken", () => {
  expect(vectors.length).toBeGreaterThan(5000);
  expect(mnemonics.length).toBeGreaterThan(240);
  expect(new Set(vectors.map((v) => (v.before.mxcsr >> 13) & 3)).size).toBe(4);
  for (const trap of [3, 13, 19]) expect(vectors.some((v) => v.trap === trap)).toBe(true);
});
