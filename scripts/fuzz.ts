/*
 * Random chains and register accesses put to virtio devices, as a hostile driver would:
 *
 *     npm run fuzz -- [--device blk|console|rng|net] [--seed N] [--from K] [--runs N]
 *
 * Without a device, all of them. Every failure is made short and goes to test/fuzz/found.json, which `npm test` runs again from then on; its seed and run
 * make the whole of it again: `--seed N --from K --runs 1`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Failure, Fuzzer, shortened } from "../test/fuzz/fuzz.ts";
import { subjects } from "../test/fuzz/subjects.ts";

const { values } = parseArgs({
  options: {
    device: { type: "string" },
    seed: { type: "string", default: `${Math.floor(Date.now() / 1000) % 1_000_000}` },
    from: { type: "string", default: "0" },
    runs: { type: "string", default: "1000000" },
  },
});

function number(name: "seed" | "from" | "runs"): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`fuzz: --${name} ${values[name]} is no number`);
  process.exit(2);
}

const seed = number("seed");
const from = number("from");
const runs = number("runs");
const names = values.device === undefined ? Object.keys(subjects) : [values.device];
const keptIn = fileURLToPath(new URL("../test/fuzz/found.json", import.meta.url));
/** As many failures are likely one mistake. */
const enough = 10;

function keep(failure: Failure): void {
  const kept: Failure[] = JSON.parse(readFileSync(keptIn, "utf8"));
  const lines = [...kept, failure].map((one) => `  ${JSON.stringify(one)}`);
  writeFileSync(keptIn, `[\n${lines.join(",\n")}\n]\n`);
}

for (const name of names) {
  const subject = subjects[name];
  if (subject === undefined) {
    console.error(`fuzz: --device is ${Object.keys(subjects).join(", ")}`);
    process.exit(2);
  }
  const fuzzer = new Fuzzer(subject);
  const began = performance.now();
  const { user } = process.cpuUsage();
  let failures = 0;
  let run = from;
  for (; run < from + runs && failures < enough; run++) {
    const failure = fuzzer.run(seed, run);
    if (failure === undefined) continue;
    failures++;
    const short = shortened(subject, failure);
    console.log(`${name}, ${failure.form}, seed ${seed}, run ${run}: ${failure.why}`);
    console.log(`  in ${short.steps.length / 5} steps: ${short.why}`);
    keep(short);
  }
  const seconds = (performance.now() - began) / 1000;
  const cpu = (process.cpuUsage().user - user) / 1e6;
  console.log(
    `${name}: ${run - from} executions from ${from} on, seed ${seed}, in ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of processor): ${failures} failures`,
  );
  if (failures > 0) process.exitCode = 1;
}
