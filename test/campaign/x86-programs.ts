import * as s from "../../src/cpu/x86/slots.ts";
import { bareX86, flatMode, paging, resume, setWord, stoppedBy, word } from "../support/x86.ts";
import { dataPage, stackTop } from "../support/x86-vectors.ts";
import type { StepExecutor, StepMachine, StepTarget } from "./in-step.ts";
import { stepThreshold } from "./in-step.ts";
import { Random } from "./random.ts";
import { byMnemonic, le, opcodes } from "./x86-case.ts";
import { pool } from "./x86-cases.ts";
import { floating } from "./x86-floating.ts";
import { type Fpu, offset } from "./x86-fpu-state.ts";
import { Maker } from "./x86-maker.ts";

/*
 * Programs of blocks for 32-bit user mode, on two pages of code which lie apart in memory. A block is a few random instructions as the campaign has them, with registers
 * put in order in front of some, and an ending that leads to other blocks.
 */

const page = 4096;
const codeStart = 0x10000000;
const place = {
  tables: 0x1000,
  code: [0x10000, 0x18000],
  data: [0x11000, 0x12000],
  stack: [0x13000, 0x14000],
} as const;
/** Words of data that programs keep for themselves: counters, a table of blocks, and an address which walks off the page. */
const own = { counters: dataPage + 0x800, table: dataPage + 0x840, walker: dataPage + 0x880 } as const;
const [counterCount, tableSize] = [4, 8];

export interface X86Program {
  /** Where it lies, and its bytes. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly blocks: readonly number[];
  /** Where bytes of immediates lie: code may be changed there and be code still. */
  readonly immediates: readonly number[];
  readonly registers: readonly number[];
  readonly counters: readonly number[];
  readonly data: Uint8Array;
  readonly fpu: Fpu;
}

/** Not what goes elsewhere: blocks have endings of their own. */
const plain = byMnemonic(
  opcodes.filter(
    ({ row }) => !row.operands.some((o) => o.letter === "J") && !/^(call|jmp|ret|loop|jcxz)/.test(row.mnemonic),
  ),
);
const mnemonics = [...plain.keys()];

/** Bytes with places for the addresses of blocks, relative to what comes behind them, or not. */
interface Hole {
  readonly at: number;
  readonly block: number;
  readonly relative: boolean;
}

class Assembler {
  readonly random: Random;
  readonly bytes: number[] = [];
  readonly blocks: number[] = [];
  readonly immediates: number[] = [];
  readonly #holes: Hole[] = [];
  readonly #count: number;

  constructor(random: Random) {
    this.random = random;
    this.#count = 4 + random.below(10);
  }

  finish(at: number): void {
    for (let k = 0; k < this.#count; k++) {
      this.blocks.push(this.bytes.length);
      this.#body();
      this.#ending(k);
    }
    this.bytes.push(0xcc);
    for (const { at: hole, block, relative } of this.#holes) {
      const target = (this.blocks[block] as number) - (relative ? hole + 4 : -at);
      this.bytes.splice(hole, 4, ...le(target, 4));
    }
  }

