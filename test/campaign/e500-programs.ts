import { Msr } from "../../src/cpu/e500/constants.ts";
import * as s from "../../src/cpu/e500/slots.ts";
import { Bare } from "../cpu/e500/bare.ts";
import { type Group, integer, Maker } from "./e500-cases.ts";
import { floating } from "./e500-opcodes.ts";
import { type StepExecutor, type StepMachine, type StepTarget, stepThreshold } from "./in-step.ts";
import { Random } from "./random.ts";

/*
 * Programs of blocks for problem state, on two pages of code which lie apart in memory: a few random instructions as the campaign has them, with addresses put in order
 * in front of some, and a branch to other blocks.
 */

const page = 4096;
const codeStart = 0x1180_0000;
/** As the campaign's cases have it: the end of a page; one behind comes and goes. */
const dataPage = 0x5002_0000;
const vectors = 0x5004_0000;
const place = { code: [0x10000, 0x18000], data: [0x20000, 0x28000], vectors: 0x40000 } as const;
const wait = 0x7c00_007c;
/** Counters of loops, and an address which walks off the page. */
const own = { counters: 0x800, walker: 0x840 } as const;
const counterCount = 4;

export interface E500Program {
  readonly at: number;
  readonly words: readonly number[];
  readonly blocks: readonly number[];
  /** Where an instruction with an immediate in its lower half lies. */
  readonly immediates: readonly number[];
  readonly gpr: readonly number[];
  readonly fpr: readonly number[];
  readonly counters: readonly number[];
  readonly data: Uint8Array;
}

const kinds: readonly Group[] = integer.filter(({ name }) => name === "computations" || name === "accesses");

const addis = (t: number, a: number, value: number) => ((15 << 26) | (t << 21) | (a << 16) | (value & 0xffff)) >>> 0;
const ori = (t: number, value: number) => ((24 << 26) | (t << 21) | (t << 16) | (value & 0xffff)) >>> 0;
const lwz = (t: number, a: number, d: number) => ((32 << 26) | (t << 21) | (a << 16) | (d & 0xffff)) >>> 0;
const stw = (t: number, a: number, d: number) => ((36 << 26) | (t << 21) | (a << 16) | (d & 0xffff)) >>> 0;
const sth = (t: number, a: number, d: number) => ((44 << 26) | (t << 21) | (a << 16) | (d & 0xffff)) >>> 0;
const addi = (t: number, a: number, value: number) => ((14 << 26) | (t << 21) | (a << 16) | (value & 0xffff)) >>> 0;
const addicDot = (t: number, a: number, value: number) => ((13 << 26) | (t << 21) | (a << 16) | (value & 0xffff)) >>> 0;
const mtspr = (spr: number, t: number) =>
  ((31 << 26) | (t << 21) | ((spr & 31) << 16) | ((spr >> 5) << 11) | (467 << 1)) >>> 0;
const [lr, ctr] = [8, 9];

class Assembler {
  readonly random: Random;
  readonly words: number[] = [];
  readonly blocks: number[] = [];
  readonly immediates: number[] = [];
  readonly #holes: { readonly at: number; readonly block: number; readonly kind: "far" | "near" | "load" }[] = [];
  readonly #count: number;
  readonly #start: number;

  constructor(random: Random, start: number) {
    this.random = random;
    this.#start = start;
    this.#count = 4 + random.below(10);
    for (let k = 0; k < this.#count; k++) {
      this.blocks.push(this.words.length);
      this.#body();
      this.#ending(k);
    }
    this.words.push(0);
    for (const { at, block, kind } of this.#holes) {
      const target = this.blocks[block] as number;
      const word = this.words[at] as number;
      const distance = 4 * (target - at);
      if (kind === "far") this.words[at] = (word | (distance & 0x03ff_fffc)) >>> 0;
      else if (kind === "near") this.words[at] = (word | (distance & 0xfffc)) >>> 0;
      else {
        const address = start + 4 * target;
        this.words[at] = (word | (address >>> 16)) >>> 0;
        this.words[at + 1] = ((this.words[at + 1] as number) | (address & 0xffff)) >>> 0;
      }
    }
  }

