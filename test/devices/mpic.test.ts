import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { swapBytes } from "../../src/bus/target.ts";
import { Mpic } from "../../src/devices/mpic/mpic.ts";
import { shortestPeriod } from "../../src/devices/mpic/timers.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

const iack = 0x200a0;
const ctpr = 0x20080;
const msiir = 0x1740;
const source = (n: number) => 0x10000 + 0x20 * n;

function bench() {
  const clock = new ManualClock();
  const int = new Probe();
  const critical = new Probe();
  const device = new Mpic({ clock, timerClock: 400e6, int, critical, trace: quiet() });
  const get = (offset: number) => swapBytes(device.registers.read(offset, 4), 4);
  const put = (offset: number, value: number) => device.registers.write(offset, 4, swapBytes(value, 4));
  const eoi = () => put(0x200b0, 0);
  return {
    clock,
    int,
    critical,
    device,
    get,
    put,
    eoi,
    lines: [int, critical],
    kept: ["lines"],
    targets: [
      { target: device.registers, size: 0x100 },
      { target: at(device, 0x1000), size: 0x800 },
      { target: at(device, 0x2000), size: 0x400 },
      { target: at(device, 0x10000), size: 0x400 },
      { target: at(device, 0x20000), size: 0x100 },
    ],
  };
}

/** The registers from an offset on. */
function at(device: Mpic, base: number) {
  const { registers } = device;
  return {
    read: (offset: number, width: 1 | 2 | 4) => registers.read(base + offset, width),
    write: (offset: number, width: 1 | 2 | 4, value: number) => registers.write(base + offset, width, value),
  };
}

/** In mixed mode with all priorities let through. */
function open(gcr = 0x2000_0000) {
  const b = bench();
  b.put(0x1020, gcr);
  b.put(ctpr, 0);
  return b;
}

/** Vector `n`, at a priority, unmasked; level or edge. */
const vpr = (n: number, priority: number, level = true) => ((level ? 0x40_0000 : 0) | (priority << 16) | n) >>> 0;

conforms("the MPIC", () => {
  const b = open();
  const inputs = [1, 2, 42].map((n) => b.device.input(n));
  return {
    ...b,
    disturb: (n) => {
      if (n < 0x80) inputs[n % 3]!.set((n & 8) !== 0);
      else if (n < 0xe0) b.device.registers.message?.(msiir, n);
      else b.device.acknowledge();
    },
  };
});

