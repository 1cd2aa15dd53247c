import { Attribute, type OperandSpec, type Row } from "../../src/cpu/x86/pattern.ts";
import { codeAt, dataAt, stackTop } from "../support/x86-vectors.ts";
import type { Random } from "./random.ts";
import { type Element, le, longestCode, type Opcode } from "./x86-case.ts";
import {
  baseOf,
  codeSelectors,
  dataSelectors,
  descriptor,
  flatCode,
  flatData,
  oddDataSelectors,
  stackSelectors,
} from "./x86-segments.ts";

const corners = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

/** A number of 32 bits, mostly one at the edge of something. */
export function someValue(random: Random): number {
  return random.below(3) > 0 ? random.pick(corners) : random.word();
}

/** Segments by number, as prefixes name them. */
const overrides = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const [es, cs, ss, ds] = [0, 1, 2, 3] as const;

/** Pairs of 16-bit addressing: SDM vol. 2 table 2-1. */
const pairs: readonly (readonly number[])[] = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]];

/** Those whose register forms are other instructions, of later processors. */
const others = new Set(["lgdt", "lidt", "invlpg", "bound"]);

/** What may be asked of an encoding besides its opcode. */
export interface Wishes {
  /** The first of a case, whose registers are known. */
  readonly first: boolean;
  /** Memory or a register for the r/m operand, where it may be either. */
  readonly memory?: boolean;
  /** The operand's bytes, which decide how near the end of memory it may lie. */
  readonly width?: number;
  /** A power of two which its address is to be a multiple of. */
  readonly alignment?: number;
}

/**
 * Encodes instructions so that they mostly have something to work on: it keeps the registers and the memory that a case will begin with, and bends them
 * to what it encodes.
 */
export class Maker {
  readonly random: Random;
  readonly registers: number[];
  readonly memory: Uint8Array;
  readonly selectors: readonly number[];
  /** Where the code begins, as an offset in CS. */
  readonly eip: number;
  /** Registers that addresses were made with, a bit each: another value would lead elsewhere. */
  fixed = 1 << 4;
  /** Addresses have to stay as they are: alignment, or a jump by way of memory. */
  exact = false;
  /** Bytes of memory from here on are what the code looks for. */
  pinned = 64;
  readonly elements: Element[] = [];
  #at = 0;
  /** Values at the edge of something and no others. */
  readonly #edges: boolean;
  /** 16-bit code. */
  readonly #code16: boolean;

  constructor(random: Random, segments: boolean, edges = false) {
    this.random = random;
    this.#edges = edges;
    this.selectors = segments ? this.#segments() : [flatData, flatCode, flatData, flatData, 0, 0];
    const code = descriptor(this.#selector(cs));
    this.#code16 = code?.big === false;
    this.eip = codeAt - (code?.base ?? 0);
    this.registers = Array.from({ length: 8 }, () => (random.once(3) ? this.pointer(ds) : this.value()));
    this.registers[4] = this.#stackPointer();
    this.memory = new Uint8Array(64);
  }

  #selector(segment: number): number {
    return this.selectors[segment] as number;
  }

