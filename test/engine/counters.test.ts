import { describe, expect, it } from "vitest";
import * as s from "../../src/cpu/x86/slots.ts";
import { type BareX86, type Executor, setWord, withProgram, word } from "../support/x86.ts";
import { loop, word32 } from "../support/x86-code.ts";

const code = 0x1000;

const machine = (executor: Executor, bytes: readonly number[]) =>
  withProgram(executor, code, bytes, { model: "pentium-m" });

function stats(m: BareX86): Readonly<Record<string, number>> {
  return m.onEngine?.stats ?? {};
}

/** Runs a body so many times, as regions. */
function times(count: number, body: readonly number[]): BareX86 {
  const m = machine("regions", loop(body));
  setWord(m, s.ecx, count);
  m.run(1_000_000);
  return m;
}

describe("the engine's figures", () => {
  it.each(["interpreter", "regions"] as const)(
    "tell each instruction as one of the loop's or a region's, on the %s",
    (executor) => {
      const m = machine(executor, loop([0x40]));
      setWord(m, s.ecx, 1000);
      m.run(1_000_000);
      const { "loop-instructions": interpreted = 0, "region-instructions": translated = 0 } = stats(m);
      expect(interpreted + translated).toBe(3 * 1000 + 1);
      expect(m.onEngine?.instructions).toBe(3 * 1000 + 1);
      if (executor === "interpreter") expect(translated).toBe(0);
      else expect(interpreted).toBeLessThan(10);
    },
  );

  it.each([
    ["a number added from memory", [0xf2, 0x0f, 0x58, 0x05, ...word32(0x4000)]],
    ["numbers multiplied by those in memory", [0x66, 0x0f, 0x59, 0x05, ...word32(0x4000)]],
  ])("show %s as a region's own", (_name, body) => {
    const m = machine("regions", loop(body));
    setWord(m, s.cr4, 0x200);
    setWord(m, s.ecx, 1000);
    m.run(1_000_000);
    expect(word(m, s.ecx)).toBe(0);
    expect(stats(m)["loop-instructions"]).toBeLessThan(20);
  });

  const at = (place: number) => word32(place);
  it.each([
    [
      "sums, products and quotients of the x87",
      [0xdd, 0x05, ...at(0x4000), 0xd8, 0xc0, 0xd8, 0xc8, 0xdc, 0x0d, ...at(0x4000), 0xdd, 0x1d, ...at(0x4008)],
    ],
    [
      "zeros among the operands of the x87",
      [0xd9, 0xee, 0xdc, 0x05, ...at(0x4000), 0xd9, 0xee, 0xde, 0xc9, 0xdd, 0x1d, ...at(0x4008)],
    ],
    ["differences that are zero", [0xd9, 0xe8, 0xd9, 0xe8, 0xde, 0xe9, 0xdd, 0x1d, ...at(0x4008)]],
    ["registers exchanged, compared and dropped", [0xd9, 0xe8, 0xd9, 0xee, 0xd9, 0xc9, 0xdf, 0xe9, 0xdd, 0xd8]],
    [
      "halves and words of XMM registers in another order",
      [0x66, 0x0f, 0x14, 0xc1, 0x66, 0x0f, 0x70, 0xc8, 0x1b, 0x0f, 0x50, 0xc0],
    ],
  ])("show %s as a region's own, with no way out", (_name, body) => {
    const m = machine("regions", loop(body));
    setWord(m, s.cr4, 0x200);
    setWord(m, s.fpuControl, 0x37f);
    setWord(m, s.fpuUsed, 0);
    setWord(m, s.ecx, 1000);
    for (const [k, byte] of [0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xf1, 0x3f].entries()) m.write(0x4000 + k, byte);
    m.run(1_000_000);
    expect(word(m, s.ecx)).toBe(0);
    expect(word(m, s.fpuTop)).toBe(0);
    expect(stats(m)["exits-handed"]).toBeLessThan(8);
    expect(stats(m)["loop-instructions"]).toBeLessThan(80);
  });

  it("show a store of a register that an instruction in front of it has emptied as the interpreter's", () => {
    // emms ; fst qword [0x4000]
    const m = machine("regions", loop([0x0f, 0x77, 0xdd, 0x15, ...word32(0x4000)]));
    setWord(m, s.fpuControl, 0x37f);
    setWord(m, s.ecx, 100);
    m.run(1_000_000);
    expect(word(m, s.ecx)).toBe(0);
    expect(word(m, s.fpuStatus) & 0x41).toBe(0x41);
    expect(m.bytes[0x4007]).toBe(0xff);
  });

  it("count an end in front of an access to where no RAM is, each time", () => {
    // mov eax, [0x80000000], where nothing is: an open bus
    const m = times(100, [0xa1, ...word32(0x8000_0000)]);
    expect(stats(m)["exits-handed"]).toBeGreaterThanOrEqual(98);
    expect(stats(m)["exits-handed"]).toBeLessThanOrEqual(100);
    expect(stats(m)["slow-accesses"]).toBe(100);
  });

  it("count an end for another page each time one is gone to, and the region that it is chained to", () => {
    // call 0x2000, where ret is
    const m = machine("regions", loop([0xe8, ...word32(0x2000 - code - 5)]));
    m.load(0x2000, Uint8Array.from([0xc3]));
    setWord(m, s.ecx, 1000);
    m.run(1_000_000);
    expect(stats(m)["exits-page"]).toBeGreaterThan(990);
    expect(stats(m)["exits-page"]).toBeLessThanOrEqual(1000);
    // It comes back by an address which it takes from the stack.
    expect(stats(m)["exits-computed"]).toBeGreaterThan(990);
    expect(stats(m).chained).toBeGreaterThan(1980);
  });

  it("count an end for want of budget where the budget is short of a way round", () => {
    const m = machine("regions", loop([0x40, 0x40, 0x40]));
    setWord(m, s.ecx, 1000);
    for (let k = 0; k < 50; k++) m.run(7);
    expect(stats(m)["exits-budget"]).toBeGreaterThan(40);
  });

  it("say for every end of a region where it went on", () => {
    const m = times(100, [0xa1, ...word32(0x8000_0000)]);
    const figures = Object.entries(stats(m));
    const sum = (prefix: string) =>
      figures.filter(([name]) => name.startsWith(prefix)).reduce((all, [, count]) => all + count, 0);
    expect(sum("exits-")).toBeGreaterThan(0);
    expect(sum("unchained-") + (stats(m).chained ?? 0) + (stats(m)["exits-fault"] ?? 0)).toBe(sum("exits-"));
  });

  it("count a page whose code is written over, and the regions that go with it", () => {
    // inc eax ; mov byte [again], 0x40: the same byte, and the page is forgotten for all that
    const m = times(10, [0x40, 0xc6, 0x05, ...word32(code), 0x40]);
    expect(stats(m)["code-invalidations"]).toBe(10);
    const { regions = 0, "regions-forgotten": forgotten = 0, "regions-joined": joined = 0 } = stats(m);
    expect(stats(m)["regions-alive"]).toBe(regions - forgotten - joined);
  });

  it("count a page that is touched for the first time as one miss of the TLB, and its other bytes as none", () => {
    // add eax, [edx] ; add edx, 1024
    const m = machine("interpreter", loop([0x03, 0x02, 0x81, 0xc2, ...word32(1024)]));
    setWord(m, s.ecx, 40);
    setWord(m, s.edx, 0x4000);
    m.run(1_000_000);
    expect(stats(m)["tlb-misses"]).toBe(10);
  });

  it("count faults that were delivered", () => {
    // ud2, with an IDT at 0 that is empty
    const m = machine("interpreter", [0x0f, 0x0b]);
    m.run(10);
    expect(stats(m).faults).toBeGreaterThanOrEqual(1);
  });
});
