import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { type Executor, setWord, withProgram, word } from "../support/x86.ts";
import { word32 } from "../support/x86-code.ts";

const executors: readonly Executor[] = ["evaluator", "interpreter", "regions"];
const code = 0x1000;

const machine = (executor: Executor, bytes: readonly number[]) =>
  withProgram(executor, code, bytes, { memory: 1 << 22 });

describe.each(executors)("words that are kept aside, on the %s", (executor) => {
  it("come back, though an instruction which may write them stood in between", () => {
    // jmp next ; next: mov edx, ecx ; shl ecx, cl ; mov eax, ecx ; mov ecx, edx ; hlt
    const m = machine(executor, [0xeb, 0x00, 0x89, 0xca, 0xd3, 0xe1, 0x89, 0xc8, 0x89, 0xd1, 0xf4]);
    setWord(m, s.ecx, 3);
    m.run(100);
    expect([word(m, s.eax), word(m, s.ecx), word(m, s.edx)]).toEqual([24, 3, 3]);
  });
});

describe.each(executors)("flags of a narrow instruction, on the %s", (executor) => {
  it("stand when a later access leaves the region, though a wide one behind it writes them too", () => {
    // again: call f ; mov ebp, where nothing is ; dec edi ; jnz again ; hlt
    const m = machine(executor, [0xe8, ...word32(0x1b), 0xbd, ...word32(0x8000_0000), 0x4f, 0x75, 0xf3, 0xf4]);
    // f: mov al, 80h ; sub al, bl ; mov edx, [ebp] ; seto cl ; add esi, ecx ; cmp esi, edi ; ret
    m.load(
      code + 0x20,
      Uint8Array.of(0xb0, 0x80, 0x28, 0xd8, 0x8b, 0x55, 0, 0x0f, 0x90, 0xc1, 0x01, 0xce, 0x39, 0xfe, 0xc3),
    );
    setWord(m, s.ebx, 1);
    setWord(m, s.ecx, 0);
    setWord(m, s.ebp, 0x4000);
    setWord(m, s.esi, 0);
    setWord(m, s.edi, 100);
    m.run(10_000);
    // 80h - 1 is no number of eight bits with a sign, so OF is set each time.
    expect(word(m, s.esi)).toBe(100);
  });
});

