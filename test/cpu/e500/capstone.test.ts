import { describe, expect, it } from "vitest";
import { capstone } from "../../campaign/capstone.ts";
import { type Comparison, differences, explain } from "./capstone-differences.ts";
import { tally } from "./compare-capstone.ts";

describe("the e500 decoder and capstone", () => {
  it("agree on the mnemonic of random words, but for the differences listed", async () => {
    const { counts, unexplained } = tally(20261122, 40_000, await capstone("e500"));
    expect(unexplained).toEqual([]);
    expect(counts.get("same")).toBeGreaterThan(20_000);
  });

  const agreed: Comparison = {
    word: 0x7c64_2a14,
    ours: "add",
    length: 4,
    theirs: "add",
    plainTheirs: "add",
    reserved: false,
    row: "add",
  };

  it("differ when a plain mnemonic is another", () => {
    expect(explain(agreed)).toBe("same");
    expect(explain({ ...agreed, theirs: "subf", plainTheirs: "subf" })).toBeUndefined();
    expect(explain({ ...agreed, reserved: true, theirs: "subf", plainTheirs: "subf" })).toBeUndefined();
    expect(explain({ ...agreed, ours: undefined })).toBeUndefined();
    expect(explain({ ...agreed, theirs: undefined })).toBeUndefined();
    expect(explain({ ...agreed, length: 8 })).toBeUndefined();
  });

  it("have a reason for each difference", () => {
    expect(new Set(differences.map((d) => d.name)).size).toBe(differences.length);
    for (const { name, reason } of differences) expect(reason.length, name).toBeGreaterThan(10);
  });
});
