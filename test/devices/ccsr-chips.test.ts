import { describe, expect, it } from "vitest";
import { swapBytes } from "../../src/bus/target.ts";
import { GpioMpc8xxx } from "../../src/devices/gpio-mpc8xxx.ts";
import { Guts } from "../../src/devices/guts.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { Trace } from "../../src/trace/trace.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

function guts() {
  let resets = 0;
  const device = new Guts({ pvr: 0x8023_0020, svr: 0x8034_0110, reset: () => resets++, trace: quiet() });
  return {
    device,
    resets: () => resets,
    clock: new ManualClock(),
    lines: [],
    targets: [{ target: device.registers, size: 0x100 }],
  };
}

function gpio() {
  const irq = new Probe();
  const driven: string[] = [];
  const device = new GpioMpc8xxx({ irq, output: (pin, level) => driven.push(`${pin} ${level}`), trace: quiet() });
  return {
    device,
    irq,
    driven,
    get: (offset: number) => swapBytes(device.registers.read(offset, 4), 4),
    put: (offset: number, value: number) => device.registers.write(offset, 4, swapBytes(value, 4)),
    clock: new ManualClock(),
    lines: [irq],
    kept: ["lines"],
    targets: [{ target: device.registers, size: 0x20 }],
    disturb: (n: number) => device.input(n & 31).set(n >= 128),
  };
}

conforms("the global utilities", guts);
conforms("the GPIO block", gpio);

describe("the global utilities", () => {
  it("show the versions of processor and system, big-endian", () => {
    const { device } = guts();
    expect(device.registers.read(0xa0, 4)).toBe(0x2000_2380);
    expect(swapBytes(device.registers.read(0xa4, 4), 4)).toBe(0x8034_0110);
  });

  it("reset the machine by HRESET_REQ and by no other bit", () => {
    const { device, resets } = guts();
    device.registers.write(0xb0, 4, swapBytes(0xffff_fffd, 4));
    expect(resets()).toBe(0);
    device.registers.write(0xb0, 4, swapBytes(0x02, 4));
    expect(resets()).toBe(1);
  });
});

describe("the GPIO block", () => {
  it("has pin 0 at the most significant bit, and drives it only as an output", () => {
    const { put, driven } = gpio();
    put(0x08, 0x8000_0000);
    expect(driven).toEqual([]);
    put(0x00, 0x8000_0000);
    expect(driven).toEqual(["0 true"]);
    put(0x08, 0);
    expect(driven).toEqual(["0 true", "0 false"]);
  });

  it("reads inputs from outside and outputs as they are driven", () => {
    const { device, put, get } = gpio();
    device.input(1).set(true);
    device.input(0).set(true);
    put(0x00, 0x8000_0000);
    expect(get(0x08)).toBe(0x4000_0000);
    put(0x08, 0x8000_0000);
    expect(get(0x08)).toBe(0xc000_0000);
  });

  it("interrupts at the edges of an unmasked input, until the event is cleared by writing 1", () => {
    const { device, put, get, irq } = gpio();
    const pin = device.input(31);
    pin.set(true);
    expect(get(0x0c)).toBe(1);
    expect(irq.level).toBe(false);
    put(0x10, 1);
    expect(irq.level).toBe(true);
    put(0x0c, 1);
    expect(irq.level).toBe(false);
    put(0x14, 1);
    pin.set(false);
    expect(irq.level).toBe(true);
    put(0x0c, 1);
    pin.set(true);
    expect(irq.level).toBe(false);
  });

  it("lets drivers enable input buffers, which later blocks have, without a word", () => {
    const said: string[] = [];
    const trace = new Trace();
    trace.sink = ({ text }) => said.push(text);
    const device = new GpioMpc8xxx({ irq: new Probe(), output: () => {}, trace: trace.channel("gpio") });
    device.registers.write(0x18, 4, 0xffff_ffff);
    expect([device.registers.read(0x18, 4), said]).toEqual([0, []]);
    device.registers.write(0x1c, 4, 1);
    expect(said).toHaveLength(1);
  });
});
