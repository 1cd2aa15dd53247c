import { describe, expect, it } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, flatMode, setWord, word } from "../../support/x86.ts";

const [code, handler, gdt, idt] = [0x1000, 0x2000, 0x3000, 0x3800];

function machine(executor: "interpreter" | "regions", bytes: readonly number[]) {
  const line = { pending: false, acknowledge: () => 0x20 };
  const m = bareX86(executor, { interrupts: line });
  const put = (at: number, ...words: number[]) => m.load(at, new Uint8Array(Uint32Array.from(words).buffer));
  put(gdt, 0, 0, 0xffff, 0x00cf9b00, 0xffff, 0x00cf9300);
  put(idt + 0x20 * 8, (8 << 16) | handler, 0x8e00);
  m.load(code, Uint8Array.from(bytes));
  m.load(handler, Uint8Array.from([0xeb, 0xfe]));
  flatMode(m, 0);
  setWord(m, s.selector[s.segment.cs], 8);
  setWord(m, s.gdtrBase, gdt);
  setWord(m, s.gdtrLimit, 0x17);
  setWord(m, s.idtrBase, idt);
  setWord(m, s.idtrLimit, 0x107);
  setWord(m, s.esp, 0x5000);
  setWord(m, s.engine.pc, code);
  return { m, line };
}

/** How often a program has come round, when the handler was entered: it counts in EAX, in front of STI and behind it. */
function counted(m: BareX86): number {
  expect(word(m, s.engine.pc)).toBe(handler);
  return word(m, s.eax);
}

// cli; inc eax; sti; inc eax; inc eax; jmp code
const program = [0xfa, 0x40, 0xfb, 0x40, 0x40, 0xeb, 0xf9];
const round = 6;

describe.each(["interpreter", "regions"] as const)("STI on the %s", (executor) => {
  it("lets an interrupt that waits in behind the next instruction", () => {
    const { m, line } = machine(executor, program);
    m.run(40 * round + 1);
    line.pending = true;
    m.run(2 * round);
    expect(counted(m)).toBe(40 * 3 + 2);
  });

  it("holds off one which comes directly behind it for an instruction", () => {
    const { m, line } = machine(executor, program);
    m.run(40 * round + 3);
    line.pending = true;
    m.run(1);
    expect(word(m, s.engine.pc)).toBe(code + 4);
    m.run(round);
    expect(counted(m)).toBe(40 * 3 + 2);
  });

  it("holds off none where IF was set already", () => {
    const { m, line } = machine(executor, program);
    m.load(code, Uint8Array.from([0xfb, 0x40, 0xfb, 0x40, 0x40, 0xeb, 0xf9]));
    m.run(40 * round + 3);
    line.pending = true;
    m.run(1);
    expect(counted(m)).toBe(40 * 3 + 1);
  });

  it("holds off an interrupt once, in front of an instruction that jumps to itself", () => {
    const { m, line } = machine(executor, [0xfb, 0xeb, 0xfe]);
    m.run(1);
    line.pending = true;
    m.run(1);
    expect(word(m, s.engine.pc)).toBe(code + 1);
    m.run(1);
    expect(counted(m)).toBe(0);
  });

  it("and POPF that sets IF lets in at once what waits", () => {
    // push 0x202; cli; inc eax; popf; inc eax; jmp code
    const { m, line } = machine(executor, [0x68, 2, 2, 0, 0, 0xfa, 0x40, 0x9d, 0x40, 0xeb, 0xf5]);
    m.run(40 * round + 2);
    line.pending = true;
    m.run(2 * round);
    expect(counted(m)).toBe(40 * 2 + 1);
  });
});
