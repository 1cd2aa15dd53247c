import type { Ram } from "../bus/ram.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Device, Saved } from "../bus/state.ts";
import type { MachineClock } from "../time/machine-clock.ts";
import type { Trace } from "../trace/trace.ts";
import type { Board, Requests } from "./board.ts";
import { ConsoleInput } from "./console-input.ts";
import type { Cpu } from "./cpu.ts";
import type { RunResult } from "./run-result.ts";
import type { MachineSpec } from "./spec.ts";

/** What waking up is taken to cost when a budget is spent: a guest that only waits must not hold the host. */
const wakeCost = 1000;

/** Callers of a machine, and what they want to hear of it. */
export interface MachineEdge {
  readonly onConsole?: (byte: number) => void;
  readonly onDebug?: (byte: number) => void;
  readonly stopOnReset?: boolean;
}

/**
 * A machine that can be run: a board and its loop.
 *
 * `run` is synchronous; the host owns the loop around it. It never throws for what a guest does.
 */
export class Machine {
  readonly spec: MachineSpec;
  readonly cpu: Cpu;
  readonly clock: MachineClock;
  readonly memory: AddressSpace;
  readonly ports: AddressSpace | undefined;
  readonly ram: Ram;
  readonly trace: Trace;
  /** Every chip, in the order in which they are reset; the processor is the last. */
  readonly devices: readonly Device[];
  /** Bytes for the guest's console go in here. What it prints goes to `onConsole`. */
  readonly console: ConsoleInput;
  /** Listeners, free to be set anew at any time. */
  onConsole: ((byte: number) => void) | undefined;
  onDebug: ((byte: number) => void) | undefined;
  readonly #board: Board;
  readonly #stopOnReset: boolean;
  #status: number | undefined;
  #resetWanted: string | undefined;
  #resets = 0;
  #halts = 0;
  #pauseWanted = false;

  /** @param wire makes the board. It may not run anything before the machine is made. */
  constructor(wire: (requests: Requests) => Board, edge: MachineEdge = {}) {
    this.onConsole = edge.onConsole;
    this.onDebug = edge.onDebug;
    this.#stopOnReset = edge.stopOnReset ?? false;
    const board = wire({
      exit: (status) => {
        this.#status ??= status & 0xff;
        this.cpu.stop();
      },
      reset: (why) => {
        this.#resetWanted ??= why;
        this.cpu.stop();
      },
      console: (byte) => this.onConsole?.(byte),
      debug: (byte) => this.onDebug?.(byte),
    });
    this.#board = board;
    this.spec = board.spec;
    this.cpu = board.cpu;
    this.clock = board.clock;
    this.memory = board.memory;
    this.ports = board.ports;
    this.ram = board.ram;
    this.trace = board.trace;
    this.devices = [...board.devices, board.cpu];
    this.console = new ConsoleInput(board.console, board.clock);
    this.clock.onEarlier = () => this.cpu.stop();
    this.reset();
  }

  /** Runs at most `budget` instructions, or as much waiting as that is worth. */
  run(budget: number): RunResult {
    const { cpu, clock } = this;
    const skippedBefore = clock.skipped;
    const result = (reason: RunResult["reason"], more?: { status?: number; wake?: number }): RunResult => ({
      reason,
      skipped: clock.skipped - skippedBefore,
      ...more,
    });
    for (let left = budget; ; ) {
      if (this.#status !== undefined) {
        this.#board.ended();
        return result("exit", { status: this.#status });
      }
      if (this.#resetWanted !== undefined) {
        if (this.#stopOnReset) this.#status = 0;
        else this.reset();
        continue;
      }
      if (this.#pauseWanted) {
        this.#pauseWanted = false;
        return result("paused");
      }
      if (clock.held) return result("waiting");
      clock.ring();
      if (clock.held || this.#status !== undefined || this.#resetWanted !== undefined) continue;
      if (left <= 0) return result("budget");

      const before = cpu.instructions;
      cpu.run(clock.budget(left));
      left -= cpu.instructions - before;
      if (cpu.halted && cpu.instructions !== before) this.#halts++;
      // A halted processor is asked at least once whether an interrupt has come; it is idle only when it then does not move.
      if (!cpu.halted || cpu.instructions !== before || this.#status !== undefined) continue;
      if (this.#resetWanted !== undefined) continue;
      const wake = clock.idle();
      if (wake > 0) return result("idle", { wake });
      left -= wakeCost;
    }
  }

  /** Leaves `run` behind the instruction in hand, or at its next call at once. */
  pause(): void {
    this.#pauseWanted = true;
    this.cpu.stop();
  }

  /** System reset: every chip and the processor, in order. RAM keeps what it holds, as it does on a board. */
  reset(): void {
    if (this.#resetWanted !== undefined) {
      this.#resets++;
      const channel = this.trace.channel("reset");
      if (channel.on) channel.log(`${this.#resetWanted}, pc 0x${this.cpu.pc.toString(16)}`);
    }
    this.#resetWanted = undefined;
    this.console.clear();
    for (const device of this.devices) device.reset();
  }

  /** Wires for a host which asks for a reset, or for the end, as a button would. Seen at the next `run`. */
  requestReset(why: string): void {
    this.#resetWanted ??= why;
  }

  requestExit(status: number): void {
    this.#status ??= status & 0xff;
  }

  /** The exit status, once there is one. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Counts by name: instructions, halts, accesses which chips answered, resets, and those of the board. */
  stats(): Record<string, number> {
    return {
      instructions: this.cpu.instructions,
      halts: this.#halts,
      "chip-accesses": this.memory.chipAccesses + (this.ports?.chipAccesses ?? 0),
      resets: this.#resets,
      ...this.cpu.stats,
      ...this.#board.counts(),
    };
  }

  device(name: string): Device | undefined {
    return this.devices.find((device) => device.name === name);
  }

  /** Every chip's fields by the chip's name: for the monitor, for messages of failure, for comparing two machines. */
  state(): Record<string, Saved> {
    return Object.fromEntries(this.devices.map((device) => [device.name, device.state.save()]));
  }
}
