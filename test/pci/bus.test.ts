import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BarSpec } from "../../src/pci/bar.ts";
import type { PciFunction } from "../../src/pci/function.ts";
import { command, header } from "../../src/pci/registers.ts";
import { aFunction, highWindow, memoryWindow, pciMachine, portWindow, ramSize, Scratch } from "./fixture.ts";

function withBar(spec: Omit<BarSpec, "target" | "index"> & { index?: number }, byte = 0x11) {
  const machine = pciMachine();
  const target = new Scratch(byte);
  const fn = aFunction();
  fn.addBar({ index: 0, ...spec, target });
  machine.bus.plug(4, 0, fn);
  fn.writeConfig(header.command, 2, command.io | command.memory);
  return { ...machine, fn, target };
}

describe("configuration accesses", () => {
  it("read all ones where nothing is: device, function, bus, bus 255 and device 31 function 7 (hostile case 28)", () => {
    const { bus } = pciMachine();
    bus.plug(3, 0, aFunction());
    for (const [b, d, f] of [
      [0, 4, 0],
      [0, 3, 1],
      [1, 3, 0],
      [255, 31, 7],
      [0, 31, 7],
      [0, 40, 0],
      [0, 3, 9],
    ] as const) {
      expect(bus.readConfig(b, d, f, 0, 4)).toBe(0xffff_ffff);
      expect(bus.readConfig(b, d, f, 2, 2)).toBe(0xffff);
      expect(bus.readConfig(b, d, f, 0, 1)).toBe(0xff);
      bus.writeConfig(b, d, f, 4, 2, 0xffff);
    }
    expect(bus.readConfig(0, 3, 0, 0, 4)).toBe(0x5678_1234);
    expect(bus.readConfig(0, 3, 0, 4, 2)).toBe(0);
  });

  it("find function 0 saying that there are more, in whatever order they were plugged (PCI 3.0 section 6.2.1)", () => {
    const { bus } = pciMachine();
    bus.plug(1, 3, aFunction("a"));
    bus.plug(1, 0, aFunction("b"));
    bus.plug(2, 0, aFunction("c"));
    expect(bus.readConfig(0, 1, 0, header.headerType, 1)).toBe(0x80);
    expect(bus.readConfig(0, 2, 0, header.headerType, 1)).toBe(0);
    for (const f of bus.functions) f.reset();
    expect(bus.readConfig(0, 1, 0, header.headerType, 1)).toBe(0x80);
  });

  it("keep one function to a slot", () => {
    const { bus } = pciMachine();
    bus.plug(3, 0, aFunction());
    expect(() => bus.plug(3, 0, aFunction())).toThrow("00:03.0 is taken");
    expect(() => bus.plug(32, 0, aFunction())).toThrow(RangeError);
  });
});

