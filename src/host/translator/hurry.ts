import { performance } from "node:perf_hooks";

/** A job that takes so many times its time of processor by the clock has waited for others. */
const waited = 4;
/** And for so many jobs behind it there is no time for what may be left out. */
const jobs = 50;

/** What `watch` looks at: milliseconds by the clock, and milliseconds of processor of this thread. */
export interface Clocks {
  readonly wall: () => number;
  readonly processor: () => number;
}

const clocks: Clocks = {
  wall: () => performance.now(),
  processor: () => {
    // Only newer node tells a thread's own; without it nobody is ever in a hurry.
    const { user, system } = process.threadCpuUsage?.() ?? { user: Number.POSITIVE_INFINITY, system: 0 };
    return (user + system) / 1000;
  },
};

/**
 * Whether this thread, which lets others go first, gets so little of a processor that what it makes comes too late: then a region that is there is better than one that is fast. A Linux at its prompt took
 * 4 % of a core for half a minute on a host with other work, since its ticks waited to be optimised.
 */
export class Hurry {
  readonly #clocks: Clocks;
  #left = 0;

  constructor(from: Clocks = clocks) {
    this.#clocks = from;
  }

  get now(): boolean {
    return this.#left > 0;
  }

  /** Does a job, and sees how long it had to wait. */
  watch<T>(job: () => T): T {
    const { wall, processor } = this.#clocks;
    const [begin, used] = [wall(), processor()];
    const done = job();
    if (wall() - begin > waited * (processor() - used)) this.#left = jobs;
    else if (this.#left > 0) this.#left--;
    return done;
  }
}
