import type { GuestMemory } from "../bus/guest-memory.ts";
import type { InterruptSource } from "../bus/line.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Saved, StateList } from "../bus/state.ts";
import type { Wires } from "../cpu/x86/core.ts";
import { X86 } from "../cpu/x86/cpu.ts";
import { slots } from "../cpu/x86/slots.ts";
import { Engine } from "../engine/engine.ts";
import type { Slot } from "../ir/slots.ts";
import type { Cpu } from "./cpu.ts";

export interface X86CpuOptions {
  readonly model?: string;
  readonly memory: AddressSpace;
  /** It takes the first part of this for itself: nobody may have allocated before. */
  readonly guest: GuestMemory;
  readonly wires: Wires;
  readonly interrupts: InterruptSource;
}

/** An x86 processor on a board: the front end and the engine that runs it. */
export class X86Cpu implements Cpu {
  readonly name = "cpu";
  readonly state: StateList;
  readonly engine: Engine;
  readonly #front: X86;

  constructor(options: X86CpuOptions) {
    this.#front = new X86(options);
    this.engine = new Engine(options.guest, options.memory, this.#front);
    this.state = new SlotState(this.name, slots, this.engine, () => this.#front.reset());
  }

  get instructions(): number {
    return this.engine.instructions;
  }

  get halted(): boolean {
    return this.#front.halted;
  }

  get pc(): number {
    return (this.engine.words[this.#front.slots.pc.index] as number) >>> 0;
  }

  run(budget: number): void {
    this.engine.run(budget);
  }

  stop(): void {
    this.engine.stop();
  }

  attention(): void {
    this.engine.attention();
  }

  /** The NMI pin rose. */
  nmi(): void {
    this.#front.nmi();
  }

  reset(): void {
    this.#front.reset();
    this.engine.stop();
  }
}

/** State which lies in the guest memory, one field a slot; 64-bit slots are two. Instructions are counted on, since slots refer to the count. */
class SlotState implements StateList {
  readonly name: string;
  readonly reset: () => void;
  readonly #slots: readonly Slot[];
  readonly #engine: Engine;

  constructor(name: string, list: readonly Slot[], engine: Engine, reset: () => void) {
    this.name = name;
    this.reset = reset;
    this.#slots = list;
    this.#engine = engine;
  }

  save(): Saved {
    const { words, instructions } = this.#engine;
    return {
      instructions,
      ...Object.fromEntries(
        this.#slots.map(({ name, index, width }) => [name, Array.from(words.subarray(index, index + width / 4))]),
      ),
    };
  }

  restore(saved: Saved): void {
    const values = this.#slots.map(({ name, width }) => {
      const value = saved[name];
      if (!Array.isArray(value) || value.length !== width / 4)
        throw new Error(`${this.name}.${name}: not a value of this field`);
      return value as number[];
    });
    const { instructions } = saved;
    if (typeof instructions !== "number") throw new Error(`${this.name}.instructions: not a value of this field`);
    this.#engine.resume(instructions);
    for (const [k, slot] of this.#slots.entries()) this.#engine.words.set(values[k] as number[], slot.index);
    this.#engine.flushTlb();
  }
}