describe("the MPIC", () => {
  it("is block revision 4.2 and an OpenPIC 1.2 with 196 sources", () => {
    const { get } = bench();
    expect(get(0)).toBe(0x0040_0402);
    expect(get(0x1000)).toBe(0x00c3_0002);
    expect(get(0x90)).toBe(0);
  });

  it("masks every source after reset, sends all to processor 0 and lets none through", () => {
    const { get } = bench();
    for (const n of [0, 15, 42, 224, 255]) {
      expect(get(source(n))).toBe(0x8000_0000);
      expect(get(source(n) + 0x10)).toBe(1);
    }
    expect(get(ctpr)).toBe(15);
    expect(get(0x10e0)).toBe(0xffff);
  });

  it("has its registers in big-endian order", () => {
    const { device } = bench();
    expect([0, 1, 2, 3].map((i) => device.registers.read(i, 1))).toEqual([0x00, 0x40, 0x04, 0x02]);
    expect(device.registers.read(2, 2)).toBe(0x0204);
  });

  it("gives the vector by IACK, and shows the source active until its end", () => {
    const { device, put, get, int, eoi } = open();
    const line = device.input(42);
    put(source(42), vpr(0x2a, 8));
    line.set(true);
    expect(int.level).toBe(true);
    expect(get(source(42))).toBe(0x4048_002a);
    expect(get(iack)).toBe(0x2a);
    expect(int.level).toBe(false);
    line.set(false);
    expect(get(source(42))).toBe(0x4048_002a);
    eoi();
    expect(get(source(42))).toBe(0x0048_002a);
  });

  it("asks again after the end of interrupt while a level is still there", () => {
    const { device, put, get, int, eoi } = open();
    const line = device.input(42);
    put(source(42), vpr(0x2a, 8));
    line.set(true);
    get(iack);
    eoi();
    expect(int.level).toBe(true);
    line.set(false);
    expect(int.level).toBe(false);
    expect(get(iack)).toBe(0xffff);
  });

  it("keeps an edge of an external source until it is acknowledged, and sees it once", () => {
    const { device, put, get, int, eoi } = open();
    const line = device.input(1);
    put(source(1), vpr(0x11, 4, false));
    line.set(true);
    line.set(false);
    expect(int.level).toBe(true);
    expect(get(iack)).toBe(0x11);
    eoi();
    expect(int.level).toBe(false);
  });

  it("interrupts for higher priorities only, and ends the highest first", () => {
    const { device, put, get, int, eoi } = open();
    const [low, same, high] = [device.input(1), device.input(2), device.input(3)];
    put(source(1), vpr(1, 5));
    put(source(2), vpr(2, 5));
    put(source(3), vpr(3, 9));
    low.set(true);
    expect(get(iack)).toBe(1);
    same.set(true);
    expect(int.level).toBe(false);
    high.set(true);
    expect(get(iack)).toBe(3);
    high.set(false);
    eoi();
    expect(int.level).toBe(false);
    low.set(false);
    eoi();
    expect(get(iack)).toBe(2);
  });

  it("never delivers priority 0, nor what is not above CTPR", () => {
    const { device, put, int } = open();
    device.input(1).set(true);
    put(source(1), vpr(1, 0));
    expect(int.level).toBe(false);
    put(source(1), vpr(1, 7));
    expect(int.level).toBe(true);
    put(ctpr, 7);
    expect(int.level).toBe(false);
    put(ctpr, 6);
    expect(int.level).toBe(true);
  });

  it("leads IRQ0 straight to the processor in pass-through mode", () => {
    const { device, int } = bench();
    device.input(5).set(true);
    expect(int.level).toBe(false);
    device.input(0).set(true);
    expect(int.level).toBe(true);
  });

  it("is acknowledged by the processor in proxy mode, and only then", () => {
    const mixed = open();
    mixed.device.input(1).set(true);
    mixed.put(source(1), vpr(0x51, 5));
    expect(mixed.device.proxy).toBe(false);
    expect(mixed.device.acknowledge()).toBe(0);
    expect(mixed.int.level).toBe(true);
    const proxy = open(0x6000_0000);
    proxy.device.input(1).set(true);
    proxy.put(source(1), vpr(0x51, 5));
    expect(proxy.device.proxy).toBe(true);
    expect(proxy.device.acknowledge()).toBe(0x51);
    expect(proxy.int.level).toBe(false);
  });

  it("takes messages: data 0xHH as a little-endian write is SRS HH >> 5, IBS HH & 31", () => {
    const { device, put, get, int, eoi } = open();
    put(source(224 + 3), vpr(0xe3, 8));
    device.registers.message?.(msiir, 0x65);
    device.registers.message?.(msiir, 0x7f);
    expect(int.level).toBe(true);
    expect(get(0x1720)).toBe(0x08);
    expect(get(iack)).toBe(0xe3);
    expect(get(0x1630)).toBe(0x8000_0020);
    expect(get(0x1630)).toBe(0);
    eoi();
    expect(int.level).toBe(false);
  });

  it("takes a message which arrives between the read of MSIR and the end of interrupt", () => {
    const { device, put, get, int, eoi } = open();
    put(source(224), vpr(0xe0, 8));
    device.registers.message?.(msiir, 0x01);
    get(iack);
    get(0x1600);
    device.registers.message?.(msiir, 0x02);
    expect(int.level).toBe(false);
    eoi();
    expect(get(iack)).toBe(0xe0);
    expect(get(0x1600)).toBe(0x04);
  });

  it("takes no message anywhere else", () => {
    const { device, put, int } = open();
    put(source(224), vpr(0xe0, 8));
    device.registers.message?.(0x1600, 0x01);
    expect(int.level).toBe(false);
  });

  it("interrupts itself by the dispatch registers", () => {
    const { put, get, int } = open();
    put(0x10b0, vpr(0x71, 10, false));
    put(0x20050, 1);
    expect(int.level).toBe(true);
    expect(get(iack)).toBe(0x71);
  });

  it("raises the critical input for a source which goes there, and not INT", () => {
    const { device, put, int, critical } = open();
    put(source(1), vpr(1, 5));
    put(source(1) + 0x10, 0x4000_0000);
    device.input(1).set(true);
    expect([int.level, critical.level]).toEqual([false, true]);
  });

  it.each([
    ["A", 0x1000],
    ["B", 0x2000],
  ] as const)(
    "counts its timers of group %s down at an eighth of the platform clock, and toggles at zero",
    (_group, at) => {
      const { put, get, int, clock, eoi } = open();
      put(at + 0x120, vpr(0x81, 9, false));
      put(at + 0x110, 50_000);
      clock.advance(400_000);
      expect(get(at + 0x100)).toBe(30_000);
      clock.advance(600_000);
      expect(int.level).toBe(true);
      expect(get(iack)).toBe(0x81);
      expect(get(at + 0x100)).toBe(0x8000_0000 + 50_000);
      eoi();
      clock.advance(999_999);
      expect(int.level).toBe(false);
      clock.advance(1);
      expect(int.level).toBe(true);
    },
  );

  it.each([
    ["A", 0x1000],
    ["B", 0x2000],
  ] as const)("stops a timer of group %s whose count is inhibited, where it is", (_group, at) => {
    const { put, get, clock } = open();
    put(at + 0x150, 1000);
    clock.advance(2_000);
    put(at + 0x150, 0x8000_03e8);
    expect(get(at + 0x140)).toBe(900);
    clock.advance(1e6);
    expect(get(at + 0x140)).toBe(900);
  });

  it("keeps both groups of timers apart, their frequencies, dividers and vectors too", () => {
    const { put, get, clock } = open();
    put(0x10f0, 1);
    put(0x20f0, 2);
    // Group B counts a 64th of the platform clock.
    put(0x2300, 0x300);
    put(0x1110, 100_000);
    put(0x2110, 100_000);
    put(0x11a0, vpr(0x11, 3, false));
    put(0x21a0, vpr(0x22, 4, false));
    clock.advance(160_000);
    expect([get(0x1100), get(0x2100)]).toEqual([92_000, 99_000]);
    expect([get(0x10f0), get(0x20f0), get(0x1300), get(0x2300)]).toEqual([1, 2, 0, 0x300]);
    expect([get(0x11a0), get(0x21a0)]).toEqual([vpr(0x11, 3, false), vpr(0x22, 4, false)]);
  });

  it("has no error to tell of, and keeps the mask of them", () => {
    const { put, get } = open();
    put(0x3910, 0x1234_5678);
    expect([get(0x3900), get(0x3910)]).toEqual([0, 0x1234_5678]);
  });

  it("does not storm with a base count of 1: ten microseconds between two interrupts", () => {
    const { put, get, int, clock, eoi } = open();
    put(0x1120, vpr(0x81, 9, false));
    put(0x1110, 1);
    let count = 0;
    for (let i = 0; i < 10_000; i++) {
      clock.advance(100);
      if (!int.level) continue;
      count++;
      get(iack);
      eoi();
    }
    expect(count).toBeGreaterThan(90);
    expect(count).toBeLessThanOrEqual(1_000_000 / shortestPeriod + 1);
  });

  it("is as after reset when GCR's reset bit is written", () => {
    const { device, put, get, int } = open();
    put(source(1), vpr(1, 5));
    device.registers.message?.(msiir, 0x01);
    device.input(1).set(true);
    put(0x1020, 0x8000_0000);
    expect(int.level).toBe(false);
    expect(get(0x1020)).toBe(0);
    expect(get(source(1))).toBe(0x8000_0000);
    expect(get(0x1600)).toBe(0);
    expect(get(source(224))).toBe(0x8000_0000);
  });
});

