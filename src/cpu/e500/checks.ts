import type { Check } from "./pattern.ts";
import { isPrivileged, pmrs, type Register, sprs } from "./spr.ts";

/* What the decoder asks of an instruction word before it makes a form: invalid forms, and registers that may not be touched. */

const rt = (word: number) => (word >>> 21) & 31;
const ra = (word: number) => (word >>> 16) & 31;

/** The number in mfspr and its like: its halves stand the wrong way round. */
export function registerNumber(word: number): number {
  return ((word >>> 16) & 31) | ((word >>> 6) & 0x3e0);
}

/** RA of an update form is a register, and of a load not the one that is loaded. Book I, "Fixed-Point Load Instructions". */
export const loadUpdate: Check = (word) => (ra(word) === 0 || ra(word) === rt(word) ? "illegal" : undefined);
export const update: Check = (word) => (ra(word) === 0 ? "illegal" : undefined);

/** BO may not count CTR when CTR is where to go. Book I, "Branch Instructions". */
export const keepsCtr: Check = (word) => ((rt(word) & 4) === 0 ? "illegal" : undefined);

function accessible(registers: ReadonlyMap<number, Register>, may: (register: Register) => boolean): Check {
  return (word, user) => {
    const number = registerNumber(word);
    if (user && isPrivileged(number)) return "privileged";
    const register = registers.get(number);
    return register !== undefined && may(register) ? undefined : "illegal";
  };
}

export const readableSpr = accessible(sprs, (r) => r.readable);
export const writableSpr = accessible(sprs, (r) => r.writable);
export const readablePmr = accessible(pmrs, (r) => r.readable);
export const writablePmr = accessible(pmrs, (r) => r.writable);

/** mftb names TBL or TBU, or another register of that kind. */
export const readableTime: Check = (word, user) => readableSpr(word, user);
