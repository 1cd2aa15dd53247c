import type { GuestMemory } from "../bus/guest-memory.ts";
import { type IrqLine, unconnected } from "../bus/line.ts";
import type { AddressSpace, Mapping } from "../bus/space.ts";
import type { Device } from "../bus/state.ts";
import { allOnes, type Width } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";
import type { Bar } from "./bar.ts";
import { DmaPath, type Inbound, untranslated } from "./dma.ts";
import type { PciFunction } from "./function.ts";
import { multiFunction } from "./registers.ts";

/** A range of bus addresses which the bridge forwards from the CPU. */
export interface PciWindow {
  readonly kind: "memory" | "io";
  /** First address on the PCI side. */
  readonly bus: number;
  /** First address on the CPU's side: in the port space for `io` where there is one, else in the memory space. */
  readonly cpu: number;
  readonly size: number;
}

/** What a bus is wired to: the host bridge's side of it. */
export interface BusWires {
  readonly name: string;
  /** Where memory BARs are mapped, and what DMA reaches. */
  readonly memory: AddressSpace;
  /** Where I/O BARs are mapped: the port space, or the memory space where the bridge has a window for ports. */
  readonly ports: AddressSpace;
  readonly guest: GuestMemory;
  readonly windows: readonly PciWindow[];
  /** How addresses from devices become CPU addresses. None: as they are. */
  readonly inbound?: Inbound;
  /** The interrupt input for a device's pin, 1 to 4; asked once for each function with a pin. */
  intx(device: number, pin: number): IrqLine;
  readonly trace: Channel;
}

interface Decoded {
  readonly bar: Bar;
  readonly space: AddressSpace;
  readonly mapping: Mapping;
  address: number | undefined;
}

/**
 * One PCI bus, number 0: 32 devices of 8 functions behind a host bridge. What is not there reads all ones.
 *
 * A BAR answers where its decode bit is on and it lies wholly inside a window; at bus address 0, or outside
 * of every window, it answers nowhere. Where BARs overlap, the lower device and function number is in front, then the
 * lower BAR. RAM, ROM and chips are in front of all of them.
 */
export class PciBus {
  readonly name: string;
  /** The way to memory of everything plugged in; its state has the counters. */
  readonly path: DmaPath;
  readonly #wires: BusWires;
  readonly #functions: (PciFunction | undefined)[] = new Array(256).fill(undefined);
  readonly #decoded: Decoded[] = [];
  #windows: readonly PciWindow[];

  constructor(wires: BusWires) {
    this.name = wires.name;
    this.#wires = wires;
    this.#windows = wires.windows;
    this.path = new DmaPath(`${wires.name}.dma`, wires.memory, wires.guest, wires.trace, wires.inbound ?? untranslated);
  }

  /** Puts a function in its place, BARs and capabilities complete. Throws where there is one already, or no such place. */
  plug(device: number, fn: number, plugged: PciFunction): void {
    const devfn = device * 8 + fn;
    const address = `00:${device.toString(16).padStart(2, "0")}.${fn}`;
    if (!(device >= 0 && device < 32 && fn >= 0 && fn < 8)) throw new RangeError(`there is no slot ${address}`);
    if (this.#functions[devfn] !== undefined) throw new RangeError(`${this.name}: ${address} is taken`);
    this.#functions[devfn] = plugged;
    const first = this.#functions[device * 8];
    if (this.#functions.slice(device * 8 + 1, device * 8 + 8).some((other) => other !== undefined))
      first?.markMultiFunction(multiFunction);
    for (const bar of plugged.bars) this.#map(devfn, bar, `${address} BAR${bar.index}`);
    plugged.plugged({
      address,
      path: this.path,
      irq: plugged.interruptPin === 0 ? unconnected : this.#wires.intx(device, plugged.interruptPin),
      trace: this.#wires.trace,
      decode: (bar, at) => this.#decode(bar, at),
    });
  }

  at(device: number, fn: number): PciFunction | undefined {
    return device < 32 && fn < 8 ? this.#functions[device * 8 + fn] : undefined;
  }

  /** All that is plugged in, in order. */
  get functions(): readonly PciFunction[] {
    return this.#functions.filter((f) => f !== undefined);
  }

  /** The DMA path, every function and every part of one: the board's list. */
  get devices(): readonly Device[] {
    return [this.path, ...this.functions.flatMap((f) => f.parts)];
  }

  /** A configuration read; a function or bus that is not there reads all ones (PCI 3.0 section 6.1). Never throws. */
  readConfig(bus: number, device: number, fn: number, offset: number, width: Width): number {
    const found = bus === 0 ? this.at(device, fn) : undefined;
    return found === undefined ? allOnes(width) : found.readConfig(offset, width);
  }

  writeConfig(bus: number, device: number, fn: number, offset: number, width: Width, value: number): void {
    if (bus === 0) this.at(device, fn)?.writeConfig(offset, width, value);
  }

  /** The bridge forwards other ranges now: every BAR is looked at again. Where windows overlap the first is meant. */
  setWindows(windows: readonly PciWindow[]): void {
    this.#windows = windows;
    for (const decoded of this.#decoded) this.#place(decoded);
  }

  #map(devfn: number, bar: Bar, name: string): void {
    const { memory, ports } = this.#wires;
    // Within (-1, 0]: behind everything which is not PCI, the lower number in front.
    const options = { name, priority: -(devfn * 8 + bar.index) / 2048, enabled: false };
    const space = bar.kind === "io" ? ports : memory;
    this.#decoded.push({ bar, space, mapping: space.map(0, bar.size, bar.target, options), address: undefined });
  }

  #decode(bar: Bar, address: number | undefined): void {
    const decoded = this.#decoded.find((d) => d.bar === bar);
    if (decoded === undefined || decoded.address === address) return;
    decoded.address = address;
    this.#place(decoded);
  }

  #place({ bar, space, mapping, address }: Decoded): void {
    const at = address === undefined ? undefined : this.#forwarded(bar, address);
    const inside = at !== undefined && at + bar.size <= space.size;
    mapping.update(inside ? { base: at, enabled: true } : { enabled: false });
    const { trace } = this.#wires;
    if (trace.on)
      trace.log(`${mapping.name} ${inside ? `at 0x${at.toString(16)}, 0x${bar.size.toString(16)} bytes` : "nowhere"}`);
  }

  /** The CPU's address for a BAR, or undefined where no window holds it. */
  #forwarded(bar: Bar, address: number): number | undefined {
    if (address === 0) return undefined;
    const kind = bar.kind === "io" ? "io" : "memory";
    for (const window of this.#windows) {
      if (window.kind !== kind || address < window.bus || address + bar.size > window.bus + window.size) continue;
      return window.cpu + (address - window.bus);
    }
    return undefined;
  }
}
