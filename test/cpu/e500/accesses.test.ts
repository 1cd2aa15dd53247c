import { describe, expect, it } from "vitest";
import { ctr, ivor, spr } from "../../../src/cpu/e500/slots.ts";
import { addi, b, bc, lwz, mfspr, mtspr, rfi, stw } from "./asm.ts";
import { Bare, type Executor, executors } from "./bare.ts";

const [code, handler] = [0x1000, 0x2000];
const [srr0, dear] = [26, 61];
const dataTlbError = 13;
const turns = 300;
/** `enter` maps 64 MiB from 0 on. */
const unmapped = 64 << 20;

function machine(executor: Executor, body: readonly number[], handling: readonly number[]): Bare {
  const m = new Bare(executor, { threshold: 4, memory: unmapped });
  m.enter(code);
  m.set(spr.IVPR, 0);
  m.set(ivor[dataTlbError], handler);
  m.code(code, ...body, bc(16, 0, -4 * body.length), b(0));
  m.code(handler, ...handling);
  m.set(ctr, turns);
  return m;
}

describe.each(executors)("accesses that find no translation, on the %s", (executor) => {
  it.each([
    ["load", lwz(6, 7, 8)],
    ["store", stw(6, 7, 8)],
  ])("are told to the kernel, each %s as it is: nothing of it was done, all in front of it was", (_name, access) => {
    const body = [addi(8, 8, 1), addi(7, 7, 4), access];
    const m = machine(executor, body, [
      mfspr(9, srr0),
      addi(9, 9, 4),
      mtspr(srr0, 9),
      mfspr(10, dear),
      addi(5, 5, 1),
      rfi,
    ]);
    m.setR(6, 0x1234_5678);
    m.setR(7, unmapped);
    m.run(20 * turns);
    expect([m.r(5), m.r(6), m.r(8)]).toEqual([turns, 0x1234_5678, turns]);
    expect(m.r(10)).toBe(unmapped + 4 * turns + 8);
    expect(m.pc).toBe(code + 4 * (body.length + 1));
    if (executor !== "regions") return;
    // Both what stands before the access and the handler behind its vector are in regions: the interpreter does the access alone, and finds out that it faults.
    expect(m.onEngine?.stats["exits-handed"]).toBeGreaterThan(turns - 40);
    expect(m.onEngine?.stats["loop-instructions"]).toBeLessThan(400 + turns);
  });
});

describe.each(executors)("words that are copied, on the %s", (executor) => {
  const copy = [lwz(6, 3, 0), stw(6, 4, 0), addi(3, 3, 4), addi(4, 4, 4)];

  function copying(from: number): Bare {
    const m = machine(executor, copy, [addi(11, 6, 0), b(0)]);
    for (let k = 0; k < turns && from + 4 * k < unmapped; k++) m.setWord(from + 4 * k, 0x0102_0300 + k);
    m.setR(3, from);
    m.setR(4, 0x8000);
    m.run(20 * turns);
    return m;
  }

  it("are in memory as they were, and the last one in its register", () => {
    const m = copying(0x4000);
    expect([m.word(0x8000), m.word(0x8000 + 4 * (turns - 1))]).toEqual([0x0102_0300, 0x0102_0300 + turns - 1]);
    expect(m.r(6)).toBe(0x0102_0300 + turns - 1);
  });

  it("leave in the register what was copied when the next one is not to be had", () => {
    const m = copying(unmapped - 4 * 100);
    expect(m.r(11)).toBe(0x0102_0300 + 99);
    expect(m.r(6)).toBe(0x0102_0300 + 99);
    expect(m.word(0x8000 + 4 * 99)).toBe(0x0102_0300 + 99);
    expect(m.get(ctr)).toBe(turns - 100);
  });
});
