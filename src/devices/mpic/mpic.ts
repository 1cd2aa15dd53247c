import type { InterruptSource, IrqLine } from "../../bus/line.ts";
import { type Device, State } from "../../bus/state.ts";
import { type BusTarget, swapBytes } from "../../bus/target.ts";
import type { Clock } from "../../time/clock.ts";
import type { Channel } from "../../trace/trace.ts";
import { bigEndianWords } from "../big-endian-words.ts";
import { SourceSet } from "./source-set.ts";
import { GlobalTimers, type TimersState, timerCount } from "./timers.ts";

export interface MpicWires {
  readonly clock: Clock;
  /** Of the platform clock, which the global timers divide by 8 or more, in hertz. */
  readonly timerClock: number;
  /** The processor's external interrupt. */
  readonly int: IrqLine;
  /** Its critical input, for sources whose destination says so. */
  readonly critical?: IrqLine;
  readonly trace: Channel;
}

/** External and internal sources by their number in the device tree; external ones are the first 16. */
export const mpicSources = 256;
const externalSources = 16;
/** The eight sources of the message-signalled interrupts. */
export const firstMsiSource = 224;
const msiRegisters = 8;
/** Behind the sources: the timers of both groups and the interprocessor interrupts. */
const firstTimer = mpicSources;
const firstIpi = firstTimer + 2 * timerCount;
const ipiCount = 4;
const all = firstIpi + ipiCount;

/** Where MSIIR is, the register that takes messages. */
export const mpicMsiir = 0x1740;

/** Version 4.2, and what it has: 196 sources, one processor, OpenPIC 1.2. */
const brr1 = 0x0040_0402;
const frr = 0x00c3_0002;

/** Vector/priority registers. */
const vprMask = 0x8000_0000;
const vprActivity = 0x4000_0000;
const vprSense = 0x0040_0000;
const vprWritable = 0x80cf_ffff;

/** Destination registers: processor 0, and its critical input. */
const destinationCritical = 0x4000_0000;
const destinationProcessor = 1;

/** The timers' registers: group A's, and group B's behind them. */
const groupA = 0x1000;
const groupB = 0x2000;
/** Within a group. */
const timerFrequencyRegister = 0x0f0;
const timerControlRegister = 0x300;

/** Error interrupts share source 0. None is wired, so the summary is empty; the mask is kept. */
const errorSummary = 0x3900;
const errorMask = 0x3910;

/** GCR. In pass-through mode the chip is off and IRQ0 goes to the processor; in proxy mode the processor acknowledges by EPR. */
const gcrReset = 0x8000_0000;
const gcrMode = 0x6000_0000;
const gcrProxy = 0x6000_0000;

function initial() {
  return {
    gcr: 0,
    vpr: new Uint32Array(all).fill(vprMask),
    destination: new Uint32Array(all).fill(destinationProcessor),
    /** Levels of the sources. */
    lines: new Uint8Array(mpicSources),
    /** Edges which nobody acknowledged. */
    edges: new Uint8Array(all),
    inService: new Uint8Array(all),
    /** CTPR: only what has a higher priority interrupts. */
    taskPriority: 15,
    spurious: 0xffff,
    timerFrequency: 0,
    timerControl: 0,
    base: new Uint32Array(timerCount).fill(0x8000_0000),
    start: new Float64Array(timerCount),
    earliest: new Float64Array(timerCount),
    timerFrequencyB: 0,
    timerControlB: 0,
    baseB: new Uint32Array(timerCount).fill(0x8000_0000),
    startB: new Float64Array(timerCount),
    earliestB: new Float64Array(timerCount),
    errorMask: 0xffff_ffff,
    msir: new Uint32Array(msiRegisters),
  };
}

/**
 * The interrupt controller of ppce500: a Freescale MPIC 4.2, an OpenPIC with one processor
 * (MPC8544E reference manual chapter 10).
 *
 * `registers` is 256 KiB, big-endian; a message to its MSIIR is a message-signalled interrupt. `input(n)` is source n of the
 * device tree: 0 to 15 external, level or edge by their sense bit, the others internal and always level. Polarity is kept but not used:
 * lines here say whether an interrupt is asserted. In proxy mode (coreint) the processor calls `acknowledge` when it takes
 * an interrupt and puts the vector into EPR; otherwise that gives 0 and changes nothing, and software reads IACK.
 */
