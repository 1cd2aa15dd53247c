import type { Exploration } from "../../debug/explore/explore.ts";
import { studies } from "../../debug/explore/studies.ts";
import { oneLine } from "../failure.ts";
import { planRows, type Row, type Wanted } from "../matrix/plan.ts";
import { type Measured, measureRow } from "./measure-row.ts";

/** Work for a thread: a boot to measure, a boot of what cannot be driven, to see how it fails, or a layout to explore. */
export type Job =
  | { readonly kind: "boot" | "failure"; readonly row: Row }
  | { readonly kind: "study"; readonly index: number };

export type Done =
  | { readonly kind: "boot" | "failure"; readonly measured: Measured }
  | { readonly kind: "study"; readonly index: number; readonly found?: Exploration; readonly trouble?: string };

export async function doJob(job: Job): Promise<Done> {
  if (job.kind !== "study") return { kind: job.kind, measured: await measureRow(job.row) };
  try {
    return { kind: "study", index: job.index, found: (studies[job.index] as (typeof studies)[number]).run() };
  } catch (error) {
    return { kind: "study", index: job.index, trouble: oneLine((error as Error).message) };
  }
}

/** The job's thread died. */
export function failed(job: Job, why: string): Done {
  if (job.kind === "study") return { kind: "study", index: job.index, trouble: why };
  return { kind: job.kind, measured: { row: job.row, trouble: why, setup: {}, work: [] } };
}

/**
 * Of the matrix's own rows those with a message a queue and those with the pin: with one queue a shared message is the same. Of what a machine
 * cannot drive one boot each, and one for each driver which cannot have packed rings.
 */
export function planJobs(machines: readonly Wanted[]): readonly Job[] {
  const rows = planRows(machines).filter(({ irq }) => irq !== "msix-shared");
  const seen = new Set<string>();
  const failures = rows.filter(({ machine, layout, ring, irq, skip }) => {
    if (skip === undefined || irq !== "msix") return false;
    const key = ring === "packed" ? layout.driver : `${machine} ${layout.name}`;
    const first =
      !seen.has(key) &&
      (ring !== "packed" ||
        rows.some((row) => row.machine === machine && row.layout === layout && row.skip === undefined));
    if (first) seen.add(key);
    return first;
  });
  return [
    // The longest work first.
    ...studies.map((_, i) => ({ kind: "study", index: studies.length - 1 - i }) as const),
    ...rows.filter(({ skip }) => skip === undefined).map((row) => ({ kind: "boot", row }) as const),
    ...failures.map((row) => ({ kind: "failure", row }) as const),
  ];
}
