import { describe, expect, it } from "vitest";
import { pc } from "../../machines/pc.ts";
import { ppce500 } from "../../machines/ppce500.ts";
import { checkMachine, readMachine } from "../../src/board/machine-file.ts";

const message = async (value: unknown): Promise<string> => {
  try {
    await checkMachine(value, "my.json");
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
};

describe("a machine file", () => {
  it.each([pc, ppce500])("of the built-in machine $name is a machine", async (spec) => {
    expect(await checkMachine(JSON.parse(JSON.stringify(spec)), "x")).toEqual(spec);
  });

  it("may have its numbers in hex", async () => {
    const text = JSON.stringify(pc).replace('"address":1016', '"address":"0x3F8"');
    expect(text).toContain("0x3F8");
    expect(await readMachine(text, "x")).toEqual(pc);
  });

  it("with an unknown key is refused with the path and the nearest name", async () => {
    expect(await message({ ...pc, memroy: 1 })).toBe('my.json: unknown key "memroy"; did you mean "memory"?');
    const memory = { ...pc.memory, sise: 1 };
    expect(await message({ ...pc, memory })).toBe('my.json: memory: unknown key "sise"; did you mean "size"?');
  });

  it("with an unknown key in a device names the device's own keys", async () => {
    const devices = pc.devices.map((d) => (d.kind === "uart16550" ? { ...d, adress: 1 } : d));
    expect(await message({ ...pc, devices })).toBe('my.json: devices.4: unknown key "adress"; did you mean "address"?');
  });

  it("with an unknown key like no other gets no hint", async () => {
    expect(await message({ ...pc, flux: 1 })).toBe('my.json: unknown key "flux"');
  });

  it.each([
    ["a number that is none", { ...pc, addressBits: "lots" }, /^my\.json: addressBits: expected a whole number/],
    ["a negative number", { ...pc, addressBits: -1 }, /^my\.json: addressBits: /],
    ["another board", { ...pc, board: "q35" }, /^my\.json: board: /],
    [
      "a slot out of range",
      { ...pc, pci: { ...pc.pci, slot: "32.0" } },
      /^my\.json: pci\.slot: expected device\.function/,
    ],
    [
      "time that stands still",
      { ...pc, time: { ...pc.time, nsPerInstruction: 0 } },
      /^my\.json: time\.nsPerInstruction: /,
    ],
    [
      "more memory than there can be",
      { ...pc, memory: { ...pc.memory, maximum: 2 ** 33 } },
      /^my\.json: memory\.maximum: /,
    ],
    ["nothing", null, /^my\.json: /],
    ["a list", [], /^my\.json: /],
  ])("with %s is refused in one line", async (_, value, expected) => {
    const text = await message(value);
    expect(text).toMatch(expected);
    expect(text).not.toContain("\n");
  });

  it("that is not JSON is refused in one line", async () => {
    await expect(readMachine("{", "m.json")).rejects.toThrow(/^m\.json: not JSON: [^\n]*$/);
    await expect(readMachine(" ".repeat(2 << 20), "m.json")).rejects.toThrow(/longer than/);
  });
});
