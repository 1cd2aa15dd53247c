import type { GuestMemory } from "../bus/guest-memory.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { Saved, StateList } from "../bus/state.ts";
import { Engine, type EngineOptions } from "../engine/engine.ts";
import type { FrontEnd } from "../ir/frontend.ts";
import type { Slot } from "../ir/slots.ts";
import type { Cpu } from "./cpu.ts";

/** An instruction set which a board can reset, save and restore. */
export interface Processor extends FrontEnd {
  /** Its state in the guest memory. */
  readonly stateSlots: readonly Slot[];
  /** Its state elsewhere: TLBs as the architecture has them. */
  readonly parts?: readonly StateList[];
  /** As after power-on. */
  reset(): void;
  /** Its state was put back: what follows from it is computed anew. */
  restored?(): void;
}

/** A processor on a board: a front end and the engine which runs it. */
export class EngineCpu<F extends Processor> implements Cpu {
  readonly name = "cpu";
  readonly state: StateList;
  readonly engine: Engine;
  readonly front: F;

  /** @param guest the engine takes the first part of this: nobody may have allocated before. */
  constructor(front: F, guest: GuestMemory, memory: AddressSpace, options: EngineOptions = {}) {
    this.front = front;
    this.engine = new Engine(guest, memory, front, options);
    this.state = new ProcessorState(this.name, this.engine, front);
  }

  get instructions(): number {
    return this.engine.instructions;
  }

  get stats(): Readonly<Record<string, number>> {
    return this.engine.stats;
  }

  get compileTime(): number {
    return this.engine.regionTime;
  }

  get halted(): boolean {
    return this.front.halted;
  }

  get pc(): number {
    return (this.engine.words[this.front.slots.pc.index] as number) >>> 0;
  }

  get warmth(): number {
    return this.engine.warmth;
  }

  set warmth(jumps: number) {
    this.engine.warmth = jumps;
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

  reset(): void {
    this.front.reset();
    this.engine.stop();
  }

  restored(): void {
    this.front.restored?.();
  }
}

/**
 * One field a slot, as words, and the fields of the parts with the part's name before them. The count of instructions is there too, since slots
 * refer to it.
 */
class ProcessorState implements StateList {
  readonly name: string;
  readonly #engine: Engine;
  readonly #front: Processor;

  constructor(name: string, engine: Engine, front: Processor) {
    this.name = name;
    this.#engine = engine;
    this.#front = front;
  }

  reset(): void {
    this.#front.reset();
  }

  save(): Saved {
    const { words, instructions } = this.#engine;
    const slots = this.#front.stateSlots.map(
      ({ name, index, width }) => [name, Array.from(words.subarray(index, index + width / 4))] as const,
    );
    const parts = (this.#front.parts ?? []).flatMap((part) =>
      Object.entries(part.save()).map(([key, value]) => [`${part.name}.${key}`, value] as const),
    );
    return { instructions, ...Object.fromEntries([...slots, ...parts]) };
  }

  restore(saved: Saved): void {
    const values = this.#front.stateSlots.map(({ name, width }) => {
      const value = saved[name];
      if (!Array.isArray(value) || value.length !== width / 4)
        throw new Error(`${this.name}.${name}: not a value of this field`);
      return value as number[];
    });
    const { instructions } = saved;
    if (typeof instructions !== "number") throw new Error(`${this.name}.instructions: not a value of this field`);
    for (const part of this.#front.parts ?? []) part.restore(fieldsOf(part.name, saved));
    this.#engine.resume(instructions);
    for (const [k, slot] of this.#front.stateSlots.entries()) this.#engine.words.set(values[k] as number[], slot.index);
    this.#engine.flushTlb();
  }
}

function fieldsOf(part: string, saved: Saved): Saved {
  const prefix = `${part}.`;
  return Object.fromEntries(
    Object.entries(saved)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
