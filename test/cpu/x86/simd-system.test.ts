import { beforeEach, expect, describe as group, it } from "vitest";
import * as s from "../../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, flatMode, resume, setWord, stoppedBy, word } from "../../support/x86.ts";

/* When MMX and SSE instructions fault, what FXSAVE has of them, and the two instructions whose result is only bounded. */

const code = 0x1000;
const data = 0x2000;

group.each(["evaluator", "interpreter"] as const)("on the %s", (executor) => {
  let machine: BareX86;

  function start(model: string): void {
    machine = bareX86(executor, { memory: 1 << 16, stopAtExceptions: true, model });
    flatMode(machine, 0);
    setWord(machine, s.cr0, word(machine, s.cr0) | 0x22);
    setWord(machine, s.cr4, word(machine, s.cr4) | 0x600);
    setWord(machine, s.fpuControl, 0x37f);
  }

  beforeEach(() => start("pentium-m"));

  function run(text: string): number | undefined {
    machine.load(code, Buffer.from(`${text}cccccccc`, "hex"));
    setWord(machine, s.engine.pc, code);
    setWord(machine, s.gpr[3], data);
    resume(machine);
    machine.run(32);
    return stoppedBy(machine);
  }

  const paddb = "0ffcc1";
  const addps = "0f58c1";
  const addpd = "660f58c1";

  it.each([
    ["pentium-pro", 6, 6, 6],
    ["pentium2", 3, 6, 6],
    ["pentium3", 3, 3, 6],
    ["pentium-m", 3, 3, 3],
  ] as const)("a %s has MMX, SSE and SSE2 as CPUID says, and #UD for the rest", (model, mmx, sse, sse2) => {
    start(model);
    expect([run(paddb), run(addps), run(addpd)]).toEqual([mmx, sse, sse2]);
    setWord(machine, s.gpr[0], 1);
    run("0fa2");
    const features = word(machine, s.gpr[2]);
    expect([23, 25, 26].map((bit) => (((features >> bit) & 1) !== 0 ? 3 : 6))).toEqual([mmx, sse, sse2]);
  });

  it.each([
    ["p6-nx", 6, 6, 6, 6],
    ["core", 3, 6, 6, 3],
    ["core2", 3, 3, 6, 3],
    ["max", 3, 3, 3, 3],
  ] as const)("a %s has SSE3, SSSE3, POPCNT and FISTTP as CPUID says", (model, sse3, ssse3, popcnt, fisttp) => {
    start(model);
    // FLDZ, so that there is something to store.
    expect([run("f20f7cc1"), run("0f3801c1"), run("f30fb8c1"), run("d9eedb0b")]).toEqual([sse3, ssse3, popcnt, fisttp]);
    setWord(machine, s.gpr[0], 1);
    run("0fa2");
    const features = word(machine, s.gpr[1]);
    expect([0, 9, 23].map((bit) => (((features >> bit) & 1) !== 0 ? 3 : 6))).toEqual([sse3, ssse3, popcnt]);
  });

  it("CR0.EM makes both #UD, CR0.TS #NM", () => {
    const cr0 = word(machine, s.cr0);
    setWord(machine, s.cr0, cr0 | 4);
    expect([run(paddb), run(addps)]).toEqual([6, 6]);
    setWord(machine, s.cr0, cr0 | 8);
    expect([run(paddb), run(addps)]).toEqual([7, 7]);
  });

  it("SSE is #UD until CR4.OSFXSR is set, MMX is not", () => {
    setWord(machine, s.cr4, word(machine, s.cr4) & ~0x200);
    expect([run(paddb), run(addps)]).toEqual([3, 6]);
  });

  it("an x87 exception that waits is #MF in front of MMX and not of SSE", () => {
    setWord(machine, s.fpuStatus, 0x8084);
    expect([run(paddb), run(addps)]).toEqual([16, 3]);
  });

  it("a SIMD exception that is not masked is #XM, or #UD without CR4.OSXMMEXCPT", () => {
    // 0 / 0 with #I not masked.
    setWord(machine, s.mxcsr, 0x1f00);
    expect(run("0f5ec1")).toBe(19);
    expect(word(machine, s.mxcsr)).toBe(0x1f01);
    setWord(machine, s.cr4, word(machine, s.cr4) & ~0x400);
    expect(run("0f5ec1")).toBe(6);
  });

  it("LDMXCSR refuses bits that are not there: a Pentium III has no DAZ", () => {
    machine.load(data, Uint8Array.of(0xc0, 0x1f, 0, 0));
    expect(run("0fae13")).toBe(3);
    expect(word(machine, s.mxcsr)).toBe(0x1fc0);
    machine.load(data, Uint8Array.of(0x80, 0x1f, 1, 0));
    expect(run("0fae13")).toBe(13);
    start("pentium3");
    machine.load(data, Uint8Array.of(0xc0, 0x1f, 0, 0));
    expect(run("0fae13")).toBe(13);
  });

  it("FXSAVE has XMM registers and MXCSR with its mask, and FXRSTOR brings them back", () => {
    for (let k = 0; k < 32; k++) machine.words[(s.xmm[0]?.index ?? 0) + k] = k + 1;
    setWord(machine, s.mxcsr, 0x3f80);
    expect(run("0fae03")).toBe(3);
    const word32 = (at: number) => [3, 2, 1, 0].reduce((sum, k) => sum * 256 + machine.read(data + at + k), 0);
    expect(word32(24)).toBe(0x3f80);
    expect(word32(28)).toBe(0xffff);
    expect([0, 31].map((k) => word32(160 + 4 * k))).toEqual([1, 32]);
    machine.words.fill(0, s.xmm[0]?.index, (s.xmm[0]?.index ?? 0) + 32);
    setWord(machine, s.mxcsr, 0x1f80);
    expect(run("0fae0b")).toBe(3);
    expect(word(machine, s.mxcsr)).toBe(0x3f80);
    expect(Array.from({ length: 32 }, (_, k) => machine.words[(s.xmm[0]?.index ?? 0) + k])).toEqual(
      Array.from({ length: 32 }, (_, k) => k + 1),
    );
  });

  it("RCPPS and RSQRTPS are within 1.5 * 2^-12 of the true value, and raise nothing", () => {
    const lanes = new Float32Array(1);
    const bits = new Int32Array(lanes.buffer);
    const at = s.xmm[2]?.index ?? 0;
    const of = (text: string, value: number) => {
      lanes[0] = value;
      for (let k = 0; k < 4; k++) machine.words[at + k] = bits[0] as number;
      expect(run(text)).toBe(3);
      bits[0] = machine.words[s.xmm[0]?.index ?? 0] as number;
      return lanes[0] as number;
    };
    for (let k = 0; k < 60; k++) {
      const x = Math.fround((1 + k / 61) * 2 ** ((k % 7) * 9 - 30));
      expect(Math.abs(of("0f53c1", x) * x - 1)).toBeLessThan(1.5 / 4096);
      expect(Math.abs(of("0f52c1", x) * Math.sqrt(x) - 1)).toBeLessThan(1.5 / 4096);
    }
    expect(of("0f53c1", 0)).toBe(Number.POSITIVE_INFINITY);
    expect(of("0f52c1", -0)).toBe(Number.NEGATIVE_INFINITY);
    expect(of("0f52c1", -1)).toBeNaN();
    expect(word(machine, s.mxcsr)).toBe(0x1f80);
  });
});
