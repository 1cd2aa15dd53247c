import type { IrqLine } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";
import { bigEndianWords } from "./big-endian-words.ts";

export interface GpioWires {
  readonly irq: IrqLine;
  /** A pin which the chip drives changed its level. On ppce500 a pin going high turns the machine off. */
  readonly output: (pin: number, level: boolean) => void;
  readonly trace: Channel;
}

/** Direction, open drain, data, interrupt events, their mask and their edge (P4080 reference manual chapter 22). */
const direction = 0x00;
const openDrain = 0x04;
const data = 0x08;
const event = 0x0c;
const mask = 0x10;
const edge = 0x14;
/** Input buffers, which later blocks of this kind turn on here. Ours are on; drivers write it whichever block they have. */
const inputBuffers = 0x18;

/**
 * The general purpose pins of ppce500, a Freescale mpc8xxx (qoriq) block. `registers` is 4 KiB, big-endian; pin 0 is
 * the most significant bit. `input(n)` is a pin from outside. A pin in open drain drives no high level.
 */
export class GpioMpc8xxx implements Device {
  readonly name = "gpio";
  readonly state = new State(
    "gpio",
    {
      direction: 0,
      openDrain: 0,
      /** What is to be driven. */
      data: 0,
      /** What comes from outside. */
      lines: 0,
      event: 0,
      mask: 0,
      edge: 0,
      /** Levels of driven pins when `output` was last told. */
      driven: 0,
    },
    ["lines"],
  );
  readonly registers: BusTarget;
  readonly #wires: GpioWires;

  constructor(wires: GpioWires) {
    this.#wires = wires;
    this.registers = bigEndianWords(
      "gpio",
      wires.trace,
      (offset) => this.#read(offset),
      (offset, value) => this.#write(offset, value),
    );
  }

  reset(): void {
    this.state.reset();
    this.#update();
  }

  restored(): void {
    this.#update();
  }

  /** @param pin 0 to 31. */
  input(pin: number): IrqLine {
    if (!(pin >= 0 && pin < 32)) throw new RangeError(`GPIO pin ${pin} is not there`);
    const bit = (0x8000_0000 >>> pin) >>> 0;
    return {
      set: (level) => {
        const s = this.state.now;
        if (((s.lines & bit) !== 0) === level) return;
        s.lines = (s.lines ^ bit) >>> 0;
        // A pin interrupts at both edges, or at the falling one where GPICR says so.
        if ((s.direction & bit) === 0 && (!level || (s.edge & bit) === 0)) s.event = (s.event | bit) >>> 0;
        this.#update();
      },
    };
  }

  #read(offset: number): number {
    const s = this.state.now;
    switch (offset) {
      case direction:
        return s.direction;
      case openDrain:
        return s.openDrain;
      case data:
        return ((s.data & s.direction) | (s.lines & ~s.direction)) >>> 0;
      case event:
        return s.event;
      case mask:
        return s.mask;
      case edge:
        return s.edge;
      case inputBuffers:
        return 0;
      default:
        return this.#missing("read", offset);
    }
  }

  #write(offset: number, value: number): void {
    const s = this.state.now;
    switch (offset) {
      case direction:
        s.direction = value;
        break;
      case openDrain:
        s.openDrain = value;
        break;
      case data:
        s.data = value;
        break;
      case event:
        // Cleared by writing 1.
        s.event = (s.event & ~value) >>> 0;
        break;
      case mask:
        s.mask = value;
        break;
      case edge:
        s.edge = value;
        break;
      case inputBuffers:
        break;
      default:
        this.#missing("write", offset);
    }
    this.#update();
  }

  #update(): void {
    const s = this.state.now;
    this.#wires.irq.set((s.event & s.mask) !== 0);
    const driven = (s.data & s.direction & ~s.openDrain) >>> 0;
    const changed = (driven ^ s.driven) >>> 0;
    s.driven = driven;
    for (let pin = 0; changed !== 0 && pin < 32; pin++) {
      const bit = (0x8000_0000 >>> pin) >>> 0;
      if ((changed & bit) !== 0) this.#wires.output(pin, (driven & bit) !== 0);
    }
  }

  #missing(what: string, offset: number): number {
    this.#wires.trace.once(
      `${what} ${offset}`,
      `gpio: ${what} of register 0x${offset.toString(16)}, which is not implemented`,
    );
    return 0;
  }
}
