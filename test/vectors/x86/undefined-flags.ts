/*
 * Which flags the SDM (vol. 2, each instruction's "Flags Affected", and vol. 1 appendix A) leaves undefined. Vectors are compared without them.
 */

const cf = 0x1;
const pf = 0x4;
const af = 0x10;
const zf = 0x40;
const sf = 0x80;
const of = 0x800;

const table: Readonly<Record<string, number>> = {
  and: af,
  or: af,
  xor: af,
  test: af,
  mul: sf | zf | af | pf,
  imul: sf | zf | af | pf,
  div: cf | of | sf | zf | af | pf,
  idiv: cf | of | sf | zf | af | pf,
  bt: of | sf | af | pf,
  bts: of | sf | af | pf,
  btr: of | sf | af | pf,
  btc: of | sf | af | pf,
  bsf: cf | of | sf | af | pf,
  bsr: cf | of | sf | af | pf,
  daa: of,
  das: of,
  aaa: of | sf | zf | pf,
  aas: of | sf | zf | pf,
  aam: of | af | cf,
  aad: of | af | cf,
  shl: af,
  sal: af,
  shr: af,
  sar: af,
  shld: af,
  shrd: af,
};

const rotates = new Set(["rol", "ror", "rcl", "rcr"]);

/** How far a vector shifts, and how many bits its operand has. */
export interface ShiftCount {
  /** Masked to 5 bits, as the processor does. */
  readonly count: number;
  readonly bits: number;
}

/**
 * OF is defined for a count of 1 only. CF is undefined for SHL and SHR when the count reaches the operand's size;
 * everything is for SHLD and SHRD when it exceeds it. A count of 0 changes nothing, and everything is defined.
 */
export function undefinedFlags(mnemonic: string, shift: ShiftCount | undefined): number {
  const always = table[mnemonic] ?? 0;
  if (shift === undefined) return always;
  const { count, bits } = shift;
  if (count === 0) return 0;
  const overflow = count === 1 ? 0 : of;
  if (rotates.has(mnemonic)) return overflow;
  if (mnemonic === "shld" || mnemonic === "shrd") return count > bits ? cf | of | sf | zf | af | pf : always | overflow;
  return always | overflow | (count >= bits && mnemonic !== "sar" ? cf : 0);
}

/** SHLD and SHRD by more than the operand's size: the result is undefined as well. Such vectors are not made. */
export function undefinedResult(mnemonic: string, shift: ShiftCount | undefined): boolean {
  return (mnemonic === "shld" || mnemonic === "shrd") && shift !== undefined && shift.count > shift.bits;
}
