import type { Alarm, Clock, Holds } from "./clock.ts";

/**
 * A request given to the host, which ends at a modelled time: when it was submitted plus a latency.
 *
 * When the host answers earlier, the answer waits for that time; when it is late, time waits for it. So a run is the same
 * however fast the host is. Where time is the host's own, it does not wait: the request ends when its time is past and the host has
 * answered. One object serves one request after another.
 */
export class Completion {
  readonly #clock: Clock & Holds;
  readonly #name: string;
  readonly #alarm: Alarm;
  readonly #finish: (ok: boolean) => void;
  /** Counts requests, so that an answer to a cancelled one is known by its number. */
  #request = 0;
  #running = false;
  #rung = false;
  #answer: boolean | undefined;
  /** Whether the host has yet to answer, also to a request which was cancelled. */
  #owed = false;
  #release: (() => void) | undefined;
  #due = 0;

  /** @param finish told once a request, at its time, unless it was cancelled. */
  constructor(clock: Clock & Holds, name: string, finish: (ok: boolean) => void) {
    this.#clock = clock;
    this.#name = name;
    this.#finish = finish;
    this.#alarm = clock.alarm(name, () => this.#ring());
  }

  /** When it will end, or Infinity. */
  get due(): number {
    return this.#alarm.due;
  }

  /** Whether it may be started: it neither runs nor is owed an answer. */
  get idle(): boolean {
    return !this.#running && !this.#owed;
  }

  /** Begins a request and gives the function which takes the host's answer, to be called once, now or later. */
  start(latency: number): (ok: boolean) => void {
    const request = ++this.#request;
    this.#running = true;
    this.#rung = false;
    this.#owed = true;
    this.#answer = undefined;
    this.#due = this.#clock.now + latency;
    if (!this.#clock.isHostTime) this.#alarm.set(this.#due);
    return (ok) => {
      if (request !== this.#request || !this.#owed) return;
      this.#owed = false;
      this.#answer = ok;
      this.#release?.();
      this.#release = undefined;
      // A request that was cancelled has nothing more to come.
      if (this.#clock.isHostTime && this.#running) this.#alarm.set(this.#due);
      else if (this.#rung) this.#end();
    };
  }

  /**
   * Forgets the request: `finish` will not be told. When the host still owes the answer, time waits for it, so
   * that a guest which resets its device again and again cannot pile up requests.
   */
  cancel(): void {
    this.#alarm.cancel();
    this.#running = false;
    this.#rung = false;
    if (this.#owed) this.#release ??= this.#clock.hold(this.#name);
  }

  #ring(): void {
    this.#rung = true;
    if (this.#answer === undefined) this.#release ??= this.#clock.hold(this.#name);
    else this.#end();
  }

  #end(): void {
    const ok = this.#answer === true;
    this.#running = false;
    this.#rung = false;
    this.#finish(ok);
  }
}
