import { Tcr, Tsr } from "./constants.ts";
import type { Core } from "./core.ts";
import * as s from "./slots.ts";

const r = s.spr;
const standing = -1;

/**
 * Timebase, decrementer, fixed-interval timer and watchdog: core manual, "Timer Facilities". All follow from the board's timebase; nothing counts
 * here but when it is looked at, and when the board's alarm says that the time has come.
 */
export class Timers {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** After reset: DEC is 0, the timebase goes on from 0. */
  reset(): void {
    const now = this.#core.wires.timebase();
    this.#core.setNumber(s.decrementerDue, standing);
    this.#core.setNumber(s.timersSeen, now);
    this.#core.engine.view.setBigInt64(s.timebaseOffset.offset, BigInt(-now), true);
    this.#arm();
  }

  /** The state was put back: the alarm is set again as it was, and nothing is recorded which the saved machine had not recorded yet. */
  restored(): void {
    this.#arm();
  }

  /** The alarm rang, or somebody looks: records what happened until now, and asks for the next alarm. */
  update(): void {
    const core = this.#core;
    const now = core.wires.timebase();
    this.#decrement(now);
    this.#intervals(now);
    core.setNumber(s.timersSeen, now);
    this.#arm();
    if (core.wanted()) core.engine.attention();
  }

  // --- timebase

  get lower(): number {
    return (this.#core.wires.timebase() % 2 ** 32) + this.#offset(0);
  }

  /** The carry out of the lower half, and the upper halves. */
  get upper(): number {
    const ticks = this.#core.wires.timebase();
    const carry = (ticks % 2 ** 32) + this.#offset(0) >= 2 ** 32 ? 1 : 0;
    return (Math.floor(ticks / 2 ** 32) + this.#offset(4) + carry) | 0;
  }

  /** Half of what is added to the board's timebase, at this byte. */
  #offset(half: 0 | 4): number {
    return this.#core.engine.view.getUint32(s.timebaseOffset.offset + half, true);
  }

  setLower(value: number): void {
    this.#move((now) => ((now >> 32n) << 32n) | BigInt(value >>> 0));
  }

  setUpper(value: number): void {
    this.#move((now) => (BigInt(value >>> 0) << 32n) | (now & 0xffff_ffffn));
  }

  #timebase(ticks: number): bigint {
    return BigInt.asUintN(64, BigInt(ticks) + this.#core.engine.view.getBigInt64(s.timebaseOffset.offset, true));
  }

  #move(change: (now: bigint) => bigint): void {
    this.update();
    const ticks = this.#core.wires.timebase();
    const offset = change(this.#timebase(ticks)) - BigInt(ticks);
    this.#core.engine.view.setBigInt64(s.timebaseOffset.offset, BigInt.asIntN(64, offset), true);
    this.#arm();
  }

  // --- decrementer

  get decrementer(): number {
    this.update();
    const due = this.#core.getNumber(s.decrementerDue);
    return due < 0 ? 0 : due - this.#core.wires.timebase();
  }

  /** Writing 0 stops it and is no exception: that takes a step from 1 to 0. */
  set decrementer(value: number) {
    this.update();
    const due = value === 0 ? standing : this.#core.wires.timebase() + (value >>> 0);
    this.#core.setNumber(s.decrementerDue, due);
    this.#arm();
  }

  #decrement(now: number): void {
    const core = this.#core;
    const due = core.getNumber(s.decrementerDue);
    if (due < 0 || now < due) return;
    core.set(r.TSR, core.get(r.TSR) | Tsr.dis);
    const period = core.get(r.DECAR) >>> 0;
    const again = (core.get(r.TCR) & Tcr.are) !== 0 && period !== 0;
    core.setNumber(s.decrementerDue, again ? due + period * (Math.floor((now - due) / period) + 1) : standing);
  }

  // --- fixed interval and watchdog: a bit of the timebase that goes from 0 to 1

