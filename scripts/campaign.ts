/*
 * Random instructions on our machine and on an oracle outside of it, until the first difference:
 *
 *     npm run campaign -- [--cpu x86|e500] [--cases N] [--seconds S] [--seed N] [--from K] [--exec both|interp|jit|evaluator] [--float]
 *
 * --float: x87, MMX and SSE, or the e500's floating point, instead of integers; where the manual gives a bound and no result, both have to keep it. "both" is the interpreter, and regions for a part of the cases.
 * x86 is held to the processor this runs on, e500 to qemu-ppc-static. The oracles are scripts/x86-oracle.c and scripts/e500-campaign.c, built when
 * first needed by i686-linux-gnu-gcc and powerpc-linux-gnu-gcc. A report names seed and case: `--seed N --from K --cases 1` gives it again.
 *
 *     npm run campaign -- --lockstep [--cpu x86|e500] [--cases N] [--seconds S] [--seed N] [--from K]
 *
 * --lockstep: random programs with loops, calls, faults and stores into their own code on regions and on the interpreter, compared behind each slice
 * (test/campaign/in-step.ts). It needs no oracle.
 */

import { parseArgs } from "node:util";
import { campaign, type Target } from "../test/campaign/campaign.ts";
import { e500FloatTarget } from "../test/campaign/e500-float-target.ts";
import { e500Programs } from "../test/campaign/e500-programs.ts";
import { e500Target } from "../test/campaign/e500-target.ts";
import { inStep, type StepTarget } from "../test/campaign/in-step.ts";
import { x86Programs } from "../test/campaign/x86-programs.ts";
import { x86Target } from "../test/campaign/x86-target.ts";
import { fail, parsed, written } from "./arguments.ts";

const executors = { both: "both", interp: "interpreter", jit: "regions", evaluator: "evaluator" } as const;

const options = {
  cpu: { type: "string", default: "x86" },
  cases: { type: "string" },
  seconds: { type: "string" },
  seed: { type: "string", default: `${Math.floor(Date.now() / 1000) % 1_000_000}` },
  from: { type: "string", default: "0" },
  exec: { type: "string", default: "both" },
  float: { type: "boolean", default: false },
  lockstep: { type: "boolean", default: false },
} as const;

const { values } = parsed("campaign", written(options), () => parseArgs({ options }));

function number(name: "cases" | "seconds" | "seed" | "from", otherwise: number): number {
  const text = values[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value >= 0)) fail("campaign", `--${name} ${text} is no number`);
  return value;
}

const executor =
  executors[values.exec as keyof typeof executors] ??
  fail("campaign", `--exec is ${Object.keys(executors).join(", ")}`);
const seconds = number("seconds", values.cases === undefined ? 60 : Number.POSITIVE_INFINITY);
const cases = number("cases", Number.MAX_SAFE_INTEGER);
const seed = number("seed", 1);
const from = number("from", 0);

async function main<C, A>(target: Target<C, A>): Promise<void> {
  let told = performance.now();
  const progress = (done: number) => {
    if (performance.now() - told < 10_000) return;
    told = performance.now();
    console.error(`${target.name}: ${done} cases`);
  };
  // Each case is made a region of its own on the jit, which takes milliseconds.
  const outcome = await campaign(target, {
    seed,
    from,
    cases,
    seconds,
    batch: executor === "regions" ? 200 : 20_000,
    progress,
  });
  if (outcome.difference !== undefined) console.log(outcome.difference.join("\n"));
  for (const [name, number] of target.tally ?? []) console.log(`${String(number).padStart(8)}  ${name}`);
  const rate = Math.round(outcome.done / outcome.seconds);
  console.log(
    `${target.name} on the ${executor}: ${outcome.done} cases from ${from} on, seed ${seed}, ${outcome.skipped} skipped, ${rate} a second: ${outcome.difference === undefined ? "no difference" : "a difference"}`,
  );
  process.exitCode = outcome.difference === undefined ? 0 : 1;
}

function inLockstep<P>(target: StepTarget<P>): void {
  let told = performance.now();
  const progress = (done: number) => {
    if (performance.now() - told < 10_000) return;
    told = performance.now();
    console.error(`${target.name} in lock-step: ${done} cases`);
  };
  const outcome = inStep(target, { seed, from, cases, seconds, progress });
  if (outcome.difference !== undefined) console.log(outcome.difference.join("\n"));
  const share = Math.round((100 * outcome.translated) / Math.max(1, outcome.instructions));
  console.log(
    `${target.name} in lock-step: ${outcome.done} cases from ${from} on, seed ${seed}, ${outcome.instructions} instructions, ${share} % of them in regions: ${outcome.difference === undefined ? "no difference" : "a difference"}`,
  );
  process.exitCode = outcome.difference === undefined ? 0 : 1;
}

if (values.lockstep) {
  if (values.cpu === "x86") inLockstep(x86Programs);
  else if (values.cpu === "e500") inLockstep(e500Programs);
  else fail("campaign", "--cpu is x86 or e500");
} else if (values.cpu === "x86") await main(await x86Target(executor, values.float ? "float" : "integer"));
else if (values.cpu === "e500" && values.float)
  await main(await (executor === "both" ? e500FloatTarget("interpreter", "regions") : e500FloatTarget(executor)));
else if (values.cpu === "e500")
  await main(await (executor === "both" ? e500Target("interpreter", "regions") : e500Target(executor)));
else fail("campaign", "--cpu is x86 or e500");