  #body(): void {
    const { random } = this;
    // Where the block's bytes and its operands are makes no difference to a maker that puts registers in order itself.
    const maker = new Maker(random, false);
    if (random.once(4)) floating(maker);
    else
      for (let k = random.below(5); k >= 0 && maker.room > 16; k--) {
        const opcode = random.pick(plain.get(random.pick(mnemonics)) ?? []);
        maker.suit(opcode.row);
        maker.add(opcode.row.mnemonic, maker.encode(opcode, { first: k === 4 }));
      }
    for (const [k, value] of maker.registers.entries())
      if (k !== 4 && ((maker.fixed >> k) & 1) !== 0 && !random.once(4)) {
        this.immediates.push(this.bytes.length + 1);
        this.bytes.push(0xb8 | k, ...le(value, 4));
      }
    for (const element of maker.elements) this.bytes.push(...element.bytes);
    if (random.once(3)) this.#walk();
    if (random.once(6)) this.#change();
  }

  /** MOV EDI, [walker]; ADD EDI, n; MOV [walker], EDI; and an access there. */
  #walk(): void {
    const { random, bytes } = this;
    bytes.push(0x8b, 0x3d, ...le(own.walker, 4), 0x83, 0xc7, 1 + random.below(24), 0x89, 0x3d, ...le(own.walker, 4));
    bytes.push(
      ...random.pick([
        [0x8b, 0x07],
        [0x01, 0x07],
        [0x88, 0x0f],
        [0xff, 0x37],
        [0x8f, 0x07],
        [0x66, 0x11, 0x17],
      ]),
    );
  }

  /** INC, XOR or MOV of a byte of the code, mostly one of an immediate. */
  #change(): void {
    const { random, bytes, immediates } = this;
    const at =
      immediates.length > 0 && !random.once(6) ? random.pick(immediates) : random.below(Math.max(1, bytes.length));
    const target = le(this.start + at, 4);
    bytes.push(
      ...random.pick([
        [0xfe, 0x05, ...target],
        [0x80, 0x35, ...target, random.below(256)],
        [0xc6, 0x05, ...target, random.below(256)],
      ]),
    );
  }

  start = 0;

  #to(block: number, relative = true): void {
    this.#holes.push({ at: this.bytes.length, block, relative });
    this.bytes.push(0, 0, 0, 0);
  }

  #ending(k: number): void {
    const { random, bytes } = this;
    const any = () => random.below(this.#count);
    const back = () => random.below(k + 1);
    switch (random.below(9)) {
      case 0:
        return;
      case 1:
      case 2:
        bytes.push(0x0f, 0x80 | random.below(16));
        this.#to(any());
        return;
      case 3:
      case 4:
        // DEC [counter]; JNZ
        bytes.push(0xff, 0x0d, ...le(own.counters + 4 * random.below(counterCount), 4), 0x0f, 0x85);
        this.#to(back());
        return;
      case 5:
        bytes.push(0xe9);
        this.#to(any());
        return;
      case 6:
        bytes.push(0xe8);
        this.#to(any());
        return;
      case 7:
        bytes.push(0xc3);
        return;
      default:
        // MOV EAX, [counter]; AND EAX, n; JMP [table + 4 EAX]
        bytes.push(0xa1, ...le(own.counters + 4 * random.below(counterCount), 4), 0x83, 0xe0, tableSize - 1);
        bytes.push(0xff, 0x24, 0x85, ...le(own.table, 4));
    }
  }
}

function make(seed: number, number: number): X86Program {
  const random = new Random(seed, number);
  const assembler = new Assembler(random);
  // Most of them lie across the end of the first page.
  const at = codeStart + (random.once(4) ? 0x100 : page - 40 - random.below(500));
  assembler.start = at;
  assembler.finish(at);
  const maker = new Maker(random, false);
  const data = new Uint8Array(page);
  for (let k = 0; k < 0x500; k++) data[k] = random.below(256);
  const view = new DataView(data.buffer);
  for (let k = 0; k < tableSize; k++)
    view.setUint32(own.table - dataPage + 4 * k, at + random.pick(assembler.blocks), true);
  return {
    at,
    bytes: Uint8Array.from(assembler.bytes),
    blocks: assembler.blocks.map((offset) => at + offset),
    immediates: assembler.immediates.map((offset) => at + offset),
    registers: maker.registers,
    counters: Array.from({ length: counterCount }, () => 1 + random.below(random.pick([3, 40, 400]))),
    data,
    fpu: pool(seed).take(random),
  };
}

class X86StepMachine implements StepMachine<X86Program> {
  readonly #m;
  readonly slots = s.slots;
  readonly memory;
  #program: X86Program | undefined;

  constructor(executor: StepExecutor) {
    const m = bareX86(executor, { memory: 1 << 17, stopAtExceptions: true, model: "max", threshold: stepThreshold });
    this.#m = m;
    const part = (name: string, at: number, length = page) => [name, m.bytes.subarray(at, at + length)] as const;
    this.memory = [
      part("page tables", place.tables, 4 * page),
      part("code", place.code[0]),
      part("code behind", place.code[1]),
      part("data", place.data[0]),
      part("data behind", place.data[1]),
      part("stack", place.stack[0]),
      part("stack behind", place.stack[1]),
    ];
  }

  begin(program: X86Program): void {
    const m = this.#m;
    this.#program = program;
    m.onEngine?.forgetCode();
    m.onEngine?.resume(0);
    paging(m, place.tables, [
      [codeStart, place.code[0]],
      [codeStart + page, place.code[1]],
      [dataPage, place.data[0]],
      [dataPage + page, place.data[1]],
      [stackTop - page, place.stack[0]],
      [stackTop, place.stack[1]],
    ]);
    const code = new Uint8Array(2 * page).fill(0xcc);
    code.set(program.bytes, program.at - codeStart);
    for (const k of [0, 1] as const) {
      m.load(place.code[k], code.subarray(k * page, (k + 1) * page));
      m.load(place.stack[k], new Uint8Array(page));
      m.load(place.data[k], k === 0 ? program.data : new Uint8Array(page));
    }
    for (const slot of s.slots)
      if (!engineWords.has(slot.name)) m.words.fill(0, slot.index, slot.index + slot.width / 4);
    m.front.reset();
    flatMode(m, 3);
    setWord(m, s.cr3, place.tables);
    setWord(m, s.cr0, word(m, s.cr0) | 0x8000_0023);
    setWord(m, s.cr4, 0x600);
    setWord(m, s.limit[s.segment.tr], 0);
    m.front.core.updateMode();
    m.onEngine?.flushTlb();
    for (const [k, value] of program.registers.entries()) setWord(m, s.gpr[k], value);
    this.#fpu(program.fpu);
    for (const [k, value] of program.counters.entries()) this.#own(own.counters + 4 * k, value);
    this.#home(program.at);
  }