  /** Flat ones half of the time, else some that are not. */
  #segments(): number[] {
    const { random } = this;
    const flat = random.once(2);
    const data = () =>
      flat || random.once(2) ? flatData : random.once(3) ? random.pick(oddDataSelectors) : random.pick(dataSelectors);
    const extra = () =>
      random.once(3) ? 0 : random.once(4) ? random.pick(oddDataSelectors) : random.pick(dataSelectors);
    return [
      data(),
      random.once(6) ? random.pick(codeSelectors) : flatCode,
      random.once(10) ? random.pick(stackSelectors) : flatData,
      data(),
      extra(),
      extra(),
    ];
  }

  value(): number {
    return this.#edges ? this.random.pick(corners) : someValue(this.random);
  }

  /** Into memory, as an offset in a segment. */
  pointer(segment: number): number {
    return (dataAt + this.random.below(60) - this.base(segment)) >>> 0;
  }

  base(segment: number): number {
    return baseOf(this.#selector(segment));
  }

  /** Mostly in the middle of the stack, sometimes at an edge. */
  #stackPointer(): number {
    const { random } = this;
    const base = this.base(ss);
    const where = random.below(32);
    const distance = random.below(40);
    if (where === 0) return (stackTop - 0x1000 + distance - base) >>> 0;
    if (where === 1) return (stackTop + 0x1000 - distance - base) >>> 0;
    return (where < 6 ? stackTop - (distance & 15) - base : stackTop - base) >>> 0;
  }

  /** Bytes that are left for code. */
  get room(): number {
    return longestCode - this.#at;
  }

  add(mnemonic: string, bytes: readonly number[]): void {
    this.elements.push({ mnemonic, bytes });
    this.#at += bytes.length;
  }

  /** Prefixes that give operands (and addresses) of 32 bits wherever the code is. */
  get wide(): readonly number[] {
    return this.#code16 ? [0x66] : [];
  }

  get wideAddress(): readonly number[] {
    return this.#code16 ? [0x67] : [];
  }

  /** Gives an instruction the registers it can do something with. Before anything is encoded, since that looks at them. */
  suit(row: Row): void {
    const { random, registers } = this;
    const has = (letters: string) => row.operands.some((o) => letters.includes(o.letter));
    if (has("XY") || row.mnemonic.includes("maskmov")) {
      registers[6] = this.pointer(ds);
      registers[7] = random.once(16) ? this.value() : this.pointer(row.mnemonic.includes("maskmov") ? ds : es);
      registers[1] = random.once(40) ? this.value() : random.below(12);
      this.fixed |= 0xc2;
    }
    if (has("B")) {
      registers[3] = (this.pointer(ds) - ((registers[0] as number) & 0xff)) >>> 0;
      this.fixed |= 9;
    }
    if (/^bt/.test(row.mnemonic)) {
      registers[2] = random.once(2) ? random.below(256) : -random.below(256) >>> 0;
      this.fixed |= 4;
    }
    if (/^i?div/.test(row.mnemonic) && !random.once(3)) {
      registers[2] = random.below(4);
      this.fixed |= 4;
    }
    if (/^(loop|jcxz)/.test(row.mnemonic)) {
      registers[1] = random.below(3);
      this.fixed |= 2;
    }
    if (/^(leave|enter)/.test(row.mnemonic)) {
      registers[5] = random.once(2) ? this.pointer(ss) : (stackTop - 4 * random.below(8) - this.base(ss)) >>> 0;
      this.fixed |= 0x20;
    }
    if (/^(call|jmp)$/.test(row.mnemonic)) {
      registers[0] = this.far();
      this.fixed |= 1;
    }
  }

  /** INT3s from where a change of the low bytes does not easily lead back to the code; an offset in CS. */
  far(): number {
    return this.eip + 0x800 + this.random.below(0x400);
  }

  /** Somewhere in the INT3s around the code. */
  #landing(): number {
    return this.random.once(2) ? this.eip + longestCode + this.random.below(64) : this.eip - 1 - this.random.below(64);
  }

  encode(opcode: Opcode, wishes: Wishes): number[] {
    const { row } = opcode;
    const { operands } = row;
    const { random } = this;
    const has = (letters: string) => operands.some((o) => letters.includes(o.letter));
    const branch = has("J");
    const shiftDouble = /^sh[lr]d$/.test(row.mnemonic);
    const vector = opcode.prefix !== undefined || row.mnemonic.includes(".");
    const narrow = !vector && random.once(branch ? 16 : 4) && !(shiftDouble && has("L"));
    // Where the halves of MASKMOVDQU's operand wrap at 64 KiB is the processor's affair.
    const short = random.once(this.#code16 ? 2 : 8) && !row.mnemonic.includes("maskmov");
    const prefixes = [...(narrow !== this.#code16 && !vector ? [0x66] : []), ...(short !== this.#code16 ? [0x67] : [])];
    if (has("XY") && !row.mnemonic.includes("maskmov") && random.below(3) > 0) prefixes.push(random.pick([0xf2, 0xf3]));
    let override: number | undefined;
    if (random.once(10)) {
      override = random.below(6);
      prefixes.unshift(overrides[override] as number);
    }
    // A locked access that is not aligned is slow where hosts watch for them: LOCK comes first, while registers are what is known of them.
    const xchg = row.mnemonic === "xchg";
    const lock = wishes.first && random.once(row.has(Attribute.lock) ? 8 : 200);
    if (lock) prefixes.unshift(0xf0);
    if (random.once(100) && prefixes.length > 0) prefixes.push(...prefixes.slice(0, 2));
    if (opcode.prefix !== undefined) prefixes.splice(random.below(prefixes.length + 1), 0, opcode.prefix);
    if (lock || xchg) this.exact = true;
    const body: number[] = [];
    if (row.modrm || opcode.modrm !== undefined)
      body.push(...this.#modrm(opcode, short, override, lock || xchg, wishes));
    if (row.has(Attribute.level)) body.push(random.once(2) ? 0 : random.below(32), 0);
    else for (const o of operands) body.push(...this.#immediate(row, o, narrow, short, override));
    if (row.has(Attribute.level)) body.push(random.once(4) ? random.below(256) : random.below(6));
    const front = [...prefixes, ...opcode.bytes, ...body];
    if (!branch) return front;
    const width = operands[0]?.size === "b" ? 1 : narrow ? 2 : 4;
    const after = this.eip + this.#at + front.length + width;
    return [...front, ...le(this.#landing() - after, width)];
  }

  #modrm(opcode: Opcode, short: boolean, override: number | undefined, locked: boolean, wishes: Wishes): number[] {
    const { random } = this;
    const { row, bytes, digit } = opcode;
    const { operands } = row;
    const indirect = /^(call|jmp)$/.test(row.mnemonic);
    const bitString = /^bt/.test(row.mnemonic) && operands[1]?.letter === "G";
    const reg = digit ?? (bitString && !random.once(8) ? 2 : random.below(8));
    if (opcode.modrm !== undefined) {
      const modrm = random.pick(opcode.modrm);
      if (modrm >= 0xc0) return [modrm];
    }
    const either = operands.some((o) => "EQW".includes(o.letter));
    const memory = operands.some((o) => o.letter === "M")
      ? opcode.modrm !== undefined || others.has(row.mnemonic) || !random.once(50)
      : either && (wishes.memory ?? random.once(2)) && (wishes.first || !locked);
    if (!memory) return [0xc0 | (reg << 3) | (indirect && !random.once(8) ? 0 : this.#register(row, bytes))];
    const alignment = locked ? 8 : (wishes.alignment ?? 1);
    if (alignment > 1) this.exact = true;
    const anywhere = random.once(16)
      ? this.value()
      : dataAt + random.below(Math.max(1, (row.mnemonic === "bound" ? 57 : 61) - (wishes.width ?? 4) + 4));
    const target = (anywhere & -alignment) >>> 0;
    // A jump by way of memory that leads somewhere.
    if (indirect && wishes.first && target >= dataAt && target <= dataAt + 60)
      this.pin(target - dataAt, le(this.far(), 4));
    return short
      ? this.#memory16(reg, target, override, locked)
      : this.#memory32(reg, target, override, locked || alignment > 1);
  }

  /** Puts bytes into memory which stay there. */
  pin(at: number, bytes: readonly number[]): void {
    this.memory.set(bytes, at);
    this.pinned = Math.min(this.pinned, at);
  }

  #register(row: Row, bytes: readonly number[]): number {
    // ESP as a destination leaves the stack: seldom.
    const number = this.random.below(8);
    const general = !row.operands.some((o) => "NQVW".includes(o.letter));
    return general && number === 4 && bytes.length === 1 && !row.mnemonic.startsWith("push") && !this.random.once(4)
      ? 0
      : number;
  }

  /** Any base, index and scale, and the displacement that makes `target` of what the registers are in the beginning. */
  #memory32(reg: number, target: number, override: number | undefined, exact: boolean): number[] {
    const { random, registers } = this;
    const rm = random.pick([0, 1, 2, 3, 4, 4, 5, 6, 7]);
    let mod = random.below(3);
    let from = rm;
    let value = 0;
    const tail: number[] = [];
    if (rm === 4) {
      const scale = random.below(4);
      const index = random.below(8);
      from = random.below(8);
      if (index !== 4) {
        value = (registers[index] as number) << scale;
        this.fixed |= 1 << index;
      }
      tail.push((scale << 6) | (index << 3) | from);
    }
    const based = !(mod === 0 && from === 5);
    if (based) {
      value += registers[from] as number;
      this.fixed |= 1 << from;
    }
    const base = this.base(override ?? (based && (from === 4 || from === 5) ? ss : ds));
    let displacement = (target - base - value) | 0;
    // What does not fit becomes an address of its own, or a longer form.
    if (mod === 1 && displacement !== (displacement << 24) >> 24) {
      if (!exact && random.once(8)) displacement = (displacement << 24) >> 24;
      else mod = 2;
    }
    if (mod === 0 && from !== 5 && displacement !== 0 && (exact || !random.once(8))) mod = 2;
    const width = mod === 1 ? 1 : mod === 2 || from === 5 ? 4 : 0;
    return [(mod << 6) | (reg << 3) | rm, ...tail, ...le(displacement, width)];
  }

  /** 16-bit addresses reach memory by a segment that begins near it; in others they fault, and that says what the address was. */
  #memory16(reg: number, target: number, override: number | undefined, locked: boolean): number[] {
    const { random, registers } = this;
    const mod = random.below(3);
    const rm = random.below(8);
    const direct = mod === 0 && rm === 6;
    const from = direct ? [] : (pairs[rm] as readonly number[]);
    const base = this.base(override ?? (from.includes(5) ? ss : ds));
    const sum = from.reduce((total, k) => total + (registers[k] as number), 0);
    for (const k of from) this.fixed |= 1 << k;
    const offset = (target - base - sum) & 0xffff;
    // Where nothing is to be reached and an access is locked, it is aligned still.
    if (locked && base === 0) return [0x06 | (reg << 3), ...le(8 * random.below(0x2000), 2)];
    if (mod === 2 || direct) return [(mod << 6) | (reg << 3) | rm, ...le(offset, 2)];
    if (locked || !random.once(3)) return [0x80 | (reg << 3) | rm, ...le(offset, 2)];
    return [(mod << 6) | (reg << 3) | rm, ...le(this.value(), mod)];
  }

  #immediate(row: Row, o: OperandSpec, narrow: boolean, short: boolean, override: number | undefined): number[] {
    const { random } = this;
    if (o.letter === "O") {
      const at = random.once(8) ? this.value() : dataAt + random.below(61) - this.base(override ?? ds);
      return le(at, short ? 2 : 4);
    }
    if (o.letter !== "I" && o.letter !== "U") return [];
    // More than the operand's size has no defined result.
    if (narrow && /^sh[lr]d$/.test(row.mnemonic)) return [random.below(17) | (random.below(8) << 5)];
    return le(this.value(), o.size === "b" ? 1 : o.size === "w" || narrow ? 2 : 4);
  }
}
