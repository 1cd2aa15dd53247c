import { setTimeout as delay } from "node:timers/promises";
import type { Machine } from "../board/machine.ts";
import { Vm } from "../board/vm.ts";
import { createMachine } from "../index.ts";
import { Trace, type TraceLine } from "../trace/trace.ts";
import { type BootOptions, configure } from "./configure.ts";

export interface LibraryOptions extends BootOptions {
  /** Trace channels to turn on; `all` is every one. */
  readonly trace?: readonly string[];
  /** Told of each line of the trace, and of what is unimplemented. */
  readonly onTrace?: (line: TraceLine) => void;
}

/** A machine on this host. Disposing of it closes its files. */
export class HostVm extends Vm {
  readonly #close: () => void;

  constructor(machine: Machine, close: () => void) {
    super(machine, { now: () => performance.now(), pause });
    this.#close = close;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.#close();
  }
}

/**
 * Makes a machine and gives it ready to run; it runs while somebody waits for it.
 *
 *     await using vm = await boot({ append: "selftest" });
 *     await vm.console.expect(/^1\.\.\d+/m);
 *     assert.equal(await vm.exit, 0);
 *
 * @throws Failure or MachineError, each with one line, when what was asked for cannot be had.
 */
export async function boot(options: LibraryOptions = {}): Promise<HostVm> {
  const trace = new Trace();
  trace.enable(...(options.trace ?? []));
  trace.sink = options.onTrace ?? trace.sink;
  const configuration = await configure(options, trace);
  try {
    return new HostVm(createMachine(configuration.spec, configuration.options), configuration.close);
  } catch (error) {
    configuration.close();
    throw error;
  }
}

/** One turn of the event loop, or as many milliseconds. */
function pause(milliseconds: number): Promise<void> {
  return milliseconds < 1 ? new Promise((resolve) => setImmediate(resolve)) : delay(milliseconds);
}
