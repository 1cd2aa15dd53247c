import type { Alarm, Clock } from "../time/clock.ts";
import { FrameFifo } from "./frame-fifo.ts";

/** Frames which wait for a device that does not take them; what comes then is lost. */
const backlog = 256;

/** The receiving end of a network: frames on their way, each of which arrives at its virtual time and waits from then on. */
export class Inbox {
  /** A frame begins to wait. */
  onFrame: (() => void) | undefined;
  /** Frames on their way have become fewer. */
  onArrival: (() => void) | undefined;
  /** How many were lost for want of room. */
  lost = 0;
  readonly #flying: FrameFifo;
  readonly #waiting = new FrameFifo(backlog);
  #alarm: Alarm | undefined;

  /** @param inFlight how many frames may be on their way. */
  constructor(inFlight: number) {
    this.#flying = new FrameFifo(inFlight);
  }

  attach(clock: Clock, name: string): void {
    this.#alarm = clock.alarm(name, (now) => this.#arrive(now));
  }

  /** How many more frames may be on their way. */
  get room(): number {
    return this.#flying.room;
  }

  /** Sends a frame on its way. Times must not go back. */
  expect(frame: Uint8Array, time: number): void {
    if (!this.#flying.push(frame, time)) this.lost++;
    if (this.#flying.count === 1) this.#alarm?.set(time);
  }

  get first(): Uint8Array | undefined {
    return this.#waiting.first;
  }

  take(): void {
    this.#waiting.shift();
  }

  /** Loses the frames which wait. */
  flush(): void {
    this.#waiting.clear();
  }

  /** Loses those on their way too. */
  clear(): void {
    this.flush();
    this.#flying.clear();
    this.#alarm?.cancel();
  }

  #arrive(now: number): void {
    let came = false;
    while (this.#flying.time <= now) {
      const frame = this.#flying.first as Uint8Array;
      if (this.#waiting.push(frame, now)) came = true;
      else this.lost++;
      this.#flying.shift();
    }
    if (this.#flying.count > 0) this.#alarm?.set(this.#flying.time);
    this.onArrival?.();
    if (came) this.onFrame?.();
  }
}
