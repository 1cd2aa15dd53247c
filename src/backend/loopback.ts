import type { Clock, Holds } from "../time/clock.ts";
import { Inbox } from "./inbox.ts";
import type { NetworkBackend } from "./network.ts";

/** From a frame's end to its arrival, in virtual nanoseconds. */
const usualLatency = 20_000;
/** Frames which may be on their way; a device with more waits. */
const inFlight = 64;

/** A cable whose end is its beginning: every frame comes back, a latency later. */
export class Loopback implements NetworkBackend {
  readonly station = 0;
  readonly linkUp = true;
  onRoom: (() => void) | undefined;
  onFrame: (() => void) | undefined;
  onLink: (() => void) | undefined;
  readonly #latency: number;
  readonly #inbox = new Inbox(inFlight);
  #clock: Clock | undefined;

  /** @param latency in virtual nanoseconds. */
  constructor(latency = usualLatency) {
    this.#latency = latency;
    this.#inbox.onFrame = () => this.onFrame?.();
    this.#inbox.onArrival = () => this.onRoom?.();
  }

  attach(clock: Clock & Holds): void {
    this.#clock = clock;
    this.#inbox.attach(clock, "loopback");
  }

  get room(): number {
    return this.#inbox.room;
  }

  send(frame: Uint8Array): void {
    this.#inbox.expect(frame, (this.#clock?.now ?? 0) + this.#latency);
  }

  get first(): Uint8Array | undefined {
    return this.#inbox.first;
  }

  take(): void {
    this.#inbox.take();
  }

  flush(): void {
    this.#inbox.flush();
  }

  restored(): void {
    this.#inbox.clear();
  }

  close(): void {
    this.#inbox.clear();
  }
}
