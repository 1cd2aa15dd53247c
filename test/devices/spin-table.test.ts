import { describe, expect, it } from "vitest";
import { swapBytes } from "../../src/bus/target.ts";
import { SpinTable } from "../../src/devices/spin-table.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { conforms } from "./conformance.ts";

function table() {
  const device = new SpinTable(2);
  return {
    device,
    word: (offset: number) => swapBytes(device.registers.read(offset, 4), 4),
    clock: new ManualClock(),
    lines: [],
    targets: [{ target: device.registers, size: device.size }],
  };
}

conforms("the spin table", table);

describe("the spin table", () => {
  it("holds each processor at address 1 after reset, and gives it its number (ePAPR 5.5.2)", () => {
    const { word } = table();
    const entry = (n: number) => [0, 4, 8, 12, 16, 20].map((offset) => word(32 * n + offset));
    expect(entry(0)).toEqual([0, 1, 0, 0, 0, 0]);
    expect(entry(1)).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it("keeps what is written, in whatever pieces", () => {
    const { device, word } = table();
    device.registers.write(4, 4, swapBytes(0x0012_3400, 4));
    device.registers.write(6, 1, 0x56);
    expect(word(4)).toBe(0x0012_5600);
    expect(device.registers.read(5, 2)).toBe(0x5612);
  });
});
