import type { Alarm, Clock } from "../../time/clock.ts";
import { Ticks } from "../ticks.ts";

/** What the timer needs of the APIC's state. */
export interface TimerState {
  initialCount: number;
  /** The divide configuration register. */
  divide: number;
  /** The bus tick at which the count was loaded. */
  start: number;
  /** A one-shot count has run out, or nothing was loaded. */
  expired: boolean;
  /** When a periodic timer may interrupt next, in nanoseconds. */
  earliest: number;
}

/**
 * A periodic timer interrupts at most once in so many nanoseconds: initial count 1 must not hold the host. The count that
 * is read stays exact.
 */
export const shortestPeriod = 10_000;

/** The timer of a local APIC (Intel SDM vol. 3 section 10.5.4): one-shot and periodic. TSC-deadline mode is not offered. */
export class LapicTimer {
  readonly #clock: Clock;
  readonly #state: TimerState;
  readonly #ticks: Ticks;
  readonly #alarm: Alarm;
  readonly #periodic: () => boolean;

  constructor(clock: Clock, busFrequency: number, state: TimerState, periodic: () => boolean, fire: () => void) {
    this.#clock = clock;
    this.#state = state;
    this.#ticks = new Ticks(busFrequency);
    this.#periodic = periodic;
    this.#alarm = clock.alarm("lapic timer", (now) => {
      if (!periodic()) state.expired = true;
      state.earliest = now + shortestPeriod;
      fire();
      this.arm();
    });
  }

  load(count: number): void {
    const s = this.#state;
    s.initialCount = count;
    s.start = this.#now;
    s.expired = count === 0;
    this.arm();
  }

  get current(): number {
    const s = this.#state;
    if (s.initialCount === 0 || s.expired) return 0;
    const counts = Math.floor((this.#now - s.start) / this.#divisor);
    if (this.#periodic()) return s.initialCount - (counts % s.initialCount);
    return Math.max(s.initialCount - counts, 0);
  }

  /** Goes on from the present count at another pace. */
  setDivide(value: number): void {
    const s = this.#state;
    const current = this.current;
    s.divide = value;
    if (current > 0) s.start = this.#now - (s.initialCount - current) * this.#divisor;
    this.arm();
  }

  /** Sets the alarm for the next interrupt, from the state. */
  arm(): void {
    const s = this.#state;
    if (s.initialCount === 0 || s.expired) {
      this.#alarm.cancel();
      return;
    }
    const period = s.initialCount * this.#divisor;
    const from = Math.max(this.#now, this.#ticks.at(s.earliest));
    const periods = this.#periodic() ? Math.floor((from - s.start) / period) + 1 : 1;
    this.#alarm.set(this.#ticks.time(s.start + periods * period));
  }

  get #now(): number {
    return this.#ticks.at(this.#clock.now);
  }

  /** 000 is 2, 110 is 128 and 111 is 1 (SDM figure 10-10). */
  get #divisor(): number {
    const divide = this.#state.divide;
    const code = (divide & 3) | ((divide >>> 1) & 4);
    return 1 << ((code + 1) & 7);
  }
}
