/*
 * Takes x86 vectors from the processor this runs on (any x86-64 or i386 Linux).
 *
 *     node scripts/vectors-x86.ts ORACLE FILE [CASES-PER-OPCODE] [SEED]
 *
 * ORACLE is the built ../shared/oracle/orc32.c (its README has the command). Opcodes and operands come from the decoder's own
 * tables; what they do comes from the processor alone.
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type OperandSpec, Row } from "../src/cpu/x86/pattern.ts";
import { oneByte } from "../src/cpu/x86/table.ts";
import { twoByte } from "../src/cpu/x86/table-0f.ts";
import { codeAt, dataAt, stackTop, toLine, type Vector } from "../test/support/x86-vectors.ts";
import { shiftCount, undefinedResult } from "../test/vectors/x86/undefined-flags.ts";

const [oracle, file, perOpcode = "10", seed = "1"] = process.argv.slice(2);
if (oracle === undefined || file === undefined) {
  console.error("usage: node scripts/vectors-x86.ts ORACLE FILE [CASES-PER-OPCODE] [SEED]");
  process.exit(2);
}

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
  0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];
const value = () => (random(3) > 0 ? pick(corners) : random(2 ** 32));
const images = Array.from({ length: 16 }, (_, k) =>
  Buffer.from(Array.from({ length: 64 }, () => (k < 4 ? pick([0, 0xff, 0x80, 0x7f, 1]) : random(256)))).toString("hex"),
);

// --- cases

interface Case {
  readonly mnemonic: string;
  readonly code: number[];
  readonly registers: number[];
  readonly flags: number;
  readonly memory: string;
}

/** What a process may not do, what depends on the system it runs in, and what needs a stack that was written before. */
const left = new Set(
  (
    "callf jmpf retf int3 int iret int1 hlt wait sldt str lldt ltr verr verw sgdt sidt lgdt lidt smsw lmsw invlpg lar lsl clts invd wbinvd " +
    "wrmsr rdtsc rdmsr rdpmc sysenter sysexit cpuid les lds lss lfs lgs ret leave enter popa pop popf pushf"
  ).split(" "),
);

const bytes = (number: number, width: number) => Array.from({ length: width }, (_, k) => (number >>> (8 * k)) & 0xff);

class Maker {
  readonly registers = Array.from({ length: 8 }, value);
  readonly tail: number[] = [];
  modrm: number | undefined;

  /** A memory operand by ModRM in 32-bit addressing, mostly inside the 64 bytes. */
  memory(reg: number): void {
    const { registers } = this;
    const target = random(12) === 0 ? value() : dataAt + random(48);
    const mod = random(3);
    const rm = pick([0, 1, 2, 3, 4, 4, 5, 6, 7]);
    const displacement = mod === 1 ? (random(256) << 24) >> 24 : mod === 2 ? value() | 0 : 0;
    this.modrm = (mod << 6) | (reg << 3) | rm;
    let base = rm;
    let offset = 0;
    if (rm === 4) {
      const scale = random(4);
      const index = random(8);
      base = random(8);
      if (base === 4) base = 3;
      this.tail.push((scale << 6) | (index << 3) | base);
      if (index === base && index !== 4) registers[index] = 1;
      if (index !== 4) offset = (registers[index] as number) << scale;
      if (index === base && !(mod === 0 && base === 5)) {
        this.displace(mod, displacement);
        return;
      }
    }
    if (mod === 0 && base === 5) {
      this.tail.push(...bytes(target - offset, 4));
      return;
    }
    registers[base] = (target - offset - displacement) >>> 0;
    this.displace(mod, displacement);
  }

  displace(mod: number, displacement: number): void {
    this.tail.push(...bytes(displacement, mod === 1 ? 1 : mod === 2 ? 4 : 0));
  }
}

function immediate(spec: OperandSpec, wide: boolean): number[] {
  const width = spec.size === "b" ? 1 : spec.size === "w" ? 2 : wide ? 4 : 2;
  return bytes(value(), width);
}

/** Of a branch: never into its own bytes, which could keep the oracle for ever. */
const displacement = () => (random(2) === 0 ? random(112) : -17 - random(111));

