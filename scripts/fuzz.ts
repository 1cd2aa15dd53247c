/*
 * Random chains and register accesses put to virtio devices, as a hostile driver would:
 *
 *     npm run fuzz -- [--device blk|console|rng|net] [--seed N] [--from K] [--runs N] [--jobs N]
 *
 * Without a device, all of them; without --jobs, on every processor. Every failure is made short and goes to test/fuzz/found.json, which `npm test` runs
 * again from then on; its seed and run make the whole of it again: `--seed N --from K --runs 1`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Failure, Fuzzer, type Kept, shortened, toKeep } from "../test/fuzz/fuzz.ts";
import { subjects } from "../test/fuzz/subjects.ts";
import { fail, parsed, written } from "./arguments.ts";

/** What a thread does: every so many-th run of a range. */
interface Share {
  readonly name: string;
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  readonly by: number;
}

interface Found {
  readonly failure: Failure;
  readonly short: Failure;
}

const keptIn = fileURLToPath(new URL("../test/fuzz/found.json", import.meta.url));
/** As many failures are likely one mistake. */
const enough = 10;

/** Runs a share, and tells the failures, then how many executions there were. */
function work({ name, seed, first, end, by }: Share): void {
  const subject = subjects[name];
  if (subject === undefined) return;
  const fuzzer = new Fuzzer(subject);
  let done = 0;
  let failures = 0;
  for (let run = first; run < end && failures < enough; run += by) {
    const failure = fuzzer.run(seed, run);
    done++;
    if (failure === undefined) continue;
    failures++;
    const found: Found = { failure, short: shortened(subject, failure) };
    parentPort?.postMessage(found);
  }
  parentPort?.postMessage(done);
}

function keep(failure: Failure): void {
  const kept: Kept[] = JSON.parse(readFileSync(keptIn, "utf8"));
  writeFileSync(keptIn, `${JSON.stringify([...kept, toKeep(failure)], null, 2)}\n`);
}

function tell({ failure, short }: Found): void {
  console.log(`${failure.device}, ${failure.form}, seed ${failure.seed}, run ${failure.run}: ${failure.why}`);
  console.log(`  in ${short.steps.length / 5} steps: ${short.why}`);
  keep(short);
  process.exitCode = 1;
}

/** Gives how many executions there were. */
function share(what: Share): Promise<number> {
  const worker = new Worker(new URL(import.meta.url), { workerData: what });
  return new Promise((resolve, reject) => {
    worker.on("message", (message: Found | number) => {
      if (typeof message === "number") resolve(message);
      else tell(message);
    });
    worker.on("error", reject);
  });
}

const options = {
  device: { type: "string" },
  seed: { type: "string", default: `${Math.floor(Date.now() / 1000) % 1_000_000}` },
  from: { type: "string", default: "0" },
  runs: { type: "string", default: "1000000" },
  jobs: { type: "string", default: `${availableParallelism()}` },
} as const;

async function main(): Promise<void> {
  const { values } = parsed("fuzz", written(options), () => parseArgs({ options }));
  const number = (name: "seed" | "from" | "runs" | "jobs") => {
    const value = Number(values[name]);
    return Number.isSafeInteger(value) && value >= 0 ? value : fail("fuzz", `--${name} ${values[name]} is no number`);
  };
  const [seed, from, runs, jobs] = [number("seed"), number("from"), number("runs"), Math.max(1, number("jobs"))];
  const names = values.device === undefined ? Object.keys(subjects) : [values.device];
  for (const name of names) {
    if (subjects[name] === undefined) fail("fuzz", `--device is ${Object.keys(subjects).join(", ")}`);
    const began = performance.now();
    const shares = Array.from({ length: jobs }, (_, i) =>
      share({ name, seed, first: from + i, end: from + runs, by: jobs }),
    );
    const done = (await Promise.all(shares)).reduce((sum, count) => sum + count, 0);
    const seconds = (performance.now() - began) / 1000;
    const cpu = process.cpuUsage();
    console.log(
      `${name}: ${done} executions from ${from} on, seed ${seed}, in ${seconds.toFixed(1)} s on ${jobs} threads; ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s of processor so far`,
    );
  }
  console.log(process.exitCode === 1 ? "failures: see test/fuzz/found.json" : "no failures");
}

if (isMainThread) await main();
else work(workerData as Share);
