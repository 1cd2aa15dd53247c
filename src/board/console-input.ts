import type { Clock } from "../time/clock.ts";
import type { SerialPort } from "./board.ts";

/** Bytes that wait for the UART. What does not fit stays with the host. */
const capacity = 4096;

/** How often a full UART is tried again: 16 bytes at 115200 baud take 1.4 ms. */
const retry = 1_000_000;

/** Keyboard bytes on their way to a UART, which takes 16 at a time. */
export class ConsoleInput {
  readonly #port: SerialPort;
  readonly #clock: Clock;
  readonly #queue: number[] = [];
  readonly #alarm;

  constructor(port: SerialPort, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
    this.#alarm = clock.alarm("console input", () => this.#feed());
  }

  /** How many bytes `receive` takes now. */
  get room(): number {
    return capacity - this.#queue.length;
  }

  /** Whether the guest waits for input. What is piped in before that would be lost when its driver clears the FIFO. */
  get listening(): boolean {
    return this.#port.listening;
  }

  /** Takes bytes in order and gives how many it took. The rest is the caller's to offer again after a run. */
  receive(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.room);
    for (let i = 0; i < count; i++) this.#queue.push(bytes[i] as number);
    this.#feed();
    return count;
  }

  /** Forgets what is on its way: the UART was reset. */
  clear(): void {
    this.#queue.length = 0;
    this.#alarm.cancel();
  }

  #feed(): void {
    let taken = 0;
    while (taken < this.#queue.length && this.#port.receive(this.#queue[taken] as number)) taken++;
    this.#queue.splice(0, taken);
    if (this.#queue.length > 0) this.#alarm.set(this.#clock.now + retry);
  }
}
