import { undefinedBits } from "../vectors/e500/undefined.ts";
import { dataAt, dataSize, type E500Case } from "./e500-cases.ts";
import { knownFor } from "./e500-known.ts";
import { type Answer, answerSize, field, floatOffset, memoryOffset } from "./e500-layout.ts";

/** Bits of a word of the answer that are not compared. Of several instructions none has a result which is undefined but for XER. */
function undefinedIn(c: E500Case, index: number): number {
  if (index === field.xer) return 0x1fff_ff80;
  const [e] = c.elements;
  if (e === undefined || c.elements.length > 1 || index > field.cr) return 0;
  return undefinedBits(e.mnemonic, e.word, (k) => c.gpr[k] as number, index === field.cr ? "cr" : index);
}

export type Verdict = "same" | "different" | "skipped";

/** What is not the same, and not undefined: words of the answer by index. */
function different(c: E500Case, is: Answer, should: Answer): number[] {
  return Array.from({ length: answerSize / 4 }, (_, k) => k).filter(
    (k) => ((is.word(k) ^ should.word(k)) & ~undefinedIn(c, k)) !== 0,
  );
}

/** `tally` counts the known differences by name. */
export function verdict(c: E500Case, is: Answer, should: Answer, tally: Map<string, number>): Verdict {
  if (Buffer.compare(is.bytes, should.bytes) === 0) return "same";
  const found = different(c, is, should);
  if (found.length === 0) return "same";
  const known = knownFor(c, is, found);
  if (known === undefined) return "different";
  tally.set(known, (tally.get(known) ?? 0) + 1);
  return "skipped";
}

const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");

function nameOf(index: number): string {
  if (index < 32) return `r${index}`;
  const [name] = Object.entries(field).find(([, k]) => k === index) ?? [];
  if (name !== undefined) return name;
  const at = 4 * index;
  if (at < memoryOffset) return `f${(at - floatOffset) >> 3}.${(at & 4) === 0 ? "high" : "low"}`;
  return hex(dataAt + at - memoryOffset);
}

/** What differs, a line each. */
export function differences(c: E500Case, is: Answer, should: Answer): string[] {
  return different(c, is, should).map(
    (k) => `${nameOf(k).padEnd(9)} ours ${hex(is.word(k))}  oracle ${hex(should.word(k))}`,
  );
}

/** The state a case begins with. */
export function inputs(c: E500Case): string[] {
  const lines: string[] = [];
  const pairs = (values: readonly number[], name: (k: number) => string, width: number) => {
    for (let k = 0; k < values.length; k += width) {
      const some = values.slice(k, k + width);
      lines.push(some.map((value, n) => `${name(k + n).padEnd(3)} ${hex(value)}`).join("  "));
    }
  };
  pairs(c.gpr, (k) => `r${k}`, 4);
  lines.push(`cr  ${hex(c.cr)}  xer ${hex(c.xer)}  lr  ${hex(c.lr)}  ctr ${hex(c.ctr)}`);
  if (c.floats !== undefined) {
    lines.push(`fpscr ${hex(c.floats.fpscr)}`);
    pairs(c.floats.words, (k) => `f${k >> 1}`, 4);
  }
  for (let k = 0; k < dataSize; k += 16) {
    const row = Buffer.from(c.memory.slice(k, k + 16)).toString("hex");
    if (/[^0]/.test(row)) lines.push(`${hex(dataAt + k)} ${row.replaceAll(/.{8}/g, "$& ").trim()}`);
  }
  return lines;
}
