import type { InterruptSource, IrqLine } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";
import { byteWide } from "./byte-wide.ts";

export interface I8259Wires {
  /** INT of the master. */
  readonly intr: IrqLine;
  readonly trace: Channel;
}

const master = 0;
const slave = 1;
/** The master's input to which the slave's INT goes on a PC. */
const cascade = 2;

/** Which initialization command word a chip waits for; an idle one is `operating`. */
const operating = 0;
/** Nobody has initialized it since power-on: it interrupts nobody. */
const unprogrammed = 1;
const wantsIcw2 = 2;
const wantsIcw3 = 3;
const wantsIcw4 = 4;

/** IRQ 0, 1, 2, 8 and 13 are edge-triggered for good (82371SB data sheet, ELCR1 and ELCR2). */
const levelAllowed = [0xf8, 0xde] as const;

function initial() {
  return {
    /** Levels of the inputs, which a reset does not change. */
    lines: new Uint8Array(2),
    /** Edges seen and not yet acknowledged. */
    edges: new Uint8Array(2),
    isr: new Uint8Array(2),
    imr: new Uint8Array(2),
    elcr: new Uint8Array(2),
    expects: new Uint8Array([unprogrammed, unprogrammed]),
    vectorBase: new Uint8Array(2),
    single: new Uint8Array(2),
    wantsIcw4: new Uint8Array(2),
    autoEoi: new Uint8Array(2),
    rotateOnAutoEoi: new Uint8Array(2),
    specialFullyNested: new Uint8Array(2),
    specialMask: new Uint8Array(2),
    readsIsr: new Uint8Array(2),
    polled: new Uint8Array(2),
    /** The input of lowest priority: 7 after initialization. */
    lowest: new Uint8Array([7, 7]),
  };
}

/**
 * The two 8259A interrupt controllers of a PC (Intel 8259A data sheet, order number 231468), the slave at the
 * master's input 2, and the edge/level registers which PIIX puts beside them.
 *
 * `master` and `slave` are two bytes each (ports 0x20 and 0xa0), `edgeLevel` two (0x4d0). `input(n)` is IRQ n.
 * As PIIX has it, ELCR takes the place of LTIM in ICW1. The cascade is wired: ICW3 is only checked.
 *
 * An edge is kept only while its line stays high: a request which goes away before it is acknowledged leaves a
 * spurious IRQ 7 to a CPU that already answers. The slave's INT falls in the same moment, so IRQ 15 is never spurious.
 */
export class I8259Pair implements Device, InterruptSource {
  readonly name = "i8259";
  readonly state = new State("i8259", initial(), ["lines"]);
  readonly master: BusTarget;
  readonly slave: BusTarget;
  readonly edgeLevel: BusTarget;
  readonly #wires: I8259Wires;
  /** INT of the master, as it follows from the state. */
  #int = false;

  constructor(wires: I8259Wires) {
    this.#wires = wires;
    this.master = this.#ports(master);
    this.slave = this.#ports(slave);
    const elcr = this.state.now.elcr;
    this.edgeLevel = byteWide(
      2,
      (offset) => elcr[offset] as number,
      (offset, byte) => {
        elcr[offset] = byte & (levelAllowed[offset] as number);
        this.#update();
      },
    );
  }

  reset(): void {
    this.state.reset();
    this.#update();
  }

  restored(): void {
    this.#update();
  }

  /** @param irq 0 to 15, but for the cascade's 2. */
  input(irq: number): IrqLine {
    if (irq === cascade || !(irq >= 0 && irq < 16)) throw new RangeError(`IRQ ${irq} is not an input`);
    const chip = irq >>> 3;
    const level = irq & 7;
    return {
      set: (high) => {
        if (this.#drive(chip, level, high)) this.#update();
      },
    };
  }

  get pending(): boolean {
    return this.#int;
  }

  /** The two INTA cycles: the vector of the request, or of IRQ 7 where none is left. */
  acknowledge(): number {
    const s = this.state.now;
    let chip = master;
    let level = this.#accept(master);
    if (level === cascade && s.single[master] === 0) {
      chip = slave;
      level = this.#accept(slave);
    }
    this.#update();
    return (s.vectorBase[chip] as number) | level;
  }

  #ports(chip: number): BusTarget {
    return byteWide(
      2,
      (offset) => this.#read(chip, offset),
      (offset, byte) => {
        if (offset === 1) this.#writeOdd(chip, byte);
        else if ((byte & 0x10) !== 0) this.#writeIcw1(chip, byte);
        else if ((byte & 0x08) !== 0) this.#writeOcw3(chip, byte);
        else this.#writeOcw2(chip, byte);
        this.#update();
      },
    );
  }

