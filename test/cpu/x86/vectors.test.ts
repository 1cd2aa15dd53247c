import { expect, describe as group, it } from "vitest";
import { differences, inputs, verdict } from "../../campaign/x86-answer.ts";
import { CampaignMachine } from "../../campaign/x86-machine.ts";
import { readCaseVectors } from "../../support/case-vectors.ts";

const vectors = readCaseVectors(new URL("../../vectors/x86/integer.txt.br", import.meta.url));
const mnemonics = [...new Set(vectors.map((v) => v.mnemonic))].sort();

group.each([
  ["evaluator", 1],
  ["interpreter", 1],
  // To make a region takes a hundred times as long as to run it.
  ["regions", 24],
] as const)("on the %s every instruction does what the processor did", (executor, every) => {
  const machine = new CampaignMachine(executor);
  it.each(mnemonics)("%s", (mnemonic) => {
    for (const [k, v] of vectors.entries()) {
      if (v.mnemonic !== mnemonic || k % every !== 0) continue;
      const is = machine.run(v.case);
      if (verdict(v.case, is, v.should) !== "different") continue;
      const code = v.case.elements.map((e) => `${e.mnemonic} (${Buffer.from(e.bytes).toString("hex")})`);
      expect.fail([...code, ...inputs(v.case), ...differences(v.case, is, v.should)].join("\n"));
    }
  });
});

it("has 200 vectors for every kind of integer instruction", () => {
  const counts = Map.groupBy(vectors, (v) => v.mnemonic);
  expect(counts.size).toBeGreaterThan(150);
  // But for those that have no defined result, and what was no case for both.
  for (const [mnemonic, list] of counts)
    expect([mnemonic, list.length]).toEqual([mnemonic, expect.toSatisfy((n) => n > 150)]);
});
