import { decode } from "../../../src/cpu/e500/decode.ts";
import { Attribute, Row } from "../../../src/cpu/e500/pattern.ts";
import { primary } from "../../../src/cpu/e500/table.ts";
import { Decoded } from "../../../src/ir/frontend.ts";
import type { Disassembler } from "../../campaign/capstone.ts";
import { Random } from "../../campaign/random.ts";
import { type Comparison, explain } from "./capstone-differences.ts";

const decoded = new Decoded();
const bytesOf = (word: number) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];

/** The row of a word; undefined for no instruction. */
function rowOf(word: number): Row | undefined {
  const entry = primary[word >>> 26];
  return entry === undefined || entry instanceof Row ? entry : entry[(word >>> 1) & 0x3ff];
}

const fields: Readonly<Record<string, number>> = {
  T: 0x03e0_0000,
  FT: 0x03e0_0000,
  A: 0x001f_0000,
  A0: 0x001f_0000,
  FA: 0x001f_0000,
  B: 0xf800,
  FB: 0xf800,
  FC: 0x7c0,
  SI: 0xffff,
  UI: 0xffff,
  SIS: 0xffff,
  UIS: 0xffff,
  BD: 0xfffc,
  LI: 0x03ff_fffc,
  SH: 0xf800,
  M: 0x7fe,
  BF: 0x0380_0000,
  BFA: 0x001c_0000,
  BI: 0x001f_0000,
  BC: 0x7c0,
  BT: 0x03e0_0000,
  BA: 0x001f_0000,
  BB: 0xf800,
};

const [ft, fa, fb, fc] = [0x03e0_0000, 0x001f_0000, 0xf800, 0x7c0];

/** Instructions that get their word whole: which of its bits mean something. Book I, the instructions' own formats. */
const whole: readonly (readonly [RegExp, number])[] = [
  [/^sc$/, 0x0fe0],
  [/^mcrfs$/, 0x039c_0000],
  [/^mtfsb[01]$/, ft],
  [/^mtfsfi$/, 0x0380_f000],
  [/^mtfsf$/, 0x01fe_f800],
  [/^f(add|sub|div)s?$/, ft | fa | fb],
  [/^fmuls?$/, ft | fa | fc],
  [/^fn?m(add|sub)s?$/, ft | fa | fb | fc],
  [/^(fres|frsqrte|frsp|fctiwz?)$/, ft | fb],
];

/** The word with those bits cleared which its instruction has no use for. A cache instruction's CT and TH count as such. */
export function plain(word: number): number {
  const row = rowOf(word);
  if (row === undefined) return word;
  const opcode = word >>> 26;
  let mask = 0xfc00_0000;
  const floating = opcode === 59 || opcode === 63;
  // Of arithmetic the extended opcode has five bits; FRC is before them.
  if (floating && (word & 0x3e) >= 36) mask |= 0x3e;
  else if (opcode === 19 || opcode === 31 || floating) mask |= 0x7fe;
  for (const operand of row.operands) mask |= fields[operand] ?? 0;
  if (row.operands.includes("W")) mask |= whole.find(([name]) => name.test(row.mnemonic))?.[1] ?? 0;
  // The arithmetic's rows have Rc in their word.
  if (floating && !/^(mcrfs|fcmp)/.test(row.mnemonic)) mask |= 1;
  if (row.has(Attribute.record) || row.has(Attribute.branch)) mask |= 1;
  if (row.has(Attribute.branch) && [16, 18].includes(opcode)) mask |= 2;
  if (row.has(Attribute.first)) mask |= row.mnemonic === "tlbilx" ? 0x0060_0000 : 0x03e0_0000;
  if (row.has(Attribute.register)) mask |= 0x001f_f800;
  if (row.has(Attribute.fields))
    mask |= row.mnemonic === "mfcr" && (word & 0x0010_0000) === 0 ? 0x0010_0000 : 0x001f_f000;
  if (row.has(Attribute.bit16)) mask |= 0x8000;
  return (word & mask) >>> 0;
}

function nameOf(word: number): string | undefined {
  decode(Uint8Array.from(bytesOf(word)), 4, 0, decoded);
  const [, name = ""] = /^([^ ]+)/.exec(decoded.form?.name ?? "") ?? [];
  return name === "illegal" ? undefined : name;
}

/** What both say of a word, in supervisor state; and of it without the bits that mean nothing. */
export function compare(word: number, disassembler: Disassembler): Comparison {
  const cleared = plain(word);
  return {
    word,
    ours: nameOf(word),
    length: decoded.length,
    theirs: disassembler.one(bytesOf(word))?.mnemonic,
    plainTheirs: disassembler.one(bytesOf(cleared))?.mnemonic,
    reserved: cleared !== word,
    row: rowOf(word)?.mnemonic,
  };
}

/** Half of the words have a primary opcode behind which others stand, and half no bit that means nothing. */
function someWord(random: Random): number {
  let word = random.word();
  if (random.once(2)) word = ((word & 0x03ff_ffff) | (random.pick([31, 31, 31, 19, 59, 63]) << 26)) >>> 0;
  return random.once(2) ? plain(word) : word;
}

export interface Tally {
  /** How many words each difference explains, by its name; and "same". */
  readonly counts: ReadonlyMap<string, number>;
  /** The first that are not explained, one of a kind. */
  readonly unexplained: readonly string[];
}

export function tally(seed: number, count: number, disassembler: Disassembler): Tally {
  const random = new Random(seed);
  const counts = new Map<string, number>();
  const unexplained = new Map<string, string>();
  for (let k = 0; k < count; k++) {
    const c = compare(someWord(random), disassembler);
    const why = explain(c);
    const name = why === undefined ? "unexplained" : why === "same" ? why : why.name;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (why === undefined && unexplained.size < 100)
      unexplained.set(
        `${c.ours} ${c.theirs}`,
        `${c.word.toString(16).padStart(8, "0")}: ours ${c.ours}, capstone ${c.theirs}`,
      );
  }
  return { counts, unexplained: [...unexplained.values()] };
}
