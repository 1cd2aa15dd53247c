import type { IrqLine } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";

export interface IoApicWires {
  /** Sends an interrupt to the local APICs; returns whether one took it. */
  readonly deliver: (destination: number, logical: boolean, mode: number, vector: number, level: boolean) => boolean;
  readonly trace: Channel;
}

export const ioApicInputs = 24;

const arbitrationRegister = 2;
const firstEntry = 0x10;
const masked = 0x1_0000;
const levelTriggered = 0x8000;
const remoteIrr = 0x4000;
/** Vector, delivery mode, destination mode, polarity, trigger mode and mask; the status bits are read-only. */
const writable = 0x1_afff;

function initial() {
  return {
    select: 0,
    id: 0,
    low: new Uint32Array(ioApicInputs).fill(masked),
    high: new Uint32Array(ioApicInputs),
    /** Levels of the inputs, a bit each. */
    lines: 0,
  };
}

/**
 * The IO-APIC: an Intel 82093AA (order number 290566) with its 24 inputs.
 *
 * `registers` is 32 bytes or a window of them: IOREGSEL at 0, IOWIN at 16. `input(n)` is INTIN n. The local APIC's
 * end of interrupt comes by `endOfInterrupt`. An entry's polarity is kept but not used: lines here say whether an
 * interrupt is asserted, whatever voltage means that. Delivery is at once, so that its status always reads idle.
 */
export class IoApic implements Device {
  readonly name = "ioapic";
  readonly state = new State("ioapic", initial(), ["lines"]);
  readonly registers: BusTarget;
  readonly #wires: IoApicWires;

  constructor(wires: IoApicWires) {
    this.#wires = wires;
    this.registers = {
      read: (offset, width) => {
        const shift = 8 * (offset & 3);
        const value = this.#read(offset & 0xfc) >>> shift;
        return width === 4 ? value : value & (width === 2 ? 0xffff : 0xff);
      },
      // IOREGSEL is 8 bits of a 32-bit register; IOWIN takes 32 bits only (data sheet section 3.1).
      write: (offset, width, value) => {
        if ((offset & 0xff) === 0) this.state.now.select = value & 0xff;
        else if ((offset & 0xff) === 0x10 && width === 4) this.#writeRegister(value);
        else wires.trace.once(`ioapic ${offset} ${width}`, `ioapic: write of ${width} bytes at ${offset} ignored`);
      },
    };
  }

  reset(): void {
    this.state.reset();
  }

  input(n: number): IrqLine {
    if (!(n >= 0 && n < ioApicInputs)) throw new RangeError(`IO-APIC input ${n} is not there`);
    return { set: (level) => this.#setLine(n, level) };
  }

  /** A local APIC ended a level-triggered interrupt: whatever still asks for that vector is sent again. */
  endOfInterrupt(vector: number): void {
    const s = this.state.now;
    for (let n = 0; n < ioApicInputs; n++) {
      const entry = s.low[n] as number;
      if ((entry & (remoteIrr | levelTriggered)) !== (remoteIrr | levelTriggered) || (entry & 0xff) !== vector)
        continue;
      s.low[n] = entry & ~remoteIrr;
      this.#service(n);
    }
  }

  #read(offset: number): number {
    if (offset === 0) return this.state.now.select;
    return offset === 0x10 ? this.#readRegister() : 0;
  }

  #readRegister(): number {
    const s = this.state.now;
    const n = (s.select - firstEntry) >>> 1;
    if (s.select >= firstEntry && n < ioApicInputs) return ((s.select & 1) !== 0 ? s.high[n] : s.low[n]) as number;
    if (s.select === 0 || s.select === arbitrationRegister) return s.id << 24;
    // Version 0x11, the last entry is 23.
    return s.select === 1 ? ((ioApicInputs - 1) << 16) | 0x11 : 0;
  }

  #writeRegister(value: number): void {
    const s = this.state.now;
    const n = (s.select - firstEntry) >>> 1;
    if (s.select === 0) s.id = (value >>> 24) & 0x0f;
    else if (s.select >= firstEntry && n < ioApicInputs) {
      if ((s.select & 1) !== 0) s.high[n] = value & 0xff00_0000;
      else {
        const status = (s.low[n] as number) & remoteIrr;
        // Made an edge, it waits for no end of interrupt any more.
        s.low[n] = (value & writable) | ((value & levelTriggered) !== 0 ? status : 0);
      }
      this.#service(n);
    }
  }

  #setLine(n: number, level: boolean): void {
    const s = this.state.now;
    const was = ((s.lines >>> n) & 1) !== 0;
    if (level === was) return;
    s.lines ^= 1 << n;
    const entry = s.low[n] as number;
    if (level && (entry & (levelTriggered | masked)) === 0) this.#send(n);
    else this.#service(n);
  }

  /** Sends what a level-triggered input asks for, unless it is already on its way. An edge at a masked input is lost (section 3.2.4). */
  #service(n: number): void {
    const s = this.state.now;
    const entry = s.low[n] as number;
    if (((s.lines >>> n) & 1) === 0 || (entry & (levelTriggered | masked | remoteIrr)) !== levelTriggered) return;
    if (this.#send(n)) s.low[n] = entry | remoteIrr;
  }

  #send(n: number): boolean {
    const s = this.state.now;
    const entry = s.low[n] as number;
    const destination = (s.high[n] as number) >>> 24;
    const mode = (entry >>> 8) & 7;
    return this.#wires.deliver(destination, (entry & 0x800) !== 0, mode, entry & 0xff, (entry & levelTriggered) !== 0);
  }
}
