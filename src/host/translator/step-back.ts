import { readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/**
 * Lets other threads go first where there are fewer cores than threads with something to do: a region that comes later costs the guest less than a core that it has to wait for. Linux has a priority for
 * each thread, by its number; elsewhere nothing is changed.
 *
 * @param by how many steps of nice(2), as far as there are so many: the last is 19.
 */
export function stepBack(by: number): void {
  try {
    const [, thread] = /\/task\/(\d+)$/.exec(readlinkSync("/proc/thread-self")) ?? [];
    if (thread !== undefined) setPriority(Number(thread), Math.min(getPriority(Number(thread)) + by, 19));
  } catch {
    // No such file, or it may not: then all have the same priority.
  }
}
