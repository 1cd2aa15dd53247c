import { add, compare, divide, multiply, Relation, squareRoot } from "../fpu/arithmetic.ts";
import { convert, Format, type Out } from "../fpu/convert.ts";
import { bias, Float, Kind } from "../fpu/number.ts";
import { Exception, Rounder } from "../fpu/round.ts";

/* SSE and SSE2 arithmetic on one lane, in software. SDM vol. 1 sections 11.5 and 4.8.3. */

/** MXCSR. SDM vol. 1 section 10.2.3. */
export const Mxcsr = { denormalsAreZero: 0x40, flushToZero: 0x8000, initial: 0x1f80 } as const;

export const operations = [
  "add",
  "multiply",
  "subtract",
  "minimum",
  "divide",
  "maximum",
  "root",
  "reciprocal",
  "reciprocalRoot",
] as const;
export type OperationName = (typeof operations)[number];

/** Where lanes lie: single or double precision numbers of the state. */
export interface Words {
  readonly i32: Int32Array;
}

const before = Exception.invalid | Exception.denormal | Exception.zeroDivide;

/** The unit which computes lanes; exceptions of all lanes come together in `raised`. */
export class LaneUnit {
  readonly rounder = new Rounder();
  readonly a = new Float();
  readonly b = new Float();
  readonly r = new Float();
  readonly out: Out = { hi: 0, lo: 0, high: 0 };
  /** Of all lanes. */
  raised = 0;
  #zeroDenormals = false;
  #flush = false;

  begin(mxcsr: number): void {
    const { rounder } = this;
    rounder.mode = (mxcsr >>> 13) & 3;
    rounder.masked = (mxcsr >>> 7) & 0x3f;
    this.raised = 0;
    this.#zeroDenormals = (mxcsr & Mxcsr.denormalsAreZero) !== 0;
    this.#flush = (mxcsr & Mxcsr.flushToZero) !== 0;
  }

  /** What is to be put into MXCSR: where an exception that comes before the operation is not masked, those that come behind it are not there. */
  get flags(): number {
    const { raised } = this;
    return (raised & ~this.rounder.masked & before) !== 0 ? raised & before : raised;
  }

  /** Whether an exception is not masked: nothing is written then. */
  get faults(): boolean {
    return (this.flags & ~this.rounder.masked) !== 0;
  }

  load(v: Float, words: Words, at: number, double: boolean): void {
    const index = at >> 2;
    if (double) v.fromDouble(words.i32[index + 1] as number, words.i32[index] as number);
    else v.fromSingle(words.i32[index] as number);
    if (v.denormal && this.#zeroDenormals) v.zero(v.sign);
  }

  /** Rounds and packs `r` into `out`. */
  #pack(double: boolean): void {
    const { r, rounder, out } = this;
    const tiny = this.#flush && (rounder.masked & Exception.underflow) !== 0 && this.#flushes(double);
    if (tiny) {
      rounder.raised |= Exception.underflow | Exception.precision;
      r.zero(r.sign);
    }
    out.hi = 0;
    convert(r, double ? Format.double : Format.single, rounder, out);
  }

