import { describe, expect, it } from "vitest";
import { I8259Pair } from "../../src/devices/i8259.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

function bench() {
  const intr = new Probe();
  const device = new I8259Pair({ intr, trace: quiet() });
  const inputs = Array.from({ length: 16 }, (_, n) => (n === 2 ? new Probe() : device.input(n)));
  const put = (port: number, byte: number) => {
    if (port >= 0x4d0) device.edgeLevel.write(port - 0x4d0, 1, byte);
    else (port < 0xa0 ? device.master : device.slave).write(port & 1, 1, byte);
  };
  const get = (port: number) => (port < 0xa0 ? device.master : device.slave).read(port & 1, 1);
  return {
    device,
    intr,
    put,
    get,
    raise: (n: number) => inputs[n]!.set(true),
    lower: (n: number) => inputs[n]!.set(false),
    clock: new ManualClock(),
    lines: [intr],
    kept: ["lines"],
    targets: [
      { target: device.master, size: 2 },
      { target: device.slave, size: 2 },
      { target: device.edgeLevel, size: 2 },
    ],
  };
}

/** As a PC's firmware does it: vectors 0x20 and 0x28, 8086 mode. */
function programmed(icw4 = 0x01) {
  const b = bench();
  for (const [port, byte] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 0x04],
    [0x21, icw4],
    [0xa0, 0x11],
    [0xa1, 0x28],
    [0xa1, 0x02],
    [0xa1, 0x01],
  ] as const)
    b.put(port, byte);
  return b;
}

conforms("the pair of 8259As", () => {
  const b = bench();
  return {
    ...b,
    disturb: (n) => {
      if (n >= 0xf0) b.device.acknowledge();
      else if ((n & 15) !== 2) (n & 16 ? b.raise : b.lower)(n & 15);
    },
  };
});

