import * as s from "../../src/cpu/x86/slots.ts";
import { Access, type Translation } from "../../src/ir/frontend.ts";
import {
  type BareX86,
  bareX86,
  type Executor,
  flatMode,
  paging,
  resume,
  setWord,
  stoppedBy,
  word,
} from "../support/x86.ts";
import { codeAt, dataAt, dataPage, stackTop } from "../support/x86-vectors.ts";
import { type Answer, answerSize, codeOf, field, memoryOffset, stackOffset, stackSeen } from "./x86-answer.ts";
import { longestCode, type X86Case } from "./x86-cases.ts";

const tables = 0x1000;
const pages = { code: 0x10000, data: 0x11000, stack: 0x12000 };
const page = 4096;
/** An address where nothing is. */
const nowhere = 0x7000_0000;
/** Repeated string instructions go to the end of the page, or of the stack's two. */
const longest = 3 * page;

/** One machine for all cases, which looks to them as the oracle does. */
export class CampaignMachine {
  readonly machine: BareX86;
  readonly #zeros = new Uint8Array(2 * page);
  readonly #padding = new Uint8Array(longestCode).fill(0xcc);
  readonly #data = new Uint8Array(page);

  constructor(executor: Executor) {
    const machine = bareX86(executor, { memory: 1 << 20, stopAtExceptions: true });
    this.machine = machine;
    paging(machine, tables, [
      [codeAt & ~0xfff, pages.code],
      [dataPage, pages.data],
      [stackTop - page, pages.stack],
      [stackTop, pages.stack + page],
    ]);
    // The code's page is read-only.
    machine.load(pages.code, new Uint8Array(page).fill(0xcc));
    machine.write(tables + page, machine.read(tables + page) & ~2);
    machine.front.core.engine.flushTlb();
    flatMode(machine, 3);
    this.#protectData();
    // No TSS that could have a map of ports.
    setWord(machine, s.limit[s.segment.tr], 0);
  }

  /** Nothing but the code's page can be executed, which without PAE and NX has to be said to the front end. */
  #protectData(): void {
    const { machine } = this;
    const { front } = machine;
    const translate = front.translate.bind(front);
    const present = (address: number) =>
      address >>> 12 === dataPage >>> 12 || (address - stackTop + page) >>> 0 < 2 * page;
    Object.assign(front, {
      translate: (address: number, access: Access, user: boolean, into: Translation) => {
        if (access !== Access.fetch || !present(address)) return translate(address, access, user, into);
        translate(nowhere, access, user, into);
        setWord(machine, s.cr2, address);
        setWord(machine, s.faultCode, word(machine, s.faultCode) | 1);
        return false;
      },
    });
  }

  run(c: X86Case): Answer {
    const { machine } = this;
    const code = pages.code + (codeAt & 0xfff);
    const bytes = Uint8Array.from(codeOf(c));
    machine.load(code, this.#padding);
    machine.load(code, bytes);
    this.#data.set(c.memory, dataAt - dataPage);
    machine.load(pages.data, this.#data);
    machine.load(pages.stack, this.#zeros);
    for (let k = 0; k < 8; k++) setWord(machine, s.gpr[k], c.registers[k] as number);
    machine.front.core.setFlags(c.flags | 0x200, -1);
    setWord(machine, s.engine.pc, codeAt);
    setWord(machine, s.faultCode, 0);
    resume(machine);
    machine.run(longest);
    return this.#answer();
  }

  #answer(): Answer {
    const { machine } = this;
    const answer = new Uint32Array(answerSize / 4);
    for (let k = 0; k < 8; k++) answer[k] = word(machine, s.gpr[k]);
    const trap = stoppedBy(machine);
    answer[field.flags] = machine.front.core.flags;
    answer[field.trap] = trap ?? 0xffff;
    answer[field.error] =
      word(machine, s.faultHasCode) !== 0 && trap !== 3 && trap !== 4 ? word(machine, s.faultCode) : 0;
    answer[field.cr2] = trap === 14 ? word(machine, s.cr2) : 0;
    answer[field.eip] = word(machine, s.engine.pc);
    this.#words(answer, memoryOffset / 4, pages.data + (dataAt - dataPage));
    this.#words(answer, stackOffset / 4, pages.stack + (stackSeen - stackTop + page));
    return answer;
  }

  #words(into: Answer, at: number, from: number): void {
    const { machine } = this;
    for (let k = 0; k < 64; k += 4) {
      let value = 0;
      for (let n = 3; n >= 0; n--) value = (value << 8) | machine.read(from + k + n);
      into[at + (k >> 2)] = value;
    }
  }
}
