import { type Alarm, AlarmQueue } from "./clock.ts";
import { HoldCount, type MachineClock, ringDue } from "./machine-clock.ts";

/** Instructions between two looks at the host's clock: some tenths of a millisecond of cold code, some hundredths of the fastest. A look takes as long as some thousand of that. */
const look = 60_000;

/** And as few at least, when an alarm is close. */
const shortest = 1000;

/** How long an instruction is taken to last, in nanoseconds, to be there when an alarm is due: about as long as in the coldest code. */
const usual = 10;

/** And how long at most, if the host's clock says that it did. */
const slowest = 250;

/** How far the guest's time may fall behind the host's, in nanoseconds. */
const mostBehind = 60e9;

/**
 * Time that is the host's: a guest's second is a second, and a halted guest sleeps. Two runs are not the same.
 *
 * A host with other work takes the processor away for many milliseconds, which no guest expects between two of its instructions: it
 * would find its timers to run at a wrong rate, or lose ticks. So time passes by what the guest has done, no instruction taking longer than `slowest`, and none passes an alarm that has not
 * rung: each rings at its own time, and the guest gets to run between two of them. What is missing is made up for as the guest goes on or waits; only what is more than a minute is given up.
 */
export class HostClock implements MachineClock {
  readonly isHostTime = true;
  onEarlier: (() => void) | undefined;
  readonly #queue = new AlarmQueue();
  readonly #holds = new HoldCount();
  readonly #wall: () => number;
  readonly #position: () => number;
  #start: number;
  #now = 0;
  /** The instruction at the last look. */
  #at = 0;
  /** The processor is halted: time goes on without it, as far as the next alarm. */
  #waiting = false;
  /** Where time is taken to be at the end of the run in hand. */
  #horizon = 0;

  /**
   * @param wall nanoseconds of a host clock. Should it go back all the same, time stands still until it has caught up.
   * @param position instructions retired, exact whenever a chip may ask for the time.
   */
  constructor(wall: () => number, position: () => number) {
    this.#wall = wall;
    this.#position = position;
    this.#start = wall();
    // What is set to a time before the next look need not wait until then: the end of a disk's request.
    this.#queue.onChange = () => {
      const { due } = this.#queue;
      if (due <= this.#now || due < this.#horizon) this.onEarlier?.();
    };
  }

  get now(): number {
    const host = this.#host;
    const at = this.#position();
    const most = this.#waiting && at === this.#at ? Number.POSITIVE_INFINITY : this.#now + (at - this.#at) * slowest;
    this.#at = at;
    this.#now = Math.max(this.#now, Math.min(host, most, this.#queue.due), host - mostBehind);
    return this.#now;
  }

  get #host(): number {
    return Math.floor(this.#wall() - this.#start);
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
    const { now } = this;
    this.#waiting = false;
    ringDue(this.#queue, now, this.#holds);
  }

  budget(limit: number): number {
    const close = Math.max(shortest, Math.ceil((this.#queue.due - this.#now) / usual));
    const budget = Math.min(limit, look, close);
    this.#horizon = this.#now + budget * usual;
    return budget;
  }

  idle(): number {
    this.#waiting = true;
    return Math.max(0, this.#queue.due - this.#host);
  }

  restore(now: number): void {
    this.#queue.clear();
    this.#start = this.#wall() - now;
    this.#now = now;
    this.#waiting = false;
    this.#at = this.#position();
  }
}