describe.each(executors)("code that changes, on the %s", (executor) => {
  it("runs as it stands when it is come to, though it was run before as it stood then", () => {
    // again: add eax, 1 ; inc byte [again+2] ; dec ecx ; jnz again ; hlt
    const m = machine(executor, [0x83, 0xc0, 0x01, 0xfe, 0x05, ...word32(code + 2), 0x49, 0x75, 0xf4, 0xf4]);
    setWord(m, s.eax, 0);
    setWord(m, s.ecx, 10);
    m.run(1000);
    // 1 + 2 + ... + 10
    expect(word(m, s.eax)).toBe(55);
  });

  it("runs the new bytes of the very next instruction", () => {
    // mov byte [next+1], 7 ; next: mov al, 0 ; hlt
    const m = machine(executor, [0xc6, 0x05, ...word32(code + 8), 0x07, 0xb0, 0x00, 0xf4]);
    setWord(m, s.eax, 0);
    m.run(10);
    expect(word(m, s.eax)).toBe(7);
  });

  it("runs an instruction that lies on two pages as it stands, whichever of them is written on, wherever they lie", () => {
    // At the end of a page: mov eax, imm32, whose last two bytes are on the next one ; add ebx, eax ; inc byte [an immediate byte] ; dec ecx ; jnz ; hlt
    for (const at of [0x1ffd, 0x30_1ffd])
      for (const written of [at + 1, at + 4]) {
        const bytes = [0xb8, 1, 0, 0, 0, 0x01, 0xc3, 0xfe, 0x05, ...word32(written), 0x49, 0x75, 0xf0, 0xf4];
        const m = machine(executor, []);
        m.load(at, Uint8Array.from(bytes));
        setWord(m, s.engine.pc, at);
        setWord(m, s.eax, 0);
        setWord(m, s.ebx, 0);
        setWord(m, s.ecx, 4);
        m.run(1000);
        const step = written === at + 1 ? 1 : 0x1000000;
        expect(word(m, s.ebx)).toBe(4 + 6 * step);
      }
  });

  it("jumps again and again to an instruction on two pages, and runs it as it stands when the second one was written on", () => {
    // again: jmp ahead ; back: dec ecx ; jnz again ; mov byte [ahead+4], 1 ; mov ecx, 20 ; dec edx ; jnz again ; hlt
    const ahead = code + 0xffd;
    const more = [0xc6, 0x05, ...word32(ahead + 4), 1, 0xb9, ...word32(20), 0x4a, 0x75, 0xe9, 0xf4];
    const m = machine(executor, [0xe9, ...word32(ahead - (code + 5)), 0x49, 0x75, 0xf8, ...more]);
    // ahead: add eax, 1, whose last two bytes are on the next page ; jmp back
    m.load(ahead, Uint8Array.of(0x05, ...word32(1), 0xe9, ...word32(code + 5 - (ahead + 10))));
    setWord(m, s.eax, 0);
    setWord(m, s.ecx, 20);
    setWord(m, s.edx, 2);
    m.run(1000);
    expect(word(m, s.eax)).toBe(20 + 20 * 0x0100_0001);
  });

  it("falls from in front of a page's end into a loop whose rest, on the next page, was written on", () => {
    // From 16 bytes in front of a page's end on: inc eax ; six nops ; again: inc ebx ; four nops ; add edx, 1, half of it on the next page
    const start = code + 0xff0;
    const next = code + 0x1000;
    const bytes = [0x40, ...new Array<number>(7).fill(0x90), 0x43, ...new Array<number>(4).fill(0x90), 0x81, 0xc2];
    // dec ecx ; jnz again ; inc byte [next] ; mov ecx, 20 ; dec esi ; jnz start ; hlt
    bytes.push(...word32(1), 0x49, 0x75, 0xf2, 0xfe, 0x05, ...word32(next), 0xb9, ...word32(20));
    bytes.push(0x4e, 0x75, 0xdc, 0xf4);
    const m = machine(executor, []);
    m.load(start, Uint8Array.from(bytes));
    setWord(m, s.engine.pc, start);
    for (const register of [s.eax, s.ebx, s.edx]) setWord(m, register, 0);
    setWord(m, s.ecx, 20);
    setWord(m, s.esi, 5);
    m.run(10_000);
    expect([word(m, s.eax), word(m, s.ebx)]).toEqual([5, 100]);
    expect(word(m, s.edx)).toBe(20 * (5 + 256 * (0 + 1 + 2 + 3 + 4)));
  });

  it("counts each step of a repeated move, and repeats what lies between source and destination", () => {
    // rep movsb ; hlt : from 0x3f80 to three bytes on, across the end of a page
    const m = machine(executor, [0xf3, 0xa4, 0xf4]);
    setWord(m, s.esi, 0x3f80);
    setWord(m, s.edi, 0x3f83);
    setWord(m, s.ecx, 300);
    m.load(0x3f80, Uint8Array.from([1, 2, 3]));
    m.run(100);
    expect([word(m, s.ecx), word(m, s.esi), word(m, s.edi)]).toEqual([200, 0x3f80 + 100, 0x3f83 + 100]);
    m.run(201);
    expect([word(m, s.ecx), word(m, s.edi), word(m, s.halted)]).toEqual([0, 0x3f83 + 300, 1]);
    const moved = Array.from({ length: 303 }, (_, k) => m.read(0x3f80 + k));
    expect(moved).toEqual(moved.map((_, k) => (k % 3) + 1));
  });

  it("stores words up to an end that is no multiple of a page, and no further", () => {
    // rep stosd ; hlt
    const m = machine(executor, [0xf3, 0xab, 0xf4]);
    setWord(m, s.edi, 0x3ffe);
    setWord(m, s.ecx, 70);
    setWord(m, s.eax, 0x04030201);
    m.run(100);
    const stored = Array.from({ length: 281 }, (_, k) => m.read(0x3ffe + k));
    expect(stored).toEqual(stored.map((_, k) => (k < 280 ? (k % 4) + 1 : 0)));
    expect([word(m, s.ecx), word(m, s.edi)]).toEqual([0, 0x3ffe + 280]);
  });

  it("lets data lie beside code on a page", () => {
    // again: inc dword [data] ; dec ecx ; jnz again ; hlt ; data
    const m = machine(executor, [0xff, 0x05, ...word32(code + 64), 0x49, 0x75, 0xf7, 0xf4]);
    setWord(m, s.ecx, 1000);
    m.run(10_000);
    expect(m.read(code + 64) | (m.read(code + 65) << 8)).toBe(1000);
  });

  it("counts to the instruction: a budget ends in the middle of a loop", () => {
    // again: inc eax ; jmp again
    const m = machine(executor, [0x40, 0xeb, 0xfd]);
    setWord(m, s.eax, 0);
    m.run(1001);
    expect(word(m, s.eax)).toBe(501);
    m.run(1);
    expect(word(m, s.eax)).toBe(501);
    m.run(1);
    expect(word(m, s.eax)).toBe(502);
  });

  it("faults in front of an access, with all words as the instructions before left them", () => {
    // add eax, 5 ; mov ebx, eax ; push eax (outside of memory) : the stack pointer stays
    const m = machine(executor, [0x83, 0xc0, 0x05, 0x89, 0xc3, 0xeb, 0x00, 0x50, 0xf4]);
    setWord(m, s.eax, 1);
    m.run(4);
    expect([word(m, s.eax), word(m, s.ebx), word(m, s.esp)]).toEqual([6, 6, 0x7ffc]);
  });
});
