import { describe, expect, it } from "vitest";
import { AcpiPm } from "../../src/devices/acpi-pm.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { conforms, Probe, quiet } from "./conformance.ts";

function bench() {
  const clock = new ManualClock();
  const sci = new Probe();
  let offs = 0;
  const device = new AcpiPm({ clock, sci, powerOff: () => offs++, trace: quiet() });
  return {
    clock,
    sci,
    device,
    offs: () => offs,
    get: (offset: number) => device.registers.read(offset, 2),
    put: (offset: number, value: number) => device.registers.write(offset, 2, value),
    lines: [sci],
    targets: [
      { target: device.registers, size: 64 },
      { target: device.smiCommand, size: 2 },
    ],
    disturb: (n: number) => n === 0 && device.pressPowerButton(),
    kept: ["overflows"],
  };
}

conforms("the PIIX4 power management block", bench);

describe("the PIIX4 power management block", () => {
  it("counts 24 bits at 3.579545 MHz", () => {
    const { device, clock } = bench();
    expect(device.registers.read(8, 4)).toBe(0);
    clock.advance(1e9);
    expect(device.registers.read(8, 4)).toBe(3579545);
    clock.advance(4e9);
    expect(device.registers.read(8, 4)).toBe((5 * 3579545) % 2 ** 24);
  });

  it("shows one moment of the timer in an access of four bytes, though time goes on meanwhile", () => {
    let now = 0;
    const still = new ManualClock();
    const clock = {
      get now() {
        now += 5000;
        return now;
      },
      alarm: still.alarm.bind(still),
    };
    const device = new AcpiPm({ clock, sci: new Probe(), powerOff: () => {}, trace: quiet() });
    const seen = Array.from({ length: 3000 }, () => device.registers.read(8, 4));
    // 5 us are 17.9 ticks.
    for (const [i, value] of seen.entries()) if (i > 0) expect(value - (seen[i - 1] as number)).toBeOneOf([17, 18]);
  });

  it("sets the overflow status when the timer's top bit changes, and interrupts when enabled", () => {
    const { get, put, clock, sci } = bench();
    put(4, 0x0001);
    put(2, 0x0001);
    clock.advance(2_343_484_000);
    expect(sci.level).toBe(false);
    clock.advance(1_000);
    expect(sci.level).toBe(true);
    expect(get(0)).toBe(0x0001);
    put(0, 0x0001);
    expect(sci.level).toBe(false);
    clock.advance(2_343_485_000);
    expect(sci.level).toBe(true);
  });

  it("sets the overflow status without an interrupt too", () => {
    const { get, clock } = bench();
    clock.advance(3e9);
    expect(get(0)).toBe(0x0001);
  });

  it("turns off for SLP_EN with the type of S5, in one write or with the type before", () => {
    const { put, offs } = bench();
    put(4, 0x1400);
    put(4, 0x3400);
    expect(offs()).toBe(0);
    put(4, 0x2001);
    expect(offs()).toBe(1);
  });

  it("does not keep SLP_EN, and keeps SLP_TYP", () => {
    const { put, get } = bench();
    put(4, 0x3401);
    expect(get(4)).toBe(0x1401);
  });

  it("gives the machine to ACPI by the SMI command, and takes it back", () => {
    const { device, get } = bench();
    device.smiCommand.write(0, 1, 0xf1);
    expect(get(4)).toBe(0x0001);
    device.smiCommand.write(0, 1, 0xf0);
    expect(get(4)).toBe(0x0000);
    expect(device.smiCommand.read(0, 1)).toBe(0xf0);
  });

  it("raises SCI for the power button once it is enabled, until its status is cleared by writing 1", () => {
    const { device, put, get, sci } = bench();
    device.pressPowerButton();
    expect(get(0)).toBe(0x0100);
    put(2, 0x0100);
    expect(sci.level).toBe(false);
    put(4, 0x0001);
    expect(sci.level).toBe(true);
    put(0, 0x0000);
    expect(sci.level).toBe(true);
    put(0, 0x0100);
    expect(sci.level).toBe(false);
  });
});
