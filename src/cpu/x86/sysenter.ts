import type { Slot } from "../../ir/slots.ts";
import { Flag, Right } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

/** A flat segment of 4 GiB. */
function flat(core: Core, n: number, selector: number, ring: number, code: boolean): void {
  core.set(s.selector[n] as Slot, selector & 0xffff);
  core.set(s.base[n] as Slot, 0);
  core.set(s.limit[n] as Slot, -1);
  core.set(
    s.rights[n] as Slot,
    Right.present |
      Right.segment |
      Right.accessed |
      Right.readWrite |
      Right.big |
      Right.granular |
      (ring << 13) |
      (code ? Right.code : 0),
  );
}

/** SYSENTER: fixed flat segments of ring 0, EIP and ESP from MSRs. SDM vol. 3 section 5.8.7. */
export function sysenter(core: Core): void {
  const cs = core.get(s.sysenterCs);
  if (!core.protected || (cs & 0xfffc) === 0) throw core.protection();
  core.setFlags(0, Flag.vm | Flag.if | Flag.rf);
  flat(core, s.segment.cs, cs & 0xfffc, 0, true);
  flat(core, s.segment.ss, (cs & 0xfffc) + 8, 0, false);
  core.setCpl(0);
  core.set(s.esp, core.get(s.sysenterEsp));
  core.set(s.engine.pc, core.get(s.sysenterEip));
  core.updateMode();
}

/** SYSEXIT: back to ring 3, at EDX with the stack ECX. */
export function sysexit(core: Core): void {
  const cs = core.get(s.sysenterCs);
  if (!core.protected || (cs & 0xfffc) === 0 || core.cpl !== 0) throw core.protection();
  flat(core, s.segment.cs, ((cs & 0xfffc) + 16) | 3, 3, true);
  flat(core, s.segment.ss, ((cs & 0xfffc) + 24) | 3, 3, false);
  core.setCpl(3);
  core.set(s.esp, core.get(s.ecx));
  core.set(s.engine.pc, core.get(s.edx));
  core.updateMode();
}
