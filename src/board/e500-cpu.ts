import type { GuestMemory } from "../bus/guest-memory.ts";
import type { AddressSpace } from "../bus/space.ts";
import type { StateList } from "../bus/state.ts";
import { E500, type E500Options, type EpaprEntry } from "../cpu/e500/cpu.ts";
import { slots } from "../cpu/e500/slots.ts";
import type { EngineOptions } from "../engine/engine.ts";
import { EngineCpu, type Processor } from "./engine-cpu.ts";

export interface E500CpuOptions extends E500Options {
  readonly memory: AddressSpace;
  /** It takes the first part of this for itself: nobody may have allocated before. */
  readonly guest: GuestMemory;
  readonly engine?: EngineOptions;
}

/** The front end with the list of its state. */
class Listed extends E500 implements Processor {
  readonly stateSlots = slots;

  get parts(): readonly StateList[] {
    return [this.tlb];
  }
}

/** An e500mc core on a board: it starts in firmware's ROM, or where `enter` says. */
export class E500Cpu extends EngineCpu<Listed> {
  /** Set by a board which loads the kernel itself. */
  enter: EpaprEntry | undefined;

  constructor(options: E500CpuOptions) {
    super(new Listed(options), options.guest, options.memory, options.engine);
  }

  override reset(): void {
    super.reset();
    if (this.enter !== undefined) this.front.enterEpapr(this.enter);
  }
}
