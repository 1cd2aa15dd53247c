import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { spansOf } from "../../src/engine/region/spans.ts";
import { Builder } from "../../src/ir/builder.ts";
import { type Executor, setWord, withProgram, word } from "../support/x86.ts";
import { loop } from "../support/x86-code.ts";

const executors: readonly Executor[] = ["evaluator", "interpreter", "regions"];
const code = 0x1000;

const machine = (executor: Executor, bytes: readonly number[]) => withProgram(executor, code, bytes);

// add eax, [edx] ; add eax, [edx + 8] ; add [edx + 16], eax
const body = [0x03, 0x02, 0x03, 0x42, 0x08, 0x01, 0x42, 0x10];

describe.each(executors)("accesses that lie close together, on the %s", (executor) => {
  it.each([0x4000, 0x4fec, 0x4ff0, 0x4ff8, 0x4ffc])("read and write what is there, from %i on", (from) => {
    const m = machine(executor, loop(body));
    for (const [at, value] of [
      [from, 3],
      [from + 8, 4],
      [from + 16, 5],
    ] as const)
      m.write(at, value);
    setWord(m, s.eax, 0);
    setWord(m, s.edx, from);
    setWord(m, s.ecx, 10);
    m.run(1000);
    expect(word(m, s.eax)).toBe(70);
    // 5 + 7 + 14 + ... + 70, of which a byte is looked at
    expect(m.read(from + 16)).toBe((5 + 7 * 55) & 0xff);
  });
});

describe("accesses that were put together and lie on two pages", () => {
  it("are asked for one by one, once that is known", () => {
    const m = machine("regions", loop(body));
    setWord(m, s.edx, 0x4ff8);
    setWord(m, s.ecx, 10_000);
    m.run(1_000_000);
    expect(word(m, s.ecx)).toBe(0);
    expect(m.onEngine?.stats["exits-handed"]).toBeLessThan(40);
    expect(m.onEngine?.stats["loop-instructions"]).toBeLessThan(400);
  });

  it("are asked for one by one where of another region there an entry was forgotten with the page behind it", () => {
    const m = machine("regions", loop(body));
    // dec ecx ; jnz ; jmp to an instruction on two pages: add eax, 0 ; hlt
    m.load(0x1ff5, Uint8Array.of(0x49, 0x75, 0xfd, 0xeb, 4));
    m.load(0x1ffe, Uint8Array.of(0x05, 0, 0, 0, 0, 0xf4));
    setWord(m, s.engine.pc, 0x1ff5);
    setWord(m, s.ecx, 100);
    m.run(1000);
    expect(m.onEngine?.stats.regions).toBe(1);
    m.load(0x2003, Uint8Array.of(0xf4));
    setWord(m, s.halted, 0);
    setWord(m, s.engine.pc, code);
    setWord(m, s.edx, 0x4ff8);
    setWord(m, s.ecx, 10_000);
    m.run(200);
    // Where a record at address 0 would have its heat, behind the pc: that word is nobody's.
    expect(m.onEngine?.words[1]).toBe(0);
  });
});

describe("the spans of a block", () => {
  const b = () => new Builder("open");

  it("hold what lies at constants from one address, for reading and for writing each", () => {
    const made = b();
    const base = made.field(6);
    const x = made.load(4, base);
    const y = made.load(4, made.add(base, made.i32(12)));
    made.store(4, made.add(base, made.i32(-8)), made.add(x, y));
    const touches = [...spansOf(made.block, false, false).values()];
    expect(touches.map(({ span }) => [span.low, span.high, span.writing])).toEqual([
      [0, 16, false],
      [0, 16, false],
      [-8, -4, true],
    ]);
    expect(new Set(touches.map(({ span }) => span)).size).toBe(2);
  });

  it("take a load into one that was asked for writing only where that allows reading", () => {
    const made = b();
    const base = made.field(6);
    made.store(4, base, made.i32(1));
    made.setAt(made.i32(256), 4, made.load(4, made.add(base, made.i32(4))));
    const count = (readable: boolean) =>
      new Set([...spansOf(made.block, readable, false).values()].map(({ span }) => span)).size;
    expect([count(true), count(false)]).toEqual([1, 2]);
  });

  it("do not outlast the arm that they were begun in, nor a helper", () => {
    const made = b();
    const base = made.field(6);
    made.if(made.field(7), () => made.store(4, base, made.i32(1)));
    made.store(4, made.add(base, made.i32(4)), made.i32(2));
    made.call("anything");
    made.store(4, made.add(base, made.i32(8)), made.i32(3));
    expect(new Set([...spansOf(made.block, true, false).values()].map(({ span }) => span)).size).toBe(3);
  });

  it("stay within one page where the addresses are known, and within a few words where not", () => {
    const made = b();
    made.store(4, made.i32(0x1ffc), made.i32(1));
    made.store(4, made.i32(0x2000), made.i32(1));
    const base = made.field(6);
    made.store(4, base, made.i32(1));
    made.store(4, made.add(base, made.i32(1024)), made.i32(1));
    expect(new Set([...spansOf(made.block, true, false).values()].map(({ span }) => span)).size).toBe(4);
  });
});