function single(row: Row, opcode: readonly number[], digit: number | undefined): Case | undefined {
  const m = new Maker();
  const { operands } = row;
  const wide = !(row.pattern.includes("v") || row.mnemonic.startsWith("c")) || random(3) > 0;
  const branch = operands.some((o) => o.letter === "J");
  const prefixes = wide || (branch && random(8) > 0) ? [] : [0x66];
  const is32 = prefixes.length === 0;
  const reg = digit ?? random(8);
  const stack = /^(push|call)/.test(row.mnemonic);
  if (operands.some((o) => o.letter === "S" || o.letter === "T" || o.letter === "C" || o.letter === "D"))
    return undefined;
  if (operands.some((o) => o.letter === "E" || o.letter === "M")) {
    const toMemory = operands.some((o) => o.letter === "M") || random(2) === 0;
    if (toMemory) m.memory(reg);
    else m.modrm = 0xc0 | (reg << 3) | random(8);
    // The oracle's stack cannot be executed, ours can: no jump there.
    if (m.modrm === 0xd4 || m.modrm === 0xe4) m.modrm -= 4;
    // A bit number in a register reaches far beyond the operand: mostly it stays near.
    if (toMemory && row.mnemonic.startsWith("bt") && operands[1]?.letter === "G" && random(4) > 0)
      m.registers[reg] = random(2) === 0 ? random(128) : -random(64) >>> 0;
  }
  if (operands.some((o) => o.letter === "X" || o.letter === "Y")) {
    m.registers[6] = dataAt + random(32);
    m.registers[7] = dataAt + random(32);
    m.registers[1] = random(12);
    if (random(8) === 0) m.registers[7] = value();
    const repeat = random(3);
    if (repeat > 0) prefixes.push(repeat === 1 ? 0xf2 : 0xf3);
  }
  if (operands.some((o) => o.letter === "B"))
    m.registers[3] = (dataAt - ((m.registers[0] as number) & 0xff) + random(64)) >>> 0;
  if (random(16) === 0) prefixes.unshift(pick([0x26, 0x36, 0x3e, 0xf0]));
  if ((row.mnemonic === "call" || row.mnemonic === "jmp") && !branch) {
    const where = codeAt + 16 + random(64);
    if (m.modrm !== undefined && m.modrm >= 0xc0) m.registers[m.modrm & 7] = where;
  }
  if (/^(div|idiv)/.test(row.mnemonic) && random(3) > 0) m.registers[2] = random(4);
  if (/^(loop|jcxz)/.test(row.mnemonic)) m.registers[1] = random(3);
  const last: number[] = [];
  for (const o of operands) {
    if (o.letter === "I" || o.letter === "U") last.push(...immediate(o, is32));
    else if (o.letter === "J") last.push(...bytes(displacement(), o.size === "b" ? 1 : is32 ? 4 : 2));
    else if (o.letter === "O") last.push(...bytes(dataAt + random(48), 4));
  }
  if (stack && /pusha|push/.test(row.mnemonic)) {
    // What was pushed is taken back, so that it shows.
    last.push(...(is32 ? [] : [0x66]), 0x58);
  }
  m.registers[4] = stackTop;
  const code = [...prefixes, ...opcode, ...(m.modrm === undefined ? [] : [m.modrm]), ...m.tail, ...last];
  return { mnemonic: row.mnemonic, code, registers: m.registers, flags: random(0x1000) & 0xcd5, memory: pick(images) };
}

/** Sequences which first write what they then read from the stack. */
function sequences(): Case[] {
  const make = (mnemonic: string, code: readonly number[], change: Record<number, number> = {}): Case => {
    const registers = Array.from({ length: 8 }, value);
    registers[4] = stackTop;
    for (const [k, v] of Object.entries(change)) registers[Number(k)] = v;
    return { mnemonic, code: [...code], registers, flags: random(0x1000) & 0xcd5, memory: pick(images) };
  };
  const cases: Case[] = [];
  for (let k = 0; k < 12; k++) {
    const near = dataAt + 32 + random(16);
    const level = random(5);
    cases.push(
      make("pusha", [0x60, 0x61]),
      make("pusha", [0x60, 0x58, 0x5b, 0x59, 0x5a, 0x5d, 0x5e, 0x5f]),
      make("pusha", [0x66, 0x60, 0x58, 0x5b, 0x59]),
      make("popa", [0x66, 0x60, 0x40, 0x43, 0x66, 0x61]),
      make("pop", [0x50, 0x8f, 0x03], { 3: near }),
      make("pop", [0x50, 0x8f, 0x44, 0x24, 0xfc, 0x8b, 0x5c, 0x24, 0xfc]),
      make("pop", [0x50, 0x53, 0x8f, 0x04, 0x24, 0x59]),
      make("pop", [0x66, 0x50, 0x66, 0x8f, 0x03], { 3: near }),
      make("pop", [0x54, 0x5c, 0x54, 0x58]),
      make("pop", [0x50, 0x50, 0x66, 0x5b, 0x66, 0x59, 0x5a]),
      make("popf", [0x50, 0x9d], { 0: random(0x1000) & 0xcd5 }),
      make("popf", [0x66, 0x50, 0x66, 0x9d], { 0: random(0x1000) & 0xcd5 }),
      make("pushf", [0x9c, 0x58, 0x25, 0xd5, 0x0c, 0, 0]),
      make("pushf", [0x66, 0x9c, 0x66, 0x58, 0x25, 0xd5, 0x0c, 0, 0]),
      make("call", [0xe8, 1, 0, 0, 0, 0xcc, 0x58]),
      make("ret", [0x50, 0xc3], { 0: codeAt + 16 + random(32) }),
      make("ret", [0x50, 0xc2, random(256), random(2)], { 0: codeAt + 16 + random(32) }),
      make("ret", [0x66, 0x50, 0x66, 0xc3]),
      make("enter", [0xc8, 0, 0, level + 1, 0x58, 0x5a], { 5: near }),
      make("enter", [0xc8, 0, 0, level + 2, 0x58, 0x5a, 0x5b], { 5: near }),
      make("enter", [0x66, 0xc8, 0, 0, level + 3, 0x58, 0x5a], { 5: near }),
      make("enter", [0xc8, random(200), 0, level, 0xc9], { 5: near }),
      make("leave", [0xc9], { 5: near }),
      make("leave", [0x66, 0xc9], { 5: near }),
      make("leave", [0xc9]),
      make("bound", [0x62, 0x03], { 0: random(256), 3: near }),
      make("undefined", [0x0f, 0x0b]),
      make("undefined", [0xf0, 0x89, 0x03], { 3: near }),
      make("undefined", [0xff, 0xf8 | random(8)]),
      make("undefined", [0x8d, 0xc0 | random(64)]),
      make("cli", [0xfa]),
      make("hlt", [0xf4]),
      make("in", [0xe4, random(256)]),
      make("out", [0xee]),
    );
  }
  return cases;
}

