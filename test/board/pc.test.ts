import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pc } from "../../machines/pc.ts";
import { Loopback } from "../../src/backend/loopback.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import { createMachine } from "../../src/board/create.ts";
import type { Machine } from "../../src/board/machine.ts";
import { MachineError, type MachineOptions } from "../../src/board/options.ts";
import { restoreSnapshot, saveSnapshot } from "../../src/board/snapshot.ts";
import type { AddressSpace } from "../../src/bus/space.ts";
import { bzImage } from "../support/bzimage.ts";

const image = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
const firmware = image("firmware/images/pc.bin");
const memory = 16 << 20;

/** Ends in HLT with interrupts off, at the reset vector. */
const halt = (() => {
  const bytes = new Uint8Array(0x2_0000).fill(0xf4);
  bytes.set([0xfa, 0xf4], 0x1_fff0);
  return bytes;
})();

const make = (options: Partial<MachineOptions> = {}) => createMachine(pc, { firmware: halt, memory, ...options });
const portsOf = (machine: Machine) => machine.ports as AddressSpace;
const hash = (machine: Machine) => createHash("sha256").update(machine.ram.contents()).digest("hex");

/** Configuration mechanism 1. */
const configAddress = (fn: string, register: number) => {
  const [device, number] = fn.split(".").map(Number) as [number, number];
  return 0x8000_0000 + (device << 11) + (number << 8) + register;
};
const readConfig = (machine: Machine, fn: string, register: number) => {
  portsOf(machine).write(0xcf8, 4, configAddress(fn, register));
  return portsOf(machine).read(0xcfc, 4);
};
const writeConfig = (machine: Machine, fn: string, register: number, width: 1 | 2 | 4, value: number) => {
  portsOf(machine).write(0xcf8, 4, configAddress(fn, register & ~3));
  portsOf(machine).write(0xcfc + (register & 3), width, value);
};

