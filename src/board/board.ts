import type { GuestMemory } from "../bus/guest-memory.ts";
import type { Ram } from "../bus/ram.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Device } from "../bus/state.ts";
import type { MachineClock } from "../time/machine-clock.ts";
import type { Trace } from "../trace/trace.ts";
import type { Cpu } from "./cpu.ts";
import type { MachineSpec } from "./spec.ts";

/** What chips ask of the whole machine. They are given these functions one by one, never the machine. */
export interface Requests {
  /** The guest leaves, with the status it wrote or 0 for power-off. */
  exit(status: number): void;
  /** The system reset line: reset control, 8042, triple fault, watchdog. */
  reset(why: string): void;
  /** A byte for the console. */
  console(byte: number): void;
  /** A byte for the debug console. */
  debug(byte: number): void;
}

/** The receiving end of the console's UART. */
export interface SerialPort {
  /** How many bytes it takes now. */
  readonly room: number;
  /** Whether the guest has asked for an interrupt when bytes arrive. */
  readonly listening: boolean;
  /** False when it is full. */
  receive(byte: number): boolean;
}

/** A machine's parts, wired. */
export interface Board {
  readonly spec: MachineSpec;
  readonly trace: Trace;
  readonly clock: MachineClock;
  readonly guest: GuestMemory;
  readonly memory: AddressSpace;
  /** The port space, on a board which has one. */
  readonly ports: AddressSpace | undefined;
  readonly ram: Ram;
  readonly cpu: Cpu;
  /** Every chip but the processor, in the order in which they are reset. */
  readonly devices: readonly Device[];
  readonly console: SerialPort;
  /** The guest has left and will not run again. */
  ended(): void;
  /** Counts worth knowing, by name: interrupts of each kind, refused accesses. */
  counts(): Record<string, number>;
}
