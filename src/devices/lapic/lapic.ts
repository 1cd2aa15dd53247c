import type { InterruptSource, IrqLine } from "../../bus/line.ts";
import { type Device, State } from "../../bus/state.ts";
import { allOnes, type BusTarget, type Width } from "../../bus/target.ts";
import type { Clock } from "../../time/clock.ts";
import type { Channel } from "../../trace/trace.ts";
import {
  apicBaseBootstrap,
  apicBaseEnable,
  arbitrationPriority,
  illegalRegister,
  initial,
  isMine,
  lapicBase,
  levelTriggered,
  lvtError,
  lvtLint0,
  lvtLint1,
  lvtTimer,
  lvtWritable,
  masked,
  periodicMode,
  processorPriority,
  receiveIllegalVector,
  remoteIrr,
  sendIllegalVector,
  spuriousEnable,
  version,
} from "./registers.ts";
import { LapicTimer } from "./timer.ts";
import {
  extIntDelivery,
  fixedDelivery,
  initDelivery,
  lowestPriority,
  nmiDelivery,
  smiDelivery,
  startUpDelivery,
  VectorSet,
} from "./vectors.ts";

export interface LapicWires {
  readonly clock: Clock;
  /** Of the bus clock which drives the timer, in hertz. 1 GHz by default. */
  readonly busFrequency?: number;
  /** The 8259s behind LINT0, asked for their vector when the CPU takes an external interrupt. */
  readonly pic: InterruptSource;
  /** Where this goes up the CPU has an interrupt to take. */
  readonly intr: IrqLine;
  readonly nmi: () => void;
  /** An INIT message arrived. */
  readonly init: () => void;
  /** A start-up message arrived; execution starts at `page` * 4096. */
  readonly startUp: (page: number) => void;
  /** A level-triggered interrupt was ended: the IO-APIC looks for its vector. */
  readonly endOfInterrupt: (vector: number) => void;
  /** IA32_APIC_BASE was written: the registers are now here, or nowhere. */
  readonly moved: (base: number, enabled: boolean) => void;
  readonly trace: Channel;
}

export { lapicBase } from "./registers.ts";

/**
 * The local APIC of a P6 with one processor, in xAPIC mode (Intel SDM vol. 3 chapter 10).
 *
 * `registers` is 4 KiB, mapped by the board where `moved` says; `messages` is the megabyte at 0xfee00000, behind
 * them. `lint0` is the INT pin of the 8259s, `lint1` NMI. The IO-APIC calls `deliver`, the CPU is told by `intr`,
 * asks as of any `InterruptSource`, and reads and writes IA32_APIC_BASE through `base` and `setBase`.
 *
 * After reset it is as the SDM has it: enabled, but by SVR switched off and LINT0 masked. Firmware that wants the 8259s
 * programs virtual wire mode, or clears the enable bit of IA32_APIC_BASE, and their INT goes straight to the CPU.
 */