export class Mpic implements Device, InterruptSource {
  readonly name = "mpic";
  readonly state = new State("mpic", initial(), ["lines"]);
  readonly registers: BusTarget;
  readonly #wires: MpicWires;
  /** Groups A and B. */
  readonly #timers: readonly [GlobalTimers, GlobalTimers];
  /** As it follows from the state: sources that ask and are not masked, those in service, and INT. */
  readonly #asking = new SourceSet(all);
  readonly #serving = new SourceSet(all);
  #int = false;

  constructor(wires: MpicWires) {
    this.#wires = wires;
    const { clock, timerClock } = wires;
    this.#timers = [
      new GlobalTimers(clock, timerClock, this.state.now, (i) => this.#pulse(firstTimer + i)),
      new GlobalTimers(clock, timerClock, new GroupB(this.state.now), (i) => this.#pulse(firstTimer + timerCount + i)),
    ];
    this.registers = {
      ...bigEndianWords(
        "mpic",
        wires.trace,
        (offset) => this.#read(offset),
        (offset, value) => {
          this.#write(offset, value);
          this.#update();
        },
      ),
      message: (offset, data) => {
        if (offset === mpicMsiir) this.#message(swapBytes(data, 4));
        else wires.trace.once(`message ${offset}`, `mpic: a message to 0x${offset.toString(16)} goes nowhere`);
      },
    };
  }

  reset(): void {
    this.state.reset();
    for (let i = 0; i < msiRegisters; i++) this.state.now.lines[firstMsiSource + i] = 0;
    this.restored();
  }

  restored(): void {
    for (let source = 0; source < all; source++) this.#follow(source);
    for (const group of this.#timers) group.arm();
    this.#update();
  }

  /** @param source 0 to 255, but for the eight which are messages. */
  input(source: number): IrqLine {
    const message = source >= firstMsiSource && source < firstMsiSource + msiRegisters;
    if (!(source >= 0 && source < mpicSources) || message)
      throw new RangeError(`MPIC source ${source} is not an input`);
    return { set: (level) => this.#setLine(source, level) };
  }

  get pending(): boolean {
    return this.#int;
  }

  /** Whether the processor acknowledges by taking the interrupt, and finds the vector in EPR. */
  get proxy(): boolean {
    return (this.state.now.gcr & gcrMode) === gcrProxy;
  }

  acknowledge(): number {
    if (!this.proxy) return 0;
    const vector = this.#acknowledge();
    this.#update();
    return vector;
  }

  #read(offset: number): number {
    const s = this.state.now;
    if (offset >= 0x1_0000 && offset < 0x1_0000 + 0x20 * mpicSources) {
      const source = (offset - 0x1_0000) >>> 5;
      if ((offset & 0x0f) !== 0) return 0;
      return (offset & 0x10) !== 0 ? (s.destination[source] as number) : this.#readVpr(source);
    }
    if (offset >= 0x2_0000 || offset < 0x100) return this.#readProcessor(offset);
    if (isTimer(offset)) return this.#readTimer(timerAt(offset), offset & 0x3f);
    if (offset >= 0x1600 && offset < 0x1680 && (offset & 0x0f) === 0) return this.#readMsir((offset - 0x1600) >>> 4);
    if (offset >= 0x10a0 && offset < 0x10e0 && (offset & 0x0f) === 0)
      return this.#readVpr(firstIpi + ((offset - 0x10a0) >>> 4));
    switch (offset) {
      case 0x1000:
        return frr;
      case 0x1020:
        return s.gcr;
      case 0x1080: // VIR and PIR.
      case 0x1090:
        return 0;
      case 0x10e0:
        return s.spurious;
      case groupA + timerFrequencyRegister:
        return s.timerFrequency;
      case groupB + timerFrequencyRegister:
        return s.timerFrequencyB;
      case groupA + timerControlRegister:
        return s.timerControl;
      case groupB + timerControlRegister:
        return s.timerControlB;
      case errorSummary:
        return 0;
      case errorMask:
        return s.errorMask;
      case 0x1720: {
        // MSISR: a bit for each MSIR which is not empty.
        let bits = 0;
        for (let i = 0; i < msiRegisters; i++) if (s.msir[i] !== 0) bits |= 1 << i;
        return bits;
      }
      case mpicMsiir: // For writing only.
        return 0;
      default:
        return this.#missing("read", offset);
    }
  }

  #write(offset: number, value: number): void {
    const s = this.state.now;
    if (offset >= 0x1_0000 && offset < 0x1_0000 + 0x20 * mpicSources) {
      const source = (offset - 0x1_0000) >>> 5;
      if ((offset & 0x0f) !== 0) return;
      if ((offset & 0x10) !== 0) s.destination[source] = value & (destinationCritical | destinationProcessor);
      else this.#setVpr(source, value);
    } else if (offset >= 0x2_0000 || offset < 0x100) this.#writeProcessor(offset, value);
    else if (isTimer(offset)) this.#writeTimer(timerAt(offset), offset & 0x3f, value);
    else if (offset >= 0x10a0 && offset < 0x10e0 && (offset & 0x0f) === 0)
      this.#setVpr(firstIpi + ((offset - 0x10a0) >>> 4), value);
    else {
      switch (offset) {
        case 0x1020:
          if ((value & gcrReset) !== 0) this.reset();
          else s.gcr = value & gcrMode;
          break;
        case 0x10e0:
          s.spurious = value & 0xffff;
          break;
        case groupA + timerFrequencyRegister:
          s.timerFrequency = value;
          break;
        case groupB + timerFrequencyRegister:
          s.timerFrequencyB = value;
          break;
        case groupA + timerControlRegister:
          this.#setTimerControl(this.#timers[0], value);
          break;
        case groupB + timerControlRegister:
          this.#setTimerControl(this.#timers[1], value);
          break;
        case errorMask:
          s.errorMask = value;
          break;
        case mpicMsiir:
          this.#message(value);
          break;
        default:
          this.#missing("write", offset);
      }
    }
  }

  /** The processor's own registers, at 0x20000 and, for whichever processor asks, at 0. */
  #readProcessor(offset: number): number {
    const s = this.state.now;
    const register = offset & 0x1_ffff;
    switch (register) {
      case 0x00:
        return offset === 0 ? brr1 : 0;
      case 0x10: // BRR2: no options.
      case 0x40: // IPI dispatch registers.
      case 0x50:
      case 0x60:
      case 0x70:
      case 0x90: // WHOAMI: processor 0.
      case 0xb0:
        return 0;
      case 0x80:
        return s.taskPriority;
      case 0xa0: {
        const vector = this.#acknowledge();
        this.#update();
        return vector;
      }
      default:
        return this.#missing("read", offset);
    }
  }

