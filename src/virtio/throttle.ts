/** How long the work of one unit (a descriptor walked, 64 bytes copied, 512 bytes lent) is taken to last, in virtual nanoseconds. */
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
 * each store would otherwise cost the host milliseconds an instruction. What is copied is bounded at four times what a disk of 500 MB/s needs. What
 * is lent may go by eight times as fast: with a host's clock a file in its page cache is a disk of several GB/s, and an honest driver is not to wait for the account.
 */
export function spend(paidAt: number, units: number, now: number): number {
  return Math.max(paidAt, now - burstTime) + units * unitTime;
}
