import { SeededEntropy } from "../backend/entropy.ts";
import { type Elf, elfMachine, readElf } from "../loader/elf.ts";
import { LoadError } from "../loader/load-error.ts";
import type { WiringOptions } from "./common.ts";
import { e500Tree } from "./e500-tree.ts";
import { MachineError } from "./options.ts";
import type { E500Spec } from "./spec.ts";

/** What is to be booted and where its parts go. */
export interface E500Plan {
  readonly kernel: Elf | undefined;
  /** First byte behind the kernel in RAM, or 0. */
  readonly kernelEnd: number;
  readonly initrd: { readonly start: number; readonly end: number } | undefined;
  /** The device tree, which tells of all this. */
  readonly tree: Uint8Array;
}

/** Where an initial RAM disk is put when nothing is in its way: behind the 64 MiB which are mapped at a kernel's entry. */
const usualInitrd = 0x0400_0000;
const megabyte = 0x10_0000;

/** @throws MachineError for a kernel which is none, or for parts which have no room. */
export function planE500(spec: E500Spec, options: WiringOptions): E500Plan {
  const kernel = options.kernel && readKernel(options.kernel);
  const kernelEnd = Math.max(0, ...(kernel?.segments ?? []).map((s) => s.physical + s.memorySize));
  if (kernelEnd > options.memory)
    throw new MachineError(`the kernel needs ${kernelEnd} bytes of memory, and there are ${options.memory}`);
  const initrd = options.initrd && placeInitrd(options.initrd.length, kernelEnd, options.memory);
  const rngSeed = new Uint8Array(32);
  new SeededEntropy(options.seed ?? 1).fill(rngSeed);
  const tree = e500Tree(spec, { memory: options.memory, append: options.append ?? "", initrd, rngSeed });
  return { kernel, kernelEnd, initrd, tree };
}

function readKernel(bytes: Uint8Array): Elf {
  try {
    const elf = readElf(bytes);
    if (elf.bigEndian && elf.machine === elfMachine.powerpc) return elf;
  } catch (error) {
    throw error instanceof LoadError ? new MachineError(`the kernel is ${error.message}`) : error;
  }
  throw new MachineError("the kernel is an ELF file for another processor than a big-endian PowerPC");
}

/** At its usual place, or at the end of RAM where that is too small. */
function placeInitrd(length: number, kernelEnd: number, memory: number): { start: number; end: number } {
  const usual = Math.max(usualInitrd, Math.ceil(kernelEnd / megabyte) * megabyte);
  const start = usual + length <= memory ? usual : Math.floor((memory - length) / megabyte) * megabyte;
  if (start < kernelEnd)
    throw new MachineError(`no room for an initrd of ${length} bytes in ${memory} bytes of memory`);
  return { start, end: start + length };
}
