import type { Clock, Holds } from "./clock.ts";

/** A clock which the run loop of a machine drives. */
export interface MachineClock extends Clock, Holds {
  /** Whether anybody holds it. Nothing may run then. */
  readonly held: boolean;
  /** Told when the run in hand has to be cut short, since an alarm was set before its end. */
  onEarlier: (() => void) | undefined;
  /** Rings what is due, in order; stops early when one of them holds the clock. */
  ring(): void;
  /** How many instructions may run now, 1 to `limit`, so that no alarm is missed. */
  budget(limit: number): number;
  /**
   * The processor is halted. Gives how many nanoseconds the host should wait: 0 when time was moved to the next alarm instead,
   * Infinity when there is none.
   */
  idle(): number;
  /** Goes on from another time, with no alarm set: for a restored machine, whose chips then set theirs. */
  restore(now: number): void;
  /** Nanoseconds skipped by `idle` since the machine was made. */
  readonly skipped: number;
}

/** Who holds a clock, by name. */
export class HoldCount {
  readonly #holders = new Set<object>();

  get held(): boolean {
    return this.#holders.size > 0;
  }

  /** Calling what it gives more than once does no harm. */
  hold(name: string): () => void {
    const holder = { name };
    this.#holders.add(holder);
    return () => {
      this.#holders.delete(holder);
    };
  }
}

/**
 * Rings the alarms due by `now`, one after the other, until a hold. A chip that sets its alarm to the present
 * again and again must not keep the host: after 1000 the processor gets an instruction.
 */
export function ringDue(queue: { ringNext(now: number): boolean }, now: number, holds: HoldCount): void {
  for (let i = 0; i < 1000 && !holds.held; i++) if (!queue.ringNext(now)) return;
}
