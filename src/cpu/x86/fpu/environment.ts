import { Cr4 } from "../constants.ts";
import * as s from "../slots.ts";
import { maxExponent } from "./number.ts";
import type { Unit } from "./unit.ts";

/*
 * The environment and the whole state in memory. Everything that is to be written is probed first and everything to be read is read first, so that a fault leaves
 * no half of it. SDM vol. 1 section 8.1.10 (figures 8-9 to 8-12), vol. 2, FXSAVE.
 */

/** Tags of two bits: 0 valid, 1 zero, 2 special, 3 empty. */
function tagWord(unit: Unit): number {
  const used = unit.core.get(s.fpuUsed);
  let tags = 0;
  for (let k = 0; k < 8; k++) tags |= (((used >>> k) & 1) === 0 ? 3 : tagOf(unit, k)) << (2 * k);
  return tags;
}

function tagOf(unit: Unit, k: number): number {
  const hi = unit.rawHi(k);
  const lo = unit.rawLo(k);
  const exponent = unit.rawExponent(k) & maxExponent;
  if (exponent === 0) return hi === 0 && lo === 0 ? 1 : 2;
  return exponent === maxExponent || hi >= 0 ? 2 : 0;
}

/** Which registers are in use by a tag word. */
function usedBy(tags: number): number {
  let used = 0;
  for (let k = 0; k < 8; k++) if (((tags >>> (2 * k)) & 3) !== 3) used |= 1 << k;
  return used;
}

/** How the environment is laid out: by operand size, and whether selectors are paragraphs. */
export const Layout = { wide: 1, paragraphs: 2 } as const;

export function environmentBytes(layout: number): number {
  return (layout & Layout.wide) !== 0 ? 28 : 14;
}

function environment(unit: Unit, layout: number): number[] {
  const { core } = unit;
  const ip = core.get(s.fpuIp);
  const dp = core.get(s.fpuDp);
  const cs = core.get(s.fpuCs) & 0xffff;
  const ds = core.get(s.fpuDs) & 0xffff;
  const opcode = core.get(s.fpuOpcode) & 0x7ff;
  const words = [unit.control, unit.statusWord, tagWord(unit)];
  const linearIp = ((cs << 4) + ip) | 0;
  const linearDp = ((ds << 4) + dp) | 0;
  if ((layout & Layout.wide) === 0) {
    // Linear addresses of 20 bits, the upper four of them and the opcode in one word.
    if ((layout & Layout.paragraphs) !== 0)
      return [...words, linearIp, ((linearIp >>> 4) & 0xf000) | opcode, linearDp, (linearDp >>> 4) & 0xf000];
    return [...words, ip, cs, dp, ds];
  }
  // Unused halves read as ones.
  const high = words.map((w) => w | (0xffff << 16));
  if ((layout & Layout.paragraphs) === 0) return [...high, ip, cs | (opcode << 16), dp, ds | (0xffff << 16)];
  return [
    ...high,
    (linearIp & 0xffff) | (0xffff << 16),
    ((linearIp >>> 4) & 0xfff_f000) | opcode,
    (linearDp & 0xffff) | (0xffff << 16),
    (linearDp >>> 4) & 0xfff_f000,
  ];
}

function writeEnvironment(unit: Unit, address: number, layout: number): void {
  const size = (layout & Layout.wide) !== 0 ? 4 : 2;
  for (const [k, word] of environment(unit, layout).entries())
    unit.core.engine.memory.write((address + k * size) >>> 0, size, size === 4 ? word >>> 0 : word & 0xffff);
}

/** FNSTENV: all exceptions are masked when it is stored. */
export function storeEnvironment(unit: Unit, address: number, layout: number): void {
  unit.core.engine.memory.probe(address >>> 0, environmentBytes(layout));
  writeEnvironment(unit, address, layout);
  unit.setWords(unit.control | 0x3f, unit.statusWord);
}

function readEnvironment(unit: Unit, address: number, layout: number): number[] {
  const size = (layout & Layout.wide) !== 0 ? 4 : 2;
  return [0, 1, 2, 3, 4, 5, 6].map((k) => unit.core.engine.memory.read((address + k * size) >>> 0, size));
}

function loadWords(unit: Unit, words: readonly number[], layout: number): void {
  const { core } = unit;
  const [control, status, tags, ip, ipHigh, dp, dpHigh] = words as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  unit.setWords(control, status & 0xffff);
  core.set(s.fpuUsed, usedBy(tags));
  if ((layout & Layout.paragraphs) !== 0) {
    const mask = (layout & Layout.wide) !== 0 ? 0xfff_f000 : 0xf000;
    core.set(s.fpuIp, (ip & 0xffff) | ((ipHigh & mask) << 4));
    core.set(s.fpuCs, 0);
    core.set(s.fpuDp, (dp & 0xffff) | ((dpHigh & mask) << 4));
    core.set(s.fpuDs, 0);
    core.set(s.fpuOpcode, ipHigh & 0x7ff);
    return;
  }
  core.set(s.fpuIp, ip);
  core.set(s.fpuCs, ipHigh & 0xffff);
  core.set(s.fpuDp, dp);
  core.set(s.fpuDs, dpHigh & 0xffff);
  // 16-bit protected mode has no room for the opcode.
  core.set(s.fpuOpcode, (layout & Layout.wide) !== 0 ? (ipHigh >>> 16) & 0x7ff : 0);
}

