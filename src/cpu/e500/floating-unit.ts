import {
  Exact,
  fused,
  fusedModerate,
  isPlainProduct,
  moderate,
  product,
  productError,
  quotient,
  quotientError,
  root,
  same,
  sum,
  sumError,
} from "../ieee/exact.ts";
import { double, Rounded, round, single, Trap } from "../ieee/round.ts";
import { Fpscr } from "./constants.ts";

/*
 * Floating-point arithmetic. Power ISA 2.06 Book I chapter 4: what an instruction computes from its operands and FPSCR, and what it
 * says of the result. Nothing here changes registers.
 */

/** Extended opcodes, the five bits that all of them differ in. */
export const Xo = {
  frsp: 12,
  fctiw: 14,
  fctiwz: 15,
  fdiv: 18,
  fsub: 20,
  fadd: 21,
  fres: 24,
  fmul: 25,
  frsqrte: 26,
  fmsub: 28,
  fmadd: 29,
  fnmsub: 30,
  fnmadd: 31,
} as const;

const singles = 59;
const quietNan = 0x7ff8_0000;
/** An inexact result below the true one in magnitude, and above it. */
const below = Fpscr.xx | Fpscr.fi;
const above = Fpscr.xx | Fpscr.fi | Fpscr.fr;

export class FloatingUnit {
  /** The result, as the bits of FRT. */
  high = 0;
  low = 0;
  /** Exceptions, FR and FI, where FPSCR has them. */
  status = 0;
  /** FPRF where FPSCR has it. */
  class = 0;
  readonly #exact = new Exact();
  readonly #rounded = new Rounded();
  readonly #number = new Float64Array(1);
  readonly #bits = new Int32Array(this.#number.buffer);
  #words: Int32Array = new Int32Array(0);
  #floats: Float64Array = new Float64Array(0);
  #fpscr = 0;
  #single = false;

