import type { GuestMemory } from "../bus/guest-memory.ts";
import type { AddressSpace } from "../bus/space.ts";
import { X86, type X86Options } from "../cpu/x86/cpu.ts";
import type { EngineOptions } from "../engine/engine.ts";
import { EngineCpu } from "./engine-cpu.ts";

export interface X86CpuOptions extends X86Options {
  readonly memory: AddressSpace;
  /** It takes the first part of this for itself: nobody may have allocated before. */
  readonly guest: GuestMemory;
  readonly engine?: EngineOptions;
}

/** An x86 processor on a board. */
export class X86Cpu extends EngineCpu<X86> {
  constructor(options: X86CpuOptions) {
    super(new X86(options), options.guest, options.memory, options.engine);
  }

  /** The NMI pin rose. */
  nmi(): void {
    this.front.nmi();
  }
}
