import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * Lets other threads go first where there are fewer cores than threads with something to do: a region that comes later costs the guest less than a core that it has to wait for. Linux has a priority for each thread,
 * by the number which the first word behind `task/` is; elsewhere nothing is changed.
 *
 * @param by how many steps of nice(2).
 */
export function stepBack(by: number): void {
  try {
    const [, thread] = /\/task\/(\d+)$/.exec(readlinkSync("/proc/thread-self")) ?? [];
    if (thread !== undefined) setPriority(Number(thread), by);
  } catch {
    // No such file, or it may not: then all have the same priority.
  }
}
