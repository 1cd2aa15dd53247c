import type { RegisterName, Vector } from "../../cpu/e500/vectors.ts";

/*
 * What Power ISA 2.06 Book I leaves undefined, and so is not compared. This is the one place for it.
 */

/** Bits of a register whose value behind this instruction is undefined. */
export function undefinedBits(v: Vector, register: RegisterName): number {
  const rt = `${(v.instruction >>> 21) & 31}`;
  if (/^divwu?o?\.?$/.test(v.mnemonic) && cannotDivide(v)) {
    // "Fixed-Point Arithmetic Instructions": RT, and of CR0 all but SO.
    if (register === rt) return -1;
    if (register === "c" && v.mnemonic.endsWith(".")) return 0xe000_0000;
  }
  // "Move To/From System Register Instructions": mfocrf gives one field, and all if more than one is named.
  if (v.mnemonic === "mfcr" && (v.instruction & 0x0010_0000) !== 0 && register === rt) {
    const fxm = (v.instruction >>> 12) & 0xff;
    const field = Math.clz32(fxm) - 24;
    return (fxm & (fxm - 1)) === 0 ? ~(0xf000_0000 >>> (4 * field)) : -1;
  }
  // "Fixed-Point Exception Register": bits 35 to 56 are reserved.
  return register === "x" ? 0x1fff_ff80 : 0;
}

/** Division by 0, and the signed quotient that does not fit. */
function cannotDivide(v: Vector): boolean {
  const gpr = (field: number) => v.input.get(`${field & 31}` as RegisterName) ?? 0;
  const dividend = gpr(v.instruction >>> 16) >>> 0;
  const divisor = gpr(v.instruction >>> 11) >>> 0;
  return divisor === 0 || (!v.mnemonic.startsWith("divwu") && dividend === 0x8000_0000 && divisor === 0xffff_ffff);
}
