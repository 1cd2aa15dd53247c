import { registerNumber } from "../../src/cpu/e500/checks.ts";
import { Attribute, type Row } from "../../src/cpu/e500/pattern.ts";
import { accesses, branches, computations, type Element, type Opcode, privileged } from "./e500-opcodes.ts";
import { Random } from "./random.ts";

/** Instructions and the state they begin with, for problem state. */
export interface E500Case {
  /** Which slot of the code area they have: it settles their address. */
  readonly slot: number;
  readonly elements: readonly Element[];
  readonly gpr: readonly number[];
  readonly cr: number;
  readonly xer: number;
  readonly lr: number;
  readonly ctr: number;
  readonly memory: Uint8Array;
  /** Floating-point registers, as words, and FPSCR; undefined where they are not looked at. */
  readonly floats: { readonly words: readonly number[]; readonly fpscr: number } | undefined;
}

/** The code area and the data, as scripts/e500-campaign.c has them. */
export const slots = 512;
export const slotSize = 128;
export const codeOffset = 16;
export const codeWords = 12;
export const codeAt = (slot: number) => 0x1180_0000 + slot * slotSize + codeOffset;
/** The last bytes of a page behind which there is none. */
export const dataAt = 0x5002_0f00;
export const dataSize = 256;

/**
 * A kind of instruction: another processor half brings another of these. `make` gives the word of one of `opcodes`, or undefined when the case has no place
 * for it.
 */
export interface Group {
  readonly name: string;
  /** How often, against the others. */
  readonly weight: number;
  readonly opcodes: readonly Opcode[];
  readonly make: (maker: Maker, opcode: Opcode) => number | undefined;
}

const corners = [
  0, 1, 2, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001,
  0xffff8000, 0xfffffffe, 0xffffffff,
];

const edges = [0, 0xff, 0x80, 0x7f, 1, 0, 0xff, 0xfe];

/** Where the oracle's own program, its stack and the code area lie, and its page at 0x7000: nobody goes there. */
const forbidden = (address: number) => {
  const a = address >>> 0;
  return (
    (a >= 0x6f00 && a < 0x8100) ||
    (a >= 0x0ff0_0000 && a < 0x1200_0000) ||
    (a >= 0x3f00_0000 && a < 0x4200_0000) ||
    (a >= 0x5001_0000 && a < dataAt)
  );
};

/**
 * In a sequence r2 to r7 point into the data and r8 to r11 are small numbers; no instruction but an update form writes them, so that every address is known when
 * the case is made. r6 and r7 are aligned, lie in two reservation granules, and stay.
 */
const scratch = [0, 1, ...Array.from({ length: 20 }, (_, k) => 12 + k)];
const movable = [2, 3, 4, 5];
const fixed = [6, 7];
const bases = [...movable, ...fixed];
const indices = [8, 9, 10, 11];

export class Maker {
  readonly random: Random;
  /** One instruction, whose registers are made to suit it; else a sequence. */
  readonly single: boolean;
  readonly gpr: number[];
  /** Addresses as they will be when the next instruction runs. */
  readonly #now: number[];
  readonly #length: number;
  readonly #slot: number;
  /** LR and CTR lead to an ending. CTR counts the rounds of a loop around all. */
  #lrLeads = true;
  #ctr: "leads" | "counts" | "free";
  #lr: number;
  #ctrValue: number;
  /** No branch skips an update: addresses would not be known. */
  #mayBeSkipped = 0;
  readonly #elements: Element[] = [];
  #floats: { words: number[]; fpscr: number } | undefined;

