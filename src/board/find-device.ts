import { MachineError } from "./options.ts";
import type { DeviceSpec, MachineSpec } from "./spec.ts";

export type DeviceOf<K extends DeviceSpec["kind"]> = Extract<DeviceSpec, { kind: K }>;

/** The device of a kind (and of a name) which a machine has, if it does. */
export function maybeDevice<K extends DeviceSpec["kind"]>(
  spec: MachineSpec,
  kind: K,
  name?: string,
): DeviceOf<K> | undefined {
  const fits = (device: DeviceSpec) => device.kind === kind && (name === undefined || device.name === name);
  return spec.devices.find(fits) as DeviceOf<K> | undefined;
}

/** The device of a kind which a machine must have. Throws when it does not. */
export function findDevice<K extends DeviceSpec["kind"]>(spec: MachineSpec, kind: K, name?: string): DeviceOf<K> {
  const found = maybeDevice(spec, kind, name);
  if (found === undefined) throw new MachineError(`machine ${spec.name} has no ${name ?? kind}`);
  return found;
}
