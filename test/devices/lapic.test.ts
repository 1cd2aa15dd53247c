import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IoApic } from "../../src/devices/ioapic.ts";
import { Lapic, lapicBase } from "../../src/devices/lapic/lapic.ts";
import { shortestPeriod } from "../../src/devices/lapic/timer.ts";
import { VectorSet } from "../../src/devices/lapic/vectors.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

function bench() {
  const clock = new ManualClock();
  const intr = new Probe();
  const events: string[] = [];
  const pic = { pending: false, acknowledge: () => 0x77 };
  const device: Lapic = new Lapic({
    clock,
    pic,
    intr,
    nmi: () => events.push("nmi"),
    init: () => events.push("init"),
    startUp: (page) => events.push(`sipi ${page}`),
    endOfInterrupt: (vector) => {
      events.push(`eoi ${vector}`);
      ioapic.endOfInterrupt(vector);
    },
    moved: (base, enabled) => events.push(`moved ${base.toString(16)} ${enabled}`),
    trace: quiet(),
  });
  const ioapic = new IoApic({
    deliver: (destination, logical, mode, vector, level) => device.deliver(destination, logical, mode, vector, level),
    trace: quiet(),
  });
  const inputs = Array.from({ length: 24 }, (_, n) => ioapic.input(n));
  const get = (offset: number) => device.registers.read(offset, 4);
  const put = (offset: number, value: number) => device.registers.write(offset, 4, value);
  const redirect = (n: number, low: number, high = 0) => {
    ioapic.registers.write(0, 1, 0x11 + 2 * n);
    ioapic.registers.write(0x10, 4, high);
    ioapic.registers.write(0, 1, 0x10 + 2 * n);
    ioapic.registers.write(0x10, 4, low);
  };
  const entry = (n: number) => {
    ioapic.registers.write(0, 1, 0x10 + 2 * n);
    return ioapic.registers.read(0x10, 4);
  };
  return {
    clock,
    intr,
    events,
    pic,
    device,
    ioapic,
    inputs,
    get,
    put,
    redirect,
    entry,
    eoi: () => put(0xb0, 0),
    lines: [intr],
    kept: ["lint"],
    targets: [
      { target: device.registers, size: 0x400 },
      { target: device.messages, size: 16 },
    ],
  };
}

/** Switched on by SVR, as any system does first. */
function enabled() {
  const b = bench();
  b.put(0xf0, 0x1ff);
  return b;
}

conforms("the local APIC", () => {
  const b = enabled();
  return {
    ...b,
    disturb: (n) => {
      if (n < 0x40) b.device.registers.message?.(0, n * 4);
      else if (n < 0x80) b.device.lint0.set((n & 1) !== 0);
      else if (n < 0xc0) b.device.lint1.set((n & 1) !== 0);
      else if (n < 0xe0) b.device.setBase(lapicBase + (n & 1) * 0x800);
      else b.device.acknowledge();
    },
  };
});

conforms("the IO-APIC", () => {
  const b = enabled();
  return {
    ...b,
    device: b.ioapic,
    kept: ["lines"],
    targets: [{ target: b.ioapic.registers, size: 32 }],
    disturb: (n) => b.inputs[n % 24]!.set(n >= 128),
  };
});

describe("a set of vectors", () => {
  it("knows its highest member, as a set of numbers does", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(255))), (steps) => {
        const set = new VectorSet(new Uint32Array(8));
        const model = new Set<number>();
        for (const [add, vector] of steps) {
          if (add) {
            set.add(vector);
            model.add(vector);
          } else {
            set.delete(vector);
            model.delete(vector);
          }
          expect(set.highest).toBe(Math.max(-1, ...model));
          expect(set.has(vector)).toBe(model.has(vector));
        }
      }),
    );
  });
});

