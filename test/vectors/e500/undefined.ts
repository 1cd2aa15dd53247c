/*
 * What Power ISA 2.06 Book I leaves undefined, and so is not compared. This is the one place for it.
 */

/** Bits of a register whose value behind an instruction is undefined. `register` is the number of a general one; `gpr` gives what those were before. */
export function undefinedBits(
  mnemonic: string,
  instruction: number,
  gpr: (register: number) => number,
  register: number | "cr" | "xer" | "other",
): number {
  const rt = (instruction >>> 21) & 31;
  if (/^divwu?o?\.?$/.test(mnemonic) && cannotDivide(mnemonic, instruction, gpr)) {
    // "Fixed-Point Arithmetic Instructions": RT, and of CR0 all but SO.
    if (register === rt) return -1;
    if (register === "cr" && (instruction & 1) !== 0) return 0xe000_0000;
  }
  // "Move To/From System Register Instructions": mfocrf gives one field, and all if more than one is named.
  if (mnemonic === "mfcr" && (instruction & 0x0010_0000) !== 0 && register === rt) {
    const fxm = (instruction >>> 12) & 0xff;
    const field = Math.clz32(fxm) - 24;
    return (fxm & (fxm - 1)) === 0 ? ~(0xf000_0000 >>> (4 * field)) : -1;
  }
  // "Fixed-Point Exception Register": bits 35 to 56 are reserved.
  return register === "xer" ? 0x1fff_ff80 : 0;
}

/** Division by 0, and the signed quotient that does not fit. */
function cannotDivide(mnemonic: string, instruction: number, gpr: (register: number) => number): boolean {
  const dividend = gpr((instruction >>> 16) & 31) >>> 0;
  const divisor = gpr((instruction >>> 11) & 31) >>> 0;
  return divisor === 0 || (!mnemonic.startsWith("divwu") && dividend === 0x8000_0000 && divisor === 0xffff_ffff);
}