describe("the PC's map", () => {
  it("starts at 0xFFFFFFF0, in ROM which ends at 4 GiB and is seen again below 1 MiB", () => {
    const machine = make({ firmware });
    expect(machine.memory.read(0xffff_fff0, 4)).toBe(
      new DataView(firmware.buffer, firmware.byteOffset).getUint32(firmware.length - 16, true),
    );
    expect(machine.memory.read(0xf_fff0, 4)).toBe(machine.memory.read(0xffff_fff0, 4));
    machine.memory.write(0xf_fff0, 4, 0);
    expect(machine.memory.read(0xf_fff0, 4)).not.toBe(0);
  });

  it("has more ROM for a firmware which is larger than ours", () => {
    const large = new Uint8Array(0x10_0004).fill(0x90);
    large.set([1, 2, 3, 4]);
    large.set(halt.subarray(-16), large.length - 16);
    const { memory: space } = make({ firmware: large });
    expect(space.read(0xffff_fff0, 2)).toBe(0xf4fa);
    expect(space.read(0xf_fff0, 2)).toBe(0xf4fa);
    expect(space.read(2 ** 32 - large.length, 4)).toBe(0x0403_0201);
    expect(space.read(0xffef_0000 - 4, 4)).toBe(0xffff_ffff);
  });

  it("forwards all that is neither RAM nor a chip to PCI, not only where our firmware puts BARs", () => {
    const machine = make({ layout: "transitional", drives: [{ backend: new MemoryBlock(new Uint8Array(512), "d") }] });
    writeConfig(machine, "2.0", 0x10, 4, 0x2000);
    writeConfig(machine, "2.0", 0x20, 4, 0xc000_0000);
    writeConfig(machine, "2.0", 0x24, 4, 0);
    writeConfig(machine, "2.0", 0x04, 2, 3);
    // The legacy capacity, in sectors, and num_queues of the common configuration (virtio 1.2 sections 5.2.4, 4.1.4.3).
    expect(portsOf(machine).read(0x2014, 4)).toBe(1);
    expect(machine.memory.read(0xc000_0012, 2)).toBe(1);
    // RAM is in front.
    writeConfig(machine, "2.0", 0x20, 4, 0x10_0000);
    expect(machine.memory.read(0x10_0012, 2)).toBe(0);
    // Behind RAM's end, of all places.
    writeConfig(machine, "2.0", 0x20, 4, memory);
    expect(machine.memory.read(memory + 0x12, 2)).toBe(1);
  });

  it("has RAM to the end of it, with a hole from 640 KiB to 1 MiB", () => {
    const { memory: space } = make();
    for (const address of [0, 0x9_fffc, 0x10_0000, memory - 4]) {
      space.write(address, 4, 0x1234_5678);
      expect(space.read(address, 4), address.toString(16)).toBe(0x1234_5678);
    }
    for (const address of [0xa_0000, 0xc_0000, memory]) {
      space.write(address, 4, 0x1234_5678);
      expect(space.read(address, 4), address.toString(16)).toBe(0xffff_ffff);
    }
  });

  it("turns a segment below 1 MiB over to RAM as the PAM registers say, reads and writes apart", () => {
    const machine = make();
    const { memory: space } = machine;
    // PAM0 bits 5-4: 0xF0000-0xFFFFF. Writes go to RAM first, while the ROM is read.
    writeConfig(machine, "0.0", 0x59, 1, 0x20);
    space.write(0xf_fff0, 4, 0xdead_beef);
    expect(space.read(0xf_fff0, 2)).toBe(0xf4fa);
    writeConfig(machine, "0.0", 0x59, 1, 0x10);
    expect(space.read(0xf_fff0, 4)).toBe(0xdead_beef);
    space.write(0xf_fff0, 4, 0);
    expect(space.read(0xf_fff0, 4)).toBe(0xdead_beef);
    writeConfig(machine, "0.0", 0x59, 1, 0x30);
    space.write(0xf_fff0, 4, 0);
    expect(space.read(0xf_fff0, 4)).toBe(0);
    writeConfig(machine, "0.0", 0x59, 1, 0x00);
    expect(space.read(0xf_fff0, 2)).toBe(0xf4fa);
  });

  it("has the identities which software knows the board by", () => {
    const machine = make({ drives: [{ backend: new MemoryBlock(new Uint8Array(512), "d") }] });
    expect(readConfig(machine, "0.0", 0)).toBe(0x1237_8086);
    expect(readConfig(machine, "1.0", 0)).toBe(0x7000_8086);
    expect(readConfig(machine, "1.3", 0)).toBe(0x7113_8086);
    expect(readConfig(machine, "2.0", 0)).toBe(0x1042_1af4);
    expect(readConfig(machine, "5.0", 0)).toBe(0xffff_ffff);
    expect([pc.pci.vendor, pc.pci.device]).toEqual([0x8086, 0x1237]);
  });

  it("has its drives first, then networks, entropy and the console, in slots from 2 on", () => {
    const drive = { backend: new MemoryBlock(new Uint8Array(512), "d") };
    const machine = make({ drives: [drive, drive], networks: [{ backend: new Loopback() }] });
    const types = ["2.0", "3.0", "4.0", "5.0", "6.0", "7.0"].map((slot) => readConfig(machine, slot, 0) >>> 16);
    // 0x1040 and the device type (virtio 1.2 section 4.1.2.1).
    expect(types).toEqual([0x1042, 0x1042, 0x1041, 0x1044, 0x1043, 0xffff]);
  });

  it("has its chips at the ports of the description", () => {
    const machine = make();
    const ports = portsOf(machine);
    expect(ports.read(0x402, 1)).toBe(0xe9);
    ports.write(0x3ff, 1, 0x5a);
    expect(ports.read(0x3ff, 1)).toBe(0x5a);
    ports.write(0x510, 2, 0);
    expect(String.fromCharCode(...[0, 1, 2, 3].map(() => ports.read(0x511, 1)))).toBe("QEMU");
    expect(machine.memory.read(0xfee0_0030, 4) & 0xff).toBe(0x14);
    machine.memory.write(0xfec0_0000, 4, 1);
    expect(machine.memory.read(0xfec0_0010, 4) >>> 16).toBe(23);
  });

  it("says to firmware that asks where a Linux kernel goes, by QEMU's numbers, and gives it a header that is filled in", () => {
    const ports = portsOf(make({ kernel: bzImage(4, 100), initrd: new Uint8Array(4096), append: "quiet" }));
    const item = (key: number, at = 0) => {
      ports.write(0x510, 2, key);
      const bytes = Array.from({ length: at + 4 }, () => ports.read(0x511, 1)).slice(at);
      return new DataView(Uint8Array.from(bytes).buffer).getUint32(0, true);
    };
    const initrd = memory - 0x4_0000 - 4096;
    // FW_CFG_KERNEL_ADDR, _INITRD_ADDR, _CMDLINE_ADDR, _SETUP_ADDR; cmd_line_ptr and ramdisk_image in FW_CFG_SETUP_DATA.
    expect([0x07, 0x0a, 0x13, 0x16].map((key) => item(key))).toEqual([0x10_0000, initrd, 0x2_0000, 0x1_0000]);
    expect([item(0x18, 0x228), item(0x18, 0x218)]).toEqual([0x2_0000, initrd]);
  });

  it("has the power management ports where its function says, once it says so", () => {
    const machine = make();
    expect(portsOf(machine).read(0x604, 2)).toBe(0xffff);
    writeConfig(machine, "1.3", 0x40, 4, 0x601);
    writeConfig(machine, "1.3", 0x80, 1, 1);
    expect(portsOf(machine).read(0x604, 2)).toBe(0);
  });
});