describe("the pair of 8259As", () => {
  it("interrupts nobody before it is initialized", () => {
    const { raise, intr } = bench();
    raise(0);
    expect(intr.level).toBe(false);
  });

  it("gives the vector of ICW2 with the number of the input, and raises the in-service bit", () => {
    const { raise, device, intr, put, get } = programmed();
    raise(4);
    expect(intr.level).toBe(true);
    expect(device.pending).toBe(true);
    expect(get(0x20)).toBe(0x10);
    expect(device.acknowledge()).toBe(0x24);
    expect(intr.level).toBe(false);
    put(0x20, 0x0b);
    expect(get(0x20)).toBe(0x10);
    put(0x20, 0x0a);
    expect(get(0x20)).toBe(0);
  });

  it("puts the slave's requests on the master's input 2, and wants an end of interrupt for both", () => {
    const { raise, device, put, get } = programmed();
    raise(11);
    expect(device.acknowledge()).toBe(0x2b);
    put(0x20, 0x0b);
    put(0xa0, 0x0b);
    expect([get(0x20), get(0xa0)]).toEqual([0x04, 0x08]);
    put(0xa0, 0x20);
    put(0x20, 0x20);
    expect([get(0x20), get(0xa0)]).toEqual([0, 0]);
  });

  it("holds back equal and lower priorities while one is in service, not higher ones", () => {
    const { raise, device, put } = programmed();
    raise(4);
    expect(device.acknowledge()).toBe(0x24);
    raise(5);
    expect(device.pending).toBe(false);
    raise(1);
    expect(device.acknowledge()).toBe(0x21);
    put(0x20, 0x20);
    expect(device.pending).toBe(false);
    put(0x20, 0x20);
    expect(device.acknowledge()).toBe(0x25);
  });

  it("lets the slave's inputs stand between IRQ 1 and IRQ 3", () => {
    const { raise, device } = programmed();
    for (const irq of [3, 15, 8]) raise(irq);
    raise(1);
    expect(device.acknowledge()).toBe(0x21);
    const other = programmed();
    for (const irq of [3, 15, 8]) other.raise(irq);
    expect(other.device.acknowledge()).toBe(0x28);
  });

  it("sees one request for an edge, however long the line stays high", () => {
    const { raise, lower, device, put } = programmed();
    raise(4);
    device.acknowledge();
    put(0x20, 0x20);
    expect(device.pending).toBe(false);
    lower(4);
    raise(4);
    expect(device.pending).toBe(true);
  });

  it("sees a request as long as a level-triggered line is high", () => {
    const { raise, lower, device, put } = programmed();
    put(0x4d1, 0x08);
    raise(11);
    expect(device.acknowledge()).toBe(0x2b);
    put(0xa0, 0x20);
    put(0x20, 0x20);
    expect(device.pending).toBe(true);
    lower(11);
    expect(device.pending).toBe(false);
  });

  it("keeps IRQ 0, 1, 2, 8 and 13 edge-triggered whatever ELCR is told", () => {
    const { put, device } = bench();
    put(0x4d0, 0xff);
    put(0x4d1, 0xff);
    expect(device.edgeLevel.read(0, 2)).toBe(0xdef8);
  });

  it("gives IRQ 7 to a CPU which acknowledges a request that went away, and puts nothing in service", () => {
    const { raise, lower, device, put, get } = programmed();
    raise(4);
    lower(4);
    expect(device.pending).toBe(false);
    expect(device.acknowledge()).toBe(0x27);
    put(0x20, 0x0b);
    expect(get(0x20)).toBe(0);
  });

  it("masks by OCW1 without losing the request", () => {
    const { raise, device, put, get } = programmed();
    put(0x21, 0x10);
    expect(get(0x21)).toBe(0x10);
    raise(4);
    expect(device.pending).toBe(false);
    expect(get(0x20)).toBe(0x10);
    put(0x21, 0x00);
    expect(device.pending).toBe(true);
  });

  it("clears mask, edges and service at ICW1, and still serves a line that rises afterwards", () => {
    const b = programmed();
    b.put(0x21, 0xff);
    b.raise(3);
    b.put(0x20, 0x11);
    expect(b.get(0x21)).toBe(0);
    for (const byte of [0x40, 0x04, 0x01]) b.put(0x21, byte);
    expect(b.device.pending).toBe(false);
    b.lower(3);
    b.raise(3);
    expect(b.device.acknowledge()).toBe(0x43);
  });

  it("ends the interrupt named by a specific EOI", () => {
    const { raise, device, put, get } = programmed();
    raise(5);
    device.acknowledge();
    raise(1);
    device.acknowledge();
    put(0x20, 0x65);
    put(0x20, 0x0b);
    expect(get(0x20)).toBe(0x02);
  });

  it("gives the level just served the lowest priority when it rotates", () => {
    const { raise, device, put } = programmed();
    raise(4);
    device.acknowledge();
    put(0x20, 0xa0);
    raise(3);
    raise(5);
    expect(device.acknowledge()).toBe(0x25);
  });

  it("sets the lowest priority by command", () => {
    const { raise, device, put } = programmed();
    put(0x20, 0xc4);
    raise(0);
    raise(5);
    expect(device.acknowledge()).toBe(0x25);
  });

  it("puts nothing in service with automatic EOI, and rotates when told", () => {
    const { raise, device, put, get } = programmed(0x03);
    put(0x20, 0x80);
    raise(4);
    expect(device.acknowledge()).toBe(0x24);
    put(0x20, 0x0b);
    expect(get(0x20)).toBe(0);
    raise(3);
    raise(5);
    expect(device.acknowledge()).toBe(0x25);
  });

  it("enables lower priorities in special mask mode when the level in service is masked", () => {
    const { raise, device, put } = programmed();
    raise(4);
    device.acknowledge();
    raise(6);
    put(0x21, 0x10);
    expect(device.pending).toBe(false);
    put(0x20, 0x68);
    expect(device.acknowledge()).toBe(0x26);
  });

  it("lets the slave interrupt again in special fully nested mode", () => {
    const normal = programmed();
    normal.raise(12);
    normal.device.acknowledge();
    normal.raise(9);
    expect(normal.device.pending).toBe(false);
    const nested = programmed(0x11);
    nested.raise(12);
    nested.device.acknowledge();
    nested.raise(9);
    expect(nested.device.acknowledge()).toBe(0x29);
    nested.put(0xa0, 0x20);
    nested.raise(3);
    expect(nested.device.pending).toBe(false);
  });

  it("answers a poll with the level, as an acknowledge does", () => {
    const { raise, put, get, device } = programmed();
    put(0x20, 0x0c);
    expect(get(0x20)).toBe(0);
    raise(6);
    put(0x20, 0x0c);
    expect(get(0x20)).toBe(0x86);
    put(0x20, 0x0b);
    expect(get(0x20)).toBe(0x40);
    expect(device.pending).toBe(false);
  });
});
