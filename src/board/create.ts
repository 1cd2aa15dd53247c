import { Machine } from "./machine.ts";
import { MachineError, type MachineOptions } from "./options.ts";
import { wirePc } from "./pc.ts";
import type { MachineSpec } from "./spec.ts";

/**
 * Makes a machine of its description, reset and ready to run.
 *
 * @throws MachineError with one line, when what was asked for cannot be had.
 */
export function createMachine(spec: MachineSpec, options: MachineOptions): Machine {
  const memory = options.memory ?? spec.memory.size;
  const { minimum, maximum, granule } = spec.memory;
  if (!(memory >= minimum && memory <= maximum) || memory % granule !== 0)
    throw new MachineError(
      `${memory} bytes of memory: machine ${spec.name} takes ${minimum} to ${maximum}, in steps of ${granule}`,
    );
  if (spec.board !== "pc") throw new MachineError(`machine ${spec.name}: there is no board ${spec.board} yet`);
  try {
    return new Machine((requests) => wirePc(spec, { ...options, memory }, requests), options);
  } catch (error) {
    // Windows that do not fit, slots that are taken, an unknown processor: mistakes of the description.
    throw error instanceof RangeError ? new MachineError(`machine ${spec.name}: ${error.message}`) : error;
  }
}
