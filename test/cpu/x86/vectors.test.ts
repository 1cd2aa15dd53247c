import { expect, describe as group, it } from "vitest";
import { describe, VectorRunner } from "../../support/x86-run.ts";
import { readVectors } from "../../support/x86-vectors.ts";

const vectors = readVectors(new URL("../../vectors/x86/p6-integer.jsonl.gz", import.meta.url));
const mnemonics = [...new Set(vectors.map((v) => v.mnemonic))].sort();

group.each(["evaluator", "interpreter", "regions"] as const)(
  "on the %s every instruction does what the processor did",
  (executor) => {
    const runner = new VectorRunner(executor);
    it.each(mnemonics)("%s", (mnemonic) => {
      for (const v of vectors) {
        if (v.mnemonic !== mnemonic) continue;
        const wrong = runner.check(v);
        if (wrong.length > 0) expect.fail(`${describe(v)}: ${wrong.join("; ")}`);
      }
    });
  },
);

it("has vectors for every kind of integer instruction", () => {
  expect(vectors.length).toBeGreaterThan(4000);
  expect(mnemonics.length).toBeGreaterThan(120);
});
