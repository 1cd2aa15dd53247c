import { describe, expect, it } from "vitest";
import { reserved, spr } from "../../../src/cpu/e500/slots.ts";
import {
  addi,
  addis,
  b,
  lmw,
  lwz,
  mfmsr,
  mfspr,
  mtmsr,
  mtspr,
  nop,
  rfci,
  rfdi,
  rfi,
  rfmci,
  sc,
  stw,
  twi,
  wait,
  wrteei,
  x,
} from "./asm.ts";
import { Bare, executors } from "./bare.ts";
import { vectors } from "./vectors-of-interrupts.ts";

const ce = 0x2_0000;
const ee = 0x8000;
const pr = 0x4000;
const fp = 0x2000;
const me = 0x1000;
const de = 0x200;
const ri = 2;

describe.each(executors)("interrupts, on the %s", (executor) => {
  const machine = (...code: number[]) => {
    const m = new Bare(executor);
    m.enter(0x1000);
    vectors.set(m);
    m.code(0x1000, ...code);
    return m;
  };
  /** What base-class interrupts leave: vector, SRR0, SRR1, MSR, ESR. */
  const taken = (m: Bare) => [vectors.of(m), m.get(spr.SRR0), m.get(spr.SRR1), m.front.core.msr, m.get(spr.ESR)];

  it("save pc and MSR, and leave CE, ME, DE and RI on", () => {
    const m = machine(0);
    const msr = ce | ee | pr | fp | me | de | ri | 0x900 | 0x400_0000;
    m.msr(msr);
    m.run(1);
    expect(taken(m)).toEqual(["program", 0x1000, msr, ce | me | de | ri, 0x0800_0000]);
  });

  it("come back by rfi, whose MSR holds at its target at once", () => {
    const m = machine(sc, nop);
    m.code(0xf_0100 + 16 * 8, rfi);
    m.msr(pr | ee);
    m.run(1);
    expect(taken(m)).toEqual(["system call", 0x1004, pr | ee, 0, 0]);
    m.run(1);
    expect([m.pc, m.front.core.msr]).toEqual([0x1004, pr | ee]);
  });

  it("tell illegal, privileged and trap apart in ESR", () => {
    const esr = (word: number, msr = 0) => {
      const m = machine(word);
      m.msr(msr);
      m.run(1);
      return [vectors.of(m), m.get(spr.ESR)];
    };
    expect(esr(0x7c00_0018)).toEqual(["program", 0x0800_0000]);
    expect(esr(mfmsr(3), pr)).toEqual(["program", 0x0400_0000]);
    expect(esr(mfspr(3, 26), pr)).toEqual(["program", 0x0400_0000]);
    expect(esr(mtspr(287, 3))).toEqual(["program", 0x0800_0000]);
    expect(esr(twi(4, 0, 0))).toEqual(["program", 0x0200_0000]);
    expect(esr(x(0, 0, 0, 270))).toEqual(["hypervisor privilege", 0]);
    expect(esr(0x4400_0022)).toEqual(["hypervisor call", 0]);
  });

  it("make floating point unavailable while MSR[FP] is clear, in loads, moves and arithmetic", () => {
    for (const word of [0xc800_2000, 0xfc20_1090, 0xfc21_102a, 0xd800_2000]) {
      const m = machine(word);
      m.run(1);
      expect(vectors.of(m), word.toString(16)).toBe("floating-point unavailable");
    }
  });

  it("refuse lmw, stmw, lwarx and stwcx. at what is no multiple of 4", () => {
    const cases: readonly (readonly [number, number])[] = [
      [lmw(30, 0, 0x2002), 0],
      [((47 << 26) | (30 << 21) | 0x2002) >>> 0, 0x0080_0000],
      [x(3, 0, 5, 20), 0],
      [x(3, 0, 5, 150, 1), 0x0080_0000],
    ];
    for (const [word, esr] of cases) {
      const m = machine(word);
      m.setR(5, 0x2002);
      m.run(1);
      expect([vectors.of(m), m.get(spr.DEAR), m.get(spr.ESR)]).toEqual(["alignment", 0x2002, esr]);
    }
  });

  it("take an external one when EE allows it, and put its vector into EPR", () => {
    const m = machine(wrteei(1), nop, nop);
    m.external.pending = true;
    m.external.vector = 0x2a;
    m.run(5);
    // The interrupt waited for EE, and is taken before the instruction behind.
    expect([vectors.of(m), m.get(spr.SRR0)]).toEqual(["external", 0x1004]);
    expect([m.get(spr.EPR), m.external.acknowledged]).toEqual([0x2a, 1]);
  });

  it("take none with EE clear", () => {
    const m = machine(nop, nop, nop);
    m.external.pending = true;
    m.run(3);
    expect([m.pc, m.external.acknowledged]).toEqual([0x100c, 0]);
  });

  it("take it behind mtmsr that sets EE", () => {
    const m = machine(mtmsr(3), nop, nop);
    m.setR(3, ee);
    m.external.pending = true;
    m.run(2);
    expect([m.get(spr.SRR0), m.get(spr.SRR1)]).toEqual([0x1004, ee]);
  });

  it("wait in wait, and return behind it", () => {
    const m = machine(wait, nop);
    m.msr(ee);
    m.run(10);
    expect([m.front.halted, m.pc]).toEqual([true, 0x1004]);
    m.external.pending = true;
    m.run(1);
    expect([m.front.halted, m.get(spr.SRR0)]).toEqual([false, 0x1004]);
  });

  it("prefer machine checks to critical ones, and those to external ones", () => {
    const m = machine(nop);
    m.msr(ce | ee | me | de);
    m.external.pending = true;
    m.front.criticalInput(true);
    m.front.machineCheck(0x8000_0000, 0xc_0000_1234);
    m.front.service();
    expect(vectors.of(m)).toBe("machine check");
    expect([m.get(spr.MCSRR0), m.get(spr.MCSRR1), m.front.core.msr]).toEqual([0x1000, ce | ee | me | de, 0]);
    expect([m.get(spr.MCSR), m.get(spr.MCAR), m.get(spr.MCARU)]).toEqual([0x8000_0000, 0x1234, 0xc]);
    m.code(m.pc, rfmci);
    m.run(1);
    m.front.service();
    expect([vectors.of(m), m.get(spr.CSRR0), m.get(spr.CSRR1), m.front.core.msr]).toEqual([
      "critical",
      0x1000,
      ce | ee | me | de,
      me | de,
    ]);
    m.front.criticalInput(false);
    m.code(m.pc, rfci);
    m.run(1);
    m.front.service();
    expect([vectors.of(m), m.get(spr.SRR0)]).toEqual(["external", 0x1000]);
  });

  it("hold a machine check back while ME is clear", () => {
    const m = machine(nop);
    m.front.machineCheck(1);
    m.run(1);
    expect(m.pc).toBe(0x1004);
  });

  it("clear MCSR bits by ones", () => {
    const m = machine(mtspr(572, 3));
    m.set(spr.MCSR, 0xc000_0001);
    m.setR(3, 0x8000_0000);
    m.run(1);
    expect(m.get(spr.MCSR)).toBe(0x4000_0001);
  });

  it("ring doorbells by msgsnd: to this PIR, to all, not to others", () => {
    const sent = (message: number, msr: number) => {
      const m = machine(x(0, 0, 5, 206), nop, nop);
      m.setR(5, message);
      m.set(spr.PIR, 3);
      m.msr(msr);
      m.run(1);
      m.front.service();
      return vectors.of(m);
    };
    expect(sent(3, ee)).toBe("doorbell");
    expect(sent(0x0400_0000, ee)).toBe("doorbell");
    expect(sent(2, ee)).toBeUndefined();
    expect(sent(3, ce)).toBeUndefined();
    expect(sent(0x0800_0003, ce)).toBe("doorbell critical");
    expect(sent(0x0800_0003, ee)).toBeUndefined();
  });

  it("take a doorbell back by msgclr", () => {
    const m = machine(x(0, 0, 5, 206), x(0, 0, 5, 238), wrteei(1), nop, nop);
    m.run(5);
    expect(m.pc).toBe(0x1014);
  });

  it("put the vector at IVPR's upper and IVOR's middle bits", () => {
    const m = machine(
      addis(3, 0, 0x00c4),
      addi(3, 3, 0x7fff),
      mtspr(63, 3),
      mtspr(408, 3),
      mfspr(4, 63),
      mfspr(5, 408),
      sc,
    );
    m.run(7);
    expect([m.r(4), m.r(5)]).toEqual([0x00c4_0000, 0x7ff0]);
    expect(m.pc).toBe(0x00c4_7ff0);
  });

  it("leave no guest state: MSR[GS] stays 0 and is spoken of", () => {
    const m = machine(addis(3, 0, 0x1000), mtmsr(3), mfmsr(4));
    m.run(3);
    expect(m.r(4)).toBe(0);
    expect(m.wires.reports[0]).toContain("guest state");
  });

  it("return from debug interrupts by rfdi", () => {
    const m = machine(rfdi);
    m.set(spr.DSRR0, 0x2003);
    m.set(spr.DSRR1, ee);
    m.run(1);
    expect([m.pc, m.front.core.msr]).toEqual([0x2000, ee]);
  });

  it("change MSR[EE] alone by wrteei and wrtee", () => {
    const m = machine(wrteei(1), mfmsr(3), wrteei(0), mfmsr(4), x(5, 0, 0, 131), mfmsr(6));
    m.setR(5, 0xffff_ffff);
    m.msr(ce | fp);
    m.run(6);
    expect([m.r(3), m.r(4), m.r(6)]).toEqual([ce | fp | ee, ce | fp, ce | fp | ee]);
  });

  it("keep a reservation, until stwcx. takes it", () => {
    const m = machine(x(3, 0, 5, 20), sc);
    m.code(0xf_0180, rfi);
    m.code(0x1008, x(4, 0, 5, 150, 1), x(4, 0, 5, 150, 1), x(0, 0, 0, 19));
    m.setR(5, 0x2000);
    m.setR(4, 77);
    m.run(4);
    expect([m.word(0x2000), m.get(reserved)]).toEqual([77, 0]);
    m.setR(4, 78);
    m.run(1);
    expect(m.word(0x2000)).toBe(77);
  });

  it("see code that was stored a moment ago", () => {
    const m = machine(stw(3, 0, 0x1008), nop, addi(4, 0, 1), b(-12));
    m.setR(3, addi(4, 0, 2));
    m.run(3);
    expect(m.r(4)).toBe(2);
    m.setR(3, addi(4, 0, 3));
    m.run(4);
    expect(m.r(4)).toBe(3);
  });

  it("fault on a page that is not there, do nothing, and do it again afterwards", () => {
    const m = machine(lwz(3, 4, 0));
    m.setR(4, 0x0800_0000);
    m.setR(3, 5);
    m.run(1);
    expect([vectors.of(m), m.r(3), m.get(spr.SRR0)]).toEqual(["data TLB", 5, 0x1000]);
  });
});
