import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { I8254, shortestPeriod } from "../../src/devices/i8254/i8254.ts";
import { countAt, outAt } from "../../src/devices/i8254/modes.ts";
import { Ticks } from "../../src/devices/ticks.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

const ticks = new Ticks(1193182);

function bench() {
  const clock = new ManualClock();
  const irq = new Probe();
  const device = new I8254({ clock, irq, trace: quiet() });
  const put = (offset: number, byte: number) => device.registers.write(offset, 1, byte);
  const get = (offset: number) => device.registers.read(offset, 1);
  /** Goes to the first moment of a tick after now. */
  const pulses = (n: number) => clock.advance(ticks.time(ticks.at(clock.now) + n) - clock.now);
  /** Control word, then a count in two bytes. */
  const program = (i: number, mode: number, count: number, bcd = 0) => {
    put(3, (i << 6) | 0x30 | (mode << 1) | bcd);
    put(i, count & 0xff);
    put(i, count >>> 8);
  };
  const count = (i: number) => {
    put(3, i << 6);
    return get(i) | (get(i) << 8);
  };
  const status = (i: number) => {
    put(3, 0xe0 | (2 << i));
    return get(i);
  };
  const gate2 = (level: number) => device.systemControlPort.write(0, 1, level);
  return {
    clock,
    irq,
    device,
    put,
    get,
    pulses,
    program,
    count,
    status,
    gate2,
    lines: [irq],
    targets: [
      { target: device.registers, size: 4 },
      { target: device.systemControlPort, size: 1 },
    ],
  };
}

conforms("the 8254", bench);

/** The counter as the data sheet tells it, one CLK pulse after the other, for the modes which need no trigger. */
function stepped(mode: number, n: number, pulses: number): { count: number; out: boolean } {
  let count = n;
  let out = mode !== 0;
  let struck = false;
  if (mode === 3) count = n & ~1;
  for (let i = 0; i < pulses; i++) {
    if (mode === 3) {
      if (count === 2 && (n % 2 === 0 || !out)) {
        out = !out;
        count = n & ~1;
      } else if (count === 0) {
        out = !out;
        count = n & ~1;
      } else count -= 2;
      continue;
    }
    if (mode === 2 && count === 1) {
      count = n;
      out = true;
      continue;
    }
    count = (count + 65535) % 65536;
    if (mode === 2) out = count !== 1;
    if (mode === 0 && count === 0) out = true;
    if (mode === 4) {
      out = !(count === 0 && !struck);
      if (count === 0) struck = true;
    }
  }
  return { count: count % 65536, out };
}