describe("the local APIC", () => {
  it("has after reset the values of SDM section 10.4.7.1", () => {
    const { get } = bench();
    expect(get(0x30)).toBe(0x0005_0014);
    expect(get(0xf0)).toBe(0xff);
    expect(get(0xe0)).toBe(0xffff_ffff);
    for (const lvt of [0x320, 0x330, 0x340, 0x350, 0x360, 0x370]) expect(get(lvt)).toBe(0x1_0000);
    for (const zero of [0x20, 0x80, 0xa0, 0xd0, 0x280, 0x300, 0x380, 0x390, 0x3e0]) expect(get(zero)).toBe(0);
  });

  it("accepts a message for its ID, for all, and for no other", () => {
    const { device, put } = enabled();
    put(0x20, 0x0500_0000);
    expect(device.deliver(5, false, 0, 0x40, false)).toBe(true);
    expect(device.deliver(0xff, false, 0, 0x41, false)).toBe(true);
    expect(device.deliver(4, false, 0, 0x42, false)).toBe(false);
  });

  it("matches a logical destination by its bits in the flat model", () => {
    const { device, put } = enabled();
    put(0xd0, 0x0400_0000);
    expect(device.deliver(0x06, true, 0, 0x40, false)).toBe(true);
    expect(device.deliver(0x02, true, 0, 0x40, false)).toBe(false);
  });

  it("matches cluster and member in the cluster model, and broadcast clusters", () => {
    const { device, put } = enabled();
    put(0xe0, 0);
    put(0xd0, 0x2400_0000);
    expect(device.deliver(0x24, true, 0, 0x40, false)).toBe(true);
    expect(device.deliver(0x34, true, 0, 0x40, false)).toBe(false);
    expect(device.deliver(0x22, true, 0, 0x40, false)).toBe(false);
    expect(device.deliver(0xf4, true, 0, 0x40, false)).toBe(true);
  });

  it("gives the highest vector first, moves it from IRR to ISR, and PPR follows", () => {
    const { device, get, eoi, intr } = enabled();
    device.deliver(0, false, 0, 0x31, false);
    device.deliver(0, false, 0, 0x92, false);
    expect(get(0x240)).toBe(1 << 18);
    expect(device.acknowledge()).toBe(0x92);
    expect(get(0x140)).toBe(1 << 18);
    expect(get(0x240)).toBe(0);
    expect(get(0xa0)).toBe(0x90);
    expect(intr.level).toBe(false);
    device.deliver(0, false, 0, 0x9f, false);
    expect(device.pending).toBe(false);
    device.deliver(0, false, 0, 0xa0, false);
    expect(device.acknowledge()).toBe(0xa0);
    eoi();
    eoi();
    expect(device.acknowledge()).toBe(0x9f);
    eoi();
    expect(device.acknowledge()).toBe(0x31);
  });

  it("holds back what TPR holds back", () => {
    const { device, put, get } = enabled();
    put(0x80, 0x45);
    device.deliver(0, false, 0, 0x4f, false);
    expect(device.pending).toBe(false);
    expect(get(0xa0)).toBe(0x45);
    put(0x80, 0x3f);
    expect(device.pending).toBe(true);
  });

  it("gives the spurious vector when the request has gone, and puts nothing in service", () => {
    const { device, put, get } = enabled();
    device.deliver(0, false, 0, 0x40, false);
    put(0x80, 0xf0);
    expect(device.acknowledge()).toBe(0xff);
    for (let i = 0; i < 8; i++) expect(get(0x100 + 16 * i)).toBe(0);
  });

  it("takes no fixed interrupt while SVR has it off, and masks its table then", () => {
    const { device, put, get } = enabled();
    put(0x350, 0x0700);
    put(0xf0, 0xff);
    expect(get(0x350)).toBe(0x1_0700);
    put(0x350, 0x0700);
    expect(get(0x350)).toBe(0x1_0700);
    expect(device.deliver(0, false, 0, 0x40, false)).toBe(false);
  });

  it("reports a received vector below 16 in ESR, after ESR is written, and by its error interrupt", () => {
    const { device, put, get } = enabled();
    put(0x370, 0x51);
    expect(device.deliver(0, false, 0, 0x0f, false)).toBe(false);
    expect(device.acknowledge()).toBe(0x51);
    expect(get(0x280)).toBe(0);
    put(0x280, 0);
    expect(get(0x280)).toBe(0x40);
    put(0x280, 0);
    expect(get(0x280)).toBe(0);
  });

  it("reports an illegal vector it was told to send, and a register which is not there", () => {
    const { put, get } = enabled();
    put(0x300, 0x4_0008);
    get(0x40);
    put(0x280, 0);
    expect(get(0x280)).toBe(0xa0);
  });

  it("survives an error interrupt with an illegal vector of its own", () => {
    const { device, put } = enabled();
    put(0x370, 0x02);
    expect(device.deliver(0, false, 0, 0x01, false)).toBe(false);
    expect(device.pending).toBe(false);
  });

  it.each([
    ["self", 0x4_0040, true],
    ["all including self", 0x8_0040, true],
    ["all excluding self", 0xc_0040, false],
  ])("sends an interrupt to %s by shorthand", (_, command, mine) => {
    const { device, put, get } = enabled();
    put(0x300, command);
    expect(device.pending).toBe(mine);
    expect(get(0x300) & 0x1000).toBe(0);
  });

  it("sends NMI, INIT and start-up where its destination is itself", () => {
    const { put, events } = enabled();
    put(0x310, 0);
    put(0x300, 0x4400);
    put(0x300, 0xc500);
    put(0x300, 0x8500);
    put(0x300, 0x4699);
    put(0x310, 0x0700_0000);
    put(0x300, 0x4400);
    expect(events).toEqual(["nmi", "init", "sipi 153"]);
  });

  it("counts down once in one-shot mode, at the bus clock by the divisor", () => {
    const { put, get, clock, device } = enabled();
    put(0x320, 0x60);
    put(0x3e0, 0x03);
    put(0x380, 1000);
    clock.advance(8_000);
    expect(get(0x390)).toBe(500);
    expect(device.pending).toBe(false);
    clock.advance(8_000);
    expect(get(0x390)).toBe(0);
    expect(device.acknowledge()).toBe(0x60);
    clock.advance(1e9);
    put(0xb0, 0);
    expect(device.pending).toBe(false);
  });

  it.each([
    [0x0, 2],
    [0x1, 4],
    [0x2, 8],
    [0x3, 16],
    [0x8, 32],
    [0x9, 64],
    [0xa, 128],
    [0xb, 1],
  ])("divides by what divide configuration %i means: %i", (value, divisor) => {
    const { put, get, clock } = enabled();
    put(0x3e0, value);
    put(0x380, 100_000);
    clock.advance(1000 * divisor);
    expect(get(0x390)).toBe(99_000);
  });

  it("starts again and again in periodic mode, without drift", () => {
    const { put, clock, device } = enabled();
    put(0x320, 0x2_0060);
    put(0x3e0, 0x0b);
    put(0x380, 1_000_003);
    let count = 0;
    for (let i = 0; i < 1000; i++) {
      clock.advance(1_000_003);
      if (device.pending) {
        count++;
        expect(device.acknowledge()).toBe(0x60);
        put(0xb0, 0);
      }
    }
    expect(count).toBe(1000);
  });

  it("does not storm with an initial count of 1: ten microseconds between two interrupts", () => {
    const { put, clock, device } = enabled();
    put(0x320, 0x2_0060);
    put(0x3e0, 0x0b);
    put(0x380, 1);
    let count = 0;
    for (let i = 0; i < 10_000; i++) {
      clock.advance(100);
      if (!device.pending) continue;
      count++;
      device.acknowledge();
      put(0xb0, 0);
    }
    expect(count).toBeGreaterThan(90);
    expect(count).toBeLessThanOrEqual(1_000_000 / shortestPeriod + 1);
  });

  it("leaves the 8259s to the CPU where LINT0 is ExtINT, and when IA32_APIC_BASE has it off", () => {
    const { device, put, events } = enabled();
    device.lint0.set(true);
    expect(device.pending).toBe(false);
    put(0x350, 0x0700);
    expect(device.pending).toBe(true);
    expect(device.acknowledge()).toBe(0x77);
    expect(device.setBase(lapicBase + 0x100)).toBe(true);
    expect(events).toEqual(["moved fee00000 false"]);
    expect(device.pending).toBe(true);
    expect(device.acknowledge()).toBe(0x77);
    expect(device.deliver(0, false, 0, 0x40, false)).toBe(false);
    device.lint0.set(false);
    expect(device.pending).toBe(false);
  });

  it("moves where IA32_APIC_BASE says, and refuses reserved bits", () => {
    const { device, events } = bench();
    expect(device.base).toBe(0xfee0_0900);
    expect(device.setBase(0xd_1234_5900)).toBe(true);
    expect(events).toEqual(["moved d12345000 true"]);
    expect(device.setBase(0xfee0_0d00)).toBe(false);
    expect(device.setBase(0xfee0_0901)).toBe(false);
    expect(device.setBase(2 ** 36 + 0x900)).toBe(false);
    expect(device.base).toBe(0xd_1234_5900);
  });

  it("passes LINT1 as an NMI where its entry says so, at the edge", () => {
    const { device, put, events } = enabled();
    put(0x360, 0x0400);
    device.lint1.set(true);
    device.lint1.set(true);
    expect(events).toEqual(["nmi"]);
  });

  it("asks again for a level-triggered pin which is still high after the end of the interrupt", () => {
    const { device, put, get, eoi } = enabled();
    put(0x350, 0x8050);
    device.lint0.set(true);
    expect(device.acknowledge()).toBe(0x50);
    expect(get(0x350) & 0x4000).toBe(0x4000);
    eoi();
    expect(device.acknowledge()).toBe(0x50);
    device.lint0.set(false);
    eoi();
    expect(device.pending).toBe(false);
    expect(get(0x350) & 0x4000).toBe(0);
  });

  it("takes a message-signalled interrupt: destination in address bits 19-12, vector in the data", () => {
    const { device, put } = enabled();
    put(0x20, 0x0300_0000);
    device.messages.message?.(0x2000, 0x41);
    expect(device.pending).toBe(false);
    device.messages.message?.(0x3000, 0x41);
    expect(device.acknowledge()).toBe(0x41);
    put(0xb0, 0);
    put(0xd0, 0x0200_0000);
    device.registers.message?.(4, 0x42);
    expect(device.pending).toBe(false);
    device.messages.message?.(0x2004, 0x42);
    expect(device.acknowledge()).toBe(0x42);
  });

  it("ignores the end of a level-triggered message and every message with a vector below 16", () => {
    const { device } = enabled();
    device.registers.message?.(0, 0x8041);
    for (let vector = 0; vector < 16; vector++) device.registers.message?.(0, vector);
    expect(device.pending).toBe(false);
    device.registers.message?.(0, 0xc041);
    expect(device.acknowledge()).toBe(0x41);
  });
});

