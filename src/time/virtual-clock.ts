import { type Alarm, AlarmQueue } from "./clock.ts";
import { HoldCount, type MachineClock, ringDue } from "./machine-clock.ts";

/**
 * Time that is counted in instructions, so that the same inputs give the same run.
 *
 * Now is `instructions * nsPerInstruction` plus what was skipped while the processor was halted. An alarm rings before the first
 * instruction which does not begin earlier than it is due.
 */
export class VirtualClock implements MachineClock {
  readonly isHostTime = false;
  onEarlier: (() => void) | undefined;
  readonly #queue = new AlarmQueue();
  readonly #holds = new HoldCount();
  readonly #position: () => number;
  readonly #nsPerInstruction: number;
  #skipped = 0;
  /** What is added to the time that the instructions took: what was skipped, and what a restored machine had behind it. */
  #offset = 0;
  /** The alarm which the run in hand ends at. */
  #horizon = Number.POSITIVE_INFINITY;

  /** @param position instructions retired, exact whenever a chip may ask for the time. */
  constructor(position: () => number, nsPerInstruction: number) {
    this.#position = position;
    this.#nsPerInstruction = nsPerInstruction;
    this.#queue.onChange = () => {
      if (this.#queue.due < this.#horizon) this.onEarlier?.();
    };
  }

  get now(): number {
    return this.#position() * this.#nsPerInstruction + this.#offset;
  }

  get skipped(): number {
    return this.#skipped;
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
    const due = this.#queue.due;
    this.#horizon = due;
    if (due === Number.POSITIVE_INFINITY) return limit;
    const instructions = Math.ceil((due - this.now) / this.#nsPerInstruction);
    return Math.min(limit, Math.max(1, instructions));
  }

  idle(): number {
    const due = this.#queue.due;
    if (due === Number.POSITIVE_INFINITY) return due;
    const skip = Math.max(0, Math.ceil(due - this.now));
    this.#skipped += skip;
    this.#offset += skip;
    return 0;
  }

  restore(now: number): void {
    this.#queue.clear();
    this.#offset = now - this.#position() * this.#nsPerInstruction;
  }
}
