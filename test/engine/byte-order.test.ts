import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { type Executor, setWord, withProgram, word } from "../support/x86.ts";
import { loop } from "../support/x86-code.ts";

const executors: readonly Executor[] = ["evaluator", "interpreter", "regions"];
const code = 0x1000;

describe.each(executors)("what is loaded, put into the other order and stored, on the %s", (executor) => {
  it("is put into that order once", () => {
    // again: mov [edi + 4], ecx ; mov eax, [edx] ; bswap eax ; mov [edi], eax ; xor eax, eax ; dec ecx ; jnz again ; hlt
    // The second store need not be asked for, since the first one was: nothing but it wants eax.
    const bytes = [0x89, 0x4f, 0x04, 0x8b, 0x02, 0x0f, 0xc8, 0x89, 0x07, 0x31, 0xc0, 0x49, 0x75, 0xf2, 0xf4];
    const m = withProgram(executor, code, bytes);
    m.load(0x4000, Uint8Array.of(1, 2, 3, 4));
    setWord(m, s.edx, 0x4000);
    setWord(m, s.edi, 0x5000);
    setWord(m, s.ecx, 300);
    m.run(3000);
    expect(word(m, s.ecx)).toBe(0);
    expect([0, 1, 2, 3].map((at) => m.read(0x5000 + at) & 0xff)).toEqual([4, 3, 2, 1]);
  });

  it("is no more of it than is stored, and no more than was loaded", () => {
    // again: mov [edi + 16], ecx ; mov eax, ebx ; bswap eax ; mov [edi], al ; mov eax, ebx ; bswap eax ; mov [edi + 8], ax ; movzx eax, word [edx] ; bswap eax ; mov [edi + 12], eax
    const stores = [0x89, 0xd8, 0x0f, 0xc8, 0x88, 0x07, 0x89, 0xd8, 0x0f, 0xc8, 0x66, 0x89, 0x47, 0x08];
    const load = [0x0f, 0xb7, 0x02, 0x0f, 0xc8, 0x89, 0x47, 0x0c];
    // xor eax, eax: nothing else wants what was put into the other order
    const m = withProgram(executor, code, loop([0x89, 0x4f, 0x10, ...stores, ...load, 0x31, 0xc0]));
    m.load(0x4000, Uint8Array.of(1, 2, 3, 4));
    m.load(0x5000, new Uint8Array(16).fill(0xee));
    setWord(m, s.ebx, 0x1234_5678);
    setWord(m, s.edx, 0x4000);
    setWord(m, s.edi, 0x5000);
    setWord(m, s.ecx, 300);
    m.run(6000);
    expect(word(m, s.ecx)).toBe(0);
    const left = [0xee, 0xee, 0xee];
    expect([...m.bytes.subarray(0x5000, 0x5010)]).toEqual(
      [[0x12], left, [0xee, 0xee, 0xee, 0xee], [0x12, 0x34], [0xee, 0xee], [0, 0, 2, 1]].flat(),
    );
  });
});
