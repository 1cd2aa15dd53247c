import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { dataSize, type FloatCase } from "./float-cases.ts";

/** What an instruction left behind. */
export interface FloatAnswer {
  readonly signal: number;
  readonly fpscr: number;
  readonly fpr: readonly bigint[];
  readonly r4: number;
  readonly r5: number;
  readonly cr: number;
  readonly memory: Uint8Array;
}

export interface FloatVector extends FloatCase {
  readonly answer: FloatAnswer;
}

const bytesToHex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const hexToBytes = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** By the names of a line, in hex; what is 0 is left out. */
function values(s: Omit<FloatAnswer, "signal">): [string, string][] {
  const empty = s.memory.every((byte) => byte === 0);
  return [
    ["s", (s.fpscr >>> 0).toString(16)],
    ...s.fpr.map((bits, k): [string, string] => [`${3 + k}`, bits.toString(16)]),
    ["a", (s.r4 >>> 0).toString(16)],
    ["b", (s.r5 >>> 0).toString(16)],
    ["c", (s.cr >>> 0).toString(16)],
    ["m", empty ? "0" : bytesToHex(s.memory)],
  ];
}

/**
 * A line: `instruction name=value ... > name=value ...`, all hex: what is not 0 before, and what changed. s is FPSCR, 3 to 6 floating-point registers,
 * a and b are r4 and r5, c CR, m the memory, x the signal. A line `# mnemonic` stands before the cases of one.
 */
export function toLine(v: FloatVector): string {
  const before = values(v);
  const after = values(v.answer).filter(([, value], k) => value !== before[k]?.[1]);
  if (v.answer.signal !== 0) after.push(["x", v.answer.signal.toString(16)]);
  const text = (pairs: [string, string][]) => pairs.map((pair) => pair.join("=")).join(" ");
  return `${v.word.toString(16)} ${text(before.filter(([, value]) => value !== "0"))} > ${text(after)}`;
}

function fromLine(mnemonic: string, line: string): FloatVector {
  const [left, right] = line.split(">") as [string, string];
  const [word, ...before] = left.trim().split(" ");
  const pairs = (texts: readonly string[]) =>
    texts.filter((text) => text !== "").map((text) => text.split("=") as [string, string]);
  const was = new Map(pairs(before));
  const is = new Map([...was, ...pairs(right.trim().split(" "))]);
  const state = (from: Map<string, string>) => {
    const number = (name: string) => Number.parseInt(from.get(name) ?? "0", 16);
    const m = from.get("m") ?? "0";
    return {
      fpscr: number("s"),
      fpr: ["3", "4", "5", "6"].map((name) => BigInt(`0x${from.get(name) ?? "0"}`)),
      r4: number("a"),
      r5: number("b"),
      cr: number("c"),
      memory: m === "0" ? new Uint8Array(dataSize) : hexToBytes(m),
      signal: number("x"),
    };
  };
  return { ...state(was), mnemonic, word: Number.parseInt(word as string, 16), answer: state(is) };
}

export function readFloatVectors(file: URL): FloatVector[] {
  let mnemonic = "";
  const vectors: FloatVector[] = [];
  for (const line of gunzipSync(readFileSync(file)).toString().split("\n")) {
    if (line.startsWith("# ")) mnemonic = line.slice(2);
    else if (line !== "") vectors.push(fromLine(mnemonic, line));
  }
  return vectors;
}
