/*
 * Takes x87 vectors from the processor this runs on.
 *
 *     node scripts/vectors-x87.ts ORACLE FILE [CASES-PER-INSTRUCTION] [SEED]
 *
 * ORACLE is the built ../shared/oracle/orc32.c (its README has the command). Opcodes come from the decoder's tables; what they do
 * comes from the processor alone. Transcendental functions are left out, as
 * processors differ in their last place.
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { escapes } from "../src/cpu/x86/fpu/table-x87.ts";
import { Row } from "../src/cpu/x86/pattern.ts";
import { dataAt } from "../test/support/x86-vectors.ts";
import { eaxBefore, toLine, type X87State, type X87Vector } from "../test/support/x87-vectors.ts";

const [oracle, file, perInstruction = "40", seed = "1", only] = process.argv.slice(2);
if (oracle === undefined || file === undefined) {
  console.error("usage: node scripts/vectors-x87.ts ORACLE FILE [CASES-PER-INSTRUCTION] [SEED]");
  process.exit(2);
}

let state = Number(seed) * 2654435761 || 1;
function random(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}
const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;
const hex = (value: number, digits: number) => (value >>> 0).toString(16).padStart(digits, "0");

// --- operands

const significands = [
  "8000000000000000",
  "8000000000000001",
  "ffffffffffffffff",
  "fffffffffffffffe",
  "c000000000000000",
  "a000000000000000",
  "ffffff0000000000",
  "ffffff8000000000",
  "fffffffffffff800",
  "fffffffffffffc00",
  "0000000000000000",
  "0000000000000001",
  "7fffffffffffffff",
  "4000000000000000",
];
const exponents = [
  0, 1, 2, 0x3fff, 0x3ffe, 0x4000, 0x3ffd, 0x4001, 0x7ffe, 0x7fff, 0x7fff, 0x403d, 0x403e, 0x403f, 0x3c01, 0x3c00,
  0x43fe, 0x3f81, 0x3f80, 0x407e, 0x407f, 0x401e, 0x401d, 0x400e, 0x3fc0, 0x5fff, 0x1fff,
];

/** A number of the double extended format: near others, so that they meet, or a corner. */
function extended(): string {
  const kind = random(10);
  const sign = random(2) << 15;
  if (kind < 3) {
    const significand = hex(random(2 ** 32) | (random(8) > 0 ? 0x8000_0000 : 0), 8) + hex(random(2 ** 32), 8);
    return hex(sign | (0x3fff - 40 + random(80)), 4) + significand;
  }
  if (kind < 5) {
    // Small integers and halves.
    const n = random(200) + 1;
    const shift = Math.clz32(n);
    return hex(sign | (0x3fff + 31 - shift - random(3)), 4) + hex(n << shift, 8) + hex(0, 8);
  }
  const exponent = random(3) === 0 ? random(0x8000) : pick(exponents);
  let significand = pick(significands);
  if (exponent !== 0 && exponent !== 0x7fff && random(8) > 0)
    significand = hex(0x8000_0000 | Number.parseInt(significand.slice(0, 8), 16), 8) + significand.slice(8);
  return hex(sign | exponent, 4) + significand;
}

const doubles = [
  "0000000000000000",
  "0000000000000001",
  "000fffffffffffff",
  "0010000000000000",
  "7fefffffffffffff",
  "7ff0000000000000",
  "7ff0000000000001",
  "7ff8000000000000",
  "3ff0000000000000",
  "3ff0000000000001",
];
const singles = [
  "00000000",
  "00000001",
  "007fffff",
  "00800000",
  "7f7fffff",
  "7f800000",
  "7f800001",
  "7fc00000",
  "3f800000",
];
const flip = (text: string) => Buffer.from(text, "hex").reverse().toString("hex");
const negated = (text: string) =>
  random(2) === 0 ? text : hex(Number.parseInt(text.slice(0, 2), 16) | 0x80, 2) + text.slice(2);

function memory(bytes: number): string {
  let first: string;
  if (bytes === 4)
    first =
      random(2) === 0
        ? negated(pick(singles))
        : hex(random(4) === 0 ? random(2 ** 32) : 0x3f00_0000 + random(0x0200_0000), 8);
  else if (bytes === 8)
    first =
      random(2) === 0
        ? negated(pick(doubles))
        : hex(0x3fe0_0000 + random(0x40_0000), 8) + hex(random(3) === 0 ? 0 : random(2 ** 32), 8);
  else if (bytes === 10) first = extended();
  else first = hex(random(2 ** 32), 8);
  return (flip(first) + "5a".repeat(32)).slice(0, 64);
}

function decimal(): string {
  let digits = "";
  for (let k = 0; k < 18; k++) digits += random(10);
  return (flip(hex(random(2) << 7, 2) + digits) + "5a".repeat(32)).slice(0, 64);
}

// --- cases

interface Case {
  readonly mnemonic: string;
  readonly code: number[];
  readonly before: X87State;
}

