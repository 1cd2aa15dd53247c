/** Milliseconds without anything but ticks until a guest dozes. */
const quiet = 100;

/** Milliseconds which a dozing guest is left alone. */
const nap = 100;

/** Instructions a millisecond of a guest which does nothing but tick; a kernel's tick takes 3000 to 5000. */
const ticking = 5000;

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

  /**
   * Milliseconds to sleep after a slice at whose end the guest waits.
   *
   * @param wake until its next alarm.
   * @param instructions which it took in this slice.
   * @param lively whether it has printed or was given input.
   * @param now milliseconds, when the slice began.
   */
  length(wake: number, instructions: number, lively: boolean, now: number): number {
    if (lively || instructions > ticking * (now - this.#before)) this.#awake = now;
    this.#before = now;
    return now - this.#awake < quiet ? wake : Math.max(wake, nap);
  }
}
