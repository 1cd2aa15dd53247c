import type { Exploration } from "../../debug/explore/explore.ts";
import { type Limits, limitsOf, type RingBytes, ringBytes } from "../../debug/explore/limits.ts";
import { legacyReach, modernReach, overlayReach } from "../../debug/explore/reach.ts";
import { type Study, studies } from "../../debug/explore/studies.ts";
import type { Wanted } from "../matrix/plan.ts";
import { share } from "../matrix/pool.ts";
import { workerFile } from "../worker-file.ts";
import { type Done, doJob, failed, type Job, planJobs } from "./jobs.ts";
import type { Measured } from "./measure-row.ts";
import { measureSizes, type Sizes } from "./sizes.ts";

/** A cell which its machine cannot drive: why the plan says so, and what the guest said when it was booted all the same. */
export interface FailingCell {
  readonly machine: string;
  readonly layout: string;
  readonly ring: string;
  readonly because: string;
  /** Undefined when it worked: then the plan is wrong. */
  readonly said: string | undefined;
}

export interface LayoutLimits extends Limits {
  readonly layout: "legacy" | "overlay" | "modern";
  readonly bytes: readonly RingBytes[];
}

/** All that was measured. The same machines give the same one again. */
export interface Comparison {
  readonly machines: readonly string[];
  readonly boots: readonly Measured[];
  readonly failing: readonly FailingCell[];
  readonly studies: readonly (Exploration & Pick<Study, "name" | "group" | "layout">)[];
  readonly limits: readonly LayoutLimits[];
  /** Only where the sources are. */
  readonly sizes: Sizes | undefined;
  /** What could not be measured, a line each; none when all is well. */
  readonly troubles: readonly string[];
}

export const ringSizes = [8, 128, 256, 1024] as const;

/** Measures everything on so many threads; none for this one alone. `progress` is told of each job which is done. */
export async function compare(
  machines: readonly Wanted[],
  threads: number,
  progress: (done: number, of: number) => void,
): Promise<Comparison> {
  const jobs = planJobs(machines);
  const all: Done[] = [];
  const take = (done: Done) => {
    all.push(done);
    progress(all.length, jobs.length);
  };
  if (threads > 0) await share<Job, Done>(workerFile(import.meta.url), jobs, threads, failed, take);
  else for (const job of jobs) take(await doJob(job));
  return collect(machines, all);
}

function collect(machines: readonly Wanted[], all: readonly Done[]): Comparison {
  const boots = all.flatMap((done) => (done.kind === "boot" ? [done.measured] : []));
  const failing = all.flatMap((done) => (done.kind === "failure" ? [failure(done.measured)] : []));
  const found = all.flatMap((done) => (done.kind === "study" ? [done] : [])).sort((a, b) => a.index - b.index);
  const nameOf = (index: number) => studies[index]?.name ?? "";
  return {
    machines: machines.map(({ machine }) => machine),
    boots,
    failing,
    studies: found.flatMap((done) => {
      const { name, group, layout } = studies[done.index] as Study;
      return done.found === undefined ? [] : [{ name, group, layout, ...done.found }];
    }),
    limits: (
      [
        ["legacy", legacyReach],
        ["overlay", overlayReach],
        ["modern", modernReach],
      ] as const
    ).map(([layout, reach]) => {
      const limits = limitsOf({ layout }, reach);
      return { layout, ...limits, bytes: ringBytes({ layout }, reach, ringSizes, limits.packed) };
    }),
    sizes: measureSizes(),
    troubles: [
      ...boots.flatMap(({ row, trouble }) => (trouble === undefined ? [] : [`${rowName(row)}: ${trouble}`])),
      ...failing.flatMap((cell) =>
        cell.said === undefined ? [`${cell.machine} ${cell.layout} ${cell.ring} works, and was said not to`] : [],
      ),
      ...found.flatMap(({ index, trouble }) => (trouble === undefined ? [] : [`${nameOf(index)}: ${trouble}`])),
    ],
  };
}

export function rowName({ machine, layout, ring, irq }: Measured["row"]): string {
  return `${machine} ${layout.name} ${ring} ${irq}`;
}

function failure({ row, trouble }: Measured): FailingCell {
  return { machine: row.machine, layout: row.layout.name, ring: row.ring, because: row.skip ?? "", said: trouble };
}
