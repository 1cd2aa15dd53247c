import { Attribute, type OperandSpec, Row } from "../../src/cpu/x86/pattern.ts";
import { oneByte } from "../../src/cpu/x86/table.ts";
import { twoByte } from "../../src/cpu/x86/table-0f.ts";
import { codeAt, dataAt, stackTop } from "../support/x86-vectors.ts";
import { undefinedFlags } from "../vectors/x86/undefined-flags.ts";
import { Random } from "./random.ts";

/** One instruction of a case. */
export interface Element {
  readonly mnemonic: string;
  readonly bytes: readonly number[];
}

/** Instructions and the state they begin with, for user mode. */
export interface X86Case {
  readonly elements: readonly Element[];
  /** EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI; unsigned. */
  readonly registers: readonly number[];
  readonly flags: number;
  readonly memory: readonly number[];
}

/** An instruction as the decoder's tables have it: where, and as which. */
export interface Opcode {
  readonly row: Row;
  readonly bytes: readonly number[];
  /** ModRM's reg for a member of a group. */
  readonly digit: number | undefined;
}

/** CF, PF, AF, ZF, SF, DF, OF. */
export const watchedFlags = 0xcd5;
export const longestCode = 56;

/**
 * What a process may not do or does otherwise under an operating system, what tells about the processor, and what is not an integer instruction.
 * POPF stands in sequences only, behind a push of what it takes: it could set TF.
 */
const left = new Set(
  (
    "callf jmpf retf int3 int iret int1 sldt str lldt ltr verr verw sgdt sidt lgdt lidt smsw lmsw invlpg lar lsl clts invd wbinvd " +
    "wrmsr rdtsc rdmsr rdpmc sysenter sysexit cpuid les lds lss lfs lgs popf wait fxsave fxrstor"
  ).split(" "),
);

function usable(row: Row): boolean {
  return !left.has(row.mnemonic) && !row.operands.some((o) => "STCD".includes(o.letter));
}

/** Every opcode that a case may have. */
export const opcodes: readonly Opcode[] = [[[], oneByte] as const, [[0x0f], twoByte] as const].flatMap(([map, table]) =>
  [...table.entries()].flatMap(([k, entry]): Opcode[] => {
    const bytes = [...map, k];
    // D8..DF: the x87, whose vectors are another matter.
    if (entry === undefined || (map.length === 0 && k >= 0xd8 && k <= 0xdf)) return [];
    if (entry instanceof Row) return usable(entry) ? [{ row: entry, bytes, digit: undefined }] : [];
    return [...entry.entries()].flatMap(([digit, row]) => (row && usable(row) ? [{ row, bytes, digit }] : []));
  }),
);

/** Opcodes by mnemonic: each mnemonic is as likely as any other. */
export const byMnemonic: ReadonlyMap<string, readonly Opcode[]> = Map.groupBy(opcodes, (o) => o.row.mnemonic);
const mnemonics = [...byMnemonic.keys()];

const corners = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];
/** Mnemonics of shifts and rotates. */
export const shifts = /^(ro|rc|sh|sa)[lr]d?$/;
const le = (number: number, width: number) => Array.from({ length: width }, (_, k) => (number >>> (8 * k)) & 0xff);

/** Flags which an instruction may leave undefined, whatever its operands are. */
export function undefinedAtWorst(mnemonic: string): number {
  return undefinedFlags(mnemonic, shifts.test(mnemonic) ? { count: 2, bits: 1 } : undefined);
}

