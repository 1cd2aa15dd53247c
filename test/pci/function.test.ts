import { describe, expect, it } from "vitest";
import { command, header, status } from "../../src/pci/registers.ts";
import { pciConformance } from "./conformance.ts";
import { aFunction, pciMachine, Scratch } from "./fixture.ts";

function plugged() {
  const machine = pciMachine();
  const fn = aFunction();
  machine.bus.plug(3, 0, fn);
  return { ...machine, fn };
}

function withEverything() {
  const { bus } = pciMachine();
  const fn = aFunction();
  fn.addBar({ index: 0, kind: "io", size: 64, target: new Scratch(1) });
  fn.addBar({ index: 1, kind: "memory32", size: 4096, target: new Scratch(2) });
  fn.addBar({ index: 4, kind: "memory64", prefetchable: true, size: 0x4000, target: new Scratch(3) });
  fn.addCapability(9, Uint8Array.of(0, 0, 16, 1, ...new Array(12).fill(0)), new Uint8Array(16));
  fn.addCapability(9, new Uint8Array(21).fill(0x55), new Uint8Array(21).fill(0xff));
  bus.plug(3, 0, fn);
  return fn;
}

pciConformance("a function with nothing", () => plugged().fn);
pciConformance("a function with BARs and capabilities", withEverything);

describe("configuration space", () => {
  it("shows the identity where PCI 3.0 figure 6-1 has it", () => {
    const { fn } = plugged();
    expect(fn.readConfig(0x00, 4)).toBe(0x5678_1234);
    expect(fn.readConfig(0x08, 4)).toBe(0x010203_03);
    expect(fn.readConfig(0x2c, 4)).toBe(0xdef0_9abc);
    expect(fn.readConfig(0x3d, 1)).toBe(1);
    expect(fn.readConfig(0x0e, 1)).toBe(0);
  });

  it("reads little-endian at any alignment, and all ones past its end", () => {
    const { fn } = plugged();
    expect(fn.readConfig(1, 2)).toBe(0x7812);
    expect(fn.readConfig(3, 4)).toBe(0x00000056);
    expect(fn.readConfig(254, 4)).toBe(0xffff_0000);
    expect(fn.readConfig(256, 4)).toBe(0xffff_ffff);
    fn.writeConfig(254, 4, 0xffff_ffff);
    expect(fn.readConfig(254, 2)).toBe(0);
  });

  it("writes only the bytes of the access", () => {
    const { fn } = plugged();
    fn.writeConfig(header.interruptLine, 1, 0x0b);
    fn.writeConfig(header.latencyTimer, 1, 0x40);
    fn.writeConfig(0x0c, 1, 0x10);
    expect(fn.readConfig(0x0c, 4)).toBe(0x4010);
    expect(fn.readConfig(0x3c, 4)).toBe(0x010b);
  });

  it("clears a status bit by writing 1, leaves it by writing 0 (section 6.2.3)", () => {
    const { fn } = plugged();
    fn.poke(header.status, 2, 0xf900 | status.devselMedium);
    fn.writeConfig(header.status, 2, 0);
    expect(fn.readConfig(header.status, 2)).toBe(0xf900 | status.devselMedium);
    fn.writeConfig(header.status, 2, status.receivedMasterAbort);
    expect(fn.readConfig(header.status, 2)).toBe(0xd900 | status.devselMedium);
    fn.writeConfig(header.status + 1, 1, 0x80);
    expect(fn.readConfig(header.status, 2)).toBe(0x5900 | status.devselMedium);
    fn.writeConfig(header.command, 4, 0xffff_0000);
    expect(fn.readConfig(header.status, 2)).toBe(status.devselMedium);
  });

  it("lets software set the command bits that exist and no other", () => {
    const { fn } = plugged();
    fn.writeConfig(header.command, 2, 0xffff);
    expect(fn.readConfig(header.command, 2)).toBe(0x0547);
  });

  it("lists capabilities in the order in which they were added", () => {
    const fn = aFunction();
    const first = fn.addCapability(9, new Uint8Array(13), new Uint8Array(13));
    const second = fn.addCapability(0x11, new Uint8Array(12), new Uint8Array(12));
    expect([first, second]).toEqual([0x40, 0x50]);
    expect(fn.readConfig(header.capabilities, 1)).toBe(first);
    expect(fn.readConfig(first, 2)).toBe((second << 8) | 9);
    expect(fn.readConfig(second, 2)).toBe(0x11);
  });

  it("refuses more capabilities than there is room for, and BARs that overlap", () => {
    const fn = aFunction();
    fn.addCapability(9, new Uint8Array(180), new Uint8Array(180));
    expect(() => fn.addCapability(9, new Uint8Array(16), new Uint8Array(16))).toThrow(RangeError);
    fn.addBar({ index: 2, kind: "memory64", size: 4096, target: new Scratch(0) });
    expect(() => fn.addBar({ index: 3, kind: "memory32", size: 4096, target: new Scratch(0) })).toThrow(/BAR3/);
    expect(() => fn.addBar({ index: 0, kind: "memory32", size: 4095, target: new Scratch(0) })).toThrow(RangeError);
  });

  it("tells a capability of reads before and of writes after, cut to its bytes", () => {
    const { fn } = plugged();
    const seen: string[] = [];
    const writable = new Uint8Array(8).fill(0xff);
    const at = aCapability();
    function aCapability() {
      return fn.addCapability(9, new Uint8Array(8), writable, {
        beforeRead: (offset, length) => {
          seen.push(`read ${offset}+${length}`);
          fn.poke(0x44, 1, 0x77);
        },
        afterWrite: (offset, length) => void seen.push(`write ${offset}+${length} ${fn.peek(0x44, 4)}`),
      });
    }
    expect(fn.readConfig(at + 4, 1)).toBe(0x77);
    fn.writeConfig(at + 4, 4, 0x01020304);
    fn.readConfig(at + 6, 4);
    fn.readConfig(at - 2, 4);
    fn.readConfig(at + 8, 4);
    expect(seen).toEqual(["read 4+1", `write 4+4 ${0x01020304}`, "read 6+2", "read 0+2"]);
  });

  it("says once when software writes a register that is not there", () => {
    const { fn, lines } = plugged();
    fn.writeConfig(0x80, 4, 1);
    fn.writeConfig(0x80, 4, 1);
    expect(lines).toEqual(["00:03.0 has no register at 0x80, written 0x1"]);
  });
});

