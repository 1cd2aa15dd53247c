import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Where the instruction lies, what can be read and written, and how large that is: as the oracle has them. */
export const codeAt = 0x4001_0100;
export const dataAt = 0x4002_0fe0;
export const dataSize = 64;

/** Registers which a vector may name: general ones by number, the others by letter. */
export const registers = ["0", "3", "4", "5", "6", "29", "30", "31", "x", "c", "l", "t"] as const;
export type RegisterName = (typeof registers)[number];

/**
 * One case. In a file it is a line `instruction name=value ... > name=value ...`, all hex: what differs from 0 before, and what changed.
 * x is XER, c CR, l LR, t CTR; `m` the memory, 64 bytes, of which a case with none has zeros; `m3` the bytes from 3 on that changed; `p` the
 * instruction before; `s` the signal; `b` the branch was taken. A line `# mnemonic` stands before the cases of one.
 */
export interface Vector {
  readonly mnemonic: string;
  readonly instruction: number;
  readonly before: number | undefined;
  readonly input: ReadonlyMap<RegisterName, number>;
  readonly output: ReadonlyMap<RegisterName, number>;
  readonly memory: Uint8Array;
  readonly memoryAfter: Uint8Array;
  readonly signal: number;
  readonly taken: boolean;
}

const hex = (value: number) => (value >>> 0).toString(16);
const bytesToHex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const hexToBytes = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

export function toLine(v: Vector): string {
  const before: string[] = [];
  const after: string[] = [];
  if (v.before !== undefined) before.push(`p=${hex(v.before)}`);
  for (const name of registers) {
    const was = v.input.get(name) ?? 0;
    const is = v.output.get(name) ?? 0;
    if (was !== 0) before.push(`${name}=${hex(was)}`);
    if (was !== is) after.push(`${name}=${hex(is)}`);
  }
  if (v.memory.some((b) => b !== 0)) before.push(`m=${bytesToHex(v.memory)}`);
  const changed = Array.from(v.memory.keys()).filter((k) => v.memory[k] !== v.memoryAfter[k]);
  const [first, last] = [changed[0], changed.at(-1)];
  if (first !== undefined && last !== undefined)
    after.push(`m${first}=${bytesToHex(v.memoryAfter.subarray(first, last + 1))}`);
  if (v.signal !== 0) after.push(`s=${hex(v.signal)}`);
  if (v.taken) after.push("b=1");
  return `${hex(v.instruction)} ${before.join(" ")} > ${after.join(" ")}`;
}

function fromLine(mnemonic: string, line: string): Vector {
  const [left, right] = line.split(">") as [string, string];
  const [word, ...before] = left.trim().split(" ");
  const input = new Map<RegisterName, number>();
  let memory = new Uint8Array(dataSize);
  let previous: number | undefined;
  for (const [name, value] of pairs(before)) {
    if (name === "m") memory = hexToBytes(value);
    else if (name === "p") previous = Number.parseInt(value, 16);
    else input.set(name as RegisterName, Number.parseInt(value, 16));
  }
  const output = new Map(input);
  const memoryAfter = memory.slice();
  let signal = 0;
  let taken = false;
  for (const [name, value] of pairs(right.trim().split(" "))) {
    if (name === "s") signal = Number.parseInt(value, 16);
    else if (name === "b") taken = true;
    else if (name.startsWith("m")) memoryAfter.set(hexToBytes(value), Number(name.slice(1)));
    else output.set(name as RegisterName, Number.parseInt(value, 16));
  }
  const instruction = Number.parseInt(word as string, 16);
  return { mnemonic, instruction, before: previous, input, output, memory, memoryAfter, signal, taken };
}

function pairs(texts: readonly string[]): (readonly [string, string])[] {
  return texts.filter((text) => text !== "").map((text) => text.split("=") as [string, string]);
}

export function readVectors(file: URL): Vector[] {
  let mnemonic = "";
  const vectors: Vector[] = [];
  for (const line of gunzipSync(readFileSync(file)).toString().split("\n")) {
    if (line.startsWith("# ")) mnemonic = line.slice(2);
    else if (line !== "") vectors.push(fromLine(mnemonic, line));
  }
  return vectors;
}