export function loadEnvironment(unit: Unit, address: number, layout: number): void {
  loadWords(unit, readEnvironment(unit, address, layout), layout);
}

/** FNSAVE: the environment, ST(0) to ST(7), and then as FNINIT. */
export function saveAll(unit: Unit, address: number, layout: number): void {
  const { memory } = unit.core.engine;
  const start = environmentBytes(layout);
  memory.probe(address >>> 0, start + 80);
  writeEnvironment(unit, address, layout);
  for (let i = 0; i < 8; i++) writeRegister(unit, unit.physical(i), (address + start + 10 * i) >>> 0);
  unit.init();
}

function writeRegister(unit: Unit, k: number, at: number): void {
  const { memory } = unit.core.engine;
  memory.write(at, 4, unit.rawLo(k) >>> 0);
  memory.write((at + 4) >>> 0, 4, unit.rawHi(k) >>> 0);
  memory.write((at + 8) >>> 0, 2, unit.rawExponent(k) & 0xffff);
}

/** The registers at `address`, each `distance` bytes from the one before: lo, hi, sign and exponent. */
function readRegisters(unit: Unit, address: number, distance: number): number[][] {
  const { memory } = unit.core.engine;
  return [0, 1, 2, 3, 4, 5, 6, 7].map((i) => {
    const at = address + distance * i;
    return [memory.read(at >>> 0, 4), memory.read((at + 4) >>> 0, 4), memory.read((at + 8) >>> 0, 2)];
  });
}

/** Puts them into ST(0) to ST(7), the tags staying as they are. */
function putRegisters(unit: Unit, registers: readonly number[][]): void {
  const used = unit.core.get(s.fpuUsed);
  for (const [i, [lo, hi, signExponent]] of registers.entries())
    unit.writeRaw(unit.physical(i), signExponent as number, (hi as number) | 0, (lo as number) | 0);
  unit.core.set(s.fpuUsed, used);
}

/** FRSTOR. */
export function restoreAll(unit: Unit, address: number, layout: number): void {
  const words = readEnvironment(unit, address, layout);
  const registers = readRegisters(unit, address + environmentBytes(layout), 10);
  loadWords(unit, words, layout);
  putRegisters(unit, registers);
}

/** Whether SSE's registers are part of the image. */
function withSse(unit: Unit): boolean {
  return (unit.core.get(s.cr4) & Cr4.osfxsr) !== 0 && unit.mxcsrBits !== 0;
}

/** FXSAVE. What is reserved is left as it is. */
export function fxsave(unit: Unit, address: number): void {
  const { core } = unit;
  const { memory } = core.engine;
  const word = (at: number, size: 2 | 4, value: number) =>
    memory.write((address + at) >>> 0, size, size === 4 ? value >>> 0 : value & 0xffff);
  memory.probe(address >>> 0, 512);
  word(0, 2, unit.control);
  word(2, 2, unit.statusWord);
  word(4, 2, core.get(s.fpuUsed));
  word(6, 2, core.get(s.fpuOpcode));
  word(8, 4, core.get(s.fpuIp));
  word(12, 2, core.get(s.fpuCs));
  word(16, 4, core.get(s.fpuDp));
  word(20, 2, core.get(s.fpuDs));
  for (let i = 0; i < 8; i++) {
    writeRegister(unit, unit.physical(i), (address + 32 + 16 * i) >>> 0);
    word(42 + 16 * i, 2, 0);
    word(44 + 16 * i, 4, 0);
  }
  if (!withSse(unit)) return;
  word(24, 4, core.get(s.mxcsr));
  word(28, 4, unit.mxcsrBits);
  const from = s.xmm[0]?.index ?? 0;
  for (let k = 0; k < 32; k++) word(160 + 4 * k, 4, core.words[from + k] as number);
}

export function fxrstor(unit: Unit, address: number): void {
  const { core } = unit;
  const { memory } = core.engine;
  const word = (at: number, size: 1 | 2 | 4) => memory.read((address + at) >>> 0, size);
  const head = [word(0, 2), word(2, 2), word(4, 1), word(6, 2), word(8, 4), word(12, 2), word(16, 4), word(20, 2)];
  const registers = readRegisters(unit, address + 32, 16);
  if (withSse(unit)) {
    const mxcsr = word(24, 4);
    if ((mxcsr & ~unit.mxcsrBits) !== 0) throw core.protection();
    const lanes = Array.from({ length: 32 }, (_, k) => word(160 + 4 * k, 4));
    core.words.set(lanes, s.xmm[0]?.index ?? 0);
    core.set(s.mxcsr, mxcsr);
  }
  const [control, status, used, opcode, ip, cs, dp, ds] = head as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  unit.setWords(control, status);
  core.set(s.fpuOpcode, opcode & 0x7ff);
  core.set(s.fpuIp, ip);
  core.set(s.fpuCs, cs);
  core.set(s.fpuDp, dp);
  core.set(s.fpuDs, ds);
  putRegisters(unit, registers);
  core.set(s.fpuUsed, used);
}
