import { describe, expect, it } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, flatMode, paging, resume, setWord, stoppedBy, word } from "../../support/x86.ts";

/* What the campaign found, each as the processor does it. */

const code = 0x1000_0000;
const data = 0x2000_0000;
const stack = 0x3000_0000;
const physical = { tables: 0x1000, code: 0x10000, data: 0x11000, stack: 0x12000 };
const page = 4096;

/** A page each of code, data and stack, in user mode, and nothing besides. */
function machine(executor: "evaluator" | "interpreter", bytes: readonly number[]): BareX86 {
  const m = bareX86(executor, { memory: 1 << 20, stopAtExceptions: true });
  m.load(physical.code, new Uint8Array(page).fill(0xcc));
  m.load(physical.code, Uint8Array.from(bytes));
  paging(m, physical.tables, [
    [code, physical.code],
    [data, physical.data],
    [stack, physical.stack],
  ]);
  flatMode(m, 3);
  setWord(m, s.esp, stack + page);
  setWord(m, s.engine.pc, code);
  return m;
}

const long = (m: BareX86, at: number) =>
  [0, 1, 2, 3].reduce((value, k) => value + m.read(physical.stack + at - stack + k) * 2 ** (8 * k), 0);

describe.each(["evaluator", "interpreter"] as const)("on the %s", (executor) => {
  it("CMPS tells of ES:EDI when both operands fault", () => {
    const m = machine(executor, [0xa6]);
    setWord(m, s.esi, 0x5000_0000);
    setWord(m, s.edi, 0x6000_0000);
    m.run(4);
    expect(stoppedBy(m)).toBe(14);
    expect(word(m, s.cr2)).toBe(0x6000_0000);
  });

  it("REPNE SCAS that faults leaves the flags of before, and its registers where it came to", () => {
    const m = machine(executor, [0xf2, 0xae]);
    setWord(m, s.eax, 0x55);
    setWord(m, s.ecx, 100);
    setWord(m, s.edi, data + page - 3);
    m.front.core.setFlags(0x8d5, 0x8d5);
    m.run(200);
    expect(stoppedBy(m)).toBe(14);
    expect([word(m, s.ecx), word(m, s.edi)]).toEqual([97, data + page]);
    expect(m.front.core.flags & 0x8d5).toBe(0x8d5);
  });

  it("BOUND does not read the upper bound of an index below the lower one", () => {
    // bound ecx, [edx]: the upper bound lies on a page that is not there
    const m = machine(executor, [0x62, 0x0a]);
    m.write(physical.data + page - 4, 1);
    setWord(m, s.edx, data + page - 4);
    setWord(m, s.ecx, 0);
    m.run(4);
    expect(stoppedBy(m)).toBe(5);
    setWord(m, s.engine.pc, code);
    setWord(m, s.ecx, 1);
    resume(m);
    m.run(4);
    expect(stoppedBy(m)).toBe(14);
  });

  it("ENTER copies a frame that lies where it stores, one after the other", () => {
    const m = machine(executor, [0xc8, 0, 0, 4]);
    const frame = stack + page - 0x10;
    setWord(m, s.esp, frame);
    setWord(m, s.ebp, frame);
    m.run(4);
    expect(stoppedBy(m)).toBe(3);
    expect([1, 2, 3, 4, 5].map((k) => long(m, frame - 4 * k))).toEqual([frame, frame, frame, frame, frame - 4]);
    expect([word(m, s.ebp), word(m, s.esp)]).toEqual([frame - 4, frame - 20]);
  });

  it.each([
    ["PUSHA", 0x60, stack + 0x18, stack - 4],
    ["POPA", 0x61, stack + page - 8, stack + page],
  ])("%s tells of the first of its accesses that faults, and ESP stays", (_name, opcode, esp, fault) => {
    const m = machine(executor, [opcode]);
    setWord(m, s.esp, esp);
    m.run(4);
    expect(stoppedBy(m)).toBe(14);
    expect([word(m, s.cr2), word(m, s.esp)]).toEqual([fault, esp]);
  });

  it("ARPL reads a selector it does not raise, and does not write it", () => {
    const m = machine(executor, [0x63, 0x01]);
    setWord(m, s.ecx, 0x5000_0000);
    m.run(4);
    expect(stoppedBy(m)).toBe(14);
    expect(word(m, s.faultCode)).toBe(4);
  });
});
