import { lineSize } from "./constants.ts";
import type { Body } from "./pattern.ts";
import { zeroablePage } from "./slots.ts";

/*
 * Power ISA 2.06 Book II, "Cache Management Instructions"; Book III-E, "Cache Locking". There is no cache here: what these do is what can be seen without
 * looking at the time, that is translation, zeroes and locks that could not be had.
 */

/** Hints: dcbt, dcbtst, dcba, icbt and what has no effect at all. They never fault. */
export const hint: Body = () => {};

/** dcbst, dcbf, icbi: as a load of a byte. */
export const touch: Body = (i) => {
  i.call("touch", i.indexed);
};

/** dcbi: as a store. */
export const touchForStore: Body = (i) => i.b.probe(1, i.indexed);

/** dcbz: 64 bytes. A page that is not to be cached makes it an alignment interrupt; which page is not is asked once a page. */
export const dcbz: Body = (i) => {
  const { b } = i;
  const address = b.and(i.indexed, b.i32(-lineSize));
  b.if(b.ne(b.and(address, b.i32(-4096)), b.get(zeroablePage)), () => void i.call("zeroable", address));
  if (i.debug) i.call("dataAddress", address, b.i32(0x100 | lineSize));
  for (let at = 0; at < lineSize; at += 8) b.store(8, b.add(address, b.i32(at)), b.i64(0n));
};

/** dcbtls, dcbtstls, dcblc, icbtls, icblc. */
export function lock(
  kind: "dataLock" | "dataLockForStore" | "instructionLock" | "dataUnlock" | "instructionUnlock",
): Body {
  return (i) => i.exit(kind, i.indexed);
}
