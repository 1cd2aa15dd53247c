import { Dbcr0, Dbsr, Ivor, Msr } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

/*
 * Power ISA 2.06 Book III-E, "Debug Facilities". Events are looked for where DBCR0[IDM] and one of theirs
 * is set; with MSR[DE] clear they are recorded, as imprecise, and the instruction goes on.
 */

const r = s.spr;

/** An event at this instruction, before it did anything. Throws when the interrupt is to be taken at once. */
export function event(core: Core, bits: number): void {
  if ((core.msr & Msr.de) === 0) {
    core.set(r.DBSR, core.get(r.DBSR) | bits | Dbsr.ide);
    return;
  }
  core.set(s.faultDebug, bits);
  throw core.raise(Ivor.debug);
}

/** The event of an instruction kind, when DBCR0 asks for it: trap, branch taken, return. These do not happen with MSR[DE] clear, but for traps. */
export function wanted(core: Core, bit: number): boolean {
  const dbcr0 = core.get(r.DBCR0);
  if ((dbcr0 & Dbcr0.idm) === 0 || (dbcr0 & bit) === 0) return false;
  return bit === Dbcr0.trap || (core.msr & Msr.de) !== 0;
}

/** US and ER of an address comparison: two bits each, of which 2 and 3 restrict it to one value of MSR[PR] and of IS or DS. */
function applies(control: number, shift: number, msr: number, spaceBit: number): boolean {
  const privilege = (control >>> (shift + 2)) & 3;
  const space = (control >>> shift) & 3;
  const user = (msr & Msr.pr) !== 0 ? 3 : 2;
  const one = (msr & spaceBit) !== 0 ? 3 : 2;
  return (privilege < 2 || privilege === user) && (space < 2 || space === one);
}

/** Whether an address compares: each exactly, under a mask, inside a range, outside of it. `length`: bytes from the address on. */
function compares(mode: number, which: 0 | 1, address: number, length: number, one: number, two: number): boolean {
  const a = address >>> 0;
  const last = a + length - 1;
  const low = one >>> 0;
  const high = two >>> 0;
  switch (mode) {
    case 0: {
      const exact = which === 0 ? low : high;
      return exact >= a && exact <= last;
    }
    case 1:
      return (address & two) === (one & two);
    case 2:
      return last >= low && a < high;
    default:
      return a < low || last >= high;
  }
}

/** IAC1 and IAC2 against the pc. */
export function instructionAddress(core: Core): void {
  const dbcr0 = core.get(r.DBCR0);
  if ((dbcr0 & (Dbcr0.iac1 | Dbcr0.iac2)) === 0) return;
  const control = core.get(r.DBCR1);
  const pc = core.get(s.engine.pc);
  const mode = (control >>> 22) & 3;
  const fits = (which: 0 | 1) =>
    applies(control, which === 0 ? 28 : 24, core.msr, Msr.is) &&
    compares(mode, which, pc, 1, core.get(r.IAC1), core.get(r.IAC2));
  let bits = 0;
  if ((dbcr0 & Dbcr0.iac1) !== 0 && fits(0)) bits |= Dbsr.iac1;
  if ((dbcr0 & Dbcr0.iac2) !== 0 && fits(1)) bits |= Dbsr.iac2;
  if (bits !== 0) event(core, bits);
}

/** DAC1 and DAC2 against an access; `access`: bytes, plus 0x100 for a store. */
export function dataAddress(core: Core, address: number, access: number): void {
  const dbcr0 = core.get(r.DBCR0);
  const store = (access & 0x100) !== 0;
  const enabled = dbcr0 & (store ? Dbcr0.dac1w | Dbcr0.dac2w : Dbcr0.dac1r | Dbcr0.dac2r);
  if (enabled === 0) return;
  const control = core.get(r.DBCR2);
  const mode = (control >>> 22) & 3;
  const length = access & 0xff;
  let bits = 0;
  for (const which of [0, 1] as const) {
    const event = enabled & (which === 0 ? Dbcr0.dac1r | Dbcr0.dac1w : Dbcr0.dac2r | Dbcr0.dac2w);
    const inForce = event !== 0 && applies(control, which === 0 ? 28 : 24, core.msr, Msr.ds);
    if (inForce && compares(mode, which, address, length, core.get(r.DAC1), core.get(r.DAC2))) bits |= event;
  }
  if (bits !== 0) event(core, bits);
}