describe("the interrupt pin", () => {
  it("follows the device's level", () => {
    const { fn, levels } = plugged();
    fn.setInterrupt(true);
    expect(levels.get("3.1")).toBe(true);
    fn.setInterrupt(false);
    expect(levels.get("3.1")).toBe(false);
  });

  it("rests while Interrupt Disable is set; Interrupt Status does not care (section 6.2.2, 6.2.3)", () => {
    const { fn, levels } = plugged();
    fn.writeConfig(header.command, 2, command.interruptDisable);
    fn.setInterrupt(true);
    expect(levels.get("3.1") ?? false).toBe(false);
    expect(fn.readConfig(header.status, 2) & status.interrupt).toBe(status.interrupt);
    fn.writeConfig(header.command, 2, 0);
    expect(levels.get("3.1")).toBe(true);
    fn.writeConfig(header.status, 2, 0xffff);
    expect(fn.readConfig(header.status, 2) & status.interrupt).toBe(status.interrupt);
    fn.setInterrupt(false);
    expect(fn.readConfig(header.status, 2) & status.interrupt).toBe(0);
  });

  it("is low after a reset", () => {
    const { fn, levels } = plugged();
    fn.setInterrupt(true);
    fn.reset();
    expect(levels.get("3.1")).toBe(false);
    expect(fn.readConfig(header.status, 2)).toBe(0);
  });

  it("is driven again after a restore", () => {
    const one = plugged();
    one.fn.setInterrupt(true);
    const other = plugged();
    other.fn.state.restore(one.fn.state.save());
    other.fn.restored();
    expect(other.levels.get("3.1")).toBe(true);
  });
});

describe("access through a BAR by number", () => {
  it("reaches the target wherever it is decoded, and is bounded by the BAR's size", () => {
    const fn = aFunction();
    const target = new Scratch(0x5a);
    fn.addBar({ index: 1, kind: "memory32", size: 16, target });
    expect(fn.readBar(1, 12, 4)).toBe(0x5a5a5a5a);
    expect(fn.readBar(1, 13, 4)).toBe(0xffff_ffff);
    expect(fn.readBar(1, 0xffff_fffc, 4)).toBe(0xffff_ffff);
    expect(fn.readBar(7, 0, 2)).toBe(0xffff);
    fn.writeBar(1, 15, 1, 9);
    fn.writeBar(1, 15, 2, 9);
    fn.writeBar(9, 0, 1, 9);
    expect(target.writes).toEqual([{ offset: 15, width: 1, value: 9 }]);
  });
});
