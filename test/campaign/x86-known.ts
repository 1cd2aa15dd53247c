import { readFileSync } from "node:fs";
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
  /** What else is not compared: memory with the stack, the x87 and SSE, or the flags of arithmetic. */
  readonly besides?: "memory" | "fpu" | "flags";
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
  return (ourTrap === 12 || ourTrap === 13) && trap === 14 && isAtTheTop(cr2);
}

/** Whether an access that faulted there may have wrapped. */
const isAtTheTop = (cr2: number) => cr2 >= 0xffff_fff0 || cr2 < 16;

/** Whether the processor at hand is one of AMD's. The manual is Intel's, and what it leaves open theirs answer each in their own way. */
const isAmd = (() => {
  try {
    return readFileSync("/proc/cpuinfo", "utf8").includes("AuthenticAMD");
  } catch {
    return false;
  }
})();

/**
 * INT1 is a trap (vol. 3 section 6.15, interrupt 1): EIP is behind it, as ours is. An AMD processor under a hypervisor which takes #DB first leaves EIP before it: the intercepted exception does not
 * tell that INT1 was the cause, so nobody steps over it.
 */
export function leftBefore(ourTrap: number, trap: number, past: number, last: Element | undefined): boolean {
  return isAmd && ourTrap === 1 && trap === 1 && last?.mnemonic === "int1" && past === last.bytes.length;
}

const faults = (trap: number) => trap >= 12 && trap <= 14;

/**
 * Two operands that both fault: of CMPS ours reads that of ES:EDI first, as Intel's do, and AMD's the other; of what IRET and RETF pop ours EIP, then CS, and AMD's what lies above, also
 * before CS was looked at. The manual (vol. 2, each instruction) has no order.
 */
export function otherFirst(ourTrap: number, trap: number, last: Element | undefined): boolean {
  return isAmd && faults(ourTrap) && faults(trap) && /^(cmps|iret|retf)$/.test(last?.mnemonic ?? "");
}

/** BOUND with an index below the first bound, whose second bound cannot be read: #BR here, and a fault on AMD's, which read both first. The manual (vol. 2, BOUND) has no order. */
export function bothFirst(ourTrap: number, trap: number, last: Element | undefined): boolean {
  return isAmd && ourTrap === 5 && faults(trap) && last?.mnemonic === "bound";
}

/** As `wraps`, the other way about: AMD's look at the limit of a segment of 4 GiB, and ours is a page fault where the segment has not to be looked at. */
export function wrapsAtLimit(ourTrap: number, trap: number, ourCr2: number): boolean {
  return isAmd && ourTrap === 14 && (trap === 12 || trap === 13) && isAtTheTop(ourCr2);
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
    applies: (last, trap) => /^(mmx\.mov[dq]|sse\.movntq|sse\.maskmovq)$/.test(last.mnemonic) && faults(trap),
    registers: 0,
    besides: "fpu",
  },
  {
    name: "repeated-comparison-that-faults",
    reason:
      "AMD's have the flags of the comparison before the one that faults; ours, as the manual has it (vol. 2, REP), those of before the instruction. It is taken up again alike, as a comparison comes first.",
    applies: (last, trap) => isAmd && /^(cmps|scas)$/.test(last.mnemonic) && faults(trap),
    registers: 0,
    besides: "flags",
  },
];
