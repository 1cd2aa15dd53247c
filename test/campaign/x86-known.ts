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

/**
 * An access that wraps at 4 GiB: the SDM (vol. 3 section 5.3) leaves to the processor whether the limit of a segment of 4 GiB stops it. Ours does where the
 * segment has to be looked at, which a prefix can ask for, and is a page fault where it has not; the oracle's processor always gives the page fault.
 */
export function wraps(ourTrap: number, trap: number, cr2: number): boolean {
  return (ourTrap === 12 || ourTrap === 13) && trap === 14 && (cr2 >= 0xffff_fff0 || cr2 < 16);
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
