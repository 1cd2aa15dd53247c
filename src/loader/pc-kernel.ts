import { isBzImage, readBzImage } from "./bzimage.ts";
import { elfMachine, isElf, readElf } from "./elf.ts";
import { LoadError } from "./load-error.ts";
import { multibootHeader } from "./multiboot.ts";

/** The largest kernel file which is taken. */
const largest = 512 << 20;

/** A kernel as the PC's firmware wants it: a bzImage in two parts, anything else whole. */
export interface PcKernel {
  readonly format: "bzimage" | "multiboot" | "elf";
  /** Empty unless it is a bzImage. */
  readonly setup: Uint8Array;
  readonly kernel: Uint8Array;
}

/** @throws LoadError when no firmware could start it. */
export function readPcKernel(bytes: Uint8Array): PcKernel {
  if (bytes.length > largest) throw new LoadError(`a kernel of more than ${largest >> 20} MiB`);
  if (isBzImage(bytes)) return { format: "bzimage", ...readBzImage(bytes) };
  const multiboot = multibootHeader(bytes) !== undefined;
  if (!isElf(bytes)) {
    if (multiboot) return { format: "multiboot", setup: new Uint8Array(0), kernel: bytes };
    throw new LoadError("neither an ELF file, nor a Multiboot kernel, nor a Linux bzImage");
  }
  const elf = readElf(bytes);
  if (elf.machine !== elfMachine.i386) throw new LoadError("an ELF file for another processor than the i386");
  return { format: multiboot ? "multiboot" : "elf", setup: new Uint8Array(0), kernel: bytes };
}
