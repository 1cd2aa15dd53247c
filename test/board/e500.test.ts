import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ppce500 } from "../../machines/ppce500.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import { createMachine } from "../../src/board/create.ts";
import { readFdt } from "../../src/board/fdt.ts";
import type { Machine } from "../../src/board/machine.ts";
import { MachineError, type MachineOptions } from "../../src/board/options.ts";
import { restoreSnapshot, saveSnapshot } from "../../src/board/snapshot.ts";
import { swapBytes } from "../../src/bus/target.ts";
import { makeElf } from "../support/elf.ts";

const image = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
const memory = 64 << 20;
const none = new Uint8Array(0);
const ccsr = 0xf_e000_0000;

/** Loops at the reset vector. */
const spin = new Uint8Array(4096);
spin.set([0x48, 0, 0, 0], 4092);

const make = (options: Partial<MachineOptions> = {}) => createMachine(ppce500, { firmware: spin, memory, ...options });
const hash = (machine: Machine) => createHash("sha256").update(machine.ram.contents()).digest("hex");
const disk = () => ({ backend: new MemoryBlock(new Uint8Array(1 << 20), "demo") });

/** 32-bit accesses as the big-endian processor makes them. */
const read = (machine: Machine, address: number) => swapBytes(machine.memory.read(address, 4), 4);
const write = (machine: Machine, address: number, value: number) =>
  machine.memory.write(address, 4, swapBytes(value, 4));
const readConfig = (machine: Machine, slot: number, register: number) => {
  write(machine, ccsr + 0x8000, 0x8000_0000 + (slot << 11) + register);
  return machine.memory.read(ccsr + 0x8004, 4);
};

describe("the map of ppce500", () => {
  it("has RAM at 0 and ROM at the end of 36 address lines", () => {
    const machine = make();
    write(machine, memory - 4, 0x1234_5678);
    expect([...machine.ram.contents().subarray(memory - 4)]).toEqual([0x12, 0x34, 0x56, 0x78]);
    expect(machine.memory.read(memory, 4)).toBe(0xffff_ffff);
    expect(read(machine, 0xf_ffff_fffc)).toBe(0x4800_0000);
  });

  it("has the chips of the CCSR block where the description says, big-endian", () => {
    const machine = make();
    expect(read(machine, ccsr + 0x4_1000)).toBe(0x00c3_0002);
    expect(read(machine, ccsr + 0xe_00a0)).toBe(0x8023_0020);
    machine.memory.write(ccsr + 0x4507, 1, 0x5a);
    expect(machine.memory.read(ccsr + 0x4507, 1)).toBe(0x5a);
    expect(read(machine, ccsr + 0xf_f000)).toBe(0);
  });

  it("has the host bridge in slot 0, its drives behind it, by CFGADDR and CFGDATA", () => {
    const machine = make({ drives: [disk()] });
    expect(readConfig(machine, 0, 0)).toBe(0x0030_1957);
    expect(readConfig(machine, 1, 0)).toBe(0x1042_1af4);
    expect(readConfig(machine, 2, 0)).toBe(0x1044_1af4);
    expect(readConfig(machine, 3, 0)).toBe(0x1043_1af4);
    expect(readConfig(machine, 4, 0)).toBe(0xffff_ffff);
    expect([ppce500.pci.vendor, ppce500.pci.device]).toEqual([0x1957, 0x0030]);
  });

  it("gives firmware the device tree by fw_cfg", () => {
    const machine = make({ append: "hello" });
    const select = (key: number) => machine.memory.write(ccsr + 0xe_8008, 2, swapBytes(key, 2));
    const bytes = (count: number) => Uint8Array.from({ length: count }, () => machine.memory.read(ccsr + 0xe_8000, 1));
    select(0);
    expect(String.fromCharCode(...bytes(4))).toBe("QEMU");
    select(0x19);
    const directory = new DataView(bytes(4 + 64).buffer);
    expect(directory.getUint32(0)).toBe(1);
    select(directory.getUint16(8));
    const { root } = readFdt(bytes(directory.getUint32(4)));
    const chosen = root.children.find((node) => node.name === "chosen");
    expect(new TextDecoder().decode(chosen?.properties.bootargs)).toBe("hello\0");
  });
});

describe("the ways out", () => {
  it("the exit register takes a big-endian word", () => {
    const machine = make();
    write(machine, ccsr + 0xf_0000, 5);
    expect(machine.run(10)).toMatchObject({ reason: "exit", status: 5 });
  });

  it("GPIO pin 0 powers off", () => {
    const machine = make();
    write(machine, ccsr + 0xf_f000, 0x8000_0000);
    write(machine, ccsr + 0xf_f008, 0x8000_0000);
    expect(machine.run(10)).toMatchObject({ reason: "exit", status: 0 });
  });

  it("RSTCR resets", () => {
    const machine = make();
    write(machine, ccsr + 0xe_00b0, 2);
    machine.run(10);
    expect(machine.stats().resets).toBe(1);
  });
});