describe("whatever is asked of the MPIC", () => {
  type Step = readonly [
    what: "vpr" | "destination" | "line" | "take" | "end" | "ctpr" | "message",
    n: number,
    value: number,
  ];
  const some = [0, 3, 15, 16, 31, 32, 63, 223, 224, 231, 255];

  /** As chapter 10.3 of the manual says it, by a look at every source. */
  function expected({ state: { now: s } }: Mpic): { readonly int: boolean; readonly critical: boolean } {
    const priority = (n: number) => ((s.vpr[n] as number) >>> 16) & 15;
    const isLevel = (n: number) => n < 256 && (n >= 16 || ((s.vpr[n] as number) & 0x0040_0000) !== 0);
    const asks = (n: number) =>
      (isLevel(n) ? s.lines[n] !== 0 : s.edges[n] !== 0) && ((s.vpr[n] as number) & 0x8000_0000) === 0;
    const sources = Array.from(s.vpr, (_, n) => n);
    const serving = sources.filter((n) => s.inService[n] !== 0).map(priority);
    const above = Math.max(s.taskPriority, ...serving);
    return {
      int: sources.some((n) => asks(n) && s.destination[n] === 1 && priority(n) > above),
      critical: sources.some((n) => n < 256 && asks(n) && ((s.destination[n] as number) & 0x4000_0000) !== 0),
    };
  }

  it("its outputs are those of the sources that ask", () => {
    const what = fc.constantFrom<Step[0]>("vpr", "destination", "line", "take", "end", "ctpr", "message");
    const step = fc.tuple(what, fc.constantFrom(...some), fc.nat({ max: 0xffff_ffff }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps: Step[], restored) => {
        const { device, get, put, eoi, int, critical } = open();
        for (const [what, n, value] of steps) {
          if (what === "vpr") put(source(n), value & 0x804f_00ff);
          else if (what === "destination") put(source(n) + 0x10, value & 0x4000_0001);
          else if (what === "line" && (n < 224 || n > 231)) device.input(n).set((value & 1) !== 0);
          else if (what === "take") get(iack);
          else if (what === "end") eoi();
          else if (what === "ctpr") put(ctpr, value & 3);
          else if (what === "message") put(msiir, value);
          expect({ int: int.level, critical: critical.level }).toEqual(expected(device));
        }
        if (restored) device.restored();
        expect({ int: int.level, critical: critical.level }).toEqual(expected(device));
      }),
      { numRuns: 300 },
    );
  });
});
