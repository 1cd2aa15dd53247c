/*
 * Takes vectors of MMX, SSE to SSSE3 and POPCNT from the processor this runs on.
 *
 *     node scripts/vectors-simd.ts ORACLE FILE [CASES-PER-INSTRUCTION] [SEED]
 *
 * ORACLE is the built ../shared/oracle/orc32.c (its README has the command). Opcodes come from the decoder's tables; what they do comes from the
 * processor alone. RCPPS and RSQRTPS are left out: their result is only bounded.
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Row } from "../src/cpu/x86/pattern.ts";
import { prefixed, prefixed3a, prefixed38 } from "../src/cpu/x86/simd/table-simd.ts";
import { type SimdState, type SimdVector, toLine } from "../test/support/simd-vectors.ts";
import { dataAt } from "../test/support/x86-vectors.ts";

const [oracle, file, perInstruction = "30", seed = "1"] = process.argv.slice(2);
if (oracle === undefined || file === undefined) {
  console.error("usage: node scripts/vectors-simd.ts ORACLE FILE [CASES-PER-INSTRUCTION] [SEED]");
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

// --- operands

const singles = [
  0, 0x80000000, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0xffc12345,
  0x3f800000, 0xbf800000, 0x4effffff, 0x4f000000, 0x3effffff, 0x80800001, 0x00ffffff, 0x0c000000, 0x33800000,
];
const doubleHighs = [
  0, 0x80000000, 0xfffff, 0x100000, 0x7fefffff, 0x7ff00000, 0xfff00000, 0x7ff80000, 0xfff81234, 0x3ff00000, 0xbff00000,
  0x41dfffff, 0x41e00000, 0x380fffff, 0x36a00000, 0x47efffff, 0x47f00000, 0x3ca00000, 0x1ff00000,
];
const near = (exponent: number, shift: number, bits: number) =>
  ((random(2) << 31) | ((exponent - 3 + random(7)) << shift) | random(2 ** bits)) >>> 0;

/** Sixteen bytes as floating-point numbers, or as integers. */
function lanes(kind: "single" | "double" | "integer"): Buffer {
  const out = Buffer.alloc(16);
  if (kind === "double") {
    for (let k = 0; k < 16; k += 8) {
      const corner = random(2) === 0;
      out.writeUInt32LE(corner ? pick([0, 0, 1, 0xffffffff]) : random(3) === 0 ? 0 : random(2 ** 32), k);
      out.writeUInt32LE(corner ? pick(doubleHighs) : near(1023, 20, 20), k + 4);
    }
  } else if (kind === "single") {
    for (let k = 0; k < 16; k += 4) out.writeUInt32LE(random(2) === 0 ? pick(singles) : near(127, 23, 23), k);
  } else {
    const corners = [0, 0x80, 0x7f, 0xff, 1];
    for (let k = 0; k < 16; k++) out[k] = random(3) === 0 ? pick(corners) : random(256);
    if (random(4) === 0) out.writeBigUInt64LE(BigInt(random(70)), 0);
  }
  return out;
}

interface Case {
  readonly mnemonic: string;
  readonly code: number[];
  readonly before: SimdState;
}

const prefixBytes = [[], [0x66], [0xf3], [0xf2]] as const;
const left = /^(fxsave|fxrstor|sse2.clflush|sse.rcp|sse.rsqrt|sse.ldmxcsr)/;

function make(
  row: Row,
  opcode: number,
  prefix: number,
  digit: number | undefined,
  register: boolean,
  map: readonly number[],
): Case {
  const kind = /[ps]d$|pd2|sd2|sd |pi2pd/.test(row.mnemonic)
    ? "double"
    : /[ps]s$|ps2|ss2|comiss/.test(row.mnemonic)
      ? "single"
      : "integer";
  const value = () => lanes(random(10) === 0 ? "integer" : kind);
  const image = Buffer.concat([value(), value()]);
  const code: number[] = [...(prefixBytes[prefix] as readonly number[]), 0x0f, ...map, opcode];
  if (row.modrm) {
    const reg = digit ?? 1;
    if (register) code.push(0xc0 | (reg << 3) | 2);
    else if (random(12) === 0) code.push(0x43 | (reg << 3), 4);
    else code.push(3 | (reg << 3));
  }
  if (row.operands.some((o) => o.letter === "U")) code.push(random(3) === 0 ? random(256) : random(20));
  const unmasked = random(5) === 0 ? random(64) : 0;
  const mxcsr =
    ((0x3f & ~unmasked) << 7) |
    (random(4) << 13) |
    (random(4) === 0 ? 0x8000 : 0) |
    (random(4) === 0 ? 0x40 : 0) |
    (random(4) === 0 ? random(64) & ~unmasked : 0);
  const text = (b: Buffer) => b.toString("hex");
  return {
    mnemonic: `${row.mnemonic} ${row.pattern}`.trim(),
    code,
    before: {
      xmm1: text(value()),
      xmm2: text(value()),
      mm1: `${text(value()).slice(0, 16)}3412`,
      mm2: `${text(value()).slice(0, 16)}7856`,
      ecx: random(2 ** 32),
      edx: random(3) === 0 ? random(2 ** 32) : random(1000),
      mxcsr,
      status: random(8) << 11,
      used: random(256),
      flags: random(0x1000) & 0xcd5,
      memory: text(image),
    },
  };
}

