import type { BusTarget, Width } from "../../../bus/target.ts";
import type { VirtioCore } from "../../core.ts";
import { feature } from "../../features.ts";
import { notifyMultiplier } from "./registers.ts";

/**
 * The doorbells (virtio 1.2 sections 4.1.4.4 and 4.1.5.2): queue n's is at n * multiplier. The address says which queue
 * it is; what is written, the queue's index or notification data, adds nothing that the ring does not say.
 */
export class NotifyRegion implements BusTarget {
  readonly #core: VirtioCore;

  constructor(core: VirtioCore) {
    this.#core = core;
  }

  /** Nothing to read. */
  read(): number {
    return 0;
  }

  write(offset: number, width: Width, value: number): void {
    const core = this.#core;
    const expected = (core.state.now.features & feature.notificationData) === 0n ? 2 : 4;
    if (offset % notifyMultiplier === 0 && width === expected) core.kick(offset / notifyMultiplier);
    else if (core.trace.on)
      core.trace.log(
        `${core.device.name} doorbell ignored: ${width} bytes at 0x${offset.toString(16)} <- 0x${value.toString(16)}`,
      );
  }
}
