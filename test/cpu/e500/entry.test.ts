import { describe, expect, it } from "vitest";
import { gpr, so, spr } from "../../../src/cpu/e500/slots.ts";
import { mfspr, nop, tlbre, x } from "./asm.ts";
import { Bare, executors } from "./bare.ts";
import { vectors } from "./vectors-of-interrupts.ts";

describe.each(executors)("the core, on the %s", (executor) => {
  it("starts at 0xFFFFFFFC with MSR 0 and one TLB1 entry of 4 KiB over the boot page", () => {
    const m = new Bare(executor);
    expect([m.pc, m.front.core.msr]).toEqual([0xffff_fffc, 0]);
    const { tlb } = m.front.core;
    const at = tlb.find(0xffff_fffc, 0, 0);
    expect(tlb.physical(at, 0xffff_fffc)).toBe(0xf_ffff_fffc);
    expect(tlb.find(0xffff_effc, 0, 0)).toBe(-1);
    expect(tlb.find(0, 0, 0)).toBe(-1);
  });

  it("loses everything by a reset", () => {
    const m = new Bare(executor);
    m.enter(0x1000);
    for (const slot of [...gpr, so, spr.SRR0, spr.DBSR, spr.IVPR]) m.set(slot, 0x5555_5555);
    m.front.reset();
    for (const slot of [...gpr, so, spr.SRR0, spr.DBSR, spr.IVPR]) expect(m.get(slot), slot.name).toBe(0);
  });

  it("enters a kernel as ePAPR has it: r1, r3, r6, r7, and from address 0 on what is mapped", () => {
    const m = new Bare(executor);
    m.front.enterEpapr({ dtb: 0x180_0000, entry: 0x40, mappedSize: 0x0400_0000 });
    expect([m.pc, m.front.core.msr]).toEqual([0x40, 0]);
    const set = new Map([
      [1, 0x00ff_fff8],
      [3, 0x0180_0000],
      [6, 0x4550_4150],
      [7, 0x0400_0000],
    ]);
    for (let k = 0; k < 32; k++) expect(m.r(k), `r${k}`).toBe(set.get(k) ?? 0);
    m.code(0x40, tlbre, nop);
    m.set(spr.MAS0, 0x1000_0000);
    m.run(1);
    expect([m.get(spr.MAS1), m.get(spr.MAS2), m.get(spr.MAS3)]).toEqual([0x8000_0800, 0, 0x3f]);
  });

  it("maps no size at entry that one TLB1 entry has not", () => {
    const m = new Bare(executor);
    const enter = (mappedSize: number) => () => m.front.enterEpapr({ dtb: 0, entry: 0, mappedSize });
    expect(enter(32 << 20)).toThrow(RangeError);
    expect(enter(1024)).toThrow(RangeError);
    expect(enter(64 << 20)).not.toThrow();
  });

  it("says what it is", () => {
    const m = new Bare(executor);
    m.enter(0x1000);
    m.code(0x1000, mfspr(3, 287), mfspr(4, 1023), mfspr(5, 515), mfspr(6, 516), mfspr(7, 286));
    m.run(5);
    // 64-byte lines (1 at bits 39:40), 8 ways, 32 KiB.
    expect([m.r(3), m.r(4), (m.r(5) >>> 23) & 3, (m.r(5) >>> 11) & 0xff, m.r(5) & 0x7ff, m.r(7)]).toEqual([
      0x8023_0020, 0x8021_0151, 1, 7, 32, 0,
    ]);
  });

  it("has cache control bits which clear themselves", () => {
    const m = new Bare(executor);
    m.enter(0x1000);
    const mtspr = (number: number) => x(9, number & 31, number >> 5, 467);
    m.code(0x1000, mtspr(1010), mfspr(3, 1010), mtspr(1011), mfspr(4, 1011), mtspr(1013), mfspr(5, 1013));
    m.setR(9, 0x303);
    m.run(6);
    expect([m.r(3), m.r(4), m.r(5)]).toEqual([0x201, 0x201, 0x103]);
  });

  it("says of counters, partitions and frozen timers that they are not there", () => {
    const m = new Bare(executor);
    m.enter(0x1000);
    const move = (number: number, xo: number) => x(9, number & 31, number >> 5, xo);
    m.code(0x1000, move(400, 462), move(338, 467), move(308, 467));
    m.setR(9, 1);
    m.run(3);
    expect(m.wires.reports.map((text) => /counters|partition|timers/.exec(text)?.[0])).toEqual([
      "counters",
      "partition",
      "timers",
    ]);
    expect(m.pc).toBe(0x100c);
  });

  it("keeps performance monitor registers, of which a user reads the shadows", () => {
    const m = new Bare(executor);
    m.enter(0x1000);
    vectors.set(m);
    const pmr = (number: number, rt: number, xo: number) => x(rt, number & 31, number >> 5, xo);
    m.code(0x1000, pmr(16, 9, 462), pmr(0, 3, 334), pmr(16, 4, 334));
    m.setR(9, 0x1234);
    m.run(1);
    m.msr(0x4000);
    m.run(2);
    expect([m.r(3), vectors.of(m), m.get(spr.ESR)]).toEqual([0x1234, "program", 0x0400_0000]);
  });
});
