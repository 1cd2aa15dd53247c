import { undefinedBits } from "../vectors/e500/undefined.ts";
import { codeAt, codeOffset, codeWords, dataAt, dataSize, type E500Case, slotSize } from "./e500-cases.ts";
import { knownFor } from "./e500-known.ts";

/*
 * A case as scripts/e500-campaign.c takes it, and what it gives back: the layouts of its `struct request` and `struct state`, big-endian words.
 */

export const requestSize = 720;
export const answerSize = 672;

/** Words by index; the general registers come first. In a request `signal`, `pc`, `address` are floats, slot, words of code. */
export const field = { cr: 32, xer: 33, lr: 34, ctr: 35, fpscr: 36, signal: 37, pc: 38, address: 39 } as const;
export const floatOffset = 160;
export const memoryOffset = 416;
const requestCode = 672;

/** What one executor gave, or the oracle: bytes, so that equal answers are not looked at twice. */
export class Answer {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  word(index: number): number {
    return this.view.getUint32(4 * index);
  }
}

/** Writes the request for a case at byte `at`. */
export function writeRequest(c: E500Case, into: DataView, at: number): void {
  const put = (index: number, value: number) => into.setUint32(at + 4 * index, value);
  for (let k = 0; k < 32; k++) put(k, c.gpr[k] as number);
  put(field.cr, c.cr);
  put(field.xer, c.xer);
  put(field.lr, c.lr);
  put(field.ctr, c.ctr);
  put(field.signal, c.floats === undefined ? 0 : 1);
  put(field.pc, c.slot);
  put(field.address, c.elements.length);
  if (c.floats !== undefined) {
    put(field.fpscr, c.floats.fpscr);
    for (const [k, word] of c.floats.words.entries()) put(floatOffset / 4 + k, word);
  }
  new Uint8Array(into.buffer).set(c.memory, at + memoryOffset);
  if (c.elements.length > codeWords) throw new RangeError(`${c.elements.length} words of code`);
  for (const [k, { word }] of c.elements.entries()) put(requestCode / 4 + k, word);
}

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

/** Where the endings of a case begin and stop. */
export const slotEnd = (c: E500Case) => codeAt(c.slot) + slotSize - codeOffset;
