import type { IrqLine } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Channel } from "../trace/trace.ts";
import { byteWide } from "./byte-wide.ts";

export interface I8042Wires {
  /** IRQ 1: a byte is in the output buffer. */
  readonly irq: IrqLine;
  /** The CPU's reset line is pulsed. */
  readonly reset: () => void;
  readonly trace: Channel;
}

const statusOutputFull = 0x01;
const statusSystem = 0x04;
/** The last write went to the command port. */
const statusCommand = 0x08;
const statusUnlocked = 0x10;
const statusTimeout = 0x40;

const commandInterrupt = 0x01;
const commandSystem = 0x04;
const commandDisabled = 0x10;

/** Reset off, A20 on, keyboard lines high. */
const outputPort = 0xcf;

/** What the keyboard's silence looks like. */
const resend = 0xfe;

function initial() {
  return {
    /** The controller's own RAM; byte 0 is the command byte. */
    ram: new Uint8Array(32),
    output: 0,
    full: false,
    timeout: false,
    lastWasCommand: false,
    /** The command whose byte is awaited at the data port, or 0. */
    command: 0,
  };
}

/**
 * The keyboard controller of a PC, an 8042 with nothing plugged in (IBM PC AT technical reference, "Keyboard Controller").
 *
 * `data` is port 0x60, `control` port 0x64, one byte each. It tests itself, keeps its command byte and resets the CPU.
 * A byte for the keyboard times out: 0xfe in the output buffer with the time-out bit. There is no auxiliary port.
 * A20 is always on: the gate is reported, and closing it is not possible.
 */
export class I8042 implements Device {
  readonly name = "i8042";
  readonly state = new State("i8042", initial());
  readonly data: BusTarget;
  readonly control: BusTarget;
  readonly #wires: I8042Wires;

  constructor(wires: I8042Wires) {
    this.#wires = wires;
    this.data = byteWide(
      1,
      () => this.#readData(),
      (_, byte) => this.#writeData(byte),
    );
    this.control = byteWide(
      1,
      () => this.#status,
      (_, byte) => this.#writeCommand(byte),
    );
  }

  reset(): void {
    this.state.reset();
    this.#update();
  }

  restored(): void {
    this.#update();
  }

  get #status(): number {
    const s = this.state.now;
    return (
      (s.full ? statusOutputFull : 0) |
      (((s.ram[0] as number) & commandSystem) !== 0 ? statusSystem : 0) |
      (s.lastWasCommand ? statusCommand : 0) |
      statusUnlocked |
      (s.timeout ? statusTimeout : 0)
    );
  }

  #readData(): number {
    const s = this.state.now;
    s.full = false;
    s.timeout = false;
    this.#update();
    return s.output;
  }

  #writeData(byte: number): void {
    const s = this.state.now;
    const command = s.command;
    s.command = 0;
    s.lastWasCommand = false;
    if (command >= 0x60 && command < 0x80) s.ram[command & 0x1f] = byte;
    else if (command === 0xd1) this.#writeOutputPort(byte);
    else if (command === 0xd2 || command === 0xd3) this.#answer(byte);
    else {
      // Meant for the keyboard, which sending enables, or for a mouse: nobody answers.
      if (command === 0) (s.ram[0] as number) &= ~commandDisabled;
      this.#answer(resend);
      s.timeout = true;
    }
    this.#update();
  }

  #writeCommand(byte: number): void {
    const s = this.state.now;
    s.lastWasCommand = true;
    s.command = 0;
    if (byte >= 0x20 && byte < 0x40) this.#answer(s.ram[byte & 0x1f] as number);
    else if ((byte >= 0x60 && byte < 0x80) || (byte >= 0xd1 && byte <= 0xd4)) s.command = byte;
    else if (byte >= 0xf0) {
      // Pulses the output lines whose bit is 0; line 0 is reset.
      if ((byte & 1) === 0) this.#wires.reset();
    } else this.#execute(byte);
    this.#update();
  }

  #execute(byte: number): void {
    const s = this.state.now;
    switch (byte) {
      case 0xa7: // Disable and enable the auxiliary port which is not there.
      case 0xa8:
        break;
      case 0xa9: // Test it: its clock line is stuck high.
        this.#answer(0x02);
        break;
      case 0xaa:
        (s.ram[0] as number) |= commandSystem;
        this.#answer(0x55);
        break;
      case 0xab: // The keyboard's lines are as they should be.
        this.#answer(0x00);
        break;
      case 0xad:
        (s.ram[0] as number) |= commandDisabled;
        break;
      case 0xae:
        (s.ram[0] as number) &= ~commandDisabled;
        break;
      case 0xc0: // Input port: keyboard not locked.
        this.#answer(0x80);
        break;
      case 0xd0:
        this.#answer(outputPort | (s.full ? 0x10 : 0));
        break;
      case 0xdd: // A20 off and on, as some chip sets have it.
      case 0xdf:
        this.#noteA20(byte === 0xdf);
        break;
      case 0xe0: // Test inputs: clock and data low.
        this.#answer(0x00);
        break;
      default:
        this.#wires.trace.once(`i8042 ${byte}`, `i8042: command 0x${byte.toString(16)} is not implemented`);
    }
  }

  #writeOutputPort(byte: number): void {
    this.#noteA20((byte & 2) !== 0);
    if ((byte & 1) === 0) this.#wires.reset();
  }

  #noteA20(on: boolean): void {
    if (!on) this.#wires.trace.once("a20", "i8042: the A20 gate cannot be closed");
  }

  #answer(byte: number): void {
    const s = this.state.now;
    s.output = byte;
    s.full = true;
    s.timeout = false;
  }

  #update(): void {
    const s = this.state.now;
    this.#wires.irq.set(s.full && ((s.ram[0] as number) & commandInterrupt) !== 0);
  }
}
