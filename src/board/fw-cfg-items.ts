import type { RealModePlaces } from "../loader/real-mode.ts";
import { Bytes } from "./bytes.ts";

/** Numbered items of fw_cfg, as QEMU numbers them (docs/specs/fw_cfg, and its header of standard keys). */
const key = {
  ramSize: 0x03,
  processors: 0x05,
  kernelAddress: 0x07,
  kernelSize: 0x08,
  initrdAddress: 0x0a,
  initrdSize: 0x0b,
  mostProcessors: 0x0f,
  kernelData: 0x11,
  initrdData: 0x12,
  commandLineAddress: 0x13,
  commandLineSize: 0x14,
  commandLineData: 0x15,
  setupAddress: 0x16,
  setupSize: 0x17,
  setupData: 0x18,
} as const;

/** A kernel as firmware is given it. */
export interface KernelItems {
  readonly kernel: Uint8Array;
  /** The real-mode part of a bzImage; empty for anything else. */
  readonly setup: Uint8Array;
  readonly append: string;
  readonly initrd?: Uint8Array;
  /** Of a bzImage, for firmware that asks where to put it. */
  readonly places?: RealModePlaces;
}

/** What firmware can read of a machine by number. Numbers in it are little-endian on every board. */
export function fwCfgItems(memory: number, given: KernelItems | undefined): ReadonlyMap<number, Uint8Array> {
  const u32 = (value: number): Uint8Array => new Bytes().u32(value).done();
  const items = new Map<number, Uint8Array>([
    [key.ramSize, new Bytes().u64(memory).done()],
    [key.processors, new Bytes().u16(1).done()],
    [key.mostProcessors, new Bytes().u16(1).done()],
  ]);
  if (given === undefined) return items;
  const { kernel, setup, append, initrd, places } = given;
  const commandLine = new TextEncoder().encode(`${append}\0`);
  items.set(key.kernelSize, u32(kernel.length)).set(key.kernelData, kernel);
  items.set(key.setupSize, u32(setup.length)).set(key.setupData, setup);
  items.set(key.commandLineSize, u32(commandLine.length)).set(key.commandLineData, commandLine);
  if (initrd !== undefined) items.set(key.initrdSize, u32(initrd.length)).set(key.initrdData, initrd);
  if (places !== undefined) {
    items.set(key.kernelAddress, u32(places.kernel)).set(key.setupAddress, u32(places.setup));
    items.set(key.commandLineAddress, u32(places.commandLine)).set(key.initrdAddress, u32(places.initrd));
  }
  return items;
}
