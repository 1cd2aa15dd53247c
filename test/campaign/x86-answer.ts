import { codeAt, dataAt, stackTop } from "../support/x86-vectors.ts";
import { type ShiftCount, undefinedFlags } from "../vectors/x86/undefined-flags.ts";
import { isApproximate, sameWithin } from "./x86-approximate.ts";
import {
  arithmeticFlags,
  type Element,
  longestCode,
  shifts,
  undefinedAtWorst,
  watchedFlags,
  type X86Case,
} from "./x86-case.ts";
import { compared, type Fpu, fpuSize, initialFpu } from "./x86-fpu-state.ts";
import {
  bothFirst,
  known,
  leftBefore,
  misaligned,
  otherFirst,
  pushedFirst,
  wraps,
  wrapsAtLimit,
  wrapsShort,
} from "./x86-known.ts";
import { descriptor } from "./x86-segments.ts";

/*
 * A case as scripts/x86-oracle.c takes it, and what it gives back: the layouts of its `struct request` and `struct answer`.
 */

export const requestSize = 480;
export const answerSize = 560;

/** Words of an answer, by index. */
export const field = { flags: 8, trap: 9, error: 10, cr2: 11, eip: 12, signal: 13, selectors: 14 } as const;
/** SIGVTALRM: the case did not end. */
const unending = 26;
/** SIGSYS: a system call. */
const called = 31;
export const memoryOffset = 80;
export const stackOffset = 144;
export const codeOffset = 208;
export const fpuOffset = 272;
/** Where the part of the stack begins that is compared. */
export const stackSeen = stackTop - 32;
/** Where our machine keeps its descriptors: accesses there fault in both, and differ in the error code. */
export const systemPages = 0xc000_0000;

const codes = new WeakMap<readonly Element[], Uint8Array>();

/** The bytes of a case's instructions; those of one family share them. */
export function codeOf(c: X86Case): Uint8Array {
  let code = codes.get(c.elements);
  if (code === undefined) {
    code = Uint8Array.from(c.elements.flatMap((e) => e.bytes));
    if (code.length > longestCode) throw new RangeError(`${code.length} bytes of code`);
    codes.set(c.elements, code);
  }
  return code;
}

/** Writes the request for a case at byte `at` of a buffer of zeros. */
export function writeRequest(c: X86Case, into: Uint8Array, at: number): void {
  const words = new Uint32Array(into.buffer, into.byteOffset + at, requestSize / 4);
  for (let k = 0; k < 8; k++) words[k] = c.registers[k] as number;
  const code = codeOf(c);
  words[8] = c.flags;
  words[9] = code.length;
  words[10] = c.eip;
  words[11] = c.writable ? 1 : 0;
  for (let k = 0; k < 3; k++)
    words[12 + k] = (c.selectors[2 * k] as number) | ((c.selectors[2 * k + 1] as number) << 16);
  into.set(code, at + 64);
  into.set(c.memory, at + 120);
  into.set(c.fpu ?? initialFpu, at + 192);
}

/** What one executor gave, and what the processor did. Equal words are not looked at twice. */
export type Answer = Uint32Array;

const names = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const segments = ["es", "cs", "ss", "ds", "fs", "gs"];
const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");

/** The instruction with which the case ended: the last one, or the one that faulted. Undefined behind a jump. */
function lastElement(c: X86Case, a: Answer): Element | undefined {
  let at = (a[field.eip] as number) - c.eip;
  if (a[field.trap] === 3) return at === codeOf(c).length + 1 ? c.elements.at(-1) : undefined;
  for (const e of c.elements) {
    if (at === 0) return e;
    at -= e.bytes.length;
  }
  return undefined;
}

/** Whether it ended at bytes that are no instruction of the case: it had jumped between two. */
function between(c: X86Case, a: Answer): boolean {
  const at = (a[field.eip] as number) - c.eip;
  return a[field.trap] !== 3 && at >= 0 && at < codeOf(c).length && lastElement(c, a) === undefined;
}

/** Flags which are undefined where the case ended. */
function undefinedAt(c: X86Case, a: Answer): number {
  const last = lastElement(c, a);
  if (last === undefined) return 0;
  if ((leftOut(c, a) & left.flags) !== 0) return arithmeticFlags;
  return c.elements.length === 1 ? undefinedFlags(last.mnemonic, shiftOf(c)) : undefinedAtWorst(last.mnemonic);
}

const left = { memory: 0x100, fpu: 0x200, flags: 0x400 } as const;

/** What known differences leave out: general registers, a bit each, and the rest. */
function leftOut(c: X86Case, a: Answer): number {
  const last = lastElement(c, a);
  const trap = a[field.trap] as number;
  if (last === undefined) return 0;
  return known.reduce((bits, k) => {
    if (!k.applies(last, trap)) return bits;
    return bits | k.registers | (k.besides === undefined ? 0 : left[k.besides]);
  }, 0);
}