function all(): Case[] {
  const cases: Case[] = [];
  for (const [map, opcode, choice] of [
    ...Array.from(prefixed, (choice, k) => [[], k, choice] as const),
    ...Array.from(prefixed38, (choice, k) => [[0x38], k, choice] as const),
    ...Array.from(prefixed3a, (choice, k) => [[0x3a], k, choice] as const),
  ]) {
    for (const [prefix, entry] of (choice ?? []).entries()) {
      if (entry === undefined) continue;
      const rows = entry instanceof Row ? [entry] : [...new Set(entry)].filter((row) => row !== undefined);
      for (const row of rows) {
        if (left.test(row.mnemonic)) continue;
        const at = entry instanceof Row ? -1 : entry.lastIndexOf(row);
        const digit = entry instanceof Row || at === 71 || at === 7 ? undefined : at < 8 ? at : (at - 8) >> 3;
        for (let k = 0; k < Number(perInstruction); k++) {
          const onlyMemory = row.operands.some((o) => o.letter === "M");
          const register = entry instanceof Row ? !onlyMemory && random(2) === 0 : at >= 8;
          cases.push(make(row, opcode, prefix, digit, register, map));
        }
      }
    }
  }
  return cases;
}

// --- the oracle's records

const request = { flags: 32, length: 36, code: 40, memory: 56, fpu: 120, size: 632 };
const response = { trap: 40, memory: 56, fpu: 120, size: 632 };

/** MMn is physical register n, and the image has ST(0) first. */
const mmAt = (n: number, status: number) => 32 + 16 * ((n - (status >> 11)) & 7);

function ask(cases: readonly Case[]): SimdVector[] {
  const input = Buffer.alloc(cases.length * request.size);
  for (const [k, { code, before }] of cases.entries()) {
    const at = k * request.size;
    input.writeUInt32LE(before.ecx, at + 4);
    input.writeUInt32LE(before.edx, at + 8);
    input.writeUInt32LE(dataAt, at + 12);
    input.writeUInt32LE(dataAt, at + 28);
    input.writeUInt32LE(before.flags, at + request.flags);
    input.writeUInt32LE(code.length, at + request.length);
    Buffer.from(code).copy(input, at + request.code);
    Buffer.from(before.memory, "hex").copy(input, at + request.memory);
    const fpu = at + request.fpu;
    input.writeUInt16LE(0x37f, fpu);
    input.writeUInt16LE(before.status, fpu + 2);
    input.writeUInt8(before.used, fpu + 4);
    input.writeUInt32LE(before.mxcsr, fpu + 24);
    Buffer.from(before.mm1, "hex").copy(input, fpu + mmAt(1, before.status));
    Buffer.from(before.mm2, "hex").copy(input, fpu + mmAt(2, before.status));
    Buffer.from(before.xmm1 + before.xmm2, "hex").copy(input, fpu + 176);
  }
  const { stdout, status } = spawnSync(oracle as string, { input, maxBuffer: 2 ** 30, timeout: 120_000 });
  if (status !== 0 || stdout.length !== cases.length * response.size)
    throw new Error(`the oracle gave ${stdout.length} bytes and status ${status}`);
  return cases.map(({ mnemonic, code, before }, k) => {
    const at = k * response.size;
    const fpu = at + response.fpu;
    const bytes = (from: number, length: number) => stdout.subarray(from, from + length).toString("hex");
    const word = stdout.readUInt16LE(fpu + 2);
    return {
      mnemonic,
      code: Buffer.from(code).toString("hex"),
      before,
      after: {
        xmm1: bytes(fpu + 176, 16),
        xmm2: bytes(fpu + 192, 16),
        mm1: bytes(fpu + mmAt(1, word & 0x3800), 10),
        mm2: bytes(fpu + mmAt(2, word & 0x3800), 10),
        ecx: stdout.readUInt32LE(at + 4),
        edx: stdout.readUInt32LE(at + 8),
        mxcsr: stdout.readUInt32LE(fpu + 24),
        status: word,
        used: stdout.readUInt8(fpu + 4),
        flags: stdout.readUInt32LE(at + request.flags) & 0xcd5,
        memory: bytes(at + response.memory, 32),
      },
      trap: stdout.readUInt32LE(at + response.trap),
    };
  });
}

const vectors = ask(all());
const packed = gzipSync(`${vectors.map(toLine).join("\n")}\n`, { level: 9 });
writeFileSync(file, packed);
console.log(`${vectors.length} vectors, ${packed.length} bytes`);
