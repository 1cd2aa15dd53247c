import type { Board, Requests } from "./board.ts";
import { wireE500 } from "./e500.ts";
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
  const settled = { ...options, memory };
  const wire = (requests: Requests): Board =>
    spec.board === "pc" ? wirePc(spec, settled, requests) : wireE500(spec, settled, requests);
  try {
    return new Machine(wire, options);
  } catch (error) {
    // Windows that do not fit, slots that are taken, an unknown processor: mistakes of the description.
    throw error instanceof RangeError ? new MachineError(`machine ${spec.name}: ${error.message}`) : error;
  }
}