describe("the ways out", () => {
  it("the exit register gives its status", () => {
    const machine = make();
    portsOf(machine).write(0xf4, 1, 7);
    expect(machine.run(10)).toMatchObject({ reason: "exit", status: 7 });
  });

  it("S5 in PM1a control is status 0", () => {
    const machine = make();
    writeConfig(machine, "1.3", 0x40, 4, 0x601);
    writeConfig(machine, "1.3", 0x80, 1, 1);
    portsOf(machine).write(0x604, 2, 0x2000);
    expect(machine.run(10)).toMatchObject({ reason: "exit", status: 0 });
  });

  it.each([
    ["the reset control register", 0xcf9, [2, 6]],
    ["the 8042", 0x64, [0xfe]],
    ["port 0x92", 0x92, [1]],
  ] as const)("%s resets the machine", (_, port, values) => {
    const machine = make();
    portsOf(machine).write(0x3ff, 1, 0x5a);
    machine.memory.write(0x1000, 4, 0x600d_f00d);
    for (const value of values) portsOf(machine).write(port, 1, value);
    machine.run(10);
    expect(machine.stats().resets).toBe(1);
    expect(portsOf(machine).read(0x3ff, 1)).toBe(0);
    expect(machine.memory.read(0x1000, 4)).toBe(0x600d_f00d);
  });

  it("a guest that halts for good is idle without end", () => {
    expect(make().run(1000)).toMatchObject({ reason: "idle", wake: Number.POSITIVE_INFINITY });
  });

  it("a triple fault resets, and a guest that does nothing else comes back at each budget", () => {
    const bytes = halt.slice();
    // lidt cs:[0xff00] (a limit of 0), then int 3.
    bytes.set([0x2e, 0x0f, 0x01, 0x1e, 0x00, 0xff, 0xcc], 0x1_fff0);
    bytes.fill(0, 0x1_ff00, 0x1_ff06);
    const machine = make({ firmware: bytes });
    expect(machine.run(1000).reason).toBe("budget");
    expect(machine.stats().resets).toBeGreaterThan(100);
  });
});