  /** A state of the x87 and SSE in which mostly nothing is unmasked that stops programs at once. */
  #fpu(image: Fpu): void {
    const m = this.#m;
    const view = new DataView(image.buffer, image.byteOffset);
    const mxcsr = view.getUint32(offset.mxcsr, true) & 0xffff;
    const masked = (mxcsr & 3) !== 0;
    setWord(m, s.fpuControl, view.getUint16(offset.control, true) | (masked ? 0x3f : 0));
    setWord(m, s.mxcsr, masked ? mxcsr | 0x1f80 : mxcsr & ~0x3f);
    setWord(m, s.fpuUsed, view.getUint8(offset.used));
    for (let k = 0; k < 8; k++) {
      const index = s.fpuSignificand[k]?.index ?? 0;
      m.words[index] = view.getInt32(offset.st + 16 * k, true);
      m.words[index + 1] = view.getInt32(offset.st + 16 * k + 4, true);
      setWord(m, s.fpuExponent[k], view.getUint16(offset.st + 16 * k + 8, true));
      const xmm = s.xmm[2 * k]?.index ?? 0;
      for (let n = 0; n < 4; n++) m.words[xmm + n] = view.getInt32(offset.xmm + 16 * k + 4 * n, true);
    }
  }

  #own(address: number, value: number): void {
    this.#m.load(place.data[0] + (address - dataPage), Uint8Array.from(le(value, 4)));
  }

  /** To a block, with a stack, and a walker that has some way to go. */
  #home(pc: number): void {
    const m = this.#m;
    resume(m);
    this.#own(own.walker, dataPage + page - 100);
    setWord(m, s.esp, stackTop);
    setWord(m, s.engine.pc, pc);
  }

  between(random: Random): void {
    const m = this.#m;
    const program = this.#program as X86Program;
    if (stoppedBy(m) !== undefined || word(m, s.halted) !== 0 || random.once(3)) {
      setWord(m, s.halted, 0);
      this.#home(random.pick(program.blocks));
      return;
    }
    const event = random.below(12);
    if (event === 0) {
      // The second page of data or of code comes or goes.
      const address = random.once(2) ? dataPage + page : codeStart + page;
      const directory = place.tables + (address >>> 22) * 4;
      const table = (m.read(directory) | (m.read(directory + 1) << 8) | (m.read(directory + 2) << 16)) & ~0xfff;
      const entry = table + ((address >>> 12) & 0x3ff) * 4;
      m.write(entry, m.read(entry) ^ 1);
      m.onEngine?.flushPage(address);
    } else if (event === 1 && program.immediates.length > 0) {
      // DMA into code.
      const at = random.pick(program.immediates) - codeStart;
      m.load((at < page ? place.code[0] : place.code[1] - page) + at, Uint8Array.of(random.below(256)));
    } else if (event === 2) m.onEngine?.flushTlb();
  }

  run(limit: number): void {
    if (stoppedBy(this.#m) === undefined) this.#m.run(limit);
  }

  get instructions(): number {
    return this.#m.onEngine?.instructions ?? 0;
  }

  get pc(): number {
    return word(this.#m, s.engine.pc) >>> 0;
  }

  get words(): Int32Array {
    return this.#m.words;
  }

  get stats(): Readonly<Record<string, number>> {
    return this.#m.onEngine?.stats ?? {};
  }
}

const engineWords: ReadonlySet<string> = new Set(Object.values(s.engine).map(({ name }) => name));

export const x86Programs: StepTarget<X86Program> = {
  name: "x86",
  make,
  machine: (executor) => new X86StepMachine(executor),
  describe: ({ at, bytes, blocks, registers }) => [
    `code at 0x${at.toString(16)}: ${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`,
    `blocks: ${blocks.map((block) => block.toString(16)).join(" ")}`,
    `registers: ${registers.map((value) => (value >>> 0).toString(16)).join(" ")}`,
  ],
};
