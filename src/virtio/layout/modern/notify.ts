import type { BusTarget, Width } from "../../../bus/target.ts";
import type { VirtioCore } from "../../core.ts";
import { feature } from "../../features.ts";
import { notifyMultiplier } from "./registers.ts";

/**
 * The doorbells (virtio 1.2 sections 4.1.4.4 and 4.1.5.2): queue n's is at n * multiplier. The address says which queue
 * it is; what is written, the queue's index or notification data (section 2.9), adds nothing that the ring does not say, and a
 * driver may have it wrong without harm: it is for the trace.
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
    const data = (core.state.now.features & feature.notificationData) !== 0n;
    if (offset % notifyMultiplier === 0 && width === (data ? 4 : 2)) {
      if (data && core.trace.on) core.trace.log(`${core.device.name} notification data: ${describe(core, value)}`);
      core.kick(offset / notifyMultiplier);
    } else if (core.trace.on)
      core.trace.log(
        `${core.device.name} doorbell ignored: ${width} bytes at 0x${offset.toString(16)} <- 0x${value.toString(16)}`,
      );
  }
}

/** Section 2.9: the queue, then the available index or, in a packed ring, an offset and its wrap counter. */
function describe(core: VirtioCore, value: number): string {
  const next = value >>> 16;
  const packed = (core.state.now.features & feature.ringPacked) !== 0n;
  const place = packed ? `next offset ${next & 0x7fff}, wrap ${next >>> 15}` : `next index ${next}`;
  return `queue ${value & 0xffff}, ${place}`;
}
