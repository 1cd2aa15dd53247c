import type { GuestMemory } from "../bus/guest-memory.ts";
import type { IrqLine } from "../bus/line.ts";
import type { AddressSpace } from "../bus/space.ts";
import { type Device, State } from "../bus/state.ts";
import { allOnes, type BusTarget, swapBytes, type Width } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";
import { atmuEnd, atmuRegisters, atmuStart, inboundRuns, outboundWindows } from "./atmu.ts";
import { PciBus } from "./bus.ts";
import type { Inbound, Run } from "./dma.ts";
import { PciFunction } from "./function.ts";
import { configAddressBits, readSelected, writeSelected } from "./mechanism1.ts";

export interface Ppce500Wires {
  readonly memory: AddressSpace;
  readonly guest: GuestMemory;
  /** Where the CPU sees the CCSR block, which devices reach at PCICSRBAR. */
  readonly ccsrBase: number;
  /** Whether the bridge makes I/O transactions; without them an outbound window to I/O space leads nowhere. Default: yes. */
  readonly ports?: boolean;
  /** The MPIC input for INTA to INTD of the board, 1 to 4. */
  irq(input: number): IrqLine;
  readonly trace: Channel;
}

const ccsrSize = 0x10_0000;
const cfgAddr = 0;
const cfgData = 4;

/** The board's wiring: slot 1's INTA# is the MPIC's input 2, and each slot and each pin moves one further. */
export function mpicInputOf(slot: number, pin: number): number {
  return ((slot + pin - 1) & 3) + 1;
}

/**
 * The PCI host bridge of ppce500, 1957:0030 (MPC8544E reference manual, PCI): configuration registers, the ATMU's
 * windows both ways, and PCICSRBAR, which is BAR0 of the bridge's own function.
 *
 * `registers` is 4 KiB of the CCSR block. CFGADDR and the ATMU are big-endian; CFGDATA passes bytes on as they are. A device reaches RAM through
 * the inbound windows and sends its messages to the MPIC through PCICSRBAR. The lower-numbered window is meant where two overlap, PCICSRBAR before any.
 */
export class Ppce500Bridge implements Device {
  readonly name = "ppce500-pci";
  readonly state: State<{ cfgAddr: number; atmu: Uint32Array }>;
  readonly bus: PciBus;
  readonly function: PciFunction;
  readonly registers: BusTarget;
  readonly #trace: Channel;
  readonly #ccsrBase: number;
  readonly #ports: boolean;
  /** What devices see, in order of precedence. Derived from the ATMU and PCICSRBAR. */
  #runs: readonly Run[] = [];

  constructor(wires: Ppce500Wires) {
    this.#trace = wires.trace;
    this.#ccsrBase = wires.ccsrBase;
    this.#ports = wires.ports ?? true;
    this.state = new State(this.name, { cfgAddr: 0, atmu: new Uint32Array((atmuEnd - atmuStart) / 4) });
    this.registers = {
      read: (offset, width) => this.#read(offset, width),
      write: (offset, width, value) => this.#write(offset, width, value),
    };
    const inbound: Inbound = { translate: (address) => this.#translate(address) };
    this.bus = new PciBus({
      name: "pci",
      memory: wires.memory,
      ports: wires.memory,
      guest: wires.guest,
      windows: [],
      inbound,
      intx: (slot, pin) => wires.irq(mpicInputOf(slot, pin)),
      trace: wires.trace,
    });

    this.function = new PciFunction("ppce500-bridge", {
      vendor: 0x1957,
      device: 0x0030,
      revision: 0,
      class: 0x0b2000,
    });
    this.function.addBar({ index: 0, kind: "memory32", size: ccsrSize, target: throughTheBus(wires) });
    this.function.onDecode = () => this.#inboundChanged();
    this.bus.plug(0, 0, this.function);
  }

  reset(): void {
    this.state.reset();
    this.restored();
  }

  restored(): void {
    const windows = outboundWindows((offset) => this.#atmu(offset));
    this.bus.setWindows(this.#ports ? windows : windows.filter(({ kind }) => kind !== "io"));
    this.#inboundChanged();
  }

  #read(offset: number, width: Width): number {
    if (offset >= cfgData && offset < cfgData + 4)
      return readSelected(this.bus, this.state.now.cfgAddr, offset - cfgData, width);
    let value = 0;
    for (let i = 0; i < width; i++) {
      const word = this.#word((offset + i) & ~3);
      value += ((word >>> (24 - 8 * ((offset + i) & 3))) & 0xff) * 2 ** (8 * i);
    }
    return value;
  }

  #write(offset: number, width: Width, value: number): void {
    if (offset >= cfgData && offset < cfgData + 4) {
      writeSelected(this.bus, this.state.now.cfgAddr, offset - cfgData, width, value);
    } else if (width !== 4 || (offset & 3) !== 0) {
      this.#trace.once(
        `pci ${offset}.${width}`,
        `${this.name} takes 4-byte writes alone: 0x${offset.toString(16)}.${width}`,
      );
    } else if (offset === cfgAddr) {
      this.state.now.cfgAddr = (swapBytes(value, 4) & configAddressBits) >>> 0;
    } else {
      this.#writeAtmu(offset, swapBytes(value, 4));
    }
  }

  #writeAtmu(offset: number, value: number): void {
    const bits = atmuRegisters.get(offset);
    if (bits === undefined) {
      this.#trace.once(
        `pci ${offset}`,
        `${this.name} has no register at 0x${offset.toString(16)}, written 0x${value.toString(16)}`,
      );
      return;
    }
    this.state.now.atmu[(offset - atmuStart) / 4] = value & bits;
    this.restored();
  }

  /** A big-endian register's value. What is not there reads 0, the interrupt acknowledge and block revision too. */
  #word(offset: number): number {
    return offset === cfgAddr ? this.state.now.cfgAddr : this.#atmu(offset);
  }

  #atmu(offset: number): number {
    return this.state.now.atmu[(offset - atmuStart) / 4] ?? 0;
  }

  #inboundChanged(): void {
    const runs = inboundRuns((offset) => this.#atmu(offset));
    const pcicsrbar = this.function.barAddress(0);
    if (pcicsrbar !== undefined && pcicsrbar !== 0)
      runs.unshift({ start: pcicsrbar, end: pcicsrbar + ccsrSize, delta: this.#ccsrBase - pcicsrbar });
    this.#runs = runs;
    this.bus.path.changed();
  }

  /** The run around an address, cut where one which comes before it begins. */
  #translate(address: number): Run | undefined {
    let start = 0;
    let end = Number.POSITIVE_INFINITY;
    for (const run of this.#runs) {
      if (address >= run.start && address < run.end)
        return { start: Math.max(start, run.start), end: Math.min(end, run.end), delta: run.delta };
      if (address < run.start) end = Math.min(end, run.start);
      else start = Math.max(start, run.end);
    }
    return undefined;
  }
}

/**
 * The CCSR block as a CPU finds it when it looks through an outbound window at PCICSRBAR. A window may be laid over the
 * block itself, so a look which leads back here finds nothing.
 */
function throughTheBus({ memory, ccsrBase }: Ppce500Wires): BusTarget {
  let inside = false;
  return {
    read(offset, width) {
      if (inside) return allOnes(width);
      inside = true;
      const value = memory.read(ccsrBase + offset, width);
      inside = false;
      return value;
    },
    write(offset, width, value) {
      if (inside) return;
      inside = true;
      memory.write(ccsrBase + offset, width, value);
      inside = false;
    },
  };
}
