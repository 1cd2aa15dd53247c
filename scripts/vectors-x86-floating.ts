/*
 * Takes from the processor this runs on what it makes of x87, MMX and SSE instructions, 500 cases a mnemonic, as digests:
 *
 *     node scripts/vectors-x86-floating.ts FILE [CASES-PER-MNEMONIC] [SEED]
 *
 * FILE gets the digests; beside it, FILE with .bounded.gz behind it, come the results of transcendental functions and approximations.
 *
 * Says where our machine does otherwise; the digests are the processor's all the same. A case is left out where the two cannot be compared.
 */

import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { differences, inputs, verdict } from "../test/campaign/x86-answer.ts";
import { boundedText, casesOf, Digest, type Line, mnemonics, toText } from "../test/campaign/x86-float-list.ts";
import { CampaignMachine } from "../test/campaign/x86-machine.ts";
import { askX86, x86Oracle } from "../test/campaign/x86-target.ts";

const [file, perMnemonic = "500", text = "1"] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/vectors-x86-floating.ts FILE [CASES-PER-MNEMONIC] [SEED]");
  process.exit(2);
}
const count = Number(perMnemonic);
const seed = Number(text);
const machine = new CampaignMachine("interpreter");
const lines: Line[] = [];
const bounded: string[] = [];
let different = 0;
for (const [index, [mnemonic]] of mnemonics.entries()) {
  const cases = casesOf(index, seed, count);
  const answers = await askX86(x86Oracle(), cases);
  const digest = new Digest();
  const left = new Set<number>();
  for (const [k, c] of cases.entries()) {
    const should = answers[k];
    const is = machine.run(c);
    const found = should === undefined ? "skipped" : verdict(c, is, should);
    if (should === undefined || found === "skipped") {
      left.add(k);
      continue;
    }
    digest.add(c, should);
    const text = boundedText(c, should);
    if (text !== "") bounded.push(`${mnemonic}\t${k}\t${text}`);
    if (found === "same") continue;
    if (different++ < 5) console.error([mnemonic, ...inputs(c), ...differences(c, is, should)].join("\n"));
  }
  lines.push({ mnemonic, digest: digest.text, left });
}
writeFileSync(file, toText({ seed, count, lines }));
writeFileSync(`${file}.bounded.gz`, gzipSync(`${bounded.join("\n")}\n`, { level: 9 }));
console.log(`${lines.length} mnemonics, ${count} cases each; our machine differs in ${different}`);
