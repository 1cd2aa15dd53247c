/**
 * v86 with the guest's serial console on standard output.
 *
 *     node bench/v86.ts PACKAGE BIOS MEMORY CMDLINE KERNEL [INITRD]
 *
 * PACKAGE is an unpacked npm package v86, BIOS a folder with SeaBIOS and its VGA BIOS, MEMORY in MiB. The kernel is a multiboot image, or
 * a bzImage when there is an initrd.
 */
import { readFileSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

interface Emulator {
  add_listener(event: string, listener: (byte: number) => void): void;
}
interface Module {
  readonly V86: new (options: Readonly<Record<string, unknown>>) => Emulator;
}

const [folder = "", bios = "", memory = "", cmdline = "", kernel = "", initrd] = process.argv.slice(2);

function file(path: string): { buffer: ArrayBuffer } {
  const bytes = readFileSync(path);
  return { buffer: new Uint8Array(bytes).buffer };
}

const { V86 } = (await import(pathToFileURL(resolve(folder, "build/libv86.mjs")).href)) as Module;
const emulator = new V86({
  wasm_path: resolve(folder, "build/v86.wasm"),
  bios: file(join(bios, "bios.bin")),
  vga_bios: file(join(bios, "vgabios-stdvga.bin")),
  ...(initrd === undefined ? { multiboot: file(kernel) } : { bzimage: file(kernel), initrd: file(initrd) }),
  cmdline,
  memory_size: Number(memory) * 2 ** 20,
  vga_memory_size: 8 * 2 ** 20,
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
});

let line = "";
emulator.add_listener("serial0-output-byte", (byte) => {
  line += String.fromCharCode(byte);
  if (byte !== 10) return;
  writeSync(1, line);
  line = "";
});
