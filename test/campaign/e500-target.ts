import type { Executor } from "../cpu/e500/bare.ts";
import type { Target } from "./campaign.ts";
import { capstone } from "./capstone.ts";
import { differences, inputs, verdict } from "./e500-answer.ts";
import { codeAt, type E500Case, e500Case, type Group, integer } from "./e500-cases.ts";
import { Answer, answerSize, requestSize, writeRequest } from "./e500-layout.ts";
import { CampaignMachine } from "./e500-machine.ts";
import { ask, build, type OracleProgram } from "./oracle.ts";

const options = "-O1 -static -msdata=none -fno-stack-protector".split(" ");

/** qemu-ppc's e500mc, unless `BARZERO_PPC` names another way to run the program. */
export function e500Oracle(): OracleProgram {
  const file = build("e500-campaign.c", process.env.BARZERO_PPC_GCC ?? "powerpc-linux-gnu-gcc", options);
  const [command = "", ...before] = (process.env.BARZERO_PPC ?? "qemu-ppc-static -cpu e500mc").split(" ");
  return { command, arguments: [...before, file], requestSize, answerSize };
}

export async function askE500(program: OracleProgram, cases: readonly E500Case[]): Promise<(Answer | undefined)[]> {
  const requests = new Uint8Array(cases.length * requestSize);
  const view = new DataView(requests.buffer);
  for (const [k, c] of cases.entries()) writeRequest(c, view, k * requestSize);
  const answers = await ask(program, requests);
  return answers.map((bytes) => bytes && new Answer(bytes));
}

/** `also` is run on one slot in so many besides: making a region of each case takes its time. A case that is tried again is run alike. */
const alsoOnce = 256;

export async function e500Target(
  executor: Executor,
  also?: Executor,
  groups: readonly Group[] = integer,
): Promise<Target<E500Case, Answer>> {
  const program = e500Oracle();
  const machine = new CampaignMachine(executor);
  const second = also && new CampaignMachine(also);
  const disassembler = await capstone("e500");
  const tally = new Map<string, number>();
  return {
    name: "e500",
    tally,
    make: (seed, number) => e500Case(seed, number, groups),
    ask: (cases) => askE500(program, cases),
    run: (c) => {
      const is = machine.run(c);
      if (second === undefined || c.slot % alsoOnce !== 0) return is;
      const other = second.run(c);
      // Whichever is not as the other cannot be right; the oracle says which.
      return Buffer.compare(is.bytes, other.bytes) === 0 ? is : other;
    },
    verdict: (c, is, should) => verdict(c, is, should, tally),
    smaller,
    describe: (c, is, should) => [
      ...disassembler
        .list(
          c.elements.flatMap(({ word }) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]),
          codeAt(c.slot),
        )
        .map((line) => `  ${line}`),
      ...inputs(c).map((line) => `  before    ${line}`),
      ...(should === undefined ? ["the oracle died"] : differences(c, is, should)).map((line) => `  ${line}`),
    ],
  };
}

function smaller(c: E500Case): E500Case[] {
  const { elements, gpr, memory } = c;
  const cases: E500Case[] = [];
  const nop = { mnemonic: "nop", word: 0x6000_0000 };
  if (elements.length > 1) {
    cases.push({ ...c, elements: elements.slice(0, -1) });
    // Branches stay what they are when what goes leaves a hole.
    for (const [k, e] of elements.entries())
      if (e.mnemonic !== "nop") cases.push({ ...c, elements: elements.with(k, nop) });
  }
  if (memory.some((byte) => byte !== 0)) cases.push({ ...c, memory: memory.map(() => 0) });
  for (const name of ["cr", "xer"] as const) if (c[name] !== 0) cases.push({ ...c, [name]: 0 });
  // Pointers stay: what they are makes the addresses safe.
  for (const [k, value] of gpr.entries())
    if (value >>> 28 !== 5) for (const less of [0, 1]) if (value > less) cases.push({ ...c, gpr: gpr.with(k, less) });
  if (c.floats !== undefined) {
    const { words } = c.floats;
    if (c.floats.fpscr !== 0) cases.push({ ...c, floats: { words, fpscr: 0 } });
    for (let k = 0; k < 64; k += 2)
      if (words[k] !== 0 || words[k + 1] !== 0)
        cases.push({ ...c, floats: { ...c.floats, words: words.with(k, 0).with(k + 1, 0) } });
  }
  return cases;
}
