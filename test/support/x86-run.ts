import * as s from "../../src/cpu/x86/slots.ts";
import { shiftCount, undefinedFlags } from "../vectors/x86/undefined-flags.ts";
import { type BareX86, bareX86, type Executor, flatMode, paging, resume, setWord, stoppedBy, word } from "./x86.ts";
import { codeAt, dataAt, dataPage, stackTop, type Vector } from "./x86-vectors.ts";

const tables = 0x1000;
const pages = { code: 0x10000, data: 0x11000, stack: 0x12000 };
/** CF, PF, AF, ZF, SF, DF, OF. */
const watched = 0xcd5;

/** INT3, a page of it. */
const padding = new Uint8Array(4096).fill(0xcc);

const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");

/** Runs vectors on one machine, again and again. */
export class VectorRunner {
  readonly machine: BareX86;
  readonly #data = new Uint8Array(4096);

  constructor(executor: Executor) {
    const machine = bareX86(executor, { memory: 1 << 20, stopAtExceptions: true });
    this.machine = machine;
    machine.load(pages.code, padding);
    paging(machine, tables, [
      [codeAt & ~0xfff, pages.code],
      [dataPage, pages.data],
      [stackTop - 0x1000, pages.stack],
      [stackTop, pages.stack + 0x1000],
    ]);
    flatMode(machine, 3);
    // No TSS that could have a map of ports.
    setWord(machine, s.limit[s.segment.tr], 0);
  }

  /** What is wrong, a line each; empty when the machine does what the processor did. */
  check(v: Vector): string[] {
    const { machine } = this;
    const code = Buffer.from(v.code, "hex");
    const memory = Buffer.from(v.before.memory, "hex");
    const from = pages.code + (codeAt & 0xfff);
    machine.load(from, code);
    this.#data.fill(0);
    this.#data.set(memory, dataAt - dataPage);
    machine.load(pages.data, this.#data);
    for (const [k, value] of v.before.registers.entries()) setWord(machine, s.gpr[k], value);
    machine.front.core.setFlags(v.before.flags | 0x200, -1);
    setWord(machine, s.engine.pc, codeAt);
    resume(machine);
    // The longest are repeated string instructions.
    machine.run(200);
    machine.load(from, padding.subarray(0, code.length));
    return this.#differences(v);
  }

  #differences(v: Vector): string[] {
    const { machine } = this;
    const wrong: string[] = [];
    const compare = (what: string, is: number, should: number) => {
      if (is >>> 0 !== should >>> 0) wrong.push(`${what} is ${hex(is)}, should be ${hex(should)}`);
    };
    const trap = stoppedBy(machine);
    if (trap !== v.trap) wrong.push(`exception is ${trap}, should be ${v.trap}`);
    for (const [k, should] of v.after.registers.entries())
      compare(s.gpr[k]?.name ?? "", word(machine, s.gpr[k]), should);
    const mask = watched & ~undefinedFlags(v.mnemonic, shiftCount(v));
    compare("eflags", machine.front.core.flags & mask, v.after.flags & mask);
    compare("eip", word(machine, s.engine.pc), v.eip);
    if (v.trap === 14) compare("cr2", word(machine, s.cr2), v.cr2);
    const memory = Buffer.from(
      Array.from({ length: 64 }, (_, k) => machine.read(pages.data + (dataAt - dataPage) + k)),
    ).toString("hex");
    if (memory !== v.after.memory) wrong.push(`memory is ${memory}, should be ${v.after.memory}`);
    return wrong;
  }
}

/** The case in a form in which it can be tried by hand. */
export function describe(v: Vector): string {
  const registers = v.before.registers.map((value, k) => `${s.gpr[k]?.name}=${hex(value)}`).join(" ");
  return `${v.mnemonic} (${v.code}) with ${registers} eflags=${hex(v.before.flags)} memory=${v.before.memory}`;
}
