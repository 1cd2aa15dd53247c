import { describe, expect, test } from "vitest";
import { boot } from "../../src/host/index.ts";
import { makeElf } from "../support/elf.ts";

/** A kernel which Multiboot loads at 1 MiB and enters at this code. */
function multiboot(code: readonly number[]): Uint8Array {
  const kernel = new Uint8Array(512);
  const words = new DataView(kernel.buffer);
  // Multiboot 0.6.96 section 3.1.1: magic, flags (addresses), checksum, then where header, load, end, BSS's end and entry are.
  const header = [0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, 0x100020];
  for (const [i, word] of header.entries()) words.setUint32(4 * i, word, true);
  kernel.set(code, 0x20);
  return kernel;
}

/** Keeps what a register has when the kernel is entered, says so on the serial port, and halts. */
const keep = (register: "ebx" | "esi") => [
  ...[0x89, register === "ebx" ? 0x1d : 0x35, 0xf0, 0x01, 0x10, 0], // mov [1001F0h], ebx or esi
  ...[0xba, 0xf8, 0x03, 0, 0, 0xb0, 0x4d, 0xee], // mov edx, 3F8h; mov al, "M"; out dx, al
  0xf4, // hlt
];
const kept = 0x1001f0;

describe("the machine pc, from its reset vector", () => {
  test("reaches the prompt through firmware, kernel and tour, and powers off with status 0", async () => {
    await using vm = await boot();
    await vm.console.expect(/barzero firmware/i);
    await vm.console.expect("barzero> ");
    vm.console.send("poweroff\n");
    expect(await vm.exit).toBe(0);
  });

  test("takes the end of input for power-off", async () => {
    await using vm = await boot();
    await vm.console.expect("barzero> ");
    vm.console.send("\x04");
    expect(await vm.exit).toBe(0);
  });

  test.each(["msix", "msix-shared", "intx"] as const)("passes its own self-test with %s", async (irq) => {
    await using vm = await boot({ append: "selftest", irq });
    expect(await vm.exit).toBe(0);
    const lines = vm.console.text.split(/\r?\n/);
    const passed = lines.filter((line) => /^ok \d+/.test(line)).length;
    expect(lines.filter((line) => line.startsWith("not ok"))).toEqual([]);
    expect(passed).toBeGreaterThanOrEqual(20);
    expect(vm.console.text).toMatch(new RegExp(`^1\\.\\.${passed}\\r?$`, "m"));
  });

  test("reads its disk at the sector it is asked for", async () => {
    const disk = new Uint8Array(65_536);
    disk.set(new TextEncoder().encode("here is sector five"), 5 * 512);
    await using vm = await boot({ drives: [disk] });
    await vm.console.expect("barzero> ");
    vm.console.send("blk read 5\n");
    await vm.console.expect(/here is sector f|68 ?65 ?72 ?65|65726568/);
  });

  test("starts again when the guest asks for a reset", async () => {
    await using vm = await boot();
    await vm.console.expect("barzero> ");
    vm.console.send("reboot\n");
    await vm.console.expect(/barzero firmware/i);
    await vm.console.expect("barzero> ");
    expect(vm.stats().resets).toBe(1);
  });

  test("boots without a disk", async () => {
    await using vm = await boot({ drives: [] });
    await vm.console.expect("barzero> ");
  });

  test("refuses a kernel which is none in one line, with status 1", async () => {
    const garbage = new Uint8Array(100_000).fill(0x5a);
    const outcome = await boot({ kernel: garbage }).then(
      async (vm) => ({ status: await vm.exit, message: vm.console.text }),
      (error: Error) => ({ status: 1, message: error.message }),
    );
    expect(outcome.message).toMatch(/kernel/);
    expect(outcome.status).toBe(1);
  });

  test("enters a multiboot kernel in segments 8 and 0x10, as other loaders do", async () => {
    const selectors = [0xc8, 0xd8, 0xc0, 0xe0, 0xe8, 0xd0]; // cs, ds, es, fs, gs, ss
    const code = [
      [0xba, 0xf8, 0x03, 0, 0], // mov edx, 3F8h
      ...selectors.map((register) => [0x8c, register, 0x04, 0x30, 0xee]), // mov eax, SREG; add al, "0"; out dx, al
      [0xf4], // hlt
    ].flat();
    await using vm = await boot({ kernel: multiboot(code) });
    await vm.console.expect("8@@@@@");
    // MCR as firmware leaves it: DTR, RTS, and OUT2, which lets the serial port's interrupt through.
    expect(vm.machine.ports?.read(0x3fc, 1)).toBe(0x0b);
  });

  test("gives a multiboot kernel its initrd and its modules in order, behind it on pages of their own, each with its text", async () => {
    const bytes = (length: number, first: number) => Uint8Array.from({ length }, (_, i) => first + i);
    const modules = [
      { bytes: bytes(5000, 1), text: "servers/exec --root (hd0,1)" },
      { bytes: bytes(0, 0), text: "empty" },
      { bytes: bytes(4096, 7), text: "" },
    ];
    await using vm = await boot({ kernel: multiboot(keep("ebx")), initrd: bytes(100, 3), modules });
    await vm.console.expect("M");
    const { memory } = vm.machine;
    const word = (address: number) => memory.read(address, 4);
    const text = (at: number): string => {
      const code = memory.read(at, 1);
      return code === 0 ? "" : String.fromCharCode(code) + text(at + 1);
    };
    // Multiboot 0.6.96 section 3.3: flags, mods_count and mods_addr; of each module start, end and string.
    const info = word(kept);
    expect(word(info) & 8).toBe(8);
    const given = Array.from({ length: word(info + 20) }, (_, i) => {
      const at = word(info + 24) + 16 * i;
      const [start, end] = [word(at), word(at + 4)];
      return {
        start,
        text: text(word(at + 8)),
        bytes: Uint8Array.from({ length: end - start }, (_, k) => memory.read(start + k, 1)),
      };
    });
    const expected = [{ bytes: bytes(100, 3), text: "initrd" }, ...modules];
    expect(given.map(({ text, bytes }) => ({ text, bytes }))).toEqual(expected);
    // Right behind the kernel, which maps perhaps no more than that.
    expect(given.map(({ start }) => start)).toEqual([0x101000, 0x102000, 0x104000, 0x104000]);
  });

  test("enters a Linux kernel which is an ELF file, by its notes, as a bzImage enters what it unpacked", async () => {
    const kernel = { bigEndian: false, physical: 0x100000, content: keep("esi"), memorySize: 0x2000, entry: 0x100000 };
    const initrd = Uint8Array.from({ length: 5000 }, (_, i) => i);
    await using vm = await boot({ kernel: makeElf({ ...kernel, note: "Linux" }), initrd, append: "quiet b=info" });
    await vm.console.expect("M");
    const { memory } = vm.machine;
    // Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header", and zero-page.rst.
    const params = memory.read(kept, 4);
    const word = (offset: number) => memory.read(params + offset, 4);
    const bytes = (at: number, length: number) => Uint8Array.from({ length }, (_, k) => memory.read(at + k, 1));
    expect(String.fromCharCode(...bytes(params + 0x202, 4))).toBe("HdrS");
    expect([memory.read(params + 0x1ef, 1), memory.read(params + 0x210, 1)]).toEqual([0, 0xff]);
    expect(String.fromCharCode(...bytes(word(0x228), 13))).toBe("quiet b=info\0");
    expect(word(0x21c)).toBe(5000);
    expect(bytes(word(0x218), 5000)).toEqual(initrd);
    // The first entry of its map: from 0 on, RAM.
    expect(memory.read(params + 0x1e8, 1)).toBeGreaterThan(1);
    expect([word(0x2d0), word(0x2d0 + 16)]).toEqual([0, 1]);
    const modules = [{ bytes: initrd, text: "m" }];
    await using told = await boot({ kernel: makeElf({ ...kernel, note: "Linux" }), modules });
    await told.console.expect("Linux takes none");
    // The same without the note is entered as Multiboot has it, with nothing in ESI.
    await using other = await boot({ kernel: makeElf({ ...kernel, note: "Other" }), initrd });
    await other.console.expect("M");
    expect(other.machine.memory.read(kept, 4)).toBe(0);
  });

  test.each([
    [
      "too many modules",
      Array.from({ length: 33 }, () => ({ bytes: new Uint8Array(1), text: "m" })),
      "more than 32 modules",
    ],
    [
      "too long a text",
      [{ bytes: new Uint8Array(1), text: "x".repeat(2048) }],
      "more than 2048 bytes of modules' texts",
    ],
    ["modules larger than RAM", [{ bytes: new Uint8Array(17 << 20), text: "big" }], "no room for the module big"],
  ])("says so when a multiboot kernel has %s", async (_, modules, why) => {
    await using vm = await boot({ kernel: multiboot([0xf4]), memory: "16M", modules });
    await vm.console.expect(why);
    expect(await vm.exit).toBe(1);
  });

  test("says what it was doing when the console does not say what is expected", async () => {
    await using vm = await boot();
    const failure = vm.console.expect("no such words", { timeout: 2 });
    await expect(failure).rejects.toThrow(/no such words[\s\S]*barzero> [\s\S]*pc 0x[0-9a-f]+/);
  });
});

describe("two runs with the same inputs", () => {
  async function figures(seed: number) {
    await using vm = await boot({ append: "selftest", seed });
    await vm.exit;
    return { stats: vm.stats(), text: vm.console.text, state: vm.machine.state() };
  }

  test("are the same instruction for instruction, chip for chip", async () => {
    expect(await figures(7)).toEqual(await figures(7));
  });
});

describe("the trace of one disk read", () => {
  test("follows it from the doorbell to the message which ends it", async () => {
    const lines: string[] = [];
    await using vm = await boot({
      trace: ["virtio", "pci", "irq"],
      onTrace: ({ channel, text }) => lines.push(`${channel}: ${text}`),
    });
    await vm.console.expect("barzero> ");
    lines.length = 0;
    vm.console.send("blk read 3\n");
    await vm.console.expect("barzero> ");
    const story = lines.join("\n");
    const steps = [/virtio: .*(doorbell|notify|kick)/i, /virtio: .*(chain|take)/i, /virtio: .*used/i, /: .*message/i];
    let from = 0;
    for (const step of steps) {
      const at = story.slice(from).search(step);
      expect(at, `${step} after ${from} in\n${story}`).toBeGreaterThanOrEqual(0);
      from += at;
    }
  });
});