describe("the IO-APIC", () => {
  it("is version 0x11 with 24 masked entries after reset", () => {
    const { ioapic, entry } = bench();
    ioapic.registers.write(0, 1, 1);
    expect(ioapic.registers.read(0x10, 4)).toBe(0x0017_0011);
    for (let n = 0; n < 24; n++) expect(entry(n)).toBe(0x1_0000);
  });

  it("keeps four bits of ID, and shows them as arbitration ID too", () => {
    const { ioapic } = bench();
    ioapic.registers.write(0x10, 4, 0xff00_0000);
    expect(ioapic.registers.read(0x10, 4)).toBe(0x0f00_0000);
    ioapic.registers.write(0, 1, 2);
    expect(ioapic.registers.read(0x10, 4)).toBe(0x0f00_0000);
  });

  it("sends an edge once, with the entry's vector and destination", () => {
    const { redirect, inputs, device } = enabled();
    redirect(4, 0x44);
    inputs[4]!.set(true);
    expect(device.acknowledge()).toBe(0x44);
    device.registers.write(0xb0, 4, 0);
    expect(device.pending).toBe(false);
    redirect(5, 0x45, 0x0900_0000);
    inputs[5]!.set(true);
    expect(device.pending).toBe(false);
  });

  it("loses an edge at a masked input", () => {
    const { redirect, inputs, device } = enabled();
    redirect(4, 0x1_0044);
    inputs[4]!.set(true);
    redirect(4, 0x44);
    expect(device.pending).toBe(false);
  });

  it("sets remote IRR for a level, and sends again at the end of interrupt while the line is up", () => {
    const { redirect, inputs, device, eoi, entry, events } = enabled();
    redirect(11, 0x804b);
    inputs[11]!.set(true);
    expect(entry(11)).toBe(0xc04b);
    expect(device.acknowledge()).toBe(0x4b);
    expect(device.pending).toBe(false);
    eoi();
    expect(events).toEqual(["eoi 75"]);
    expect(device.acknowledge()).toBe(0x4b);
    inputs[11]!.set(false);
    eoi();
    expect(entry(11)).toBe(0x804b);
    expect(device.pending).toBe(false);
  });

  it("sends no end of interrupt for an edge", () => {
    const { redirect, inputs, device, eoi, events } = enabled();
    redirect(4, 0x44);
    inputs[4]!.set(true);
    device.acknowledge();
    eoi();
    expect(events).toEqual([]);
  });

  it("sends a level which was masked as soon as it is unmasked", () => {
    const { redirect, inputs, device } = enabled();
    redirect(11, 0x1_804b);
    inputs[11]!.set(true);
    expect(device.pending).toBe(false);
    redirect(11, 0x804b);
    expect(device.pending).toBe(true);
  });

  it("does not think a level sent which nobody took", () => {
    const { redirect, inputs, entry } = bench();
    redirect(11, 0x804b);
    inputs[11]!.set(true);
    expect(entry(11)).toBe(0x804b);
  });

  it("does not let software write remote IRR and delivery status", () => {
    const { redirect, entry } = enabled();
    redirect(3, 0xffff_ffff);
    expect(entry(3)).toBe(0x1_afff);
  });

  it("forwards an ExtINT entry to the 8259s", () => {
    const { redirect, inputs, device } = enabled();
    redirect(0, 0x0700);
    inputs[0]!.set(true);
    expect(device.acknowledge()).toBe(0x77);
    expect(device.pending).toBe(false);
  });
});
