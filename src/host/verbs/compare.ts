import { closeSync, openSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { compare } from "../compare/comparison.ts";
import { json } from "../compare/json.ts";
import { page } from "../compare/page/page.ts";
import { text } from "../compare/text.ts";
import { watchOutside } from "../ending.ts";
import { exitStatus, Failure, reason } from "../failure.ts";
import { findMachine, machines } from "../machines.ts";
import type { Wanted } from "../matrix/plan.ts";
import { standardOutput } from "../output.ts";
import { writeText } from "../stderr.ts";
import { parseInteger } from "../values.ts";

/** The options of `barzero compare`, as they were typed. */
export interface CompareFlags {
  readonly json?: boolean;
  readonly html?: string;
  readonly jobs?: string;
}

/**
 * `barzero compare`: what each register layout costs, from runs of the machines and from the device models themselves. Gives 0 when everything could
 * be measured.
 */
export async function compareCommand(wanted: readonly string[], flags: CompareFlags): Promise<number> {
  const jobs = flags.jobs === undefined ? availableParallelism() : parseInteger(flags.jobs, "--jobs", 1, 256);
  const asked: Wanted[] = [];
  for (const machine of wanted) asked.push({ machine, spec: await findMachine(machine) });
  const all = wanted.length > 0 ? asked : machines.map((spec) => ({ machine: spec.name, spec }));
  const { html } = flags;
  // Said before a minute's work is lost.
  if (html !== undefined) toFile(html, () => closeSync(openSync(html, "a")));
  const live = process.stderr.isTTY === true;
  const stopWatching = watchOutside(undefined, ({ status }) => process.exit(status));
  const found = await compare(all, jobs, (done, of) => {
    if (live) writeText(2, `\r${done} of ${of} measured${done === of ? "\n" : ""}`);
  });
  stopWatching();
  if (html !== undefined) toFile(html, () => writeFileSync(html, page(found)));
  const output = standardOutput();
  output.say(`${flags.json === true ? json(found) : text(found)}\n`);
  await output.drained();
  return found.troubles.length === 0 ? exitStatus.ok : exitStatus.failure;
}

function toFile(file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new Failure(`cannot write the page, ${file}: ${reason(error)}; check the path`);
  }
}
