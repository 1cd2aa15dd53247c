import { type Difference, lockstep } from "../../board/lockstep.ts";
import type { Machine } from "../../board/machine.ts";
import { createMachine } from "../../index.ts";
import { Trace } from "../../trace/trace.ts";
import { type BootOptions, configure } from "../configure.ts";
import { writeText } from "../stderr.ts";

/** Instructions between two comparisons. */
const stretch = 100_000;

/**
 * `--exec lockstep`: the same machine on both executors, compared as they go. The guest's console is the first one's, with no input. Gives the guest's exit
 * status, or 1 with where and in what the two came apart.
 */
export async function lockstepCommand(options: BootOptions, limit: number | undefined): Promise<number> {
  let close: (() => void)[] = [];
  const closeAll = () => {
    for (const each of close) each();
    close = [];
  };
  let first = true;
  const machine = async (exec: "jit" | "interp"): Promise<Machine> => {
    const configuration = await configure({ ...options, exec, clock: "virtual" }, new Trace());
    close.push(configuration.close);
    return createMachine(configuration.spec, configuration.options);
  };
  const make = async (): Promise<readonly [Machine, Machine]> => {
    closeAll();
    const one = await machine("jit");
    if (first) one.onConsole = (byte) => process.stdout.write(Uint8Array.of(byte));
    first = false;
    return [one, await machine("interp")];
  };
  try {
    const result = await lockstep(make, { stretch, ...(limit === undefined ? {} : { limit }) });
    if ("difference" in result) {
      writeText(2, describe(result.difference));
      return 1;
    }
    writeText(2, `lockstep: ${result.instructions} instructions, the same on both executors\n`);
    return result.status ?? 0;
  } finally {
    closeAll();
  }
}

function describe({ from, to, pc, fields }: Difference): string {
  const lines = fields.map(({ name, one, other }) => `  ${name}: jit ${one}, interp ${other}\n`);
  return `lockstep: the executors differ behind instruction ${to}, at pc 0x${pc.toString(16)} after ${from}\n${lines.join("")}`;
}
