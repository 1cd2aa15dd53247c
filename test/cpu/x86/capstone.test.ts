import { describe, expect, it } from "vitest";
import { capstone } from "../../campaign/capstone.ts";
import { type Comparison, differences, explain } from "./capstone-differences.ts";
import { tally } from "./compare-capstone.ts";

describe("the x86 decoder and capstone", () => {
  it("agree on length and mnemonic of random bytes, but for the differences listed", async () => {
    const { counts, unexplained } = tally(20261122, 50_000, await capstone("x86"), await capstone("x86-16"));
    expect(unexplained).toEqual([]);
    expect(counts.get("same")).toBeGreaterThan(30_000);
  });

  const agreed: Comparison = {
    ours: "add",
    length: 2,
    theirs: "add",
    theirLength: 2,
    opcode: [0x01, 0xd8],
    lock: false,
    narrow66: false,
    repeat: false,
  };

  it("differ when a length or a plain mnemonic is another", () => {
    expect(explain(agreed)).toBe("same");
    expect(explain({ ...agreed, theirLength: 3 })).toBeUndefined();
    expect(explain({ ...agreed, theirs: "adc" })).toBeUndefined();
    expect(explain({ ...agreed, ours: undefined })).toBeUndefined();
    expect(explain({ ...agreed, theirs: undefined })).toBeUndefined();
  });

  it("have a reason for each difference", () => {
    expect(new Set(differences.map((d) => d.name)).size).toBe(differences.length);
    for (const { name, reason } of differences) expect(reason.length, name).toBeGreaterThan(10);
  });
});
