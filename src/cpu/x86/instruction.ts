import type { Builder, Value } from "../../ir/builder.ts";
import type { Fields, Form } from "../../ir/frontend.ts";
import { signed, type Width } from "./flags.ts";
import type { FpuHelpers } from "./fpu/helpers.ts";
import type { HelperName } from "./helpers.ts";
import { type Needs, needsOf } from "./identification.ts";
import { Attribute, Kind, kindShift, levelShift, type OperandSpec, type Row, repeatShift, Variant } from "./pattern.ts";
import type { SimdHelpers } from "./simd/helpers.ts";
import { base, eax, ebx, ecx, edi, esi, esp, limit, rights, segment, selector, step, zero } from "./slots.ts";

/** Distances between what is kept of one segment, from its base. */
const toLimit = (limit[0]?.offset ?? 0) - (base[0]?.offset ?? 0);
const toRights = (rights[0]?.offset ?? 0) - (base[0]?.offset ?? 0);
const bases = base[0]?.offset ?? 0;
const selectors = selector[0]?.offset ?? 0;

/** Present, code or data, not code, not expand-down; and writable. SDM vol. 3 section 3.4.5. */
const readable = { mask: 0x9c00, value: 0x9000 };
const writable = { mask: 0x9e00, value: 0x9200 };

type Purpose = "read" | "write";

/** A far pointer in memory. */
export interface FarPointer {
  readonly selector: Value;
  readonly offset: Value;
}

/**
 * One instruction while its IR is built: its operands by number, the stack, the way into memory. Where an operand lies follows from
 * the form alone (`variant`); which register and which displacement, from fields.
 */
export class Instruction {
  declare b: Builder;
  declare row: Row;
  declare variant: number;
  #fields: Fields;
  /** The offset of the ModRM operand in its segment and its linear address, once somebody asked. */
  #offset: Value | undefined;
  #linear: Value | undefined;
  #purpose: Purpose = "read";

  constructor(b: Builder, fields: Fields, row: Row, variant: number) {
    this.b = b;
    this.#fields = fields;
    this.row = row;
    this.variant = variant;
  }

  /** The next instruction, in place of this one. */
  next(b: Builder, fields: Fields, row: Row, variant: number): this {
    this.b = b;
    this.#fields = fields;
    this.row = row;
    this.variant = variant;
    this.#offset = undefined;
    this.#linear = undefined;
    this.#purpose = "read";
    return this;
  }

  /** Operand size in bytes. */
  get size(): 2 | 4 {
    return (this.variant & Variant.o32) !== 0 ? 4 : 2;
  }

  /** Whether addresses have 32 bits. */
  get a32(): boolean {
    return (this.variant & Variant.a32) !== 0;
  }

  get kind(): Kind {
    return ((this.variant & Variant.kind) >> kindShift) as Kind;
  }

  get repeat(): number {
    return (this.variant & Variant.repeat) >> repeatShift;
  }

  /** ENTER's nesting level. */
  get level(): number {
    return (this.variant & Variant.level) >> levelShift;
  }

  get v86(): boolean {
    return (this.variant & Variant.v86) !== 0;
  }

  // --- operands

  spec(k: number): OperandSpec {
    return this.row.operands[k] as OperandSpec;
  }

  /** Bytes of operand `k`. */
  width(k: number): Width {
    const { size } = this.spec(k);
    return size === "b" ? 1 : size === "w" ? 2 : size === "v" ? this.size : 4;
  }

  /** Whether operand `k` is in memory in this form. */
  inMemory(k: number): boolean {
    const { letter } = this.spec(k);
    return (
      letter === "M" ||
      letter === "O" ||
      letter === "X" ||
      letter === "Y" ||
      letter === "B" ||
      ((letter === "E" || letter === "Q" || letter === "W") && this.kind !== Kind.register)
    );
  }