const prefixes = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** Count and operand size of a case that is one shift. */
export function shiftOf(c: X86Case): ShiftCount | undefined {
  const [e] = c.elements;
  if (e === undefined || !shifts.test(e.mnemonic)) return undefined;
  const start = e.bytes.findIndex((b) => !prefixes.has(b));
  const code16 = descriptor(c.selectors[1] as number)?.big === false;
  const wide = e.bytes.slice(0, start).includes(0x66) !== code16 ? 16 : 32;
  const opcode = e.bytes[start] === 0x0f ? 0xf00 | (e.bytes[start + 1] ?? 0) : (e.bytes[start] ?? 0);
  const byCl = [0xd2, 0xd3, 0xfa5, 0xfad].includes(opcode);
  const byOne = opcode === 0xd0 || opcode === 0xd1;
  const count = byOne ? 1 : byCl ? (c.registers[1] as number) : (e.bytes.at(-1) as number);
  return { count: count & 31, bits: opcode < 0x100 && (opcode & 1) === 0 ? 8 : wide };
}

/** A page fault's code is known to the write and user bits; whether it was a fetch shows with NX only. */
const errorMask = (trap: number) => (trap === 14 ? 7 : -1);

/** Segments in Linux's GDT which any program may load and ours has not: 64-bit code, and the one whose limit tells a program which processor it runs on. */
const linuxOnly: readonly number[] = [0x30, 0x78];

export type Verdict = "same" | "different" | "skipped";

/** Whether words `from` to `to` are the same. */
function equal(is: Answer, should: Answer, from: number, to: number): boolean {
  for (let k = from; k < to; k++) if (is[k] !== should[k]) return false;
  return true;
}

/** Linux forgets the RPL of a null selector when it switches tasks. */
const sameSelector = (a = 0, b = 0) => a === b || ((a | b) & 0xfffc) === 0;

function sameFpu(is: Answer, should: Answer): boolean {
  const at = fpuOffset / 4;
  for (let k = 0; k < fpuSize / 4; k++)
    if ((((is[at + k] as number) ^ (should[at + k] as number)) & (compared[k] as number)) !== 0) return false;
  return true;
}

/** Whether the case is an instruction whose result is bounded only, and the bound holds. */
function sameButFor(c: X86Case, before: Fpu, is: Answer, should: Answer): boolean {
  const mnemonic = c.elements[0]?.mnemonic ?? "";
  const image = (a: Answer) => a.subarray(fpuOffset / 4, (fpuOffset + fpuSize) / 4);
  return isApproximate(mnemonic) && sameWithin(mnemonic, before, image(is), image(should));
}

/**
 * Skipped is a case where the two machines are not the same: accesses to the oracle's own program, and a case that
 * jumps to itself or between its own instructions.
 */
export function verdict(c: X86Case, is: Answer, should: Answer): Verdict {
  if (should[field.signal] === unending || should[field.signal] === called || between(c, should)) return "skipped";
  for (let k = 0; k < 6; k++)
    if (linuxOnly.includes((should[field.selectors + k] as number) & 0xfffc)) return "skipped";
  const trap = should[field.trap] as number;
  let same = is[field.trap] === trap && is[field.eip] === should[field.eip];
  for (let k = 0; k < 8 && same; k++) same = is[k] === should[k] || (leftOut(c, should) & (1 << k)) !== 0;
  for (let k = 0; k < 6 && same; k++) same = sameSelector(is[field.selectors + k], should[field.selectors + k]);
  if (same && (leftOut(c, should) & left.memory) === 0) same = equal(is, should, memoryOffset / 4, codeOffset / 4);
  if (same && c.writable) same = equal(is, should, codeOffset / 4, fpuOffset / 4);
  if (same && trap === 14) same = is[field.cr2] === should[field.cr2];
  if (same) same = (((is[field.error] as number) ^ (should[field.error] as number)) & errorMask(trap)) === 0;
  if (same) {
    const flags = ((is[field.flags] as number) ^ (should[field.flags] as number)) & watchedFlags;
    same = flags === 0 || (flags & ~undefinedAt(c, should)) === 0;
  }
  if (same && c.fpu !== undefined && (leftOut(c, should) & left.fpu) === 0)
    same = sameFpu(is, should) || sameButFor(c, c.fpu, is, should);
  if (same) return "same";
  const ours = is[field.trap] as number;
  const cr2 = is[field.cr2] as number;
  const last = lastElement(c, should);
  if (wraps(ours, trap, should[field.cr2] as number) || wrapsAtLimit(ours, trap, cr2)) return "skipped";
  if (wrapsShort(cr2, should[field.cr2] as number)) return "skipped";
  if (misaligned(ours, trap, should[field.error] as number, last)) return "skipped";
  if (pushedFirst(ours, trap, last) || otherFirst(ours, trap, last) || bothFirst(ours, trap, last)) return "skipped";
  const past = ((is[field.eip] as number) - (should[field.eip] as number)) | 0;
  if (leftBefore(ours, trap, past, last)) return "skipped";
  return ours === 14 && (cr2 >>> 20 === 0x080 || cr2 >>> 16 === systemPages >>> 16) ? "skipped" : "different";
}