  #load(register: number, value: number): void {
    this.immediates.push(this.words.length + 1);
    this.words.push(addis(register, 0, value >>> 16), ori(register, value));
  }

  #body(): void {
    const { random, words } = this;
    if (random.once(4)) {
      for (let k = random.below(6); k >= 0; k--) {
        const { word } = random.pick(floating);
        const registers = (random.below(32) << 21) | (random.below(32) << 16) | (random.below(32) << 11);
        // Forms of four registers have their operation in five bits.
        const fourth = word >>> 26 >= 59 && ((word >>> 1) & 31) >= 18 ? random.below(32) << 6 : 0;
        words.push(
          word >>> 26 >= 59
            ? (word | registers | fourth) >>> 0
            : (word | (random.below(32) << 21) | (2 << 16) | (8 * random.below(8))) >>> 0,
        );
      }
    } else {
      const made = new Maker(random, 0).make(kinds);
      for (const k of [2, 3, 4, 5, 6, 7]) if (random.once(4)) this.#load(k, made.gpr[k] as number);
      for (const { mnemonic, word } of made.elements) if (mnemonic !== "bc") words.push(word);
    }
    if (random.once(3)) this.#walk();
    if (random.once(6)) this.#change();
  }

  /** An address is loaded, moved on, kept, and used. */
  #walk(): void {
    const { random, words } = this;
    words.push(
      addis(20, 0, dataPage >>> 16),
      lwz(21, 20, own.walker),
      addi(21, 21, 1 + random.below(24)),
      stw(21, 20, own.walker),
    );
    words.push(random.pick([lwz(22, 21, 0), stw(22, 21, 0), sth(22, 21, 2), lwz(23, 21, -8)]));
  }

  /** The lower half of an instruction is written: mostly of one whose immediate it is. */
  #change(): void {
    const { random, words, immediates } = this;
    const index =
      immediates.length > 0 && !random.once(6) ? random.pick(immediates) : random.below(Math.max(1, words.length));
    const target = this.#start + 4 * index + 2;
    words.push(addis(20, 0, target >>> 16), ori(20, target), sth(random.below(32), 20, 0));
  }

  #to(word: number, block: number, kind: "far" | "near" | "load"): void {
    this.#holes.push({ at: this.words.length, block, kind });
    this.words.push(word >>> 0);
    if (kind === "load") this.words.push(ori((word >>> 21) & 31, 0));
  }

  #ending(k: number): void {
    const { random, words } = this;
    const any = () => random.below(this.#count);
    const back = () => random.below(k + 1);
    const counter = own.counters + 4 * random.below(counterCount);
    const bc = (bo: number, bi: number) => (16 << 26) | (bo << 21) | (bi << 16);
    switch (random.below(9)) {
      case 0:
        return;
      case 1:
      case 2:
        this.#to(bc(random.pick([4, 12, 4, 12, 0, 8]), random.below(32)), any(), "near");
        return;
      case 3:
      case 4:
        words.push(addis(20, 0, dataPage >>> 16), lwz(21, 20, counter), addicDot(21, 21, -1), stw(21, 20, counter));
        this.#to(bc(4, 2), back(), "near");
        return;
      case 5:
        this.#to(18 << 26, any(), "far");
        return;
      case 6:
        this.#to((18 << 26) | 1, any(), "far");
        return;
      case 7:
        // bclr, sometimes with link
        words.push(((19 << 26) | (20 << 21) | (16 << 1) | (random.once(4) ? 1 : 0)) >>> 0);
        return;
      default:
        this.#to(addis(20, 0, 0), any(), "load");
        words.push(mtspr(random.once(4) ? lr : ctr, 20));
        words.push(((19 << 26) | (20 << 21) | (528 << 1)) >>> 0);
    }
  }
}

function make(seed: number, number: number): E500Program {
  const random = new Random(seed, number);
  // Most of them lie across the end of the first page.
  const at = codeStart + (random.once(4) ? 0x100 : page - 40 - 4 * random.below(120));
  const assembler = new Assembler(random, at);
  const data = Uint8Array.from({ length: page }, () => random.below(256));
  return {
    at,
    words: assembler.words,
    blocks: assembler.blocks.map((index) => at + 4 * index),
    immediates: assembler.immediates.map((index) => at + 4 * index + 2),
    gpr: Array.from({ length: 32 }, (_, k) => (k >= 2 && k < 8 ? dataPage + 0xf00 + random.below(160) : random.word())),
    fpr: Array.from({ length: 64 }, (_, k) =>
      (k & 1) === 1 && !random.once(6) ? ((0x3ff + random.below(9) - 4) << 20) | random.below(1 << 20) : random.word(),
    ),
    counters: Array.from({ length: counterCount }, () => 1 + random.below(random.pick([3, 40, 400]))),
    data,
  };
}

class E500StepMachine implements StepMachine<E500Program> {
  readonly #m: Bare;
  readonly slots = s.slots;
  readonly memory;
  #program: E500Program | undefined;
  #mapped = { code: true, data: true };

  constructor(executor: StepExecutor) {
    const m = new Bare(executor, { memory: 1 << 19, threshold: stepThreshold });
    this.#m = m;
    const part = (name: string, at: number) => [name, m.bytes(at, page)] as const;
    this.memory = [
      part("code", place.code[0]),
      part("code behind", place.code[1]),
      part("data", place.data[0]),
      part("data behind", place.data[1]),
    ];
  }

