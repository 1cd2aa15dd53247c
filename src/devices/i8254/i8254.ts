import type { IrqLine } from "../../bus/line.ts";
import { type Device, State } from "../../bus/state.ts";
import type { BusTarget } from "../../bus/target.ts";
import type { Alarm, Clock } from "../../time/clock.ts";
import type { Channel } from "../../trace/trace.ts";
import { byteWide } from "../byte-wide.ts";
import { Ticks } from "../ticks.ts";
import { countAt, cycleEnd, highHalf, outAt } from "./modes.ts";

export interface I8254Wires {
  readonly clock: Clock;
  /** OUT of counter 0: IRQ 0. */
  readonly irq: IrqLine;
  readonly trace: Channel;
}

/** CLK of all three counters, in hertz. */
export const i8254Frequency = 1193182;

/**
 * Counter 0 raises its line at most once in so many ticks (13.4 us) in the periodic modes: a guest that programs 1 would
 * otherwise get an interrupt every few instructions and hold the host with nothing else. Counts read back stay exact.
 */
export const shortestPeriod = 16;

/** What a counter does. */
const idle = 0;
/** Has a count and waits for a trigger on GATE. */
const armed = 1;
const counting = 2;

/** No change of count waits for the end of a cycle. */
const never = -1;

function initial() {
  return {
    mode: new Uint8Array(3),
    /** RW1-0 of the control word: 1 low byte, 2 high byte, 3 low then high. */
    access: new Uint8Array([3, 3, 3]),
    bcd: new Uint8Array(3),
    gate: new Uint8Array([1, 1, 0]),
    phase: new Uint8Array(3),
    /** The count register, as a binary count of 1 to 65536. */
    reload: new Uint32Array([65536, 65536, 65536]),
    /** The count that was loaded last. */
    count: new Uint32Array([65536, 65536, 65536]),
    /** The tick of the load; while GATE stops the counter, how many it has counted is in `held` instead. */
    start: new Float64Array(3),
    held: new Float64Array([never, never, never]),
    /** The tick at which `reload` takes the place of `count`. */
    changeAt: new Float64Array([never, never, never]),
    lowByte: new Uint8Array(3),
    writesHigh: new Uint8Array(3),
    readsHigh: new Uint8Array(3),
    latched: new Uint8Array(3),
    latch: new Uint16Array(3),
    statusLatched: new Uint8Array(3),
    status: new Uint8Array(3),
    /** Port 0x61 bits 3-0. */
    control: 0,
  };
}

/**
 * The interval timer of a PC: an Intel 8254 at 1.193182 MHz.
 *
 * `registers` is 4 bytes (port 0x40), `systemControlPort` one (port 0x61): GATE and OUT of counter 2, the refresh toggle
 * and the NMI enables, with no parity or channel-check error ever. OUT of counter 0 goes to `irq`; counter 1 leads
 * nowhere, and the refresh toggle beats every 18 ticks whatever it holds. Where OUT is low for one pulse (modes 2, 4, 5), the line
 * falls and rises in the same moment.
 */
export class I8254 implements Device {
  readonly name = "i8254";
  readonly state = new State("i8254", initial());
  readonly registers: BusTarget;
  readonly systemControlPort: BusTarget;
  readonly #wires: I8254Wires;
  readonly #ticks = new Ticks(i8254Frequency);
  readonly #alarm: Alarm;

  constructor(wires: I8254Wires) {
    this.#wires = wires;
    this.#alarm = wires.clock.alarm("i8254 counter 0", () => this.#ring());
    this.registers = byteWide(
      4,
      (offset) => (offset < 3 ? this.#readCounter(offset) : 0xff),
      (offset, byte) => {
        if (offset < 3) this.#writeCounter(offset, byte);
        else this.#writeControlWord(byte);
        if (offset === 0 || offset === 3) this.#arm();
      },
    );
    this.systemControlPort = byteWide(
      1,
      () => this.#readControlPort(),
      (_, byte) => {
        this.state.now.control = byte & 0x0f;
        this.#setGate(2, byte & 1);
        if ((byte & 3) === 3) wires.trace.once("speaker", "i8254: the speaker is not implemented");
      },
    );
  }

  reset(): void {
    this.state.reset();
    this.#arm();
  }

  restored(): void {
    this.#arm();
  }

  #readControlPort(): number {
    const s = this.state.now;
    this.#settle(2);
    const refresh = Math.floor(this.#now / 18) & 1;
    return s.control | (refresh << 4) | (this.#out(2) ? 0x20 : 0);
  }

  get #now(): number {
    return this.#ticks.at(this.#wires.clock.now);
  }

  #elapsed(i: number): number {
    const s = this.state.now;
    return s.held[i] === never ? this.#now - (s.start[i] as number) : (s.held[i] as number);
  }

