import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { swapBytes } from "../../src/bus/target.ts";
import { type BootOptions, boot, type HostVm } from "../../src/host/index.ts";

const machine = "ppce500";

describe("the machine ppce500, from its reset vector", () => {
  test("reaches the prompt through firmware, kernel and tour, and powers off with status 0", async () => {
    await using vm = await boot({ machine });
    await vm.console.expect(/barzero firmware for ppce500/i);
    await vm.console.expect("barzero> ");
    vm.console.send("poweroff\n");
    expect(await vm.exit).toBe(0);
  });

  test.each(["msix", "msix-shared", "intx"] as const)("passes its own self-test with %s", async (irq) => {
    await using vm = await boot({ machine, append: "selftest", irq });
    expect(await vm.exit).toBe(0);
    const lines = vm.console.text.split(/\r?\n/);
    const passed = lines.filter((line) => /^ok \d+/.test(line)).length;
    expect(lines.filter((line) => line.startsWith("not ok"))).toEqual([]);
    expect(passed).toBeGreaterThanOrEqual(20);
    expect(vm.console.text).toMatch(new RegExp(`^1\\.\\.${passed}\\r?$`, "m"));
  });

  test.each([
    ["legacy", ""],
    ["transitional", "layout=legacy"],
    ["transitional", "layout=modern"],
  ] as const)("passes it with a %s disk, %s", async (layout, append) => {
    await using vm = await boot({ machine, append: `selftest ${append}`, layout });
    expect(await vm.exit).toBe(0);
    expect(vm.console.text).not.toMatch(/^not ok/m);
    expect(vm.console.text).toMatch(
      append === "layout=modern" ? /^ok \d+ - modern: [^#]*$/m : /^ok \d+ - legacy: [^#]*$/m,
    );
  });

  test("takes its interrupts as messages through the bridge to the MPIC", async () => {
    await using vm = await boot({ machine });
    await vm.console.expect("barzero> ");
    expect(vm.stats()).toMatchObject({ "messages-dropped": 0, "dma-refused": 0 });
    expect(vm.stats()["blk0.messages"]).toBeGreaterThan(0);
    expect(vm.stats()["blk0.pins"]).toBe(0);
  });

  test("starts again when the guest asks for a reset", async () => {
    await using vm = await boot({ machine });
    await vm.console.expect("barzero> ");
    vm.console.send("reboot\n");
    await vm.console.expect(/barzero firmware/i);
    await vm.console.expect("barzero> ");
    expect(vm.stats().resets).toBe(1);
  });

  test("boots without a disk", async () => {
    await using vm = await boot({ machine, drives: [] });
    await vm.console.expect("barzero> ");
  });

  test("refuses a kernel of another processor in one line", async () => {
    const kernel = fileURLToPath(new URL("../../guest/images/pc.elf", import.meta.url));
    await expect(boot({ machine, kernel })).rejects.toThrow(/^the kernel is .*PowerPC$/);
  });

  test("is the same run instruction for instruction, chip for chip, for the same seed", async () => {
    const figures = async () => {
      await using vm = await boot({ machine, append: "selftest", seed: 7 });
      await vm.exit;
      return { stats: vm.stats(), text: vm.console.text, state: vm.machine.state() };
    };
    expect(await figures()).toEqual(await figures());
  });
});

describe("a kernel entered by ePAPR, without firmware", () => {
  test("says what it is, and no firmware has run before", async () => {
    await using vm = await boot({ machine, firmware: false });
    await vm.console.expect("barzero kernel on ppce500");
    expect(vm.console.text).not.toMatch(/firmware/);
  });

  test("starts anew at a reset, from the same image", async () => {
    await using vm = await boot({ machine, firmware: false });
    await vm.console.expect("barzero> ");
    const before = vm.console.text;
    vm.console.send("reboot\n");
    await vm.console.expect("barzero> ");
    expect(vm.console.text.slice(before.length).replace(/^reboot\r?\n/, "")).toBe(before);
  });

  test("is needed: there is nothing to run otherwise", async () => {
    await expect(boot({ machine, firmware: false, kernel: false })).rejects.toThrow(/kernel is needed/);
  });
});

/** A machine whose tour has used its disk, seen as its processor sees it: physical memory, registers too. */
class Toured {
  readonly vm: HostVm;

  static async boot(options: BootOptions): Promise<Toured> {
    const vm = await boot({ machine, ...options });
    await vm.console.expect("barzero> ");
    return new Toured(vm);
  }

  constructor(vm: HostVm) {
    this.vm = vm;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vm[Symbol.asyncDispose]();
  }

  bytes(at: number, length: number): number[] {
    return Array.from({ length }, (_, i) => this.vm.machine.memory.read(at + i, 1));
  }

  /** A list of numbers in a chip's state. */
  list(device: string, field: string): number[] {
    const value = this.vm.machine.state()[device]?.[field];
    if (!Array.isArray(value)) throw new Error(`${device} has no list ${field}`);
    return value as number[];
  }

  /** Configuration space of the disk, in slot 1, by the bridge's own registers: CFGADDR big-endian, CFGDATA in bytes as they are. */
  config(offset: number, value?: number): number {
    const { memory } = this.vm.machine;
    memory.write(0xf_e000_8000, 4, swapBytes((0x8000_0000 | (1 << 11) | (offset & 0xfc)) >>> 0, 4));
    if (value !== undefined) memory.write(0xf_e000_8004 + (offset & 3), 2, value);
    return memory.read(0xf_e000_8004 + (offset & 3), 2);
  }

  /** Where the capability is. */
  capability(id: number): number {
    for (let at = this.config(0x34) & 0xff; at !== 0; at = this.config(at) >>> 8)
      if ((this.config(at) & 0xff) === id) return at;
    throw new Error(`no capability ${id}`);
  }
}

const big = (bytes: readonly number[]) => bytes.reduce((value, byte) => value * 256 + byte, 0);
const little = (bytes: readonly number[]) => big(bytes.toReversed());

describe("the rings of a disk of ppce500, in memory", () => {
  test.each(["legacy", "transitional"] as const)(
    "are big-endian when the %s device is driven as legacy",
    async (layout) => {
      await using machine = await Toured.boot({ layout, append: "layout=legacy" });
      const size = Number(/queue 0: (\d+) entries, /.exec(machine.vm.console.text)?.[1]);
      const [page = 0] = machine.list("blk0.legacy", "queuePages");
      const ring = page * 4096;
      // The index of the next available entry follows the descriptors and the flags; the used ring is on the next page (virtio 1.2 section 2.7.2).
      const available = machine.bytes(ring + 16 * size + 2, 2);
      expect(big(available)).toBe(requests(machine));
      expect(machine.bytes(ring + Math.ceil((16 * size + 2 * (3 + size)) / 4096) * 4096 + 2, 2)).toEqual(available);
    },
  );

  test.each(["modern", "transitional"] as const)(
    "are little-endian when the %s device is driven as modern",
    async (layout) => {
      await using machine = await Toured.boot({ layout, append: "layout=modern" });
      const [, , driver = 0, , device = 0] = machine.list("blk0.modern", "queueWords");
      const available = machine.bytes(driver + 2, 2);
      expect(little(available)).toBe(requests(machine));
      expect(machine.bytes(device + 2, 2)).toEqual(available);
    },
  );

  /** How many the tour says it made; each is one entry of the available ring. */
  function requests(machine: Toured): number {
    return Number(/(\d+) requests in/.exec(machine.vm.console.text)?.[1]);
  }
});

describe("the legacy layout of a disk of ppce500", () => {
  const msix = 0x11;
  const sectors = 8 * 2 ** 11;

  test("moves its configuration from 24 to 20 and back as MSI-X is turned off and on, under the driver's feet", async () => {
    await using machine = await Toured.boot({ layout: "legacy" });
    const header = 0xf_e100_0000 + (machine.config(0x10) & ~3);
    // In the processor's byte order, as all of the legacy configuration is: capacity, 64 bits.
    const capacity = (at: number) => big(machine.bytes(header + at, 8));
    const control = machine.capability(msix) + 2;
    expect(machine.config(control) >>> 15).toBe(1);
    expect(capacity(24)).toBe(sectors);
    const vectors = machine.bytes(header + 20, 4);

    machine.config(control, machine.config(control) & 0x7fff);
    expect(capacity(20)).toBe(sectors);
    expect(capacity(24)).not.toBe(sectors);

    machine.config(control, machine.config(control) | 0x8000);
    expect(capacity(24)).toBe(sectors);
    // The vectors are there again as they were: 0 for the configuration; the header is little-endian.
    expect(machine.bytes(header + 20, 4)).toEqual(vectors);
    expect(little(vectors.slice(0, 2))).toBe(0);
  });
});

/** A kernel which is not part of this project: the test is there where the image is. */
const linux = fileURLToPath(new URL("../../../shared/images/ppce500/vmlinux", import.meta.url));

describe.skipIf(!existsSync(linux))("Linux 6.1 on ppce500", () => {
  test.each([
    ["entered by ePAPR", false],
    ["started by the firmware", undefined],
  ] as const)(
    "%s sets its board up, and stops only where it has no root",
    async (_how, firmware) => {
      await using vm = await boot({
        machine,
        firmware,
        kernel: linux,
        append: "console=ttyS0",
        drives: [new Uint8Array(2 ** 20)],
      });
      await vm.console.expect(/Linux version 6\.1\.192/);
      await vm.console.expect(/ttyS0 at MMIO 0xfe0004500 \(irq = 42, base_baud = 25000000\) is a 16550A/);
      await vm.console.expect(/virtio_blk virtio0: \[vda\] 2048 512-byte logical blocks/);
      await vm.console.expect(/Kernel panic - not syncing: VFS: Unable to mount root fs/);
      expect(vm.stats()["messages-dropped"]).toBe(0);
      expect(vm.stats()["blk0.messages"]).toBeGreaterThan(0);
    },
    120_000,
  );
});