export class Lapic implements Device, InterruptSource {
  readonly name = "lapic";
  readonly state = new State("lapic", initial(), ["lint"]);
  readonly registers: BusTarget;
  readonly messages: BusTarget;
  readonly lint0: IrqLine = { set: (level) => this.#setLint(0, level) };
  readonly lint1: IrqLine = { set: (level) => this.#setLint(1, level) };
  readonly #wires: LapicWires;
  readonly #timer: LapicTimer;
  readonly #isr = new VectorSet(this.state.now.isr);
  readonly #tmr = new VectorSet(this.state.now.tmr);
  readonly #irr = new VectorSet(this.state.now.irr);
  /** What follows from the state: the vector to be taken next, or -1, and whether anything waits. */
  #next = -1;
  #pending = false;

  constructor(wires: LapicWires) {
    this.#wires = wires;
    const s = this.state.now;
    const lvt = s.lvt;
    this.#timer = new LapicTimer(
      wires.clock,
      wires.busFrequency ?? 1e9,
      s,
      () => ((lvt[lvtTimer] as number) & periodicMode) !== 0,
      () => this.#fire(lvtTimer),
    );
    this.registers = {
      read: (offset, width) => this.#readBytes(offset, width),
      write: (offset, width, value) => this.#writeBytes(offset, width, value),
      message: (offset, data) => {
        // The first page of the message addresses is destination 0; elsewhere these are no message addresses.
        if (Math.floor(s.base / 4096) * 4096 === lapicBase) this.#message(offset, data);
      },
    };
    this.messages = {
      read: (_, width) => allOnes(width),
      write: () => {},
      message: (offset, data) => this.#message(offset, data),
    };
  }

  reset(): void {
    this.state.reset();
    this.restored();
  }

  restored(): void {
    this.#wires.moved(this.#page, this.#enabled);
    this.#timer.arm();
    this.#update();
  }

  get pending(): boolean {
    return this.#pending;
  }

  acknowledge(): number {
    const s = this.state.now;
    if (!this.#enabled) return this.#wires.pic.acknowledge();
    const vector = this.#next;
    if (vector >= 0) {
      this.#irr.delete(vector);
      this.#isr.add(vector);
      this.#update();
      return vector;
    }
    if (s.extInt || this.#lintExtInt) {
      s.extInt = false;
      const external = this.#wires.pic.acknowledge();
      this.#update();
      return external;
    }
    // What was there has gone: the spurious vector, with nothing in service (SDM section 10.9).
    return s.svr & 0xff;
  }

  /** IA32_APIC_BASE, as RDMSR gives it. */
  get base(): number {
    return this.state.now.base;
  }

  /** WRMSR to IA32_APIC_BASE, 36 bits of address. False where a reserved bit is set: the CPU raises #GP. */
  setBase(value: number): boolean {
    const s = this.state.now;
    const low = value % 4096;
    if (!(value >= 0 && value < 2 ** 36) || (low & ~(apicBaseBootstrap | apicBaseEnable)) !== 0) return false;
    const enabled = (low & apicBaseEnable) !== 0;
    // Switched off and on again, it is as after reset (SDM section 10.4.3).
    if (!enabled && this.#enabled) this.#powerUp();
    s.base = value;
    this.#wires.moved(this.#page, enabled);
    this.#update();
    return true;
  }

  /** An INIT of the CPU: everything but the ID, IA32_APIC_BASE (SDM section 10.4.7.3). */
  init(): void {
    this.#powerUp();
    this.#update();
  }

  /**
   * An interrupt message on its way to the APICs of the machine, of which this is the only one.
   * Returns whether it was taken. `mode` is a delivery mode; `level` the trigger mode.
   */
  deliver(destination: number, logical: boolean, mode: number, vector: number, level: boolean): boolean {
    return this.#enabled && isMine(this.state.now, destination, logical) && this.#accept(mode, vector, level);
  }

  /** A message-signalled interrupt: address bits 19-2 and the data (SDM sections 10.11.1 and 10.11.2). */
  #message(offset: number, data: number): void {
    const level = (data & levelTriggered) !== 0;
    // A level-triggered message also tells of the end of the level; the end is nothing to us.
    if (level && (data & 0x4000) === 0) return;
    this.deliver((offset >>> 12) & 0xff, (offset & 4) !== 0, (data >>> 8) & 7, data & 0xff, level);
  }

  #powerUp(): void {
    const s = this.state.now;
    const { base, id } = s;
    this.state.reset();
    s.base = base;
    s.id = id;
    this.#timer.arm();
  }

  get #enabled(): boolean {
    return (this.state.now.base & apicBaseEnable) !== 0;
  }

