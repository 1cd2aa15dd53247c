import type { Saved } from "../bus/state.ts";
import type { Machine } from "./machine.ts";
import { MachineError } from "./options.ts";

/** All that a machine is at one instruction, in memory. Plain data, but for RAM. */
export interface Snapshot {
  readonly machine: string;
  /** Virtual nanoseconds. */
  readonly now: number;
  readonly devices: Readonly<Record<string, Saved>>;
  readonly ram: Uint8Array;
}

/** To be taken between two runs. Frames on their way in a network are lost, as they may be on any. */
export function saveSnapshot(machine: Machine): Snapshot {
  return {
    machine: machine.spec.name,
    now: machine.clock.now,
    devices: machine.state(),
    ram: machine.ram.contents().slice(),
  };
}

/**
 * Makes a machine of the same description be what the other was. States first, then RAM, then each chip drives its lines
 * and sets its alarms.
 *
 * @throws MachineError before anything is changed, when it is a snapshot of another machine.
 */
export function restoreSnapshot(machine: Machine, snapshot: Snapshot): void {
  const names = machine.devices.map((device) => device.name);
  const other = Object.keys(snapshot.devices).find((name) => !names.includes(name));
  const missing = names.find((name) => snapshot.devices[name] === undefined);
  if (snapshot.machine !== machine.spec.name || other !== undefined || missing !== undefined)
    throw new MachineError(
      `a snapshot of machine ${snapshot.machine} with other devices than ${machine.spec.name} has`,
    );
  if (snapshot.ram.length !== machine.ram.size)
    throw new MachineError(`a snapshot with ${snapshot.ram.length} bytes of RAM, where there are ${machine.ram.size}`);
  machine.console.clear();
  for (const device of machine.devices) device.state.restore(snapshot.devices[device.name] as Saved);
  // The processor's count of instructions is back; time goes on from there.
  machine.clock.restore(snapshot.now);
  machine.ram.load(0, snapshot.ram);
  for (const device of machine.devices) device.restored?.();
}
