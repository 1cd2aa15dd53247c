import { GuestMemory } from "../../src/bus/guest-memory.ts";
import { Ram } from "../../src/bus/ram.ts";
import { AddressSpace } from "../../src/bus/space.ts";
import { PciBus } from "../../src/pci/bus.ts";
import type { PciFunction } from "../../src/pci/function.ts";
import { ManualClock } from "../../src/time/clock.ts";
import { Trace } from "../../src/trace/trace.ts";

/** Where the bench has what. */
export const ramSize = 2 ** 20;
export const memoryWindow = 0xe000_0000;
export const portWindow = 0xc000;
/** Messages to this page are noted, as a local APIC would take them. */
export const messagePage = 0xfee0_0000;

/** A PCI bus with RAM, a taker of messages and one interrupt line: what a device test needs of a machine. */
export class Bench {
  readonly guest = new GuestMemory(2 * ramSize);
  readonly memory = new AddressSpace("memory", 2 ** 36);
  readonly ports = new AddressSpace("ports", 65536);
  readonly ram = new Ram(this.guest, "ram", ramSize);
  readonly clock = new ManualClock();
  readonly trace = new Trace();
  readonly lines: string[] = [];
  readonly bus: PciBus;
  /** Data of each message that arrived. */
  readonly messages: number[] = [];
  /** The level of the interrupt line, and how often it rose. */
  line = false;
  rises = 0;

  constructor() {
    this.memory.map(0, ramSize, this.ram, { name: "ram", priority: 100 });
    this.memory.map(
      messagePage,
      4096,
      { read: () => 0xffff_ffff, write: () => {}, message: (_offset, data) => this.messages.push(data) },
      { name: "messages" },
    );
    this.trace.sink = ({ channel, text }) => this.lines.push(`${channel}: ${text}`);
    this.bus = new PciBus({
      name: "pci",
      memory: this.memory,
      ports: this.ports,
      guest: this.guest,
      windows: [
        { kind: "memory", bus: memoryWindow, cpu: memoryWindow, size: 0x1000_0000 },
        { kind: "io", bus: portWindow, cpu: portWindow, size: 0x4000 },
      ],
      intx: () => ({
        set: (level) => {
          if (level && !this.line) this.rises++;
          this.line = level;
        },
      }),
      trace: this.trace.channel("pci"),
    });
  }

  /** Plugs a function in and gives its BARs addresses, decoding and bus mastering: what firmware and a driver do. */
  plug(fn: PciFunction, device = 4): void {
    this.bus.plug(device, 0, fn);
    for (const bar of fn.bars) {
      const base =
        bar.kind === "io"
          ? portWindow + device * 256 + bar.index * 0x800
          : memoryWindow + device * 0x10_0000 + bar.index * 0x1_0000;
      fn.writeConfig(0x10 + 4 * bar.index, 4, base);
    }
    fn.writeConfig(4, 2, 7);
  }

  /** Takes the messages which came since the last call. */
  taken(): number[] {
    return this.messages.splice(0);
  }
}
