/*
 * Takes vectors for the e500mc's user-mode instructions from qemu-ppc, or from a real core.
 *
 *     node scripts/vectors-e500.ts FILE [CASES-PER-FORM] [SEED] [ORACLE COMMAND ...]
 *
 * The oracle is scripts/e500-oracle.c, which says how to build it; the command is "qemu-ppc-static -cpu e500mc ./oracle" when left out. Instructions and
 * operands come from the decoder's own tables; what they do comes from the oracle alone.
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Attribute, Row } from "../src/cpu/e500/pattern.ts";
import { primary } from "../src/cpu/e500/table.ts";
import {
  codeAt,
  dataAt,
  dataSize,
  type RegisterName,
  registers,
  toLine,
  type Vector,
} from "../test/cpu/e500/vectors.ts";

const [file, perForm = "200", seed = "1", ...command] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/vectors-e500.ts FILE [CASES-PER-FORM] [SEED] [ORACLE COMMAND ...]");
  process.exit(2);
}
const oracle = command.length > 0 ? command : ["qemu-ppc-static", "-cpu", "e500mc", "./oracle"];

// --- numbers: a seeded generator (xorshift32)

let state = Number(seed) * 2654435761 || 1;
function random(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}
const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;
const corners = [
  0, 1, 2, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001,
  0xffff8000, 0xfffffffe, 0xffffffff,
];
const value = () => (random(4) > 0 ? pick(corners) : random(2 ** 32));
const images = Array.from({ length: 12 }, (_, k) =>
  Uint8Array.from({ length: dataSize }, () => (k < 4 ? pick([0, 0xff, 0x80, 0x7f, 1]) : random(256))),
);

// --- cases

interface Case {
  readonly instruction: number;
  readonly before: number | undefined;
  readonly input: Map<RegisterName, number>;
  readonly memory: Uint8Array;
}

/** What is not a matter of user mode, depends on time, or is no computation. */
const left = new Set("sc wait ehpriv mftb dcbtls dcbtstls dcblc icbtls icblc mtpmr mfpmr".split(" "));

/** Floating point has registers which the oracle does not have. */
const isFloating = (primaryOpcode: number, row: Row) =>
  primaryOpcode === 59 || primaryOpcode === 63 || row.operands.includes("FT");

const general = [3, 4, 5, 6];
const name = (register: number) => `${register}` as RegisterName;
const memoryNames = /^(l|st)(b|h|w|m)/;

/** The word of an instruction with its fields and the state that suits them. */
function makeCase(row: Row, opcode: number, record: boolean, overflow: boolean): Case {
  const input = new Map<RegisterName, number>();
  const has = (operand: string) => (row.operands as readonly string[]).includes(operand);
  let word = opcode | (record ? 1 : 0) | (overflow ? 0x400 : 0);
  const put = (shift: number, field: number) => {
    word |= field << shift;
  };
  const multiple = row.mnemonic === "lmw" || row.mnemonic === "stmw";
  const touches = memoryNames.test(row.mnemonic) || /^(dc|ic)b/.test(row.mnemonic);
  let t = multiple ? 29 + random(3) : pick(general);
  const a = touches ? pick([4, 5]) : pick(general);
  // An indexed address needs a register of its own for each part.
  const b = touches ? 6 : random(4) === 0 ? t : pick(general);
  if (row.check !== undefined && t === a) t = 3;
  if (has("T")) put(21, t);
  const zero = has("A0") && random(8) === 0;
  if (has("A") || has("A0")) put(16, zero ? 0 : a);
  if (has("B")) put(11, b);
  if (has("T")) input.set(name(t), value());
  if (has("A") || has("A0")) input.set(name(a), value());
  if (has("B")) input.set(name(b), value());
  // RA = 0 is not register 0, which therefore has something in it.
  if (has("A0") && random(2) === 0) input.set("0", value());
  if (has("SI") || has("UI") || has("SIS") || has("UIS"))
    put(0, pick(corners.map((c) => c & 0xffff)) ^ (random(3) === 0 ? random(0x10000) : 0));
  if (has("SH")) put(11, random(32));
  if (has("M")) {
    put(6, random(32));
    put(1, random(32));
  }
  if (has("BF")) put(23, random(8));
  if (has("BFA")) put(18, random(8));
  if (has("BC")) word = (word & ~0x7c0) | (random(32) << 6);
  if (has("BT")) put(21, random(32));
  if (has("BA")) put(16, random(32));
  if (has("BB")) put(11, random(32));
  if (has("BI")) put(16, random(32));
  if (row.has(Attribute.first) && !multiple && !has("T")) put(21, random(32));
  if (row.has(Attribute.fields)) {
    const one = random(2) === 0;
    put(12, one ? 0x100 | (0x80 >> random(8)) : row.mnemonic === "mfcr" ? 0 : random(256));
  }
  if (row.has(Attribute.register)) {
    const spr = pick([1, 8, 9]);
    put(16, spr & 31);
    put(11, spr >> 5);
  }
  input.set("x", ((random(8) << 29) | (random(2) === 0 ? 0 : random(128))) >>> 0);
  input.set("c", random(3) === 0 ? pick(corners) : random(2 ** 32));
  if (row.has(Attribute.branch) || row.has(Attribute.register)) {
    input.set("l", value() >>> 0);
    input.set("t", pick([0, 1, 2, 0xffffffff, 0x80000000]));
    // Two instructions on is where the oracle looks.
    if (has("BD") || has("LI")) put(2, 2);
    if (row.mnemonic === "bclr") input.set("l", codeAt + 8 + random(4));
    if (row.mnemonic === "bcctr") {
      word |= 4 << 21;
      input.set("t", codeAt + 8 + random(4));
    }
  }
  let memory: Uint8Array = new Uint8Array(dataSize);
  let before: number | undefined;
  if (touches) {
    memory = pick(images);
    const aligned = multiple || /arx|wcx/.test(row.mnemonic);
    const target = dataAt + (aligned ? random((dataSize - 12) / 4) * 4 : random(dataSize - 4));
    if (has("B")) {
      input.set("6", zero ? target : (target - (input.get(name(a)) ?? 0)) >>> 0);
      // A register stored may be the index itself.
      if (has("T") && t === 6) {
        word = (word & ~(31 << 21)) | (3 << 21);
        input.set("3", value());
        t = 3;
      }
      if (t === a && !zero) input.set("6", (target - (input.get(name(a)) ?? 0)) >>> 0);
    } else {
      word = (word & ~(31 << 16)) | (a << 16);
      const displacement = ((word & 0xffff) << 16) >> 16;
      input.set(name(a), (target - displacement) >>> 0);
    }
    // Half of the conditional stores have a reservation: lwarx r0 from the same place, or from elsewhere.
    if (row.mnemonic === "stwcx." && random(4) > 0)
      before = 0x7c000028 | ((zero ? 0 : a) << 16) | (random(4) > 0 ? 6 << 11 : a << 11);
    if (before !== undefined && (before & 0xf800) >>> 11 !== 6) before = undefined;
  }
  return { instruction: word >>> 0, before, input, memory };
}

