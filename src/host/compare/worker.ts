import { parentPort } from "node:worker_threads";
import { doJob, type Job } from "./jobs.ts";

/** A thread which does the jobs it is sent, one after the other. */
parentPort?.on("message", async (job: Job) => parentPort?.postMessage(await doJob(job)));
