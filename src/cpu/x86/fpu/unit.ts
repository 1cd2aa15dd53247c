import type { Core } from "../core.ts";
import * as s from "../slots.ts";
import { Float, Kind } from "./number.ts";
import { Exception, precisions, Rounder } from "./round.ts";

/** Bits of the status word. SDM vol. 1 section 8.1.3. */
export const Condition = { c0: 0x100, c1: 0x200, c2: 0x400, c3: 0x4000, all: 0x4700 } as const;
/** ES and B, which since the 387 are one. */
export const summary = 0x8080;
const exceptions = 0x3f;

const significands = Int32Array.from(s.fpuSignificand, (slot) => slot.index);
const exponents = Int32Array.from(s.fpuExponent, (slot) => slot.index);

/** The x87 register stack and its words, over the state, and how exceptions are taken. */
export class Unit {
  readonly core: Core;
  readonly rounder = new Rounder();
  /** ST(0) or the left operand, the right one, and the result. */
  readonly a = new Float();
  readonly b = new Float();
  readonly r = new Float();

  /** Bits of MXCSR that there are; 0 without SSE. */
  readonly mxcsrBits: number;

  constructor(core: Core, mxcsrBits: number) {
    this.core = core;
    this.mxcsrBits = mxcsrBits;
  }

  // --- words

  get status(): number {
    return this.core.get(s.fpuStatus);
  }

  get control(): number {
    return this.core.get(s.fpuControl);
  }

  get top(): number {
    return this.core.get(s.fpuTop);
  }

  /** The status word as FNSTSW gives it. */
  get statusWord(): number {
    return this.status | (this.top << 11);
  }

  /** ES follows from the flags and the masks, whatever was asked for. */
  setWords(control: number, statusWord: number): void {
    // Bit 6 has no meaning and reads 1; bit 12 is the 287's infinity control, which can be written.
    this.core.set(s.fpuControl, (control & 0x1f3f) | 0x40);
    this.core.set(s.fpuTop, (statusWord >>> 11) & 7);
    this.core.set(s.fpuStatus, statusWord & ~0x3800 & 0xffff);
    this.#summarize();
  }