  #writeProcessor(offset: number, value: number): void {
    const s = this.state.now;
    const register = offset & 0x1_ffff;
    switch (register) {
      case 0x40:
      case 0x50:
      case 0x60:
      case 0x70:
        if ((value & destinationProcessor) !== 0) this.#pulse(firstIpi + ((register - 0x40) >>> 4));
        break;
      case 0x80:
        s.taskPriority = value & 0x0f;
        break;
      case 0xb0: {
        const source = this.#highestInService();
        if (source < 0) break;
        s.inService[source] = 0;
        this.#follow(source);
        break;
      }
      default:
        this.#missing("write", offset);
    }
  }

  #setTimerControl(group: GlobalTimers, value: number): void {
    if ((value & 0x0101_0007) !== 0) this.#wires.trace.once("cascade", "mpic: cascaded timers are not implemented");
    group.setControl(value & 0x0701_0307);
  }

  /** @param timer 0 to 7, those of group B being the last four. */
  #readTimer(timer: number, register: number): number {
    const s = this.state.now;
    const group = this.#timers[timer < timerCount ? 0 : 1];
    switch (register) {
      case 0x00:
        return group.current(timer % timerCount);
      case 0x10:
        return group.base(timer % timerCount);
      case 0x20:
        return this.#readVpr(firstTimer + timer);
      case 0x30:
        return s.destination[firstTimer + timer] as number;
      default:
        return 0;
    }
  }

  #writeTimer(timer: number, register: number, value: number): void {
    const s = this.state.now;
    if (register === 0x10) this.#timers[timer < timerCount ? 0 : 1].setBase(timer % timerCount, value);
    else if (register === 0x20) this.#setVpr(firstTimer + timer, value);
    else if (register === 0x30) s.destination[firstTimer + timer] = value & destinationProcessor;
  }

  #readVpr(source: number): number {
    const s = this.state.now;
    const active = this.#requested(source) || s.inService[source] !== 0;
    return ((s.vpr[source] as number) | (active ? vprActivity : 0)) >>> 0;
  }

  /** Reading a shared message register takes what is in it. */
  #readMsir(i: number): number {
    const s = this.state.now;
    const value = s.msir[i] as number;
    s.msir[i] = 0;
    this.#setLine(firstMsiSource + i, false);
    return value;
  }

  /** MSIIR: bits 31-29 name the register, bits 28-24 the bit in it. */
  #message(value: number): void {
    const i = value >>> 29;
    (this.state.now.msir[i] as number) |= 1 << ((value >>> 24) & 31);
    this.#setLine(firstMsiSource + i, true);
  }

  #setLine(source: number, level: boolean): void {
    const s = this.state.now;
    if ((s.lines[source] !== 0) === level) return;
    s.lines[source] = level ? 1 : 0;
    if (level && !this.#isLevel(source)) s.edges[source] = 1;
    this.#follow(source);
    this.#update();
  }

  #pulse(source: number): void {
    this.state.now.edges[source] = 1;
    this.#follow(source);
    this.#update();
  }

  #setVpr(source: number, value: number): void {
    this.state.now.vpr[source] = value & vprWritable;
    this.#follow(source);
  }

  /** Something of a source has changed that says whether it asks or is in service. */
  #follow(source: number): void {
    const s = this.state.now;
    this.#asking.set(source, this.#requested(source) && ((s.vpr[source] as number) & vprMask) === 0);
    this.#serving.set(source, s.inService[source] !== 0);
  }

  #isLevel(source: number): boolean {
    if (source >= mpicSources) return false;
    return source >= externalSources || ((this.state.now.vpr[source] as number) & vprSense) !== 0;
  }

  #requested(source: number): boolean {
    const s = this.state.now;
    return this.#isLevel(source) ? s.lines[source] !== 0 : s.edges[source] !== 0;
  }

  #priority(source: number): number {
    return ((this.state.now.vpr[source] as number) >>> 16) & 15;
  }

  /** What the processor would get now, or -1. Among equals the lowest number. */
  #highestRequest(): number {
    const s = this.state.now;
    const serving = this.#highestInService();
    let above = Math.max(s.taskPriority, serving >= 0 ? this.#priority(serving) : 0);
    let best = -1;
    const asking = this.#asking;
    for (let source = asking.next(0); source >= 0; source = asking.next(source + 1)) {
      if ((s.destination[source] as number) !== destinationProcessor) continue;
      const priority = this.#priority(source);
      if (priority <= above) continue;
      above = priority;
      best = source;
    }
    return best;
  }

  #highestInService(): number {
    const serving = this.#serving;
    let best = -1;
    for (let source = serving.next(0); source >= 0; source = serving.next(source + 1))
      if (best < 0 || this.#priority(source) > this.#priority(best)) best = source;
    return best;
  }

  /** IACK: the vector, and the request goes to in-service. The spurious vector when there is none. */
  #acknowledge(): number {
    const s = this.state.now;
    const source = this.#highestRequest();
    if (source < 0) return s.spurious;
    s.edges[source] = 0;
    s.inService[source] = 1;
    this.#follow(source);
    return (s.vpr[source] as number) & 0xffff;
  }

  #update(): void {
    const s = this.state.now;
    this.#int = (s.gcr & gcrMode) === 0 ? s.lines[0] !== 0 : this.#highestRequest() >= 0;
    this.#wires.int.set(this.#int);
    if (this.#wires.critical === undefined) return;
    let critical = false;
    const asking = this.#asking;
    for (let source = asking.next(0); source >= 0; source = asking.next(source + 1))
      if (((s.destination[source] as number) & destinationCritical) !== 0) critical = true;
    this.#wires.critical.set(critical);
  }

  #missing(what: string, offset: number): number {
    const where = `register 0x${offset.toString(16)}`;
    this.#wires.trace.once(`mpic ${what} ${offset}`, `mpic: ${what} of ${where}, which is not implemented`);
    return 0;
  }
}

function isTimer(offset: number): boolean {
  const register = offset & 0xfff;
  return (offset - register === groupA || offset - register === groupB) && register >= 0x100 && register < 0x200;
}

function timerAt(offset: number): number {
  return ((offset & 0xff) >>> 6) + (offset < groupB ? 0 : timerCount);
}

/** The fields of group B as the timers know them. */
class GroupB implements TimersState {
  readonly #state: ReturnType<typeof initial>;

  constructor(state: ReturnType<typeof initial>) {
    this.#state = state;
  }

  get base(): Uint32Array {
    return this.#state.baseB;
  }
  get start(): Float64Array {
    return this.#state.startB;
  }
  get earliest(): Float64Array {
    return this.#state.earliestB;
  }
  get timerControl(): number {
    return this.#state.timerControlB;
  }
  set timerControl(value: number) {
    this.#state.timerControlB = value;
  }
}
