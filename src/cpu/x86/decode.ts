import type { Decoded } from "../../ir/frontend.ts";
import { formOf } from "./instruction.ts";
import { Attribute, Kind, kindShift, levelShift, op, Repeat, Row, repeatShift, Variant } from "./pattern.ts";
import { prefixed, prefixed3a, prefixed38 } from "./simd/table-simd.ts";
import { base, fpuSignificand, gpr, Mode, segment, xmm, zero } from "./slots.ts";
import { generalProtection, undefinedOpcode } from "./system-bodies.ts";
import { oneByte } from "./table.ts";
import { twoByte } from "./table-0f.ts";

/** Longer instructions are #GP(0): SDM vol. 2 section 2.3.11. */
const longest = 15;

const undefinedRow = op("undefined", "", undefinedOpcode, Attribute.ends);
const refusedRow = op("refused", "", generalProtection, Attribute.ends);

const bases = Int32Array.from(base, (slot) => slot.offset);
const registers = Int32Array.from(gpr, (slot) => slot.offset);
/** AL, CL, DL, BL, AH, CH, DH, BH. */
const byteRegisters = Int32Array.from({ length: 8 }, (_, k) => (registers[k & 3] as number) + (k >> 2));
const mmxRegisters = Int32Array.from(fpuSignificand, (slot) => slot.offset);
const xmmRegisters = Int32Array.from({ length: 8 }, (_, k) => xmm[2 * k]?.offset ?? 0);
const ebx = gpr[3]?.offset ?? 0;
const esp = gpr[4]?.offset ?? 0;
const ebp = gpr[5]?.offset ?? 0;
const esi = gpr[6]?.offset ?? 0;
const edi = gpr[7]?.offset ?? 0;
/** The pairs of 16-bit addressing: SDM vol. 2 table 2-1. */
const bases16 = Int32Array.of(ebx, ebx, ebp, ebp, esi, edi, ebp, ebx);
const indexes16 = Int32Array.of(esi, edi, esi, edi, zero.offset, zero.offset, zero.offset, zero.offset);
const overflowing = 16;

/**
 * Finds the form of an instruction and its operands: SDM vol. 2 chapter 2. Operands are numbered as `ir/frontend.ts` has it: 0 the
 * register of ModRM's reg or of the opcode, 1 that of r/m, 2 base and 3 index as offsets in the state, 4 where the base of
 * the segment lies, 5 the scale or a far pointer's selector, 6 the immediate, 7 the displacement.
 *
 * One decoder is used again and again and makes nothing but forms that were not there yet.
 */
class Decoder {
  #bytes: Uint8Array = new Uint8Array(0);
  #available = 0;
  #at = 0;
  #operands = new Int32Array(8);
  /** Segment prefix 0..5, or -1. */
  #override = -1;
  #d32 = false;
  #a32 = false;
  #flat = false;

  decode(bytes: Uint8Array, available: number, mode: number, into: Decoded): boolean {
    this.#bytes = bytes;
    this.#available = available;
    this.#at = 0;
    this.#operands = into.operands;
    this.#override = -1;
    this.#flat = (mode & Mode.flat) !== 0;
    const row = this.#instruction(mode, into);
    if (this.#at > longest) return this.#finish(available < longest ? undefined : refusedRow, 0, longest, into);
    return this.#finish(this.#at > available ? undefined : row, into.length, this.#at, into);
  }

  /** `variant` was left in `length`, which says in the end how long the instruction is. No row: more bytes are needed. */
  #finish(row: Row | undefined, variant: number, length: number, into: Decoded): boolean {
    if (row === undefined) return false;
    into.form = formOf(row, variant);
    into.length = length;
    return true;
  }

