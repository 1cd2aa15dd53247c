import type { Builder, Value } from "../../ir/builder.ts";
import type { Fields, Form } from "../../ir/frontend.ts";
import type { Slot } from "../../ir/slots.ts";
import type { HelperName } from "./helpers.ts";
import { Attribute, type Operand, type Row, specialShift, Variant } from "./pattern.ts";
import { cr, ov, so } from "./slots.ts";

const cr0 = cr[0] as Slot;

/**
 * One instruction while its IR is built: its operands by the names of their fields, the way into memory, the record bits.
 * Where an operand lies follows from the row (see `Operand`).
 */
export class Instruction {
  readonly b: Builder;
  readonly row: Row;
  readonly variant: number;
  readonly #fields: Fields;

  constructor(b: Builder, fields: Fields, row: Row, variant: number) {
    this.b = b;
    this.#fields = fields;
    this.row = row;
    this.variant = variant;
  }

  // --- what the form says

  /** Rc, or LK of a branch. */
  get record(): boolean {
    return (this.variant & Variant.record) !== 0;
  }

  /** OE, or AA of a branch. */
  get overflow(): boolean {
    return (this.variant & Variant.overflow) !== 0;
  }

  get debug(): boolean {
    return (this.variant & Variant.debug) !== 0;
  }

  /** RA is 0. */
  get plain(): boolean {
    return (this.variant & Variant.plain) !== 0;
  }

  /** RS and RB are one register. */
  get same(): boolean {
    return (this.variant & Variant.same) !== 0;
  }

  /** BO, TO, SPR, FXM, the first register: what the row has. */
  get special(): number {
    return this.variant >> specialShift;
  }

  // --- registers

