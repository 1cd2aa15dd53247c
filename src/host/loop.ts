import { performance } from "node:perf_hooks";
import type { Cpu } from "../board/cpu.ts";
import type { RunResult } from "../board/run-result.ts";
import { awake, Doze } from "./doze.ts";

/** A machine as the loop sees it. */
export interface Runnable {
  readonly cpu: Pick<Cpu, "instructions" | "warmth">;
  run(budget: number): RunResult;
}

export interface LoopOptions {
  /** Instructions a slice. A slice holds the host for some milliseconds. */
  readonly slice: number;
  /** Offers input before a slice; `asleep` when the guest sleeps for good without it. True when the guest took some. */
  readonly feed: (asleep: boolean) => boolean;
  /** Takes output after a slice. True when there was some. */
  readonly flush: () => boolean;
  /** Whether a reader is so far behind that the guest should wait, and what to wait for then. */
  readonly blocked: () => Promise<void> | undefined;
  /** Whether the guest may still get input which is not there yet. */
  readonly mayComeInput: () => boolean;
  /** Told of each slice how many milliseconds of the host's it took. */
  readonly ran?: (milliseconds: number) => void;
}

/** Why a loop ended: the guest did, it can never wake, or somebody called `stop`. */
export type LoopEnd = { readonly by: "guest"; readonly status: number } | { readonly by: "asleep" | "stop" };

/** A guest which only ticks may skip this much virtual time at full speed before it is held to the pace of the host's clock. */
const freeSilence = 10e9;

/** A guest which skips so many nanoseconds an instruction does nothing but wait: a hundred times what an instruction takes. */
const mostlyWaits = 1000;

/**
 * Runs a machine and lets the event loop turn between slices. A guest that waits costs nothing: with the host's clock the loop sleeps until
 * the next alarm, or through some of them when they are mere ticks; with virtual time, where a waiting guest's clock jumps ahead, a guest that has done nothing else for
 * ten virtual seconds goes on at a second for a second.
 */
export class Loop {
  readonly #machine: Runnable;
  readonly #options: LoopOptions;
  #wake: (() => void) | undefined;
  #stopped = false;
  #silence = 0;
  readonly #doze = new Doze();

  constructor(machine: Runnable, options: LoopOptions) {
    this.#machine = machine;
    this.#options = options;
  }

  /** Ends a sleep: input came, or something else that the guest should see. */
  wake(): void {
    this.#wake?.();
  }

  /** Ends the run after the slice in hand. */
  stop(): void {
    this.#stopped = true;
    this.wake();
  }

  async run(): Promise<LoopEnd> {
    const { slice, feed, flush, blocked, mayComeInput, ran } = this.#options;
    const { cpu } = this.#machine;
    let late = 0;
    let waited = cpu.instructions;
    while (!this.#stopped) {
      const fed = feed(false);
      const begin = performance.now();
      const before = cpu.instructions;
      if (fed) cpu.warmth = awake;
      const result = this.#machine.run(slice);
      ran?.(performance.now() - begin);
      const lively = flush() || fed;
      if (result.reason === "exit") return { by: "guest", status: result.status ?? 0 };
      const full = blocked();
      if (full !== undefined) await Promise.race([full, this.#sleep(Number.POSITIVE_INFINITY)]);
      late = result.reason === "waiting" ? late + 1 : 0;
      this.#doze.ran(cpu.instructions - waited, lively, begin);
      cpu.warmth = this.#doze.warmth;

      if (result.reason === "idle") {
        const wake = result.wake ?? Number.POSITIVE_INFINITY;
        if (wake === Number.POSITIVE_INFINITY) {
          if (feed(true)) continue;
          if (!mayComeInput()) return { by: "asleep" };
        }
        waited = cpu.instructions;
        await this.#sleep(this.#doze.length(wake / 1e6, begin));
      } else if (late > 10) {
        // The host's disk is slow: look again in a millisecond rather than at once.
        await this.#sleep(1);
      } else {
        const busy = lively || result.skipped < mostlyWaits * (cpu.instructions - before);
        await this.#sleep(this.#pace(result.skipped, busy, performance.now() - begin));
      }
    }
    return { by: "stop" };
  }

  /** Milliseconds to wait after a slice of virtual time, so that a guest which only waits does not burn the host. */
  #pace(skipped: number, lively: boolean, took: number): number {
    if (lively) {
      this.#silence = 0;
      return 0;
    }
    this.#silence += skipped;
    return this.#silence < freeSilence ? 0 : Math.max(0, skipped / 1e6 - took);
  }

  /** Waits at most so long; `wake` ends it. None at all is one turn of the event loop. */
  #sleep(milliseconds: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    if (milliseconds <= 0) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      // A timer of node's takes at least 1 and at most 2^31 - 1 milliseconds; one that ends before the alarm would be for nothing.
      const timer = setTimeout(done, Math.min(Math.ceil(milliseconds), 2 ** 31 - 1));
      const settle = () => done();
      this.#wake = settle;
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
    });
  }
}
