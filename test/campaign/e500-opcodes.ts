import { Attribute, Row } from "../../src/cpu/e500/pattern.ts";
import { primary } from "../../src/cpu/e500/table.ts";

/** One instruction of a case. */
export interface Element {
  readonly mnemonic: string;
  readonly word: number;
}

/** An instruction as the decoder's tables have it. */
export interface Opcode {
  readonly row: Row;
  /** The word with its opcodes, and zeros in all other fields. */
  readonly word: number;
}

/** Every instruction once, by mnemonic. */
const all: ReadonlyMap<string, Opcode> = new Map(
  primary.flatMap((entry, k) =>
    (entry instanceof Row ? [entry] : [...(entry ?? [])])
      .map((row, xo): Opcode | undefined => row && { row, word: ((k << 26) | (xo << 1)) >>> 0 })
      .filter((o) => o !== undefined)
      .reverse()
      .map((o) => [o.row.mnemonic, o] as const),
  ),
);

/** What is no matter of user mode under an operating system, depends on time, or waits. */
const left = new Set("sc wait ehpriv mftb dcbtls dcbtstls dcblc icbtls icblc mtpmr mfpmr".split(" "));

export const isFloating = ({ row, word }: Opcode) =>
  word >>> 26 === 59 || word >>> 26 === 63 || row.operands.includes("FT");
export const isMemory = ({ row }: Opcode) => /^((l|st)(b|h|w|m|f)|dc(b|ba)|icb)/.test(row.mnemonic);
const isPrivileged = ({ row }: Opcode) => row.has(Attribute.privileged);

const user = [...all.values()].filter((o) => !isPrivileged(o) && !left.has(o.row.mnemonic));

export const privileged = [...all.values()].filter(isPrivileged);
export const branches = user.filter(({ row }) => row.has(Attribute.branch));
export const accesses = user.filter((o) => isMemory(o) && !isFloating(o));
export const computations = user.filter((o) => !branches.includes(o) && !isMemory(o) && !isFloating(o));
/** Floating point, loads and stores among it. */
export const floating = user.filter(isFloating);
