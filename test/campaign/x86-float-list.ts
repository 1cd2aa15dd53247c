import { createHash, type Hash } from "node:crypto";
import { Random } from "./random.ts";
import { type Answer, fpuOffset, normal } from "./x86-answer.ts";
import { boundedOf, isApproximate, sameWithin, withBounded, withoutBounded } from "./x86-approximate.ts";
import { type Element, type Opcode, watchedFlags, type X86Case } from "./x86-case.ts";
import { pool } from "./x86-cases.ts";
import { approximate, one, vectors, x87 } from "./x86-floating.ts";
import { type Fpu, fpuSize, offset } from "./x86-fpu-state.ts";
import { Maker } from "./x86-maker.ts";

/*
 * Cases of one x87, MMX or SSE instruction each, so many a mnemonic, by turns in each rounding mode and precision. What the processor made of them is
 * kept as a digest a mnemonic: as data they would be some forty megabytes. Where results are bounded and not given, these are kept besides.
 */

export const mnemonics: readonly (readonly [name: string, opcodes: readonly Opcode[]])[] = [
  ...x87,
  ...vectors,
  ...approximate,
];

/** A case in which nothing is read that was not set here, so that it is the same on every machine. */
function make(opcodes: readonly Opcode[], seed: number, stream: number, k: number): X86Case {
  const random = new Random(seed, stream);
  const m = new Maker(random, false);
  const opcode = opcodes[k % opcodes.length] as Opcode;
  m.suit(opcode.row);
  one(m, opcode);
  // What waits shows at the next instruction.
  if (random.once(6)) m.add("wait", [0x9b]);
  const fpu = pool(seed).take(random);
  const view = new DataView(fpu.buffer);
  view.setUint16(
    offset.control,
    (view.getUint16(offset.control, true) & 0xf0ff) | ((k & 3) << 10) | (((k >> 2) & 3) << 8),
    true,
  );
  view.setUint32(offset.mxcsr, (view.getUint32(offset.mxcsr, true) & 0x9fff) | ((k & 3) << 13), true);
  const memory = m.memory.slice();
  pool(seed).memory(random, memory, m.pinned);
  return {
    elements: m.elements,
    registers: m.registers,
    flags: random.word() & watchedFlags,
    memory,
    eip: m.eip,
    selectors: m.selectors,
    writable: false,
    fpu,
    translated: false,
  };
}

/** Cases of the mnemonic with this index. */
export function casesOf(index: number, seed: number, count: number): X86Case[] {
  const [, opcodes] = mnemonics[index] as (typeof mnemonics)[number];
  return Array.from({ length: count }, (_, k) => make(opcodes, seed, index * 65_536 + k, k));
}

const imageOf = (bytes: Uint8Array) => bytes.subarray(fpuOffset, fpuOffset + fpuSize);

/** What of an answer is only bounded, as text; empty where all of it is given. */
export function boundedText(c: X86Case, answer: Answer): string {
  const [element] = c.elements as [Element];
  if (!isApproximate(element.mnemonic)) return "";
  const image = imageOf(new Uint8Array(answer.buffer, answer.byteOffset, answer.byteLength));
  return Buffer.from(boundedOf(element, image)).toString("hex");
}

/** Whether an answer is within the bounds around what the processor gave, as `boundedText` has it. */
export function withinBounds(c: X86Case, answer: Answer, bounded: string): boolean {
  const [element] = c.elements as [Element];
  const is = imageOf(new Uint8Array(answer.slice().buffer)).slice();
  const should = withBounded(element, is, Buffer.from(bounded, "hex"));
  return sameWithin(element.mnemonic, c.fpu as Fpu, new Uint32Array(is.buffer), new Uint32Array(should.buffer));
}

/** A digest of what was made of some cases, as far as it is defined. */
export class Digest {
  readonly #hash: Hash = createHash("sha256");

  add(c: X86Case, answer: Answer): void {
    const bytes = new Uint8Array(normal(c, answer).buffer);
    const [element] = c.elements as [Element];
    if (isApproximate(element.mnemonic)) bytes.set(withoutBounded(element, imageOf(bytes)), fpuOffset);
    this.#hash.update(bytes);
  }

  get text(): string {
    return this.#hash.digest("hex").slice(0, 20);
  }
}

/** A line of the file: mnemonic, digest, and the numbers of cases that are left out. */
export interface Line {
  readonly mnemonic: string;
  readonly digest: string;
  readonly left: ReadonlySet<number>;
}

export interface List {
  readonly seed: number;
  readonly count: number;
  readonly lines: readonly Line[];
}

export function toText({ seed, count, lines }: List): string {
  const rows = lines.map((line) => [line.mnemonic, line.digest, [...line.left].join(",")].join("\t").trimEnd());
  return `${[`seed ${seed}, ${count} cases a mnemonic`, ...rows].join("\n")}\n`;
}

export function fromText(text: string): List {
  const [first = "", ...rows] = text.trim().split("\n");
  const [seed = 0, count = 0] = (first.match(/\d+/g) ?? []).map(Number);
  const lines = rows.map((row): Line => {
    const [mnemonic = "", digest = "", left = ""] = row.split("\t");
    return { mnemonic, digest, left: new Set(left === "" ? [] : left.split(",").map(Number)) };
  });
  return { seed, count, lines };
}
