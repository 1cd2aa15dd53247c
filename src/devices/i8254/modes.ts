/**
 * The six modes of an 8254 counter as functions of time: what the count and OUT are `elapsed` CLK pulses after `n`
 * was loaded (Intel 8254 data sheet, order number 231164, "Mode Definitions"). -1 is the pulse before the load.
 */

/** The count in binary, 0 to `modulus` - 1. Modes 0, 1, 4 and 5 count on past zero, 2 and 3 start again. */
export function countAt(mode: number, n: number, elapsed: number, modulus: number): number {
  const e = Math.max(elapsed, 0);
  if (mode === 2) return (n - (e % n)) % modulus;
  if (mode === 3) {
    // By twos, from an even number, over each half of the wave.
    const phase = e % n;
    const high = highHalf(n);
    return ((n & ~1) - 2 * (phase < high ? phase : phase - high)) % modulus;
  }
  return (((n - e) % modulus) + modulus) % modulus;
}

export function outAt(mode: number, n: number, elapsed: number): boolean {
  switch (mode) {
    case 0:
      return elapsed >= n;
    case 1:
      return elapsed < 0 || elapsed >= n;
    case 2:
      return elapsed < 0 || elapsed % n !== n - 1;
    case 3:
      return elapsed < 0 || elapsed % n < highHalf(n);
    default:
      return elapsed !== n;
  }
}

/** When the running period (mode 2) or half of one (mode 3) ends: a new count waits for that. */
export function cycleEnd(mode: number, n: number, elapsed: number): number {
  const e = Math.max(elapsed, 0);
  const begin = e - (e % n);
  return mode === 3 && e - begin < highHalf(n) ? begin + highHalf(n) : begin + n;
}

/** With an odd count OUT is high for one pulse longer than low. */
export function highHalf(n: number): number {
  return (n + 1) >>> 1;
}
