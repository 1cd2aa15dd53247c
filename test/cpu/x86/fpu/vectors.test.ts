import { expect, describe as group, it } from "vitest";
import { describeX87, X87Runner } from "../../../support/x87-run.ts";
import { readX87Vectors } from "../../../support/x87-vectors.ts";

const vectors = readX87Vectors(new URL("../../../vectors/x86/x87.jsonl.gz", import.meta.url));
const mnemonics = [...new Set(vectors.map((v) => v.mnemonic))].sort();

group.each(["evaluator", "interpreter", "regions"] as const)(
  "on the %s every x87 instruction does what the processor did, bit for bit",
  (executor) => {
    const runner = new X87Runner(executor);
    it.each(mnemonics)("%s", (mnemonic) => {
      for (const v of vectors) {
        if (v.mnemonic !== mnemonic) continue;
        const wrong = runner.check(v);
        if (wrong.length > 0) expect.fail(`${describeX87(v)}: ${wrong.join("; ")}`);
      }
    });
  },
);

it("has vectors for every x87 instruction whose result is fixed, in all rounding modes and precisions", () => {
  expect(vectors.length).toBeGreaterThan(6000);
  expect(mnemonics.length).toBeGreaterThan(100);
  const modes = new Set(vectors.map((v) => (v.before.control >> 8) & 0xf));
  expect(modes.size).toBe(16);
  expect(vectors.some((v) => v.trap === 16)).toBe(true);
});
