import type { Alarm, Clock } from "../../time/clock.ts";
import { Ticks } from "../ticks.ts";

/** What the timers need of the MPIC's state. */
export interface TimersState {
  /** GTBCR of each: bit 31 inhibits counting. */
  readonly base: Uint32Array;
  /** The tick at which each began its count, or the count at which it stands while inhibited. */
  readonly start: Float64Array;
  /** When each may interrupt next, in nanoseconds. */
  readonly earliest: Float64Array;
  timerControl: number;
}

export const timerCount = 4;

/** A timer interrupts at most once in so many nanoseconds, whatever its base count. Counts read stay exact. */
export const shortestPeriod = 10_000;

const inhibit = 0x8000_0000;
const countMask = 0x7fff_ffff;

/**
 * The four global timers of one group (MPC8544E reference manual section 10.3.3): each counts down from its base count,
 * interrupts at zero, toggles bit 31 of its current count and starts again. TCR divides the platform clock by 8 to 64; cascading
 * and the RTC input are not implemented.
 */
export class GlobalTimers {
  readonly #clock: Clock;
  readonly #state: TimersState;
  readonly #ticks: Ticks;
  readonly #alarms: readonly Alarm[];

  /** @param frequency of the platform clock, in hertz. */
  constructor(clock: Clock, frequency: number, state: TimersState, fire: (timer: number) => void) {
    this.#clock = clock;
    this.#state = state;
    this.#ticks = new Ticks(frequency);
    this.#alarms = Array.from({ length: timerCount }, (_, i) =>
      clock.alarm(`mpic timer ${i}`, (now) => {
        state.earliest[i] = now + shortestPeriod;
        fire(i);
        this.#arm(i);
      }),
    );
  }

  arm(): void {
    for (let i = 0; i < timerCount; i++) this.#arm(i);
  }

  /** GTBCR, as it was written. */
  base(i: number): number {
    return this.#state.base[i] as number;
  }

  /** GTCCR: the count, and the toggle bit. */
  current(i: number): number {
    const s = this.#state;
    const base = s.base[i] as number;
    const count = base & countMask;
    if ((base & inhibit) !== 0) return s.start[i] as number;
    if (count === 0) return 0;
    const elapsed = Math.floor((this.#now - (s.start[i] as number)) / this.#ratio);
    const toggled = Math.floor(elapsed / count) % 2 === 1;
    return (count - (elapsed % count) + (toggled ? inhibit : 0)) % 2 ** 32;
  }

  /** GTBCR. Counting begins, from the base count and with the toggle bit clear, when the inhibit bit goes from 1 to 0; a running timer takes a new count at once. */
  setBase(i: number, value: number): void {
    const s = this.#state;
    const was = s.base[i] as number;
    const before = this.current(i);
    s.base[i] = value;
    if ((value & inhibit) !== 0) s.start[i] = before;
    else if ((was & inhibit) !== 0 || value !== was) s.start[i] = this.#now;
    this.#arm(i);
  }

  /** TCR: timers which run begin again at the new pace. */
  setControl(value: number): void {
    this.#state.timerControl = value;
    const s = this.#state;
    for (let i = 0; i < timerCount; i++) if (((s.base[i] as number) & inhibit) === 0) s.start[i] = this.#now;
    this.arm();
  }

  #arm(i: number): void {
    const s = this.#state;
    const base = s.base[i] as number;
    const alarm = this.#alarms[i] as Alarm;
    if (base === 0 || (base & inhibit) !== 0) {
      alarm.cancel();
      return;
    }
    const start = s.start[i] as number;
    const period = base * this.#ratio;
    const from = Math.max(this.#now, this.#ticks.at(s.earliest[i] as number));
    alarm.set(this.#ticks.time(start + (Math.floor((from - start) / period) + 1) * period));
  }

  /** CLKR: a count takes 8, 16, 32 or 64 ticks of the platform clock. */
  get #ratio(): number {
    return 8 << ((this.#state.timerControl >>> 8) & 3);
  }

  get #now(): number {
    return this.#ticks.at(this.#clock.now);
  }
}
