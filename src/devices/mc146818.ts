import type { IrqLine } from "../bus/line.ts";
import { type Device, State } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import type { Alarm, Clock } from "../time/clock.ts";
import type { Channel } from "../trace/trace.ts";
import { byteWide } from "./byte-wide.ts";
import { Ticks } from "./ticks.ts";

export interface Mc146818Wires {
  readonly clock: Clock;
  /** IRQ 8. */
  readonly irq: IrqLine;
  readonly trace: Channel;
  /** What the clock shows when the machine is made: seconds since 1970-01-01, UTC. */
  readonly startTime: number;
}

/** Registers of time and control; from 0x0e on it is RAM. */
const seconds = 0;
const hours = 4;
const weekday = 6;
const day = 7;
const month = 8;
const year = 9;
const registerA = 0x0a;
const registerB = 0x0b;
const registerC = 0x0c;
const registerD = 0x0d;
/** Where a PC keeps the century, in the form of the other fields; the FADT says so. */
const century = 0x32;

const aUpdateInProgress = 0x80;
const bSet = 0x80;
const bPeriodic = 0x40;
const bAlarm = 0x20;
const bUpdate = 0x10;
const bBinary = 0x04;
const b24Hours = 0x02;

const second = 1e9;
/** UIP rises 244 us before an update cycle, which takes 1984 us (MC146818A data sheet, table 5). */
const updateWarning = 2_228_000;
const secondsADay = 86400;

function initial(startTime: number) {
  const cmos = new Uint8Array(128);
  cmos[registerA] = 0x26;
  cmos[registerB] = b24Hours;
  return {
    /** Control registers, alarm and RAM; the time too while the clock stands. */
    cmos,
    index: 0,
    /** Register C without its bit 7. */
    flags: 0,
    /** The clock showed `time` (seconds since 1970) at `since` (nanoseconds of the machine). */
    time: startTime,
    since: 0,
    /** Up to when `flags` has been brought. */
    settled: 0,
  };
}

/**
 * The real-time clock of a PC and its CMOS RAM: a Motorola MC146818A with 128 bytes.
 *
 * `registers` is two bytes, index and data (port 0x70). The time is `startTime` and the machine's clock, in the form which
 * register B asks for; the weekday follows from the date. Time, RAM and control registers run on a battery: a reset
 * only clears the interrupt enables and flags, as the RESET pin does. Bit 7 of the index, the NMI mask, is not kept.
 */
export class Mc146818 implements Device {
  readonly name = "mc146818";
  readonly state: State<ReturnType<typeof initial>>;
  readonly registers: BusTarget;
  readonly #wires: Mc146818Wires;
  readonly #alarm: Alarm;
  readonly #crystal = new Ticks(32768);

