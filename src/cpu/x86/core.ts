import type { EngineServices } from "../../ir/frontend.ts";
import type { Slot } from "../../ir/slots.ts";
import type { Channel } from "../../trace/trace.ts";
import { arithmeticFlags, Cr0, Flag, Right, systemFlags, Vector } from "./constants.ts";
import * as s from "./slots.ts";

/** What a program sees of the world outside the CPU, as the board wires it. */
export interface Wires {
  /** The ports. */
  readPort(port: number, width: 1 | 2 | 4): number;
  writePort(port: number, width: 1 | 2 | 4, value: number): void;
  /** The time-stamp counter. */
  timestamp(): number;
  /** IA32_APIC_BASE, low half. */
  apicBase(): number;
  setApicBase(value: number): void;
  /** The pin FERR#, 1 asserted; gives IGNNE#. Without a board that has them an x87 exception is ignored while CR0.NE is 0. */
  coprocessorError?(level: 0 | 1): 0 | 1;
  /** A fault while a double fault was delivered: the processor shuts down, which resets a PC. */
  shutdown(): void;
  /** Something that is not there, or that the guest does wrong; said once a `key`. */
  report(key: string, text: string): void;
  /** Each exception and each interrupt that is taken. */
  readonly exceptions: Channel;
  readonly irq: Channel;
}

/** What every part of the system half works on: the state, and how to fault. */
export class Core {
  engine!: EngineServices;
  words!: Int32Array;
  readonly wires: Wires;
  /** What is thrown for a fault. It carries nothing: the fault is in the state. */
  readonly fault: object = Object.freeze({ name: "x86 fault" });
  /** Whether 4 MiB pages have 36 bits of address. */
  readonly pse36: boolean;
  /** Bits of CR4 that this processor has. */
  readonly cr4Bits: number;
  /** Whether the fault on its way is an instruction breakpoint. */
  breakpoint = false;
  /** Nothing is to be delivered: the processor waits for an interrupt in front of the instruction. */
  frozen = false;
  /** Where the fault on its way goes back to when that is not the instruction which caused it: a task switch was past its point of no return. */
  restart: number | undefined;
  /** Linear addresses between these may be translated by pages larger than 4 KiB, which INVLPG drops as a whole. */
  #largeFrom = 2 ** 32;
  #largeTo = 0;

  constructor(wires: Wires, has: { readonly pse36: boolean; readonly cr4Bits: number }) {
    this.wires = wires;
    this.pse36 = has.pse36;
    this.cr4Bits = has.cr4Bits;
  }

  get(slot: Slot): number {
    return this.words[slot.index] as number;
  }

  set(slot: Slot, value: number): void {
    this.words[slot.index] = value;
  }

  /** Records a fault and gives what to throw: `throw core.raise(...)`. */
  raise(vector: number, code?: number): object {
    this.breakpoint = false;
    this.set(s.faultVector, vector);
    this.set(s.faultCode, code ?? 0);
    this.set(s.faultHasCode, code === undefined ? 0 : 1);
    return this.fault;
  }

  /** #DB for an instruction breakpoint. Unlike all other faults it pushes RF as it is: SDM vol. 3 section 17.3.1.1. */
  raiseBreakpoint(): object {
    this.raise(Vector.debug);
    this.breakpoint = true;
    return this.fault;
  }

  /** The x87 stops the processor in front of an instruction until an interrupt comes: SDM vol. 1 appendix D.2.1. */
  freeze(): object {
    this.frozen = true;
    this.set(s.halted, 1);
    return this.fault;
  }

  /** #GP with an error code. */
  protection(code = 0): object {
    return this.raise(Vector.protection, code);
  }

  /** Whether an interrupt or an NMI waits to be taken. */
  interruptWaits: () => boolean = () => true;

  get protected(): boolean {
    return (this.get(s.cr0) & Cr0.pe) !== 0;
  }

  get v86(): boolean {
    return (this.get(s.eflags) & Flag.vm) !== 0;
  }

  /** Real or virtual-8086 mode: a selector is a paragraph. */
  get paragraphs(): boolean {
    return !this.protected || this.v86;
  }

  get cpl(): number {
    return this.get(s.cpl);
  }

  get iopl(): number {
    return (this.get(s.eflags) & Flag.iopl) >> 12;
  }

  /** Refuses what only ring 0 may do. */
  needRing0(): void {
    if (this.cpl !== 0) throw this.protection();
  }

  // --- EFLAGS

  get flags(): number {
    const result = this.get(s.result);
    const carry = this.get(s.carry);
    const fixed = result ^ this.get(s.signFix);
    let parity = fixed & 0xff;
    parity ^= parity >> 4;
    const even = ((0x9669 >> (parity & 15)) & 1) !== 0;
    return (
      (this.get(s.eflags) & systemFlags) |
      Flag.one |
      (carry < 0 ? Flag.cf : 0) |
      (even ? Flag.pf : 0) |
      ((carry & 8) !== 0 ? Flag.af : 0) |
      (result === 0 ? Flag.zf : 0) |
      (fixed < 0 ? Flag.sf : 0) |
      ((carry ^ (carry << 1)) < 0 ? Flag.of : 0) |
      (this.get(s.step) < 0 ? Flag.df : 0)
    );
  }