describe("what cannot be had is refused in one line", () => {
  it.each<[string, Partial<MachineOptions>, RegExp]>([
    ["too little memory", { memory: 1 << 20 }, /bytes of memory: machine pc takes/],
    ["memory that is no multiple of its step", { memory: memory + 4096 }, /in steps of/],
    ["a firmware larger than the ROM", { firmware: new Uint8Array(0x80_0001) }, /has 8388608 bytes of ROM at most/],
    ["a kernel that is none", { kernel: new Uint8Array(100) }, /^the kernel is neither/],
    ["modules without a kernel", { modules: [{ bytes: halt, text: "m" }] }, /go with a Multiboot kernel/],
    ["an unknown processor", { cpu: "z80" }, /z80/],
    ["instructions that take no time", { nsPerInstruction: 0 }, /1 or more, not 0/],
    ["the host's clock without one", { clock: "host" }, /clock/],
    [
      "more drives than slots",
      { drives: Array.from({ length: 31 }, () => ({ backend: new MemoryBlock(new Uint8Array(512), "d") })) },
      /no free slot/,
    ],
  ])("%s", (_, options, message) => {
    expect(() => make(options)).toThrow(MachineError);
    expect(() => make(options)).toThrow(message);
  });

  it("a description whose windows do not fit", () => {
    const devices = pc.devices.map((chip) => (chip.kind === "exit" ? { ...chip, address: 0xffff } : chip));
    expect(() => createMachine({ ...pc, devices }, { firmware: halt })).toThrow(MachineError);
  });
});

/** A boot to somewhere in the middle of the demo kernel. */
const boot = () =>
  createMachine(pc, {
    firmware,
    memory,
    kernel: image("guest/images/pc.elf"),
    drives: [{ backend: new MemoryBlock(new Uint8Array(1 << 20), "demo") }],
  });

describe("two machines with the same inputs", () => {
  it("are the same at the same instruction, whatever the slices were", () => {
    const [a, b] = [boot(), boot()];
    a.run(400_000);
    for (let left = 400_000; left > 0; left -= 32_000) b.run(Math.min(left, 32_000));
    expect(b.cpu.instructions).toBe(a.cpu.instructions);
    expect(b.state()).toEqual(a.state());
    expect(hash(b)).toBe(hash(a));
  });
});

describe("the state of a machine", () => {
  it("is one list of devices, each with a name of its own", () => {
    const names = boot().devices.map((device) => device.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("restored gives the same machine at the same instruction", () => {
    const machine = boot();
    machine.run(450_000);
    const snapshot = saveSnapshot(machine);
    machine.run(60_000);
    const [expectedHash, expectedState, now] = [hash(machine), machine.state(), machine.clock.now];
    const { instructions } = machine.cpu;
    restoreSnapshot(machine, snapshot);
    machine.run(60_000);
    expect([machine.clock.now, machine.cpu.instructions]).toEqual([now, instructions]);
    expect(machine.state()).toEqual(expectedState);
    expect(hash(machine)).toBe(expectedHash);
  });

  it("restored into a new machine gives that machine", () => {
    const machine = boot();
    machine.run(450_000);
    const other = boot();
    restoreSnapshot(other, saveSnapshot(machine));
    machine.run(60_000);
    other.run(60_000);
    expect(other.clock.now).toBe(machine.clock.now);
    expect(other.state()).toEqual(machine.state());
    expect(hash(other)).toBe(hash(machine));
  });

  it("of another machine is refused", () => {
    const machine = make();
    const snapshot = saveSnapshot(machine);
    expect(() => restoreSnapshot(boot(), snapshot)).toThrow(MachineError);
    expect(() => restoreSnapshot(make({ memory: 2 * memory }), snapshot)).toThrow(/bytes of RAM/);
  });
});