  constructor(wires: Mc146818Wires) {
    this.#wires = wires;
    this.state = new State(this.name, initial(wires.startTime), ["cmos", "time", "since", "settled"]);
    this.#alarm = wires.clock.alarm("mc146818", () => this.#update());
    this.registers = byteWide(
      2,
      (offset) => (offset === 0 ? 0xff : this.#read(this.state.now.index)),
      (offset, byte) => {
        if (offset === 0) this.state.now.index = byte & 0x7f;
        else this.#write(this.state.now.index, byte);
      },
    );
  }

  reset(): void {
    this.#settle();
    this.state.reset();
    (this.state.now.cmos[registerB] as number) &= ~(bPeriodic | bAlarm | bUpdate | 0x08);
    this.#update();
  }

  restored(): void {
    this.#drive();
  }

  /** Puts a byte into the RAM, for a board that tells its firmware something there. */
  setByte(index: number, byte: number): void {
    this.state.now.cmos[index] = byte;
  }

  /**
   * The size fields a PC's firmware reads, in bytes of RAM: below 4 GiB (640 KiB of it base memory), and above.
   */
  setMemorySize(below: number, above: number): void {
    const kib = (n: number) => Math.min(Math.max(Math.floor(n / 1024), 0), 0xffff);
    const blocks = (n: number, limit: number) => Math.min(Math.max(Math.floor(n / 65536), 0), limit);
    const fields: [number, number][] = [
      [0x15, 640],
      [0x17, kib(below - 0x10_0000)],
      [0x30, kib(below - 0x10_0000)],
      [0x34, blocks(below - 0x100_0000, 0xffff)],
    ];
    for (const [index, value] of fields) {
      this.setByte(index, value & 0xff);
      this.setByte(index + 1, value >>> 8);
    }
    const high = blocks(above, 0xff_ffff);
    for (let i = 0; i < 3; i++) this.setByte(0x5b + i, (high >>> (8 * i)) & 0xff);
  }

  /** Seconds since 1970 which the clock shows. */
  get time(): number {
    const s = this.state.now;
    return this.#runs ? s.time + Math.floor((this.#wires.clock.now - s.since) / second) : s.time;
  }

  #read(index: number): number {
    const s = this.state.now;
    if (index === registerC) {
      this.#settle();
      const value = this.#interrupt ? s.flags | 0x80 : s.flags;
      s.flags = 0;
      this.#update();
      return value;
    }
    if (index === registerA) return (s.cmos[registerA] as number) | (this.#updating ? aUpdateInProgress : 0);
    // Valid RAM and time.
    if (index === registerD) return 0x80;
    if (isTime(index) && this.#runs) this.#show();
    return s.cmos[index] as number;
  }

  #write(index: number, byte: number): void {
    const s = this.state.now;
    this.#settle();
    if (index === registerA || index === registerB) {
      this.#control(index, byte);
    } else if (isTime(index) && this.#runs) {
      // Set while it runs: the rest of the time and the phase of the second stay.
      this.#show();
      s.cmos[index] = byte;
      this.#take(s.since + Math.floor((this.#wires.clock.now - s.since) / second) * second);
    } else if (index !== registerC && index !== registerD) {
      s.cmos[index] = byte;
    }
    this.#update();
  }

  /** Registers A and B: what stops the clock and lets it go on. */
  #control(index: number, byte: number): void {
    const s = this.state.now;
    const now = this.#wires.clock.now;
    const ran = this.#runs;
    const time = this.time;
    const divided = this.#divides;
    s.cmos[index] = index === registerA ? byte & 0x7f : byte;
    // SET ends a running update, and with it the interrupt that would have come (data sheet, register B).
    if (index === registerB && (byte & bSet) !== 0) (s.cmos[registerB] as number) &= ~bUpdate;
    // The first update comes half a second after the divider is let go (data sheet, register A).
    if (!divided && this.#divides) s.since = now - second / 2;
    if (ran && !this.#runs) {
      s.time = time;
      this.#show();
    } else if (!ran && this.#runs) {
      this.#take(s.since + Math.floor((now - s.since) / second) * second);
    }
  }

  /** The divider counts at 32.768 kHz. */
  get #divides(): boolean {
    return ((this.state.now.cmos[registerA] as number) & 0x70) === 0x20;
  }