  constructor(random: Random, slot: number) {
    this.random = random;
    this.#slot = slot;
    this.single = random.once(2);
    this.#length = this.single ? 1 : 2 + random.below(7);
    this.gpr = Array.from({ length: 32 }, () => this.value());
    if (!this.single) {
      for (const k of bases) this.gpr[k] = dataAt + random.below(160);
      this.gpr[6] = dataAt + 4 * random.below(16);
      this.gpr[7] = dataAt + 64 + 4 * random.below(32);
      for (const k of indices) this.gpr[k] = 1 + random.below(96);
      for (const k of [10, 11]) this.gpr[k] = 4 + 4 * random.below(20);
    }
    this.#now = [...this.gpr];
    this.#ctr = this.single ? "free" : random.pick(["leads", "counts", "free", "free"] as const);
    this.#lr = this.place(this.#length + random.below(6));
    this.#ctrValue =
      this.#ctr === "leads"
        ? this.place(this.#length + random.below(6))
        : this.#ctr === "counts"
          ? 1 + random.below(4)
          : random.once(2)
            ? random.below(3)
            : this.value();
  }

  make(groups: readonly Group[]): E500Case {
    const { random } = this;
    const weights = groups.reduce((sum, g) => sum + g.weight, 0);
    let tries = 0;
    while (this.#elements.length < this.#length && tries++ < 100) {
      const group = this.#choose(groups, random.below(weights));
      const opcode = random.pick(group.opcodes);
      const word = group.make(this, opcode);
      if (word !== undefined) this.#elements.push({ mnemonic: opcode.row.mnemonic, word: word >>> 0 });
    }
    if (this.#ctr === "counts") this.#loop();
    return {
      slot: this.#slot,
      elements: this.#elements,
      gpr: this.gpr.map((v) => v >>> 0),
      cr: random.word(),
      xer: ((random.below(8) << 29) | random.below(128)) >>> 0,
      lr: this.#lr >>> 0,
      ctr: this.#ctrValue >>> 0,
      memory: this.#memory(),
      floats: this.#floats,
    };
  }

  /** Random bytes, or edge values. */
  #memory(): Uint8Array {
    const { random } = this;
    const words = Uint32Array.from({ length: dataSize / 4 }, () => random.word());
    const bytes = new Uint8Array(words.buffer);
    if (random.once(4)) for (let k = 0; k < dataSize; k++) bytes[k] = edges[(bytes[k] as number) & 7] as number;
    return bytes;
  }

  #choose(groups: readonly Group[], at: number): Group {
    let left = at;
    for (const group of groups) {
      if (left < group.weight) return group;
      left -= group.weight;
    }
    return groups[0] as Group;
  }

  /** Index of the next instruction. */
  get index(): number {
    return this.#elements.length;
  }

