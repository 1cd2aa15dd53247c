import type { EngineServices } from "../../ir/frontend.ts";
import { Status } from "../../ir/node.ts";
import type { Slot } from "../../ir/slots.ts";
import { Dbcr0, Esr, Ivor, Mas1, Mas2, Mas3, Msr, msrMask, Tsr } from "./constants.ts";
import * as s from "./slots.ts";
import { Tlb } from "./tlb.ts";

/** What a program sees of the world outside the core, as the board wires it. */
export interface Wires {
  /** Ticks of the timebase clock since the machine was made: whole, below 2^53. */
  timebase(): number;
  /** Asks that `E500.timer` be called when `timebase()` reaches `due`; Infinity: not at all. Each call replaces the one before. */
  setTimer(due: number): void;
  /** The watchdog's last time-out, or DBCR0[RST]: the board is to be reset. */
  reset(why: string): void;
  /** Something that is not there, or that the guest does wrong; said once a `key`. */
  report(key: string, text: string): void;
}

/** What every part of the system half works on: the state, the TLBs, and how to fault. */
export class Core {
  engine!: EngineServices;
  words!: Int32Array;
  readonly wires: Wires;
  readonly tlb = new Tlb();
  /** What is thrown for a fault. It carries nothing: the interrupt is in the state. */
  readonly fault: object = Object.freeze({ name: "e500 fault" });
  /** Which address space the translations kept for supervisor (0) and problem state (1) belong to. */
  readonly #space: [number, number] = [0, 0];
  /** Asks whether an interrupt may be taken now. */
  wanted: () => boolean = () => false;

  constructor(wires: Wires) {
    this.wires = wires;
  }

  get(slot: Slot): number {
    return this.words[slot.index] as number;
  }

  set(slot: Slot, value: number): void {
    this.words[slot.index] = value;
  }

  getNumber(slot: Slot): number {
    return this.engine.view.getFloat64(slot.offset, true);
  }

  setNumber(slot: Slot, value: number): void {
    this.engine.view.setFloat64(slot.offset, value, true);
  }

  /** Records an interrupt and gives what to throw: `throw core.raise(...)`. */
  raise(ivor: number, esr = 0, address = 0): object {
    this.set(s.faultIvor, ivor);
    this.set(s.faultEsr, esr);
    this.set(s.faultAddress, address);
    return this.fault;
  }

  illegal(): object {
    return this.raise(Ivor.program, Esr.illegal);
  }

  get msr(): number {
    return this.get(s.msr);
  }

  get user(): boolean {
    return (this.msr & Msr.pr) !== 0;
  }

  /** A new MSR, with everything that follows from it. MSR[GS] stays 0: there is no guest state. */
  setMsr(value: number): void {
    if ((value & Msr.gs) !== 0) {
      const pc = (this.get(s.engine.pc) >>> 0).toString(16);
      this.wires.report("gs", `guest state (MSR[GS]) at 0x${pc}: this core has none`);
    }
    const msr = value & msrMask;
    const risen = msr & ~this.msr;
    this.set(s.msr, msr);
    this.updateMode();
    // Single steps count from the instruction which allowed them.
    if ((risen & Msr.de) !== 0) this.setNumber(s.stepFrom, this.engine.instructions);
    // What was let in before has been taken; but for a debug event, which the change itself may be.
    const asks = (risen & lettingIn) !== 0 || (msr & Msr.de) !== 0;
    if ((risen & Msr.de) !== 0 || (asks && this.wanted())) this.engine.attention();
  }

  /** What decoding, fetching and translating depend on, from MSR and DBCR0. */
  updateMode(): void {
    const { msr } = this;
    const user = (msr & Msr.pr) !== 0;
    const dbcr0 = this.get(s.spr.DBCR0);
    const debug = (dbcr0 & Dbcr0.idm) !== 0 && (dbcr0 & watched) !== 0;
    this.set(
      s.engine.mode,
      (user ? s.Mode.user : 0) | ((msr & Msr.is) !== 0 ? s.Mode.space : 0) | (debug ? s.Mode.debug : 0),
    );
    const space = (msr & Msr.ds) !== 0 ? 1 : 0;
    const which = user ? 1 : 0;
    if (this.#space[which] !== space) {
      this.#space[which] = space;
      this.forgetTranslations();
    }
    // dcbz was allowed to whoever ran before.
    this.set(s.zeroablePage, 1);
    this.engine.selectTlb(which);
  }

  /** Every translation may have changed. */
  forgetTranslations(): void {
    this.set(s.zeroablePage, 1);
    this.engine.flushTlb();
  }

  /** The process changed: what belongs to all of them stays. */
  forgetProcess(): void {
    this.set(s.zeroablePage, 1);
    this.engine.flushTlb(true);
  }

  forgetPage(address: number): void {
    this.set(s.zeroablePage, 1);
    this.engine.flushPage(address);
  }

  /** For an exit after which code is decoded differently: ends the instruction as a jump to the one behind it. */
  resume(): number {
    this.set(s.engine.pc, this.get(s.engine.pc) + 4);
    return Status.jump;
  }

  /** Forgets everything and starts with one TLB1 entry, entry 0: `size` is 4^size KiB. */
  reset(address: number, physical: number, size: number): void {
    // TSR[WRS] tells software that the watchdog did it.
    const why = this.get(s.spr.TSR) & Tsr.wrs;
    for (const slot of s.slots)
      if (!shared.has(slot)) for (let k = 0; k < slot.width / 4; k++) this.words[slot.index + k] = 0;
    this.set(s.spr.TSR, why);
    this.tlb.clear();
    const all = Mas3.ux | Mas3.sx | Mas3.uw | Mas3.sw | Mas3.ur | Mas3.sr;
    this.tlb.write(
      this.tlb.index1(0),
      Mas1.valid | (size << 8),
      address & Mas2.page,
      (physical & Mas3.page) | all,
      Math.floor(physical / 2 ** 32),
    );
    this.#space[0] = 0;
    this.#space[1] = 0;
    this.updateMode();
    this.forgetTranslations();
  }

  /** The state was put back from outside. */
  restored(): void {
    const space = (this.msr & Msr.ds) !== 0 ? 1 : 0;
    this.#space[0] = space;
    this.#space[1] = space;
    this.tlb.restored();
    this.updateMode();
    this.forgetTranslations();
  }
}

/** Debug events which instructions have to look for themselves. */
const watched =
  Dbcr0.iac1 | Dbcr0.iac2 | Dbcr0.dac1r | Dbcr0.dac1w | Dbcr0.dac2r | Dbcr0.dac2w | Dbcr0.brt | Dbcr0.trap;

/** Bits of MSR that let interrupts in. */
const lettingIn = Msr.ee | Msr.ce | Msr.me | Msr.de | Msr.fe0 | Msr.fe1;

/** Words which belong to the engine while it runs. */
const shared: ReadonlySet<Slot> = new Set([s.engine.budget, s.engine.tlb]);
