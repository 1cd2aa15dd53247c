import * as s from "../../src/cpu/x86/slots.ts";
import { type BareX86, bareX86, type Executor, flatMode, paging, resume, setWord, stoppedBy, word } from "./x86.ts";
import { codeAt, dataAt, dataPage } from "./x86-vectors.ts";
import type { X87State, X87Vector } from "./x87-vectors.ts";

const pages = { code: 0x10000, data: 0x11000 };
const padding = new Uint8Array(64).fill(0xcc);

/** Runs x87 vectors on one machine, again and again. */
export class X87Runner {
  readonly machine: BareX86;

  constructor(executor: Executor) {
    const machine = bareX86(executor, { memory: 1 << 20, stopAtExceptions: true, model: "max" });
    this.machine = machine;
    paging(machine, 0x1000, [
      [codeAt & ~0xfff, pages.code],
      [dataPage, pages.data],
    ]);
    flatMode(machine, 3);
    // As a system sets it: exceptions by vector 16.
    setWord(machine, s.cr0, word(machine, s.cr0) | 0x22);
  }

  /** The state behind the code. */
  run(code: string, before: X87State): { state: X87State; trap: number | undefined } {
    const { machine } = this;
    const { core } = machine.front;
    const bytes = Buffer.from(code, "hex");
    machine.load(pages.code + (codeAt & 0xfff), Buffer.concat([bytes, padding]));
    machine.load(pages.data + (dataAt - dataPage), Buffer.from(before.memory, "hex"));
    setWord(machine, s.gpr[0], before.eax);
    setWord(machine, s.gpr[3], dataAt);
    core.setFlags(before.flags | 0x200, -1);
    const top = (before.status >> 11) & 7;
    setWord(machine, s.fpuControl, before.control);
    setWord(machine, s.fpuStatus, before.status & ~0x3800);
    setWord(machine, s.fpuTop, top);
    setWord(machine, s.fpuUsed, before.used);
    for (const [i, text] of before.registers.entries()) {
      const k = (top + i) & 7;
      setWord(machine, s.fpuExponent[k], Number.parseInt(text.slice(0, 4), 16));
      const at = s.fpuSignificand[k]?.index ?? 0;
      machine.words[at] = Number.parseInt(text.slice(12), 16);
      machine.words[at + 1] = Number.parseInt(text.slice(4, 12), 16);
    }
    setWord(machine, s.engine.pc, codeAt);
    resume(machine);
    machine.run(8);
    return { state: this.#state(), trap: stoppedBy(machine) };
  }

  #state(): X87State {
    const { machine } = this;
    const hex = (value: number, digits: number) => (value >>> 0).toString(16).padStart(digits, "0");
    const top = word(machine, s.fpuTop);
    return {
      control: word(machine, s.fpuControl),
      status: word(machine, s.fpuStatus) | (top << 11),
      used: word(machine, s.fpuUsed),
      registers: Array.from({ length: 8 }, (_, i) => {
        const k = (top + i) & 7;
        const at = s.fpuSignificand[k]?.index ?? 0;
        return (
          hex(word(machine, s.fpuExponent[k]), 4) +
          hex(machine.words[at + 1] as number, 8) +
          hex(machine.words[at] as number, 8)
        );
      }),
      memory: Buffer.from(
        Array.from({ length: 32 }, (_, k) => machine.read(pages.data + (dataAt - dataPage) + k)),
      ).toString("hex"),
      eax: word(machine, s.gpr[0]) >>> 0,
      flags: machine.front.core.flags & 0xcd5,
    };
  }

  /** What is wrong, a line each. */
  check(v: X87Vector): string[] {
    const { state, trap } = this.run(v.code, v.before);
    const wrong: string[] = [];
    const compare = (what: string, is: unknown, should: unknown) => {
      if (is !== should) wrong.push(`${what} is ${is}, should be ${should}`);
    };
    compare("exception", trap, v.trap);
    const hex = (value: number) => value.toString(16).padStart(4, "0");
    compare("control word", hex(state.control), hex(v.after.control));
    compare("status word", hex(state.status), hex(v.after.status));
    compare("used registers", hex(state.used), hex(v.after.used));
    for (const [i, should] of v.after.registers.entries()) compare(`st(${i})`, state.registers[i], should);
    compare("memory", state.memory, v.after.memory);
    compare("eax", hex(state.eax), hex(v.after.eax));
    compare("eflags", hex(state.flags), hex(v.after.flags));
    return wrong;
  }
}

export function describeX87(v: X87Vector): string {
  const b = v.before;
  return `${v.mnemonic} (${v.code}) with fcw=${b.control.toString(16)} fsw=${b.status.toString(16)} used=${b.used.toString(16)} st=${b.registers.join(" ")} memory=${b.memory}`;
}