  #read(chip: number, offset: number): number {
    const s = this.state.now;
    if (s.polled[chip] !== 0) {
      // The read after a poll command is the acknowledge (data sheet, "The Poll Command").
      s.polled[chip] = 0;
      const any = this.#highest(chip) >= 0;
      const level = any ? this.#accept(chip) : 0;
      this.#update();
      return any ? 0x80 | level : 0;
    }
    if (offset === 1) return s.imr[chip] as number;
    return s.readsIsr[chip] !== 0 ? (s.isr[chip] as number) : this.#requests(chip);
  }

  #writeIcw1(chip: number, byte: number): void {
    const s = this.state.now;
    s.edges[chip] = 0;
    s.isr[chip] = 0;
    s.imr[chip] = 0;
    s.lowest[chip] = 7;
    s.specialMask[chip] = 0;
    s.readsIsr[chip] = 0;
    s.polled[chip] = 0;
    s.rotateOnAutoEoi[chip] = 0;
    s.autoEoi[chip] = 0;
    s.specialFullyNested[chip] = 0;
    s.single[chip] = (byte >>> 1) & 1;
    s.wantsIcw4[chip] = byte & 1;
    s.expects[chip] = wantsIcw2;
  }

  /** A0 = 1: the rest of the initialization, then OCW1. */
  #writeOdd(chip: number, byte: number): void {
    const s = this.state.now;
    const afterIcw3 = s.wantsIcw4[chip] !== 0 ? wantsIcw4 : operating;
    switch (s.expects[chip]) {
      case wantsIcw2:
        s.vectorBase[chip] = byte & 0xf8;
        s.expects[chip] = s.single[chip] !== 0 ? afterIcw3 : wantsIcw3;
        break;
      case wantsIcw3:
        if (byte !== (chip === master ? 1 << cascade : cascade))
          this.#wires.trace.once(
            `icw3 ${chip} ${byte}`,
            `8259 ${chip}: ICW3 0x${byte.toString(16)} is not how it is wired`,
          );
        s.expects[chip] = afterIcw3;
        break;
      case wantsIcw4:
        if ((byte & 1) === 0)
          this.#wires.trace.once("mcs-80", "8259: MCS-80 mode is not implemented; it stays in 8086 mode");
        s.autoEoi[chip] = (byte >>> 1) & 1;
        s.specialFullyNested[chip] = (byte >>> 4) & 1;
        s.expects[chip] = operating;
        break;
      default:
        s.imr[chip] = byte;
    }
  }

  /** OCW2: end of interrupt and rotation (data sheet figure 8). */
  #writeOcw2(chip: number, byte: number): void {
    const s = this.state.now;
    const named = byte & 7;
    switch (byte >>> 5) {
      case 0b000:
        s.rotateOnAutoEoi[chip] = 0;
        break;
      case 0b100:
        s.rotateOnAutoEoi[chip] = 1;
        break;
      case 0b001:
        this.#endOfInterrupt(chip, this.#inService(chip));
        break;
      case 0b101: {
        const level = this.#inService(chip);
        this.#endOfInterrupt(chip, level);
        if (level >= 0) s.lowest[chip] = level;
        break;
      }
      case 0b011:
        this.#endOfInterrupt(chip, named);
        break;
      case 0b111:
        this.#endOfInterrupt(chip, named);
        s.lowest[chip] = named;
        break;
      case 0b110:
        s.lowest[chip] = named;
        break;
    }
  }

  #writeOcw3(chip: number, byte: number): void {
    const s = this.state.now;
    if ((byte & 0x40) !== 0) s.specialMask[chip] = (byte >>> 5) & 1;
    if ((byte & 0x04) !== 0) s.polled[chip] = 1;
    if ((byte & 0x02) !== 0) s.readsIsr[chip] = byte & 1;
  }

  #endOfInterrupt(chip: number, level: number): void {
    if (level >= 0) (this.state.now.isr[chip] as number) &= ~(1 << level);
  }

  /** True when the level changed. */
  #drive(chip: number, level: number, high: boolean): boolean {
    const s = this.state.now;
    const bit = 1 << level;
    if (((s.lines[chip] as number) & bit) === (high ? bit : 0)) return false;
    (s.lines[chip] as number) ^= bit;
    if (high) (s.edges[chip] as number) |= bit;
    else (s.edges[chip] as number) &= ~bit;
    return true;
  }

  /** IRR. */
  #requests(chip: number): number {
    const s = this.state.now;
    const elcr = s.elcr[chip] as number;
    return ((s.lines[chip] as number) & elcr) | ((s.edges[chip] as number) & ~elcr);
  }

  /** The input which INT is asserted for, or -1. */
  #highest(chip: number): number {
    const s = this.state.now;
    if (s.expects[chip] !== operating) return -1;
    const unmasked = ~(s.imr[chip] as number);
    const requests = this.#requests(chip) & unmasked;
    if (requests === 0) return -1;
    // In special mask mode what is masked does not hold back the others either.
    const isr = (s.isr[chip] as number) & (s.specialMask[chip] !== 0 ? unmasked : 0xff);
    const nested = chip === master && s.specialFullyNested[chip] !== 0;
    for (let i = 1; i <= 8; i++) {
      const level = ((s.lowest[chip] as number) + i) & 7;
      const requested = ((requests >>> level) & 1) !== 0;
      if (((isr >>> level) & 1) !== 0) {
        // The slave is not locked out by itself: it may have something more urgent than what is in service.
        return nested && level === cascade && requested ? level : -1;
      }
      if (requested) return level;
    }
    return -1;
  }

  /** The input in service of highest priority, or -1. In special mask mode those masked do not count. */
  #inService(chip: number): number {
    const s = this.state.now;
    const isr = (s.isr[chip] as number) & (s.specialMask[chip] !== 0 ? ~(s.imr[chip] as number) : 0xff);
    for (let i = 1; i <= 8; i++) {
      const level = ((s.lowest[chip] as number) + i) & 7;
      if (((isr >>> level) & 1) !== 0) return level;
    }
    return -1;
  }

  /** INTA for one chip: the request goes to in-service. 7 when there is none. */
  #accept(chip: number): number {
    const s = this.state.now;
    const level = this.#highest(chip);
    if (level < 0) return 7;
    (s.edges[chip] as number) &= ~(1 << level);
    if (s.autoEoi[chip] === 0) (s.isr[chip] as number) |= 1 << level;
    else if (s.rotateOnAutoEoi[chip] !== 0) s.lowest[chip] = level;
    return level;
  }

  #update(): void {
    this.#drive(master, cascade, this.#highest(slave) >= 0);
    this.#int = this.#highest(master) >= 0;
    this.#wires.intr.set(this.#int);
  }
}
