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
import {
  type Answer,
  answerSize,
  codeOf,
  codeOffset,
  field,
  fpuOffset,
  memoryOffset,
  stackOffset,
  stackSeen,
  systemPages,
} from "./x86-answer.ts";
import { type Element, longestCode, type X86Case } from "./x86-case.ts";
import { type Fpu, offset } from "./x86-fpu-state.ts";
import { descriptor, gdt, ldt, words } from "./x86-segments.ts";

const tables = 0x1000;
const pages = { code: 0x10000, data: 0x11000, stack: 0x12000, descriptors: 0x14000, idt: 0x15000 };
const page = 4096;
/** An address where nothing is. */
const nowhere = 0x7000_0000;
/** Repeated string instructions go to the end of a page, and loops that push to the end of the stack. */
const longest = 16 * page;
const ldtOffset = 0x400;

/** One machine for all cases, which looks to them as the oracle does. */
export class CampaignMachine {
  readonly machine: BareX86;
  readonly #zeros = new Uint8Array(2 * page);
  readonly #padding = new Uint8Array(page).fill(0xcc);
  readonly #data = new Uint8Array(page);
  /** The code that is there now, unless it was changed. */
  #code: readonly Element[] | undefined;
  #writable = false;
  #changed = false;

  constructor(executor: Executor) {
    const machine = bareX86(executor, { memory: 1 << 20, stopAtExceptions: true, model: "max" });
    this.machine = machine;
    paging(machine, tables, [
      [codeAt & ~0xfff, pages.code],
      [dataPage, pages.data],
      [stackTop - page, pages.stack],
      [stackTop, pages.stack + page],
      [systemPages, pages.descriptors],
      [systemPages + page, pages.idt],
    ]);
    machine.load(pages.code, this.#padding);
    // The code's page is read-only, and the system's are not the user's.
    machine.write(tables + page, machine.read(tables + page) & ~2);
    for (const k of [0, 4]) machine.write(tables + 4 * page + k, machine.read(tables + 4 * page + k) & ~4);
    machine.front.core.engine.flushTlb();
    flatMode(machine, 3);
    this.#tables();
    this.#protectData();
    setWord(machine, s.cr0, word(machine, s.cr0) | 0x22);
    setWord(machine, s.cr4, word(machine, s.cr4) | 0x600);
    // No TSS that could have a map of ports.
    setWord(machine, s.limit[s.segment.tr], 0);
  }

  /** GDT, LDT, and an IDT in which a program may use vectors 3 and 4 alone. */
  #tables(): void {
    const { machine } = this;
    const bytes = new Uint8Array(page);
    const view = new DataView(bytes.buffer);
    const put = (at: number, [low, high]: readonly [number, number]) => {
      view.setUint32(at, low, true);
      view.setUint32(at + 4, high, true);
    };
    for (const [k, d] of gdt.entries()) if (d !== undefined) put(8 * k, words(d));
    for (const [k, d] of ldt.entries()) put(ldtOffset + 8 * k, words(d));
    machine.load(pages.descriptors, bytes);
    for (let vector = 0; vector < 256; vector++)
      put(8 * vector, [0x10_0000, vector === 3 || vector === 4 ? 0xee00 : 0x8e00]);
    machine.load(pages.idt, bytes);
    setWord(machine, s.gdtrBase, systemPages | 0);
    setWord(machine, s.gdtrLimit, 0x7f);
    setWord(machine, s.idtrBase, (systemPages + page) | 0);
    setWord(machine, s.idtrLimit, 0x7ff);
    const { ldtr } = s.segment;
    setWord(machine, s.selector[ldtr], 0x50);
    setWord(machine, s.base[ldtr], (systemPages + ldtOffset) | 0);
    setWord(machine, s.limit[ldtr], 8 * ldt.length - 1);
    setWord(machine, s.rights[ldtr], 0x8200);
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

  #load(c: X86Case): void {
    const { machine } = this;
    if (c.writable !== this.#writable) {
      const entry = machine.read(tables + page);
      machine.write(tables + page, c.writable ? entry | 2 : entry & ~2);
      machine.front.core.engine.flushTlb();
      this.#writable = c.writable;
    }
    if (c.elements === this.#code) return;
    const at = pages.code + (codeAt & 0xfff);
    // What writes code may have written anywhere.
    if (c.writable || this.#changed) machine.load(pages.code, this.#padding);
    else machine.load(at, this.#padding.subarray(0, longestCode));
    machine.load(at, codeOf(c));
    this.#changed = c.writable;
    this.#code = c.writable ? undefined : c.elements;
  }

  #segments(selectors: readonly number[]): void {
    const { machine } = this;
    let same = true;
    for (let n = 0; n < 6 && same; n++) same = word(machine, s.selector[n]) === selectors[n];
    if (same) return;
    for (let n = 0; n < 6; n++) {
      const selector = selectors[n] as number;
      const d = descriptor(selector);
      setWord(machine, s.selector[n], selector);
      setWord(machine, s.base[n], d === undefined ? 0 : d.base | 0);
      setWord(machine, s.limit[n], d === undefined ? 0 : d.pages ? (d.limit << 12) | 0xfff | 0 : d.limit);
      setWord(machine, s.rights[n], d === undefined ? 0 : words(d)[1] & 0xf0ff00);
    }
    machine.front.core.updateMode();
  }

  run(c: X86Case): Answer {
    const { machine } = this;
    this.#load(c);
    this.#data.set(c.memory, dataAt - dataPage);
    machine.load(pages.data, this.#data);
    machine.load(pages.stack, this.#zeros);
    for (let k = 0; k < 8; k++) setWord(machine, s.gpr[k], c.registers[k] as number);
    this.#segments(c.selectors);
    if (c.fpu !== undefined) this.#loadFpu(c.fpu);
    machine.front.core.setFlags(c.flags | 0x200, -1);
    setWord(machine, s.engine.pc, c.eip);
    setWord(machine, s.faultCode, 0);
    setWord(machine, s.faultHasCode, 0);
    resume(machine);
    machine.run(longest);
    return this.#answer(c);
  }

  #loadFpu(image: Fpu): void {
    const { machine } = this;
    const view = new DataView(image.buffer, image.byteOffset);
    const status = view.getUint16(offset.status, true);
    const top = (status >> 11) & 7;
    setWord(machine, s.fpuControl, view.getUint16(offset.control, true));
    setWord(machine, s.fpuStatus, status & ~0x3800);
    setWord(machine, s.fpuTop, top);
    setWord(machine, s.fpuUsed, view.getUint8(offset.used));
    setWord(machine, s.fpuIp, view.getUint32(offset.ip, true));
    setWord(machine, s.mxcsr, view.getUint32(offset.mxcsr, true));
    for (let k = 0; k < 8; k++) {
      const at = offset.st + 16 * k;
      const physical = (top + k) & 7;
      const index = s.fpuSignificand[physical]?.index ?? 0;
      machine.words[index] = view.getUint32(at, true);
      machine.words[index + 1] = view.getUint32(at + 4, true);
      setWord(machine, s.fpuExponent[physical], view.getUint16(at + 8, true));
      const xmm = s.xmm[2 * k]?.index ?? 0;
      for (let n = 0; n < 4; n++) machine.words[xmm + n] = view.getUint32(offset.xmm + 16 * k + 4 * n, true);
    }
  }

  #storeFpu(into: Answer): void {
    const { machine } = this;
    const top = word(machine, s.fpuTop);
    const at = fpuOffset / 4;
    into[at] = word(machine, s.fpuControl) | ((word(machine, s.fpuStatus) | (top << 11)) << 16);
    into[at + 1] = word(machine, s.fpuUsed);
    into[at + 2] = word(machine, s.fpuIp);
    into[at + 6] = word(machine, s.mxcsr);
    for (let k = 0; k < 8; k++) {
      const physical = (top + k) & 7;
      const index = s.fpuSignificand[physical]?.index ?? 0;
      const to = at + offset.st / 4 + 4 * k;
      into[to] = machine.words[index] as number;
      into[to + 1] = machine.words[index + 1] as number;
      into[to + 2] = word(machine, s.fpuExponent[physical]);
      const xmm = s.xmm[2 * k]?.index ?? 0;
      for (let n = 0; n < 4; n++) into[at + offset.xmm / 4 + 4 * k + n] = machine.words[xmm + n] as number;
    }
  }

  #answer(c: X86Case): Answer {
    const { machine } = this;
    const answer = new Uint32Array(answerSize / 4);
    for (let k = 0; k < 8; k++) answer[k] = word(machine, s.gpr[k]);
    const trap = stoppedBy(machine);
    answer[field.flags] = machine.front.core.flags;
    answer[field.trap] = trap ?? 0xffff;
    answer[field.error] = word(machine, s.faultHasCode) !== 0 ? word(machine, s.faultCode) : 0;
    answer[field.cr2] = trap === 14 ? word(machine, s.cr2) : 0;
    answer[field.eip] = word(machine, s.engine.pc);
    for (let n = 0; n < 6; n++) answer[field.selectors + n] = word(machine, s.selector[n]);
    this.#words(answer, memoryOffset / 4, pages.data + (dataAt - dataPage), 64);
    this.#words(answer, stackOffset / 4, pages.stack + (stackSeen - stackTop + page), 64);
    if (c.writable) this.#words(answer, codeOffset / 4, pages.code + (codeAt & 0xfff), 56);
    if (c.fpu !== undefined) this.#storeFpu(answer);
    return answer;
  }

  #words(into: Answer, at: number, from: number, bytes: number): void {
    const memory = this.machine.bytes;
    for (let k = 0; k < bytes; k += 4) {
      const n = from + k;
      into[at + (k >> 2)] =
        (memory[n] as number) |
        ((memory[n + 1] as number) << 8) |
        ((memory[n + 2] as number) << 16) |
        ((memory[n + 3] as number) << 24);
    }
  }
}