/** An answer with zeros for what is not compared, so that equal ones have the same bytes. */
export function normal(c: X86Case, a: Answer): Answer {
  const out = a.slice();
  const without = leftOut(c, a);
  const trap = a[field.trap] as number;
  for (let k = 0; k < 8; k++) if ((without & (1 << k)) !== 0) out[k] = 0;
  out[field.flags] = (a[field.flags] as number) & watchedFlags & ~undefinedAt(c, a);
  out[field.error] = (a[field.error] as number) & errorMask(trap);
  if (trap !== 14) out[field.cr2] = 0;
  out[field.signal] = 0;
  if ((without & left.memory) !== 0) out.fill(0, memoryOffset / 4, codeOffset / 4);
  if (!c.writable) out.fill(0, codeOffset / 4, fpuOffset / 4);
  const fpu = c.fpu !== undefined && (without & left.fpu) === 0;
  for (let k = 0; k < fpuSize / 4; k++) {
    const at = fpuOffset / 4 + k;
    out[at] = fpu ? (a[at] as number) & (compared[k] as number) : 0;
  }
  return out;
}

/** What differs, a line each. */
export function differences(c: X86Case, is: Answer, should: Answer): string[] {
  const lines: string[] = [];
  const compare = (name: string, a = 0, b = 0) => {
    if (a >>> 0 !== b >>> 0) lines.push(`${name.padEnd(9)} ours ${hex(a)}  processor ${hex(b)}`);
  };
  const trap = should[field.trap] as number;
  compare("exception", is[field.trap], trap);
  compare("code", (is[field.error] as number) & errorMask(trap), (should[field.error] as number) & errorMask(trap));
  if (trap === 14) compare("cr2", is[field.cr2], should[field.cr2]);
  compare("eip", is[field.eip], should[field.eip]);
  for (const [k, name] of names.entries()) if ((leftOut(c, should) & (1 << k)) === 0) compare(name, is[k], should[k]);
  for (const [k, name] of segments.entries()) compare(name, is[field.selectors + k], should[field.selectors + k]);
  const mask = watchedFlags & ~undefinedAt(c, should);
  compare("eflags", (is[field.flags] as number) & mask, (should[field.flags] as number) & mask);
  const words = (leftOut(c, should) & left.memory) === 0 ? 16 : 0;
  for (let k = 0; k < words; k++) {
    const [m, st] = [memoryOffset / 4 + k, stackOffset / 4 + k];
    compare(hex(dataAt + 4 * k), is[m], should[m]);
    compare(hex(stackSeen + 4 * k), is[st], should[st]);
  }
  if (c.writable)
    for (let k = 0; k < 14; k++) compare(hex(codeAt + 4 * k), is[codeOffset / 4 + k], should[codeOffset / 4 + k]);
  if (c.fpu !== undefined && (leftOut(c, should) & left.fpu) === 0) {
    for (let k = 0; k < fpuSize / 4; k++) {
      const only = compared[k] as number;
      compare(fpuName(k), (is[fpuOffset / 4 + k] as number) & only, (should[fpuOffset / 4 + k] as number) & only);
    }
  }
  return lines;
}

function fpuName(word: number): string {
  if (word >= 40) return `xmm${(word - 40) >> 2}.${word & 3}`;
  if (word >= 8) return `st${(word - 8) >> 2}.${word & 3}`;
  return ["fsw|fcw", "used", "fip", "", "", "", "mxcsr", ""][word] as string;
}

/** The state a case begins with. */
export function inputs(c: X86Case): string[] {
  const pair = (k: number) => `${names[k]} ${hex(c.registers[k] as number)}`;
  const rows = [0, 1, 2, 3].map((k) => Buffer.from(c.memory.slice(16 * k, 16 * k + 16)).toString("hex"));
  const lines = [
    [0, 1, 2, 3].map(pair).join("  "),
    [4, 5, 6, 7].map(pair).join("  "),
    segments.map((name, k) => `${name} ${hex(c.selectors[k] as number).slice(4)}`).join("  "),
    `eflags ${hex(c.flags)}  eip ${hex(c.eip)}`,
    ...rows.map((row, k) => `${hex(dataAt + 16 * k)} ${row.replaceAll(/..../g, "$& ").trim()}`),
  ];
  if (c.fpu !== undefined) {
    const image = Buffer.from(c.fpu);
    const word = (at: number) => image.readUInt16LE(at).toString(16).padStart(4, "0");
    lines.push(`fcw ${word(0)}  fsw ${word(2)}  used ${word(4)}  mxcsr ${word(24)}`);
    for (let k = 0; k < 8; k++) {
      const st = image.subarray(32 + 16 * k, 42 + 16 * k).toReversed();
      const xmm = image.subarray(160 + 16 * k, 176 + 16 * k).toReversed();
      lines.push(`st${k} ${Buffer.from(st).toString("hex")}  xmm${k} ${Buffer.from(xmm).toString("hex")}`);
    }
  }
  return lines;
}
