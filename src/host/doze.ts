/** Milliseconds without anything but ticks until a guest dozes. */
const quiet = 100;

/** Milliseconds which a dozing guest is left alone: at least, and at most. */
const nap = 100;
const longestNap = 400;

/** And as a part of the time for which it has done nothing else: what a guest does once in a second comes a tenth of one late at most. */
const tenth = 0.1;

/** Instructions a millisecond of a guest which does nothing but tick; a kernel's tick takes 3000 to 5000. */
const ticking = 5000;

/** Milliseconds in which what a dozing guest runs is made ready, and as how many jumps each counts then. */
const settling = 4000;
const hasty = 16;

/** And while it is awake. */
export const awake = 1;

/**
 * How long a halted guest on the host's clock may be left alone.
 *
 * A kernel with a periodic tick wants to be woken 250 times a second, and what it does then is far slower than it need be: in the meantime the host's
 * caches have lost its code. So ticks of one that only ticks are delivered some at a time. Each still comes at its own time as the guest
 * sees it, which falls behind the host's by as much as a nap. Input ends a nap at once, and output keeps the guest awake.
 */
export class Doze {
  #awake = 0;
  #before = Number.POSITIVE_INFINITY;
  /** For how long it has dozed, less than 0 while it does not. */
  #dozed = -1;

  /**
   * A slice is over.
   *
   * @param instructions which the guest took since it waited last.
   * @param lively whether it has printed or was given input.
   * @param now milliseconds, when the slice began.
   */
  ran(instructions: number, lively: boolean, now: number): void {
    if (!lively && instructions <= ticking * (now - this.#before)) return;
    this.#awake = now;
    this.#dozed = -1;
  }

  /** Milliseconds to sleep after a slice at whose end the guest waits; `wake` are those until its next alarm. */
  length(wake: number, now: number): number {
    this.#before = now;
    this.#dozed = now - this.#awake - quiet;
    if (this.#dozed < 0) return wake;
    return Math.max(wake, nap, Math.min(longestNap, tenth * (now - this.#awake)));
  }

  /**
   * As how many jumps each counts until the guest stirs, in the choice of what is translated. What it runs in each of its ticks is
   * soon found that way; translating what it runs less often would take more than that ever saves.
   */
  get warmth(): number {
    return this.#dozed < 0 ? awake : this.#dozed < settling ? hasty : 0;
  }
}
