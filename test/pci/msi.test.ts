import { describe, expect, it } from "vitest";
import { Msi } from "../../src/pci/msi.ts";
import { header } from "../../src/pci/registers.ts";
import { capabilityOffsets, pciConformance } from "./conformance.ts";
import { aFunction, pciMachine } from "./fixture.ts";

function make(vectors = 4) {
  const machine = pciMachine();
  const fn = aFunction();
  const msi = new Msi(fn, vectors);
  machine.bus.plug(3, 0, fn);
  fn.writeConfig(header.command, 2, 4);
  const at = capabilityOffsets(fn)[0]!;
  fn.writeConfig(at + 4, 4, 0xfee0_1000);
  fn.writeConfig(at + 12, 2, 0x4047);
  const sent = () => machine.messages.splice(0).map((m) => m.data);
  return { ...machine, fn, msi, at, sent };
}

pciConformance("a function with MSI", () => make(32).fn);

describe("MSI (PCI 3.0 section 6.8.1)", () => {
  it("says that it has 64-bit addresses, masks, and how many messages it asks for", () => {
    const { fn, at } = make(8);
    expect(fn.readConfig(at, 1)).toBe(5);
    expect(fn.readConfig(at + 2, 2)).toBe((1 << 8) | (1 << 7) | (3 << 1));
    expect(() => make(3)).toThrow(RangeError);
    expect(() => make(64)).toThrow(RangeError);
  });

  it("sends nothing while it is off", () => {
    const { msi, sent } = make();
    msi.notify(0);
    expect(sent()).toEqual([]);
  });

  it("replaces as many low bits of the data as software allows messages (section 6.8.1.3)", () => {
    const { fn, msi, at, sent } = make(4);
    const all = () => {
      for (const v of [0, 1, 2, 3, 4]) msi.notify(v);
      return sent();
    };
    fn.writeConfig(at + 2, 2, 1 | (2 << 4));
    expect(all()).toEqual([0x4044, 0x4045, 0x4046, 0x4047]);
    fn.writeConfig(at + 2, 2, 1 | (1 << 4));
    expect(all()).toEqual([0x4046, 0x4047, 0x4046, 0x4047]);
    fn.writeConfig(at + 2, 2, 1);
    expect(all()).toEqual([0x4047, 0x4047, 0x4047, 0x4047]);
  });

  it("allows no more messages than it asked for", () => {
    const { fn, msi, at } = make(4);
    fn.writeConfig(at + 2, 2, 1 | (7 << 4));
    expect(msi.allowed).toBe(4);
  });

  it("keeps a masked message pending and sends it when the mask goes (section 6.8.1.7)", () => {
    const { fn, msi, at, sent } = make(4);
    fn.writeConfig(at + 2, 2, 1 | (2 << 4));
    fn.writeConfig(at + 16, 4, 0xffff_ffff);
    expect(fn.readConfig(at + 16, 4)).toBe(0xf);
    msi.notify(2);
    msi.notify(2);
    expect([sent(), fn.readConfig(at + 20, 4)]).toEqual([[], 4]);
    fn.writeConfig(at + 16, 1, 0xb);
    expect([sent(), fn.readConfig(at + 20, 4)]).toEqual([[0x4046], 0]);
  });

  it("sends to the whole 64-bit address, low two bits 0", () => {
    const { fn, msi, at, sent, bus } = make(1);
    fn.writeConfig(at + 2, 2, 1);
    fn.writeConfig(at + 8, 4, 1);
    msi.notify(0);
    expect([sent(), bus.path.state.now.messagesDropped]).toEqual([[], 1]);
    fn.writeConfig(at + 8, 4, 0);
    fn.writeConfig(at + 4, 4, 0xfee0_1003);
    msi.notify(0);
    expect(fn.readConfig(at + 4, 4)).toBe(0xfee0_1000);
    expect(sent()).toEqual([0x4047]);
  });

  it("keeps the interrupt pin low while it is enabled", () => {
    const { fn, at, levels } = make();
    fn.setInterrupt(true);
    fn.writeConfig(at + 2, 2, 1);
    expect(levels.get("3.1")).toBe(false);
    fn.reset();
    expect(levels.get("3.1")).toBe(false);
  });
});
