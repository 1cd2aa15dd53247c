import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, describe as group, it } from "vitest";
import { casesOf, Digest, fromText, mnemonics, withinBounds } from "../../campaign/x86-float-list.ts";
import { CampaignMachine } from "../../campaign/x86-machine.ts";

/*
 * As scripts/vectors-x86-floating.ts took them from a processor. Where one is not the same, that script says which case differs and how.
 */

const { seed, count, lines } = fromText(
  readFileSync(new URL("../../vectors/x86/floating-digests.txt", import.meta.url), "utf8"),
);

const bounded = new Map(
  gunzipSync(readFileSync(new URL("../../vectors/x86/floating-digests.txt.bounded.gz", import.meta.url)))
    .toString()
    .trim()
    .split("\n")
    .map((row) => {
      const [mnemonic, k, text] = row.split("\t") as [string, string, string];
      return [`${mnemonic} ${k}`, text];
    }),
);

group("on the interpreter 500 cases of every x87, MMX and SSE instruction end as on the processor", () => {
  const machine = new CampaignMachine("interpreter");
  it.each(lines.map((line, k) => [line.mnemonic, k] as const))("%s", (mnemonic, k) => {
    const line = lines[k];
    expect(mnemonics[k]?.[0]).toBe(mnemonic);
    const digest = new Digest();
    for (const [n, c] of casesOf(k, seed, count).entries()) {
      if (line?.left.has(n) === true) continue;
      const answer = machine.run(c);
      digest.add(c, answer);
      const within = bounded.get(`${mnemonic} ${n}`);
      if (within !== undefined && !withinBounds(c, answer, within)) expect.fail(`case ${n} is beyond its bound`);
    }
    expect(digest.text).toBe(line?.digest);
  });
});

it("has 500 cases of all mnemonics, in all rounding modes and precisions, with exceptions taken", () => {
  expect([lines.length, count]).toEqual([mnemonics.length, 500]);
  for (const name of ["fsin", "fyl2xp1", "sse.rcpss", "sse.rsqrtps"])
    expect([...bounded.keys()].filter((key) => key.startsWith(`${name} `)).length).toBeGreaterThan(400);
  for (const line of lines) expect(line.left.size).toBeLessThan(20);
  const words = casesOf(0, seed, count).map(({ fpu }) => new DataView((fpu as Uint8Array).buffer));
  expect(new Set(words.map((w) => (w.getUint16(0, true) >> 8) & 15)).size).toBe(16);
  expect(new Set(words.map((w) => (w.getUint32(24, true) >> 13) & 3)).size).toBe(4);
  expect(words.some((w) => (w.getUint32(24, true) & 0x1f80) !== 0x1f80)).toBe(true);
});
