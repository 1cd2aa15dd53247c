import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { applies, type RealCase, type RealMetadata, RealRunner } from "../../support/x86-real.ts";

const folder = new URL("../../../../shared/oracle/vectors/", import.meta.url);
const there = existsSync(folder);
if (!there)
  console.warn("the 80286's real-mode vectors (../shared/oracle/vectors) are not here: real mode is not held to them");

describe.skipIf(!there)("real mode does what an 80286 did", () => {
  const metadata = there
    ? (JSON.parse(readFileSync(new URL("sst80286-metadata.json", folder), "utf8")) as RealMetadata)
    : { opcodes: {} };
  const lines = there
    ? gunzipSync(readFileSync(new URL("sst80286-real-100.jsonl.gz", folder)))
        .toString()
        .trim()
        .split("\n")
    : [];
  const cases = lines.map((line) => JSON.parse(line) as RealCase).filter(applies);

  it.each(["evaluator", "interpreter"] as const)("on the %s", (executor) => {
    expect(cases.length).toBeGreaterThan(25_000);
    const runner = new RealRunner(executor, metadata);
    for (const c of cases) {
      const wrong = runner.check(c);
      if (wrong.length > 0) expect.fail(`${c.op} ${c.n} with ${JSON.stringify(c.i)}: ${wrong.join("; ")}`);
    }
  });
});