  /** How often bit 2^k of the timebase rose between two ticks. The topmost bit, which is what TCR says after reset, takes millennia. */
  #rises(k: bigint, from: number, to: number): bigint {
    if (k === 63n && this.upper >= 0) return 0n;
    const count = (ticks: bigint) => (ticks + (1n << k)) >> (k + 1n);
    const start = this.#timebase(from);
    return count(start + BigInt(to - from)) - count(start);
  }

  /** The tick at which it rises next. */
  #nextRise(k: bigint, now: number): number {
    const start = this.#timebase(now);
    const next = (((start + (1n << k)) >> (k + 1n)) << (k + 1n)) + (1n << k);
    const due = now + Number(next - start);
    return due < Number.MAX_SAFE_INTEGER ? due : Number.POSITIVE_INFINITY;
  }

  /** Six bits of TCR count timebase bits from the left: the extension, then the two which Book E has. */
  get #fixedBit(): bigint {
    const tcr = this.#core.get(r.TCR);
    return BigInt(63 - (((tcr & Tcr.fpext) >>> 11) | ((tcr & Tcr.fp) >>> 24)));
  }

  get #watchdogBit(): bigint {
    const tcr = this.#core.get(r.TCR);
    return BigInt(63 - (((tcr & Tcr.wpext) >>> 15) | ((tcr & Tcr.wp) >>> 30)));
  }

  #intervals(now: number): void {
    const core = this.#core;
    const seen = core.getNumber(s.timersSeen);
    if (now <= seen) return;
    if (this.#rises(this.#fixedBit, seen, now) > 0n) core.set(r.TSR, core.get(r.TSR) | Tsr.fis);
    // Three time-outs are all that make a difference: enable next, interrupt, reset.
    let timeouts = this.#rises(this.#watchdogBit, seen, now);
    if (timeouts > 3n) timeouts = 3n;
    for (; timeouts > 0n; timeouts--) this.#timeout();
  }

  #timeout(): void {
    const core = this.#core;
    const tsr = core.get(r.TSR);
    const wrc = core.get(r.TCR) & Tcr.wrc;
    if ((tsr & Tsr.enw) === 0) core.set(r.TSR, tsr | Tsr.enw);
    else if ((tsr & Tsr.wis) === 0) core.set(r.TSR, tsr | Tsr.wis);
    else if (wrc !== 0 && (tsr & Tsr.wrs) === 0) {
      core.set(r.TSR, tsr | wrc);
      core.wires.reset("watchdog");
    }
  }

  // --- TCR and TSR

  /** WRC can be set and not cleared. */
  writeTcr(value: number): void {
    this.update();
    const core = this.#core;
    const wrc = core.get(r.TCR) & Tcr.wrc;
    core.set(r.TCR, wrc === 0 ? value : (value & ~Tcr.wrc) | wrc);
    this.update();
  }

  get tsr(): number {
    this.update();
    return this.#core.get(r.TSR);
  }

  /** Ones clear. */
  writeTsr(value: number): void {
    this.update();
    this.#core.set(r.TSR, this.#core.get(r.TSR) & ~value);
    this.#arm();
  }

  /** Asks for an alarm at what comes first and could be seen without asking. */
  #arm(): void {
    const core = this.#core;
    const now = core.wires.timebase();
    const tcr = core.get(r.TCR);
    const tsr = core.get(r.TSR);
    const due = core.getNumber(s.decrementerDue);
    // What is recorded already cannot happen again: a guest does not get an alarm a tick out of DECAR.
    let first = due < 0 || (tsr & Tsr.dis) !== 0 ? Number.POSITIVE_INFINITY : due;
    if ((tcr & Tcr.fie) !== 0 && (tsr & Tsr.fis) === 0) first = Math.min(first, this.#nextRise(this.#fixedBit, now));
    const watches = (tcr & Tcr.wrc) !== 0 ? (tsr & Tsr.wrs) === 0 : (tcr & Tcr.wie) !== 0 && (tsr & Tsr.wis) === 0;
    if (watches) first = Math.min(first, this.#nextRise(this.#watchdogBit, now));
    core.wires.setTimer(first);
  }
}
