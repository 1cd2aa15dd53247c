import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GuestMemory } from "../../src/bus/guest-memory.ts";
import { Ram } from "../../src/bus/ram.ts";
import { AddressSpace } from "../../src/bus/space.ts";
import { type BusTarget, bigEndian, swapBytes, type Width } from "../../src/bus/target.ts";
import { Msix } from "../../src/pci/msix.ts";
import { mpicInputOf, Ppce500Bridge } from "../../src/pci/ppce500-bridge.ts";
import { Trace } from "../../src/trace/trace.ts";
import { pciConformance } from "./conformance.ts";
import { aFunction, line, Scratch } from "./fixture.ts";

const ccsr = 0xf_e000_0000;
const pci = ccsr + 0x8000;

function make(ports?: boolean) {
  const guest = new GuestMemory(4 << 20);
  const memory = new AddressSpace("memory", 2 ** 36);
  const ram = new Ram(guest, "ram", 0x24_0000);
  memory.map(0, ram.size, ram, { name: "ram", priority: 100 });
  const inputs: number[] = [];
  const msiir: number[] = [];
  const mpic: BusTarget = bigEndian({ read: () => 0, write() {}, message: (_offset, data) => void msiir.push(data) });
  memory.map(ccsr + 0x4_1740, 4, mpic, { name: "msiir" });
  const guts = new Scratch(0x77);
  memory.map(ccsr + 0xe_0000, 0x1000, guts, { name: "guts" });
  const bridge = new Ppce500Bridge({
    memory,
    guest,
    ccsrBase: ccsr,
    ports,
    irq: (input) => line((level) => void inputs.push(level ? input : -input)),
    trace: new Trace().channel("pci"),
  });
  memory.map(pci, 0x1000, bridge.registers, { name: "pci" });
  const fn = aFunction("device");
  const bar = new Scratch(0x22);
  fn.addBar({ index: 0, kind: "io", size: 64, target: new Scratch(0x33) });
  const msix = new Msix(fn, { vectors: 2, bar: 1 });
  fn.addBar({ index: 4, kind: "memory64", size: 0x4000, target: bar });
  bridge.bus.plug(1, 0, fn);
  /** As a big-endian CPU's plain 4-byte accesses do. */
  const out = (offset: number, value: number) => memory.write(pci + offset, 4, swapBytes(value, 4));
  const inn = (offset: number) => swapBytes(memory.read(pci + offset, 4), 4);
  const config = (devfn: number, at: number, value: number) => {
    out(0, 0x8000_0000 + devfn * 256 + at);
    memory.write(pci + 4, 4, value);
  };
  return { memory, ram, bridge, fn, bar, msix, inputs, msiir, guts, out, inn, config };
}

/** The windows and PCICSRBAR as Linux leaves them. */
function asLinuxLeavesIt(ports?: boolean) {
  const m = make(ports);
  const { out, config } = m;
  out(0xc20, 0xe0000);
  out(0xc28, 0xc00000);
  out(0xc30, 0x8004401c);
  out(0xc40, 0);
  out(0xc48, 0xfe1000);
  out(0xc50, 0x8008800f);
  out(0xda0, 0);
  out(0xda8, 0);
  out(0xdb0, 0xa0f5501b);
  config(0, 0x10, 0xdff0_0000);
  config(0, 0x04, 0x0106);
  config(8, 0x10, 0x1000);
  config(8, 0x14, 0xe000_c000);
  config(8, 0x20, 0xe000_0000);
  config(8, 0x04, 0x0007);
  return m;
}

pciConformance("the ppce500 host bridge", () => make().bridge.function);
pciConformance("a device behind the ppce500 host bridge", () => make().fn);

describe("the configuration registers of ppce500", () => {
  it("are a big-endian address and data that passes bytes on", () => {
    const { memory, out, inn } = make();
    out(0, 0x8000_0000);
    expect(inn(0)).toBe(0x8000_0000);
    expect([...Array(4).keys()].map((i) => memory.read(pci + 4 + i, 1))).toEqual([0x57, 0x19, 0x30, 0x00]);
    out(0, 0x8000_0808);
    expect(memory.read(pci + 6, 2)).toBe(0x0102);
    out(0, 0x0000_0808);
    expect(memory.read(pci + 4, 4)).toBe(0xffff_ffff);
  });

  it("find the bridge in slot 0: 1957:0030, class 0x0B2000, BAR0 of 1 MiB", () => {
    const { memory, out, config } = make();
    config(0, 0x10, 0xffff_ffff);
    expect(memory.read(pci + 4, 4)).toBe(0xfff0_0000);
    out(0, 0x8000_0008);
    expect(memory.read(pci + 4, 4)).toBe(0x0b2000_00);
  });
});

