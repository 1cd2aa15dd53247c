import { Msr } from "../../src/cpu/e500/constants.ts";
import { currentFpscr } from "../../src/cpu/e500/floating-helpers.ts";
import * as s from "../../src/cpu/e500/slots.ts";
import type { Slot } from "../../src/ir/slots.ts";
import { Bare, type Executor } from "../cpu/e500/bare.ts";
import { codeAt, dataAt, dataSize, type E500Case } from "./e500-cases.ts";
import { Answer, answerSize, field, floatOffset, memoryOffset, slotEnd } from "./e500-layout.ts";

/** Signals of Linux. */
const signal = { illegal: 4, trap: 5, bus: 7, floating: 8, segment: 11 } as const;

/** Where the oracle's pages are here, physically. */
const place = { code: 0, data: 0x20000, vectors: 0x40000 } as const;
const vectors = 0x5004_0000;
const sc = 0x4400_0002;
const wait = 0x7c00_007c;
const longest = 1000;

/** One machine for all cases, which looks to them as the oracle does: problem state, code that is not written, a page of data. */
export class CampaignMachine {
  readonly #m: Bare;
  readonly #words: Int32Array;
  readonly #code = new Uint8Array(4 * 32);
  readonly #codeView = new DataView(this.#code.buffer);

  constructor(executor: Executor) {
    const m = new Bare(executor, { memory: 1 << 19 });
    this.#m = m;
    this.#words = m.front.core.words;
    // The code, which is not written; the vectors, which are the supervisor's; the data.
    m.front.core.reset(codeAt(0), 0, 3);
    const { tlb } = m.front.core;
    tlb.write(tlb.index1(0), 0x8000_0300, codeAt(0) & -65536, place.code | (0x3f & ~0xc), 0);
    tlb.write(tlb.index1(1), 0x8000_0100, vectors, place.vectors | 0x15, 0);
    tlb.write(tlb.index1(2), 0x8000_0100, dataAt & -4096, place.data | 0x0f, 0);
    m.front.core.forgetTranslations();
    for (let k = 0; k < 42; k++) {
      m.set(s.ivor[k], 0x100 + 16 * k);
      m.code(place.vectors + 0x100 + 16 * k, wait);
    }
    m.set(s.spr.IVPR, vectors);
  }

  run(c: E500Case): Answer {
    const m = this.#m;
    const words = this.#words;
    const put = (slot: Slot | undefined, value: number) => {
      words[(slot as Slot).index] = value;
    };
    const code = codeAt(c.slot);
    const view = this.#codeView;
    const size = slotEnd(c) - code;
    for (let k = 0; 4 * k < size; k++) view.setUint32(4 * k, c.elements[k]?.word ?? sc);
    m.load(place.code + code - (codeAt(0) & -65536), this.#code.subarray(0, size));
    m.load(place.data + (dataAt & 4095), c.memory);
    m.msr(Msr.pr | Msr.fp | Msr.fe0 | Msr.fe1);
    for (let k = 0; k < 32; k++) put(s.gpr[k], c.gpr[k] as number);
    for (let k = 0; k < 8; k++) put(s.cr[k], (c.cr >>> (28 - 4 * k)) & 15);
    put(s.so, c.xer >>> 31);
    put(s.ov, (c.xer >>> 30) & 1);
    put(s.ca, (c.xer >>> 29) & 1);
    put(s.byteCount, c.xer & 0x7f);
    put(s.lr, c.lr);
    put(s.ctr, c.ctr);
    put(s.reserved, 0);
    put(s.halted, 0);
    if (c.floats !== undefined) {
      put(s.fpscr, c.floats.fpscr);
      put(s.fpPending, 0);
      put(s.fpCompared, 0);
      for (const [k, word] of c.floats.words.entries()) words[(s.fpr[k >> 1] as Slot).index + (1 - (k & 1))] = word;
    }
    put(s.engine.pc, code);
    m.run(longest);
    return this.#answer(c);
  }

  #answer(c: E500Case): Answer {
    const m = this.#m;
    const words = this.#words;
    const get = (slot: Slot | undefined) => words[(slot as Slot).index] as number;
    const answer = new Answer(new Uint8Array(answerSize));
    const { view } = answer;
    const put = (index: number, value: number) => view.setUint32(4 * index, value);
    for (let k = 0; k < 32; k++) put(k, get(s.gpr[k]));
    put(
      field.cr,
      s.cr.reduce((value, slot) => (value << 4) | get(slot), 0),
    );
    put(field.xer, (get(s.so) << 31) | (get(s.ov) << 30) | (get(s.ca) << 29) | get(s.byteCount));
    put(field.lr, get(s.lr));
    put(field.ctr, get(s.ctr));
    if (c.floats !== undefined) {
      put(field.fpscr, currentFpscr(m.front.core));
      for (let k = 0; k < 64; k++)
        put(floatOffset / 4 + k, words[(s.fpr[k >> 1] as Slot).index + (1 - (k & 1))] as number);
    }
    this.#ending(c, put, get);
    answer.bytes.set(m.bytes(place.data + (dataAt & 4095), dataSize), memoryOffset);
    return answer;
  }

  /** The vector which it went to, as the signal that Linux makes of it. A system call is an ending. */
  #ending(c: E500Case, put: (index: number, value: number) => void, get: (slot: Slot | undefined) => number): void {
    const pc = get(s.engine.pc);
    const ivor = (pc & -4096) === vectors ? ((pc & 0xfff) - 0x100) >> 4 : -1;
    const at = get(s.spr.SRR0);
    if (ivor === 8 && at > codeAt(c.slot) + 4 * c.elements.length && at <= slotEnd(c)) {
      put(field.pc, at - 4);
      return;
    }
    put(field.pc, ivor < 0 ? pc : at);
    const esr = get(s.spr.ESR);
    const data = ivor === 2 || ivor === 13 || ivor === 5;
    const fetch = ivor === 3 || ivor === 14;
    if (data || fetch) {
      put(field.signal, ivor === 5 ? signal.bus : signal.segment);
      put(field.address, data ? get(s.spr.DEAR) : at);
    } else if (ivor === 6)
      put(
        field.signal,
        (esr & 0x0200_0000) !== 0 ? signal.trap : (esr & 0x0100_0000) !== 0 ? signal.floating : signal.illegal,
      );
    // It did not end, or went where no case should: no signal has such a number.
    else put(field.signal, 0x100 + ivor);
  }
}
