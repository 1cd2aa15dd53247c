import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, type Executor, flatMode, paging, setWord, word } from "../support/x86.ts";
import { loop } from "../support/x86-code.ts";

const executors: readonly Executor[] = ["evaluator", "interpreter", "regions"];
const code = 0x1000;
const tables = 0x80000;
const [first, second] = [0x20_0000, 0x120_0000];
const [a, b, other] = [0x20000, 0x21000, 0x22000];

const addFirst = [0x03, 0x06]; // add eax, [esi]
const addSecond = [0x03, 0x07]; // add eax, [edi]
const turn = [0x81, 0x75, 0x00, 0x00, 0x20, 0x00, 0x00]; // xor dword [ebp], 0x2000: frame 0x20000 for 0x22000 and back
const invalidate = [0x0f, 0x01, 0x3e]; // invlpg [esi]
const reload = [0x0f, 0x22, 0xda]; // mov cr3, edx

/** Two pages 16 MiB apart, which have one entry of the TLB between them. */
function machine(executor: Executor, body: readonly number[]): BareX86 {
  const m = bareX86(executor, { memory: 1 << 20 });
  flatMode(m, 0);
  m.load(code, Uint8Array.from(loop(body)));
  const low = Array.from({ length: 256 }, (_, k) => [k * 4096, k * 4096] as const);
  paging(m, tables, [...low, [first, a], [second, b]]);
  for (const [at, value] of [
    [a, 1],
    [b, 10],
    [other, 100],
  ] as const)
    m.write(at, value);
  setWord(m, s.engine.pc, code);
  setWord(m, s.eax, 0);
  setWord(m, s.ecx, 10);
  setWord(m, s.edx, tables);
  setWord(m, s.esi, first);
  setWord(m, s.edi, second);
  setWord(m, s.ebp, tables + 4096 + (first >>> 12) * 4);
  return m;
}

describe.each(executors)("pages that drive one another out of the TLB, on the %s", (executor) => {
  it.each([
    ["INVLPG", invalidate],
    ["a load of CR3", reload],
  ])("are looked up again behind %s, the one that was driven out as well", (_name, forget) => {
    const m = machine(executor, [...addFirst, ...addSecond, ...turn, ...forget]);
    m.run(1000);
    expect(word(m, s.halted)).toBe(1);
    expect(word(m, s.eax)).toBe(5 * 1 + 5 * 100 + 10 * 10);
  });

  it("are looked up again with nothing forgotten in between", () => {
    const m = machine(executor, [...addFirst, ...addSecond]);
    m.run(1000);
    expect(word(m, s.eax)).toBe(110);
  });
});

describe("words that are not aligned", () => {
  it.each([1, 2, 3, 0xffb])("are read and written in a region where they lie on one page, %i bytes into it", (into) => {
    const m = machine("regions", [...addFirst, 0x01, 0x06]); // add [esi], eax
    setWord(m, s.esi, 0x30000 + into);
    m.write(0x30000 + into, 1);
    setWord(m, s.ecx, 1000);
    m.run(100_000);
    expect(word(m, s.halted)).toBe(1);
    // x, y become x + y, x + 2 y: every second number of Fibonacci's
    let [x, y] = [0, 1];
    for (let k = 0; k < 1000; k++) {
      x = (x + y) | 0;
      y = (x + y) | 0;
    }
    expect(word(m, s.eax)).toBe(x);
    expect(m.onEngine?.stats["exits-handed"]).toBeLessThan(10);
    expect(m.onEngine?.stats["loop-instructions"]).toBeLessThan(100);
  });
});
