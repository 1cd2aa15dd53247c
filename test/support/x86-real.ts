import * as s from "../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, type Executor, paragraph, setWord, word } from "./x86.ts";

/*
 * Real-mode cases taken from an 80286 (github.com/singlesteptests/80286): one instruction, then HLT. Where an exception is taken, its handler is a HLT.
 */

type Names = "ax" | "bx" | "cx" | "dx" | "cs" | "ss" | "ds" | "es" | "sp" | "bp" | "si" | "di" | "ip" | "flags";
type Part = Partial<Record<Names, number>>;

export interface RealCase {
  /** Opcode, with ModRM's reg behind a dot for a group. */
  readonly op: string;
  /** The instruction, disassembled. */
  readonly n: string;
  /** Its bytes, and HLT. */
  readonly b: readonly number[];
  readonly i: Record<Names, number>;
  readonly ir: readonly (readonly [number, number])[];
  readonly f: Part;
  readonly fr: readonly (readonly [number, number])[];
  /** The exception that was taken. */
  readonly x?: { readonly number: number };
}

export interface RealMetadata {
  readonly opcodes: Record<string, Entry & { readonly reg?: Record<string, Entry> }>;
}

interface Entry {
  readonly "flags-mask"?: number;
}

const general = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"] as const;
const segments = ["es", "cs", "ss", "ds"] as const;
/** Bits 12..15 read 0 in real mode on an 80286. */
const known = 0xfd5;

/** Which flags an opcode defines. */
export function definedFlags(metadata: RealMetadata, op: string): number {
  const [opcode = "", reg] = op.split(".");
  const entry = metadata.opcodes[opcode];
  const found = reg === undefined ? entry : entry?.reg?.[reg];
  return (found?.["flags-mask"] ?? 0xffff) & known;
}

const strings = /^(6[CDEF]|A[4567ABCDEF])$/;

/**
 * What a P6 does otherwise: LOCK where it may not stand is #UD since the 386, x87 instructions need an x87, an instruction may have 15 bytes and not 10,
 * and a string instruction that faults can be taken up again, since registers stay as they were.
 */
export function applies(c: RealCase): boolean {
  const length = c.b.length - 1;
  return !c.n.includes("lock") && !c.op.startsWith("D8") && length <= 10 && !(c.x !== undefined && strings.test(c.op));
}

export class RealRunner {
  readonly machine: BareX86;
  readonly #metadata: RealMetadata;

  constructor(executor: Executor, metadata: RealMetadata) {
    this.machine = bareX86(executor);
    this.#metadata = metadata;
  }

  check(c: RealCase): string[] {
    const { machine } = this;
    const { core } = machine.front;
    for (const [address, byte] of c.ir) machine.write(address, byte);
    // An access beyond the limit of SS is #SS since the 386, and #GP was the 80286's: both get the handler.
    for (const [address, byte] of c.ir)
      if (c.x?.number === 13 && address >= 52 && address < 56) machine.write(address - 4, byte);
    for (const [k, name] of general.entries()) setWord(machine, s.gpr[k], c.i[name]);
    for (const [k, name] of segments.entries()) paragraph(machine, k, c.i[name]);
    setWord(machine, s.idtrBase, 0);
    setWord(machine, s.idtrLimit, 0x3ff);
    setWord(machine, s.halted, 0);
    core.setFlags(c.i.flags & known, -1);
    core.updateMode();
    setWord(machine, s.engine.pc, c.i.ip);
    // String instructions may repeat 65535 times; all others are two, and three with an exception.
    const limit = strings.test(c.op) ? 70_000 : 4;
    machine.run(limit);
    const wrong = this.#differences(c);
    for (const [address] of [...c.ir, ...c.fr]) machine.write(address, 0);
    for (let address = 48; address < 52; address++) machine.write(address, 0);
    return wrong;
  }

  #differences(c: RealCase): string[] {
    const { machine } = this;
    const wrong: string[] = [];
    const compare = (what: string, is: number, should: number) => {
      if (is !== should) wrong.push(`${what} is ${is.toString(16)}, should be ${should.toString(16)}`);
    };
    const should = (name: Names) => c.f[name] ?? c.i[name];
    if (word(machine, s.halted) !== 1) wrong.push("does not end at a HLT");
    for (const [k, name] of general.entries()) compare(name, word(machine, s.gpr[k]) & 0xffff, should(name));
    for (const [k, name] of segments.entries()) compare(name, word(machine, s.selector[k]), should(name));
    compare("ip", word(machine, s.engine.pc) & 0xffff, should("ip"));
    const mask = definedFlags(this.#metadata, c.op);
    compare("flags", machine.front.core.flags & mask, should("flags") & mask);
    // The image of the flags on an exception's stack has the undefined ones too.
    const image = (offset: number) => (c.x === undefined ? -1 : should("ss") * 16 + ((should("sp") + offset) & 0xffff));
    for (const [address, byte] of c.fr) {
      const low = address === image(4);
      const high = address === image(5);
      const bits = low ? mask & 0xff : high ? (mask >> 8) & 0x0f : 0xff;
      compare(`byte at ${address.toString(16)}`, machine.read(address) & bits, byte & bits);
    }
    return wrong;
  }
}
