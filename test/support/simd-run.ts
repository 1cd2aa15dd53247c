import * as s from "../../src/cpu/x86/slots.ts";
import type { SimdState, SimdVector } from "./simd-vectors.ts";
import { type BareX86, bareX86, type Executor, flatMode, paging, resume, setWord, stoppedBy, word } from "./x86.ts";
import { codeAt, dataAt, dataPage } from "./x86-vectors.ts";

const pages = { code: 0x10000, data: 0x11000 };
const padding = new Uint8Array(64).fill(0xcc);

/** Runs vectors of MMX, SSE and SSE2 on one machine, again and again. */
export class SimdRunner {
  readonly machine: BareX86;

  constructor(executor: Executor) {
    const machine = bareX86(executor, { memory: 1 << 20, stopAtExceptions: true, model: "max" });
    this.machine = machine;
    paging(machine, 0x1000, [
      [codeAt & ~0xfff, pages.code],
      [dataPage, pages.data],
    ]);
    flatMode(machine, 3);
    setWord(machine, s.cr0, word(machine, s.cr0) | 0x22);
    setWord(machine, s.cr4, word(machine, s.cr4) | 0x600);
    setWord(machine, s.fpuControl, 0x37f);
  }

  /** What is wrong, a line each. */
  check(v: SimdVector): string[] {
    const { machine } = this;
    const { before } = v;
    machine.load(pages.code + (codeAt & 0xfff), Buffer.concat([Buffer.from(v.code, "hex"), padding]));
    machine.load(
      pages.data + (dataAt - dataPage),
      Buffer.concat([Buffer.from(before.memory, "hex"), Buffer.alloc(32)]),
    );
    setWord(machine, s.gpr[1], before.ecx);
    setWord(machine, s.gpr[2], before.edx);
    setWord(machine, s.gpr[3], dataAt);
    setWord(machine, s.gpr[7], dataAt);
    machine.front.core.setFlags(before.flags | 0x200, -1);
    setWord(machine, s.mxcsr, before.mxcsr);
    setWord(machine, s.fpuStatus, 0);
    setWord(machine, s.fpuTop, before.status >> 11);
    setWord(machine, s.fpuUsed, before.used);
    this.#put(s.xmm[2]?.offset, before.xmm1);
    this.#put(s.xmm[4]?.offset, before.xmm2);
    for (const [k, text] of [
      [1, before.mm1],
      [2, before.mm2],
    ] as const) {
      this.#put(s.fpuSignificand[k]?.offset, text.slice(0, 16));
      this.#put(s.fpuExponent[k]?.offset, text.slice(16));
    }
    setWord(machine, s.engine.pc, codeAt);
    resume(machine);
    machine.run(8);
    const wrong: string[] = [];
    const trap = stoppedBy(machine);
    if (trap !== v.trap) wrong.push(`exception is ${trap}, should be ${v.trap}`);
    const after = this.#state();
    for (const key of Object.keys(after) as (keyof SimdState)[])
      if (after[key] !== v.after[key]) wrong.push(`${key} is ${show(after[key])}, should be ${show(v.after[key])}`);
    return wrong;
  }

  #bytes(offset = 0): Buffer {
    const { buffer, byteOffset } = this.machine.words;
    return Buffer.from(buffer, byteOffset + offset);
  }

  #put(offset: number | undefined, text: string): void {
    Buffer.from(text, "hex").copy(this.#bytes(offset));
  }

  #take(offset: number | undefined, length: number): string {
    return this.#bytes(offset).subarray(0, length).toString("hex");
  }

  #state(): SimdState {
    const { machine } = this;
    const mm = (k: number) => this.#take(s.fpuSignificand[k]?.offset, 8) + this.#take(s.fpuExponent[k]?.offset, 2);
    return {
      xmm1: this.#take(s.xmm[2]?.offset, 16),
      xmm2: this.#take(s.xmm[4]?.offset, 16),
      mm1: mm(1),
      mm2: mm(2),
      ecx: word(machine, s.gpr[1]) >>> 0,
      edx: word(machine, s.gpr[2]) >>> 0,
      mxcsr: word(machine, s.mxcsr),
      status: word(machine, s.fpuStatus) | (word(machine, s.fpuTop) << 11),
      used: word(machine, s.fpuUsed),
      flags: machine.front.core.flags & 0xcd5,
      memory: Buffer.from(
        Array.from({ length: 32 }, (_, k) => machine.read(pages.data + (dataAt - dataPage) + k)),
      ).toString("hex"),
    };
  }
}

const show = (value: string | number) => (typeof value === "number" ? value.toString(16) : value);

export function describeSimd(v: SimdVector): string {
  const fields = Object.entries(v.before).map(([key, value]) => `${key}=${show(value)}`);
  return `${v.mnemonic} (${v.code}) with ${fields.join(" ")}`;
}
