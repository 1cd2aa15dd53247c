import type { IrqLine } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Alarm, Clock } from "../time/clock.ts";
import type { Channel } from "../trace/trace.ts";
import { byteWide } from "./byte-wide.ts";
import { Ticks } from "./ticks.ts";

export interface AcpiPmWires {
  readonly clock: Clock;
  /** The system control interrupt. */
  readonly sci: IrqLine;
  /** The guest went to sleep for good: SLP_TYP of S5 with SLP_EN. */
  readonly powerOff: () => void;
  readonly trace: Channel;
  /** SLP_TYP of S5, as the tables of the board have it. 0 by default, PIIX4's soft off. */
  readonly s5?: number;
  /** What the SMI command port takes for giving the machine to ACPI and back, as the FADT has it. 0xf1 and 0xf0 by default. */
  readonly acpiEnable?: number;
  readonly acpiDisable?: number;
}

/** Offsets of the block (82371AB data sheet section 7.2). */
const pm1Status = 0x00;
const pm1Enable = 0x02;
const pm1Control = 0x04;
const timer = 0x08;
const gpe0Status = 0x0c;
const gpe0Enable = 0x0e;

/** Bits of PM1 status and enable (ACPI 6.4 section 4.8.4.1). */
const timerOverflow = 0x0001;
const globalLock = 0x0020;
const powerButton = 0x0100;
const realTimeClock = 0x0400;
const resumed = 0x8000;
const pm1Events = timerOverflow | globalLock | powerButton | realTimeClock;

/** Bits of PM1 control. SLP_TYP is bits 12-10; SLP_EN and GBL_RLS read as 0. */
const sciEnable = 0x0001;
const controlKept = 0x1c03;
const sleepEnable = 0x2000;

/** Half the range of the 24-bit timer: at each the top bit changes. */
const halfRange = 2 ** 23;

/**
 * The power management registers of a PIIX4 (82371AB data sheet, ACPI 6.4 section 4.8): 64 ports.
 *
 * `registers` is mapped where the PCI function's PMBASE says, `smiCommand` is two bytes (ports 0xb2 and 0xb3).
 * The timer is 24 bits wide at 3.579545 MHz and counts from the start of the machine. There is no system management mode: the
 * two ACPI commands are done by the chip itself, as firmware's SMI handler would. Nothing is wired to
 * the general purpose events; of sleep there is S5 only.
 */
export class AcpiPm implements Device {
  readonly name = "acpi-pm";
  readonly state = new State("acpi-pm", {
    status: 0,
    enable: 0,
    control: 0,
    gpeEnable: 0,
    /** How often the timer's top bit had changed when status was last brought up to date. */
    overflows: 0,
    smi: new Uint8Array(2),
  });
  readonly registers: BusTarget;
  readonly smiCommand: BusTarget;
  readonly #wires: AcpiPmWires;
  readonly #ticks = new Ticks(3579545);
  readonly #alarm: Alarm;
  /** The timer as the access in hand shows it. */
  #shown = 0;

  constructor(wires: AcpiPmWires) {
    this.#wires = wires;
    const s = this.state.now;
    this.#alarm = wires.clock.alarm("acpi pm timer", () => this.#update());
    const bytes = byteWide(
      64,
      (offset) => this.#read(offset),
      (offset, byte) => this.#write(offset, byte),
    );
    this.registers = {
      ...bytes,
      read: (offset, width) => {
        // The host's clock goes on from byte to byte: a guest that sees a carry halfway takes the timer for a broken one.
        this.#shown = this.#now % (2 * halfRange);
        return bytes.read(offset, width);
      },
    };
    this.smiCommand = byteWide(
      2,
      (offset) => s.smi[offset] as number,
      (offset, byte) => {
        s.smi[offset] = byte;
        if (offset === 0) this.#command(byte);
      },
    );
  }

  reset(): void {
    this.state.reset();
    this.state.now.overflows = this.#overflows;
    this.#update();
  }

  restored(): void {
    this.#drive();
  }

  /** Somebody pushes the power button: the guest is asked to turn itself off. */
  pressPowerButton(): void {
    this.state.now.status |= powerButton;
    this.#update();
  }

  #read(offset: number): number {
    const s = this.state.now;
    const high = 8 * (offset & 1);
    switch (offset & ~1) {
      case pm1Status:
        this.#settle();
        return (s.status >>> high) & 0xff;
      case pm1Enable:
        return (s.enable >>> high) & 0xff;
      case pm1Control:
        return (s.control >>> high) & 0xff;
      case timer:
      case timer + 2:
        return (this.#shown >>> (8 * (offset - timer))) & 0xff;
      case gpe0Enable:
        return (s.gpeEnable >>> high) & 0xff;
      case gpe0Status:
        return 0;
      default:
        this.#missing("read", offset);
        return 0;
    }
  }

  #write(offset: number, byte: number): void {
    const s = this.state.now;
    const high = 8 * (offset & 1);
    const others = 0xff00 >>> high;
    switch (offset & ~1) {
      case pm1Status:
        this.#settle();
        s.status &= ~(byte << high);
        break;
      case pm1Enable:
        s.enable = ((s.enable & others) | (byte << high)) & pm1Events;
        break;
      case pm1Control:
        s.control = ((s.control & others) | (byte << high)) & controlKept;
        if (((byte << high) & sleepEnable) !== 0) this.#sleep((s.control >>> 10) & 7);
        break;
      case gpe0Enable:
        s.gpeEnable = (s.gpeEnable & others) | (byte << high);
        break;
      case gpe0Status:
      case timer:
      case timer + 2:
        break;
      default:
        this.#missing("write", offset);
    }
    this.#update();
  }

  #sleep(type: number): void {
    if (type === (this.#wires.s5 ?? 0)) this.#wires.powerOff();
    else {
      this.#wires.trace.once(`sleep ${type}`, `acpi-pm: sleep type ${type} is not implemented; it wakes at once`);
      this.state.now.status |= resumed;
    }
  }

  #command(byte: number): void {
    const s = this.state.now;
    if (byte === (this.#wires.acpiEnable ?? 0xf1)) s.control |= sciEnable;
    else if (byte === (this.#wires.acpiDisable ?? 0xf0)) s.control &= ~sciEnable;
    else this.#wires.trace.once(`smi ${byte}`, `acpi-pm: SMI command 0x${byte.toString(16)} is not implemented`);
    this.#update();
  }

  get #now(): number {
    return this.#ticks.at(this.#wires.clock.now);
  }

  get #overflows(): number {
    return Math.floor(this.#now / halfRange);
  }

  #settle(): void {
    const s = this.state.now;
    const overflows = this.#overflows;
    if (overflows !== s.overflows) s.status |= timerOverflow;
    s.overflows = overflows;
  }

  #update(): void {
    this.#settle();
    this.#drive();
  }

  /** SCI is a level: an enabled event which nobody has cleared. */
  #drive(): void {
    const s = this.state.now;
    const acpi = (s.control & sciEnable) !== 0;
    this.#wires.sci.set(acpi && (s.status & s.enable & pm1Events) !== 0);
    if (acpi && (s.enable & ~s.status & timerOverflow) !== 0) {
      this.#alarm.set(this.#ticks.time((s.overflows + 1) * halfRange));
    } else this.#alarm.cancel();
  }

  #missing(what: string, offset: number): void {
    const where = `register 0x${offset.toString(16)}`;
    this.#wires.trace.once(`${what} ${offset}`, `acpi-pm: ${what} of ${where}, which is not implemented`);
  }
}