  #out(i: number): boolean {
    const s = this.state.now;
    const mode = s.mode[i] as number;
    if (s.phase[i] !== counting) return mode !== 0;
    // GATE low forces OUT high at once in modes 2 and 3.
    if (s.gate[i] === 0 && (mode === 2 || mode === 3)) return true;
    return outAt(mode, s.count[i] as number, this.#elapsed(i));
  }

  #countNow(i: number): number {
    const s = this.state.now;
    if (s.phase[i] === idle) return 0;
    const bcd = s.bcd[i] !== 0;
    const count = countAt(s.mode[i] as number, s.count[i] as number, this.#elapsed(i), bcd ? 10000 : 65536);
    return bcd ? toBcd(count) : count;
  }

  /** Lets a new count take its place where the cycle it waited for is over. */
  #settle(i: number): void {
    const s = this.state.now;
    const at = s.changeAt[i] as number;
    if (at === never || s.held[i] !== never || this.#now < at) return;
    const old = s.count[i] as number;
    const next = s.reload[i] as number;
    // After the high half of mode 3 the low one follows, with the new count.
    const lowHalf = s.mode[i] === 3 && (at - (s.start[i] as number)) % old !== 0;
    s.start[i] = lowHalf ? at - highHalf(next) : at;
    s.count[i] = next;
    s.changeAt[i] = never;
  }

