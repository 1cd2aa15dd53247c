import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dma, GuestWords } from "../../src/bus/dma.ts";
import { FwCfg } from "../../src/devices/fwcfg.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { conforms, quiet } from "./conformance.ts";

/** 1 MiB of RAM at 0, and nothing else. */
function ram() {
  const bytes = new Uint8Array(0x10_0000);
  const view = new DataView(bytes.buffer);
  const reaches = (address: number, length: number) => address >= 0 && address + length <= bytes.length;
  const words = (little: boolean): GuestWords => ({
    u16: (a) => (reaches(a, 2) ? view.getUint16(a, little) : -1),
    u32: (a) => (reaches(a, 4) ? view.getUint32(a, little) : -1),
    u64: (a) => (reaches(a, 8) ? Number(view.getBigUint64(a, little)) : -1),
    setU16: (a, value) => {
      if (!reaches(a, 2)) return false;
      view.setUint16(a, value, little);
      return true;
    },
    setU32: (a, value) => {
      if (!reaches(a, 4)) return false;
      view.setUint32(a, value, little);
      return true;
    },
  });
  const dma: Dma = {
    read: (a, into) => {
      if (!reaches(a, into.length)) return false;
      into.set(bytes.subarray(a, a + into.length));
      return true;
    },
    write: (a, from) => {
      if (!reaches(a, from.length)) return false;
      bytes.set(from, a);
      return true;
    },
    lend: (a, length, views) => reaches(a, length) && views.push(bytes.subarray(a, a + length)) > 0,
    reaches,
    le: words(true),
    be: words(false),
  };
  return { bytes, dma };
}

function bench() {
  const { bytes, dma } = ram();
  const device = new FwCfg({ dma, trace: quiet() });
  const select = (key: number) => device.ports.write(0, 2, key);
  const read = (count: number) => Array.from({ length: count }, () => device.ports.read(1, 1));
  /** Runs the descriptor at 0x1000 and returns its control word. */
  const transfer = (control: number, length: number, address: number) => {
    dma.be.setU32(0x1000, control);
    dma.be.setU32(0x1004, length);
    dma.be.setU32(0x1008, 0);
    dma.be.setU32(0x100c, address);
    device.ports.write(8, 4, 0x0010_0000);
    return dma.be.u32(0x1000);
  };
  return {
    device,
    bytes,
    dma,
    select,
    read,
    transfer,
    clock: new ManualClock(),
    lines: [],
    targets: [
      { target: device.ports, size: 12 },
      { target: device.memory, size: 24 },
    ],
  };
}

const text = (bytes: readonly number[]) => String.fromCharCode(...bytes);

conforms("fw_cfg", () => {
  const b = bench();
  b.device.addFile("etc/one", Uint8Array.of(1, 2, 3));
  b.device.addFile("etc/two", () => Uint8Array.of(4, 5));
  return b;
});

