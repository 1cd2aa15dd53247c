import { describe, expect, it } from "vitest";
import { executors } from "./bare.ts";
import { vectorRunner } from "./run-vector.ts";
import { readVectors } from "./vectors.ts";

const vectors = readVectors(new URL("../../vectors/e500/integer.txt.gz", import.meta.url));
const mnemonics = [...new Set(vectors.map((v) => v.mnemonic))];

describe.each(executors)("on the %s every instruction does what qemu-ppc's e500mc did", (executor) => {
  const check = vectorRunner(executor);
  it.each(mnemonics)("%s", (mnemonic) => {
    for (const vector of vectors) {
      if (vector.mnemonic !== mnemonic) continue;
      const wrong = check(vector);
      if (wrong !== undefined) expect.fail(wrong);
    }
  });
});

it("has 200 cases of every user-mode integer instruction", () => {
  expect(mnemonics.length).toBe(184);
  for (const mnemonic of mnemonics) expect(vectors.filter((v) => v.mnemonic === mnemonic).length, mnemonic).toBe(200);
});