  /** The value, zero-extended; immediates as the decoder extended them. */
  read(k: number): Value {
    const { b } = this;
    const width = this.width(k);
    switch (this.spec(k).letter) {
      case "I":
      case "U":
        return this.#fields.i32(6);
      case "1":
        return b.i32(1);
      case "S":
      case "T":
        return b.getAt(b.shl(this.#fields.u16(0), b.i32(3)), 2, selectors);
      case "C":
      case "D":
        return this.#fields.u16(0);
      default:
        return this.inMemory(k) ? b.load(width, this.#address(k, width, "read")) : b.getAt(this.register(k), width);
    }
  }

  /** The value as a signed number. */
  signed(k: number): Value {
    const value = this.read(k);
    return this.spec(k).letter === "I" ? value : signed(this.b, this.width(k), value);
  }

  /** As `read`, but faults as a write would: for an operand that is written afterwards. */
  modify(k: number): Value {
    const width = this.width(k);
    return this.inMemory(k) ? this.b.loadRw(width, this.#address(k, width, "write")) : this.read(k);
  }

  modifySigned(k: number): Value {
    return signed(this.b, this.width(k), this.modify(k));
  }

  /** Faults as a write to operand `k` would. */
  probe(k: number): void {
    const width = this.width(k);
    this.b.probe(width, this.#address(k, width, "write"));
  }

  /** Writes the low bytes of `value`. */
  write(k: number, value: Value): void {
    const width = this.width(k);
    if (this.inMemory(k)) this.b.store(width, this.#address(k, width, "write"), value);
    else this.b.setAt(this.register(k), width, value);
  }

  /** Writes two operands, of which only `first` can be in memory. When both are one register, `first` stays. */
  writeBoth(first: number, value: Value, second: number, other: Value): void {
    if (this.inMemory(first)) {
      this.write(first, value);
      this.write(second, other);
    } else {
      this.write(second, other);
      this.write(first, value);
    }
  }

  /** Where register operand `k` lies in the state. */
  register(k: number): Value {
    switch (this.spec(k).letter) {
      case "G":
      case "Z":
      case "N":
      case "V":
        return this.#fields.u16(0);
      case "E":
      case "R":
      case "Q":
      case "W":
        return this.#fields.u16(1);
      case "A":
        return this.b.i32(eax.offset);
      case "L":
        return this.b.i32(ecx.offset);
      default:
        throw new Error(`${this.row.mnemonic}: operand ${k} is no register`);
    }
  }

  /** The number of a segment, control or debug register. */
  registerNumber(): Value {
    return this.#fields.u16(0);
  }

  /** The immediate of an instruction whose operands do not show one. */
  immediate(): Value {
    return this.#fields.i32(6);
  }

  /** The far pointer in the instruction. */
  farImmediate(): FarPointer {
    return { selector: this.#fields.u16(5), offset: this.#fields.i32(6) };
  }

  /** The far pointer in memory: the offset first, the selector behind it. */
  readFar(k: number): FarPointer {
    const { b } = this;
    const at = this.offset(k);
    const offset = b.load(this.size, this.#inSegment(at, this.size, "read"));
    const behind = this.#truncated(b.add(at, b.i32(this.size)));
    return { offset, selector: b.load(2, this.#inSegment(behind, 2, "read")) };
  }

  // --- memory

  /** Offset of memory operand `k` in its segment: what LEA gives. */
  offset(k: number): Value {
    this.#offset ??= this.#truncated(this.#sum(k));
    return this.#offset;
  }

  /** Moves the memory operand: bit strings are addressed from it. */
  moveOperand(k: number, bytes: Value): void {
    this.#offset = this.#truncated(this.b.add(this.offset(k), bytes));
    this.#linear = undefined;
  }

  /** Linear address of `width` bytes at `distance` from memory operand `k`, checked. */
  linear(k: number, width: number, distance: number, purpose: Purpose): Value {
    return this.#inSegment(this.#truncated(this.b.add(this.offset(k), this.b.i32(distance))), width, purpose);
  }

  /** The selector of the segment which the memory operand is in. */
  segmentSelector(): Value {
    return this.b.getAt(this.b.add(this.#fields.u16(4), this.b.i32(selectors - bases)), 2);
  }

  /** Linear address of `width` bytes at DS:EDI, or in the segment of a prefix: MASKMOVQ. */
  implicitData(width: number): Value {
    return this.#inSegment(this.#indexRegister(edi.offset), width, "write");
  }

  /** Linear address of memory operand `k`, unchecked: INVLPG. */
  linearUnchecked(k: number): Value {
    return this.kind === Kind.segmented
      ? this.b.add(this.b.getAt(this.#fields.u16(4), 4), this.offset(k))
      : this.offset(k);
  }

  #address(k: number, width: number, purpose: Purpose): Value {
    if (this.spec(k).letter === "Y") return this.#inEs(this.#indexRegister(edi.offset), width, purpose);
    if (this.spec(k).letter === "X") return this.#inSegment(this.#indexRegister(esi.offset), width, purpose);
    if (this.#linear === undefined || (this.#purpose === "read" && purpose === "write")) {
      this.#linear = this.#inSegment(this.offset(k), width, purpose);
      this.#purpose = purpose;
    }
    return this.#linear;
  }

  #sum(k: number): Value {
    const { b } = this;
    const displacement = this.#fields.i32(7);
    const { letter } = this.spec(k);
    if (letter === "B") return b.add(this.#indexRegister(ebx.offset), b.getAt(b.i32(eax.offset), 1));
    if (letter === "O") return displacement;
    const start = this.#addressPart(2);
    if (this.kind === Kind.flat) return b.add(start, displacement);
    const index = this.#addressPart(3);
    const scaled = this.a32 ? b.shl(index, this.#fields.u16(5)) : index;
    return b.add(b.add(start, scaled), displacement);
  }

  /** Base or index. The zero slot reads as a constant where the register is known. */
  #addressPart(k: 2 | 3): Value {
    const where = this.#fields.u16(k);
    return where.op === "const" && where.imm === zero.offset ? this.b.i32(0) : this.b.getAt(where, 4);
  }

  #truncated(offset: Value): Value {
    return this.kind === Kind.segmented && !this.a32 ? this.b.and(offset, this.b.i32(0xffff)) : offset;
  }

  #indexRegister(register: number): Value {
    return this.b.getAt(this.b.i32(register), this.a32 ? 4 : 2);
  }

  #inSegment(offset: Value, width: number, purpose: Purpose): Value {
    return this.kind === Kind.segmented ? this.#checked(this.#fields.u16(4), offset, width, purpose) : offset;
  }

  /** Linear address in ES, which no prefix replaces in string instructions. */
  #inEs(offset: Value, width: number, purpose: Purpose): Value {
    return this.kind === Kind.segmented
      ? this.#checked(this.b.i32(base[segment.es]?.offset ?? 0), offset, width, purpose)
      : offset;
  }

  /** Adds the base of the segment whose base lies at `where`, after the check of limit and rights. SDM vol. 3 sections 5.3 to 5.5. */
  #checked(where: Value, offset: Value, width: number, purpose: Purpose): Value {
    const { b } = this;
    const plain = purpose === "write" ? writable : readable;
    const wrong = b.ne(b.and(b.getAt(where, 4, toRights), b.i32(plain.mask)), b.i32(plain.value));
    const last = b.getAt(where, 4, toLimit);
    let refused = b.or(wrong, b.ltU(last, offset));
    if (width > 1) refused = b.or(refused, b.ltU(b.sub(last, offset), b.i32(width - 1)));
    b.if(refused, () => {
      const number = b.shrU(b.sub(where, b.i32(bases)), b.i32(3));
      this.call("segmentCheck", number, offset, b.i32(width | (purpose === "write" ? 0x100 : 0)));
    });
    return b.add(b.getAt(where, 4), offset);
  }

  // --- registers that the address size makes 16 or 32 bits wide

  /** CX or ECX by address size. */
  counter(): Value {
    return this.#indexRegister(ecx.offset);
  }

  setCounter(value: Value): void {
    this.b.setAt(this.b.i32(ecx.offset), this.a32 ? 4 : 2, value);
  }

  /** Moves SI, DI (or ESI, EDI) one element on, in the direction of DF. */
  advance(register: "esi" | "edi", width: Width): void {
    const { b } = this;
    const offset = register === "esi" ? esi.offset : edi.offset;
    const distance = b.shl(b.get(step), b.i32(width >> 1));
    b.setAt(b.i32(offset), this.a32 ? 4 : 2, b.add(this.#indexRegister(offset), distance));
  }

  // --- stack

  get #ss32(): boolean {
    return (this.variant & Variant.ss32) !== 0;
  }

  /** The stack pointer moved by `bytes`: ESP, or SP, which wraps at 64 KiB. */
  stackPointer(bytes: number): Value {
    return this.stackOffset(this.b.get(esp), bytes);
  }

  /** An offset into the stack segment, cut to the stack's width. */
  stackOffset(from: Value, bytes: number): Value {
    const { b } = this;
    const moved = b.add(from, b.i32(bytes));
    return this.#ss32 ? moved : b.and(moved, b.i32(0xffff));
  }

  setStackPointer(value: Value): void {
    this.b.setAt(this.b.i32(esp.offset), this.#ss32 ? 4 : 2, value);
  }

  /** All of ESP as `setStackPointer(value)` would leave it. */
  wholeStackPointer(value: Value): Value {
    const { b } = this;
    return this.#ss32 ? value : b.or(b.and(b.get(esp), b.i32(0xffff0000 | 0)), value);
  }

  /** Linear address of `width` bytes at an offset into the stack segment. */
  stackLinear(offset: Value, width: number, purpose: Purpose): Value {
    if ((this.variant & Variant.flatStack) !== 0) return offset;
    return this.#checked(this.b.i32(base[segment.ss]?.offset ?? 0), offset, width, purpose);
  }

  push(value: Value): void {
    const pointer = this.stackPointer(-this.size);
    this.b.store(this.size, this.stackLinear(pointer, this.size, "write"), value);
    this.setStackPointer(pointer);
  }

  /** What lies at the top of the stack; the pointer stays. */
  peek(): Value {
    return this.b.load(this.size, this.stackLinear(this.stackPointer(0), this.size, "read"));
  }

  // --- control

  /** An offset in CS cut to the operand size. */
  nearTarget(target: Value): Value {
    return this.size === 4 ? target : this.b.and(target, this.b.i32(0xffff));
  }

  /** Where a relative branch goes. */
  relativeTarget(): Value {
    return this.nearTarget(this.b.add(this.b.nextPc(), this.#fields.i32(6)));
  }

  /** #GP(0) when `target` lies outside CS. Stands before anything the instruction writes. */
  checkTarget(target: Value): void {
    if ((this.variant & Variant.checkNear) === 0) return;
    const { b } = this;
    b.if(b.ltU(b.getAt(b.i32(limit[segment.cs]?.offset ?? 0), 4), target), () =>
      this.exit("raiseCode", b.i32(13), b.i32(0)),
    );
  }

  exit(helper: HelperName, ...args: Value[]): void {
    this.b.exit(helper, ...args);
  }

  call(helper: HelperName | keyof FpuHelpers | keyof SimdHelpers, ...args: Value[]): Value {
    return this.b.call(helper, ...args);
  }
}

/** A form, and what its instruction came with. */
export interface FormOfModels extends Form {
  readonly needs: Needs;
}

/** One is built at a time. */
let instruction: Instruction | undefined;

/** The form of a row which a variant stands for, made once. */
export function formOf(row: Row, variant: number): FormOfModels {
  const key = variant & row.facets;
  let form = row.forms.get(key);
  if (form === undefined) {
    const body = (b: Builder, fields: Fields) => {
      instruction = instruction?.next(b, fields, row, key) ?? new Instruction(b, fields, row, key);
      row.body(instruction);
    };
    const name = nameOf(row, key);
    form = { name, ends: row.has(Attribute.ends), body, needs: needsOf(name) };
    row.forms.set(key, form);
  }
  return form;
}

const kinds = ["", ".flat", ".index", ".seg"] as const;
const repeats = ["", ".repne", ".rep"] as const;

function nameOf(row: Row, key: number): string {
  const has = (facet: number) => (row.facets & facet) !== 0;
  const is = (facet: number) => (key & facet) !== 0;
  const kind = (key & Variant.kind) >> kindShift;
  const addressed = has(Variant.a32) && (kind === Kind.segmented || !has(Variant.kind));
  return [
    row.pattern === "" ? row.mnemonic : `${row.mnemonic} ${row.pattern}`,
    has(Variant.o32) ? (is(Variant.o32) ? ".32" : ".16") : "",
    kinds[kind],
    addressed ? (is(Variant.a32) ? ".a32" : ".a16") : "",
    has(Variant.ss32) ? (is(Variant.ss32) ? ".ss32" : ".ss16") : "",
    has(Variant.flatStack) && !is(Variant.flatStack) ? ".ss" : "",
    repeats[(key & Variant.repeat) >> repeatShift],
    is(Variant.checkNear) ? ".near" : "",
    is(Variant.v86) ? ".v86" : "",
    is(Variant.level) ? `.level${(key & Variant.level) >> levelShift}` : "",
  ].join("");
}