describe("the outbound windows", () => {
  it("show memory and ports where Linux puts them", () => {
    const { memory, inn } = asLinuxLeavesIt();
    expect([memory.read(0xc_0000_0000, 1), memory.read(0xf_e100_1000, 1)]).toEqual([0x22, 0x33]);
    expect([inn(0xc20), inn(0xc28), inn(0xc30)]).toEqual([0xe0000, 0xc00000, 0x8004401c]);
    expect(inn(0xdb0)).toBe(0xa0f5501b);
  });

  it("lead to no ports where the bridge makes no I/O transactions, whatever their registers say", () => {
    const { memory, inn } = asLinuxLeavesIt(false);
    expect([memory.read(0xc_0000_0000, 1), memory.read(0xf_e100_1000, 1)]).toEqual([0x22, 0xff]);
    expect(inn(0xc50)).toBe(0x8008_800f);
  });

  it("show nothing before they are enabled, nor after a reset", () => {
    const { memory, bridge, out } = asLinuxLeavesIt();
    out(0xc30, 0x0004401c);
    expect(memory.read(0xc_0000_0000, 1)).toBe(0xff);
    out(0xc30, 0x8004401c);
    expect(memory.read(0xc_0000_0000, 1)).toBe(0x22);
    bridge.reset();
    expect([memory.read(0xc_0000_0000, 1), memory.read(0xf_e100_1000, 1)]).toEqual([0xff, 0xff]);
  });

  it("translate to another bus address when it is changed, and are there again after a restore", () => {
    const { memory, bridge, out } = asLinuxLeavesIt();
    const saved = bridge.state.save();
    out(0xc20, 0xc0000);
    expect([memory.read(0xc_0000_0000, 1), memory.read(0xc_2000_0000, 1)]).toEqual([0xff, 0xff]);
    bridge.state.restore(saved);
    bridge.restored();
    expect(memory.read(0xc_0000_0000, 1)).toBe(0x22);
  });
});