function all(): Case[] {
  const cases: Case[] = [];
  const add = (row: Row | undefined, opcode: readonly number[], digit: number | undefined) => {
    if (row === undefined || left.has(row.mnemonic) || row.mnemonic.startsWith("esc")) return;
    for (let k = 0; k < Number(perOpcode); k++) {
      const made = single(row, opcode, digit);
      if (made !== undefined && made.code.length <= 15) cases.push(made);
    }
  };
  for (const [map, table] of [
    [[], oneByte],
    [[0x0f], twoByte],
  ] as const) {
    for (const [k, entry] of table.entries()) {
      if (entry instanceof Row || entry === undefined) add(entry, [...map, k], undefined);
      else for (const [digit, row] of entry.entries()) add(row, [...map, k], digit);
    }
  }
  return [...cases, ...sequences()];
}

// --- the oracle's records

const request = { registers: 0, flags: 32, length: 36, code: 40, memory: 56, fpu: 120, size: 632 };
const response = { registers: 0, flags: 32, signal: 36, trap: 40, error: 44, cr2: 48, eip: 52, memory: 56, size: 632 };

function ask(cases: readonly Case[]): Vector[] {
  const input = Buffer.alloc(cases.length * request.size);
  for (const [k, c] of cases.entries()) {
    const at = k * request.size;
    for (const [n, register] of c.registers.entries())
      input.writeUInt32LE(register >>> 0, at + request.registers + 4 * n);
    input.writeUInt32LE(c.flags, at + request.flags);
    input.writeUInt32LE(c.code.length, at + request.length);
    Buffer.from(c.code).copy(input, at + request.code);
    Buffer.from(c.memory, "hex").copy(input, at + request.memory);
    input.writeUInt16LE(0x37f, at + request.fpu);
    input.writeUInt32LE(0x1f80, at + request.fpu + 24);
  }
  const { stdout, status } = spawnSync(oracle as string, { input, maxBuffer: 2 ** 30, timeout: 60_000 });
  if (status !== 0 || stdout.length !== cases.length * response.size)
    throw new Error(`the oracle gave ${stdout.length} bytes and status ${status}`);
  return cases.map((c, k) => {
    const at = k * response.size;
    const word = (offset: number) => stdout.readUInt32LE(at + offset);
    return {
      mnemonic: c.mnemonic,
      code: Buffer.from(c.code).toString("hex"),
      before: { registers: c.registers.map((r) => r >>> 0), flags: c.flags, memory: c.memory },
      after: {
        registers: c.registers.map((_, n) => word(response.registers + 4 * n)),
        flags: word(response.flags) & 0xcd5,
        memory: stdout.subarray(at + response.memory, at + response.memory + 64).toString("hex"),
      },
      trap: word(response.trap),
      eip: word(response.eip),
      cr2: word(response.trap) === 14 ? word(response.cr2) : 0,
    };
  });
}

const vectors = ask(all()).filter((v) => !undefinedResult(v.mnemonic, shiftCount(v)));
const packed = gzipSync(`${vectors.map(toLine).join("\n")}\n`, { level: 9 });
writeFileSync(file, packed);
console.log(`${vectors.length} vectors, ${packed.length} bytes`);
