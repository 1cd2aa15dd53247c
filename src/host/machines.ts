import { pc, pcMemory, pcPorts } from "../../machines/pc.ts";
import { ppce500, ppce500Noio } from "../../machines/ppce500.ts";
import { checkMachine, readMachine } from "../board/machine-file.ts";
import { MachineError } from "../board/options.ts";
import type { MachineSpec } from "../board/spec.ts";
import { oneLine, usage } from "./failure.ts";
import { readFileOrFail } from "./images.ts";
import { hint } from "./nearest.ts";

/** The machines which need no file. */
export const machines: readonly MachineSpec[] = [pc, pcPorts, pcMemory, ppce500, ppce500Noio];

/** The machine by that name, from the file of that name (`.json`, or with a slash in it), or which the value describes. */
export async function findMachine(wanted: string | object): Promise<MachineSpec> {
  if (typeof wanted !== "string") return asUsage(checkMachine(wanted, "machine"));
  const found = machines.find((spec) => spec.name === wanted);
  if (found !== undefined) return found;
  if (wanted.endsWith(".json") || wanted.includes("/")) {
    const bytes = readFileOrFail(wanted, "the machine file");
    return asUsage(readMachine(new TextDecoder().decode(bytes), wanted));
  }
  const names = machines.map((spec) => spec.name);
  throw usage(
    `no machine ${wanted}; there are ${names.join(", ")}, or give a .json file${hint(wanted, [...names, "boot", "machines"])}`,
  );
}

/** A machine file with a mistake in it is a mistake in what was asked for. */
async function asUsage(machine: Promise<MachineSpec>): Promise<MachineSpec> {
  try {
    return await machine;
  } catch (error) {
    throw error instanceof MachineError ? usage(oneLine(error.message)) : error;
  }
}
