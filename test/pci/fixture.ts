import { GuestMemory } from "../../src/bus/guest-memory.ts";
import type { IrqLine } from "../../src/bus/line.ts";
import { Ram } from "../../src/bus/ram.ts";
import { AddressSpace } from "../../src/bus/space.ts";
import type { BusTarget } from "../../src/bus/target.ts";
import { PciBus, type PciWindow } from "../../src/pci/bus.ts";
import type { Inbound } from "../../src/pci/dma.ts";
import { type Identity, PciFunction } from "../../src/pci/function.ts";
import { Trace } from "../../src/trace/trace.ts";

export const ramSize = 0x40000;
export const romBase = 0xf0000;
export const memoryWindow: PciWindow = { kind: "memory", bus: 0xe000_0000, cpu: 0xe000_0000, size: 0x1000_0000 };
export const highWindow: PciWindow = { kind: "memory", bus: 2 ** 33, cpu: 2 ** 33, size: 2 ** 32 };
export const portWindow: PciWindow = { kind: "io", bus: 0xc000, cpu: 0xc000, size: 0x4000 };

/** A machine for PCI: 256 KiB of RAM, a ROM, a chip which takes messages at 0xFEE00000, and an empty bus. */
export function pciMachine(inbound?: Inbound) {
  const guest = new GuestMemory(1 << 20);
  const memory = new AddressSpace("memory", 2 ** 36);
  const ports = new AddressSpace("ports", 65536);
  const ram = new Ram(guest, "ram", ramSize);
  const rom = new Ram(guest, "rom", 0x1000, false);
  const messages: { offset: number; data: number }[] = [];
  const touched: string[] = [];
  const lapic: BusTarget = {
    read: () => note("read", 0),
    write: () => void note("write", 0),
    message: (offset, data) => void messages.push({ offset, data }),
  };
  const note = (what: string, value: number) => {
    touched.push(what);
    return value;
  };
  memory.map(0, ramSize, ram, { name: "ram", priority: 100 });
  memory.map(romBase, 0x1000, rom, { name: "rom", priority: 50 });
  memory.map(0xfee0_0000, 0x10_0000, lapic, { name: "lapic" });
  const trace = new Trace();
  const lines: string[] = [];
  trace.sink = ({ text }) => void lines.push(text);
  const levels = new Map<string, boolean>();
  const bus = new PciBus({
    name: "pci",
    memory,
    ports,
    guest,
    windows: [memoryWindow, highWindow, portWindow],
    inbound,
    intx: (slot, pin) => line((level) => levels.set(`${slot}.${pin}`, level)),
    trace: trace.channel("pci"),
  });
  return { guest, memory, ports, ram, rom, bus, messages, touched, levels, trace, lines };
}

export function line(set: (level: boolean) => void): IrqLine {
  return { set };
}

export const anIdentity: Identity = {
  vendor: 0x1234,
  device: 0x5678,
  revision: 3,
  class: 0x01_02_03,
  subsystemVendor: 0x9abc,
  subsystem: 0xdef0,
  interruptPin: 1,
};

export function aFunction(name = "f", identity: Partial<Identity> = {}): PciFunction {
  return new PciFunction(name, { ...anIdentity, ...identity });
}

/** Registers which answer with one byte over and over, and remember what was written to them. */
export class Scratch implements BusTarget {
  readonly writes: { offset: number; width: number; value: number }[] = [];
  readonly #byte: number;

  constructor(byte: number) {
    this.#byte = byte;
  }

  read(_offset: number, width: number): number {
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + this.#byte;
    return value;
  }

  write(offset: number, width: number, value: number): void {
    this.writes.push({ offset, width, value });
  }
}
