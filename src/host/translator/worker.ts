import * as module from "node:module";
import { type MessagePort, workerData } from "node:worker_threads";
import type { SentJob } from "../../engine/region/background.ts";
import type { FrontName } from "./front.ts";

/** What the thread is given: where jobs come from, whose code they are, and words which both sides see. */
export interface ThreadData {
  readonly port: MessagePort;
  readonly front: FrontName;
  readonly shared: Int32Array;
}

/** Words of `shared`: whether the thread takes jobs, and how many it has done. */
export const word = { ready: 0, done: 1 } as const;

const { port, front: name, shared } = workerData as ThreadData;
module.enableCompileCache?.();
const [{ makeModule }, { decodingFront }] = await Promise.all([
  import("../../engine/region/background.ts"),
  import("./front.ts"),
]);
const front = decodingFront(name);
port.on("message", (job: SentJob) => {
  port.postMessage(makeModule(front, job));
  Atomics.add(shared, word.done, 1);
});
Atomics.store(shared, word.ready, 1);
