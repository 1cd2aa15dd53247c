import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { boot } from "../../src/host/index.ts";
import { run } from "../support/command.ts";

/** A boot sector: INT 13h extensions read the second sector, `print` prints it. */
const code = (print: readonly [number, number, number, number]) => [
  [0x31, 0xc0], // xor ax, ax
  [0x8e, 0xd8], // mov ds, ax
  [0xbe, 0x30, 0x7c], // mov si, address packet
  [0xb4, 0x42], // mov ah, 42h
  [0xcd, 0x13], // int 13h
  [0x72, 0x0c], // jc halt
  [0xbe, 0x00, 0x7e], // mov si, 7E00h
  [0xac], // next: lodsb
  [0x84, 0xc0], // test al, al
  [0x74, 0x06], // jz halt
  print,
  [0xeb, 0xf5], // jmp next
  [0xf4], // halt: hlt
  [0xeb, 0xfd], // jmp halt
];
const byTeletype = [0xb4, 0x0e, 0xcd, 0x10] as const; // mov ah, 0Eh; int 10h
const bySerialPort = [0xba, 0xf8, 0x03, 0xee] as const; // mov dx, 3F8h; out dx, al

/** A disk which prints the text of its second sector when it is booted. */
function bootDisk(print: readonly [number, number, number, number]): Uint8Array {
  const disk = new Uint8Array(2 ** 20);
  disk.set(code(print).flat());
  // One sector, to 0000:7E00, from block 1 (EDD-3, device address packet).
  disk.set([16, 0, 1, 0, 0x00, 0x7e, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], 0x30);
  disk.set([0x55, 0xaa], 510);
  disk.set(new TextEncoder().encode("the second sector\0"), 512);
  return disk;
}

test("the PC's firmware boots from the first virtio disk, and serves it by INT 13h", async () => {
  await using vm = await boot({ kernel: false, drives: [bootDisk(byTeletype)] });
  await vm.console.expect("the second sector");
});

/** A disk whose boot sector is this program. */
function program(code: readonly (readonly number[])[]): Uint8Array {
  const disk = new Uint8Array(2 ** 20);
  disk.set(code.flat());
  disk.set([0x55, 0xaa], 510);
  return disk;
}

test("the PC's firmware is display and keyboard on the serial port, by INT 10h and INT 16h", async () => {
  const disk = program([
    [0xb8, 0x00, 0x02], // mov ax, 0200h: the cursor goes to
    [0x31, 0xdb], // xor bx, bx
    [0xba, 0x05, 0x02], // mov dx, 0205h: row 2, column 5
    [0xcd, 0x10], // int 10h
    [0xb8, 0x41, 0x09], // mov ax, 0941h: "A", where the cursor stays
    [0xb9, 0x03, 0x00], // mov cx, 3
    [0xcd, 0x10], // int 10h
    [0xb4, 0x03, 0xcd, 0x10], // mov ah, 3; int 10h: where is the cursor?
    [0x88, 0xd0, 0x04, 0x30], // mov al, dl; add al, "0"
    byTeletype,
    [0xb4, 0x01, 0xcd, 0x16], // key: mov ah, 1; int 16h: is there one?
    [0x74, 0xfa], // jz key
    [0x30, 0xe4, 0xcd, 0x16], // xor ah, ah; int 16h
    [0x88, 0xe2], // mov dl, ah
    byTeletype,
    [0x88, 0xd0, 0x04, 0x30], // mov al, dl; add al, "0": the scan code
    byTeletype,
    [0xf4], // hlt
  ]);
  await using vm = await boot({ kernel: false, drives: [disk] });
  await vm.console.expect("\x1b[3;6HAAA\x1b[3;6H5");
  vm.console.send(" ");
  // The space bar's is 39h.
  await vm.console.expect(" i");
});

