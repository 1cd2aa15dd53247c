import { describe, expect, it } from "vitest";
import { executors } from "./bare.ts";
import { vectorRunner } from "./run-vector.ts";
import { readVectors } from "./vectors.ts";

const vectors = readVectors(new URL("../../vectors/e500/integer.txt.gz", import.meta.url));
const byMnemonic = Map.groupBy(vectors, (v) => v.mnemonic);
const mnemonics = [...byMnemonic.keys()];

describe.each(executors)("on the %s every instruction does what qemu-ppc's e500mc did", (executor) => {
  const check = vectorRunner(executor);
  it.each(mnemonics)("%s", (mnemonic) => {
    // A region is made for every case, which takes its time: one in four, among them the edge values that come first.
    const cases = (byMnemonic.get(mnemonic) ?? []).filter((_, k) => executor !== "regions" || k < 20 || k % 6 === 0);
    for (const vector of cases) {
      const wrong = check(vector);
      if (wrong !== undefined) expect.fail(wrong);
    }
  });
});

it("has 200 cases of every user-mode integer instruction", () => {
  expect(mnemonics.length).toBe(184);
  for (const mnemonic of mnemonics) expect(byMnemonic.get(mnemonic)?.length, mnemonic).toBe(200);
});
