/*
 * Takes vectors for the e500mc's floating-point instructions from qemu-ppc, or from a real core.
 *
 *     node scripts/vectors-e500-float.ts FILE [CASES-PER-MNEMONIC] [SEED] [ORACLE COMMAND ...]
 *
 * The oracle is scripts/e500-float-oracle.c, which says how to build it; the command is "qemu-ppc-static -cpu e500mc ./float-oracle" when left out.
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Random } from "../test/campaign/random.ts";
import { floatOpcodes, makeFloatCase } from "../test/cpu/e500/float-cases.ts";
import { toLine } from "../test/cpu/e500/float-vectors.ts";

const [file, count = "500", seed = "1", ...command] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/vectors-e500-float.ts FILE [CASES-PER-MNEMONIC] [SEED] [ORACLE COMMAND ...]");
  process.exit(2);
}
const oracle = command.length > 0 ? command : ["qemu-ppc-static", "-cpu", "e500mc", "./float-oracle"];

const cases = floatOpcodes.flatMap((opcode, k) =>
  Array.from({ length: Number(count) }, (_, n) => makeFloatCase(new Random(Number(seed), 1_000_000 * k + n), opcode)),
);
const hex = (number: number | bigint) => number.toString(16);
const asked = cases.map((c) =>
  [c.word, c.fpscr, ...c.fpr, c.r4, c.r5, c.cr].map(hex).concat(Buffer.from(c.memory).toString("hex")).join(" "),
);
const run = spawnSync(oracle[0] as string, oracle.slice(1), { input: `${asked.join("\n")}\n`, maxBuffer: 2 ** 30 });
const answers = run.stdout.toString().trim().split("\n");
if (run.status !== 0 || answers.length !== cases.length) {
  console.error(`the oracle stopped after ${answers.length} of ${cases.length} cases: ${run.stderr}`);
  process.exit(1);
}

const lines: string[] = [];
let mnemonic = "";
for (const [k, c] of cases.entries()) {
  const words = (answers[k] as string).split(" ");
  const number = (n: number) => Number.parseInt(words[n] as string, 16);
  const answer = {
    signal: number(0),
    fpscr: number(1),
    fpr: [2, 3, 4, 5].map((n) => BigInt(`0x${words[n]}`)),
    r4: number(6),
    r5: number(7),
    cr: number(8),
    memory: Uint8Array.from(Buffer.from(words[9] as string, "hex")),
  };
  if (c.mnemonic !== mnemonic) lines.push(`# ${c.mnemonic}`);
  mnemonic = c.mnemonic;
  lines.push(toLine({ ...c, answer }));
}
writeFileSync(file, gzipSync(`${lines.join("\n")}\n`, { level: 9 }));
console.log(`${cases.length} cases of ${floatOpcodes.length} instructions`);
