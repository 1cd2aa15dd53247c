import { type Alarm, AlarmQueue } from "./clock.ts";
import { HoldCount, type MachineClock, ringDue } from "./machine-clock.ts";

/** Instructions between two looks at the host's clock: some tenths of a millisecond. */
const look = 20_000;

/** Time that is the host's: a guest's second is a second, and a halted guest sleeps. Two runs are not the same. */
export class HostClock implements MachineClock {
  readonly isHostTime = true;
  onEarlier: (() => void) | undefined;
  readonly #queue = new AlarmQueue();
  readonly #holds = new HoldCount();
  readonly #wall: () => number;
  #start: number;
  #now = 0;

  /** @param wall nanoseconds of a host clock. Should it go back all the same, time stands still until it has caught up. */
  constructor(wall: () => number) {
    this.#wall = wall;
    this.#start = wall();
    // What was set to the present need not wait until the next look: the end of a disk's request.
    this.#queue.onChange = () => {
      if (this.#queue.due <= this.#now) this.onEarlier?.();
    };
  }

  get now(): number {
    this.#now = Math.max(this.#now, Math.floor(this.#wall() - this.#start));
    return this.#now;
  }

  get skipped(): number {
    return 0;
  }

  get held(): boolean {
    return this.#holds.held;
  }

  alarm(name: string, ring: (now: number) => void): Alarm {
    return this.#queue.alarm(name, ring);
  }

  hold(name: string): () => void {
    return this.#holds.hold(name);
  }

  ring(): void {
    ringDue(this.#queue, this.now, this.#holds);
  }

  budget(limit: number): number {
    return Math.min(limit, look);
  }

  idle(): number {
    return Math.max(0, this.#queue.due - this.now);
  }

  restore(now: number): void {
    this.#queue.clear();
    this.#start = this.#wall() - now;
    this.#now = now;
  }
}