  #summarize(): void {
    const { status, control } = this;
    const pending = (status & ~control & exceptions) !== 0;
    this.core.set(s.fpuStatus, pending ? status | summary : status & ~summary);
    if (!pending) this.#release();
  }

  /** No exception waits any more: FERR# goes down. */
  #release(): void {
    const { core } = this;
    if (core.get(s.fpuFerr) === 0) return;
    core.set(s.fpuFerr, 0);
    core.wires.coprocessorError?.(0);
  }

  setConditions(value: number, mask: number = Condition.all): void {
    this.core.set(s.fpuStatus, (this.status & ~mask) | value);
  }

  /** FNINIT. SDM vol. 1 section 8.1.5. */
  init(): void {
    const { core } = this;
    core.set(s.fpuUsed, 0);
    for (const slot of [s.fpuOpcode, s.fpuIp, s.fpuCs, s.fpuDp, s.fpuDs]) core.set(slot, 0);
    this.setWords(0x37f, 0);
  }

  /** FNCLEX. */
  clear(): void {
    this.core.set(s.fpuStatus, this.status & 0x7f00);
    this.#release();
  }

  // --- the stack

  physical(i: number): number {
    return (this.top + i) & 7;
  }

  isEmpty(i: number): boolean {
    return ((this.core.get(s.fpuUsed) >>> this.physical(i)) & 1) === 0;
  }

  read(i: number, into: Float): void {
    const { words } = this.core;
    const k = this.physical(i);
    const at = significands[k] as number;
    into.fromExtended(words[exponents[k] as number] as number, words[at + 1] as number, words[at] as number);
  }

  /** As it is, or, when rounding has been at it, as it came out: `exponent` may not lie outside the format. */
  write(i: number, v: Float): void {
    this.writeRaw(this.physical(i), (v.sign << 15) | (v.exponent & 0x7fff), v.hi, v.lo);
  }

  writeRaw(k: number, signExponent: number, hi: number, lo: number): void {
    const { words } = this.core;
    const at = significands[k] as number;
    words[at] = lo;
    words[at + 1] = hi;
    words[exponents[k] as number] = signExponent;
    this.core.set(s.fpuUsed, this.core.get(s.fpuUsed) | (1 << k));
  }

  /** Moves register `from` to register `to`, bit for bit. */
  copy(from: number, to: number): void {
    const { words } = this.core;
    const k = this.physical(from);
    const at = significands[k] as number;
    this.writeRaw(
      this.physical(to),
      words[exponents[k] as number] as number,
      words[at + 1] as number,
      words[at] as number,
    );
  }

  /** The parts of physical register `k`, as they are. */
  rawExponent(k: number): number {
    return this.core.words[exponents[k] as number] as number;
  }

  rawHi(k: number): number {
    return this.core.words[(significands[k] as number) + 1] as number;
  }

  rawLo(k: number): number {
    return this.core.words[significands[k] as number] as number;
  }

  setTop(top: number): void {
    this.core.set(s.fpuTop, top & 7);
  }

  free(i: number): void {
    this.core.set(s.fpuUsed, this.core.get(s.fpuUsed) & ~(1 << this.physical(i)));
  }

  pop(count = 1): void {
    for (let k = 0; k < count; k++) {
      this.free(0);
      this.setTop(this.top + 1);
    }
  }

  // --- exceptions

  /** To be called before anything that may round or raise. */
  begin(): Rounder {
    const { rounder, control } = this;
    rounder.mode = (control >>> 10) & 3;
    rounder.masked = control & exceptions;
    rounder.raised = 0;
    rounder.up = false;
    return rounder;
  }

  get precision(): number {
    return precisions[(this.control >>> 8) & 3] as number;
  }

  /** Raised so far and not masked: those for which an operation is not carried out. SDM vol. 1 section 8.5. */
  get stopped(): boolean {
    const { raised, masked } = this.rounder;
    return (raised & ~masked & (Exception.invalid | Exception.denormal | Exception.zeroDivide)) !== 0;
  }

  /** Overflow or underflow not masked, for which nothing is stored in memory. */
  get withheld(): boolean {
    const { raised, masked } = this.rounder;
    return (raised & ~masked & (Exception.overflow | Exception.underflow)) !== 0;
  }

  /** Puts what was raised into the status word, and into C1 how the result was rounded. */
  commit(): void {
    const { rounder } = this;
    this.core.set(s.fpuStatus, (this.status & ~Condition.c1) | rounder.raised | (rounder.up ? Condition.c1 : 0));
    this.#summarize();
  }

  /** A stack fault: an empty register that is needed, or one in use where something is to be pushed. */
  stackFault(overflow: boolean): void {
    const { rounder } = this;
    rounder.raised |= Exception.invalid | Exception.stack;
    rounder.up = overflow;
  }

  /** Pushes `r`, unless the stack is full; what was raised before is committed too. */
  push(): void {
    if (!this.isEmpty(-1)) {
      this.stackFault(true);
      this.r.indefinite();
    }
    // A denormal that is loaded raises #D and is there all the same, masked or not: so processors do it.
    const { raised, masked } = this.rounder;
    if ((raised & ~masked & Exception.invalid) === 0) {
      this.setTop(this.top - 1);
      this.write(0, this.r);
    }
    this.commit();
  }

  /** Rounds `r` by PC and RC, stores it in ST(to), pops `pops` registers: the end of an operation. */
  finish(to: number, pops: number): void {
    if (!this.stopped) {
      if (this.r.kind === Kind.finite) this.rounder.extended(this.r, this.precision);
      this.write(to, this.r);
      this.pop(pops);
    }
    this.commit();
  }

  /** As `finish` for a result which PC does not touch, and C1 only as rounding left it. */
  finishExact(to: number, pops: number): void {
    const { r, rounder } = this;
    // Functions know of some arguments that their results are inexact; behind an exception of an operand there is no result.
    if (this.stopped) rounder.raised &= ~Exception.precision;
    else {
      const { up } = rounder;
      if (r.kind === Kind.finite) {
        rounder.extended(r, 64);
        rounder.up ||= up;
      }
      this.write(to, r);
      this.pop(pops);
    }
    this.commit();
  }

  /** What an operation that needs registers which are empty does instead. */
  underflow(to: number, pops: number): void {
    this.stackFault(false);
    this.r.indefinite();
    this.finish(to, pops);
  }
}
