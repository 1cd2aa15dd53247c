import { codeAt, dataAt, stackTop } from "../support/x86-vectors.ts";
import { undefinedFlags } from "../vectors/x86/undefined-flags.ts";
import { type Element, longestCode, shifts, undefinedAtWorst, watchedFlags, type X86Case } from "./x86-cases.ts";
import { known, wraps } from "./x86-known.ts";

/*
 * A case as scripts/x86-oracle.c takes it, and what it gives back: the layouts of its `struct request` and `struct answer`.
 */

export const requestSize = 160;
export const answerSize = 184;

/** Words of an answer, by index. */
export const field = { flags: 8, trap: 9, error: 10, cr2: 11, eip: 12, signal: 13 } as const;
/** SIGVTALRM: the case did not end. */
const unending = 26;
/** SIGSYS: a system call. */
const called = 31;
export const memoryOffset = 56;
export const stackOffset = 120;
/** Where the part of the stack begins that is compared. */
export const stackSeen = stackTop - 32;

export function codeOf(c: X86Case): number[] {
  return c.elements.flatMap((e) => e.bytes);
}

/** Writes the request for a case at byte `at`. */
export function writeRequest(c: X86Case, into: DataView, at: number): void {
  for (const [k, register] of c.registers.entries()) into.setUint32(at + 4 * k, register, true);
  into.setUint32(at + 32, c.flags, true);
  const code = codeOf(c);
  if (code.length > longestCode) throw new RangeError(`${code.length} bytes of code`);
  into.setUint32(at + 36, code.length, true);
  for (const [k, byte] of code.entries()) into.setUint8(at + 40 + k, byte);
  for (const [k, byte] of c.memory.entries()) into.setUint8(at + 96 + k, byte);
}

/** What one executor gave, and what the processor did. Equal words are not looked at twice. */
export type Answer = Uint32Array;

const names = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");

/** The instruction with which the case ended: the last one, or the one that faulted. Undefined behind a jump. */
function lastElement(c: X86Case, a: Answer): Element | undefined {
  let at = (a[field.eip] as number) - codeAt;
  if (a[field.trap] === 3) return at === codeOf(c).length + 1 ? c.elements.at(-1) : undefined;
  for (const e of c.elements) {
    if (at === 0) return e;
    at -= e.bytes.length;
  }
  return undefined;
}

/** Whether it ended at bytes that are no instruction of the case: it had jumped between two. */
function between(c: X86Case, a: Answer): boolean {
  const at = (a[field.eip] as number) - codeAt;
  return a[field.trap] !== 3 && at >= 0 && at < codeOf(c).length && lastElement(c, a) === undefined;
}

/** Flags which are undefined where the case ended. */
function undefinedAt(c: X86Case, a: Answer): number {
  const last = lastElement(c, a);
  if (last === undefined) return 0;
  return c.elements.length === 1 ? undefinedFlags(last.mnemonic, shiftOf(c)) : undefinedAtWorst(last.mnemonic);
}

/** General registers which a known difference leaves out, a bit each. */
function leftOut(c: X86Case, a: Answer): number {
  const last = lastElement(c, a);
  const trap = a[field.trap] as number;
  return last === undefined ? 0 : known.reduce((bits, k) => (k.applies(last, trap) ? bits | k.registers : bits), 0);
}

/** Count and operand size of a case that is one shift. */
function shiftOf(c: X86Case): { count: number; bits: number } | undefined {
  const [e] = c.elements;
  if (e === undefined || !shifts.test(e.mnemonic)) return undefined;
  const start = e.bytes.findIndex((b) => ![0x26, 0x2e, 0x36, 0x3e, 0x66, 0x67, 0xf0].includes(b));
  const wide = e.bytes.slice(0, start).includes(0x66) ? 16 : 32;
  const opcode = e.bytes[start] === 0x0f ? 0xf00 | (e.bytes[start + 1] ?? 0) : (e.bytes[start] ?? 0);
  const byCl = [0xd2, 0xd3, 0xfa5, 0xfad].includes(opcode);
  const byOne = opcode === 0xd0 || opcode === 0xd1;
  const count = byOne ? 1 : byCl ? (c.registers[1] as number) : (e.bytes.at(-1) as number);
  return { count: count & 31, bits: opcode < 0x100 && (opcode & 1) === 0 ? 8 : wide };
}

/** A page fault's code is known to the write and user bits; whether it was a fetch shows with NX only. */
const errorMask = (trap: number) => (trap === 14 ? 7 : -1);

export type Verdict = "same" | "different" | "skipped";

/**
 * Skipped is a case where the two machines are not the same: accesses to the oracle's own program, and a case that
 * jumps to itself or between its own instructions.
 */
export function verdict(c: X86Case, is: Answer, should: Answer): Verdict {
  if (should[field.signal] === unending || should[field.signal] === called || between(c, should)) return "skipped";
  const trap = should[field.trap] as number;
  let same = is[field.trap] === trap && is[field.eip] === should[field.eip];
  for (let k = 0; k < 8 && same; k++) same = is[k] === should[k] || (leftOut(c, should) & (1 << k)) !== 0;
  for (let k = memoryOffset / 4; k < answerSize / 4 && same; k++) same = is[k] === should[k];
  if (same && trap === 14) same = is[field.cr2] === should[field.cr2];
  if (same) same = (((is[field.error] as number) ^ (should[field.error] as number)) & errorMask(trap)) === 0;
  if (same) {
    const flags = ((is[field.flags] as number) ^ (should[field.flags] as number)) & watchedFlags;
    same = flags === 0 || (flags & ~undefinedAt(c, should)) === 0;
  }
  if (same) return "same";
  if (wraps(is[field.trap] as number, trap, should[field.cr2] as number)) return "skipped";
  const cr2 = is[field.cr2] as number;
  return is[field.trap] === 14 && cr2 >>> 20 === 0x080 ? "skipped" : "different";
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
  const mask = watchedFlags & ~undefinedAt(c, should);
  compare("eflags", (is[field.flags] as number) & mask, (should[field.flags] as number) & mask);
  for (let k = 0; k < 16; k++) compare(hex(dataAt + 4 * k), is[memoryOffset / 4 + k], should[memoryOffset / 4 + k]);
  for (let k = 0; k < 16; k++) compare(hex(stackSeen + 4 * k), is[stackOffset / 4 + k], should[stackOffset / 4 + k]);
  return lines;
}

/** The state a case begins with. */
export function inputs(c: X86Case): string[] {
  const pair = (k: number) => `${names[k]} ${hex(c.registers[k] as number)}`;
  const rows = [0, 1, 2, 3].map((k) => Buffer.from(c.memory.slice(16 * k, 16 * k + 16)).toString("hex"));
  return [
    [0, 1, 2, 3].map(pair).join("  "),
    [4, 5, 6, 7].map(pair).join("  "),
    `eflags ${hex(c.flags)}`,
    ...rows.map((row, k) => `${hex(dataAt + 16 * k)} ${row.replaceAll(/..../g, "$& ").trim()}`),
  ];
}
