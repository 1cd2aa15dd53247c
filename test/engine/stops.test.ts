import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { type Executor, setWord, withProgram, word } from "../support/x86.ts";

const executors: readonly Executor[] = ["evaluator", "interpreter", "regions"];
const code = 0x1000;

/** jmp TO at AT. */
const jump = (at: number, to: number) => {
  const bytes = new Uint8Array(5);
  bytes[0] = 0xe9;
  new DataView(bytes.buffer).setInt32(1, to - at - 5, true);
  return bytes;
};

describe.each(executors)("a way out in front of an instruction, on the %s", (executor) => {
  // As far as a page may lie from a region's first one for its place to be a part of what the stop says, and further, on either side.
  it.each([0x2000, 0x10000, 0x11000, 0x80000, 0xf0000])("is there, on a page at %i too", (far) => {
    for (const [first, second] of [
      [code, far],
      [far, code],
    ] as const) {
      // inc ebx ; dec ecx ; jz to hlt ; jmp SECOND
      const m = withProgram(executor, first, [0x43, 0x49, 0x74, 5]);
      m.load(first + 4, jump(first + 4, second));
      m.load(first + 9, Uint8Array.of(0xf4));
      // inc esi ; add [edx], ebx, over two pages ; inc edi ; jmp FIRST
      m.load(second, Uint8Array.of(0x46, 0x01, 0x1a, 0x47));
      m.load(second + 4, jump(second + 4, first));
      setWord(m, s.edx, 0x4ffe);
      setWord(m, s.ecx, 300);
      for (const register of [s.ebx, s.esi, s.edi]) setWord(m, register, 0);
      m.run(100_000);
      expect([s.ecx, s.ebx, s.esi, s.edi].map((register) => word(m, register))).toEqual([0, 300, 299, 299]);
      const sum = [0, 1, 2, 3].reduce((value, k) => value + m.read(0x4ffe + k) * 256 ** k, 0);
      expect(sum).toBe((299 * 300) / 2);
    }
  });
});

describe("accesses that were put together", () => {
  it("stay so where the TLB had forgotten their page: only two pages are a reason to ask for each", () => {
    // again: add eax, [edx] ; add eax, [edx + 8] ; dec ecx ; jnz again ; hlt
    const m = withProgram("regions", code, [0x03, 0x02, 0x03, 0x42, 0x08, 0x49, 0x75, 0xf8, 0xf4]);
    setWord(m, s.edx, 0x4ff0);
    setWord(m, s.ecx, 100_000);
    for (let k = 0; k < 100; k++) {
      m.run(1000);
      m.onEngine?.flushTlb();
    }
    expect(m.onEngine?.stats["exits-handed"]).toBeGreaterThan(50);
    expect(m.onEngine?.stats.regions).toBe(1);
  });
});
