import { LoadError } from "../loader/load-error.ts";
import { type PcKernel, readPcKernel } from "../loader/pc-kernel.ts";
import { Bytes } from "./bytes.ts";
import { MachineError, type MachineOptions } from "./options.ts";
import { pcFirmwareFiles } from "./pc-files.ts";
import type { PcSpec } from "./spec.ts";

/** Numbered items, as QEMU numbers them (docs/specs/fw_cfg, and its header of standard keys). */
const key = {
  ramSize: 0x03,
  processors: 0x05,
  kernelSize: 0x08,
  initrdSize: 0x0b,
  mostProcessors: 0x0f,
  kernelData: 0x11,
  initrdData: 0x12,
  commandLineSize: 0x14,
  commandLineData: 0x15,
  setupSize: 0x17,
  setupData: 0x18,
} as const;

/** What firmware can read of a machine: items by number, and files by name. */
export interface FirmwareItems {
  readonly items: ReadonlyMap<number, Uint8Array>;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

const u32 = (value: number): Uint8Array => new Bytes().u32(value).done();

/** @throws MachineError when the kernel is none. */
export function pcFirmwareItems(spec: PcSpec, options: MachineOptions & { readonly memory: number }): FirmwareItems {
  const items = new Map<number, Uint8Array>([
    [key.ramSize, new Bytes().u64(options.memory).done()],
    [key.processors, new Bytes().u16(1).done()],
    [key.mostProcessors, new Bytes().u16(1).done()],
  ]);
  if (options.kernel !== undefined) {
    const { setup, kernel } = readKernel(options.kernel);
    const commandLine = new TextEncoder().encode(`${options.append ?? ""}\0`);
    items.set(key.kernelSize, u32(kernel.length)).set(key.kernelData, kernel);
    items.set(key.setupSize, u32(setup.length)).set(key.setupData, setup);
    items.set(key.commandLineSize, u32(commandLine.length)).set(key.commandLineData, commandLine);
    if (options.initrd !== undefined)
      items.set(key.initrdSize, u32(options.initrd.length)).set(key.initrdData, options.initrd);
  }
  return { items, files: pcFirmwareFiles(spec, options.memory) };
}

function readKernel(bytes: Uint8Array): PcKernel {
  try {
    return readPcKernel(bytes);
  } catch (error) {
    throw error instanceof LoadError ? new MachineError(`the kernel is ${error.message}`) : error;
  }
}
