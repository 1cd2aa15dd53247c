/*
 * Our decoders and capstone on random bytes: length and mnemonic. What differs must be in the list of differences, by name and with a reason.
 *
 *     npm run decoder -- [--cpu x86|e500] [COUNT] [SEED]
 */

import { parseArgs } from "node:util";
import { capstone } from "../test/campaign/capstone.ts";
import { tally as tallyE500 } from "../test/cpu/e500/compare-capstone.ts";
import { tally as tallyX86 } from "../test/cpu/x86/compare-capstone.ts";
import { fail, parsed } from "./arguments.ts";

const { values, positionals } = parsed("decoder", "--cpu, how many, and a seed", () =>
  parseArgs({ options: { cpu: { type: "string", default: "x86" } }, allowPositionals: true }),
);
const [count = "1000000", seed = "1"] = positionals;
for (const text of [count, seed]) if (!/^\d+$/.test(text)) fail("decoder", `${text} is no number`);
if (values.cpu !== "x86" && values.cpu !== "e500") fail("decoder", "--cpu is x86 or e500");
const begin = performance.now();
const { counts, unexplained } =
  values.cpu === "x86"
    ? tallyX86(Number(seed), Number(count), await capstone("x86"), await capstone("x86-16"))
    : tallyE500(Number(seed), Number(count), await capstone("e500"));
for (const [name, number] of [...counts].sort((a, b) => b[1] - a[1]))
  console.log(`${String(number).padStart(8)}  ${name}`);
for (const line of unexplained) console.log(line);
console.log(
  `${values.cpu}: ${count} ${values.cpu === "x86" ? "byte strings" : "words"}, seed ${seed}, ${((performance.now() - begin) / 1000).toFixed(0)} s`,
);
process.exitCode = unexplained.length === 0 ? 0 : 1;
