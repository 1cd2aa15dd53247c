import { parentPort } from "node:worker_threads";
import type { Row } from "./plan.ts";
import { runRow } from "./run-row.ts";

/** A thread which boots the rows it is sent, one after the other. */
parentPort?.on("message", async (row: Row) => parentPort?.postMessage(await runRow(row)));