  /** Bytes that are not there read as 0; `#at` then shows that they were asked for. */
  #byte(): number {
    const at = this.#at++;
    return at < this.#available && at < overflowing ? (this.#bytes[at] as number) : 0;
  }

  #signedByte(): number {
    return (this.#byte() << 24) >> 24;
  }

  #word(): number {
    const low = this.#byte();
    return low | (this.#byte() << 8);
  }

  #long(): number {
    const low = this.#word();
    return low | (this.#word() << 16);
  }

  #instruction(mode: number, into: Decoded): Row {
    const d32 = (mode & Mode.d32) !== 0;
    this.#d32 = d32;
    this.#a32 = d32;
    let lock = false;
    let repeat: number = Repeat.none;
    let opcode = 0;
    prefixes: for (;;) {
      if (this.#at > longest || this.#at > this.#available) return undefinedRow;
      opcode = this.#byte();
      switch (opcode) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
          this.#override = (opcode >> 3) & 3;
          break;
        case 0x64:
        case 0x65:
          this.#override = opcode & 7;
          break;
        case 0x66:
          this.#d32 = !d32;
          break;
        case 0x67:
          this.#a32 = !d32;
          break;
        case 0xf0:
          lock = true;
          break;
        case 0xf2:
          repeat = Repeat.whileNotEqual;
          break;
        case 0xf3:
          repeat = Repeat.whileEqual;
          break;
        default:
          break prefixes;
      }
    }
    let entry = oneByte[opcode];
    if (opcode === 0x0f) {
      opcode = this.#byte();
      // One of the prefixes may be part of the opcode; F2 and F3 come before 66.
      const third = opcode === 0x38 ? prefixed38 : opcode === 0x3a ? prefixed3a : undefined;
      if (third !== undefined) opcode = this.#byte();
      const choice = (third ?? prefixed)[opcode];
      if (choice === undefined) entry = third === undefined ? twoByte[opcode] : undefined;
      else if (repeat === Repeat.none) entry = choice[this.#d32 !== d32 ? 1 : 0];
      else entry = choice[repeat === Repeat.whileEqual ? 2 : 3];
    }
    if (entry === undefined) return undefinedRow;
    let modrm = -1;
    let row: Row | undefined;
    if (entry instanceof Row) {
      row = entry;
      if (row.modrm) modrm = this.#byte();
    } else {
      modrm = this.#byte();
      row = entry[modrm >= 0xc0 && entry.length > 8 ? 8 + (modrm & 0x3f) : (modrm >> 3) & 7];
      if (row === undefined) return undefinedRow;
    }
    const { attributes } = row;
    if ((attributes & Attribute.protected) !== 0 && (mode & (Mode.real | Mode.v86)) !== 0) return undefinedRow;
    let variant = (this.#d32 ? Variant.o32 : 0) | (repeat << repeatShift);
    if ((mode & Mode.ss32) !== 0) variant |= Variant.ss32;
    if (this.#flat) variant |= Variant.flatStack;
    else variant |= Variant.checkNear;
    if ((mode & Mode.v86) !== 0) variant |= Variant.v86;
    const kind = this.#operandsOf(row, opcode, modrm);
    if (kind < 0) return undefinedRow;
    if (lock && ((attributes & Attribute.lock) === 0 || kind === Kind.register)) return undefinedRow;
    variant |= kind << kindShift;
    // In a flat segment only 32-bit addresses are flat, and a register has none: one form for both.
    if (this.#a32 || ((row.facets & Variant.kind) !== 0 && kind !== Kind.segmented)) variant |= Variant.a32;
    if ((attributes & Attribute.level) !== 0) variant |= (this.#byte() & 31) << levelShift;
    if ((attributes & Attribute.privileged) !== 0 && (mode & Mode.user) !== 0) return refusedRow;
    into.length = variant;
    return row;
  }

  /** Fills the operands and says how the memory operand, if any, is reached; -1 for an operand that may not be. */
  #operandsOf(row: Row, opcode: number, modrm: number): number {
    const { operands } = row;
    const fields = this.#operands;
    let kind: number = Kind.register;
    if (modrm >= 0) {
      // x87: what ModRM was is all that a helper needs.
      fields[6] = modrm;
      for (let k = 0; k < operands.length; k++) {
        const { letter, size } = operands[k] as (typeof operands)[number];
        const number = (modrm >> 3) & 7;
        if (letter === "G") fields[0] = registerOffset(number, size);
        else if (letter === "C" || letter === "D") {
          // #UD comes before #GP for a control register that there is not.
          if (letter === "C" && (number === 1 || number > 4)) return -1;
          fields[0] = number;
        } else if (letter === "R") fields[1] = registerOffset(modrm & 7, size);
        else if (letter === "S") {
          // There are six, and CS cannot be loaded by MOV.
          if (number > segment.gs || (k === 0 && number === segment.cs)) return -1;
          fields[0] = number;
        } else if (letter === "N") fields[0] = mmxRegisters[number] as number;
        else if (letter === "V") fields[0] = xmmRegisters[number] as number;
        else if (letter === "Q" && modrm >= 0xc0) fields[1] = mmxRegisters[modrm & 7] as number;
        else if (letter === "W" && modrm >= 0xc0) fields[1] = xmmRegisters[modrm & 7] as number;
        else if (letter === "E" && modrm >= 0xc0) fields[1] = registerOffset(modrm & 7, size);
        else if (letter === "M" && modrm >= 0xc0) return -1;
        else if (letter === "E" || letter === "M" || letter === "Q" || letter === "W")
          kind = this.#memory(modrm, k === 0);
      }
      // POP addresses its operand with ESP as it is after the pop.
      if (opcode === 0x8f && kind !== Kind.register && fields[2] === esp)
        fields[7] = (fields[7] as number) + (this.#d32 ? 4 : 2);
    }
    for (let k = 0; k < operands.length; k++) {
      const { letter, size } = operands[k] as (typeof operands)[number];
      switch (letter) {
        case "Z":
          fields[0] = registerOffset(opcode & 7, size);
          break;
        case "T":
          fields[0] = (opcode >> 3) & 7;
          break;
        case "I":
        case "J":
          fields[6] = size === "b" ? this.#signedByte() : this.#d32 ? this.#long() : (this.#word() << 16) >> 16;
          break;
        case "U":
          fields[6] = size === "b" ? this.#byte() : this.#word();
          break;
        case "P":
          fields[6] = this.#d32 ? this.#long() : this.#word();
          fields[5] = this.#word();
          break;
        case "O":
          fields[7] = this.#a32 ? this.#long() : this.#word();
          kind = this.#reach(segment.ds, k === 0);
          break;
        case "B":
          kind = this.#reach(segment.ds, false);
          break;
        case "X":
          // The third operand is MASKMOVQ's, which is written.
          kind = this.#reach(segment.ds, k === 2);
          break;
        case "Y":
          // MOVS and CMPS have X as well, whose prefix decides for both.
          if (kind === Kind.register) kind = this.#flat && this.#a32 ? Kind.flat : Kind.segmented;
          break;
        default:
          break;
      }
    }
    if (row.operands.length === 2 && row.operands[0]?.letter === "Y") return this.#reach(segment.ds, false);
    return kind;
  }

  /** Which segment an address is in by default or by prefix, and whether it must be added and checked. */
  #reach(usual: number, written: boolean): number {
    const number = this.#override >= 0 ? this.#override : usual;
    this.#operands[4] = bases[number] as number;
    if (!this.#flat || !this.#a32 || number > segment.ds) return Kind.segmented;
    return number === segment.cs && written ? Kind.segmented : Kind.flat;
  }

  /** A memory operand by ModRM: tables 2-1 to 2-3. */
  #memory(modrm: number, written: boolean): number {
    return this.#a32 ? this.#memory32(modrm, written) : this.#memory16(modrm, written);
  }

  #memory16(modrm: number, written: boolean): number {
    const fields = this.#operands;
    const mod = modrm >> 6;
    const rm = modrm & 7;
    let from = bases16[rm] as number;
    fields[3] = indexes16[rm] as number;
    fields[5] = 0;
    if (mod === 0) {
      fields[7] = rm === 6 ? this.#word() : 0;
      if (rm === 6) from = zero.offset;
    } else {
      fields[7] = mod === 1 ? this.#signedByte() : this.#word();
    }
    fields[2] = from;
    return this.#reach(from === ebp ? segment.ss : segment.ds, written);
  }

  #memory32(modrm: number, written: boolean): number {
    const fields = this.#operands;
    const mod = modrm >> 6;
    let from = registers[modrm & 7] as number;
    let index = zero.offset;
    let scale = 0;
    let long = mod === 2;
    if ((modrm & 7) === 4) {
      const sib = this.#byte();
      from = registers[sib & 7] as number;
      if (((sib >> 3) & 7) !== 4) {
        index = registers[(sib >> 3) & 7] as number;
        scale = sib >> 6;
      }
    }
    if (mod === 0 && from === ebp) {
      from = zero.offset;
      long = true;
    }
    fields[2] = from;
    fields[3] = index;
    fields[5] = scale;
    fields[7] = long ? this.#long() : mod === 1 ? this.#signedByte() : 0;
    const kind = this.#reach(from === esp || from === ebp ? segment.ss : segment.ds, written);
    return kind === Kind.flat && index !== zero.offset ? Kind.indexed : kind;
  }
}

function registerOffset(number: number, size: string): number {
  return (size === "b" ? byteRegisters[number] : registers[number]) as number;
}

const decoder = new Decoder();

/** As `FrontEnd.decode` has it. Nothing is kept from one instruction to the next, so one decoder serves every machine. */
export function decode(bytes: Uint8Array, available: number, _pc: number, mode: number, into: Decoded): boolean {
  return decoder.decode(bytes, available, mode, into);
}
