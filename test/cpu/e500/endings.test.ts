import { describe, expect, it } from "vitest";
import { ctr, ivor, spr } from "../../../src/cpu/e500/slots.ts";
import { addi, b, bc, mtspr, rfi, sc, tlbsx } from "./asm.ts";
import { Bare, executors } from "./bare.ts";

const [code, handler] = [0x1000, 0x2000];
const turns = 300;
const systemCall = 8;

describe.each(executors)("what a kernel does at its ways in and out, on the %s", (executor) => {
  /** Some turns of a body and a system call, whose handler counts in r5. */
  const run = (body: readonly number[], handling: readonly number[]): Bare => {
    const m = new Bare(executor, { threshold: 4 });
    m.enter(code);
    m.set(spr.IVPR, 0);
    m.set(ivor[systemCall], handler);
    m.code(code, ...body, sc, bc(16, 0, -4 * (body.length + 1)), b(0));
    m.code(handler, ...handling, addi(5, 5, 1), rfi);
    m.set(ctr, turns);
    m.run((body.length + handling.length + 4) * turns + 1);
    expect(m.r(5)).toBe(turns);
    expect(m.pc).toBe(code + 4 * (body.length + 2));
    return m;
  };

  it("is done without the interpreter: system calls and their return", () => {
    const m = run([], []);
    if (executor !== "regions") return;
    expect(m.onEngine?.stats["exits-called"]).toBeGreaterThan(2 * turns - 40);
    expect(m.onEngine?.stats["exits-handed"]).toBeLessThan(10);
  });

  it("goes on behind what changes translations or timers", () => {
    // PID and a search in the TLB; in the handler, DEC.
    const m = run([mtspr(48, 0), tlbsx(0, 1)], [mtspr(22, 6)]);
    if (executor !== "regions") return;
    expect(m.onEngine?.stats["exits-called"]).toBeGreaterThan(5 * turns - 100);
  });
});
