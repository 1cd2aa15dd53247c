import type { Contained } from "../../ir/frontend.ts";
import type { Slot } from "../../ir/slots.ts";
import { dplOf, Right } from "./constants.ts";
import { type Core, isFlatData } from "./core.ts";
import { baseOf, findDescriptor, limitOf, load, loadNull } from "./descriptors.ts";
import * as s from "./slots.ts";

const { es, ds, fs, gs } = s.segment;
const loaded: readonly number[] = [es, ds, fs, gs];

/**
 * Loads DS, ES, FS or GS as `loadData` does, where that is all there is to it: protected mode, a descriptor which is marked accessed already and has nothing
 * wrong with it, and code that is decoded afterwards as it was before. False, with nothing changed, for everything else. A kernel does this at each entry and exit.
 */
export function reloadSegment(core: Core, n: number, selector: number): boolean {
  if (!loaded.includes(n) || core.v86 || !core.protected) return false;
  // FS and GS play no part in how code is decoded.
  const aside = n === fs || n === gs;
  if ((selector & 0xfffc) === 0) {
    if (aside) loadNull(core, n, selector);
    return aside;
  }
  const descriptor = findDescriptor(core, selector);
  if (descriptor === undefined) return false;
  const { high } = descriptor;
  const needed = Right.segment | Right.present | Right.accessed;
  if ((high & needed) !== needed) return false;
  // Code segments have rules of their own.
  if ((high & Right.code) !== 0) return false;
  if ((selector & 3) > dplOf(high) || core.cpl > dplOf(high)) return false;
  if (!aside) {
    const get = (slots: readonly Slot[]) => core.get(slots[n] as Slot);
    const before = isFlatData(get(s.base), get(s.limit), get(s.rights));
    if (isFlatData(baseOf(descriptor), limitOf(descriptor), high) !== before) return false;
  }
  load(core, n, selector, descriptor);
  return true;
}

/** `Contained`: it changes nothing when it gives up, and reads the descriptor before it changes anything. */
export const containedSegments: Readonly<Record<string, Contained>> = {
  reloadSegment: {
    words: [],
    others: [s.selector, s.base, s.limit, s.rights].flatMap((slots) => loaded.map((n) => slots[n] as Slot)),
    faults: true,
    repeatable: true,
  },
};
