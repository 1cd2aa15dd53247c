import type { Element } from "./x86-cases.ts";

/*
 * Where we do otherwise than the processor at hand, and why that is right. Each is looked at by the comparison, which then leaves out what it says.
 */

export interface Known {
  readonly name: string;
  readonly reason: string;
  /** Whether it holds for the instruction with which a case ended, and the exception it ended in. */
  readonly applies: (last: Element, trap: number) => boolean;
  /** General registers that are not compared, a bit each. */
  readonly registers: number;
}

const allButEsp = 0xef;

export const known: readonly Known[] = [
  {
    name: "popa-that-faults",
    reason:
      "The processor has loaded the registers below the one whose load faults; ours are as they were. ESP stays in both, so the instruction is taken up again alike. The SDM (vol. 2, POPA) says nothing.",
    applies: (last, trap) => last.mnemonic === "popa" && trap !== 3,
    registers: allButEsp,
  },
];
