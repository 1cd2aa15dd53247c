import { dataPage, stackTop } from "../support/x86-vectors.ts";

/*
 * Descriptors which a case can use, the same for our machine and for the oracle: an LDT of our own (modify_ldt), and the GDT as Linux lays it out for a
 * 32-bit process on an x86-64 processor (asm/segment.h).
 */

export interface Descriptor {
  readonly base: number;
  /** As the descriptor has it: bytes, or pages with `pages`. */
  readonly limit: number;
  /** The second word's access byte: P, DPL, S, type with A. */
  readonly access: number;
  readonly pages: boolean;
  /** D/B. */
  readonly big: boolean;
}

const codePage = 0x1000_0000;
const stackPage = stackTop - 0x1000;
const whole = 0xfffff;

function entry(base: number, limit: number, access: number, big = true): Descriptor {
  return { base, limit: limit === -1 ? whole : limit, access, pages: limit === -1, big };
}

const data = 0xf3;
const readOnly = 0xf1;
const expandDown = 0xf7;
const code = 0xfb;
const executeOnly = 0xf9;
const conforming = 0xff;
const absent = 0x80;

export const ldt: readonly Descriptor[] = [
  entry(0, -1, data),
  entry(dataPage, 0x43f, data),
  entry(dataPage, 0x43f, readOnly),
  entry(dataPage, 0x3ff, expandDown),
  entry(dataPage, 0x3ff, expandDown, false),
  entry(0, -1, code),
  entry(0, -1, executeOnly),
  // Linux lets nobody have a conforming one that is present.
  entry(0, -1, conforming & ~absent),
  entry(codePage, 0xfff, code),
  entry(dataPage, 0x43f, data & ~absent),
  entry(codePage, 0xfff, code & ~absent),
  entry(stackPage, 0x1fff, data, false),
  entry(codePage, 0xfff, code, false),
  entry(codePage, 0x20f, code),
  entry(stackPage, 0x1fff, data),
];

/** Of the GDT what has one place in every Linux of today. */
export const gdt: readonly (Descriptor | undefined)[] = [
  undefined,
  entry(0, -1, 0x9b),
  entry(0, -1, 0x9b),
  entry(0, -1, 0x93),
  entry(0, -1, code),
  entry(0, -1, data),
];

const local = (index: number) => index * 8 + 7;
export const flatCode = 0x23;
export const flatData = 0x2b;

/** Data segments with which accesses mostly succeed; ones with which they do not; and what cannot be loaded as data. */
export const dataSelectors = [flatData, flatData, local(0), local(1), local(3), local(14)];
export const oddDataSelectors = [0, local(2), local(4), local(5), local(8), flatCode];
export const badDataSelectors = [local(6), local(7), local(9), local(20), 0x10, 0x18, 0x62, local(15)];
/** For SS. */
export const stackSelectors = [local(14), local(11), local(0)];
/** Code to run in; code and other things to go to. */
export const codeSelectors = [local(5), local(6), local(8), local(12)];
export const farSelectors = [
  ...codeSelectors,
  flatCode,
  flatCode,
  local(7),
  local(10),
  local(13),
  local(1),
  0x10,
  0,
  local(20),
];

/** What `selector` names; undefined for null, what is beyond a table, and what we do not model. */
export function descriptor(selector: number): Descriptor | undefined {
  const index = selector >> 3;
  return (selector & 4) !== 0 ? ldt[index] : gdt[index];
}

/** Where a segment begins, 0 for one that cannot be used. */
export function baseOf(selector: number): number {
  return descriptor(selector)?.base ?? 0;
}

/** The two words of a descriptor. SDM vol. 3 section 3.4.5. */
export function words({ base, limit, access, pages, big }: Descriptor): readonly [number, number] {
  const low = (limit & 0xffff) | (base << 16);
  const high =
    ((base >>> 16) & 0xff) |
    (access << 8) |
    (limit & 0xf0000) |
    (big ? 0x40_0000 : 0) |
    (pages ? 0x80_0000 : 0) |
    (base & 0xff00_0000);
  return [low >>> 0, high >>> 0];
}

/** For the oracle: entry, base, limit and the flag word of struct user_desc, in hex. */
export function ldtArguments(): string[] {
  return ldt.flatMap(({ base, limit, access, pages, big }, k) => {
    const contents = (access >> 2) & 3;
    const fixed = (access & 2) === 0;
    const flags =
      (big ? 1 : 0) | (contents << 1) | (fixed ? 8 : 0) | (pages ? 0x10 : 0) | ((access & absent) === 0 ? 0x20 : 0);
    return [k, base, limit, flags].map((value) => value.toString(16));
  });
}
