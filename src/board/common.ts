import type { AddressSpace } from "../bus/space.ts";
import { HostClock } from "../time/host-clock.ts";
import type { MachineClock } from "../time/machine-clock.ts";
import { VirtualClock } from "../time/virtual-clock.ts";
import type { Trace } from "../trace/trace.ts";
import type { SerialPort } from "./board.ts";
import { MachineError, type MachineOptions } from "./options.ts";
import type { MachineSpec } from "./spec.ts";

/** The options of a machine whose memory has been settled. */
export type WiringOptions = MachineOptions & { readonly memory: number };

/** Who is in front where windows overlap. */
export const priority = { ram: 100, rom: 50, chip: 10, message: 9 } as const;

/** For what is allocated on page boundaries in the guest memory. */
export const slack = 1 << 20;

/** The host's clock in milliseconds, for figures. */
export function milliseconds(wall: () => number): () => number {
  return () => wall() / 1e6;
}

/** @param position instructions retired. */
export function makeClock(spec: MachineSpec, options: MachineOptions, position: () => number): MachineClock {
  const { nsPerInstruction = spec.time.nsPerInstruction } = options;
  if (!(Number.isInteger(nsPerInstruction) && nsPerInstruction >= 1))
    throw new MachineError(`an instruction takes a whole number of nanoseconds, 1 or more, not ${nsPerInstruction}`);
  if (options.clock !== "host") return new VirtualClock(position, nsPerInstruction);
  if (options.wall === undefined) throw new MachineError("the host's clock was asked for, and none was given");
  return new HostClock(options.wall, position);
}

/** Accesses which nothing claims are no error: software probes. They are there for who looks. */
export function reportUnclaimed(space: AddressSpace, trace: Trace): void {
  const channel = trace.channel("unclaimed");
  space.unclaimed = (kind, address, width, value) => {
    if (channel.on) channel.log(`${space.name} ${kind} 0x${address.toString(16)}.${width} 0x${value.toString(16)}`);
  };
}

/** The UART which the description names as the console. */
export function consoleOf<T extends SerialPort>(spec: MachineSpec, uarts: ReadonlyMap<string, T>): T {
  const found = uarts.get(spec.console);
  if (found === undefined) throw new MachineError(`machine ${spec.name}: its console ${spec.console} is no UART of it`);
  return found;
}
