import { describe, expect, it } from "vitest";
import type { Device } from "../../src/bus/state.ts";
import type { BusTarget } from "../../src/bus/target.ts";
import { CoprocessorError } from "../../src/devices/coprocessor-error.ts";
import { DebugConsole, ExitRegister, PostCode } from "../../src/devices/debug-ports.ts";
import { I8042 } from "../../src/devices/i8042.ts";
import { ResetControl, SystemControlPortA } from "../../src/devices/reset-ports.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { Trace } from "../../src/trace/trace.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

function keyboard() {
  const irq = new Probe();
  let resets = 0;
  const device = new I8042({ irq, reset: () => resets++, trace: quiet() });
  return {
    device,
    irq,
    resets: () => resets,
    data: () => device.data.read(0, 1),
    status: () => device.control.read(0, 1),
    send: (byte: number) => device.data.write(0, 1, byte),
    command: (byte: number) => device.control.write(0, 1, byte),
    clock: new ManualClock(),
    lines: [irq],
    targets: [
      { target: device.data, size: 1 },
      { target: device.control, size: 1 },
    ],
  };
}

conforms("the 8042", keyboard);

describe("the 8042", () => {
  it("answers its self-test with 0x55 and sets the system flag", () => {
    const { command, data, status } = keyboard();
    expect(status()).toBe(0x10);
    command(0xaa);
    expect(status() & 0x05).toBe(0x05);
    expect(data()).toBe(0x55);
    expect(status() & 0x01).toBe(0);
  });

  it("finds the keyboard's lines in order", () => {
    const { command, data } = keyboard();
    command(0xab);
    expect(data()).toBe(0x00);
  });

  it("keeps its command byte, and bit 2 of it is the system flag", () => {
    const { command, send, data, status } = keyboard();
    command(0x60);
    send(0x65);
    expect(status() & 0x04).toBe(0x04);
    command(0x20);
    expect(data()).toBe(0x65);
  });

  it("tells in the status whether the last write was a command", () => {
    const { command, send, status } = keyboard();
    command(0x60);
    expect(status() & 0x08).toBe(0x08);
    send(0x00);
    expect(status() & 0x08).toBe(0);
  });

  it("raises IRQ 1 for a full output buffer only when the command byte enables it", () => {
    const { command, send, data, irq } = keyboard();
    command(0xaa);
    expect(irq.level).toBe(false);
    data();
    command(0x60);
    send(0x01);
    command(0xaa);
    expect(irq.level).toBe(true);
    data();
    expect(irq.level).toBe(false);
  });

  it("reports a time-out and 0xfe for a byte to the keyboard, since none is plugged in", () => {
    const { send, data, status } = keyboard();
    send(0xff);
    expect(status() & 0x41).toBe(0x41);
    expect(data()).toBe(0xfe);
    expect(status() & 0x41).toBe(0);
  });

  it("has no auxiliary port: its test fails", () => {
    const { command, data } = keyboard();
    command(0xa9);
    expect(data()).not.toBe(0);
  });

  it("resets the CPU by command 0xfe and by bit 0 of the output port, and by nothing else", () => {
    const { command, send, resets } = keyboard();
    command(0xfe);
    expect(resets()).toBe(1);
    command(0xd1);
    send(0xde);
    expect(resets()).toBe(2);
    command(0xff);
    command(0xd1);
    send(0xdf);
    expect(resets()).toBe(2);
  });

  it("says that A20 is on whatever is asked of it", () => {
    const { command, send, data } = keyboard();
    command(0xd1);
    send(0xdd);
    command(0xd0);
    expect(data() & 0x03).toBe(0x03);
  });
});

function alone<T extends Device & { readonly registers: BusTarget }>(device: T) {
  return { device, clock: new ManualClock(), lines: [], targets: [{ target: device.registers, size: 1 }] };
}

conforms("port 0x92", () => alone(new SystemControlPortA({ reset: () => {} })));
conforms("port 0xf0", () => {
  const irq = new Probe();
  const device = new CoprocessorError({ irq });
  return {
    ...alone(device),
    lines: [irq],
    disturb: (value: number) => {
      device.ferr((value & 1) as 0 | 1);
    },
  };
});
conforms("port 0xcf9", () => alone(new ResetControl({ reset: () => {} })));
conforms("the exit register", () => alone(new ExitRegister({ exit: () => {} })));
conforms("the debug console", () => alone(new DebugConsole({ write: () => {} })));
conforms("port 0x80", () => alone(new PostCode({ trace: quiet() })));

describe("x87 exceptions by IRQ 13", () => {
  it("FERR# raises IRQ 13 once, port 0xf0 lowers it and asserts IGNNE# until FERR# goes down", () => {
    const irq = new Probe();
    const chip = new CoprocessorError({ irq });
    chip.registers.write(0, 1, 0);
    expect([chip.ferr(1), irq.level]).toEqual([0, true]);
    chip.registers.write(0, 1, 0);
    expect([chip.ferr(1), irq.level]).toEqual([1, false]);
    expect(chip.ferr(0)).toBe(0);
    expect([chip.ferr(1), irq.level]).toEqual([0, true]);
    // Only port 0xf0 lowers it.
    chip.ferr(0);
    expect(irq.level).toBe(true);
  });
});

describe("the ports which reset", () => {
  it("port 0x92 resets when bit 0 rises, and always has A20 on", () => {
    let resets = 0;
    const { registers } = new SystemControlPortA({ reset: () => resets++ });
    expect(registers.read(0, 1)).toBe(0x02);
    registers.write(0, 1, 0x00);
    expect(registers.read(0, 1)).toBe(0x02);
    registers.write(0, 1, 0x01);
    registers.write(0, 1, 0x01);
    expect(resets).toBe(1);
  });

  it("port 0xcf9 resets when bit 2 rises", () => {
    let resets = 0;
    const { registers } = new ResetControl({ reset: () => resets++ });
    registers.write(0, 1, 0x02);
    expect(resets).toBe(0);
    expect(registers.read(0, 1)).toBe(0x02);
    registers.write(0, 1, 0x06);
    expect(resets).toBe(1);
    registers.write(0, 1, 0x06);
    expect(resets).toBe(1);
    registers.write(0, 1, 0x02);
    registers.write(0, 1, 0x0e);
    expect(resets).toBe(2);
  });
});

describe("the ports for tests and firmware", () => {
  it.each([
    [1, 0x01, 1],
    [2, 0x0100, 0],
    [4, 0xffff_ff85, 0x85],
  ] as const)("a write of %i bytes to the exit register leaves with the low 8 bits", (width, value, status) => {
    const left: number[] = [];
    new ExitRegister({ exit: (n) => left.push(n) }).registers.write(0, width, value);
    expect(left).toEqual([status]);
  });

  it("the debug console passes bytes on and reads as 0xe9", () => {
    const said: number[] = [];
    const { registers } = new DebugConsole({ write: (byte) => said.push(byte) });
    registers.write(0, 1, 0x41);
    expect(said).toEqual([0x41]);
    expect(registers.read(0, 1)).toBe(0xe9);
  });

  it("the post code is kept, and traced when somebody listens", () => {
    const trace = new Trace();
    const lines: string[] = [];
    trace.sink = (line) => lines.push(line.text);
    const { registers } = new PostCode({ trace: trace.channel("post") });
    registers.write(0, 1, 0x11);
    trace.enable("post");
    registers.write(0, 1, 0x0a);
    expect(registers.read(0, 1)).toBe(0x0a);
    expect(lines).toEqual(["post code 0x0a"]);
  });
});
