/*
 * Our decoders and capstone on random bytes: length and mnemonic. What differs must be in the list of differences, by name and with a reason.
 *
 *     npm run decoder -- [COUNT] [SEED]
 */

import { capstone } from "../test/campaign/capstone.ts";
import { tally } from "../test/cpu/x86/compare-capstone.ts";

const [count = "1000000", seed = "1"] = process.argv.slice(2);
const begin = performance.now();
const { counts, unexplained } = tally(Number(seed), Number(count), await capstone("x86"), await capstone("x86-16"));
for (const [name, number] of [...counts].sort((a, b) => b[1] - a[1]))
  console.log(`${String(number).padStart(8)}  ${name}`);
for (const line of unexplained) console.log(line);
console.log(`x86: ${count} byte strings, seed ${seed}, ${((performance.now() - begin) / 1000).toFixed(0)} s`);
process.exitCode = unexplained.length === 0 ? 0 : 1;
