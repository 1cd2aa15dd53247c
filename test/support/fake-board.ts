import { pc } from "../../machines/pc.ts";
import type { Board, Requests } from "../../src/board/board.ts";
import type { Cpu } from "../../src/board/cpu.ts";
import { GuestMemory } from "../../src/bus/guest-memory.ts";
import { Ram } from "../../src/bus/ram.ts";
import { AddressSpace } from "../../src/bus/space.ts";
import { type Device, State } from "../../src/bus/state.ts";
import type { MachineClock } from "../../src/time/machine-clock.ts";
import { VirtualClock } from "../../src/time/virtual-clock.ts";
import { Trace } from "../../src/trace/trace.ts";

/** A processor whose program is a function, called for each instruction with its number from 0. */
export class FakeCpu implements Cpu {
  readonly name = "cpu";
  readonly state = new State<{ halted: boolean }>("cpu", { halted: false });
  instructions = 0;
  resets = 0;
  /** Set by a test's interrupt. */
  interrupt = false;
  program: (instruction: number) => void = () => {};
  #stopped = false;

  get halted(): boolean {
    return this.state.now.halted;
  }

  get pc(): number {
    return 0x1000 + this.instructions;
  }

  run(budget: number): void {
    this.#stopped = false;
    for (let left = budget; left > 0 && !this.#stopped; left--) {
      if (this.interrupt) {
        this.interrupt = false;
        this.state.now.halted = false;
      }
      if (this.halted) return;
      this.program(this.instructions++);
    }
  }

  halt(): void {
    this.state.now.halted = true;
  }

  stop(): void {
    this.#stopped = true;
  }

  attention(): void {}

  reset(): void {
    this.resets++;
    this.state.reset();
  }
}

/** A board with a FakeCpu, a console whose input is kept, and whatever clock and devices a test wants. */
export function fakeBoard(parts: { cpu: FakeCpu; clock?: MachineClock; devices?: readonly Device[]; room?: number }) {
  const received: number[] = [];
  const seen: { requests?: Requests } = {};
  const wire = (requests: Requests): Board => {
    seen.requests = requests;
    const guest = new GuestMemory(65536);
    return {
      spec: pc,
      trace: new Trace(),
      clock: parts.clock ?? new VirtualClock(() => parts.cpu.instructions, 10),
      guest,
      memory: new AddressSpace("memory", 2 ** 32),
      ports: undefined,
      ram: new Ram(guest, "ram", 4096),
      cpu: parts.cpu,
      devices: parts.devices ?? [],
      console: {
        get room() {
          return (parts.room ?? 16) - received.length;
        },
        listening: true,
        receive(byte) {
          if (received.length >= (parts.room ?? 16)) return false;
          received.push(byte);
          return true;
        },
      },
      ended: () => {},
      counts: () => ({}),
    };
  };
  return { wire, received, requests: () => seen.requests as Requests };
}
