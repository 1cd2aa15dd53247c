import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import {
  type Answer,
  answerSize,
  codeOf,
  codeOffset,
  field,
  memoryOffset,
  stackOffset,
} from "../campaign/x86-answer.ts";
import type { Element, X86Case } from "../campaign/x86-case.ts";

/*
 * Cases of the campaign with what the processor made of them, a line each: scripts/vectors-x86.ts makes them. What an answer has as the case had it
 * is left out.
 */

export interface CaseVector {
  readonly mnemonic: string;
  readonly case: X86Case;
  readonly should: Answer;
}

type Line = [
  mnemonic: string,
  /** "mov:b801 cmp:39c0" */
  elements: string,
  registers: readonly number[],
  flags: number,
  memory: string,
  /** EIP, then the six selectors, when they are not the usual ones. */
  place: readonly number[],
  writable: number,
  changed: Record<string, number>,
  /** Flags, exception, its code, CR2, EIP as a distance, signal. */
  outcome: readonly number[],
  selectors: Record<string, number>,
  memoryAfter: string,
  stack: string,
  code: string,
];

const usual = [0x1000_0200, 0x2b, 0x23, 0x2b, 0x2b, 0, 0];

const hexOf = (a: Answer, offset: number, length: number) =>
  Buffer.from(a.buffer, a.byteOffset + offset, length).toString("hex");
const zeros = (length: number) => "00".repeat(length);

export function toLine({ mnemonic, case: c, should }: CaseVector): string {
  const place = [c.eip, ...c.selectors];
  const changed: Record<string, number> = {};
  for (const [k, value] of c.registers.entries()) if (should[k] !== value) changed[k] = should[k] as number;
  const selectors: Record<string, number> = {};
  for (const [k, value] of c.selectors.entries())
    if (should[field.selectors + k] !== value) selectors[k] = should[field.selectors + k] as number;
  const memory = Buffer.from(c.memory).toString("hex");
  const memoryAfter = hexOf(should, memoryOffset, 64);
  const stack = hexOf(should, stackOffset, 64);
  const word = (k: number) => should[k] as number;
  const line: Line = [
    mnemonic,
    c.elements.map((e) => `${e.mnemonic}:${Buffer.from(e.bytes).toString("hex")}`).join(" "),
    c.registers,
    c.flags,
    memory,
    place.every((value, k) => value === usual[k]) ? [] : place,
    c.writable ? 1 : 0,
    changed,
    [
      word(field.flags) & 0xcd5,
      word(field.trap),
      word(field.error),
      word(field.trap) === 14 ? word(field.cr2) : 0,
      (word(field.eip) - c.eip) | 0,
      word(field.signal),
    ],
    selectors,
    memoryAfter === memory ? "" : memoryAfter,
    stack === zeros(64) ? "" : stack,
    c.writable ? hexOf(should, codeOffset, 56) : "",
  ];
  return JSON.stringify(line);
}

export function fromLine(text: string): CaseVector {
  const [
    mnemonic,
    elements,
    registers,
    flags,
    memory,
    place,
    writable,
    changed,
    outcome,
    selectors,
    after,
    stack,
    code,
  ] = JSON.parse(text) as Line;
  const [eip, ...initial] = place.length > 0 ? place : usual;
  const c: X86Case = {
    elements: elements.split(" ").map((one): Element => {
      const [name = "", bytes = ""] = one.split(":");
      return { mnemonic: name, bytes: [...Buffer.from(bytes, "hex")] };
    }),
    registers,
    flags,
    memory: Uint8Array.from(Buffer.from(memory, "hex")),
    eip: eip as number,
    selectors: initial,
    writable: writable !== 0,
    fpu: undefined,
    translated: false,
  };
  const should = new Uint32Array(answerSize / 4);
  const bytes = new Uint8Array(should.buffer);
  for (const [k, value] of registers.entries()) should[k] = changed[k] ?? value;
  for (const [k, value] of initial.entries()) should[field.selectors + k] = selectors[k] ?? value;
  for (const [k, value] of [field.flags, field.trap, field.error, field.cr2].entries())
    should[value] = outcome[k] as number;
  should[field.eip] = c.eip + (outcome[4] as number);
  should[field.signal] = outcome[5] as number;
  bytes.set(Buffer.from(after === "" ? memory : after, "hex"), memoryOffset);
  bytes.set(Buffer.from(stack, "hex"), stackOffset);
  bytes.set(code === "" ? codeOf(c) : Buffer.from(code, "hex"), codeOffset);
  return { mnemonic, case: c, should };
}

export function readCaseVectors(file: string | URL): CaseVector[] {
  return brotliDecompressSync(readFileSync(file)).toString().trim().split("\n").map(fromLine);
}
