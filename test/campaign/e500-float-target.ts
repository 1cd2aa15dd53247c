import type { Executor } from "../cpu/e500/bare.ts";
import {
  type FloatCase,
  floatOpcodes,
  makeFloatCase,
  makeFloatSequence,
  dataSize as operandSize,
} from "../cpu/e500/float-cases.ts";
import type { FloatAnswer } from "../cpu/e500/float-vectors.ts";
import { agrees } from "../vectors/e500/floating-differences.ts";
import type { Target } from "./campaign.ts";
import { capstone } from "./capstone.ts";
import { differences, inputs } from "./e500-answer.ts";
import { codeAt, dataAt, dataSize, type E500Case, slots } from "./e500-cases.ts";
import { type Answer, answerSize, field, floatOffset, memoryOffset } from "./e500-layout.ts";
import { CampaignMachine } from "./e500-machine.ts";
import type { Element } from "./e500-opcodes.ts";
import { askE500, e500Oracle } from "./e500-target.ts";
import { Random } from "./random.ts";

/*
 * The campaign's floating point: one instruction a case, operands from where formats and roundings meet, FPSCR in any state; and each fourth case a
 * sequence, in which instructions work on results and on FPSCR as others left them.
 */

interface Case {
  /** The instruction when it is one alone: known differences are told by it. */
  readonly float: FloatCase | undefined;
  /** As the oracle wants it. */
  readonly whole: E500Case;
}

function whole(c: Omit<FloatCase, "mnemonic" | "word">, elements: readonly Element[], slot: number): E500Case {
  const words = new Array<number>(64).fill(0);
  for (const [k, bits] of c.fpr.entries()) {
    words[2 * (3 + k)] = Number(bits >> 32n);
    words[2 * (3 + k) + 1] = Number(bits & 0xffff_ffffn);
  }
  const gpr = new Array<number>(32).fill(0);
  gpr[4] = c.r4;
  gpr[5] = c.r5;
  const memory = new Uint8Array(dataSize);
  memory.set(c.memory);
  const floats = { words, fpscr: c.fpscr };
  return {
    slot,
    elements,
    gpr,
    cr: c.cr,
    xer: 0,
    lr: 0,
    ctr: 0,
    memory,
    floats,
  };
}

/** Words of an answer which a float's answer has. */
const covered = new Set([
  ...[4, 5, field.cr, field.fpscr, field.signal],
  ...Array.from({ length: 8 }, (_, k) => floatOffset / 4 + 6 + k),
  ...Array.from({ length: operandSize / 4 }, (_, k) => memoryOffset / 4 + k),
]);

const uncovered = Array.from({ length: answerSize / 4 }, (_, k) => k).filter((k) => !covered.has(k));

function floatAnswer(answer: Answer): FloatAnswer {
  return {
    signal: answer.word(field.signal),
    fpscr: answer.word(field.fpscr),
    fpr: [3, 4, 5, 6].map((k) => answer.view.getBigUint64(floatOffset + 8 * k)),
    r4: answer.word(4),
    r5: answer.word(5),
    cr: answer.word(field.cr),
    memory: answer.bytes.slice(memoryOffset, memoryOffset + operandSize),
  };
}

/** `also` is run on one case in so many besides: making a region of each takes its time. */
const alsoOnce = 256;

export async function e500FloatTarget(executor: Executor, also?: Executor): Promise<Target<Case, Answer>> {
  const program = e500Oracle();
  const machine = new CampaignMachine(executor);
  const second = also && new CampaignMachine(also);
  let count = 0;
  const disassembler = await capstone("e500");
  const tally = new Map<string, number>();
  return {
    name: "e500 floating point",
    tally,
    make: (seed, number) => {
      const random = new Random(seed, number);
      const slot = number % slots;
      if (number % 4 === 0) {
        const c = makeFloatSequence(random);
        const elements = c.words.map(({ row, word }) => ({ mnemonic: row.mnemonic, word }));
        return { float: undefined, whole: whole(c, elements, slot) };
      }
      const float = makeFloatCase(random, random.pick(floatOpcodes), dataAt);
      return { float, whole: whole(float, [float], slot) };
    },
    ask: (cases) =>
      askE500(
        program,
        cases.map((c) => c.whole),
      ),
    run: (c) => {
      const is = machine.run(c.whole);
      if (second === undefined || count++ % alsoOnce !== 0) return is;
      const other = second.run(c.whole);
      // Whichever is not as the other cannot be right; the oracle says which.
      return Buffer.compare(is.bytes, other.bytes) === 0 ? is : other;
    },
    verdict: (c, is, should) => {
      if (Buffer.compare(is.bytes, should.bytes) === 0) return "same";
      if (c.float === undefined) return sequencesAgree(c.whole, is, should) ? "same" : "different";
      // Where one has a signal and the other has none they end elsewhere.
      const signals = is.word(field.signal) !== should.word(field.signal);
      for (const k of uncovered) if (is.word(k) !== should.word(k) && !(k === field.pc && signals)) return "different";
      return agrees({ ...c.float, answer: floatAnswer(should) }, floatAnswer(is), tally) ? "same" : "different";
    },
    smaller,
    describe: (c, is, should) => [
      ...disassembler
        .list(
          c.whole.elements.flatMap(({ word }) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]),
          codeAt(c.whole.slot),
        )
        .map((line) => `  ${line}`),
      ...inputs(c.whole).map((line) => `  before    ${line}`),
      ...(should === undefined ? ["  the oracle died"] : differences(c.whole, is, should).map((line) => `  ${line}`)),
    ],
  };
}

/** What test/vectors/e500/floating-differences.ts says of FPSCR may be there at a sequence's end, wherever in it it began. */
function sequencesAgree(c: E500Case, is: Answer, should: Answer): boolean {
  const has = (pattern: RegExp) => c.elements.some(({ mnemonic }) => pattern.test(mnemonic));
  const fr = 0x0004_0000;
  const mask = fr | (has(/^fcmp/) ? 0x0003_0000 : 0) | (has(/s$|^frsp/) ? 0x0001_0000 : 0);
  for (let k = 0; k < answerSize / 4; k++)
    if (((is.word(k) ^ should.word(k)) & (k === field.fpscr ? ~mask : -1)) !== 0) return false;
  return true;
}

/** A sequence without its last instruction, or with a nop for one; registers that are 0. One instruction is little enough. */
function smaller(c: Case): Case[] {
  const { elements, floats } = c.whole;
  if (c.float !== undefined || floats === undefined) return [];
  const nop = { mnemonic: "nop", word: 0x6000_0000 };
  const made: E500Case[] = elements.length > 1 ? [{ ...c.whole, elements: elements.slice(0, -1) }] : [];
  for (const [k, e] of elements.entries())
    if (e.mnemonic !== "nop") made.push({ ...c.whole, elements: elements.with(k, nop) });
  for (let k = 0; k < 64; k += 2)
    if (floats.words[k] !== 0 || floats.words[k + 1] !== 0)
      made.push({ ...c.whole, floats: { ...floats, words: floats.words.with(k, 0).with(k + 1, 0) } });
  return made.map((less) => ({ float: undefined, whole: less }));
}
