/**
 * The public surface: machines as data, a machine to run, and a console to talk to. It touches no host; what reads files
 * and opens terminals on node is `boot` and its kin, in the package's main entry.
 */

export { pc } from "../machines/pc.ts";
export { ppce500 } from "../machines/ppce500.ts";
export { createMachine } from "./board/create.ts";
export { ExpectError, type ExpectOptions } from "./board/expect.ts";
export { Machine, type MachineEdge } from "./board/machine.ts";
export { checkMachine, readMachine } from "./board/machine-file.ts";
export {
  type Drive,
  type IrqMode,
  type KernelModule,
  type Layout,
  MachineError,
  type MachineOptions,
  type RingFormat,
} from "./board/options.ts";
export type { RunResult } from "./board/run-result.ts";
export type { MachineSpec } from "./board/spec.ts";
export { type HostEdge, Vm, type VmConsole } from "./board/vm.ts";
export { dumpRegion } from "./debug/dump-region.ts";