describe("fw_cfg", () => {
  it("says QEMU, and that it has both interfaces", () => {
    const { select, read } = bench();
    select(0);
    expect(text(read(4))).toBe("QEMU");
    select(1);
    expect(read(4)).toEqual([3, 0, 0, 0]);
  });

  it("does not offer DMA where it has none", () => {
    const device = new FwCfg({ trace: quiet() });
    device.ports.write(0, 2, 1);
    expect(device.ports.read(1, 1)).toBe(1);
    expect(device.ports.read(4, 4)).toBe(0xffff_ffff);
  });

  it("lists its files big-endian, with names of 56 bytes", () => {
    const { device, select, read } = bench();
    const key = device.addFile("etc/e820", new Uint8Array(20));
    device.addFile("opt/x", new Uint8Array(0x1234));
    select(0x19);
    expect(read(4)).toEqual([0, 0, 0, 2]);
    const first = read(64);
    expect(first.slice(0, 8)).toEqual([0, 0, 0, 20, 0, key, 0, 0]);
    expect(text(first.slice(8, 17))).toBe("etc/e820\0");
    expect(read(64).slice(0, 4)).toEqual([0, 0, 0x12, 0x34]);
  });

  it("reads zeros past the end, and for a key which is not there", () => {
    const { device, select, read } = bench();
    select(device.addFile("a", Uint8Array.of(7)));
    expect(read(3)).toEqual([7, 0, 0]);
    select(0x7777);
    expect(read(2)).toEqual([0, 0]);
  });

  it("makes a computed item anew each time it is selected", () => {
    const { device, select, read } = bench();
    let value = 1;
    const key = device.addFile("now", () => Uint8Array.of(value));
    select(key);
    expect(read(1)).toEqual([1]);
    value = 2;
    select(key);
    expect(read(1)).toEqual([2]);
  });

  it("refuses a name which is too long or taken", () => {
    const { device } = bench();
    device.addFile("a", new Uint8Array(0));
    expect(() => device.addFile("a", new Uint8Array(0))).toThrow("already");
    expect(() => device.addFile("x".repeat(56), new Uint8Array(0))).toThrow("too long");
  });

  it("shows QEMU CFG in its DMA register", () => {
    const { device } = bench();
    const shown = Array.from({ length: 8 }, (_, i) => device.ports.read(4 + i, 1));
    expect(text(shown)).toBe("QEMU CFG");
    expect(device.ports.read(4, 4)).toBe(0x554d4551);
  });

  it("selects, skips and reads by DMA, and clears the control word", () => {
    const { device, transfer, bytes } = bench();
    const key = device.addFile(
      "a",
      Uint8Array.from({ length: 100 }, (_, i) => i),
    );
    expect(transfer((key << 16) | 0x08 | 0x04, 10, 0)).toBe(0);
    expect(transfer(0x02, 5, 0x2000)).toBe(0);
    expect([...bytes.subarray(0x2000, 0x2006)]).toEqual([10, 11, 12, 13, 14, 0]);
    expect(transfer((key << 16) | 0x08 | 0x02, 3, 0x3000)).toBe(0);
    expect([...bytes.subarray(0x3000, 0x3003)]).toEqual([0, 1, 2]);
  });

  it("fills with zeros past the end of an item", () => {
    const { device, transfer, bytes } = bench();
    const key = device.addFile("a", Uint8Array.of(1, 2));
    bytes.fill(0xff, 0x2000, 0x2010);
    expect(transfer((key << 16) | 0x0a, 8, 0x2000)).toBe(0);
    expect([...bytes.subarray(0x2000, 0x200a)]).toEqual([1, 2, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
  });

  it("fails a transfer which leaves RAM or runs far past the item, and copies nothing", () => {
    const { device, transfer, bytes } = bench();
    const key = device.addFile("a", Uint8Array.of(1, 2));
    expect(transfer((key << 16) | 0x0a, 2, 0xf_ffff)).toBe(1);
    expect(bytes[0xf_ffff]).toBe(0);
    expect(transfer((key << 16) | 0x0a, 0x8_0000, 0x2000)).toBe(1);
    expect(bytes[0x2000]).toBe(0);
  });

  it("fails a write: its items cannot be changed", () => {
    const { device, transfer } = bench();
    const key = device.addFile("a", Uint8Array.of(1, 2));
    expect(transfer((key << 16) | 0x18, 2, 0x2000)).toBe(1);
  });

  it("survives any descriptor anywhere", () => {
    const { device, dma } = bench();
    device.addFile("a", new Uint8Array(3000).fill(9));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.constantFrom(0x1000, 0xf_fff8, 0xf_ffff, 0xffff_fff0),
        (control, length, address, at) => {
          dma.be.setU32(at, control);
          dma.be.setU32(at + 4, length);
          dma.be.setU32(at + 12, address);
          device.ports.write(4, 4, 0);
          device.ports.write(
            8,
            4,
            (((at & 0xff) << 24) | ((at & 0xff00) << 8) | ((at >>> 8) & 0xff00) | (at >>> 24)) >>> 0,
          );
        },
      ),
    );
  });

  it("has its data first and a big-endian selector where it is mapped in memory", () => {
    const { device } = bench();
    const key = device.addFile("a", Uint8Array.of(0x11, 0x22, 0x33, 0x44, 0x55));
    device.memory.write(8, 2, ((key & 0xff) << 8) | (key >>> 8));
    expect(device.memory.read(0, 4)).toBe(0x4433_2211);
    expect(device.memory.read(0, 1)).toBe(0x55);
    expect(device.memory.read(16, 1)).toBe("Q".charCodeAt(0));
  });
});
