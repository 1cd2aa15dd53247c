import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Background, MadeModule, SentJob } from "../../engine/region/background.ts";
import type { FrontName } from "./front.ts";
import type { ThreadData } from "./worker.ts";

/** The thread takes some tenths of a second to start, which a short run would not have back: the first regions are made without it. */
const before = 24;
/** Jobs that may wait. */
const most = 16;
/** As in worker.ts, which is not to be loaded here. */
const word = { ready: 0, done: 1 } as const;

/** A thread of this process which makes regions. It ends with the process. */
export class TranslatorThread implements Background {
  readonly #front: FrontName;
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  #port: MessagePort | undefined;
  #asked = 0;
  #posted = 0;
  #taken = 0;
  #died: Error | undefined;

  constructor(front: FrontName) {
    this.#front = front;
  }

  get ready(): boolean {
    if (this.#port === undefined && ++this.#asked === before) this.#start();
    return Atomics.load(this.#shared, word.ready) === 1 && this.#posted - this.#taken < most;
  }

  post(job: SentJob): void {
    this.#posted++;
    this.#port?.postMessage(job);
  }

  take(): MadeModule | undefined {
    if (this.#died !== undefined) throw this.#died;
    if (this.#port === undefined || Atomics.load(this.#shared, word.done) === this.#taken) return undefined;
    const received = receiveMessageOnPort(this.#port);
    if (received === undefined) return undefined;
    this.#taken++;
    return received.message as MadeModule;
  }

  #start(): void {
    const { port1, port2 } = new MessageChannel();
    const file = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);
    const workerData: ThreadData = { port: port2, front: this.#front, shared: this.#shared };
    const worker = new Worker(file, { workerData, transferList: [port2] });
    worker.on("error", (error) => {
      this.#died = error;
    });
    worker.unref();
    port1.unref();
    this.#port = port1;
  }
}
