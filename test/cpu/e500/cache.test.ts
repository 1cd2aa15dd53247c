import { describe, expect, it } from "vitest";
import { spr } from "../../../src/cpu/e500/slots.ts";
import { dcbz, x } from "./asm.ts";
import { Bare, executors } from "./bare.ts";
import { vectors } from "./vectors-of-interrupts.ts";

const valid = 0x8000_0000 | 0x100;
const user = 0x4000;
const ucle = 0x0400_0000;

describe.each(executors)("cache instructions, on the %s", (executor) => {
  const machine = (...code: number[]) => {
    const m = new Bare(executor);
    m.enter(0x1000);
    vectors.set(m);
    m.code(0x1000, ...code);
    return m;
  };
  /** A page at 0x10000000, at physical 0x8000. */
  const map = (m: Bare, attributes: number, rights: number, tid = 0) => {
    const { tlb } = m.front.core;
    tlb.write(tlb.index0(0x1000_0000, 0), valid | (tid << 16), 0x1000_0000 | attributes, 0x8000 | rights, 0);
  };

  it("zero the 64 bytes around an address by dcbz, and no others", () => {
    const m = machine(dcbz(0, 5));
    for (let at = 0x2000; at < 0x2100; at += 4) m.setWord(at, 0xffff_ffff);
    m.setR(5, 0x2067);
    m.run(1);
    for (let at = 0x2000; at < 0x2100; at += 4) expect(m.word(at)).toBe(at >= 0x2040 && at < 0x2080 ? 0 : 0xffff_ffff);
  });

  it("refuse dcbz where nothing may be cached or all is written through: alignment", () => {
    for (const attributes of [8, 16]) {
      const m = machine(dcbz(0, 5));
      map(m, attributes, 0x3f);
      m.setR(5, 0x1000_0010);
      m.run(1);
      expect([vectors.of(m), m.get(spr.DEAR)]).toEqual(["alignment", 0x1000_0000]);
    }
  });

  it("ask again about dcbz when the entry changed", () => {
    const m = machine(dcbz(0, 5), x(0, 0, 0, 978), dcbz(0, 5));
    map(m, 0, 0x3f);
    m.setR(5, 0x1000_0010);
    m.set(spr.MAS0, 0);
    m.set(spr.MAS1, valid);
    m.set(spr.MAS2, 0x1000_0008);
    m.set(spr.MAS3, 0x803f);
    m.run(3);
    expect(vectors.of(m)).toBe("alignment");
  });

  it("fault by dcbz as a store, by dcbf, dcbst and icbi as a load", () => {
    for (const [xo, rights, esr] of [
      [1014, 3, 0x0080_0000],
      [86, 0x3c, 0],
      [54, 0x3c, 0],
      [982, 0x3c, 0],
    ] as const) {
      const m = machine(x(0, 0, 5, xo));
      map(m, 0, rights);
      m.setR(5, 0x1000_0000);
      m.run(1);
      expect([vectors.of(m), m.get(spr.ESR)], `${xo}`).toEqual(["data storage", esr]);
    }
  });

  it("never fault by a hint", () => {
    const m = machine(...[22, 246, 278, 758].map((xo) => x(0, 0, 5, xo)));
    m.setR(5, 0x7000_0000);
    m.run(4);
    expect(m.pc).toBe(0x1010);
  });

  it("lock for a user only with MSR[UCLE], and say which kind of lock was refused", () => {
    const tried = (xo: number, msr: number) => {
      const m = machine(x(0, 0, 5, xo));
      m.setR(5, 0x2000);
      m.msr(msr);
      m.run(1);
      return vectors.of(m) === undefined ? undefined : m.get(spr.ESR);
    };
    expect([166, 134, 390].map((xo) => tried(xo, user))).toEqual([0x20_0000, 0x20_0000, 0x20_0000]);
    expect([486, 230].map((xo) => tried(xo, user))).toEqual([0x10_0000, 0x10_0000]);
    for (const xo of [166, 134, 390, 486, 230])
      expect([tried(xo, user | ucle), tried(xo, 0)]).toEqual([undefined, undefined]);
  });

  it("say in L1CSR0[CUL] that a cache which is off cannot lock", () => {
    const m = machine(x(0, 0, 5, 166));
    m.setR(5, 0x2000);
    m.run(1);
    expect(m.get(spr.L1CSR0)).toBe(0x400);
    const on = machine(x(0, 0, 5, 166));
    on.set(spr.L1CSR0, 1);
    on.setR(5, 0x2000);
    on.run(1);
    expect(on.get(spr.L1CSR0)).toBe(1);
  });

  it("keep dcbi for the supervisor", () => {
    const m = machine(x(0, 0, 5, 470));
    m.msr(user);
    m.run(1);
    expect([vectors.of(m), m.get(spr.ESR)]).toEqual(["program", 0x0400_0000]);
  });
});

describe.each(executors)("external process ID, on the %s", (executor) => {
  /** Process 9 has a page at 0x10000000, at physical 0x8000; the process that runs is 3. */
  const machine = (word: number, rights = 0x3f) => {
    const m = new Bare(executor);
    m.enter(0x1000);
    vectors.set(m);
    m.code(0x1000, word);
    const { tlb } = m.front.core;
    tlb.write(tlb.index0(0x1000_0000, 0), valid | (9 << 16), 0x1000_0000, 0x8000 | rights, 0);
    m.set(spr.PID, 3);
    m.set(spr.EPLC, 9);
    m.set(spr.EPSC, 9);
    m.setR(5, 0x1000_0100);
    m.setWord(0x8100, 0x8182_8384);
    m.setWord(0x8104, 0x8586_8788);
    return m;
  };

  it("loads bytes, halfwords and words of another process", () => {
    for (const [xo, value] of [
      [95, 0x81],
      [287, 0x8182],
      [31, 0x8182_8384],
    ] as const) {
      const m = machine(x(3, 0, 5, xo));
      m.run(1);
      expect(m.r(3)).toBe(value);
    }
  });

  it("stores them", () => {
    for (const [xo, value] of [
      [223, 0x4482_8384],
      [415, 0x3344_8384],
      [159, 0x1122_3344],
    ] as const) {
      const m = machine(x(3, 0, 5, xo));
      m.setR(3, 0x1122_3344);
      m.run(1);
      expect(m.word(0x8100)).toBe(value);
    }
  });

  it("zeroes a line by dcbzep", () => {
    const m = machine(x(0, 0, 5, 1023));
    m.run(1);
    expect([m.word(0x8100), m.word(0x8104)]).toEqual([0, 0]);
  });

  it("uses the privilege of EPLC[EPR], and says EPID in ESR", () => {
    const m = machine(x(3, 0, 5, 31), 0x15);
    m.set(spr.EPLC, 0x8000_0009);
    m.run(1);
    expect([vectors.of(m), m.get(spr.ESR)]).toEqual(["data storage", 0x40]);
  });

  it("misses for the process that it names", () => {
    const m = machine(x(3, 0, 5, 159));
    m.set(spr.EPSC, 0x4000_000a);
    m.run(1);
    expect([vectors.of(m), m.get(spr.ESR), m.get(spr.MAS6)]).toEqual(["data TLB", 0x0080_0040, (10 << 16) | 1]);
  });

  it("is the supervisor's", () => {
    const m = machine(x(3, 0, 5, 31));
    m.msr(user);
    m.pc = 0x1000;
    m.run(1);
    expect(m.get(spr.ESR)).toBe(0x0400_0000);
  });
});