  /** Whether a result is tiny after rounding, and is to be 0 instead. */
  #flushes(double: boolean): boolean {
    const { r, rounder } = this;
    if (r.kind !== Kind.finite) return false;
    probe.copy(r);
    const { raised } = rounder;
    probe.exponent += (double ? 1023 : 127) - bias;
    rounder.masked &= ~Exception.underflow;
    rounder.raised = 0;
    rounder.round(probe, double ? 53 : 24, double ? 0x7ff : 0xff, 0);
    const tiny = (rounder.raised & Exception.underflow) !== 0;
    rounder.masked |= Exception.underflow;
    rounder.raised = raised;
    return tiny;
  }

  /** The first operand's NaN, else the second's. SDM vol. 1 table 4-7, SSE column. */
  #nan(): void {
    const { a, b, r, rounder } = this;
    if (a.kind === Kind.signaling || b.kind === Kind.signaling) rounder.raised |= Exception.invalid;
    r.copy(a.isNaN ? a : b);
    r.kind = Kind.quiet;
    r.hi |= 0x4000_0000;
  }

  /** `a` op `b`; the result is in `out`. */
  arithmetic(operation: number, double: boolean): void {
    const { a, b, r, rounder } = this;
    rounder.raised = 0;
    const name = operations[operation] as OperationName;
    switch (name) {
      case "minimum":
      case "maximum":
        this.#extreme(name === "minimum");
        break;
      case "root":
        if (b.isNaN) {
          a.zero(0);
          this.#nan();
        } else squareRoot(r, b, rounder);
        break;
      case "reciprocal":
      case "reciprocalRoot":
        this.#approximate(name === "reciprocalRoot");
        break;
      default:
        if (a.isNaN || b.isNaN) this.#nan();
        else if (name === "multiply") multiply(r, a, b, rounder);
        else if (name === "divide") divide(r, a, b, rounder);
        else add(r, a, b, name === "subtract", rounder);
    }
    this.#finish(double, name === "minimum" || name === "maximum");
  }

  /** Behind an exception that comes first and is not masked there is no rounding. */
  #finish(double: boolean, exact = false): void {
    const { rounder } = this;
    const { raised } = rounder;
    if ((raised & ~rounder.masked & before) === 0) {
      if (exact) this.#packExact(double);
      else this.#pack(double);
    }
    this.raised |= rounder.raised;
  }

  /** One of the operands again: neither flushed nor called inexact. */
  #packExact(double: boolean): void {
    const { rounder, r, out } = this;
    const { raised, masked } = rounder;
    out.hi = 0;
    // A NaN goes through as it is, and so does a denormal.
    if (r.kind === Kind.signaling) r.kind = Kind.quiet;
    rounder.masked |= Exception.underflow;
    convert(r, double ? Format.double : Format.single, rounder, out);
    rounder.masked = masked;
    rounder.raised = raised;
  }

  /** MIN and MAX: the second operand when one is a NaN, and when both are 0. */
  #extreme(minimum: boolean): void {
    const { a, b, r, rounder } = this;
    const relation = compare(a, b, false, rounder);
    const first = relation === (minimum ? Relation.less : Relation.greater);
    r.copy(first ? a : b);
  }

  /** RCPPS and RSQRTPS: 12 bits are promised; no exception is raised, denormals count as 0. */
  #approximate(root: boolean): void {
    const { a, b, r, rounder } = this;
    const { mode } = rounder;
    if (b.isNaN) {
      a.zero(0);
      this.#nan();
    } else {
      if (b.denormal) b.zero(b.sign);
      if (root && b.kind !== Kind.zero) squareRoot(a, b, rounder);
      else a.copy(b);
      b.copy(a);
      a.set(Kind.finite, 0, bias, 0x8000_0000, 0);
      if (b.isNaN) r.copy(b);
      else divide(r, a, b, rounder);
      // Twelve bits, to nearest.
      r.hi = (r.hi + 0x0008_0000) | 0;
      if (r.kind === Kind.finite && r.hi >= 0) {
        r.hi = 0x8000_0000 | 0;
        r.exponent++;
      }
      r.hi &= 0xfff0_0000;
      r.lo = 0;
      r.ext = 0;
      if (r.kind === Kind.finite && r.exponent <= bias - 127) r.zero(r.sign);
    }
    rounder.mode = mode;
    rounder.raised = 0;
  }

  /** CMPPS and its like: EQ, LT, LE, UNORD and their opposites; gives whether it holds. */
  holds(predicate: number): boolean {
    const { a, b, rounder } = this;
    rounder.raised = 0;
    const ordered = predicate & 3;
    const relation = compare(a, b, ordered === 0 || ordered === 3, rounder);
    this.raised |= rounder.raised;
    const is =
      ordered === 0
        ? relation === Relation.equal
        : ordered === 1
          ? relation === Relation.less
          : ordered === 2
            ? relation === Relation.less || relation === Relation.equal
            : relation === Relation.unordered;
    return (predicate & 4) !== 0 ? !is : is;
  }

  /** COMISS and UCOMISS: the relation as C3, C2, C0 have it. */
  relation(quiet: boolean): number {
    this.rounder.raised = 0;
    const relation = compare(this.a, this.b, quiet, this.rounder);
    this.raised |= this.rounder.raised;
    return relation;
  }

  /** `b` to the other precision. */
  toReal(double: boolean): void {
    const { a, b, r, rounder } = this;
    rounder.raised = 0;
    if (b.isNaN) {
      a.zero(0);
      this.#nan();
    } else {
      if (b.denormal) rounder.raised |= Exception.denormal;
      r.copy(b);
    }
    this.#finish(double);
  }

  /** `b` to a 32-bit integer, in `out.lo`. */
  toInteger(chopped: boolean): void {
    const { b, rounder, out } = this;
    const { mode } = rounder;
    rounder.raised = 0;
    if (chopped) rounder.mode = 3;
    convert(b, Format.int32, rounder, out);
    rounder.mode = mode;
    this.raised |= rounder.raised;
  }

  /** From a 32-bit integer. */
  fromInteger(value: number, double: boolean): void {
    this.rounder.raised = 0;
    this.r.fromInteger(value >> 31, value);
    this.#finish(double);
  }
}

const probe = new Float();