test("the PC's firmware counts the day's ticks by IRQ 0 and has the date, by INT 1Ah", async () => {
  const ticks = [0xb4, 0x00, 0xcd, 0x1a]; // mov ah, 0; int 1Ah: DX
  const digit = [0x04, 0x30, ...byTeletype]; // add al, "0"
  const disk = program([
    ticks,
    [0x89, 0xd3], // mov bx, dx
    [0xf4], // wait: hlt
    ticks,
    [0x29, 0xda], // sub dx, bx
    [0x83, 0xfa, 0x03], // cmp dx, 3
    [0x72, 0xf4], // jb wait
    [0xb4, 0x04, 0xcd, 0x1a], // mov ah, 4; int 1Ah: CH is the century
    [0x88, 0xe8, 0xc0, 0xe8, 0x04, ...digit], // mov al, ch; shr al, 4
    [0x88, 0xe8, 0x24, 0x0f, ...digit], // mov al, ch; and al, 15
    [0xf4], // hlt
  ]);
  await using vm = await boot({ kernel: false, drives: [disk] });
  await vm.console.expect("20");
  // Three ticks of 54.9 ms, and then it waits for the next.
  const seconds = vm.machine.clock.now / 1e9;
  expect(seconds).toBeGreaterThan(0.164);
  expect(seconds).toBeLessThan(0.23);
});

test("the PC's firmware takes a terminal's keys for a PC's, and counts ticks while it waits for one", async () => {
  const disk = program([
    [0xb0, 0x3e, ...byTeletype], // mov al, ">"
    [0x30, 0xe4, 0xcd, 0x16], // key: xor ah, ah; int 16h
    [0x88, 0xe0], // mov al, ah: the scan code
    byTeletype,
    [0xa0, 0x6c, 0x04], // mov al, [46Ch]: the ticks
    [0x3c, 0x12], // cmp al, 18
    [0x72, 0xef], // jb key
    [0xb0, 0x2e], // mov al, "."
    byTeletype,
    [0xeb, 0xe7], // jmp key
  ]);
  await using vm = await boot({ kernel: false, drives: [disk] });
  await vm.console.expect(">");
  const keys = { "\x1b[A": "H", "\x1b[B": "P", "\x1bOD": "K", "\x1b[3~": "S", "\x1bOP": ";", "\x1b[1;5A\x1b": "?" };
  for (const [bytes, shown] of Object.entries(keys)) {
    vm.console.send(bytes);
    await vm.console.expect(shown, { hostTimeout: 5 });
  }
  await expect(vm.console.expect("another", { timeout: 1 })).rejects.toThrow();
  vm.console.send("\x1b[C");
  await vm.console.expect("M.");
});

// Debian's package `seabios`. It prints to a display, which there is none of.
const seabios = "/usr/share/seabios/bios-256k.bin";

test.skipIf(!existsSync(seabios)).each(["legacy", "modern", "transitional"] as const)(
  "SeaBIOS in our firmware's place boots from the first virtio disk, with the %s layout",
  async (layout) => {
    await using vm = await boot({ firmware: seabios, kernel: false, drives: [bootDisk(bySerialPort)], layout });
    await vm.console.expect("the second sector");
  },
);

test("with nothing to boot the firmware says so", async () => {
  await using vm = await boot({ kernel: false, drives: [] });
  await vm.console.expect(/nothing to boot/);
});

/** Eight entries: 128 bytes of descriptors, 22 of the driver's part and 70 of the device's (virtio 1.2 section 2.7). */
test.each(["pc", "ppce500"])("the firmware of %s has a ring of 8 in the 220 bytes which it takes", async (machine) => {
  const folder = mkdtempSync(join(tmpdir(), "barzero-ring-"));
  const [disk, file] = [join(folder, "disk.img"), join(folder, "trace.txt")];
  writeFileSync(disk, new Uint8Array(65_536));
  await run(...["boot", machine, "--kernel", "none", "--drive", disk, "--trace", "virtio", "--trace-file", file]);
  const trace = readFileSync(file, "utf8");
  rmSync(folder, { recursive: true });
  const written = (register: string) => Number(new RegExp(`blk0 ${register} <- (0x\\w+)`).exec(trace)?.[1]);
  expect(written("queue_size")).toBe(8);
  const parts = [
    { at: written("queue_desc_lo"), size: 128, alignment: 16 },
    { at: written("queue_driver_lo"), size: 22, alignment: 2 },
    { at: written("queue_device_lo"), size: 70, alignment: 4 },
  ].toSorted((a, b) => a.at - b.at);
  const [first, second, third] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0]];
  for (const { at, alignment } of parts) expect(at % alignment).toBe(0);
  expect([first.at + first.size, second.at + second.size]).toEqual([second.at, third.at]);
  expect(third.at + third.size - first.at).toBe(220);
  // And the disk was read through it.
  expect(trace).toMatch(/blk0\.queue0 used element/);
});