  /** Loads the count register at the next CLK pulse. */
  #load(i: number): void {
    const s = this.state.now;
    s.count[i] = s.reload[i] as number;
    s.start[i] = this.#now + 1;
    s.held[i] = s.gate[i] === 0 && s.mode[i] !== 1 && s.mode[i] !== 5 ? 0 : never;
    s.changeAt[i] = never;
    s.phase[i] = counting;
  }

  #readCounter(i: number): number {
    const s = this.state.now;
    if (s.statusLatched[i] !== 0) {
      s.statusLatched[i] = 0;
      return s.status[i] as number;
    }
    this.#settle(i);
    const value = s.latched[i] !== 0 ? (s.latch[i] as number) : this.#countNow(i);
    const access = s.access[i] as number;
    const high = access === 2 || (access === 3 && s.readsHigh[i] !== 0);
    if (access === 3) (s.readsHigh[i] as number) ^= 1;
    if (access !== 3 || high) s.latched[i] = 0;
    return high ? value >>> 8 : value & 0xff;
  }

  #writeCounter(i: number, byte: number): void {
    const s = this.state.now;
    const access = s.access[i] as number;
    if (access === 3 && s.writesHigh[i] === 0) {
      s.lowByte[i] = byte;
      s.writesHigh[i] = 1;
      // In mode 0 the first of two bytes stops the counter and takes OUT low.
      if (s.mode[i] === 0) s.phase[i] = idle;
      return;
    }
    s.writesHigh[i] = 0;
    const value = access === 1 ? byte : (byte << 8) | (access === 3 ? (s.lowByte[i] as number) : 0);
    this.#settle(i);
    s.reload[i] = s.bcd[i] !== 0 ? fromBcd(value) : value || 65536;
    const mode = s.mode[i] as number;
    if (mode === 0 || mode === 4) this.#load(i);
    else if (s.phase[i] !== counting) {
      if (mode === 1 || mode === 5) s.phase[i] = armed;
      else this.#load(i);
    } else if (mode === 2 || mode === 3) {
      // One which comes before the current is loaded is loaded in its place.
      const elapsed = this.#elapsed(i);
      if (elapsed < 0 || s.held[i] !== never) s.count[i] = s.reload[i] as number;
      else s.changeAt[i] = (s.start[i] as number) + cycleEnd(mode, s.count[i] as number, elapsed);
    }
  }

  #writeControlWord(byte: number): void {
    const s = this.state.now;
    const i = byte >>> 6;
    if (i === 3) {
      this.#readBack(byte);
      return;
    }
    const access = (byte >>> 4) & 3;
    if (access === 0) {
      this.#latchCount(i);
      return;
    }
    const mode = (byte >>> 1) & 7;
    s.access[i] = access;
    s.mode[i] = mode > 5 ? mode & 3 : mode;
    s.bcd[i] = byte & 1;
    s.phase[i] = idle;
    s.changeAt[i] = never;
    s.held[i] = never;
    s.writesHigh[i] = 0;
    s.readsHigh[i] = 0;
    s.latched[i] = 0;
    s.statusLatched[i] = 0;
  }

  #latchCount(i: number): void {
    const s = this.state.now;
    // A latched count stays until it is read, whatever else is commanded.
    if (s.latched[i] !== 0) return;
    this.#settle(i);
    s.latch[i] = this.#countNow(i);
    s.latched[i] = 1;
  }

  #readBack(byte: number): void {
    const s = this.state.now;
    for (let i = 0; i < 3; i++) {
      if (((byte >>> (i + 1)) & 1) === 0) continue;
      if ((byte & 0x20) === 0) this.#latchCount(i);
      if ((byte & 0x10) === 0 && s.statusLatched[i] === 0) {
        this.#settle(i);
        const waits = s.phase[i] !== counting || s.changeAt[i] !== never || this.#elapsed(i) < 0;
        s.status[i] =
          (this.#out(i) ? 0x80 : 0) |
          (waits ? 0x40 : 0) |
          ((s.access[i] as number) << 4) |
          ((s.mode[i] as number) << 1) |
          (s.bcd[i] as number);
        s.statusLatched[i] = 1;
      }
    }
  }

  #setGate(i: number, level: number): void {
    const s = this.state.now;
    if (s.gate[i] === level) return;
    this.#settle(i);
    const elapsed = this.#elapsed(i);
    s.gate[i] = level;
    if (s.phase[i] === idle) return;
    switch (s.mode[i]) {
      case 0:
      case 4:
        if (level === 0) s.held[i] = Math.max(elapsed, 0);
        else {
          s.start[i] = this.#now - elapsed;
          s.held[i] = never;
        }
        break;
      case 2:
      case 3:
        if (level !== 0) this.#load(i);
        else s.held[i] = Math.max(elapsed, 0);
        break;
      default:
        if (level !== 0) this.#load(i);
    }
  }

  /** Whether OUT of counter 0 is shown as a pulse at the end of each period. */
  get #pulses(): boolean {
    const s = this.state.now;
    const mode = s.mode[0] as number;
    return mode === 2 || mode > 3 || (mode === 3 && (s.count[0] as number) < shortestPeriod);
  }

  #ring(): void {
    this.#settle(0);
    if (this.#pulses) {
      this.#wires.irq.set(false);
      this.#wires.irq.set(true);
    }
    this.#arm();
  }

  /** Drives the line of counter 0, and sets the alarm for its next edge. */
  #arm(): void {
    const s = this.state.now;
    this.#settle(0);
    this.#wires.irq.set(this.#pulses || this.#out(0));
    const next = s.phase[0] === counting ? this.#nextEdge() : Number.POSITIVE_INFINITY;
    if (next === Number.POSITIVE_INFINITY) this.#alarm.cancel();
    else this.#alarm.set(this.#ticks.time((s.start[0] as number) + next));
  }

  #nextEdge(): number {
    const s = this.state.now;
    const mode = s.mode[0] as number;
    const n = s.count[0] as number;
    const elapsed = this.#elapsed(0);
    if (mode < 2) return elapsed < n ? n : Number.POSITIVE_INFINITY;
    if (mode > 3) return elapsed < n + 1 ? n + 1 : Number.POSITIVE_INFINITY;
    if (n >= shortestPeriod) return cycleEnd(mode, n, elapsed);
    const period = n * Math.ceil(shortestPeriod / n);
    return cycleEnd(2, period, elapsed);
  }
}

/** Digits above 9 count as what they are worth, which the data sheet leaves open. 0 is 10000. */
function fromBcd(value: number): number {
  const n = (value >>> 12) * 1000 + ((value >>> 8) & 15) * 100 + ((value >>> 4) & 15) * 10 + (value & 15);
  return n % 10000 || 10000;
}

function toBcd(n: number): number {
  return (Math.floor(n / 1000) << 12) | ((Math.floor(n / 100) % 10) << 8) | ((Math.floor(n / 10) % 10) << 4) | (n % 10);
}