describe("a BAR", () => {
  it("answers at its bus address, from its first byte to its last", () => {
    const { memory, fn, target } = withBar({ kind: "memory32", size: 0x1000 });
    fn.writeConfig(0x10, 4, 0xe012_3000);
    expect(memory.read(0xe012_2fff, 1)).toBe(0xff);
    expect(memory.read(0xe012_3000, 4)).toBe(0x11111111);
    memory.write(0xe012_3fff, 1, 7);
    expect(target.writes).toEqual([{ offset: 0xfff, width: 1, value: 7 }]);
    expect(memory.read(0xe012_4000, 1)).toBe(0xff);
  });

  it("moves at run time and leaves nothing behind", () => {
    const { memory, fn } = withBar({ kind: "memory32", size: 0x1000 });
    fn.writeConfig(0x10, 4, 0xe000_0000);
    fn.writeConfig(0x10, 4, 0xe800_0000);
    expect([memory.read(0xe000_0000, 1), memory.read(0xe800_0000, 1)]).toEqual([0xff, 0x11]);
  });

  it("moves byte by byte too", () => {
    const { memory, fn } = withBar({ kind: "memory32", size: 0x1000 });
    fn.writeConfig(0x13, 1, 0xe4);
    fn.writeConfig(0x12, 1, 0x10);
    expect(memory.read(0xe410_0000, 1)).toBe(0x11);
  });

  it("of 64 bits goes above 4 GiB", () => {
    const { memory, fn } = withBar({ kind: "memory64", prefetchable: true, size: 0x4000 });
    fn.writeConfig(0x10, 4, 0x0001_0000);
    fn.writeConfig(0x14, 4, 2);
    expect(memory.read(2 ** 33 + 0x1_0000, 2)).toBe(0x1111);
  });

  it("of ports answers in the port space alone", () => {
    const { memory, ports, fn } = withBar({ kind: "io", size: 64 });
    fn.writeConfig(0x10, 4, 0xc040);
    expect([ports.read(0xc040, 1), ports.read(0xc07f, 1), ports.read(0xc080, 1)]).toEqual([0x11, 0x11, 0xff]);
    expect(memory.read(0xc040, 1)).not.toBe(0x11);
  });

  it("is decoded while its bit of the command register is set (section 6.2.2)", () => {
    const { memory, fn } = withBar({ kind: "memory32", size: 0x1000 });
    fn.writeConfig(0x10, 4, 0xe000_0000);
    fn.writeConfig(header.command, 2, command.io);
    expect(memory.read(0xe000_0000, 1)).toBe(0xff);
    fn.writeConfig(header.command, 1, command.memory);
    expect(memory.read(0xe000_0000, 1)).toBe(0x11);
  });

  it("at 0, over the edge of a window or outside of any is nowhere (hostile case 27)", () => {
    const { memory, fn } = withBar({ kind: "memory64", size: 0x1000_0000 });
    fn.writeConfig(0x10, 4, 0xe000_0000);
    expect(memory.read(0xe000_0000, 1)).toBe(0x11);
    for (const [low, high] of [
      [0, 0],
      [0xf000_0000, 0],
      [0xffff_ffff, 0],
      [0xffff_ffff, 0xffff_ffff],
      [0xd000_0000, 0],
    ] as const) {
      fn.writeConfig(0x14, 4, high);
      fn.writeConfig(0x10, 4, low);
      expect(memory.segments().some((s) => s.name.includes("BAR"))).toBe(false);
    }
    fn.writeConfig(0x14, 4, 0);
    fn.writeConfig(0x10, 4, 0xe000_0000);
    expect(memory.read(0xe000_0000, 1)).toBe(0x11);
  });

  it("which a window holds but for its end is nowhere: half of it would lie under the chips", () => {
    const { bus, memory, fn } = withBar({ kind: "memory32", size: 0x200_0000 });
    bus.setWindows([{ kind: "memory", bus: 0xe000_0000, cpu: 0xe000_0000, size: 0x1ec0_0000 }]);
    fn.writeConfig(0x10, 4, 0xfe00_0000);
    expect(memory.read(0xfe00_0000, 1)).toBe(0xff);
    fn.writeConfig(0x10, 4, 0xfc00_0000);
    expect(memory.read(0xfdff_ffff, 1)).toBe(0x11);
  });

  it("of a lower device and function number is in front, then the lower BAR, whichever was there first (hostile case 27)", () => {
    const { bus, memory } = pciMachine();
    const put = (device: number, fn: number, index: number, byte: number) => {
      const f = bus.at(device, fn) ?? aFunction(`${device}.${fn}`);
      f.addBar({ index, kind: "memory32", size: 0x1000, target: new Scratch(byte) });
      return f;
    };
    const late = put(5, 1, 0, 0x51);
    const twice = put(5, 0, 1, 0x50);
    twice.addBar({ index: 0, kind: "memory32", size: 0x1000, target: new Scratch(0x4f) });
    const early = put(2, 7, 5, 0x27);
    const places = [
      [5, 1, late, [0x10]],
      [5, 0, twice, [0x14, 0x10]],
      [2, 7, early, [0x24]],
    ] as const;
    const seen = [];
    for (const [device, fn, f, bars] of places) {
      bus.plug(device, fn, f);
      f.writeConfig(header.command, 2, command.memory);
      for (const bar of bars) {
        f.writeConfig(bar, 4, 0xe000_0000);
        seen.push(memory.read(0xe000_0000, 1));
      }
    }
    late.writeConfig(0x10, 4, 0xe100_0000);
    late.writeConfig(0x10, 4, 0xe000_0000);
    seen.push(memory.read(0xe000_0000, 1));
    expect(seen).toEqual([0x51, 0x50, 0x4f, 0x27, 0x27]);
  });

  it("is behind RAM, which has its bytes back when the BAR goes (hostile case 27)", () => {
    const { bus, memory, ram, fn } = withBar({ kind: "memory32", size: 0x1000 });
    bus.setWindows([{ kind: "memory", bus: 0, cpu: 0, size: 2 ** 32 }]);
    ram.write(0x3_f000, 4, 0x12345678);
    fn.writeConfig(0x10, 4, ramSize - 0x1000);
    expect(memory.read(0x3_f000, 4)).toBe(0x12345678);
    memory.write(0x3_f000, 4, 0x9abcdef0);
    fn.writeConfig(0x10, 4, 0xe000_0000);
    expect(memory.read(0x3_f000, 4)).toBe(0x9abcdef0);
    expect(memory.read(0xe000_0000, 1)).toBe(0x11);
  });

  it("is behind chips: the local APIC's range cannot be taken", () => {
    const { bus, memory, fn, touched } = withBar({ kind: "memory32", size: 0x1000 });
    bus.setWindows([{ kind: "memory", bus: 0, cpu: 0, size: 2 ** 32 }]);
    fn.writeConfig(0x10, 4, 0xfee0_0000);
    memory.read(0xfee0_0000, 4);
    expect(touched).toEqual(["read"]);
  });

  it("tells everybody who keeps translations when it moves, and only then", () => {
    const { memory, fn } = withBar({ kind: "memory32", size: 0x1000 });
    let changes = 0;
    memory.onChange(() => changes++);
    fn.writeConfig(0x10, 4, 0xe000_0000);
    fn.writeConfig(0x10, 4, 0xe000_0000);
    fn.writeConfig(header.command, 2, command.memory | command.busMaster);
    expect(changes).toBe(1);
  });

  it("is nowhere after a reset", () => {
    const { memory, fn } = withBar({ kind: "memory32", size: 0x1000 });
    fn.writeConfig(0x10, 4, 0xe000_0000);
    fn.reset();
    expect(memory.read(0xe000_0000, 1)).toBe(0xff);
    expect(fn.readConfig(0x10, 4)).toBe(0);
  });

  it("goes where a window of the bridge translates it, also when the window moves", () => {
    const { bus, memory, fn } = withBar({ kind: "memory32", size: 0x1000 });
    fn.writeConfig(0x10, 4, 0xe000_4000);
    bus.setWindows([{ kind: "memory", bus: 0xe000_0000, cpu: 0xc_0000_0000, size: 0x2000_0000 }]);
    expect([memory.read(0xe000_4000, 1), memory.read(0xc_0000_4000, 1)]).toEqual([0xff, 0x11]);
    bus.setWindows([{ kind: "memory", bus: 0xe000_0000, cpu: 0xf_ffff_f000, size: 0x2000_0000 }]);
    expect(memory.segments().some((s) => s.name.includes("BAR"))).toBe(false);
  });
});