  /** The divider counts and SET is clear. */
  get #runs(): boolean {
    return this.#divides && ((this.state.now.cmos[registerB] as number) & bSet) === 0;
  }

  get #updating(): boolean {
    const s = this.state.now;
    return this.#runs && second - ((this.#wires.clock.now - s.since) % second) <= updateWarning;
  }

  /** Writes the time into its registers. */
  #show(): void {
    const { cmos } = this.state.now;
    const date = new Date(this.time * 1000);
    const hour = date.getUTCHours();
    cmos[seconds] = this.#encode(date.getUTCSeconds());
    cmos[2] = this.#encode(date.getUTCMinutes());
    if (((cmos[registerB] as number) & b24Hours) !== 0) cmos[hours] = this.#encode(hour);
    else cmos[hours] = this.#encode(hour % 12 || 12) | (hour >= 12 ? 0x80 : 0);
    cmos[weekday] = this.#encode(date.getUTCDay() + 1);
    cmos[day] = this.#encode(date.getUTCDate());
    cmos[month] = this.#encode(date.getUTCMonth() + 1);
    cmos[year] = this.#encode(date.getUTCFullYear() % 100);
    cmos[century] = this.#encode(Math.floor(date.getUTCFullYear() / 100));
  }

  /** Goes on from what the registers say, as of a time of the machine. */
  #take(since: number): void {
    const s = this.state.now;
    s.time = this.#shown();
    s.since = since;
  }

  /** What the registers say, in seconds since 1970. Impossible dates run over into the next month, as any number will do. */
  #shown(): number {
    const { cmos } = this.state.now;
    const field = (index: number) => this.#decode(cmos[index] as number);
    const fullYear = field(century) * 100 + field(year);
    const date = new Date(0);
    date.setUTCFullYear(fullYear, field(month) - 1, field(day));
    return date.getTime() / 1000 + this.#hour(cmos[hours] as number) * 3600 + field(2) * 60 + field(seconds);
  }

  #encode(n: number): number {
    return ((this.state.now.cmos[registerB] as number) & bBinary) !== 0 ? n : Math.floor(n / 10) * 16 + (n % 10);
  }

  #decode(byte: number): number {
    return ((this.state.now.cmos[registerB] as number) & bBinary) !== 0 ? byte : (byte >>> 4) * 10 + (byte & 15);
  }

  #hour(byte: number): number {
    if (((this.state.now.cmos[registerB] as number) & b24Hours) !== 0) return this.#decode(byte);
    return (this.#decode(byte & 0x7f) % 12) + (byte >= 0x80 ? 12 : 0);
  }

  /** Ticks of the 32.768 kHz crystal between two periodic interrupts, 0 for none (data sheet table 3). */
  get #period(): number {
    const rate = (this.state.now.cmos[registerA] as number) & 0x0f;
    if (rate === 0) return 0;
    return rate < 3 ? 64 << rate : 1 << (rate - 1);
  }

  /** Brings the flags of register C up to the present. They come whether they are enabled or not. */
  #settle(): void {
    const s = this.state.now;
    const now = this.#wires.clock.now;
    if (now <= s.settled) return;
    if (this.#nextPeriodic(s.settled) <= now) s.flags |= bPeriodic;
    if (this.#nextUpdate(s.settled) <= now) s.flags |= bUpdate;
    if (this.#nextAlarm(s.settled) <= now) s.flags |= bAlarm;
    s.settled = now;
  }

  #nextPeriodic(after: number): number {
    const period = this.#period;
    if (period === 0 || !this.#divides) return Number.POSITIVE_INFINITY;
    return this.#crystal.time((Math.floor(this.#crystal.at(after) / period) + 1) * period);
  }

  #nextUpdate(after: number): number {
    const { since } = this.state.now;
    if (!this.#runs) return Number.POSITIVE_INFINITY;
    return since + (Math.floor((after - since) / second) + 1) * second;
  }

  /** The next second of the day which the three alarm bytes match; 0xc0 and above match all (data sheet, "Time, Calendar, and Alarm"). */
  #nextAlarm(after: number): number {
    const s = this.state.now;
    if (!this.#runs) return Number.POSITIVE_INFINITY;
    const wanted = (index: number, value: number) => {
      const byte = s.cmos[index] as number;
      return byte >= 0xc0 ? -1 : value;
    };
    const wantSecond = wanted(1, this.#decode(s.cmos[1] as number));
    const wantMinute = wanted(3, this.#decode(s.cmos[3] as number));
    const wantHour = wanted(5, this.#hour(s.cmos[5] as number));
    if (wantSecond > 59 || wantMinute > 59 || wantHour > 23) return Number.POSITIVE_INFINITY;
    const first = s.time + Math.floor((after - s.since) / second) + 1;
    for (let t = first; t < first + secondsADay; ) {
      const inDay = ((t % secondsADay) + secondsADay) % secondsADay;
      if (wantHour >= 0 && Math.floor(inDay / 3600) !== wantHour) t += 3600 - (inDay % 3600);
      else if (wantMinute >= 0 && Math.floor(inDay / 60) % 60 !== wantMinute) t += 60 - (inDay % 60);
      else if (wantSecond >= 0 && inDay % 60 !== wantSecond) t++;
      else return s.since + (t - s.time) * second;
    }
    return Number.POSITIVE_INFINITY;
  }

  get #interrupt(): boolean {
    const s = this.state.now;
    return (s.flags & (s.cmos[registerB] as number) & (bPeriodic | bAlarm | bUpdate)) !== 0;
  }

  #update(): void {
    this.#settle();
    this.#drive();
  }

  /** Drives the line, and sets the alarm for the next flag that would raise it. */
  #drive(): void {
    const s = this.state.now;
    this.#wires.irq.set(this.#interrupt);
    const enabled = (s.cmos[registerB] as number) & ~s.flags;
    let next = Number.POSITIVE_INFINITY;
    if (!this.#interrupt) {
      if ((enabled & bPeriodic) !== 0) next = Math.min(next, this.#nextPeriodic(s.settled));
      if ((enabled & bUpdate) !== 0) next = Math.min(next, this.#nextUpdate(s.settled));
      if ((enabled & bAlarm) !== 0) next = Math.min(next, this.#nextAlarm(s.settled));
    }
    if (next === Number.POSITIVE_INFINITY) this.#alarm.cancel();
    else this.#alarm.set(next);
  }
}

function isTime(index: number): boolean {
  return (
    index === seconds || index === 2 || index === hours || (index >= weekday && index <= year) || index === century
  );
}
