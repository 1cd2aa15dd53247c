import { Worker } from "node:worker_threads";
import { oneLine } from "../failure.ts";
import { workerFile } from "../worker-file.ts";
import type { RowResult } from "./cells.ts";
import type { Row } from "./plan.ts";

/**
 * Boots rows on so many threads. `done` is told of each as it ends, in the order of `rows`, with its number.
 * A thread which dies takes its row with it and is replaced.
 */
export function runRows(
  rows: readonly Row[],
  threads: number,
  done: (result: RowResult, index: number) => void,
): Promise<void> {
  const failed = (row: Row, trouble: string): RowResult => {
    return { row, status: undefined, trouble, text: "", consoleText: "", wireText: "", counts: {} };
  };
  return share(workerFile(import.meta.url), rows, threads, failed, done);
}

/**
 * Gives jobs to so many threads of this worker, which answers each with its result. `done` is told of each, in the order of `jobs`.
 * @param failed the result of a job whose thread died, and why it did.
 */
export async function share<Job, Result>(
  file: URL,
  jobs: readonly Job[],
  threads: number,
  failed: (job: Job, why: string) => Result,
  done: (result: Result, index: number) => void,
): Promise<void> {
  const results: (Result | undefined)[] = jobs.map(() => undefined);
  let next = 0;
  let told = 0;
  const finish = (index: number, result: Result) => {
    results[index] = result;
    for (let ready = results[told]; ready !== undefined; ready = results[told]) done(ready, told++);
  };
  const thread = async () => {
    let worker = new Worker(file);
    for (let index = next++; index < jobs.length; index = next++) {
      const job = jobs[index] as Job;
      const result = await answer<Result>(worker, job);
      if ("died" in result) {
        await worker.terminate();
        worker = new Worker(file);
        finish(index, failed(job, result.died));
      } else finish(index, result.answer);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, thread));
}

/** What the worker makes of a job, or why it died of it. */
function answer<Result>(
  worker: Worker,
  job: unknown,
): Promise<{ readonly answer: Result } | { readonly died: string }> {
  return new Promise((resolve) => {
    const settle = (result: { readonly answer: Result } | { readonly died: string }) => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      resolve(result);
    };
    const onMessage = (result: Result) => settle({ answer: result });
    const onError = (error: Error) => settle({ died: `the emulator failed: ${oneLine(error.message)}` });
    const onExit = (code: number) => settle({ died: `the emulator's thread ended with ${code}` });
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.postMessage(job);
  });
}