  get #page(): number {
    return Math.floor(this.state.now.base / 4096) * 4096;
  }

  /** Only the word at the start of each 16 bytes is there; other widths see its bytes and write nothing. */
  #readBytes(offset: number, width: Width): number {
    const shift = 8 * (offset & 3);
    const word = (offset & 0x0c) === 0 ? this.#read(offset & 0xff0) : 0;
    const value = word >>> shift;
    return width === 4 ? value : value & (width === 2 ? 0xffff : 0xff);
  }

  #writeBytes(offset: number, width: Width, value: number): void {
    if (width === 4 && (offset & 0x0f) === 0) this.#write(offset & 0xff0, value);
    else this.#wires.trace.once(`lapic ${offset} ${width}`, `lapic: write of ${width} bytes at ${hex(offset)} ignored`);
  }

  #read(offset: number): number {
    const s = this.state.now;
    if (offset >= 0x100 && offset < 0x280) {
      const set = offset < 0x180 ? s.isr : offset < 0x200 ? s.tmr : s.irr;
      return set[(offset >>> 4) & 7] as number;
    }
    if (offset >= 0x320 && offset <= 0x370) return this.#readLvt((offset - 0x320) >>> 4);
    switch (offset) {
      case 0x020:
        return (s.id << 24) >>> 0;
      case 0x030:
        return version;
      case 0x080:
        return s.tpr;
      case 0x090:
        return arbitrationPriority(s.tpr, this.#isr.highest, this.#irr.highest);
      case 0x0a0:
        return processorPriority(s.tpr, this.#isr.highest);
      case 0x0b0:
      case 0x0c0: // Remote read: no other APIC ever asked.
        return 0;
      case 0x0d0:
        return s.ldr;
      case 0x0e0:
        return s.dfr;
      case 0x0f0:
        return s.svr;
      case 0x280:
        return s.esr;
      case 0x300:
        return s.icrLow;
      case 0x310:
        return s.icrHigh;
      case 0x380:
        return s.initialCount;
      case 0x390:
        return this.#timer.current;
      case 0x3e0:
        return s.divide;
      default:
        this.#illegal("read", offset);
        return 0;
    }
  }

  #write(offset: number, value: number): void {
    const s = this.state.now;
    if (offset >= 0x320 && offset <= 0x370) {
      this.#writeLvt((offset - 0x320) >>> 4, value);
      return;
    }
    switch (offset) {
      case 0x020:
        s.id = value >>> 24;
        break;
      case 0x080:
        s.tpr = value & 0xff;
        break;
      case 0x0b0:
        this.#endOfInterrupt();
        break;
      case 0x0d0:
        s.ldr = (value & 0xff00_0000) >>> 0;
        break;
      case 0x0e0:
        s.dfr = (value | 0x0fff_ffff) >>> 0;
        break;
      case 0x0f0:
        s.svr = value & 0x3ff;
        // While it is switched off by software every entry of the table is masked (SDM section 10.4.7.2).
        if ((s.svr & spuriousEnable) === 0) for (let i = 0; i < 6; i++) (s.lvt[i] as number) |= masked;
        break;
      case 0x280:
        s.esr = s.errors;
        s.errors = 0;
        break;
      case 0x300:
        s.icrLow = value & 0x000c_cfff;
        this.#send();
        break;
      case 0x310:
        s.icrHigh = (value & 0xff00_0000) >>> 0;
        break;
      case 0x380:
        this.#timer.load(value);
        break;
      case 0x3e0:
        this.#timer.setDivide(value & 0x0b);
        break;
      default:
        this.#illegal("write", offset);
    }
    this.#update();
  }

  #readLvt(entry: number): number {
    const s = this.state.now;
    const value = s.lvt[entry] as number;
    if (entry !== lvtLint0 && entry !== lvtLint1) return value;
    // Remote IRR: a fixed, level-triggered pin is in service until its end of interrupt.
    const busy = this.#levelPin(value) && (this.#isr.has(value & 0xff) || this.#irr.has(value & 0xff));
    return busy ? value | remoteIrr : value;
  }

  #writeLvt(entry: number, value: number): void {
    const s = this.state.now;
    s.lvt[entry] = value & (lvtWritable[entry] as number);
    if ((s.svr & spuriousEnable) === 0) (s.lvt[entry] as number) |= masked;
    if (entry === lvtTimer) this.#timer.arm();
    if (entry === lvtLint0 || entry === lvtLint1) this.#sample(entry - lvtLint0);
    this.#update();
  }

  /** Whether an entry of LINT0 or LINT1 is a fixed interrupt of level trigger. */
  #levelPin(value: number): boolean {
    return (value & levelTriggered) !== 0 && ((value >>> 8) & 7) === fixedDelivery;
  }

  #setLint(pin: number, level: boolean): void {
    const s = this.state.now;
    const was = s.lint[pin] !== 0;
    s.lint[pin] = level ? 1 : 0;
    if (level && !was && !this.#levelPin(s.lvt[lvtLint0 + pin] as number)) this.#edge(pin);
    else this.#sample(pin);
    this.#update();
  }

  /** A rising edge. ExtINT is no message: `#update` looks at the pin. */
  #edge(pin: number): void {
    const value = this.state.now.lvt[lvtLint0 + pin] as number;
    if (((value >>> 8) & 7) !== extIntDelivery) this.#fire(lvtLint0 + pin);
    // With the APIC off LINT1 is the NMI pin of old.
    if (pin === 1 && !this.#enabled) this.#wires.nmi();
  }

  /** A level-triggered pin asks again as long as it is high and not in service. */
  #sample(pin: number): void {
    const s = this.state.now;
    const value = s.lvt[lvtLint0 + pin] as number;
    if (s.lint[pin] === 0 || !this.#levelPin(value)) return;
    if (!this.#isr.has(value & 0xff) && !this.#irr.has(value & 0xff)) this.#fire(lvtLint0 + pin);
  }

  #fire(entry: number): void {
    const value = this.state.now.lvt[entry] as number;
    if (!this.#enabled || (value & masked) !== 0) return;
    const plain = entry === lvtTimer || entry === lvtError;
    this.#accept(plain ? fixedDelivery : (value >>> 8) & 7, value & 0xff, !plain && this.#levelPin(value));
  }

  /** Takes an interrupt of any kind (SDM section 10.8.1). False when nothing came of it. */
  #accept(mode: number, vector: number, level: boolean): boolean {
    const s = this.state.now;
    switch (mode) {
      case fixedDelivery:
      case lowestPriority:
        if ((s.svr & spuriousEnable) === 0) return false;
        if (vector < 16) {
          this.#error(receiveIllegalVector);
          return false;
        }
        this.#irr.add(vector);
        if (level) this.#tmr.add(vector);
        else this.#tmr.delete(vector);
        break;
      case nmiDelivery:
        this.#wires.nmi();
        break;
      case initDelivery:
        this.#wires.init();
        break;
      case startUpDelivery:
        this.#wires.startUp(vector);
        break;
      case extIntDelivery:
        s.extInt = true;
        break;
      default:
        this.#wires.trace.once(
          `lapic mode ${mode}`,
          mode === smiDelivery ? "lapic: SMI is not implemented" : `lapic: delivery mode ${mode} is reserved`,
        );
        return false;
    }
    this.#update();
    return true;
  }

  /** The interrupt command (SDM section 10.6.1). It is sent at once, so that the delivery status reads idle. */
  #send(): void {
    const { icrLow: command, icrHigh } = this.state.now;
    const mode = (command >>> 8) & 7;
    const vector = command & 0xff;
    const level = (command & levelTriggered) !== 0;
    const shorthand = (command >>> 18) & 3;
    // INIT level de-assert sets arbitration IDs, which one processor has no use for.
    if (mode === initDelivery && level && (command & 0x4000) === 0) return;
    if ((mode === fixedDelivery || mode === lowestPriority) && vector < 16) {
      this.#error(sendIllegalVector);
      return;
    }
    if (shorthand === 3) return;
    // An interprocessor interrupt is taken as an edge (SDM table 10-3).
    if (shorthand !== 0 || isMine(this.state.now, icrHigh >>> 24, (command & 0x800) !== 0))
      this.#accept(mode, vector, false);
  }

  #endOfInterrupt(): void {
    const vector = this.#isr.highest;
    if (vector < 0) return;
    this.#isr.delete(vector);
    if (this.#tmr.has(vector)) this.#wires.endOfInterrupt(vector);
    this.#sample(0);
    this.#sample(1);
  }

  #error(bit: number): void {
    const s = this.state.now;
    if ((s.errors & bit) !== 0) return;
    s.errors |= bit;
    this.#fire(lvtError);
  }

  #illegal(what: string, offset: number): void {
    this.#error(illegalRegister);
    this.#wires.trace.once(`lapic ${what} ${offset}`, `lapic: ${what} of register ${hex(offset)}, which is not there`);
  }

  get #lintExtInt(): boolean {
    const { lint, lvt } = this.state.now;
    const value = lvt[lvtLint0] as number;
    return lint[0] !== 0 && (value & masked) === 0 && ((value >>> 8) & 7) === extIntDelivery;
  }

  #update(): void {
    const s = this.state.now;
    if (this.#enabled) {
      const request = (s.svr & spuriousEnable) !== 0 ? this.#irr.highest : -1;
      this.#next =
        request >= 0 && (request & 0xf0) > (processorPriority(s.tpr, this.#isr.highest) & 0xf0) ? request : -1;
      this.#pending = this.#next >= 0 || s.extInt || this.#lintExtInt;
    } else {
      this.#next = -1;
      this.#pending = s.lint[0] !== 0;
    }
    this.#wires.intr.set(this.#pending);
  }
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}
