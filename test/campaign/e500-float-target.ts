import type { Executor } from "../cpu/e500/bare.ts";
import { type FloatCase, floatOpcodes, makeFloatCase, dataSize as operandSize } from "../cpu/e500/float-cases.ts";
import { type FloatAnswer, toLine } from "../cpu/e500/float-vectors.ts";
import { agrees } from "../vectors/e500/floating-differences.ts";
import type { Target } from "./campaign.ts";
import { differences } from "./e500-answer.ts";
import { dataAt, dataSize, type E500Case, slots } from "./e500-cases.ts";
import { type Answer, answerSize, field, floatOffset, memoryOffset } from "./e500-layout.ts";
import { CampaignMachine } from "./e500-machine.ts";
import { askE500, e500Oracle } from "./e500-target.ts";
import { Random } from "./random.ts";

/* The campaign's floating point: one instruction a case, operands from where formats and roundings meet, FPSCR in any state. */

interface Case {
  readonly float: FloatCase;
  /** The same, as the oracle wants it. */
  readonly whole: E500Case;
}

function whole(c: FloatCase, slot: number): E500Case {
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
    elements: [{ mnemonic: c.mnemonic, word: c.word }],
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

export function e500FloatTarget(executor: Executor, also?: Executor): Target<Case, Answer> {
  const program = e500Oracle();
  const machine = new CampaignMachine(executor);
  const second = also && new CampaignMachine(also);
  let count = 0;
  const tally = new Map<string, number>();
  const answered = (c: Case, should: Answer) => ({ ...c.float, answer: floatAnswer(should) });
  return {
    name: "e500 floating point",
    tally,
    make: (seed, number) => {
      const opcode = floatOpcodes[number % floatOpcodes.length];
      if (opcode === undefined) throw new RangeError(`case ${number}`);
      const float = makeFloatCase(new Random(seed, number), opcode, dataAt);
      return { float, whole: whole(float, number % slots) };
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
      // Where one has a signal and the other has none they end elsewhere.
      const signals = is.word(field.signal) !== should.word(field.signal);
      for (const k of uncovered) if (is.word(k) !== should.word(k) && !(k === field.pc && signals)) return "different";
      return agrees(answered(c, should), floatAnswer(is), tally) ? "same" : "different";
    },
    // One instruction is little enough.
    smaller: () => [],
    describe: (c, is, should) => [
      ...(should === undefined ? [] : [`  oracle ${toLine(answered(c, should))}`]),
      `  ours   ${toLine(answered(c, is))}`,
      ...(should === undefined ? ["  the oracle died"] : differences(c.whole, is, should).map((line) => `  ${line}`)),
    ],
  };
}
