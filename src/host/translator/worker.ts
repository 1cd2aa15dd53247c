import { type MessagePort, workerData } from "node:worker_threads";
import { makeModule, type SentJob } from "../../engine/region/background.ts";
import { Compiler } from "./compile.ts";
import { decodingFront, type FrontName } from "./front.ts";
import { Hurry } from "./hurry.ts";
import { stepBack } from "./step-back.ts";

/** What the thread is given: its own file, where jobs come from, whose code they are, and a word which both sides see, for how many it has done. */
export interface ThreadData {
  readonly file: string;
  readonly port: MessagePort;
  readonly front: FrontName;
  readonly done: Int32Array;
}

const { port, front: name, done } = workerData as ThreadData;
const front = decodingFront(name);
const compiler = new Compiler();
const hurry = new Hurry();
stepBack(10);

port.on("message", (job: SentJob) => {
  const made = hurry.watch(() => makeModule(front, job, !hurry.now, (bytes) => compiler.compile(bytes, job.around)));
  port.postMessage(made);
  Atomics.add(done, 0, 1);
});