function before(image: string): X87State {
  const unmasked = random(4) === 0 ? random(64) : 0;
  const control = 0x340 & ~(random(3) === 0 ? random(4) << 8 : 0);
  const used = random(5) === 0 ? random(256) : random(8) > 0 ? pick([0x3f, 0x7e, 0xfc, 0xf9, 0xf3, 0xcf, 0x0f]) : 0xff;
  // No exception that waits, as what is unmasked has not been raised.
  const flags = random(4) === 0 ? random(64) & ~unmasked : 0;
  return {
    control: control | (0x3f & ~unmasked) | (random(4) << 10),
    status: (random(4) === 0 ? random(0x10000) & 0x4700 : 0) | (random(8) << 11) | flags,
    used,
    registers: Array.from({ length: 8 }, extended),
    memory: image,
    eax: eaxBefore,
    flags: random(0x1000) & 0xcd5,
  };
}

const widths: Record<string, number> = { d: 4, q: 8, w: 2 };
const left = /^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsin|fcos|fsincos|fldenv|frstor|fnsave|fnstenv)$/;
/** What a processor without these forms in its manual may do as it likes. */
const unknown = /^(ffreep|fxch[47]|fstp[189]|fcomp5|feni|fdisi|fsetpm|fcomp? st\(i\),st)/;

function all(): Case[] {
  const cases: Case[] = [];
  const add = (row: Row | undefined, code: () => number[], bytes: number) => {
    if (row === undefined || left.test(row.mnemonic) || unknown.test(row.mnemonic)) return;
    if (only !== undefined && !new RegExp(only).test(row.mnemonic)) return;
    for (let k = 0; k < Number(perInstruction); k++) {
      const image = row.mnemonic === "fbld" ? decimal() : memory(row.mnemonic === "fld80" ? 10 : bytes);
      cases.push({
        mnemonic: `${row.mnemonic}${row.pattern === "" ? "" : ` ${row.pattern}`}`,
        code: [...code(), ...(random(6) === 0 ? [0x9b] : [])],
        before: before(image),
      });
    }
  };
  for (const [k, entry] of escapes.entries()) {
    if (entry === undefined || entry instanceof Row) continue;
    const seen = new Set<Row>();
    for (const [n, row] of entry.entries()) {
      if (row === undefined || seen.has(row)) continue;
      seen.add(row);
      const same = [...entry.keys()].filter((m) => entry[m] === row);
      const integer = k === 2 || k === 6 || k === 3 || k === 7;
      const bytes = integer ? 2 : (widths[row.operands[0]?.size ?? ""] ?? 0);
      // [EBX]
      add(row, () => (n < 8 ? [0xd8 + k, (n << 3) | 3] : [0xd8 + k, 0xc0 + pick(same) - 8]), bytes);
    }
  }
  return cases;
}

// --- the oracle's records

const request = { registers: 0, flags: 32, length: 36, code: 40, memory: 56, fpu: 120, size: 632 };
const response = { trap: 40, memory: 56, fpu: 120, size: 632 };

function ask(cases: readonly Case[]): X87Vector[] {
  const input = Buffer.alloc(cases.length * request.size);
  for (const [k, c] of cases.entries()) {
    const at = k * request.size;
    input.writeUInt32LE(eaxBefore, at);
    input.writeUInt32LE(dataAt, at + 12);
    input.writeUInt32LE(c.before.flags, at + request.flags);
    input.writeUInt32LE(c.code.length, at + request.length);
    Buffer.from(c.code).copy(input, at + request.code);
    Buffer.from(c.before.memory, "hex").copy(input, at + request.memory);
    const fpu = at + request.fpu;
    input.writeUInt16LE(c.before.control, fpu);
    input.writeUInt16LE(c.before.status, fpu + 2);
    input.writeUInt16LE(c.before.used, fpu + 4);
    input.writeUInt32LE(0x1f80, fpu + 24);
    for (const [i, register] of c.before.registers.entries())
      Buffer.from(register, "hex")
        .reverse()
        .copy(input, fpu + 32 + 16 * i);
  }
  const { stdout, status } = spawnSync(oracle as string, { input, maxBuffer: 2 ** 30, timeout: 120_000 });
  if (status !== 0 || stdout.length !== cases.length * response.size)
    throw new Error(`the oracle gave ${stdout.length} bytes and status ${status}`);
  return cases.map((c, k) => {
    const at = k * response.size;
    const fpu = at + response.fpu;
    return {
      mnemonic: c.mnemonic,
      code: Buffer.from(c.code).toString("hex"),
      before: c.before,
      after: {
        control: stdout.readUInt16LE(fpu),
        status: stdout.readUInt16LE(fpu + 2),
        used: stdout.readUInt8(fpu + 4),
        registers: c.before.registers.map((_, i) =>
          Buffer.from(stdout.subarray(fpu + 32 + 16 * i, fpu + 42 + 16 * i))
            .reverse()
            .toString("hex"),
        ),
        memory: stdout.subarray(at + response.memory, at + response.memory + 32).toString("hex"),
        eax: stdout.readUInt32LE(at),
        flags: stdout.readUInt32LE(at + request.flags) & 0xcd5,
      },
      trap: stdout.readUInt32LE(at + response.trap),
    };
  });
}

const vectors = ask(all());
const packed = gzipSync(`${vectors.map(toLine).join("\n")}\n`, { level: 9 });
writeFileSync(file, packed);
console.log(`${vectors.length} vectors, ${packed.length} bytes`);
