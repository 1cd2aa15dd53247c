import { describe, expect, it } from "vitest";
import { spr } from "../../../src/cpu/e500/slots.ts";
import { mfspr, mtspr, nop } from "./asm.ts";
import { Bare, executors } from "./bare.ts";
import { vectors } from "./vectors-of-interrupts.ts";

const ee = 0x8000;
const ce = 0x2_0000;
const die = 0x0400_0000;
const dis = 0x0800_0000;
const are = 0x0040_0000;
const fie = 0x0080_0000;
const fis = 0x0400_0000;
const wie = 0x0800_0000;
const wis = 0x4000_0000;
const enw = 0x8000_0000;
const [dec, decar, tsr, tcr, tblWrite, tbuWrite] = [22, 54, 336, 340, 284, 285];

/** TCR fields which choose a bit of the timebase, counted from the right. */
const fixedPeriod = (bit: number) => (((63 - bit) & 3) << 24) | (((63 - bit) >> 2) << 13);
const watchdogPeriod = (bit: number) => (((63 - bit) & 3) << 30) | (((63 - bit) >> 2) << 17);

describe.each(executors)("timers, on the %s", (executor) => {
  const machine = () => {
    const m = new Bare(executor);
    m.enter(0x1000);
    vectors.set(m);
    m.code(0x1000, nop, nop, nop, nop);
    return m;
  };
  const write = (m: Bare, number: number, value: number) => {
    m.code(0x3000, mtspr(number, 9));
    m.setR(9, value);
    const { pc } = m;
    m.pc = 0x3000;
    m.run(1);
    m.pc = pc;
  };
  const read = (m: Bare, number: number) => {
    m.code(0x3000, mfspr(9, number));
    const { pc } = m;
    m.pc = 0x3000;
    m.run(1);
    m.pc = pc;
    return m.r(9);
  };
  /** Time goes on to a tick, as the board would have it: the alarm rings on the way. */
  const until = (m: Bare, tick: number) => {
    while (m.wires.due <= tick) {
      m.wires.now = Math.max(m.wires.now, m.wires.due);
      m.front.timer();
    }
    m.wires.now = tick;
  };

  it("read the timebase in two halves, also as a user", () => {
    const m = machine();
    m.wires.now = 5 * 2 ** 32 + 77;
    expect([read(m, 268), read(m, 269), read(m, 526), read(m, 527)]).toEqual([77, 5, 77, 5]);
    m.msr(0x4000);
    expect(read(m, 268)).toBe(77);
  });

  it("set the timebase, and carry from its lower half to its upper", () => {
    const m = machine();
    m.wires.now = 1000;
    write(m, tblWrite, 0xffff_fff0);
    write(m, tbuWrite, 0xffff_ffff);
    expect([read(m, 268), read(m, 269)]).toEqual([0xffff_fff0, 0xffff_ffff]);
    m.wires.now += 0x20;
    expect([read(m, 268), read(m, 269)]).toEqual([0x10, 0]);
  });

  it("count DEC down with the timebase, to 0 and no further", () => {
    const m = machine();
    write(m, dec, 1000);
    until(m, 400);
    expect(read(m, dec)).toBe(600);
    expect(m.wires.due).toBe(1000);
    until(m, 999);
    expect([read(m, dec), read(m, tsr) & dis]).toEqual([1, 0]);
    until(m, 1000);
    expect([read(m, dec), read(m, tsr) & dis]).toEqual([0, dis]);
    until(m, 5000);
    expect(read(m, dec)).toBe(0);
    expect(m.wires.due).toBe(Number.POSITIVE_INFINITY);
  });

  it("count from 2^32 - 1", () => {
    const m = machine();
    write(m, dec, 0xffff_ffff);
    until(m, 16);
    expect(read(m, dec)).toBe(0xffff_ffef);
  });

  it("take writing 0 for no exception", () => {
    const m = machine();
    write(m, dec, 10);
    write(m, dec, 0);
    until(m, 100);
    expect(read(m, tsr) & dis).toBe(0);
  });

  it("interrupt by DEC when TCR[DIE] and MSR[EE] are set, until TSR[DIS] is cleared by a one", () => {
    const m = machine();
    write(m, dec, 10);
    m.msr(ee);
    until(m, 10);
    m.front.service();
    expect(vectors.of(m)).toBeUndefined();
    write(m, tcr, die);
    m.front.service();
    expect(vectors.of(m)).toBe("decrementer");
    expect(m.get(spr.SRR1)).toBe(ee);
    write(m, tsr, dis);
    expect(read(m, tsr)).toBe(0);
  });

  it("reload DEC from DECAR under TCR[ARE]", () => {
    const m = machine();
    write(m, decar, 100);
    write(m, tcr, are);
    write(m, dec, 30);
    until(m, 31);
    expect([read(m, dec), read(m, tsr) & dis]).toEqual([99, dis]);
    write(m, tsr, dis);
    until(m, 130);
    expect([read(m, dec), read(m, tsr) & dis]).toEqual([100, dis]);
  });

  it("ask for no alarm while DIS is set, however short DECAR is, and count on", () => {
    const m = machine();
    write(m, decar, 1);
    write(m, tcr, are | die);
    write(m, dec, 5);
    until(m, 5);
    expect(m.wires.due).toBe(Number.POSITIVE_INFINITY);
    m.wires.now = 1000;
    write(m, decar, 100);
    expect(read(m, dec)).toBe(1);
    write(m, tsr, dis);
    expect(m.wires.due).toBe(1001);
    until(m, 1001);
    expect(read(m, dec)).toBe(100);
  });

  it("set TSR[FIS] when the chosen bit of the timebase rises", () => {
    const m = machine();
    write(m, tcr, fixedPeriod(10) | fie);
    expect(m.wires.due).toBe(1024);
    until(m, 1023);
    expect(read(m, tsr) & fis).toBe(0);
    m.msr(ee);
    until(m, 1024);
    m.front.service();
    expect(vectors.of(m)).toBe("fixed interval");
    write(m, tsr, fis);
    expect(m.wires.due).toBe(1024 + 2048);
  });

  it("see a rise also when nobody asked for the interrupt", () => {
    const m = machine();
    write(m, tcr, fixedPeriod(4));
    expect(m.wires.due).toBe(Number.POSITIVE_INFINITY);
    m.wires.now = 17;
    expect(read(m, tsr) & fis).toBe(fis);
  });

  it("run the watchdog: enable next, interrupt, reset", () => {
    const m = machine();
    write(m, tcr, watchdogPeriod(8) | wie | 0x2000_0000);
    until(m, 256);
    expect(read(m, tsr)).toBe(enw);
    until(m, 768);
    expect(read(m, tsr)).toBe((enw | wis) >>> 0);
    m.msr(ce);
    m.front.service();
    expect(vectors.of(m)).toBe("watchdog");
    expect(m.wires.resets).toEqual([]);
    until(m, 1280);
    expect(m.wires.resets).toEqual(["watchdog"]);
    expect(read(m, tsr) & 0x3000_0000).toBe(0x2000_0000);
    m.front.reset();
    expect(m.get(spr.TSR)).toBe(0x2000_0000);
  });

  it("leave the watchdog alone while its status is cleared in time", () => {
    const m = machine();
    write(m, tcr, watchdogPeriod(8) | 0x2000_0000);
    for (let tick = 300; tick < 10_000; tick += 300) {
      until(m, tick);
      write(m, tsr, enw | wis);
    }
    expect(m.wires.resets).toEqual([]);
  });

  it("never clear TCR[WRC] once it is set", () => {
    const m = machine();
    write(m, tcr, 0x1000_0000);
    write(m, tcr, 0x2000_0000 | die);
    expect(read(m, tcr)).toBe(0x1000_0000 | die);
  });

  it("ask for no alarm after reset", () => {
    const m = machine();
    write(m, dec, 1000);
    m.front.reset();
    expect(m.wires.due).toBe(Number.POSITIVE_INFINITY);
    expect(m.wires.timebase()).toBe(0);
  });
});