  get rt(): Value {
    return this.b.getAt(this.#fields.u16(0), 4);
  }

  set rt(value: Value) {
    this.b.setAt(this.#fields.u16(0), 4, value);
  }

  /** The same field as RT, in instructions whose result goes to RA. */
  get rs(): Value {
    return this.rt;
  }

  get ra(): Value {
    return this.b.getAt(this.#fields.u16(1), 4);
  }

  set ra(value: Value) {
    this.b.setAt(this.#fields.u16(1), 4, value);
  }

  get rb(): Value {
    return this.b.getAt(this.#fields.u16(2), 4);
  }

  /** A floating-point register by its operand: 0 FRT, 1 FRA, 2 FRB, 3 FRC. */
  fpr(k: number): Value {
    return this.b.getAt(this.#fields.u16(k), 8);
  }

  setFpr(value: Value): void {
    this.b.setAt(this.#fields.u16(0), 8, value);
  }

  /** Where FRA and FRB lie, for a helper that reads them. */
  get places(): readonly [Value, Value] {
    return [this.#fields.u16(1), this.#fields.u16(2)];
  }

  /** Where FRA, FRB and FRC lie; one that the row does not have lies where FRB does, or FRA. */
  get floatPlaces(): readonly Value[] {
    const { operands } = this.row;
    const has = (operand: Operand) => operands.includes(operand);
    const other = has("FB") ? 2 : 1;
    return [has("FA") ? 1 : other, other, has("FC") ? 3 : other].map((k) => this.#fields.u16(k));
  }

  /** Where CR field BF lies. */
  get fieldPlace(): Value {
    return this.#fields.u16(3);
  }

  /** Where FRT or RT lies, for a helper that writes it. */
  get place(): Value {
    return this.#fields.u16(0);
  }

  // --- immediates

  /** SI, UI, BD, LI or the instruction word. */
  get immediate(): Value {
    return this.#fields.i32(6);
  }

  get mask(): Value {
    return this.#fields.i32(7);
  }

  /** SH, NB. */
  get shift(): Value {
    return this.#fields.u16(4);
  }

  // --- condition register

  /** Field BF. */
  setField(value: Value): void {
    this.b.setAt(this.#fields.u16(3), 4, value);
  }

  get sourceField(): Value {
    return this.b.getAt(this.#fields.u16(5), 4);
  }

  /** Bit BI or BC, 0 or 1. */
  get condition(): Value {
    const { b } = this;
    return b.and(b.shrU(b.getAt(this.#fields.u16(3), 4), this.#fields.u16(4)), b.i32(1));
  }

  /** Bit BA (1) or BB (2), 0 or 1. */
  crBit(k: 1 | 2): Value {
    const { b } = this;
    return b.and(b.shrU(b.getAt(this.#fields.u16(k), 4), this.#fields.u16(k + 3)), b.i32(1));
  }

  /** Bit BT becomes bit 0 of the value. */
  setCrBit(value: Value): void {
    const { b } = this;
    const place = this.#fields.u16(3);
    const others = b.and(b.getAt(this.#fields.u16(0), 4), b.not(b.shl(b.i32(1), place)));
    b.setAt(this.#fields.u16(0), 4, b.or(others, b.shl(value, place)));
  }

  /** CR0 as a result compares with 0, when Rc asks for it. Book I, "Condition Register". */
  recordResult(value: Value): void {
    if (this.record) this.setCr0(value);
  }

  setCr0(value: Value): void {
    const { b } = this;
    const sign = b.select(b.ltS(value, b.i32(0)), b.i32(8), b.select(b.eqz(value), b.i32(2), b.i32(4)));
    b.set(cr0, b.or(sign, this.summary));
  }

  /** XER[SO], which every comparison copies. That it is 0 or 1 is said again, so that the other bits of a field follow from what was compared alone. */
  get summary(): Value {
    return this.b.and(this.b.get(so), this.b.i32(1));
  }

  /** OV and, with it, SO, when OE asks for it. `value` is 0 or 1 and is computed then only. */
  recordOverflow(value: () => Value): void {
    if (!this.overflow) return;
    const { b } = this;
    const overflowed = value();
    b.set(ov, overflowed);
    b.set(so, b.or(b.get(so), overflowed));
  }

  // --- memory, big-endian

  /** (RA|0) + displacement. */
  get displaced(): Value {
    return this.b.add(this.ra, this.immediate);
  }

  /** (RA|0) + RB. */
  get indexed(): Value {
    return this.b.add(this.ra, this.rb);
  }

  /** Zero-extended. */
  load(width: 1 | 2 | 4, address: Value): Value {
    const value = this.loadReversed(width, address);
    return width === 1 ? value : width === 4 ? this.b.op("bswap", value) : this.#swap16(value);
  }

  store(width: 1 | 2 | 4, address: Value, value: Value): void {
    this.storeReversed(
      width,
      address,
      width === 1 ? value : width === 4 ? this.b.op("bswap", value) : this.#swap16(value),
    );
  }

  /** In the byte order which the IR has, little-endian. */
  loadReversed(width: 1 | 2 | 4, address: Value): Value {
    this.#watch(address, width, false);
    return this.b.load(width, address);
  }

  storeReversed(width: 1 | 2 | 4, address: Value, value: Value): void {
    this.#watch(address, width, true);
    this.b.store(width, address, value);
  }

  /** Eight bytes as an i64. */
  loadDouble(address: Value): Value {
    this.#watch(address, 8, false);
    return this.b.op("bswap", this.b.load(8, address));
  }

  storeDouble(address: Value, value: Value): void {
    this.#watch(address, 8, true);
    this.b.store(8, address, this.b.op("bswap", value));
  }

  /** Refuses an address that is no multiple of `width`. */
  align(address: Value, width: number, store: boolean): void {
    const { b } = this;
    b.if(b.and(address, b.i32(width - 1)), () => this.exit("alignment", address, b.i32(store ? 1 : 0)));
  }

  /** Bits 15..0 with their bytes in the other order; what is above bit 15 of the result is 0 if it was 0. */
  #swap16(value: Value): Value {
    const { b } = this;
    return b.or(b.shl(b.and(value, b.i32(0xff)), b.i32(8)), b.and(b.shrU(value, b.i32(8)), b.i32(0xff)));
  }

  #watch(address: Value, width: number, write: boolean): void {
    if (this.debug) this.call("dataAddress", address, this.b.i32(width | (write ? 0x100 : 0)));
  }

  // --- control

  call(helper: HelperName, ...args: Value[]): Value {
    return this.b.call(helper, ...args);
  }

  exit(helper: HelperName, ...args: Value[]): void {
    this.b.exit(helper, ...args);
  }
}

/** The form of a row and a variant; made once. */
export function formOf(row: Row, variant: number): Form {
  let form = row.forms.get(variant);
  if (form === undefined) {
    form = {
      name: nameOf(row, variant),
      ends: row.has(Attribute.ends),
      body: (b, fields) => {
        const i = new Instruction(b, fields, row, variant);
        if (i.debug) i.call("instructionAddress");
        row.body(i);
      },
    };
    row.forms.set(variant, form);
  }
  return form;
}

function nameOf(row: Row, variant: number): string {
  const branch = row.has(Attribute.branch);
  return [
    row.mnemonic,
    (variant & Variant.overflow) !== 0 ? (branch ? "a" : "o") : "",
    (variant & Variant.record) !== 0 ? (branch ? "l" : ".") : "",
    (variant & Variant.plain) !== 0 ? " ra=0" : "",
    (variant & Variant.same) !== 0 ? " rs=rb" : "",
    variant >> specialShift !== 0 ? ` #${variant >> specialShift}` : "",
    (variant & Variant.debug) !== 0 ? " debug" : "",
  ].join("");
}
