/**
 * The beats of an oscillator, exact at any time: nanoseconds to ticks and back in rational arithmetic, so that a
 * chip neither drifts nor disagrees with another one on the same crystal.
 */
export class Ticks {
  /** Ticks in `#block` nanoseconds, the fraction hz / 10^9 in lowest terms. */
  readonly #beats: number;
  readonly #block: number;

  /** @param hz whole hertz, such that the reduced products stay exact in a double: all below 9 MHz, and round megahertz. */
  constructor(hz: number) {
    const divisor = greatestCommonDivisor(hz, 1e9);
    this.#beats = hz / divisor;
    this.#block = 1e9 / divisor;
    if (!(this.#beats * this.#block <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${hz} Hz is not exact`);
  }

  /** Ticks that have passed at a time, rounded down. */
  at(nanoseconds: number): number {
    const blocks = Math.floor(nanoseconds / this.#block);
    const rest = Math.floor(nanoseconds - blocks * this.#block);
    return blocks * this.#beats + Math.floor((rest * this.#beats) / this.#block);
  }

  /** The first whole nanosecond at which so many ticks have passed. */
  time(ticks: number): number {
    const blocks = Math.floor(ticks / this.#beats);
    const rest = ticks - blocks * this.#beats;
    return blocks * this.#block + Math.ceil((rest * this.#block) / this.#beats);
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