  /** Address of the instruction or ending of this index. */
  place(index: number): number {
    return codeAt(this.#slot) + 4 * index;
  }

  value(): number {
    return this.random.below(3) > 0 ? this.random.pick(corners) : this.random.word();
  }

  /** The floating-point registers take part: `words` are 64, and are made once. */
  floats(words: () => number[], fpscr: () => number): void {
    this.#floats ??= { words: words(), fpscr: fpscr() };
  }

  /** A register that may be written. */
  target(): number {
    return this.single ? this.random.below(32) : this.random.pick(scratch);
  }

  // --- computations

  /** Whatever has registers and numbers for operands. */
  computation({ row, word }: Opcode): number | undefined {
    const { random, single } = this;
    const has = (operand: string) => (row.operands as readonly string[]).includes(operand);
    let w = this.#variant(row, word);
    const put = (shift: number, field: number) => {
      w |= field << shift;
    };
    if (has("T")) put(21, this.target());
    if (has("A") || has("A0")) put(16, this.target());
    if (has("B"))
      // What cannot be divided has no defined result, which nothing may look at.
      put(11, /^div/.test(row.mnemonic) && !single ? random.pick(indices) : random.below(32));
    if (has("SI") || has("UI") || has("SIS") || has("UIS"))
      put(0, (random.pick(corners) & 0xffff) ^ (random.once(3) ? random.below(0x10000) : 0));
    if (has("SH")) put(11, random.below(32));
    if (has("M")) {
      put(6, random.below(32));
      put(1, random.below(32));
    }
    if (has("BF")) put(23, random.below(8));
    if (has("BFA")) put(18, random.below(8));
    if (has("BC")) w = (w & ~0x7c0) | (random.below(32) << 6);
    if (has("BT")) put(21, random.below(32));
    if (has("BA")) put(16, random.below(32));
    if (has("BB")) put(11, random.below(32));
    if (row.has(Attribute.first) && !has("T")) put(21, random.below(32));
    if (row.has(Attribute.fields)) put(12, this.#fields(row));
    if (row.has(Attribute.register)) return this.#special(row, w);
    return w;
  }

  /** mfocrf has no defined result but one field of it. */
  #fields(row: Row): number {
    const { random } = this;
    if (row.mnemonic === "mfcr") return this.single && random.once(2) ? 0x100 | (0x80 >> random.below(8)) : 0;
    return random.once(2) ? 0x100 | (0x80 >> random.below(8)) : random.below(256);
  }

  #special(row: Row, w: number): number | undefined {
    const { random, single } = this;
    const number = random.pick([1, 8, 9]);
    const writes = row.mnemonic === "mtspr";
    // Bits of XER that are not there may come back or not.
    if (!single && number === 1 && (writes ? this.#ctr === "counts" : this.#elements.some(isMtxer))) return undefined;
    // A second round would go where LR leads then.
    if (writes && number === 8 && this.#ctr === "counts") return undefined;
    if (writes && number === 8) this.#lrLeads = false;
    if (writes && number === 9) {
      if (this.#ctr === "counts") return undefined;
      this.#ctr = "free";
    }
    return w | ((number & 31) << 16) | ((number >> 5) << 11);
  }

  /** Rc and OE. */
  #variant(row: Row, word: number): number {
    const { random } = this;
    const record = row.mnemonic === "stwcx." || (row.has(Attribute.record) && random.once(2)) ? 1 : 0;
    return word | record | (row.has(Attribute.overflow) && random.once(2) ? 0x400 : 0);
  }

  // --- accesses

  /** Loads, stores and cache instructions, by their operands. `first` is the field of RT or FRT. */
  access(opcode: Opcode, first = this.target()): number | undefined {
    const { row } = opcode;
    const several = row.mnemonic === "lmw" || row.mnemonic === "stmw";
    let t = first;
    if (several) t = this.single && !this.random.once(3) ? this.random.below(32) : 12 + this.random.below(20);
    const word = this.#variant(row, opcode.word) | (row.operands[0] === "A0" ? 0 : t << 21);
    const aligned = several || /arx|wcx/.test(row.mnemonic);
    return this.single ? this.#anyAccess(row, word, t, aligned) : this.#knownAccess(row, word, aligned, several);
  }

  /** Somewhere in the data, now and then over its end. */
  #address(aligned: boolean, size: number): number {
    const { random } = this;
    const limit = random.once(24) ? dataSize : dataSize - size;
    const at = dataAt + random.below(limit);
    return aligned && !(this.single && size === 9 && random.once(8)) ? at & -4 : at;
  }

  /** Any registers; they get the values which make the address. */
  #anyAccess(row: Row, word: number, t: number, aligned: boolean): number | undefined {
    const { random, gpr } = this;
    const has = (operand: string) => (row.operands as readonly string[]).includes(operand);
    const several = row.mnemonic === "lmw" || row.mnemonic === "stmw";
    let a = has("A0") && random.once(8) ? 0 : random.below(32);
    // A base among what is loaded is an invalid form, and so is an update of no register or of the one that is loaded.
    if (row.mnemonic === "lmw" && a >= t) a = 0;
    if (!has("A0") && (a === 0 || (a === t && row.check !== undefined))) a = t === 4 ? 5 : 4;
    const zero = has("A0") && a === 0;
    const far = random.once(32);
    const address = far
      ? random.pick(corners) & (aligned ? -4 : -1)
      : this.#address(aligned, several ? 4 * (32 - t) : 9);
    if (has("B")) {
      const b = random.below(32);
      if (zero) gpr[b] = address;
      else if (a === b) gpr[b] = ((address & -2) >>> 1) | (random.once(2) ? 0x8000_0000 : 0);
      else gpr[b] = (address - (gpr[a] as number)) >>> 0;
      const sum = (zero ? 0 : (gpr[a] as number)) + (gpr[b] as number);
      if (forbidden(sum) && !inside(sum)) return undefined;
      return word | (a << 16) | (b << 11);
    }
    const any = (random.pick(corners) & 0xffff) ^ (random.once(3) ? random.below(0x10000) : 0);
    const d = zero && aligned ? any & -4 : any;
    const displacement = (d << 16) >> 16;
    if (zero ? forbidden(displacement) : forbidden(address)) return undefined;
    if (!zero) gpr[a] = (address - displacement) >>> 0;
    return word | (a << 16) | d;
  }

  /** Pointers and small numbers as they are. */
  #knownAccess(row: Row, word: number, aligned: boolean, several: boolean): number | undefined {
    const { random } = this;
    const now = this.#now;
    const updates = !row.operands.includes("A0");
    if (updates && (this.#mayBeSkipped > this.index || this.#ctr === "counts")) return undefined;
    const a = random.pick(updates ? movable : bases);
    if (!row.operands.includes("B")) {
      const t = (word >>> 21) & 31;
      const before = now[a] as number;
      const address = this.#address(aligned, several ? 4 * (32 - t) : 9);
      if (updates) now[a] = address;
      return word | (a << 16) | ((address - before) & 0xffff);
    }
    if (aligned || (!updates && random.once(4))) return word | (random.pick(aligned ? fixed : bases) << 11);
    const b = random.pick(indices);
    const sum = (now[a] as number) + (now[b] as number);
    if (!inside(sum)) return undefined;
    if (updates) {
      now[a] = sum;
      return word | (a << 16) | (b << 11);
    }
    return random.once(2) ? word | (a << 16) | (b << 11) : word | (b << 16) | (a << 11);
  }

  // --- branches

  branch({ row, word }: Opcode): number | undefined {
    const { random } = this;
    const k = this.index;
    const lk = random.once(3) ? 1 : 0;
    const skip = 1 + random.below(this.#length - k + 4);
    let bo = row.mnemonic === "b" ? 0 : random.below(32);
    const counts = row.mnemonic !== "b" && (bo & 4) === 0;
    if (row.mnemonic === "bcctr") {
      if (this.single) {
        this.#ctrValue = this.place(k + 1 + random.below(5)) + random.below(4);
        bo |= 4;
      } else if (this.#ctr !== "leads" || counts) return undefined;
    }
    if (row.mnemonic === "bclr" && !this.#lrLeads) return undefined;
    if (counts && row.mnemonic !== "bcctr") {
      if (this.#ctr === "counts") return undefined;
      this.#ctr = "free";
    }
    if (lk !== 0) this.#lrLeads = false;
    this.#mayBeSkipped = Math.max(
      this.#mayBeSkipped,
      /lr|ctr/.test(row.mnemonic) ? Number.POSITIVE_INFINITY : k + skip,
    );
    const w = word | lk | (bo << 21);
    if (row.mnemonic === "b") return w | (skip << 2);
    if (row.mnemonic === "bc") return w | (random.below(32) << 16) | (skip << 2);
    return w | (random.below(32) << 16);
  }

  /** bdnz to somewhere before. */
  #loop(): void {
    const back = 1 + this.random.below(this.index);
    this.#elements.push({ mnemonic: "bc", word: ((16 << 26) | (16 << 21) | ((-4 * back) & 0xfffc)) >>> 0 });
  }

  // --- what is refused

  /** Anything in its fields. */
  refused({ word }: Opcode): number | undefined {
    return this.single ? word | (this.random.word() & 0x03ff_f800) : undefined;
  }
}

const inside = (address: number) => address >>> 0 >= dataAt && address >>> 0 < dataAt + dataSize;
const isMtxer = ({ mnemonic, word }: Element) => mnemonic === "mtspr" && registerNumber(word) === 1;

export const integer: readonly Group[] = [
  { name: "computations", weight: 60, opcodes: computations, make: (m, o) => m.computation(o) },
  { name: "accesses", weight: 50, opcodes: accesses, make: (m, o) => m.access(o) },
  { name: "branches", weight: 20, opcodes: branches, make: (m, o) => m.branch(o) },
  { name: "privileged", weight: 1, opcodes: privileged, make: (m, o) => m.refused(o) },
];

/** Case `number` of a seed. */
export function e500Case(seed: number, number: number, groups: readonly Group[] = integer): E500Case {
  for (let stream = number; ; stream += 2 ** 40) {
    const c = new Maker(new Random(seed, stream), number % slots).make(groups);
    if (c.elements.length > 0) return c;
  }
}
