import type { IrqLine } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Alarm, Clock } from "../time/clock.ts";
import type { Channel } from "../trace/trace.ts";
import { byteWide } from "./byte-wide.ts";

export interface Uart16550Wires {
  readonly name: string;
  readonly clock: Clock;
  /** INTR of the chip. A PC gates it with OUT2: `out2` is there for a board that does. */
  readonly irq: IrqLine;
  readonly out2?: IrqLine;
  /** A byte leaves the transmitter. */
  readonly transmit: (byte: number) => void;
  readonly trace: Channel;
  /** Of the crystal, in hertz: 1843200 on a PC (the default), the platform clock on ppce500. */
  readonly frequency?: number;
}

const fifoDepth = 16;
/** Receiver trigger levels by FCR bits 7-6. */
const triggers = [1, 4, 8, 14] as const;

/** Bits of the interrupt enable register. */
const enableReceived = 1;
const enableTransmitterEmpty = 2;
const enableLineStatus = 4;
const enableModemStatus = 8;

/** What IIR says in bits 3-0, the highest priority first (PC16550D data sheet table IV). */
const causeLineStatus = 0x06;
const causeReceived = 0x04;
const causeTimeout = 0x0c;
const causeTransmitterEmpty = 0x02;
const causeModemStatus = 0x00;
const causeNone = 0x01;

const lcrDivisorLatch = 0x80;
const lcrBreak = 0x40;
const mcrOut2 = 0x08;
const mcrLoop = 0x10;
const lsrDataReady = 0x01;
const lsrOverrun = 0x02;
/** Holding and shift register are empty: always, since a byte leaves as it is written. */
const lsrTransmitterEmpty = 0x60;
/** Data set ready, clear to send and carrier detect: the far end is always there. */
const farEndReady = 0xb0;

function initial() {
  return {
    fifo: new Uint8Array(fifoDepth),
    head: 0,
    count: 0,
    ier: 0,
    fcr: 0,
    lcr: 0,
    mcr: 0,
    scratch: 0,
    divisor: 0,
    overrun: false,
    /** The holding register became empty and nobody has seen it. */
    transmitterEmpty: false,
    /** MSR bits 7-4 and the changes in bits 3-0. */
    modem: farEndReady,
    /** When the FIFO was last filled or read, for the character time-out. */
    touched: 0,
    timedOut: false,
  };
}

/**
 * The serial port of a PC: a 16550A with its FIFOs (National PC16550D data sheet).
 *
 * `registers` is 8 bytes. A byte written leaves at once through `transmit`; what the transmitter would take for it is
 * not modelled, but the interrupts behave. Input comes by `receive`, as fast as there is `room`: no byte of the far end is
 * lost, so that an overrun is only seen in loop-back. The data bits set in LCR do not cut bytes short.
 */
export class Uart16550 implements Device {
  readonly name: string;
  readonly state: State<ReturnType<typeof initial>>;
  readonly registers: BusTarget;
  readonly #wires: Uart16550Wires;
  readonly #timeout: Alarm;