describe("a counter of the 8254", () => {
  it.each([0, 2, 3, 4])("in mode %i is at any time where counting pulse by pulse brings it", (mode) => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(1500), (n, elapsed) => {
        const want = stepped(mode, n, elapsed);
        expect(countAt(mode, n, elapsed, 65536)).toBe(want.count);
        expect(outAt(mode, n, elapsed)).toBe(want.out);
      }),
    );
  });

  it("loads its count at the next CLK pulse, and shows NULL COUNT until then", () => {
    const { program, status, count, pulses } = bench();
    program(0, 2, 1000);
    expect(status(0)).toBe(0x80 | 0x40 | 0x34);
    pulses(1);
    expect(status(0)).toBe(0x80 | 0x34);
    expect(count(0)).toBe(1000);
    pulses(10);
    expect(count(0)).toBe(990);
  });

  it("mode 0: raises OUT n + 1 pulses after the count was written, and leaves it high", () => {
    const { program, irq, pulses } = bench();
    program(0, 0, 100);
    expect(irq.level).toBe(false);
    pulses(100);
    expect(irq.level).toBe(false);
    pulses(1);
    expect(irq.level).toBe(true);
    pulses(1_000_000);
    expect(irq.rises).toBe(1);
  });

  it("mode 0: stops and takes OUT low at the first byte of a new count", () => {
    const { program, put, irq, pulses } = bench();
    program(0, 0, 10);
    pulses(50);
    expect(irq.level).toBe(true);
    put(0, 20);
    expect(irq.level).toBe(false);
    pulses(1000);
    expect(irq.level).toBe(false);
    put(0, 0);
    pulses(21);
    expect(irq.level).toBe(true);
  });

  it("mode 2: interrupts every n pulses, exactly, for an hour", () => {
    const { program, irq, clock } = bench();
    program(0, 2, 11932);
    const first = irq.rises;
    clock.advance(3_600_000_000_000);
    // One tick goes by before the load.
    expect(irq.rises - first).toBe(Math.floor((3600 * 1193182 - 1) / 11932));
  });

  it("mode 2: a new count takes its turn after the current period", () => {
    const { program, put, count, pulses } = bench();
    program(0, 2, 100);
    pulses(1 + 60);
    put(0, 50);
    put(0, 0);
    expect(count(0)).toBe(40);
    pulses(39);
    expect(count(0)).toBe(1);
    pulses(1);
    expect(count(0)).toBe(50);
  });

  it("mode 3: is high for (n + 1) / 2 pulses and low for (n - 1) / 2", () => {
    const { program, irq, pulses } = bench();
    program(0, 3, 101);
    pulses(1 + 50);
    expect(irq.level).toBe(true);
    pulses(1);
    expect(irq.level).toBe(false);
    pulses(49);
    expect(irq.level).toBe(false);
    pulses(1);
    expect(irq.level).toBe(true);
  });

  it("mode 3: a new count takes its turn after the current half", () => {
    const { program, put, irq, pulses } = bench();
    program(0, 3, 100);
    pulses(1 + 10);
    put(0, 40);
    put(0, 0);
    pulses(40);
    expect(irq.level).toBe(false);
    pulses(19);
    expect(irq.level).toBe(false);
    pulses(1);
    expect(irq.level).toBe(true);
    pulses(20);
    expect(irq.level).toBe(false);
  });

  it("mode 4: strobes once, n + 1 pulses after the count was written", () => {
    const { program, irq, pulses } = bench();
    program(0, 4, 100);
    const before = irq.rises;
    pulses(101);
    expect(irq.rises).toBe(before);
    pulses(1);
    expect(irq.rises).toBe(before + 1);
    pulses(1_000_000);
    expect(irq.rises).toBe(before + 1);
  });

  it("mode 1: GATE triggers a pulse of n, and triggers it again", () => {
    const { program, gate2, device, pulses } = bench();
    const out2 = () => (device.systemControlPort.read(0, 1) & 0x20) !== 0;
    program(2, 1, 100);
    pulses(500);
    expect(out2()).toBe(true);
    gate2(1);
    pulses(1);
    expect(out2()).toBe(false);
    pulses(60);
    gate2(0);
    gate2(1);
    pulses(100);
    expect(out2()).toBe(false);
    pulses(1);
    expect(out2()).toBe(true);
  });

  it("mode 5: GATE starts the count to the strobe", () => {
    const { program, gate2, device, pulses } = bench();
    const out2 = () => (device.systemControlPort.read(0, 1) & 0x20) !== 0;
    program(2, 5, 10);
    pulses(100);
    gate2(1);
    pulses(10);
    expect(out2()).toBe(true);
    pulses(1);
    expect(out2()).toBe(false);
    pulses(1);
    expect(out2()).toBe(true);
  });

  it("mode 0: GATE low stops counting, GATE high goes on", () => {
    const { program, gate2, count, device, pulses } = bench();
    gate2(1);
    program(2, 0, 100);
    pulses(1 + 30);
    gate2(0);
    pulses(500);
    expect(count(2)).toBe(70);
    gate2(1);
    pulses(69);
    expect(device.systemControlPort.read(0, 1) & 0x20).toBe(0);
    pulses(1);
    expect(device.systemControlPort.read(0, 1) & 0x20).toBe(0x20);
  });

  it("mode 2: GATE low takes OUT high, and its rise starts the count again", () => {
    const { program, gate2, count, pulses } = bench();
    gate2(1);
    program(2, 2, 100);
    pulses(1 + 60);
    gate2(0);
    pulses(1000);
    gate2(1);
    pulses(1 + 5);
    expect(count(2)).toBe(95);
  });

  it("holds a latched count until it is read, and ignores further latch commands", () => {
    const { program, put, get, pulses } = bench();
    program(0, 2, 5000);
    pulses(1 + 1000);
    put(3, 0x00);
    pulses(100);
    put(3, 0x00);
    expect(get(0) | (get(0) << 8)).toBe(4000);
    expect(get(0) | (get(0) << 8)).toBe(3900);
  });

  it("gives the status before the count when the read-back command latched both", () => {
    const { program, put, get, pulses } = bench();
    program(1, 3, 5000);
    pulses(1 + 100);
    put(3, 0xc4);
    expect(get(1)).toBe(0x80 | 0x36);
    expect(get(1) | (get(1) << 8)).toBe(4800);
  });

  it("reads and writes one byte where the control word says so", () => {
    const { put, get, pulses } = bench();
    put(3, 0x14);
    put(0, 200);
    pulses(1 + 10);
    expect([get(0), get(0)]).toEqual([190, 190]);
    put(3, 0x24);
    put(0, 0x02);
    pulses(1 + 0x80);
    expect([get(0), get(0)]).toEqual([0x01, 0x01]);
  });

  it("counts in BCD, from 9999 on where it was given 0", () => {
    const { program, count, pulses } = bench();
    program(0, 2, 0x1000, 1);
    pulses(1 + 1);
    expect(count(0)).toBe(0x0999);
    program(0, 0, 0, 1);
    pulses(1 + 1);
    expect(count(0)).toBe(0x9999);
  });

  it.each([2, 3])("mode %i with a count of 1 does not storm: the line rises once in 16 ticks at most", (mode) => {
    const { program, irq, clock } = bench();
    program(0, mode, 1);
    const before = irq.rises;
    clock.advance(1_000_000);
    expect(irq.rises - before).toBeLessThanOrEqual(Math.ceil(1193.182 / shortestPeriod));
    expect(irq.rises - before).toBeGreaterThan(70);
  });
});

describe("port 0x61", () => {
  it("keeps the gate, speaker and NMI enable bits, and tells of no error", () => {
    const { device } = bench();
    device.systemControlPort.write(0, 1, 0xff);
    expect(device.systemControlPort.read(0, 1) & 0xcf).toBe(0x0f);
  });

  it("toggles the refresh bit every 15 microseconds", () => {
    const { device, clock } = bench();
    let changes = 0;
    let last = 0;
    for (let i = 0; i < 1000; i++) {
      const now = device.systemControlPort.read(0, 1) & 0x10;
      if (now !== last) changes++;
      last = now;
      clock.advance(1000);
    }
    expect(changes).toBe(66);
  });
});
