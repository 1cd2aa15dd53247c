import { describe, expect, it } from "vitest";
import { spr } from "../../../src/cpu/e500/slots.ts";
import { addi, b, bc, lwz, mtmsr, mtspr, nop, rfdi, rfi, sc, stb, stw, twi } from "./asm.ts";
import { Bare, executors } from "./bare.ts";
import { vectors } from "./vectors-of-interrupts.ts";

const de = 0x200;
const idm = 0x4000_0000;
const icmp = 0x0800_0000;
const brt = 0x0400_0000;
const irpt = 0x0200_0000;
const trap = 0x0100_0000;
const iac1 = 0x0080_0000;
const iac2 = 0x0040_0000;
const dac1r = 0x0008_0000;
const dac1w = 0x0004_0000;
const ret = 0x8000;
const imprecise = 0x8000_0000;

describe.each(executors)("debug events, on the %s", (executor) => {
  /** DBCR0 is written by the guest, and MSR[DE] set last. */
  const machine = (events: number, ...code: number[]) => {
    const m = new Bare(executor);
    m.enter(0x1000);
    vectors.set(m);
    m.code(0x800, mtspr(308, 3), mtmsr(4), b(0x800 - 8));
    m.code(0x1000, ...code);
    m.setR(3, idm | events);
    m.setR(4, de);
    return m;
  };
  const start = (m: Bare) => {
    m.pc = 0x800;
    m.run(2);
    m.pc = 0x1000;
  };
  const state = (m: Bare) => [vectors.of(m), m.get(spr.DSRR0), m.get(spr.DBSR)];

  it("follow each instruction under ICMP, one at a time", () => {
    const m = machine(icmp, addi(20, 0, 1), addi(21, 0, 2), nop);
    m.code(0xf_0100 + 16 * 15, mtspr(304, 7), rfdi);
    m.setR(7, 0xffff_ffff);
    m.pc = 0x800;
    m.run(3);
    // mtspr, mtmsr; then b 0x1000 is the first that completes with DE set.
    m.front.service();
    expect(state(m)).toEqual(["debug", 0x1000, icmp]);
    expect(m.get(spr.DSRR1)).toBe(de);
    expect(m.front.core.msr).toBe(0);
    m.run(3);
    m.front.service();
    expect(state(m)).toEqual(["debug", 0x1004, icmp]);
    expect([m.r(20), m.r(21)]).toEqual([1, 0]);
    m.run(3);
    m.front.service();
    expect(state(m)).toEqual(["debug", 0x1008, icmp]);
    expect(m.r(21)).toBe(2);
  });

  it("come before the instruction at IAC1 or IAC2", () => {
    const m = machine(iac1 | iac2, nop, addi(5, 0, 1), nop, nop);
    m.set(spr.IAC1, 0x1004);
    m.set(spr.IAC2, 0x100c);
    start(m);
    m.run(2);
    expect(state(m)).toEqual(["debug", 0x1004, iac1]);
    expect(m.r(5)).toBe(0);
    m.set(spr.DBSR, 0);
    m.msr(de);
    m.pc = 0x1008;
    m.run(2);
    expect(state(m)).toEqual(["debug", 0x100c, iac2]);
  });

  it("compare a range of instruction addresses, in it or out of it", () => {
    const hit = (mode: number, pc: number) => {
      const m = machine(iac1);
      m.set(spr.IAC1, 0x804);
      start(m);
      m.set(spr.DBSR, 0);
      m.msr(de);
      m.set(spr.IAC1, 0x1010);
      m.set(spr.IAC2, 0x1020);
      m.set(spr.DBCR1, mode << 22);
      m.code(pc, nop);
      m.pc = pc;
      m.run(1);
      return vectors.of(m) === "debug";
    };
    expect([0x100c, 0x1010, 0x101c, 0x1020].map((pc) => hit(2, pc))).toEqual([false, true, true, false]);
    expect([0x100c, 0x1010, 0x101c, 0x1020].map((pc) => hit(3, pc))).toEqual([true, false, false, true]);
  });

  it("compare for one privilege when DBCR1 says so", () => {
    const hit = (us: number, msr: number) => {
      const m = machine(iac1, nop);
      m.set(spr.IAC1, 0x1000);
      m.set(spr.DBCR1, us << 30);
      start(m);
      m.msr(de | msr);
      m.run(1);
      return vectors.of(m) === "debug";
    };
    expect([hit(0, 0), hit(0, 0x4000), hit(2, 0), hit(2, 0x4000), hit(3, 0), hit(3, 0x4000)]).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it("come before loads and stores which touch a byte at DAC1", () => {
    const tried = (events: number, word: number) => {
      const m = machine(events, word);
      m.set(spr.DAC1, 0x2002);
      m.setR(5, 0xff);
      start(m);
      m.run(1);
      return [vectors.of(m), m.get(spr.DBSR), m.word(0x2000)];
    };
    expect(tried(dac1w, stw(5, 0, 0x2000))).toEqual(["debug", dac1w, 0]);
    expect(tried(dac1r, stw(5, 0, 0x2000))).toEqual([undefined, 0, 0xff]);
    expect(tried(dac1r, lwz(5, 0, 0x2000))).toEqual(["debug", dac1r, 0]);
    expect(tried(dac1w, stb(5, 0, 0x2003))).toEqual([undefined, 0, 0xff]);
    expect(tried(dac1w, stb(5, 0, 0x2002))).toEqual(["debug", dac1w, 0]);
  });

  it("come before a branch that is taken", () => {
    const m = machine(brt, bc(4, 2, 8), nop, bc(12, 2, 8));
    m.set(spr.SRR0, 0);
    start(m);
    m.run(1);
    expect(state(m)).toEqual(["debug", 0x1000, brt]);
    m.set(spr.DBSR, 0);
    m.msr(de);
    m.pc = 0x1008;
    m.run(1);
    expect(m.pc).toBe(0x100c);
  });

  it("take the place of a trap's program interrupt", () => {
    const m = machine(trap, twi(4, 0, 0));
    start(m);
    m.run(1);
    expect(state(m)).toEqual(["debug", 0x1000, trap]);
  });

  it("are recorded as imprecise while DE is clear, and taken when it is set", () => {
    const m = machine(iac1, nop, addi(5, 0, 1), mtmsr(4), nop);
    m.setR(4, 0);
    m.set(spr.IAC1, 0x1004);
    start(m);
    m.run(2);
    expect([m.r(5), m.get(spr.DBSR)]).toEqual([1, (imprecise | iac1) >>> 0]);
    m.setR(4, de);
    m.run(1);
    m.front.service();
    expect([vectors.of(m), m.get(spr.DSRR0)]).toEqual(["debug", 0x100c]);
  });

  it("follow an interrupt under IRPT: the debug interrupt returns to its first instruction", () => {
    const m = machine(irpt, sc);
    start(m);
    m.run(1);
    m.front.service();
    expect(state(m)).toEqual(["debug", 0xf_0180, irpt]);
    expect(m.get(spr.SRR0)).toBe(0x1004);
  });

  it("come in front of the handler's first instruction under IRPT, while the processor runs", () => {
    const m = machine(irpt, sc);
    m.code(0xf_0180, nop, nop);
    m.code(0xf_01f0, nop, nop);
    start(m);
    m.run(2);
    expect([m.pc, m.get(spr.DSRR0)]).toEqual([0xf_01f4, 0xf_0180]);
  });

  it("come before rfi under RET", () => {
    const m = machine(ret, rfi);
    start(m);
    m.run(1);
    expect(state(m)).toEqual(["debug", 0x1000, ret]);
  });

  it("do not happen without DBCR0[IDM]", () => {
    const m = machine(0, nop, twi(4, 0, 0));
    m.setR(3, iac1 | trap | icmp);
    m.set(spr.IAC1, 0x1000);
    start(m);
    m.run(2);
    expect([vectors.of(m), m.get(spr.DBSR)]).toEqual(["program", 0]);
  });

  it("have DBSR bits that ones clear, and that DBSRWR sets", () => {
    const m = machine(0, mtspr(306, 5), mtspr(304, 6));
    m.setR(5, 0x0300_0000);
    m.setR(6, 0x0100_0000);
    m.run(2);
    expect(m.get(spr.DBSR)).toBe(0x0200_0000);
  });

  it("reset the board by DBCR0[RST]", () => {
    const m = machine(0x2000_0000);
    m.pc = 0x800;
    m.run(1);
    expect(m.wires.resets).toHaveLength(1);
  });
});
