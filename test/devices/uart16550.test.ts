import { describe, expect, it } from "vitest";
import { Uart16550 } from "../../src/devices/uart16550.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { Trace } from "../../src/trace/trace.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

function bench() {
  const clock = new ManualClock();
  const irq = new Probe();
  const out2 = new Probe();
  const sent: number[] = [];
  const device = new Uart16550({
    name: "serial0",
    clock,
    irq,
    out2,
    transmit: (byte) => sent.push(byte),
    trace: quiet(),
  });
  const get = (offset: number) => device.registers.read(offset, 1);
  const put = (offset: number, byte: number) => device.registers.write(offset, 1, byte);
  return {
    clock,
    irq,
    out2,
    sent,
    device,
    get,
    put,
    lines: [irq, out2],
    targets: [{ target: device.registers, size: 8 }],
  };
}

conforms("the 16550A", () => {
  const b = bench();
  return { ...b, disturb: (n) => b.device.receive(n) };
});

describe("the 16550A", () => {
  it("says once that a byte's interrupt goes nowhere, on a board that gates it and while OUT2 is clear", () => {
    const heard = (mcr: number, ier: number, out2?: Probe) => {
      const said: string[] = [];
      const trace = new Trace();
      trace.sink = ({ text }) => said.push(text);
      const wires = { name: "serial0", clock: new ManualClock(), irq: new Probe(), transmit: () => {} };
      const device = new Uart16550({ ...wires, ...(out2 && { out2 }), trace: trace.channel("uart16550") });
      device.registers.write(4, 1, mcr);
      device.registers.write(1, 1, ier);
      for (const byte of [1, 2]) {
        device.receive(byte);
        device.registers.read(0, 1);
      }
      return said;
    };
    expect(heard(0, 1, new Probe())).toEqual([expect.stringMatching(/serial0.*OUT2/)]);
    expect(heard(8, 1, new Probe())).toEqual([]);
    // Nobody asked for one, and a board that passes all of them on.
    expect(heard(0, 0, new Probe())).toEqual([]);
    expect(heard(0, 1)).toEqual([]);
  });

  it("says once that it sends no break, and not for a probe which sets all of LCR's upper bits", () => {
    const said: string[] = [];
    const trace = new Trace();
    trace.sink = ({ text }) => said.push(text);
    const wires = { name: "serial0", clock: new ManualClock(), irq: new Probe(), transmit: () => {} };
    const { registers } = new Uart16550({ ...wires, trace: trace.channel("uart16550") });
    registers.write(3, 1, 0xbf);
    expect(said).toEqual([]);
    registers.write(3, 1, 0x43);
    registers.write(3, 1, 0x43);
    expect(said).toHaveLength(1);
  });

  it("comes out of reset with an idle transmitter and no interrupt", () => {
    const { get, irq } = bench();
    expect(get(1)).toBe(0);
    expect(get(2)).toBe(0x01);
    expect(get(5)).toBe(0x60);
    expect(irq.level).toBe(false);
  });

  it("sends what is written to the transmitter holding register", () => {
    const { put, sent } = bench();
    for (const byte of [0x42, 0x30, 0xff]) put(0, byte);
    expect(sent).toEqual([0x42, 0x30, 0xff]);
  });

  it("shows the divisor latch at offsets 0 and 1 while DLAB is set, and sends nothing then", () => {
    const { put, get, sent } = bench();
    put(3, 0x83);
    put(0, 0x0c);
    put(1, 0x01);
    expect([get(0), get(1)]).toEqual([0x0c, 0x01]);
    put(3, 0x03);
    expect(get(1)).toBe(0);
    expect(sent).toEqual([]);
  });

  it("has FIFOs as a 16550A says it: IIR bits 7-6 follow the enable bit", () => {
    const { put, get } = bench();
    put(2, 0x01);
    expect(get(2) & 0xc0).toBe(0xc0);
    put(2, 0x00);
    expect(get(2) & 0xc0).toBe(0);
  });

  it("holds one byte without FIFOs and sixteen with, and refuses what does not fit", () => {
    const { put, get, device } = bench();
    expect(device.receive(1)).toBe(true);
    expect(device.receive(2)).toBe(false);
    expect(get(0)).toBe(1);
    put(2, 0x01);
    expect(device.room).toBe(16);
    for (let i = 0; i < 16; i++) expect(device.receive(i)).toBe(true);
    expect(device.receive(16)).toBe(false);
    for (let i = 0; i < 16; i++) {
      expect(get(5) & 1).toBe(1);
      expect(get(0)).toBe(i);
    }
    expect(get(5) & 1).toBe(0);
    expect(device.room).toBe(16);
  });

  it.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])("interrupts with FCR %i when %i bytes have come, and stops when it falls below", (fcr, trigger) => {
    const { put, get, device, irq } = bench();
    put(2, fcr);
    put(1, 0x01);
    for (let i = 1; i < trigger; i++) device.receive(i);
    expect(irq.level).toBe(false);
    device.receive(0);
    expect(irq.level).toBe(true);
    expect(get(2) & 0x0f).toBe(0x04);
    get(0);
    expect(irq.level).toBe(false);
  });

  it("reports a character time-out four characters after the last byte, and forgets it when the FIFO is read", () => {
    const { put, get, device, irq, clock } = bench();
    put(3, 0x83);
    put(0, 1);
    put(3, 0x03);
    put(2, 0x81);
    put(1, 0x01);
    device.receive(0x41);
    device.receive(0x42);
    // 115200 baud, 10 bits a character: four take 347.2 microseconds.
    clock.advance(347_000);
    expect(irq.level).toBe(false);
    clock.advance(1_000);
    expect(irq.level).toBe(true);
    expect(get(2) & 0x0f).toBe(0x0c);
    expect(get(0)).toBe(0x41);
    expect(irq.level).toBe(false);
    clock.advance(348_000);
    expect(irq.level).toBe(true);
  });

  it("asks for the next byte when the empty-register interrupt is enabled, until IIR is read", () => {
    const { put, get, irq } = bench();
    put(1, 0x02);
    expect(irq.level).toBe(true);
    expect(get(2)).toBe(0x02);
    expect(irq.level).toBe(false);
    expect(get(2)).toBe(0x01);
    put(1, 0x00);
    put(1, 0x02);
    expect(get(2)).toBe(0x02);
  });

  it("raises a new edge for each byte written", () => {
    const { put, irq } = bench();
    put(1, 0x02);
    const before = irq.rises;
    put(0, 0x41);
    put(0, 0x42);
    expect(irq.rises).toBe(before + 2);
  });

  it("keeps the empty-register interrupt when IIR reads as something of higher priority", () => {
    const { put, get, device } = bench();
    put(1, 0x03);
    device.receive(7);
    expect(get(2)).toBe(0x04);
    get(0);
    expect(get(2)).toBe(0x02);
  });

  it("leads transmitter to receiver and modem control to modem status in loop-back", () => {
    const { put, get, sent, device, out2 } = bench();
    put(4, 0x08);
    expect(out2.level).toBe(true);
    put(4, 0x1a);
    expect(out2.level).toBe(false);
    expect(get(6) & 0xf0).toBe(0x90);
    put(0, 0x55);
    expect(sent).toEqual([]);
    expect(device.receive(1)).toBe(false);
    expect(get(0)).toBe(0x55);
  });

  it("counts an overrun in loop-back, tells it by the line status interrupt, and once", () => {
    const { put, get, irq } = bench();
    put(4, 0x10);
    put(1, 0x04);
    put(0, 0x01);
    put(0, 0x02);
    expect(irq.level).toBe(true);
    expect(get(2)).toBe(0x06);
    expect(get(5) & 0x02).toBe(0x02);
    expect(irq.level).toBe(false);
    expect(get(5) & 0x02).toBe(0);
    expect(get(0)).toBe(0x02);
  });

  it("tells changes of the modem lines once, the ring indicator only when it ends", () => {
    const { put, get, irq } = bench();
    put(4, 0x10);
    get(6);
    put(1, 0x08);
    put(4, 0x14);
    expect(get(6) & 0x4f).toBe(0x40);
    put(4, 0x10);
    expect(irq.level).toBe(true);
    expect(get(2)).toBe(0x00);
    expect(get(6) & 0x4f).toBe(0x04);
    expect(irq.level).toBe(false);
  });

  it("keeps a scratch byte and splits a wide access into its registers", () => {
    const { put, get, device } = bench();
    put(7, 0xa5);
    expect(get(7)).toBe(0xa5);
    device.registers.write(3, 2, 0x0b03);
    expect([get(3), get(4)]).toEqual([0x03, 0x0b]);
    expect(device.registers.read(3, 2)).toBe(0x0b03);
  });
});
