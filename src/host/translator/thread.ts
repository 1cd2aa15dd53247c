import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Background, MadeModule, SentJob } from "../../engine/region/background.ts";
import { workerFile } from "../worker-file.ts";
import type { FrontName } from "./front.ts";
import type { ThreadData } from "./worker.ts";

/** The thread takes some tenths of a second to start, which a short run would not have back: the first regions are made without it. Jobs wait while it starts. */
const before = 6;
/** Jobs that it has at a time. What else is wanted waits where it is still known how much. */
const most = 3;
/**
 * What the thread begins with. It is JavaScript in a text since the compile cache has to be on before the first TypeScript file is loaded: else node brings up its
 * type stripper for it.
 */
const start = `
require("node:module").enableCompileCache?.();
import(require("node:worker_threads").workerData.file);
`;

/** A thread of this process which makes regions. It ends with the process. */
export class TranslatorThread implements Background {
  readonly #front: FrontName;
  /** How many it has done. */
  readonly #done = new Int32Array(new SharedArrayBuffer(4));
  #port: MessagePort | undefined;
  #asked = 0;
  #posted = 0;
  #taken = 0;
  #died: Error | undefined;

  constructor(front: FrontName) {
    this.#front = front;
  }

  next(): "now" | "later" | "here" {
    if (this.#port === undefined && ++this.#asked === before) this.#start();
    if (this.#port === undefined) return "here";
    return this.#posted - this.#taken < most ? "now" : "later";
  }

  post(job: SentJob): void {
    this.#posted++;
    this.#port?.postMessage(job);
  }

  take(): MadeModule | undefined {
    if (this.#died !== undefined) throw this.#died;
    if (this.#port === undefined || Atomics.load(this.#done, 0) === this.#taken) return undefined;
    const received = receiveMessageOnPort(this.#port);
    if (received === undefined) return undefined;
    this.#taken++;
    return received.message as MadeModule;
  }

  #start(): void {
    const { port1, port2 } = new MessageChannel();
    const { href: file } = workerFile(import.meta.url);
    const workerData: ThreadData = { file, port: port2, front: this.#front, done: this.#done };
    const worker = new Worker(start, { eval: true, workerData, transferList: [port2] });
    worker.on("error", (error) => {
      this.#died = error;
    });
    worker.unref();
    port1.unref();
    this.#port = port1;
  }
}
