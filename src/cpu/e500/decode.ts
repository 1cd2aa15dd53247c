import type { Decoded } from "../../ir/frontend.ts";
import { registerNumber } from "./checks.ts";
import { formOf } from "./instruction.ts";
import { Attribute, op, Row, specialShift, Variant } from "./pattern.ts";
import { cr, fpr, gpr, Mode, zero } from "./slots.ts";
import * as system from "./system-bodies.ts";
import { primary } from "./table.ts";

const illegalRow = op("illegal", "W", system.illegal, Attribute.ends);
const privilegedRow = op("privileged", "", system.privileged, Attribute.ends);

const registers = Int32Array.from(gpr, (slot) => slot.offset);
const floats = Int32Array.from(fpr, (slot) => slot.offset);
const fields = Int32Array.from(cr, (slot) => slot.offset);

/** As `FrontEnd.decode` has it. Instructions are words, in big-endian order. */
export function decode(bytes: Uint8Array, available: number, mode: number, into: Decoded): boolean {
  if (available < 4) return false;
  const word =
    ((bytes[0] as number) << 24) | ((bytes[1] as number) << 16) | ((bytes[2] as number) << 8) | (bytes[3] as number);
  const row = admitted(find(word), word, mode);
  readOperands(row, word, into.operands);
  into.form = formOf(row, variantOf(row, word, mode));
  into.length = 4;
  return true;
}

function find(word: number): Row | undefined {
  const entry = primary[word >>> 26];
  if (entry === undefined || entry instanceof Row) return entry;
  return entry[(word >>> 1) & 0x3ff];
}

function admitted(row: Row | undefined, word: number, mode: number): Row {
  if (row === undefined) return illegalRow;
  const user = (mode & Mode.user) !== 0;
  if (user && row.has(Attribute.privileged)) return privilegedRow;
  const wrong = row.check?.(word, user);
  if (wrong === undefined) return row;
  return wrong === "illegal" ? illegalRow : privilegedRow;
}

function variantOf(row: Row, word: number, mode: number): number {
  const { attributes } = row;
  let variant = (mode & Mode.debug) !== 0 ? Variant.debug : 0;
  if ((attributes & (Attribute.record | Attribute.branch)) !== 0 && (word & 1) !== 0) variant |= Variant.record;
  if ((attributes & Attribute.overflow) !== 0 && (word & 0x400) !== 0) variant |= Variant.overflow;
  if ((attributes & Attribute.branch) !== 0 && (word & 2) !== 0) variant |= Variant.overflow;
  if ((attributes & Attribute.plain) !== 0 && (word & 0x1f_0000) === 0) variant |= Variant.plain;
  if ((attributes & Attribute.same) !== 0 && ((word >>> 21) & 31) === ((word >>> 11) & 31)) variant |= Variant.same;
  return variant | (specialOf(attributes, word) << specialShift);
}

function specialOf(attributes: number, word: number): number {
  if ((attributes & Attribute.first) !== 0) {
    return (attributes & Attribute.branch) !== 0 ? plainBo(first(word)) : first(word);
  }
  if ((attributes & Attribute.register) !== 0) return registerNumber(word);
  if ((attributes & Attribute.fields) !== 0) return (word >>> 12) & 0x1ff;
  return (attributes & Attribute.bit16) !== 0 ? (word >>> 15) & 1 : 0;
}

/** BO without its hints: its last bit, and those bits which another makes meaningless. Book I, "Branch Instructions", on BO. */
function plainBo(bo: number): number {
  return bo & 30 & ((bo & 4) !== 0 ? ~2 : -1) & ((bo & 16) !== 0 ? ~8 : -1);
}

/** Bits 6 to 10, 11 to 15, 16 to 20, 21 to 25 of the word, as the books count. */
const first = (word: number) => (word >>> 21) & 31;
const second = (word: number) => (word >>> 16) & 31;
const third = (word: number) => (word >>> 11) & 31;
const fourth = (word: number) => (word >>> 6) & 31;

function readOperands(row: Row, word: number, into: Int32Array): void {
  const { operands } = row;
  for (let k = 0; k < operands.length; k++) {
    switch (operands[k]) {
      case "T":
        into[0] = registers[first(word)] as number;
        break;
      case "A":
        into[1] = registers[second(word)] as number;
        break;
      case "A0":
        into[1] = second(word) === 0 ? zero.offset : (registers[second(word)] as number);
        break;
      case "B":
        into[2] = registers[third(word)] as number;
        break;
      case "FT":
        into[0] = floats[first(word)] as number;
        break;
      case "FA":
        into[1] = floats[second(word)] as number;
        break;
      case "FB":
        into[2] = floats[third(word)] as number;
        break;
      case "FC":
        into[3] = floats[fourth(word)] as number;
        break;
      case "SI":
        into[6] = (word << 16) >> 16;
        break;
      case "UI":
        into[6] = word & 0xffff;
        break;
      case "SIS":
      case "UIS":
        into[6] = word << 16;
        break;
      case "BD":
        into[6] = ((word << 16) >> 16) & -4;
        break;
      case "LI":
        into[6] = ((word << 6) >> 6) & -4;
        break;
      case "W":
        into[6] = word;
        break;
      case "SH":
        into[4] = third(word);
        break;
      case "M":
        into[7] = mask(fourth(word), (word >>> 1) & 31);
        break;
      case "BF":
        into[3] = fields[first(word) >> 2] as number;
        break;
      case "BFA":
        into[5] = fields[second(word) >> 2] as number;
        break;
      case "BI":
        bit(into, 3, 4, second(word));
        break;
      case "BC":
        bit(into, 3, 4, fourth(word));
        break;
      case "BT":
        bit(into, 0, 3, first(word));
        break;
      case "BA":
        bit(into, 1, 4, second(word));
        break;
      case "BB":
        bit(into, 2, 5, third(word));
        break;
    }
  }
}

function bit(into: Int32Array, field: number, place: number, number: number): void {
  into[field] = fields[number >> 2] as number;
  into[place] = 3 - (number & 3);
}

/** Ones from bit MB to bit ME, around the end when ME is before MB. Book I, "Fixed-Point Rotate Instructions". */
function mask(begin: number, end: number): number {
  const upTo = -1 << (31 - end);
  const from = -1 >>> begin;
  return begin <= end ? from & upTo : from | upTo;
}
