import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mc146818 } from "../../src/devices/mc146818.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

const second = 1e9;
/** 2024-02-29 23:59:58 UTC, a Thursday. */
const leapDay = Date.UTC(2024, 1, 29, 23, 59, 58) / 1000;

function bench(startTime = leapDay) {
  const clock = new ManualClock();
  const irq = new Probe();
  const device = new Mc146818({ clock, irq, trace: quiet(), startTime });
  const get = (index: number) => {
    device.registers.write(0, 1, index);
    return device.registers.read(1, 1);
  };
  const put = (index: number, byte: number) => {
    device.registers.write(0, 1, index);
    device.registers.write(1, 1, byte);
  };
  const shown = () => [0x32, 9, 8, 7, 4, 2, 0].map(get);
  return {
    clock,
    irq,
    device,
    get,
    put,
    shown,
    lines: [irq],
    targets: [{ target: device.registers, size: 2 }],
    kept: ["cmos", "time", "since", "settled"],
  };
}

conforms("the MC146818", bench);

describe("the MC146818", () => {
  it("shows the time in BCD and 24 hours after power-on", () => {
    const { shown, get } = bench();
    expect(shown()).toEqual([0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x58]);
    expect(get(6)).toBe(5);
    expect(get(0x0d)).toBe(0x80);
  });

  it("counts through midnight, leap day and month", () => {
    const { shown, clock } = bench();
    clock.advance(2 * second);
    expect(shown()).toEqual([0x20, 0x24, 0x03, 0x01, 0x00, 0x00, 0x00]);
  });

  it("shows binary, and 12 hours with PM in bit 7, where register B says so", () => {
    const { put, get, shown } = bench();
    put(0x0b, 0x06);
    expect(shown()).toEqual([20, 24, 2, 29, 23, 59, 58]);
    put(0x0b, 0x00);
    expect(get(4)).toBe(0x91);
    put(0x0b, 0x04);
    expect(get(4)).toBe(0x8b);
  });

  it.each([
    [0, 0x12],
    [1, 0x01],
    [12, 0x92],
    [13, 0x81],
  ])("calls hour %i by its name on a 12-hour dial", (hour, byte) => {
    const { put, get } = bench(hour * 3600);
    put(0x0b, 0x00);
    expect(get(4)).toBe(byte);
  });

  it("reads back any time which was set while SET stood, in each of its four forms", () => {
    fc.assert(
      fc.property(fc.nat(4_000_000_000), fc.constantFrom(0, 2, 4, 6), (time, form) => {
        const one = bench(time);
        one.put(0x0b, form);
        const fields = one.shown();
        const two = bench(0);
        two.put(0x0b, 0x80 | form);
        for (const [i, index] of [0x32, 9, 8, 7, 4, 2, 0].entries()) two.put(index, fields[i]!);
        two.put(0x0b, form);
        expect(two.device.time).toBe(time);
        expect(two.shown()).toEqual(fields);
      }),
    );
  });

  it("stands still while SET is 1, and does not say that it updates", () => {
    const { put, shown, get, clock } = bench();
    put(0x0b, 0x82);
    const before = shown();
    clock.advance(10 * second);
    expect(shown()).toEqual(before);
    clock.advance(second - 1000);
    expect(get(0x0a) & 0x80).toBe(0);
  });

  it("makes its first update half a second after the divider is let go", () => {
    const { put, get, clock } = bench();
    clock.advance(123_456_789);
    put(0x0a, 0x76);
    clock.advance(5 * second);
    put(0x0a, 0x26);
    clock.advance(second / 2 - 1);
    expect(get(0)).toBe(0x58);
    clock.advance(1);
    expect(get(0)).toBe(0x59);
  });

  it("announces an update by UIP, 244 microseconds before it and through its 1984", () => {
    const { get, clock } = bench();
    clock.advance(second - 2_228_001);
    expect(get(0x0a)).toBe(0x26);
    clock.advance(1);
    expect(get(0x0a)).toBe(0xa6);
    clock.advance(2_227_999);
    expect(get(0x0a)).toBe(0xa6);
    clock.advance(1);
    expect(get(0x0a)).toBe(0x26);
  });

  it("interrupts at the end of an update; reading register C takes the line down", () => {
    const { get, put, clock, irq } = bench();
    put(0x0b, 0x12);
    clock.advance(second - 1);
    expect(irq.level).toBe(false);
    clock.advance(1);
    expect(irq.level).toBe(true);
    expect(get(0x0c) & 0xb0).toBe(0x90);
    expect(irq.level).toBe(false);
    clock.advance(3 * second);
    expect(irq.rises).toBe(2);
  });

  it.each([
    [3, 8192],
    [6, 1024],
    [15, 2],
    [1, 256],
    [2, 128],
  ])("at rate %i interrupts %i times a second", (rate, hertz) => {
    const { get, put, clock, irq } = bench();
    put(0x0a, 0x20 | rate);
    put(0x0b, 0x42);
    get(0x0c);
    let count = 0;
    for (let t = 0; t < 16384; t++) {
      // A quarter of a second, in steps of half a crystal tick.
      clock.advance(second / 65536);
      if (!irq.level) continue;
      count++;
      expect(get(0x0c) & 0xc0).toBe(0xc0);
    }
    expect(Math.abs(count - hertz / 4)).toBeLessThanOrEqual(1);
  });

  it("sets its flags without an interrupt where none is enabled", () => {
    const { get, clock, irq } = bench();
    get(0x0c);
    clock.advance(second);
    expect(irq.level).toBe(false);
    expect(get(0x0c) & 0xd0).toBe(0x50);
    expect(get(0x0c)).toBe(0);
  });

  it("rings once a day where hour, minute and second are given", () => {
    const { get, put, clock, irq } = bench();
    put(5, 0x00);
    put(3, 0x01);
    put(1, 0x30);
    put(0x0b, 0x22);
    clock.advance(91 * second);
    expect(irq.level).toBe(false);
    clock.advance(second);
    expect(irq.level).toBe(true);
    expect(get(0x0c) & 0xa0).toBe(0xa0);
    clock.advance(86400 * second - 1);
    expect(irq.level).toBe(false);
    clock.advance(1);
    expect(irq.level).toBe(true);
  });

  it("rings every minute where hour and minute do not matter", () => {
    const { get, put, clock, irq } = bench();
    put(5, 0xc0);
    put(3, 0xff);
    put(1, 0x00);
    put(0x0b, 0x22);
    let rings = 0;
    for (let t = 0; t < 600; t++) {
      clock.advance(second);
      if (irq.level) rings++;
      get(0x0c);
    }
    expect(rings).toBe(10);
  });

  it("never rings for a time of day which does not come", () => {
    const { put, clock, irq } = bench();
    put(5, 0xc0);
    put(3, 0xc0);
    put(1, 0x75);
    put(0x0b, 0x22);
    clock.advance(200_000 * second);
    expect(irq.level).toBe(false);
  });

  it("keeps RAM, time and form over a reset, and drops interrupt enables and flags", () => {
    const { device, get, put, clock, irq } = bench();
    put(0x40, 0xa5);
    put(0x0b, 0x76);
    clock.advance(second);
    expect(irq.level).toBe(true);
    device.reset();
    expect(irq.level).toBe(false);
    expect(get(0x40)).toBe(0xa5);
    expect(get(0x0b)).toBe(0x06);
    expect(get(0)).toBe(59);
  });

  it("tells the size of memory where PC firmware looks for it", () => {
    const { device, get } = bench();
    const word = (index: number) => get(index) | (get(index + 1) << 8);
    device.setMemorySize(256 * 2 ** 20, 3 * 2 ** 30);
    expect(word(0x15)).toBe(640);
    expect(word(0x17)).toBe(0xffff);
    expect(word(0x30)).toBe(0xffff);
    expect(word(0x34)).toBe((240 * 2 ** 20) / 65536);
    expect(word(0x5b) | (get(0x5d) << 16)).toBe((3 * 2 ** 30) / 65536);
    device.setMemorySize(8 * 2 ** 20, 0);
    expect(word(0x17)).toBe(7 * 1024);
    expect(word(0x34)).toBe(0);
  });
});