  begin(program: E500Program): void {
    const m = this.#m;
    this.#program = program;
    m.onEngine?.forgetCode();
    m.onEngine?.resume(0);
    const { words } = m.front.core;
    for (const slot of s.slots) if (!engineWords.has(slot.name)) words.fill(0, slot.index, slot.index + slot.width / 4);
    m.front.core.reset(codeStart, 0, 3);
    this.#map({ code: true, data: true });
    const code = new Uint8Array(2 * page);
    const view = new DataView(code.buffer);
    for (const [k, word] of program.words.entries()) view.setUint32(program.at - codeStart + 4 * k, word);
    for (const k of [0, 1] as const) {
      m.load(place.code[k], code.subarray(k * page, (k + 1) * page));
      m.load(place.data[k], k === 0 ? program.data : new Uint8Array(page));
    }
    for (let k = 0; k < 42; k++) {
      m.set(s.ivor[k], 0x100 + 16 * k);
      m.code(place.vectors + 0x100 + 16 * k, wait);
    }
    m.set(s.spr.IVPR, vectors);
    for (const [k, value] of program.gpr.entries()) m.set(s.gpr[k], value);
    for (const [k, value] of program.fpr.entries()) words[(s.fpr[k >> 1]?.index ?? 0) + (k & 1)] = value;
    for (const [k, value] of program.counters.entries()) m.setWord(place.data[0] + own.counters + 4 * k, value);
    m.set(s.lr, program.blocks[0] ?? 0);
    this.#home(program.at);
  }

  /** The second pages of code and of data are there, or not. */
  #map(mapped: { code: boolean; data: boolean }): void {
    const { core } = this.#m.front;
    const { tlb } = core;
    this.#mapped = mapped;
    const valid = (there: boolean) => (there ? 0x8000_0100 : 0x100);
    tlb.write(tlb.index1(0), 0x8000_0100, codeStart, place.code[0] | 0x3f, 0);
    tlb.write(tlb.index1(1), valid(mapped.code), codeStart + page, place.code[1] | 0x3f, 0);
    tlb.write(tlb.index1(2), 0x8000_0100, vectors, place.vectors | 0x15, 0);
    tlb.write(tlb.index1(3), 0x8000_0100, dataPage, place.data[0] | 0x0f, 0);
    tlb.write(tlb.index1(4), valid(mapped.data), dataPage + page, place.data[1] | 0x0f, 0);
    core.forgetTranslations();
  }

  /** To a block, in problem state, with a walker that has some way to go. */
  #home(pc: number): void {
    const m = this.#m;
    m.set(s.halted, 0);
    m.msr(Msr.pr | Msr.fp | ((pc & 16) === 0 ? Msr.fe0 | Msr.fe1 : 0));
    m.setWord(place.data[0] + own.walker, dataPage + page - 100);
    m.pc = pc;
  }

  between(random: Random): void {
    const m = this.#m;
    const program = this.#program as E500Program;
    if (m.get(s.halted) !== 0 || (m.pc & -page) === vectors || random.once(3)) {
      this.#home(random.pick(program.blocks));
      return;
    }
    const event = random.below(12);
    if (event === 0) this.#map({ ...this.#mapped, code: !this.#mapped.code });
    else if (event === 1) this.#map({ ...this.#mapped, data: !this.#mapped.data });
    else if (event === 2 && program.immediates.length > 0) {
      // DMA into code.
      const at = random.pick(program.immediates) - codeStart;
      m.load((at < page ? place.code[0] : place.code[1] - page) + at, Uint8Array.of(random.below(256)));
    }
  }

  run(limit: number): void {
    this.#m.run(limit);
  }

  get instructions(): number {
    return this.#m.onEngine?.instructions ?? 0;
  }

  get pc(): number {
    return this.#m.pc;
  }

  get words(): Int32Array {
    return this.#m.front.core.words;
  }

  get stats(): Readonly<Record<string, number>> {
    return this.#m.onEngine?.stats ?? {};
  }
}

const engineWords: ReadonlySet<string> = new Set(Object.values(s.engine).map(({ name }) => name));

export const e500Programs: StepTarget<E500Program> = {
  name: "e500",
  make,
  machine: (executor) => new E500StepMachine(executor),
  describe: ({ at, words, blocks, gpr }) => [
    `code at 0x${at.toString(16)}: ${words.map((word) => word.toString(16).padStart(8, "0")).join(" ")}`,
    `blocks: ${blocks.map((block) => block.toString(16)).join(" ")}`,
    `registers: ${gpr.map((value) => (value >>> 0).toString(16)).join(" ")}`,
  ],
};
