import { currentFpscr } from "../../../src/cpu/e500/floating-helpers.ts";
import * as s from "../../../src/cpu/e500/slots.ts";
import type { Slot } from "../../../src/ir/slots.ts";
import { agrees } from "../../vectors/e500/floating-differences.ts";
import { Bare, type Executor } from "./bare.ts";
import { dataAt, dataSize, type FloatCase } from "./float-cases.ts";
import { type FloatAnswer, type FloatVector, toLine } from "./float-vectors.ts";

const region = 0x4000_0000;
const codeAt = 0x4001_0080;
/** Problem state, with floating point and its exceptions. */
const msr = 0x4000 | 0x2000 | 0x0900;

/** Runs floating-point cases one after the other on one machine. */
export class FloatRunner {
  readonly #m: Bare;

  constructor(executor: Executor) {
    this.#m = new Bare(executor, { memory: 1 << 18 });
    this.#m.front.core.reset(region, 0, 8);
    for (let k = 0; k < 42; k++) this.#m.set(s.ivor[k], 0x100 + 16 * k);
    this.#m.set(s.spr.IVPR, 0x5000_0000);
  }

  run(c: FloatCase): FloatAnswer {
    const m = this.#m;
    const { core } = m.front;
    const { view } = core.engine;
    const place = (k: number) => (s.fpr[3 + k] as Slot).offset;
    m.set(s.engine.pc, codeAt);
    m.code(codeAt - region, c.word);
    for (let k = 0; k < dataSize; k++) m.setByte(dataAt - region + k, c.memory[k] as number);
    m.msr(msr);
    m.set(s.fpscr, c.fpscr);
    m.set(s.fpPending, 0);
    m.set(s.fpCompared, 0);
    for (const [k, bits] of c.fpr.entries()) view.setBigUint64(place(k), bits, true);
    m.setR(4, c.r4);
    m.setR(5, c.r5);
    for (let k = 0; k < 8; k++) m.set(s.cr[k], (c.cr >>> (28 - 4 * k)) & 15);
    m.run(1);
    return {
      signal: m.pc === codeAt + 4 ? 0 : signalOf(((m.pc & 0xfff) - 0x100) >> 4, m.get(s.spr.ESR)),
      fpscr: currentFpscr(core) >>> 0,
      fpr: c.fpr.map((_, k) => view.getBigUint64(place(k), true)),
      r4: m.r(4),
      r5: m.r(5),
      cr: s.cr.reduce((value, _, k) => value * 16 + m.get(s.cr[k]), 0),
      memory: Uint8Array.from({ length: dataSize }, (_, k) => m.byte(dataAt - region + k)),
    };
  }

  /** What was wrong, if anything, and has no name. */
  check(v: FloatVector): string | undefined {
    const answer = this.run(v);
    if (agrees(v, answer)) return undefined;
    return `${v.mnemonic}\n  oracle ${toLine(v)}\n  ours   ${toLine({ ...v, answer })}`;
  }
}

/** What Linux makes of an interrupt. */
function signalOf(ivor: number, esr: number): number {
  if (ivor !== 6) return 11;
  return (esr & 0x0100_0000) !== 0 ? 8 : 4;
}
