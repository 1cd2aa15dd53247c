import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ram } from "../../src/bus/ram.ts";
import { untranslated } from "../../src/pci/dma.ts";
import { openDma } from "../../src/pci/dma-view.ts";
import { command, header, status } from "../../src/pci/registers.ts";
import { aFunction, pciMachine, ramSize, romBase, Scratch } from "./fixture.ts";

function master(inbound = untranslated) {
  const machine = pciMachine(inbound);
  const fn = aFunction();
  fn.addBar({ index: 0, kind: "memory32", size: 4096, target: new Scratch(1) });
  machine.bus.plug(1, 0, fn);
  fn.writeConfig(0x10, 4, 0xe000_0000);
  fn.writeConfig(header.command, 2, command.busMaster | command.memory);
  return { ...machine, fn, dma: fn.dma, counters: machine.bus.path.state.now };
}

describe("DMA", () => {
  it("copies from RAM and to RAM", () => {
    const { dma, ram } = master();
    expect(dma.write(0x1003, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(ram.read(0x1003, 2)).toBe(0x0201);
    const back = new Uint8Array(3);
    expect(dma.read(0x1003, back)).toBe(true);
    expect([...back]).toEqual([1, 2, 3]);
  });

  it("reads and writes words in either byte order", () => {
    const { dma } = master();
    dma.write(0x100, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect([dma.le.u16(0x100), dma.be.u16(0x100)]).toEqual([0x0201, 0x0102]);
    expect([dma.le.u32(0x101), dma.be.u32(0x101)]).toEqual([0x05040302, 0x02030405]);
    dma.write(0x200, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 2));
    expect(dma.be.u64(0x200)).toBe(2 ** 32 + 2);
    dma.write(0x200, Uint8Array.of(2, 0, 0, 0, 1, 0, 0, 0));
    expect(dma.le.u64(0x200)).toBe(2 ** 32 + 2);
    expect(dma.le.setU32(0x300, 0xdeadbeef) && dma.be.setU16(0x304, 0x1234)).toBe(true);
    expect([dma.be.u32(0x300), dma.le.u16(0x304)]).toEqual([0xefbeadde, 0x3412]);
  });

  it("reaches RAM and nothing else, and counts what it refuses (hostile case 23)", () => {
    const { dma, counters, touched } = master();
    const nowhere = [romBase, 0xe000_0000, 0xfee0_0000, 0x8000_0000, 2 ** 36, 2 ** 63, -4, Number.NaN];
    for (const address of nowhere) {
      expect(dma.read(address, new Uint8Array(4))).toBe(false);
      expect(dma.write(address, new Uint8Array(4))).toBe(false);
      expect(dma.le.u32(address)).toBe(-1);
      expect(dma.be.setU16(address, 1)).toBe(false);
      expect(dma.reaches(address, 1)).toBe(false);
    }
    expect(counters.refused).toBe(4 * nowhere.length);
    expect(touched).toEqual([]);
  });

  it("copies nothing when one byte of a range is not RAM (hostile case 3)", () => {
    const { dma, ram } = master();
    expect(dma.write(ramSize - 2, Uint8Array.of(9, 9, 9))).toBe(false);
    expect(ram.read(ramSize - 2, 2)).toBe(0);
    expect(dma.le.setU32(ramSize - 2, 0x09090909)).toBe(false);
    expect(ram.read(ramSize - 2, 2)).toBe(0);
    expect(dma.reaches(ramSize - 2, 2)).toBe(true);
    expect(dma.reaches(0, 2 ** 33)).toBe(false);
    expect(dma.reaches(0, 2 ** 64)).toBe(false);
  });

  it("shows a refused access as a received master abort (PCI 3.0 section 6.2.3)", () => {
    const { dma, fn } = master();
    expect(fn.readConfig(header.status, 2) & status.receivedMasterAbort).toBe(0);
    dma.le.u16(0x8000_0000);
    expect(fn.readConfig(header.status, 2) & status.receivedMasterAbort).not.toBe(0);
  });

  it("is gated by the bus master bit (hostile case 28)", () => {
    const { fn, dma, ram, counters } = master();
    ram.write(0x10, 4, 77);
    expect(dma.le.u32(0x10)).toBe(77);
    fn.writeConfig(header.command, 2, command.memory);
    expect(dma.le.u32(0x10)).toBe(-1);
    expect(dma.write(0x10, Uint8Array.of(1))).toBe(false);
    expect(counters.refused).toBe(2);
    expect(fn.readConfig(header.status, 2) & status.receivedMasterAbort).toBe(0);
    fn.writeConfig(header.command, 2, command.busMaster);
    expect(dma.le.u32(0x10)).toBe(77);
    fn.reset();
    expect(dma.le.u32(0x10)).toBe(-1);
  });

  it("forgets where RAM was when the map changes", () => {
    const { dma, memory } = master();
    expect(dma.le.u16(0x2000)).toBe(0);
    const hole = memory.map(0x2000, 0x1000, new Scratch(1), { name: "hole", priority: 200 });
    expect(dma.le.u16(0x2000)).toBe(-1);
    expect(dma.reaches(0x1fff, 1)).toBe(true);
    expect(dma.reaches(0x1fff, 2)).toBe(false);
    hole.remove();
    expect(dma.le.u16(0x2000)).toBe(0);
  });

  it("tells of writes into pages which hold translated code", () => {
    const { dma, guest, ram } = master();
    const writes: number[] = [];
    guest.code[(ram.backing.base + 0x3000) >>> 12] = 1;
    guest.onCodeWrite = (offset) => void writes.push(offset - ram.backing.base);
    dma.write(0x2ffe, Uint8Array.of(1, 2, 3, 4));
    dma.le.setU16(0x3010, 1);
    dma.be.setU32(0x3014, 1);
    dma.le.setU32(0x4000, 1);
    expect(writes).toEqual([0x2ffe, 0x3010, 0x3014]);
  });

  it("lends RAM in the pieces in which it lies, as written where it is to be filled, and none of what is not all RAM", () => {
    const { dma, guest, ram, memory, fn } = master();
    memory.map(ramSize, 0x1000, new Ram(guest, "more", 0x1000), { name: "more", priority: 100 });
    const writes: number[] = [];
    guest.code[(ram.backing.base + ramSize - 0x1000) >>> 12] = 1;
    guest.onCodeWrite = (offset) => void writes.push(offset - ram.backing.base);
    const views: Uint8Array[] = [];
    expect(dma.lend(ramSize - 2, 6, views, "to-fill")).toBe(true);
    expect([views.map(({ length }) => length), writes]).toEqual([[2, 4], [ramSize - 2]]);
    for (const [i, view] of views.entries()) view.fill(i + 1);
    expect([ram.read(ramSize - 2, 2), dma.le.u32(ramSize)]).toEqual([0x0101, 0x0202_0202]);
    writes.length = 0;
    expect([dma.lend(ramSize - 2, 6, views, "to-read"), writes]).toEqual([true, []]);
    expect(dma.lend(ramSize + 0xfff, 2, [], "to-fill")).toBe(false);
    fn.writeConfig(header.command, 2, command.memory);
    expect(dma.lend(0, 1, [], "to-fill")).toBe(false);
  });

  it("tells of them in every piece of RAM it crosses", () => {
    const { dma, guest, memory } = master();
    const more = new Ram(guest, "more", 0x1000);
    memory.map(ramSize, 0x1000, more, { name: "more", priority: 100 });
    guest.code[more.backing.base >>> 12] = 1;
    let told = 0;
    guest.onCodeWrite = () => void told++;
    expect(dma.write(ramSize - 2, Uint8Array.of(1, 2, 3, 4))).toBe(true);
    expect([told, more.read(0, 2)]).toEqual([1, 0x0403]);
  });

  it("is one range over neighbouring pieces of RAM, by any translation", () => {
    // Two pages of bus addresses which lie in RAM the other way round, and nothing after them.
    const inbound = {
      translate: (a: number) =>
        a >= 0x1000 && a < 0x2000
          ? { start: 0x1000, end: 0x2000, delta: 0x2000 }
          : a >= 0x2000 && a < 0x3000
            ? { start: 0x2000, end: 0x3000, delta: 0 }
            : undefined,
    };
    fc.assert(
      fc.property(
        fc.integer({ min: 0xf00, max: 0x3100 }),
        fc.uint8Array({ minLength: 1, maxLength: 0x300 }),
        (at, bytes) => {
          const { dma, ram } = master(inbound);
          const inside = at >= 0x1000 && at + bytes.length <= 0x3000;
          expect(dma.reaches(at, bytes.length)).toBe(inside);
          expect(dma.write(at, bytes)).toBe(inside);
          const seen = bytes.map((_, i) => {
            const physical = at + i < 0x2000 ? at + i + 0x2000 : at + i;
            return ram.read(physical, 1);
          });
          expect([...seen]).toEqual(inside ? [...bytes] : new Array(bytes.length).fill(0));
          const back = new Uint8Array(bytes.length);
          expect(dma.read(at, back)).toBe(inside);
          expect([...back]).toEqual([...seen]);
          if (inside && bytes.length >= 4)
            expect(dma.be.u32(at)).toBe(new DataView(bytes.buffer).getUint32(bytes.byteOffset));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("a message", () => {
  it("reaches a target which takes messages, with its offset in the target", () => {
    const { fn, messages, touched, counters } = master();
    fn.messages.message(0xfee0_1000, 0x4041);
    expect(messages).toEqual([{ offset: 0x1000, data: 0x4041 }]);
    expect([touched.length, counters.messagesSent, counters.messagesDropped]).toEqual([0, 1, 0]);
  });

  it("is a little-endian 4-byte write where there is RAM, and tells of translated code (hostile case 24)", () => {
    const { fn, ram, guest } = master();
    let told = 0;
    guest.code[(ram.backing.base + 0x5000) >>> 12] = 1;
    guest.onCodeWrite = () => void told++;
    fn.messages.message(0x5000, 0x01020304);
    expect([ram.read(0x5000, 4), told]).toEqual([0x01020304, 1]);
  });

  it("is dropped and counted anywhere else: ROM, a BAR, nothing, the end of RAM, above 4 GiB (hostile case 24)", () => {
    const { fn, counters, messages, touched } = master();
    const nowhere = [romBase, 0xe000_0000, 0x8000_0000, ramSize - 2, 2 ** 36, 0xffff_ffff * 2 ** 32 + 0xfee0_0000];
    for (const address of nowhere) fn.messages.message(address, 1);
    expect([counters.messagesDropped, counters.messagesSent]).toEqual([nowhere.length, 0]);
    expect([messages.length, touched.length]).toEqual([0, 0]);
  });

  it("is dropped and counted while the function is no bus master (hostile case 28)", () => {
    const { fn, counters, messages } = master();
    fn.writeConfig(header.command, 2, command.memory);
    fn.messages.message(0xfee0_0000, 1);
    expect([counters.messagesDropped, messages.length]).toEqual([1, 0]);
  });

  it("leaves a line in the trace, whether it arrives or not", () => {
    const { fn, trace, lines } = master();
    trace.enable("pci");
    fn.messages.message(0xfee0_0000, 0x41);
    fn.messages.message(0x8000_0000, 0x42);
    expect(lines).toEqual([
      "00:01.0 message 0xfee00000 <- 0x41",
      "00:01.0 message 0x80000000 <- 0x42 dropped: no taker",
    ]);
  });
});

describe("an open view", () => {
  it("is a bus master without asking, for chips which are not on a PCI bus", () => {
    const { bus } = master();
    expect(openDma(bus.path, "fw_cfg").le.u32(0)).toBe(0);
  });
});
