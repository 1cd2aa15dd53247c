import type { Device } from "../bus/state.ts";

/**
 * What the board knows of a processor: how to run it and how to stop it.
 *
 * `instructions` is exact at every device access, since it is what virtual time is counted from.
 */
export interface Cpu extends Device {
  /** Instructions retired since the machine was made; a reset does not set it back. */
  readonly instructions: number;
  /** Whether it waits in HLT or `wait` for an interrupt which has not come. */
  readonly halted: boolean;
  /** The address of the next instruction, for people: linear, as far as the processor has such a thing. */
  readonly pc: number;
  /** Figures of whatever runs the code, by name. */
  readonly stats?: Readonly<Record<string, number>>;
  /** Milliseconds of the host's which went into translating guest code. */
  readonly compileTime?: number;
  /** As how many jumps each counts from now on in the choice of what is translated, for a processor that translates: 1 at first, 0 for none. Changes nothing of the run. */
  warmth?: number;
  /** Runs at most `budget` instructions. Returns earlier when it halts and when it is stopped. A halted one looks first whether an interrupt has come. */
  run(budget: number): void;
  /** Leaves `run` after the instruction in hand: an alarm moved, the guest left or asked for a reset. */
  stop(): void;
  /** An interrupt line changed: look at it before the next instruction. */
  attention(): void;
}