describe("the direct entry (ePAPR 1.1 section 5.4)", () => {
  const kernel = makeElf({
    bigEndian: true,
    physical: 0x10_0000,
    content: [0x48, 0, 0, 0],
    memorySize: 0x2000,
    entry: 0xc010_0000,
  });
  const direct = (options: Partial<MachineOptions> = {}) => make({ firmware: none, kernel, ...options });
  const registers = (machine: Machine) => {
    const saved = machine.cpu.state.save();
    const word = (name: string) => ((saved[name] as readonly number[])[0] as number) >>> 0;
    return { r1: word("r1"), r3: word("r3"), r6: word("r6"), r7: word("r7") };
  };

  it("enters the kernel at its physical address with the device tree, the magic number and the mapped area", () => {
    const machine = direct();
    expect(machine.cpu.pc).toBe(0x10_0000);
    const { r1, r3, r6, r7 } = registers(machine);
    expect([r1, r6, r7]).toEqual([0x00ff_fff8, 0x4550_4150, 0x0400_0000]);
    // (kernel's end + 0x1800000) & ~0xFFFFF.
    expect(r3).toBe(0x190_0000);
    expect(read(machine, r3)).toBe(0xd00d_feed);
    expect(machine.run(100).reason).toBe("budget");
    expect(machine.cpu.pc).toBe(0x10_0000);
  });

  it("puts everything back at a reset", () => {
    const machine = direct();
    machine.memory.write(0x10_0000, 4, 0);
    machine.memory.write(0x10_1000, 4, 0x1111_1111);
    write(machine, ccsr + 0xe_00b0, 2);
    machine.run(10);
    expect(read(machine, 0x10_0000)).toBe(0x4800_0000);
    expect(read(machine, 0x10_1000)).toBe(0);
    expect(machine.cpu.pc).toBe(0x10_0000);
  });

  it("puts an initial RAM disk behind the mapped area, or at the end of a small memory, and says so in the tree", () => {
    for (const [size, start] of [
      [128 << 20, 0x400_0000],
      [64 << 20, 0x3f0_0000],
    ] as const) {
      const machine = direct({ memory: size, initrd: Uint8Array.of(1, 2, 3, 4) });
      expect(read(machine, start)).toBe(0x0102_0304);
      const { root } = readFdt(machine.ram.contents().slice(registers(machine).r3, registers(machine).r3 + 0x4000));
      const chosen = root.children.find((node) => node.name === "chosen");
      const number = (name: string) => new DataView(chosen?.properties[name]?.buffer as ArrayBuffer).getUint32(0);
      expect([number("linux,initrd-start"), number("linux,initrd-end")]).toEqual([start, start + 4]);
    }
  });

  it.each<[string, Partial<MachineOptions>, RegExp]>([
    ["with an unknown processor", { cpu: "e500v2" }, /there is e500mc/],
    ["without a kernel", { kernel: undefined }, /a kernel is needed/],
    [
      "with a kernel of the PC",
      { kernel: makeElf({ bigEndian: false, physical: 0, content: [0], memorySize: 1, entry: 0 }) },
      /another processor/,
    ],
    ["with a kernel that is none", { kernel: new Uint8Array(100) }, /not an ELF file/],
    ["with modules", { modules: [{ bytes: new Uint8Array(1), text: "m" }] }, /ppce500 boots none/],
    ["with an initial RAM disk larger than memory", { initrd: new Uint8Array(65 << 20) }, /no room for an initrd/],
  ])("%s is refused in one line", (_, options, message) => {
    expect(() => direct(options)).toThrow(MachineError);
    expect(() => direct(options)).toThrow(message);
  });
});

/** A boot to somewhere in the middle of the demo kernel. */
const boot = (firmware = image("firmware/images/e500.bin") as Uint8Array) =>
  make({ firmware, kernel: image("guest/images/ppce500.elf"), drives: [disk()] });

describe("the demo kernel on ppce500", () => {
  it.each([
    ["our firmware", image("firmware/images/e500.bin") as Uint8Array],
    ["the direct entry", none],
  ])("entered by %s reads and writes its disk by messages", (_, firmware) => {
    const machine = boot(firmware);
    let text = "";
    machine.onConsole = (byte) => {
      text += String.fromCharCode(byte);
    };
    while (!text.includes("barzero> ") && machine.cpu.instructions < 5e6) machine.run(100_000);
    expect(text).toContain("6 requests in");
    expect(text).toContain("6 interrupts, 6 of them messages");
    expect(machine.stats().messages).toBe(6);
  });

  it("is the same at the same instruction in two machines, whatever the slices were", () => {
    const [a, b] = [boot(), boot()];
    a.run(300_000);
    for (let left = 300_000; left > 0; left -= 32_000) b.run(Math.min(left, 32_000));
    expect(b.cpu.instructions).toBe(a.cpu.instructions);
    expect(b.state()).toEqual(a.state());
    expect(hash(b)).toBe(hash(a));
  });

  it("restored into a new machine gives that machine", () => {
    const machine = boot();
    machine.run(300_000);
    const other = boot();
    restoreSnapshot(other, saveSnapshot(machine));
    machine.run(40_000);
    other.run(40_000);
    expect(other.clock.now).toBe(machine.clock.now);
    expect(other.state()).toEqual(machine.state());
    expect(hash(other)).toBe(hash(machine));
  });
});