/** Makes one case. */
export class Maker {
  readonly #random: Random;
  readonly #registers: number[];
  readonly #memory: number[];
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#registers = Array.from({ length: 8 }, () => (random.once(3) ? this.#pointer() : this.#value()));
    this.#registers[4] = this.#stackPointer();
    const plain = random.once(4);
    this.#memory = Array.from({ length: 64 }, () =>
      plain ? random.pick([0, 0xff, 0x80, 0x7f, 1]) : random.below(256),
    );
  }

  /** One to six instructions, or just the one that is given. */
  make(only?: Opcode): X86Case {
    const random = this.#random;
    const count = only !== undefined || random.once(2) ? 1 : 2 + random.below(5);
    const chosen = Array.from(
      { length: count },
      () => only ?? random.pick(byMnemonic.get(random.pick(mnemonics)) ?? []),
    );
    for (const { row } of chosen) this.#suit(row);
    const elements: Element[] = [];
    const add = (mnemonic: string, bytes: readonly number[]) => {
      elements.push({ mnemonic, bytes });
      this.#at += bytes.length;
    };
    for (const [k, opcode] of chosen.entries()) {
      if (this.#at > longestCode - 30) break;
      add(opcode.row.mnemonic, this.#encode(opcode, k === 0));
      // What is undefined must not be looked at by the next one.
      if (k < count - 1 && undefinedAtWorst(opcode.row.mnemonic) !== 0) add("cmp", [0x39, 0xc0 | random.below(64)]);
      if (only === undefined && random.once(24)) {
        // AND EAX, flags; PUSH EAX; POPF
        add("and", [0x25, ...le(watchedFlags, 4)]);
        add("cmp", [0x39, 0xc0 | random.below(64)]);
        add("push", [0x50]);
        add("popf", [0x9d]);
      }
    }
    return { elements, registers: this.#registers, flags: random.word() & watchedFlags, memory: this.#memory };
  }

  #value(): number {
    return this.#random.below(3) > 0 ? this.#random.pick(corners) : this.#random.word();
  }

  #pointer(): number {
    return dataAt + this.#random.below(60);
  }

  /** Mostly in the middle of the stack, sometimes at an edge. */
  #stackPointer(): number {
    const random = this.#random;
    if (random.once(32)) return stackTop - 0x1000 + random.below(40);
    if (random.once(32)) return stackTop + 0x1000 - random.below(40);
    return random.once(8) ? stackTop - random.below(16) : stackTop;
  }

  /** Gives an instruction the registers it can do something with. Before anything is encoded, since that looks at them. */
  #suit(row: Row): void {
    const random = this.#random;
    const registers = this.#registers;
    const has = (letters: string) => row.operands.some((o) => letters.includes(o.letter));
    if (has("XY")) {
      registers[6] = this.#pointer();
      registers[7] = random.once(16) ? this.#value() : this.#pointer();
      registers[1] = random.once(40) ? this.#value() : random.below(12);
    }
    if (has("B")) registers[3] = (dataAt - ((registers[0] as number) & 0xff) + random.below(64)) >>> 0;
    if (/^bt/.test(row.mnemonic)) registers[2] = random.once(2) ? random.below(256) : -random.below(256) >>> 0;
    if (/^i?div/.test(row.mnemonic) && !random.once(3)) registers[2] = random.below(4);
    if (/^(loop|jcxz)/.test(row.mnemonic)) registers[1] = random.below(3);
    if (/^(leave|enter)/.test(row.mnemonic))
      registers[5] = random.once(2) ? this.#pointer() : stackTop - 4 * random.below(8);
    if (/^(call|jmp)$/.test(row.mnemonic)) registers[0] = this.#far();
  }

  /** INT3s from where a change of the low bytes does not easily lead back to the code. */
  #far(): number {
    return codeAt + 0x800 + this.#random.below(0x400);
  }

  /** Somewhere in the INT3s around the code. */
  #landing(): number {
    return this.#random.once(2) ? codeAt + longestCode + this.#random.below(64) : codeAt - 1 - this.#random.below(64);
  }

  #encode(opcode: Opcode, first: boolean): number[] {
    const { row } = opcode;
    const { operands } = row;
    const random = this.#random;
    const has = (letters: string) => operands.some((o) => letters.includes(o.letter));
    const branch = has("J");
    const shiftDouble = /^sh[lr]d$/.test(row.mnemonic);
    const narrow = random.once(branch ? 16 : 4) && !(shiftDouble && has("L"));
    const short = random.once(12);
    const prefixes = [...(narrow ? [0x66] : []), ...(short ? [0x67] : [])];
    if (has("XY") && random.below(3) > 0) prefixes.push(random.pick([0xf2, 0xf3]));
    if (random.once(24)) prefixes.unshift(random.pick([0x26, 0x2e, 0x36, 0x3e]));
    // A locked access that is not aligned is slow where hosts watch for them: LOCK comes first, while registers are what is known of them.
    const xchg = row.mnemonic === "xchg";
    const lock = first && random.once(row.has(Attribute.lock) ? 8 : 200);
    if (lock) prefixes.unshift(0xf0);
    if (random.once(100) && prefixes.length > 0) prefixes.push(...prefixes.slice(0, 2));
    const body: number[] = [];
    if (row.modrm) body.push(...this.#modrm(opcode, short, first, lock || xchg));
    if (row.has(Attribute.level)) body.push(random.once(2) ? 0 : random.below(32), 0);
    else for (const o of operands) body.push(...this.#immediate(row, o, narrow, short));
    if (row.has(Attribute.level)) body.push(random.once(4) ? random.below(256) : random.below(6));
    const front = [...prefixes, ...opcode.bytes, ...body];
    if (!branch) return front;
    const width = operands[0]?.size === "b" ? 1 : narrow ? 2 : 4;
    const after = codeAt + this.#at + front.length + width;
    return [...front, ...le(this.#landing() - after, width)];
  }

  #modrm({ row, bytes, digit }: Opcode, short: boolean, first: boolean, locked: boolean): number[] {
    const random = this.#random;
    const { operands } = row;
    const indirect = /^(call|jmp)$/.test(row.mnemonic);
    const bitString = /^bt/.test(row.mnemonic) && operands[1]?.letter === "G";
    const reg = digit ?? (bitString && !random.once(8) ? 2 : random.below(8));
    const memory = operands.some((o) => o.letter === "M") ? !random.once(50) : random.once(2) && (first || !locked);
    if (!memory) return [0xc0 | (reg << 3) | (indirect && !random.once(8) ? 0 : this.#register(row, bytes))];
    if (short) return this.#memory16(reg, locked);
    const anywhere = random.once(16) ? this.#value() : dataAt + random.below(row.mnemonic === "bound" ? 57 : 61);
    const target = locked ? (anywhere & ~7) >>> 0 : anywhere;
    // A jump by way of memory that leads somewhere.
    if (indirect && first && target >= dataAt && target <= dataAt + 60) {
      for (const [k, byte] of le(this.#far(), 4).entries()) this.#memory[target - dataAt + k] = byte;
    }
    return this.#memory32(reg, target, locked);
  }

  #register(row: Row, bytes: readonly number[]): number {
    // ESP as a destination leaves the stack: seldom.
    const number = this.#random.below(8);
    return number === 4 && bytes.length === 1 && !row.mnemonic.startsWith("push") && !this.#random.once(4) ? 0 : number;
  }

  /** Any base, index and scale, and the displacement that makes `target` of what the registers are in the beginning. */
  #memory32(reg: number, target: number, exact: boolean): number[] {
    const random = this.#random;
    const registers = this.#registers;
    const rm = random.pick([0, 1, 2, 3, 4, 4, 5, 6, 7]);
    let mod = random.below(3);
    let from = rm;
    let value = 0;
    const tail: number[] = [];
    if (rm === 4) {
      const scale = random.below(4);
      const index = random.below(8);
      from = random.below(8);
      if (index !== 4) value = (registers[index] as number) << scale;
      tail.push((scale << 6) | (index << 3) | from);
    }
    if (!(mod === 0 && from === 5)) value += registers[from] as number;
    let displacement = (target - value) | 0;
    // What does not fit becomes an address of its own, or a longer form.
    if (mod === 1 && displacement !== (displacement << 24) >> 24) {
      if (!exact && random.once(8)) displacement = (displacement << 24) >> 24;
      else mod = 2;
    }
    if (mod === 0 && from !== 5 && displacement !== 0 && (exact || !random.once(8))) mod = 2;
    const width = mod === 1 ? 1 : mod === 2 || from === 5 ? 4 : 0;
    return [(mod << 6) | (reg << 3) | rm, ...tail, ...le(displacement, width)];
  }

  /** 16-bit addresses reach the first 64 KiB, where nothing is: the fault says what the address was. */
  #memory16(reg: number, locked: boolean): number[] {
    const random = this.#random;
    if (locked) return [0x06 | (reg << 3), ...le(8 * random.below(0x2000), 2)];
    const mod = random.below(3);
    const rm = random.below(8);
    const width = mod === 1 ? 1 : mod === 2 || rm === 6 ? 2 : 0;
    return [(mod << 6) | (reg << 3) | rm, ...le(this.#value(), width)];
  }

  #immediate(row: Row, o: OperandSpec, narrow: boolean, short: boolean): number[] {
    const random = this.#random;
    if (o.letter === "O") return le(random.once(8) ? this.#value() : dataAt + random.below(61), short ? 2 : 4);
    if (o.letter !== "I" && o.letter !== "U") return [];
    // More than the operand's size has no defined result.
    if (narrow && /^sh[lr]d$/.test(row.mnemonic)) return [random.below(17) | (random.below(8) << 5)];
    return le(this.#value(), o.size === "b" ? 1 : o.size === "w" || narrow ? 2 : 4);
  }
}

/** Case `number` of a seed. */
export function x86Case(seed: number, number: number): X86Case {
  return new Maker(new Random(seed, number)).make();
}
