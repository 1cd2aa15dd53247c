import { availableParallelism } from "node:os";
import { watchOutside } from "../ending.ts";
import { exitStatus, usage } from "../failure.ts";
import { findMachine, machines } from "../machines.ts";
import { type Cell, judge } from "../matrix/cells.ts";
import { devices, planRows, type RingFeature, ringFeatures, shardOf, type Wanted } from "../matrix/plan.ts";
import { runRows } from "../matrix/pool.ts";
import { json, tableHead, tableRow, tapLine, tapPlan } from "../matrix/report.ts";
import { standardOutput } from "../output.ts";
import { parseInteger } from "../values.ts";

/** The options of `barzero matrix`, as they were typed. */
export interface MatrixFlags {
  readonly tap?: boolean;
  readonly json?: boolean;
  readonly jobs?: string;
  readonly shard?: string;
  readonly with?: string;
}

/**
 * `barzero matrix`: every machine, layout, format of ring, interrupt mode and device, each tried by the demo kernel's own driver.
 * Results are printed as they come. Gives 0 when every cell is ok.
 */
export async function matrixCommand(wanted: readonly string[], flags: MatrixFlags): Promise<number> {
  if (flags.tap && flags.json) throw usage("--tap and --json: choose one of them");
  const most = 256;
  const jobs = flags.jobs === undefined ? availableParallelism() : parseInteger(flags.jobs, "--jobs", 1, most);
  // Looked up first, so that a wrong name is said before anything runs.
  const asked: Wanted[] = [];
  for (const machine of wanted) asked.push({ machine, spec: await findMachine(machine) });
  const besides = flags.with === undefined ? [] : parseWith(flags.with);
  const all = planRows(wanted.length > 0 ? asked : machines.map((spec) => ({ machine: spec.name, spec })), besides);
  const rows = flags.shard === undefined ? all : shardOf(all, ...parseShard(flags.shard));

  const output = standardOutput();
  const put = (line: string) => output.say(`${line}\n`);
  const cells: Cell[] = [];
  if (flags.tap) put(tapPlan(rows.length * devices.length));
  else if (!flags.json) put(tableHead());
  const stopWatching = watchOutside(undefined, ({ status }) => process.exit(status));
  await runRows(rows, Math.min(jobs, most), (result) => {
    const judged = judge(result);
    if (flags.tap) for (const [i, cell] of judged.entries()) put(tapLine(cell, cells.length + i + 1));
    else if (!flags.json) put(tableRow(judged));
    cells.push(...judged);
  });
  stopWatching();

  if (flags.json) put(json(cells));
  const good = cells.filter((cell) => cell.ok).length;
  const skipped = cells.filter((cell) => cell.skipped !== undefined).length;
  const impossible = skipped === 0 ? "" : `, ${skipped} are impossible`;
  if (!flags.tap && !flags.json) put(`\n${good - skipped} of ${cells.length} cells are ok${impossible}`);
  await output.drained();
  return good === cells.length ? exitStatus.ok : exitStatus.failure;
}

/** Names of ring features with commas between them. */
function parseWith(text: string): readonly RingFeature[] {
  return text.split(",").map((name) => {
    const found = ringFeatures.find((feature) => feature === name);
    if (found === undefined) throw usage(`--with ${text}: there are ${ringFeatures.join(" and ")}`);
    return found;
  });
}

/** `2/4`: the second of four parts. */
function parseShard(text: string): readonly [part: number, parts: number] {
  const match = /^(\d{1,3})\/(\d{1,3})$/.exec(text);
  const [part, parts] = [Number(match?.[1]), Number(match?.[2])];
  if (!(part >= 1 && part <= parts)) throw usage(`--shard ${text}: not a part of several; write for example 1/4`);
  return [part, parts];
}