/** With a window at 0, so that a BAR there is told from one outside of every window. */
const windows = [memoryWindow, highWindow, portWindow, { kind: "io", bus: 0, cpu: 0, size: 0x100 } as const];

/** A model of decoding: in front first, each with its registers as numbers. */
interface Model {
  readonly fn: PciFunction;
  readonly byte: number;
  readonly index: number;
  readonly kind: BarSpec["kind"];
  readonly size: number;
  low: number;
  high: number;
  on: boolean;
}

const kinds = { io: [4, 64, 256], memory32: [16, 0x1000, 0x10_0000], memory64: [0x1000, 0x4000, 2 ** 32] } as const;
const interesting = fc.constantFrom(
  0,
  0xffff_ffff,
  0xe000_0000,
  0xe000_1000,
  0xe010_0000,
  0xefff_f000,
  0xc000,
  0xc040,
  0xfffc,
);

describe("any mixture of BARs, wherever software puts them", () => {
  it("decodes as a model which looks at windows and precedence one by one (hostile case 27)", () => {
    const spec = fc
      .constantFrom<BarSpec["kind"]>("io", "memory32", "memory64")
      .chain((kind) => fc.record({ kind: fc.constant(kind), size: fc.constantFrom<number>(...kinds[kind]) }));
    const register = fc.record({
      which: fc.nat(3),
      register: fc.constantFrom("low", "low", "high"),
      value: fc.oneof(interesting, interesting, fc.integer({ min: 0, max: 0xffff_ffff }), fc.nat(7)),
    });
    const gate = fc.record({
      which: fc.nat(3),
      register: fc.constant("command"),
      value: fc.constantFrom(0, 1, 2, 3, 7),
    });
    const step = fc.oneof({ weight: 3, arbitrary: register }, { weight: 1, arbitrary: gate });
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 4 }), fc.array(step, { maxLength: 40 }), (specs, steps) => {
        const { bus, memory, ports } = pciMachine();
        bus.setWindows(windows);
        const models: Model[] = specs.map((s, i) => {
          const fn = aFunction(`f${i}`);
          fn.addBar({ index: i, ...s, target: new Scratch(i + 1) });
          return { fn, byte: i + 1, index: i, ...s, low: 0, high: 0, on: true };
        });
        // Plugged the other way round: what counts is the place, not the time.
        for (const [i, m] of [...models.entries()].reverse()) bus.plug(i, 0, m.fn);
        for (const m of models) m.fn.writeConfig(header.command, 2, 3);
        for (const { which, register, value } of steps) {
          const m = models[which % models.length]!;
          if (register === "command") {
            m.fn.writeConfig(header.command, 2, value & 7);
            m.on = (value & (m.kind === "io" ? 1 : 2)) !== 0;
          } else if (register === "low") {
            m.fn.writeConfig(0x10 + 4 * m.index, 4, value);
            m.low = m.size >= 2 ** 32 ? 0 : value - (value % m.size);
          } else if (m.kind === "memory64") {
            const high = value & 3;
            m.fn.writeConfig(0x14 + 4 * m.index, 4, high);
            m.high = high;
          }
        }
        for (const m of models) {
          const base = m.high * 2 ** 32 + m.low;
          for (const at of [base - 1, base, base + 1, base + m.size - 1, base + m.size]) {
            const space = m.kind === "io" ? ports : memory;
            if (at < 0 || at >= space.size || (space === memory && at < 0x10_0000) || at >>> 20 === 0xfee) continue;
            expect(space.read(at, 1)).toBe(expected(models, m.kind === "io", at));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  function expected(models: readonly Model[], io: boolean, at: number): number {
    for (const m of models) {
      if ((m.kind === "io") !== io || !m.on) continue;
      const base = m.high * 2 ** 32 + m.low;
      const held = windows.some((w) => (w.kind === "io") === io && base >= w.bus && base + m.size <= w.bus + w.size);
      if (base !== 0 && held && at >= base && at < base + m.size) return m.byte;
    }
    return 0xff;
  }
});
