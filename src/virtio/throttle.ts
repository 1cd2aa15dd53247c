/** How long the work of one unit (a descriptor walked, 64 bytes moved) is taken to last, in virtual nanoseconds. */
const unitTime = 30;
/** How far the work may run ahead of time. */
const burstTime = 1_000_000;

/** As much credit as there can be at time 0. */
export const unspent = -burstTime;

/**
 * Books work done at `now` on an account: `paidAt` is when all work so far will have been paid for, less the burst,
 * and more may be done once that is past. Gives the new `paidAt`, in virtual nanoseconds.
 *
 * This bounds what a guest can make the host do in a stretch of virtual time: a driver which offers the same 256 chains again with
 * each store would otherwise cost the host milliseconds an instruction. The bound is four times what
 * a disk of 500 MB/s needs, so an honest driver does not meet it.
 */
export function spend(paidAt: number, units: number, now: number): number {
  return Math.max(paidAt, now - burstTime) + units * unitTime;
}