  constructor(wires: Uart16550Wires) {
    this.name = wires.name;
    this.#wires = wires;
    this.state = new State(wires.name, initial());
    this.registers = byteWide(
      8,
      (offset) => this.#read(offset),
      (offset, byte) => this.#write(offset, byte),
    );
    this.#timeout = wires.clock.alarm(`${wires.name} character time-out`, () => {
      this.state.now.timedOut = this.state.now.count > 0;
      this.#update();
    });
  }

  reset(): void {
    this.state.reset();
    this.restored();
  }

  restored(): void {
    this.#armTimeout();
    this.#wires.out2?.set(this.#out2);
    this.#update();
  }

  /** Bytes the receiver can take now. None in loop-back, where it is cut off from its pin. */
  get room(): number {
    const s = this.state.now;
    if ((s.mcr & mcrLoop) !== 0) return 0;
    return (this.#fifos ? fifoDepth : 1) - s.count;
  }

  /** Whether the guest has asked for an interrupt when bytes arrive. */
  get listening(): boolean {
    return (this.state.now.ier & enableReceived) !== 0;
  }

  /** A byte arrives. False when there is no room: the sender keeps it. */
  receive(byte: number): boolean {
    if (this.room <= 0) return false;
    this.#push(byte);
    this.#update();
    // A driver written where nobody gates it would wait for its first key for ever, and nothing would say why.
    if (this.listening && this.#wires.out2 !== undefined && !this.#out2)
      this.#wires.trace.once(
        `${this.name} out2`,
        `${this.name}: a byte came in, but on a PC its interrupt goes nowhere while OUT2 (bit 3 of MCR) is 0`,
      );
    return true;
  }

  #read(offset: number): number {
    const s = this.state.now;
    const latch = (s.lcr & lcrDivisorLatch) !== 0;
    switch (offset) {
      case 0:
        return latch ? s.divisor & 0xff : this.#pop();
      case 1:
        return latch ? s.divisor >>> 8 : s.ier;
      case 2: {
        const cause = this.#cause();
        // Only reading the cause itself takes back the transmitter's interrupt (data sheet section 8.6).
        if (cause === causeTransmitterEmpty) {
          s.transmitterEmpty = false;
          this.#update();
        }
        return cause | (this.#fifos ? 0xc0 : 0);
      }
      case 3:
        return s.lcr;
      case 4:
        return s.mcr;
      case 5: {
        const status = lsrTransmitterEmpty | (s.count > 0 ? lsrDataReady : 0) | (s.overrun ? lsrOverrun : 0);
        s.overrun = false;
        this.#update();
        return status;
      }
      case 6: {
        const status = s.modem;
        s.modem &= 0xf0;
        this.#update();
        return status;
      }
      default:
        return s.scratch;
    }
  }

  #write(offset: number, byte: number): void {
    const s = this.state.now;
    const latch = (s.lcr & lcrDivisorLatch) !== 0;
    switch (offset) {
      case 0:
        if (latch) s.divisor = (s.divisor & 0xff00) | byte;
        else this.#transmit(byte);
        break;
      case 1:
        if (latch) {
          s.divisor = (s.divisor & 0xff) | (byte << 8);
          break;
        }
        // Enabling it while the holding register is empty asks for an interrupt at once.
        if ((byte & ~s.ier & enableTransmitterEmpty) !== 0) s.transmitterEmpty = true;
        s.ier = byte & 0x0f;
        break;
      case 2:
        this.#writeFifoControl(byte);
        break;
      case 3:
        s.lcr = byte;
        // Drivers look for other chips' registers with all of these bits set, for less than a character's time.
        if ((byte & (lcrBreak | lcrDivisorLatch)) === lcrBreak)
          this.#wires.trace.once(`${this.name} break`, `${this.name}: a break is not sent`);
        break;
      case 4:
        s.mcr = byte & 0x1f;
        this.#wires.out2?.set(this.#out2);
        this.#updateModem();
        break;
      case 7:
        s.scratch = byte;
        break;
      // LSR and MSR are for reading; writing them is for factory tests (data sheet section 8.4).
    }
    this.#update();
  }

  #writeFifoControl(byte: number): void {
    const s = this.state.now;
    if (((byte ^ s.fcr) & 1) !== 0 || ((byte & 1) !== 0 && (byte & 2) !== 0)) this.#clearReceiver();
    // The other bits count only while bit 0 is written as 1 (data sheet section 8.5).
    s.fcr = (byte & 1) !== 0 ? byte & 0xc9 : 0;
  }

  #transmit(byte: number): void {
    const s = this.state.now;
    s.transmitterEmpty = false;
    this.#update();
    if ((s.mcr & mcrLoop) === 0) {
      this.#wires.transmit(byte);
    } else if (s.count < (this.#fifos ? fifoDepth : 1)) {
      this.#push(byte);
    } else {
      // With FIFOs the new byte is lost; without, it replaces the old one (data sheet section 8.4, bit 1).
      s.overrun = true;
      if (!this.#fifos) s.fifo[s.head] = byte;
    }
    s.transmitterEmpty = true;
  }

  get #fifos(): boolean {
    return (this.state.now.fcr & 1) !== 0;
  }

  /** The pin, which loop-back forces inactive. */
  get #out2(): boolean {
    return (this.state.now.mcr & (mcrOut2 | mcrLoop)) === mcrOut2;
  }

  #push(byte: number): void {
    const s = this.state.now;
    s.fifo[(s.head + s.count) % fifoDepth] = byte;
    s.count++;
    this.#touch();
  }

  #pop(): number {
    const s = this.state.now;
    if (s.count === 0) return 0;
    const byte = s.fifo[s.head] as number;
    s.head = (s.head + 1) % fifoDepth;
    s.count--;
    this.#touch();
    this.#update();
    return byte;
  }

  #clearReceiver(): void {
    const s = this.state.now;
    s.head = 0;
    s.count = 0;
    s.timedOut = false;
    this.#timeout.cancel();
  }

  #touch(): void {
    const s = this.state.now;
    s.touched = this.#wires.clock.now;
    s.timedOut = false;
    this.#armTimeout();
  }

  /** Four characters of silence with bytes in the FIFO are worth an interrupt (data sheet section 8.5, FIFO interrupt mode). */
  #armTimeout(): void {
    const s = this.state.now;
    if (!this.#fifos || s.count === 0 || s.timedOut) {
      this.#timeout.cancel();
      return;
    }
    const bits = 1 + 5 + (s.lcr & 3) + ((s.lcr & 8) !== 0 ? 1 : 0) + ((s.lcr & 4) !== 0 ? 2 : 1);
    const bit = ((s.divisor || 65536) * 16 * 1e9) / (this.#wires.frequency ?? 1843200);
    this.#timeout.set(Math.ceil(s.touched + 4 * bits * bit));
  }

  /** In loop-back the modem inputs are the modem control bits (data sheet section 8.7); else the far end's. */
  #updateModem(): void {
    const s = this.state.now;
    const loop = (s.mcr & mcrLoop) !== 0;
    const dtr = s.mcr & 1;
    const rts = (s.mcr >>> 1) & 1;
    const lines = loop ? (rts << 4) | (dtr << 5) | ((s.mcr & 0x0c) << 4) : farEndReady;
    const changed = (lines ^ s.modem) & 0xf0;
    // Ring indicator counts at its trailing edge only.
    const ringing = (changed & 0x40) !== 0 && (lines & 0x40) !== 0 ? 0x40 : 0;
    s.modem = lines | (s.modem & 0x0f) | ((changed & ~ringing) >>> 4);
  }

  #cause(): number {
    const s = this.state.now;
    if ((s.ier & enableLineStatus) !== 0 && s.overrun) return causeLineStatus;
    if ((s.ier & enableReceived) !== 0) {
      const trigger = this.#fifos ? (triggers[s.fcr >>> 6] as number) : 1;
      if (s.count >= trigger) return causeReceived;
      if (s.timedOut) return causeTimeout;
    }
    if ((s.ier & enableTransmitterEmpty) !== 0 && s.transmitterEmpty) return causeTransmitterEmpty;
    if ((s.ier & enableModemStatus) !== 0 && (s.modem & 0x0f) !== 0) return causeModemStatus;
    return causeNone;
  }

  #update(): void {
    this.#wires.irq.set(this.#cause() !== causeNone);
  }
}
