import { describe, expect, it } from "vitest";
import { verdict } from "../../campaign/e500-answer.ts";
import { codeAt, e500Case, integer } from "../../campaign/e500-cases.ts";
import { known } from "../../campaign/e500-known.ts";
import { Answer, field } from "../../campaign/e500-layout.ts";
import { CampaignMachine } from "../../campaign/e500-machine.ts";

/* The campaign's own parts, where its oracle is not. */

const seed = 20261122;
const cases = (count: number, from = 0) => Array.from({ length: count }, (_, k) => e500Case(seed, from + k));

describe("the e500's campaign", () => {
  it("makes the same case again from its seed and number", () => {
    for (const number of [0, 1, 511, 512, 123_456_789]) expect(e500Case(seed, number)).toEqual(e500Case(seed, number));
    expect(e500Case(seed, 1)).not.toEqual(e500Case(seed + 1, 1));
  });

  it("has every user-mode integer instruction in twenty thousand cases", () => {
    const met = new Set(cases(20_000).flatMap((c) => c.elements.map((e) => e.mnemonic)));
    const missing = integer.flatMap((g) => g.opcodes.map((o) => o.row.mnemonic)).filter((name) => !met.has(name));
    // One group has what is privileged, and is seldom.
    const seldom = new Set(integer.find((g) => g.name === "privileged")?.opcodes.map((o) => o.row.mnemonic));
    expect(missing.filter((name) => !seldom.has(name))).toEqual([]);
  });

  it("makes cases which end: at an ending behind them or in a signal", () => {
    const machine = new CampaignMachine("interpreter");
    for (const c of cases(3000)) {
      const answer = machine.run(c);
      expect(answer.word(field.signal)).toBeLessThan(0x20);
      if (answer.word(field.signal) === 0)
        expect(answer.word(field.pc)).toBeGreaterThanOrEqual(codeAt(c.slot) + 4 * c.elements.length);
    }
  });

  it("sees a bit of difference in any word of an answer, but in what is undefined", () => {
    const machine = new CampaignMachine("interpreter");
    const [c] = cases(50).filter(({ elements }) => elements.length > 3);
    if (c === undefined) throw new Error("no sequence");
    const is = machine.run(c);
    for (const word of [0, 31, field.cr, field.lr, field.ctr, field.signal, field.pc, field.address, 100, 167]) {
      const other = new Answer(is.bytes.slice());
      other.view.setUint32(4 * word, other.word(word) ^ 1);
      expect(verdict(c, is, other, new Map()), `word ${word}`).toBe("different");
    }
    const reserved = new Answer(is.bytes.slice());
    reserved.view.setUint32(4 * field.xer, reserved.word(field.xer) ^ 0x100);
    expect(verdict(c, is, reserved, new Map())).toBe("same");
  });

  it("has a reason for each difference that it knows", () => {
    expect(new Set(known.map((k) => k.name)).size).toBe(known.length);
    for (const { name, reason } of known) expect(reason.length, name).toBeGreaterThan(20);
  });
});

describe("random cases come out alike", () => {
  it.each([
    ["evaluator", 2000],
    ["regions", 200],
  ] as const)("on the interpreter and on the %s", (executor, count) => {
    const one = new CampaignMachine("interpreter");
    const other = new CampaignMachine(executor);
    for (const [k, c] of cases(count, 1000).entries()) {
      const same = Buffer.compare(one.run(c).bytes, other.run(c).bytes) === 0;
      expect(same, `case ${1000 + k} of seed ${seed}`).toBe(true);
    }
  });
});