function forms(row: Row, opcode: number): { mnemonic: string; make: () => Case }[] {
  const made = [];
  const records = row.has(Attribute.record) || row.has(Attribute.branch) ? [false, true] : [false];
  for (const overflow of row.has(Attribute.overflow) ? [false, true] : [false]) {
    for (const record of row.mnemonic === "stwcx." ? [true] : records) {
      const suffix = row.has(Attribute.branch) ? (record ? "l" : "") : record && row.mnemonic !== "stwcx." ? "." : "";
      made.push({
        mnemonic: `${row.mnemonic}${overflow ? "o" : ""}${suffix}`,
        make: () => makeCase(row, opcode, record, overflow),
      });
    }
  }
  return made;
}

const all: { mnemonic: string; make: () => Case }[] = [];
const seen = new Set<string>();
for (const [k, entry] of primary.entries()) {
  const rows = entry instanceof Row ? [[0, entry] as const] : [...(entry ?? []).entries()];
  for (const [xo, row] of rows) {
    if (row === undefined || row.has(Attribute.privileged) || left.has(row.mnemonic) || seen.has(row.mnemonic))
      continue;
    if (isFloating(k, row)) continue;
    seen.add(row.mnemonic);
    all.push(...forms(row, ((k << 26) | (xo << 1)) >>> 0));
  }
}

// --- answers

const cases = all.flatMap(({ mnemonic, make }) =>
  Array.from({ length: Number(perForm) }, () => ({ mnemonic, ...make() })),
);
const hex = (number: number) => (number >>> 0).toString(16);
const asked = cases.map(({ before, instruction, input, memory }) =>
  [
    hex(before ?? 0x60000000),
    hex(instruction),
    ...registers.map((r) => hex(input.get(r) ?? 0)),
    Buffer.from(memory).toString("hex"),
  ].join(" "),
);
const run = spawnSync(oracle[0] as string, oracle.slice(1), { input: `${asked.join("\n")}\n`, maxBuffer: 2 ** 30 });
const answers = run.stdout.toString().trim().split("\n");
if (run.status !== 0 || answers.length !== cases.length) {
  console.error(`the oracle stopped after ${answers.length} of ${cases.length} cases: ${run.stderr}`);
  process.exit(1);
}

const lines: string[] = [];
let mnemonic = "";
for (const [k, c] of cases.entries()) {
  const words = (answers[k] as string).split(" ");
  const output = new Map(registers.map((r, n) => [r, Number.parseInt(words[2 + n] as string, 16)] as const));
  const vector: Vector = {
    ...c,
    output,
    memoryAfter: Uint8Array.from(Buffer.from(words[2 + registers.length] as string, "hex")),
    signal: Number.parseInt(words[0] as string, 16),
    taken: words[1] === "1",
  };
  if (c.mnemonic !== mnemonic) lines.push(`# ${c.mnemonic}`);
  mnemonic = c.mnemonic;
  lines.push(toLine(vector));
}
writeFileSync(file, gzipSync(`${lines.join("\n")}\n`, { level: 9 }));
console.log(`${cases.length} cases of ${all.length} forms`);
