import type { Executor } from "../support/x86.ts";
import type { Target } from "./campaign.ts";
import { capstone } from "./capstone.ts";
import { ask, build, type OracleProgram } from "./oracle.ts";
import {
  type Answer,
  answerSize,
  codeOf,
  differences,
  inputs,
  requestSize,
  verdict,
  writeRequest,
} from "./x86-answer.ts";
import type { X86Case } from "./x86-case.ts";
import { type Kind, x86Case } from "./x86-cases.ts";
import { CampaignMachine } from "./x86-machine.ts";
import { ldtArguments } from "./x86-segments.ts";

const options =
  "-O2 -fno-stack-protector -fno-pic -no-pie -mno-sse -mno-mmx -ffreestanding -nostdlib -static -Wl,--build-id=none".split(
    " ",
  );

/** The processor that this runs on. */
export function x86Oracle(): OracleProgram {
  const command = build("x86-oracle.c", process.env.BARZERO_I686_GCC ?? "i686-linux-gnu-gcc", options);
  return { command, arguments: ldtArguments(), requestSize, answerSize };
}

export async function askX86(program: OracleProgram, cases: readonly X86Case[]): Promise<(Answer | undefined)[]> {
  const requests = new Uint8Array(cases.length * requestSize);
  for (const [k, c] of cases.entries()) writeRequest(c, requests, k * requestSize);
  const answers = await ask(program, requests);
  // A part of what the pipe gave may lie at any address.
  return answers.map((bytes) => bytes && new Uint32Array(new Uint8Array(bytes).buffer));
}

/** `both`: the interpreter, and regions for a family in eight. */
export async function x86Target(executor: Executor | "both", kind: Kind): Promise<Target<X86Case, Answer>> {
  const program = x86Oracle();
  const machine = new CampaignMachine(executor === "both" ? "interpreter" : executor);
  const regions = executor === "both" ? new CampaignMachine("regions") : machine;
  const disassembler = await capstone("x86");
  return {
    name: kind === "integer" ? "x86" : "x86 floating point and vectors",
    make: (seed, number) => x86Case(seed, number, kind),
    ask: (cases) => askX86(program, cases),
    run: (c) => (c.translated ? regions : machine).run(c),
    verdict,
    smaller,
    describe: (c, is, should) => [
      ...disassembler.list([...codeOf(c)], c.eip).map((line) => `  ${line}`),
      ...inputs(c).map((line) => `  before    ${line}`),
      ...(should === undefined ? ["the oracle died"] : differences(c, is, should)).map((line) => `  ${line}`),
      `  on ${c.translated && executor === "both" ? "regions" : executor}`,
    ],
  };
}

function smaller(c: X86Case): X86Case[] {
  const { elements, registers, memory } = c;
  const cases: X86Case[] = [];
  // Single instructions, then all but one.
  if (elements.length > 2) for (const e of elements) cases.push({ ...c, elements: [e] });
  if (elements.length > 1) for (const k of elements.keys()) cases.push({ ...c, elements: elements.toSpliced(k, 1) });
  if (memory.some((byte) => byte !== 0)) cases.push({ ...c, memory: memory.map(() => 0) });
  for (const [k, value] of registers.entries())
    if (k !== 4 && value !== 0)
      for (const less of [0, 1]) if (value !== less) cases.push({ ...c, registers: registers.with(k, less) });
  if (c.flags !== 0) cases.push({ ...c, flags: 0 });
  for (const [k, byte] of memory.entries()) if (byte !== 0) cases.push({ ...c, memory: memory.with(k, 0) });
  return cases;
}
