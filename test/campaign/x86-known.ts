import type { Element } from "./x86-case.ts";

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
  /** What else is not compared: memory with the stack, or the x87 and SSE. */
  readonly besides?: "memory" | "fpu";
}

/** An operand in 16-bit addressing whose second half wraps at 64 KiB: that is left to the processor too (vol. 1 section 3.3.7). */
export function wrapsShort(ourCr2: number, cr2: number): boolean {
  return ourCr2 >= 0x1_0000 && ourCr2 < 0x1_0010 && cr2 === (ourCr2 & 0xffff);
}

/** An operand of 16 bytes which is neither aligned nor within SS: #GP here, #SS there. The manual (vol. 2, each instruction) has both, without an order. */
export function misaligned(ourTrap: number, trap: number, error: number, last: Element | undefined): boolean {
  return ourTrap === 12 && trap === 13 && error === 0 && (last?.mnemonic.includes("sse") ?? false);
}

/**
 * A CALL whose new EIP is beyond the limit, and which cannot push: #GP here, as the manual (vol. 2, CALL) looks at EIP first; the processor pushes first. As
 * "call-beyond-limit" below.
 */
export function pushedFirst(ourTrap: number, trap: number, last: Element | undefined): boolean {
  return ourTrap === 13 && (trap === 12 || trap === 14) && /^(far|call)$/.test(last?.mnemonic ?? "");
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
  {
    name: "call-beyond-limit",
    reason:
      "The processor has pushed CS and EIP when it finds the new EIP beyond the limit; ESP stays. The manual (vol. 2, CALL) has the check first, and so have we.",
    applies: (last, trap) => /^(far|call)$/.test(last.mnemonic) && trap === 13,
    registers: 0,
    besides: "memory",
  },
  {
    name: "mmx-store-that-faults",
    reason:
      "The processor has made MMX registers of the x87's (TOP 0, all in use) when the store faults; ours come behind the store. It is taken up again alike.",
    applies: (last, trap) =>
      /^(mmx\.mov[dq]|sse\.movntq|sse\.maskmovq)$/.test(last.mnemonic) && trap >= 12 && trap <= 14,
    registers: 0,
    besides: "fpu",
  },
];