describe("a device of ppce500", () => {
  it("reaches RAM through the inbound window and not without it", () => {
    const { fn, ram, out } = asLinuxLeavesIt();
    ram.write(0x1234, 4, 0x01020304);
    expect(fn.dma.le.u32(0x1234)).toBe(0x01020304);
    out(0xdb0, 0x20f5501b);
    expect(fn.dma.le.u32(0x1234)).toBe(-1);
  });

  it("sees RAM where the window's base and translation say", () => {
    const { fn, ram, out } = asLinuxLeavesIt();
    out(0xdc8, 0x80000);
    out(0xdc0, 0x10);
    out(0xdd0, 0xa0f5500f);
    ram.write(0x1_0008, 4, 0xabcdef01);
    expect(fn.dma.le.u32(0x8000_0008)).toBe(0xabcdef01);
    expect(fn.dma.le.u32(0x8001_0000)).toBe(-1);
  });

  it("sees through a window to local memory alone", () => {
    const { fn, out } = asLinuxLeavesIt();
    out(0xdb0, 0xa025501b);
    expect(fn.dma.le.u32(0)).toBe(-1);
  });

  it("sends its message through PCICSRBAR to MSIIR, the bytes in its own order", () => {
    const { fn, msix, memory, msiir } = asLinuxLeavesIt();
    memory.write(0xc_0000_c000, 4, 0xdff4_1740);
    memory.write(0xc_0000_c008, 4, 0x25);
    memory.write(0xc_0000_c00c, 4, 0);
    const capability = fn.readConfig(0x34, 1);
    fn.writeConfig(capability + 2, 2, 0x8000);
    msix.notify(0);
    expect(msiir).toEqual([0x2500_0000]);
  });

  it("sends nothing there when PCICSRBAR is elsewhere or not decoded", () => {
    const { fn, msiir, config, bridge } = asLinuxLeavesIt();
    fn.messages.message(0xdff4_1740, 1);
    config(0, 0x10, 0xdfe0_0000);
    fn.messages.message(0xdff4_1740, 2);
    fn.messages.message(0xdfe4_1740, 3);
    config(0, 0x04, 0);
    fn.messages.message(0xdfe4_1740, 4);
    expect(msiir.map((data) => swapBytes(data, 4))).toEqual([1, 3]);
    expect(bridge.bus.path.state.now.messagesDropped).toBe(2);
  });

  it("does not reach chips in the CCSR block by DMA", () => {
    const { fn, guts } = asLinuxLeavesIt();
    expect(fn.dma.write(0xdffe_0000, Uint8Array.of(1, 2, 3, 4))).toBe(false);
    expect(guts.writes).toEqual([]);
  });

  it("finds PCICSRBAR in front of RAM when it is moved over the inbound window", () => {
    const { fn, config, msiir } = asLinuxLeavesIt();
    expect(fn.dma.le.u32(0x2_0000)).toBe(0);
    config(0, 0x10, 0x0010_0000);
    fn.messages.message(0x14_1740, 5);
    expect(msiir.map((data) => swapBytes(data, 4))).toEqual([5]);
    expect(fn.dma.reaches(0x2_0000, 0x1000)).toBe(true);
    expect(fn.dma.le.u32(0x2_0000)).toBe(0);
    expect(fn.dma.reaches(0x10_0000, 1)).toBe(false);
    expect(fn.dma.le.u32(0x10_0000)).toBe(-1);
    expect(fn.dma.le.u32(0x20_0000)).toBe(0);
    expect(fn.dma.le.u32(0x1f_fffe)).toBe(-1);
  });

  it("pulls the MPIC's input which the board's interrupt map names", () => {
    const map = [mpicInputOf(1, 1), mpicInputOf(1, 2), mpicInputOf(2, 1), mpicInputOf(3, 1), mpicInputOf(4, 1)];
    expect(map).toEqual([2, 3, 3, 4, 1]);
    const { fn, inputs } = make();
    fn.setInterrupt(true);
    fn.setInterrupt(false);
    expect(inputs.filter((n) => Math.abs(n) === 2)).toEqual([2, -2]);
  });
});

describe("a hostile guest at the ppce500 bridge", () => {
  it("may lay a window over the CCSR block: chips stay in front, and a look which leads back finds nothing", () => {
    const { memory, out, config, guts } = asLinuxLeavesIt();
    config(0, 0x10, 0xe000_0000);
    out(0xc28, 0xfe0000);
    expect(memory.read(ccsr + 0xe_0000, 4)).toBe(0x77777777);
    expect(memory.read(ccsr + 0x2_0000, 4)).toBe(0xffff_ffff);
    memory.write(ccsr + 0x2_0000, 4, 1);
    expect(guts.writes).toEqual([]);
  });

  it("may write anything anywhere", () => {
    const access = fc.record({
      offset: fc.nat(0xfff),
      width: fc.constantFrom<Width>(1, 2, 4),
      value: fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0xffff_ffff, 0x8004401c, 0x1b50f5a0)),
    });
    const where = fc.constantFrom(0, 4, 0xc20, 0xc24, 0xc28, 0xc30, 0xc50, 0xda0, 0xda8, 0xdac, 0xdb0, 0xdf0);
    const aligned = fc.record({ offset: where, width: fc.constant<Width>(4), value: access.map((a) => a.value) });
    fc.assert(
      fc.property(fc.array(fc.oneof(access, aligned), { maxLength: 100 }), (accesses) => {
        const { memory, fn, bridge } = asLinuxLeavesIt();
        for (const { offset, width, value } of accesses) {
          memory.write(pci + offset, width, value);
          memory.read(pci + offset, width);
          fn.dma.le.u32(value);
          fn.messages.message(value, offset);
          memory.read(0xc_0000_0000 + offset, width);
        }
        const saved = bridge.state.save();
        bridge.state.restore(saved);
        bridge.restored();
        expect(bridge.state.save()).toEqual(saved);
      }),
      { numRuns: 100 },
    );
  });
});
