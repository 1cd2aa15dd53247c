import { Worker } from "node:worker_threads";
import { oneLine } from "../failure.ts";
import type { RowResult } from "./cells.ts";
import type { Row } from "./plan.ts";

/** The worker's file is a neighbour of this one, as source and as built. */
const workerFile = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/**
 * Boots rows on so many threads. `done` is told of each as it ends, in the order of `rows`, with its number.
 * A thread which dies takes its row with it and is replaced.
 */
export async function runRows(
  rows: readonly Row[],
  threads: number,
  done: (result: RowResult, index: number) => void,
): Promise<void> {
  const results: (RowResult | undefined)[] = rows.map(() => undefined);
  let next = 0;
  let told = 0;
  const finish = (index: number, result: RowResult) => {
    results[index] = result;
    for (let ready = results[told]; ready !== undefined; ready = results[told]) done(ready, told++);
  };
  const thread = async () => {
    let worker = new Worker(workerFile);
    for (let index = next++; index < rows.length; index = next++) {
      const row = rows[index] as Row;
      const result = await answer(worker, row);
      if (typeof result === "string") {
        await worker.terminate();
        worker = new Worker(workerFile);
        finish(index, { row, status: undefined, trouble: result, text: "", consoleText: "", wireText: "", counts: {} });
      } else finish(index, result);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(threads, rows.length) }, thread));
}

/** What the worker makes of a row, or why it died of it. */
function answer(worker: Worker, row: Row): Promise<RowResult | string> {
  return new Promise((resolve) => {
    const settle = (result: RowResult | string) => {
      worker.off("message", settle).off("error", onError).off("exit", onExit);
      resolve(result);
    };
    const onError = (error: Error) => settle(`the emulator failed: ${oneLine(error.message)}`);
    const onExit = (code: number) => settle(`the emulator's thread ended with ${code}`);
    worker.on("message", settle).on("error", onError).on("exit", onExit);
    worker.postMessage(row);
  });
}
