import { beforeEach, describe, expect, it } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, flatMode, paging, setWord, stoppedBy, word } from "../../support/x86.ts";

/* What the campaign found in the x87, MMX and SSE, each as the processor does it. */

const code = 0x1000_0000;
const data = 0x2000_0000;
const nowhere = 0x5000_0000;
const physical = { tables: 0x1000, code: 0x10000, data: 0x11000 };
const page = 4096;

describe.each(["evaluator", "interpreter", "regions"] as const)("on the %s", (executor) => {
  let m: BareX86;

  beforeEach(() => {
    m = bareX86(executor, { memory: 1 << 20, stopAtExceptions: true, model: "max" });
    paging(m, physical.tables, [
      [code, physical.code],
      [data, physical.data],
    ]);
    flatMode(m, 3);
    setWord(m, s.cr0, word(m, s.cr0) | 0x22);
    setWord(m, s.cr4, word(m, s.cr4) | 0x600);
    setWord(m, s.fpuControl, 0x37f);
    setWord(m, s.gpr[3], nowhere);
  });

  /** Runs to the INT3 behind the code; the exception. */
  function run(...bytes: number[]): number | undefined {
    m.load(physical.code, new Uint8Array(page).fill(0xcc));
    m.load(physical.code, Uint8Array.from(bytes));
    setWord(m, s.engine.pc, code);
    m.run(16);
    return stoppedBy(m);
  }

  /** A register of the x87 by its physical number. */
  function put(k: number, signExponent: number, hi: number, lo = 0): void {
    setWord(m, s.fpuExponent[k], signExponent);
    m.words[s.fpuSignificand[k]?.index ?? 0] = lo;
    m.words[(s.fpuSignificand[k]?.index ?? 0) + 1] = hi;
  }

  it("MOV of a control register that does not exist is #UD, whatever the privilege is", () => {
    expect(run(0x0f, 0x22, 0xf2)).toBe(6);
    expect(run(0x0f, 0x22, 0xd2)).toBe(13);
  });

  it("FSTP by D9 D8+i pops an empty register without a stack fault, and stores nothing", () => {
    put(1, 0x3fff, 0x8000_0000);
    setWord(m, s.fpuUsed, 0x02);
    expect(run(0xd9, 0xd9)).toBe(3);
    expect([word(m, s.fpuStatus), word(m, s.fpuTop), word(m, s.fpuUsed)]).toEqual([0, 1, 2]);
    expect(word(m, s.fpuExponent[1])).toBe(0x3fff);
  });

  it.each([
    ["FSIN", 0xfe],
    ["FCOS", 0xff],
  ])("%s of an empty register clears C2, as its argument is not out of range", (_name, opcode) => {
    setWord(m, s.fpuStatus, 0x0400);
    setWord(m, s.fpuUsed, 0);
    expect(run(0xd9, opcode)).toBe(3);
    expect(word(m, s.fpuStatus)).toBe(0x41);
  });

  it("FYL2X that stops at a denormal operand, which is not masked, has no inexact result", () => {
    setWord(m, s.fpuControl, 0x37d);
    setWord(m, s.fpuUsed, 0x03);
    put(0, 0, 0x0010_0000);
    put(1, 0x4004, 0xc400_0000);
    expect(run(0xd9, 0xf1)).toBe(3);
    expect(word(m, s.fpuStatus)).toBe(0x8082);
    setWord(m, s.fpuControl, 0x37f);
    setWord(m, s.fpuStatus, 0);
    expect(run(0xd9, 0xf1)).toBe(3);
    expect(word(m, s.fpuStatus) & 0xff).toBe(0x22);
  });

  it.each([
    ["FPREM", 0xf8],
    ["FPREM1", 0xf5],
  ])("%s of a denormal by infinity is the denormal, and no underflow; by 1 it is one", (_name, opcode) => {
    for (const [exponent, status, result] of [
      [0x7fff, 0x0002, 0],
      [0x3fff, 0x8092, 0x5fe1],
    ] as const) {
      setWord(m, s.fpuControl, 0x36f);
      setWord(m, s.fpuStatus, 0);
      setWord(m, s.fpuUsed, 0x03);
      put(0, 0, 0, 0xffff_ffff);
      put(1, exponent, 0x8000_0000);
      expect(run(0xd9, opcode)).toBe(3);
      expect([word(m, s.fpuStatus), word(m, s.fpuExponent[0])]).toEqual([status, result]);
    }
  });

  it("FFREEP frees its operand and pops", () => {
    setWord(m, s.fpuUsed, 0xff);
    expect(run(0xdf, 0xc5)).toBe(3);
    expect([word(m, s.fpuTop), word(m, s.fpuUsed)]).toEqual([1, 0xde]);
  });

  it("FISTP whose exception is not masked stores nothing, and asks for no memory", () => {
    setWord(m, s.fpuControl, 0x37e);
    put(0, 0x403e, 0x8000_0000);
    setWord(m, s.fpuUsed, 1);
    expect(run(0xdf, 0x1b)).toBe(3);
    expect(word(m, s.fpuStatus)).toBe(0x8081);
    // The same in CS, which cannot be written.
    setWord(m, s.fpuStatus, 0);
    expect(run(0x2e, 0xdf, 0x1b)).toBe(3);
  });

  it("FRNDINT of a denormal which is an exception not masked says nothing of its rounding", () => {
    setWord(m, s.fpuControl, 0x379);
    put(0, 0, 0xbf49_7573);
    setWord(m, s.fpuUsed, 1);
    expect(run(0xd9, 0xfc)).toBe(3);
    expect(word(m, s.fpuStatus)).toBe(0x8082);
  });

  it("FSCALE of a denormal by zero is no underflow, by a half it is", () => {
    setWord(m, s.fpuControl, 0x36f);
    setWord(m, s.fpuUsed, 3);
    put(0, 0, 0x10);
    put(1, 0, 0);
    expect(run(0xd9, 0xfd)).toBe(3);
    expect([word(m, s.fpuStatus), word(m, s.fpuExponent[0])]).toEqual([2, 0]);
    put(1, 0x3ffe, 0x8000_0000);
    expect(run(0xd9, 0xfd)).toBe(3);
    expect([word(m, s.fpuStatus), word(m, s.fpuExponent[0])]).toEqual([0x8092, 0x5fe6]);
  });

  it.each([
    ["FSTP m80", [0xdb, 0x3b]],
    ["MOVUPS", [0x0f, 0x11, 0x03]],
    ["MOVAPS", [0x0f, 0x29, 0x03]],
  ])("%s tells of the first byte that it cannot store", (_name, bytes) => {
    setWord(m, s.fpuUsed, 0xff);
    expect(run(...bytes)).toBe(14);
    expect(word(m, s.cr2)).toBe(nowhere);
  });

  it("MASKMOVDQU asks for its upper half first, whatever the mask is", () => {
    setWord(m, s.gpr[7], nowhere);
    expect(run(0x66, 0x0f, 0xf7, 0xc1)).toBe(14);
    expect(word(m, s.cr2)).toBe(nowhere + 8);
  });

  it("MASKMOVQ that faults has made MMX registers of the x87's, and writes where CS cannot be written", () => {
    setWord(m, s.gpr[7], nowhere);
    setWord(m, s.fpuTop, 5);
    expect(run(0x0f, 0xf7, 0xc1)).toBe(14);
    expect([word(m, s.fpuTop), word(m, s.fpuUsed)]).toEqual([0, 0xff]);
    setWord(m, s.gpr[7], data);
    expect(run(0x2e, 0x0f, 0xf7, 0xc1)).toBe(13);
  });

  it("CVTPI2PS from memory has no MMX operand: an x87 exception that waits is not its business", () => {
    setWord(m, s.gpr[3], data);
    setWord(m, s.fpuStatus, 0x8084);
    setWord(m, s.fpuTop, 3);
    expect(run(0x0f, 0x2a, 0x03)).toBe(3);
    expect(word(m, s.fpuTop)).toBe(3);
    expect(run(0x0f, 0x2a, 0xc1)).toBe(16);
  });
});