  /** Sets those flags which `mask` names. */
  setFlags(value: number, mask: number): void {
    if ((mask & arithmeticFlags) !== 0) {
      const all = (this.flags & ~mask) | (value & mask);
      const cf = all & Flag.cf;
      const of = (all & Flag.of) >> 11;
      this.set(s.result, (all & Flag.zf) !== 0 ? 0 : 0x100);
      this.set(s.signFix, ((all & Flag.sf) !== 0 ? 0x8000_0000 : 0) | ((all & Flag.pf) !== 0 ? 0 : 1));
      this.set(s.carry, (cf << 31) | ((cf ^ of) << 30) | ((all & Flag.af) !== 0 ? 8 : 0));
    }
    if ((mask & Flag.df) !== 0) this.set(s.step, (value & Flag.df) !== 0 ? -1 : 1);
    const system = mask & systemFlags;
    if (system !== 0) {
      const before = this.get(s.eflags);
      const after = (before & ~system) | (value & system);
      this.set(s.eflags, after);
      if ((system & after & Flag.rf) !== 0) this.setCount(s.resumedAt, this.engine.instructions);
      if (((before ^ after) & Flag.ac) !== 0) this.chooseTlb();
      // An interrupt that waited may be taken now; the next instruction may be a single step, or be spared a breakpoint.
      const rising = after & ~before;
      if ((rising & (Flag.tf | Flag.rf)) !== 0 || ((rising & Flag.if) !== 0 && this.interruptWaits()))
        this.engine.attention();
    }
  }

  /** A point in time, as an instruction count. */
  count(slot: Slot): number {
    return this.engine.view.getFloat64(slot.offset, true);
  }

  setCount(slot: Slot, value: number): void {
    this.engine.view.setFloat64(slot.offset, value, true);
  }

  /** Holds interrupts off until the instruction behind this one is done: STI. SDM vol. 3 section 6.8.1. One that comes later asks for attention itself. */
  holdOff(): void {
    this.setCount(s.shadow, this.engine.instructions + 1);
    if (this.interruptWaits()) this.engine.attention();
  }

  /** MOV SS and POP SS hold off NMIs and debug exceptions as well. SDM vol. 3 section 6.8.3. */
  holdOffAll(): void {
    this.setCount(s.quiet, this.engine.instructions + 1);
    this.holdOff();
    this.engine.attention();
  }

  /** A debug trap is due behind the current instruction: `bits` of DR6. */
  trapLater(bits: number): void {
    this.set(s.debugPending, this.get(s.debugPending) | bits);
    this.engine.attention();
  }

  // --- translations

  /** As MOV CR3 (`keepGlobal`), or a change of how tables are read. */
  flushTlb(keepGlobal = false): void {
    if (!keepGlobal) {
      this.#largeFrom = 2 ** 32;
      this.#largeTo = 0;
    }
    this.engine.flushTlb(keepGlobal);
  }

  flushPage(address: number): void {
    if (address >= this.#largeFrom && address < this.#largeTo) this.flushTlb();
    else this.engine.flushPage(address);
  }

  /** The engine keeps a large page in pieces of 4 KiB: it is remembered that there are some. */
  noteLarge(from: number, size: number): void {
    this.#largeFrom = Math.min(this.#largeFrom, from);
    this.#largeTo = Math.max(this.#largeTo, from + size);
  }

  // --- privilege and mode

  setCpl(cpl: number): void {
    this.set(s.cpl, cpl);
    this.chooseTlb();
  }

  /** To be called when CPL, CR0.AM or EFLAGS.AC changed. Alignment is checked at ring 3 alone: SDM vol. 3 section 6.15, #AC. */
  chooseTlb(): void {
    const checks = (this.get(s.cr0) & Cr0.am) !== 0 && (this.get(s.eflags) & Flag.ac) !== 0;
    this.engine.selectTlb(this.cpl !== 3 ? 0 : checks ? 2 : 1);
  }

  /** To be called when CS, SS, DS, ES, CR0 or EFLAGS.VM changed: how code is decoded follows from them. */
  updateMode(): void {
    const rights = (n: number) => this.get(s.rights[n] as Slot);
    const base = (n: number) => this.get(s.base[n] as Slot);
    const open = (n: number) => base(n) === 0 && this.get(s.limit[n] as Slot) === -1;
    const data = (n: number) => isFlatData(base(n), this.get(s.limit[n] as Slot), rights(n));
    const flat =
      data(s.segment.ds) &&
      data(s.segment.es) &&
      data(s.segment.ss) &&
      open(s.segment.cs) &&
      (rights(s.segment.cs) & Right.readWrite) !== 0;
    const v86 = this.v86;
    this.set(
      s.engine.mode,
      ((rights(s.segment.cs) & Right.big) !== 0 ? s.Mode.d32 : 0) |
        ((rights(s.segment.ss) & Right.big) !== 0 ? s.Mode.ss32 : 0) |
        (flat ? s.Mode.flat : 0) |
        (this.cpl === 3 ? s.Mode.user : 0) |
        (this.paragraphs ? s.Mode.real : 0) |
        (v86 ? s.Mode.v86 : 0),
    );
    this.set(s.engine.fetchBase, base(s.segment.cs));
    const limit = this.get(s.limit[s.segment.cs] as Slot);
    if (limit !== -1) {
      // Code runs out of a segment through its last page or the one behind it; what was known of them was known for another segment.
      const end = (base(s.segment.cs) + limit) >>> 0;
      this.engine.forgetFetch(end);
      this.engine.forgetFetch((end + 1) >>> 0);
    }
  }
}

/** Whether a data segment is all of memory and writable, so that nobody need look at it. */
export function isFlatData(base: number, limit: number, rights: number): boolean {
  return base === 0 && limit === -1 && (rights & flatRights.mask) === flatRights.value;
}

/** The rights of such a segment: present, writable, not expand-down. */
export const flatRights = {
  mask: Right.segment | Right.present | Right.code | Right.direction | Right.readWrite,
  value: Right.segment | Right.present | Right.readWrite,
} as const;
