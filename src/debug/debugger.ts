import type { Cpu } from "../board/cpu.ts";
import type { Machine } from "../board/machine.ts";
import type { RunResult } from "../board/run-result.ts";
import type { Hit, Stops, WatchedRange } from "../engine/stops.ts";
import type { DebugMemory } from "./memory.ts";
import { seen } from "./seen.ts";
import { Symbols } from "./symbols.ts";
import type { Target } from "./target.ts";

/** Why a machine stopped under the debugger. */
export type Stop = Hit | { readonly kind: "asked" | "step" } | { readonly kind: "exit"; readonly status: number };

/** Breakpoints and watchpoints there may be; each costs a look at an access to its page. */
const most = 4096;
const longestRange = 65536;

/**
 * A machine which can be held, stepped and looked into. It stands between the machine and the host's loop: `run` is the machine's, and idles while
 * the machine is held.
 */
export class Debugger {
  readonly machine: Machine;
  readonly target: Target;
  readonly memory: DebugMemory;
  readonly symbols: Symbols;
  /** Told when the machine goes on, so that a sleeping loop does too, and what the host does with its clock. */
  onResume: (() => void) | undefined;
  readonly #stops: Stops;
  readonly #listeners = new Set<(stop: Stop) => void>();
  readonly #breakpoints = new Map<string, number>();
  readonly #ranges = new Map<string, WatchedRange>();
  #stopped = false;
  #stepping = false;
  #hit: Hit | undefined;
  #last: Stop = { kind: "asked" };

  /** @throws Error for a machine whose processor no debugger knows. */
  constructor(machine: Machine, symbols: Symbols = new Symbols()) {
    this.machine = machine;
    this.symbols = symbols;
    const { cpu, target, memory } = seen(machine);
    this.target = target;
    this.memory = memory;
    this.#stops = cpu.engine.stops;
    this.#stops.onHit = (hit) => {
      this.#hit ??= hit;
      machine.pause();
    };
  }

  /** For the host's loop. */
  get cpu(): Cpu {
    return this.machine.cpu;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Why it stopped last. */
  get last(): Stop {
    return this.#last;
  }

  /** Told of every stop. Gives the function which ends that. */
  listen(listener: (stop: Stop) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As `Machine.run`. Idle for good while the machine is held. */
  run(budget: number): RunResult {
    const { machine } = this;
    if (this.#stopped && machine.status === undefined)
      return { reason: "idle", wake: Number.POSITIVE_INFINITY, skipped: 0 };
    const before = machine.cpu.instructions;
    // A processor that waits needs its interrupt to take a step at all.
    this.#stops.quiet = this.#stepping && !machine.cpu.halted;
    const result = machine.run(this.#stepping ? 1 : budget);
    this.#stops.quiet = false;
    if (result.reason === "exit") this.#halt({ kind: "exit", status: result.status ?? 0 });
    else if (this.#hit !== undefined) this.#halt(this.#hit);
    else if (result.reason === "paused") this.#halt({ kind: "asked" });
    else if (this.#stepping && machine.cpu.instructions !== before) this.#halt({ kind: "step" });
    return result;
  }

  /** Holds the machine where it is. Between two runs only. */
  stop(): void {
    if (!this.#stopped) this.#halt({ kind: "asked" });
  }

  /** Lets it go on, past a breakpoint on the instruction which comes next. */
  resume(): void {
    this.#go(false);
  }

  /** Lets it run one instruction. Interrupts wait meanwhile, unless the processor waits for one. */
  step(): void {
    this.#go(true);
  }

  /** System reset, at once when the machine is held. */
  reset(): void {
    this.machine.requestReset("the debugger asks for a reset");
    if (this.#stopped) this.machine.run(0);
  }

  /** False when there are too many. `key` tells apart those which are set and cleared on their own. */
  addBreakpoint(key: string, address: number): boolean {
    if (this.#breakpoints.size >= most) return false;
    this.#breakpoints.set(key, address >>> 0);
    this.#update();
    return true;
  }

  addWatchpoint(key: string, range: WatchedRange): boolean {
    const { address, length } = range;
    if (this.#ranges.size >= most || length < 1 || length > longestRange || address + length > 2 ** 32) return false;
    this.#ranges.set(key, range);
    this.#update();
    return true;
  }

  /** No harm is done by a key which is not there. */
  remove(key: string): void {
    this.#breakpoints.delete(key);
    this.#ranges.delete(key);
    this.#update();
  }

  removeAll(): void {
    this.#breakpoints.clear();
    this.#ranges.clear();
    this.#update();
  }

  #update(): void {
    this.#stops.set(this.#breakpoints.values(), this.#ranges.values());
  }

  #go(step: boolean): void {
    this.#hit = undefined;
    this.#stepping = step;
    this.#stopped = false;
    this.#stops.pass(this.target.pc, this.machine.cpu.instructions);
    this.onResume?.();
  }

  #halt(stop: Stop): void {
    this.#stopped = true;
    this.#stepping = false;
    this.#hit = undefined;
    this.#last = stop;
    for (const listener of [...this.#listeners]) listener(stop);
  }
}
