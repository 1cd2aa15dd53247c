import { parentPort } from "node:worker_threads";
import type { Row } from "../matrix/plan.ts";
import { measureRow } from "./measure-row.ts";

/** A thread which measures the rows it is sent, one after the other. */
parentPort?.on("message", async (row: Row) => parentPort?.postMessage(await measureRow(row)));