  /** Where operands lie: the state, in two views of the same bytes. */
  attach(words: Int32Array): void {
    if (this.#words === words) return;
    this.#words = words;
    this.#floats = new Float64Array(words.buffer, words.byteOffset, words.length >> 1);
  }

  /** Whether the target stays as it is: an invalid operation or a division by zero that is enabled. */
  get suppressed(): boolean {
    const { status } = this;
    const fpscr = this.#fpscr;
    return (
      ((status & Fpscr.invalid) !== 0 && (fpscr & Fpscr.ve) !== 0) ||
      ((status & Fpscr.zx) !== 0 && (fpscr & Fpscr.ze) !== 0)
    );
  }

  /** Computes what the instruction says; FRA, FRB and FRC lie at `a`, `b` and `c` of the state. */
  compute(word: number, a: number, b: number, c: number, fpscr: number): void {
    this.#fpscr = fpscr;
    this.#single = word >>> 26 === singles;
    this.status = 0;
    const floats = this.#floats;
    const x = floats[a >> 3] as number;
    const y = floats[b >> 3] as number;
    const z = floats[c >> 3] as number;
    switch ((word >>> 1) & 31) {
      case Xo.fadd:
        if (!this.#quickSum(x, y) && !this.#nan(x, a, y, b, 0, b)) this.#add(x, y);
        return;
      case Xo.fsub:
        if (!this.#quickSum(x, -y) && !this.#nan(x, a, y, b, 0, b)) this.#add(x, -y);
        return;
      case Xo.fmul:
        if (!this.#quickProduct(x, z) && !this.#nan(x, a, z, c, 0, c)) this.#multiply(x, z);
        return;
      case Xo.fdiv:
        if (!this.#quickQuotient(x, y) && !this.#nan(x, a, y, b, 0, b)) this.#divide(x, y);
        return;
      case Xo.fmadd:
      case Xo.fnmadd:
        if (!this.#quickFused(x, z, y)) this.#multiplyAdd(x, a, z, c, y, b, y);
        break;
      case Xo.fmsub:
      case Xo.fnmsub:
        if (!this.#quickFused(x, z, -y)) this.#multiplyAdd(x, a, z, c, y, b, -y);
        break;
      case Xo.frsp:
        this.#single = true;
        if (!this.#nan(y, b, 0, b, 0, b)) {
          this.#asItIs(y);
        }
        return;
      case Xo.fres:
        if (!this.#nan(y, b, 0, b, 0, b)) this.#divide(1, y);
        return;
      case Xo.frsqrte:
        if (!this.#nan(y, b, 0, b, 0, b)) this.#reciprocalRoot(y);
        return;
      case Xo.fctiw:
        this.#toInteger(y, b, fpscr & 3);
        return;
      default:
        this.#toInteger(y, b, 1);
        return;
    }
    // "Floating Negative Multiply-Add": rounded first, then negated; a NaN keeps its sign.
    const negates = ((word >>> 1) & 31) >= Xo.fnmsub;
    if (negates && (this.high & 0x7ff8_0000) < quietNan) this.#set(this.high ^ (0x8000_0000 | 0), this.low);
  }

  // --- results

  #set(high: number, low: number): void {
    this.high = high;
    this.low = low;
    this.class = classOf(high, low, this.#single);
  }

  #setNumber(value: number): void {
    this.#number[0] = value;
    this.#set(this.#bits[1] as number, this.#bits[0] as number);
  }

  #invalid(exception: number): void {
    this.status |= exception;
    this.#set(quietNan, 0);
  }

  /** "Floating-Point Data", NaNs: the first operand that is one, made quiet. Gives whether there was any. */
  #nan(x: number, a: number, y: number, b: number, z: number, c: number): boolean {
    if (!Number.isNaN(x) && !Number.isNaN(y) && !Number.isNaN(z)) return false;
    const words = this.#words;
    if (this.#signals(x, a) || this.#signals(y, b) || this.#signals(z, c)) this.status |= Fpscr.vxsnan;
    const at = (Number.isNaN(x) ? a : Number.isNaN(y) ? b : c) >> 2;
    const low = words[at] as number;
    this.#set((words[at + 1] as number) | 0x0008_0000, this.#single ? low & 0xe000_0000 : low);
    return true;
  }

  #signals(x: number, at: number): boolean {
    return Number.isNaN(x) && ((this.#words[(at >> 2) + 1] as number) & 0x0008_0000) === 0;
  }

  /** Rounds the exact result, which is not 0. */
  #finish(): void {
    const exact = this.#exact;
    if (exact.scale === 0 && this.#nearest(exact.value, exact.error)) return;
    this.#round(this.#single);
    // A single whose exponent was adjusted is a normalized number.
    if (this.#rounded.tiny && (this.#fpscr & Fpscr.ue) !== 0) this.#single = false;
    this.#setNumber(this.#rounded.value);
  }

  // --- the common case: to nearest, nothing enabled, operands and result well inside of their format. What it is not is left alone.

  #quickSum(x: number, y: number): boolean {
    const value = x + y;
    return this.#nearest(value, sumError(x, y, value));
  }

  #quickProduct(x: number, y: number): boolean {
    const value = x * y;
    return isPlainProduct(x, y, value) && this.#nearest(value, productError(x, y, value));
  }

  #quickQuotient(x: number, y: number): boolean {
    if (!moderate(x) || !moderate(y)) return false;
    const value = x / y;
    return this.#nearest(value, quotientError(x, y, value));
  }

  #quickFused(x: number, y: number, z: number): boolean {
    const exact = this.#exact;
    return fusedModerate(x, y, z, exact) && exact.scale === 0 && this.#nearest(exact.value, exact.error);
  }

  /** Takes the number to nearest, and an error with the sign of its true one. Gives whether it was the common case. */
  #nearest(value: number, error: number): boolean {
    const magnitude = Math.abs(value);
    if ((this.#fpscr & (Fpscr.enables | 3)) !== 0 || !(magnitude > 2 ** -800 && magnitude <= 2 ** 1000)) return false;
    const number = this.#number;
    const bits = this.#bits;
    number[0] = value;
    let status = 0;
    if (!this.#single) {
      if (error !== 0) status = error < 0 === value > 0 ? above : below;
    } else {
      if (!(magnitude > 2 ** -120 && magnitude < 2 ** 120)) return false;
      // In the middle between two singles, as far as 53 bits tell.
      if (error !== 0 && ((bits[0] as number) & 0x1fff_ffff) === 0x1000_0000) return false;
      const result = Math.fround(value);
      number[0] = result;
      if (result !== value) status = Math.abs(result) > magnitude ? above : below;
      else if (error !== 0) status = error < 0 === value > 0 ? above : below;
    }
    this.status |= status;
    this.low = bits[0] as number;
    this.high = bits[1] as number;
    this.class = value < 0 ? 0x8000 : 0x4000;
    return true;
  }

  #round(toSingle: boolean): void {
    const rounded = this.#rounded;
    const fpscr = this.#fpscr;
    const underflowTraps = (fpscr & Fpscr.ue) !== 0;
    const traps = ((fpscr & Fpscr.oe) !== 0 ? Trap.overflow : 0) | (underflowTraps ? Trap.underflow : 0);
    round(this.#exact, toSingle ? single : double, fpscr & 3, traps, rounded);
    let { status } = this;
    if (rounded.overflow) status |= Fpscr.ox;
    // "Underflow Exception": a tiny result that is not exact; when it is enabled, any tiny one.
    if (rounded.tiny && (rounded.inexact || underflowTraps)) status |= Fpscr.ux;
    if (rounded.inexact) status |= rounded.up ? above : below;
    this.status = status;
  }

  // --- operations on what is no NaN

  #asItIs(x: number): void {
    if (infinite(x) || x === 0) this.#setNumber(x);
    else {
      same(x, this.#exact);
      this.#finish();
    }
  }

  #add(x: number, y: number): void {
    const plain = x + y;
    if (Number.isNaN(plain)) this.#invalid(Fpscr.vxisi);
    else if (infinite(x) || infinite(y)) this.#setNumber(plain);
    else if (plain === 0) this.#setZero(plain, Object.is(x, y));
    else {
      sum(x, y, this.#exact);
      this.#finish();
    }
  }

  /** A sum that is exactly 0, as it is to nearest: to minus infinity it is -0 unless both terms have one sign. */
  #setZero(nearest: number, ofOneSign: boolean): void {
    this.#setNumber((this.#fpscr & 3) === 3 && !ofOneSign ? -0 : nearest);
  }

  #multiply(x: number, y: number): void {
    const plain = x * y;
    if (Number.isNaN(plain)) this.#invalid(Fpscr.vximz);
    else if (infinite(x) || infinite(y) || x === 0 || y === 0) this.#setNumber(plain);
    else {
      product(x, y, this.#exact);
      this.#finish();
    }
  }

  #divide(x: number, y: number): void {
    const plain = x / y;
    if (Number.isNaN(plain)) this.#invalid(x === 0 ? Fpscr.vxzdz : Fpscr.vxidi);
    else if (infinite(x) || infinite(y) || x === 0) this.#setNumber(plain);
    else if (y === 0) {
      this.status |= Fpscr.zx;
      this.#setNumber(plain);
    } else {
      quotient(x, y, this.#exact);
      this.#finish();
    }
  }

  /** `addend` is `y` or its negative; the NaN that counts is `y`. */
  #multiplyAdd(x: number, a: number, z: number, c: number, y: number, b: number, addend: number): void {
    const isProductInvalid = (infinite(x) && z === 0) || (x === 0 && infinite(z));
    if (isProductInvalid) this.status |= Fpscr.vximz;
    if (this.#nan(x, a, y, b, z, c)) return;
    if (isProductInvalid) {
      this.#invalid(0);
      return;
    }
    if (infinite(x) || infinite(z)) {
      const plain = x * z + addend;
      if (Number.isNaN(plain)) this.#invalid(Fpscr.vxisi);
      else this.#setNumber(plain);
      return;
    }
    if (infinite(addend)) {
      this.#setNumber(addend);
      return;
    }
    if (x === 0 || z === 0) {
      if (addend === 0) this.#setZero(x * z + addend, Object.is(x * z, addend));
      else this.#asItIs(addend);
      return;
    }
    fused(x, z, addend, this.#exact);
    if (this.#exact.value === 0) this.#setZero(0, false);
    else this.#finish();
  }

  /**
   * frsqrte. The architecture asks for 1/32 of the true value; this is the root and its reciprocal, each rounded, as QEMU has it.
   */
  #reciprocalRoot(y: number): void {
    if (y < 0) {
      this.#invalid(Fpscr.vxsqrt);
    } else if (y === 0) {
      this.status |= Fpscr.zx;
      this.#setNumber(1 / y);
    } else if (infinite(y)) {
      this.#setNumber(0);
    } else {
      root(y, this.#exact);
      this.#round(false);
      this.#divide(1, this.#rounded.value);
    }
  }

  /** fctiw: what does not fit gives the nearest that does, and is invalid. Bits 0 to 31 are undefined: the sign, here. */
  #toInteger(y: number, b: number, mode: number): void {
    const integer = Number.isNaN(y) ? y : rounded(y, mode);
    this.class = 0;
    if (!(integer >= -(2 ** 31) && integer <= 2 ** 31 - 1)) {
      if (this.#signals(y, b)) this.status |= Fpscr.vxsnan;
      this.status |= Fpscr.vxcvi;
      this.low = integer > 0 ? 0x7fff_ffff : 0x8000_0000 | 0;
    } else {
      this.low = integer | 0;
      if (integer !== y) {
        this.status |= Math.abs(integer) > Math.abs(y) ? above : below;
      }
    }
    this.high = this.low >> 31;
  }
}

const infinite = (x: number) => Math.abs(x) === Number.POSITIVE_INFINITY;

/** To an integer; 2^52 and more are integers already. */
function rounded(x: number, mode: number): number {
  switch (mode) {
    case 0: {
      const below = Math.floor(x);
      const part = x - below;
      return part > 0.5 || (part === 0.5 && below % 2 !== 0) ? below + 1 : below;
    }
    case 1:
      return Math.trunc(x);
    case 2:
      return Math.ceil(x);
    default:
      return Math.floor(x);
  }
}

/** FPRF as "Floating-Point Result Flags" has it: the class C, and FL FG FE FU. A single's class is its own. */
function classOf(high: number, low: number, isSingle: boolean): number {
  const field = (high >>> 20) & 0x7ff;
  const negative = high < 0;
  if (field === 0x7ff) {
    if ((high & 0x000f_ffff) !== 0 || low !== 0) return 0x1_1000;
    return negative ? 0x0_9000 : 0x0_5000;
  }
  if (field === 0 && ((high & 0x000f_ffff) | low) === 0) return negative ? 0x1_2000 : 0x0_2000;
  if (field < (isSingle ? 1 + single.least + 1022 : 1)) return negative ? 0x1_8000 : 0x1_4000;
  return negative ? 0x0_8000 : 0x0_4000;
}
