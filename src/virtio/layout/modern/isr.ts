import type { BusTarget } from "../../../bus/target.ts";
import type { VirtioCore } from "../../core.ts";

/** The ISR status byte (virtio 1.2 section 4.1.4.5): a read which holds byte 0 gives and clears it. The rest reads 0. */
export class IsrRegion implements BusTarget {
  readonly #core: VirtioCore;

  constructor(core: VirtioCore) {
    this.#core = core;
  }

  read(offset: number): number {
    if (offset !== 0) return 0;
    const core = this.#core;
    const isr = core.interrupts.readIsr();
    if (core.trace.on) core.trace.log(`${core.device.name} isr_status -> 0x${isr.toString(16)}, cleared`);
    return isr;
  }

  write(): void {}
}
