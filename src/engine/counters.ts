import type { GuestMemory } from "../bus/guest-memory.ts";
import type { Bytes } from "./wasm/bytes.ts";
import { op } from "./wasm/opcodes.ts";

/** Why regions ended: each end is counted once. */
const exits = [
  /** For a known place on another page. */
  "exits-page",
  /** For a known place on its own page which is not in it. */
  "exits-place",
  /** For an address out of a register or of memory, at which it has no entry. */
  "exits-computed",
  /** Less was left to run than it might begin before it looks again. */
  "exits-budget",
  /** In front of an instruction which the interpreter has to do: a fault, a chip, a store into code, a helper. */
  "exits-handed",
  /** Behind an instruction whose helper it called: it goes on where that says. */
  "exits-called",
  /** In a helper that raised a fault. */
  "exits-fault",
  /** It was entered under another privilege than the one whose TLB it looks into. */
  "exits-privilege",
] as const;

/** Where regions that ended did not go straight on in another one. */
const unchained = [
  /** In front of one of its own entries: the interpreter does that instruction. */
  "unchained-alone",
  /** The page is not in the fetch TLB. */
  "unchained-page",
  /** Nothing was decoded at that place. */
  "unchained-record",
  /** No region stands there. */
  "unchained-region",
  /** One does, and the budget is used up. */
  "unchained-budget",
] as const;

/** What WebAssembly code counts: numbers of 64 bits in the guest memory. It counts where a region ends, never on an instruction's path. */
const counted = [
  ...exits,
  ...unchained,
  /** Guest instructions begun in regions. */
  "region-instructions",
] as const;
export type Counted = (typeof counted)[number];

/** Bytes which the counters take. */
export const countersSize = 8 * counted.length;

/** Where a counter lies, from the first one on. */
export function counterOffset(name: Counted): number {
  return 8 * counted.indexOf(name);
}

/** Adds 1 to the counter at a place of the guest memory. */
export function countOne(out: Bytes, at: number): void {
  out.u8(op.i32Const, 0, op.i32Const, 0, op.i64Load, 3).u32(at);
  out.u8(op.i64Const, 1, op.i64Add, op.i64Store, 3).u32(at);
}

/** Every counter by its name; and `chained`, how often a region that ended went straight on in another one. */
export function readCounters(guest: GuestMemory, start: number): Record<Counted | "chained", number> {
  const values = new BigInt64Array(guest.memory.buffer, start, counted.length);
  const counts = Object.fromEntries(counted.map((name, k) => [name, Number(values[k])])) as Record<Counted, number>;
  const sum = (names: readonly Counted[]) => names.reduce((all, name) => all + counts[name], 0);
  return { ...counts, chained: sum(exits) - sum(unchained) - counts["exits-fault"] };
}
