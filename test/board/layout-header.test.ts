import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pc } from "../../machines/pc.ts";
import { ppce500 } from "../../machines/ppce500.ts";
import { layoutHeader } from "../../src/board/layout-header.ts";
import type { MachineSpec } from "../../src/board/spec.ts";

const machines: readonly MachineSpec[] = [pc, ppce500];

describe("the layout header", () => {
  it.each(machines)("of $name in the tree is what the machine gives (npm run layout writes it)", (spec) => {
    const committed = readFileSync(new URL(`../../guest/include/layout-${spec.name}.h`, import.meta.url), "utf8");
    expect(layoutHeader(spec)).toBe(committed);
  });

  it("follows the machine", () => {
    const devices = pc.devices.map((device) => (device.kind === "exit" ? { ...device, address: 0x501 } : device));
    expect(layoutHeader({ ...pc, devices })).toContain("#define EXIT_PORT 0x501\n");
  });

  it("gives the value that enters S5 as ACPI 6.4 table 4.16 has it", () => {
    const power = { ...pc.pci.power, s5: 5 };
    expect(layoutHeader({ ...pc, pci: { ...pc.pci, power } })).toContain("#define PM1A_S5_VALUE 0x3400\n");
  });

  it("says which device is missing", () => {
    const devices = ppce500.devices.filter((device) => device.kind !== "gpio");
    expect(() => layoutHeader({ ...ppce500, devices })).toThrow("machine ppce500 has no gpio");
  });
});
