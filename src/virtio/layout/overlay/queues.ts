import { type Device, State } from "../../../bus/state.ts";
import type { VirtioCore } from "../../core.ts";
import type { Features } from "../../features.ts";
import { noVector } from "../../interrupts.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { type FileRegister, largestAlign, leastAlign, overlayFeature } from "./registers.ts";
import { overlayRing } from "./ring.ts";

/** The registers about one queue, the one which queue_sel names, and queue_sel itself. */
export type QueueRegister = Extract<
  FileRegister,
  "queue_pfn" | "queue_size" | "queue_sel" | "msi_queue_vector" | "queue_pfn_hi" | "queue_num" | "queue_align"
>;

/**
 * Each queue's place, size and alignment between the driver's writes and the one which starts it, to queue_pfn.
 *
 * While a queue is placed its high half, size and alignment stay as they are; giving it up sets them back.
 */
export class QueueRegisters implements Device {
  readonly name: string;
  readonly state: State<{
    select: number;
    pageLow: Uint32Array;
    pageHigh: Uint32Array;
    num: Uint16Array;
    align: Uint16Array;
  }>;
  readonly #core: VirtioCore;

  constructor(core: VirtioCore) {
    this.name = `${core.device.name}.overlay.queues`;
    this.#core = core;
    const count = core.queueCount;
    this.state = new State(this.name, {
      select: 0,
      pageLow: new Uint32Array(count),
      pageHigh: new Uint32Array(count),
      num: Uint16Array.from(core.device.queueSizes),
      align: new Uint16Array(count).fill(largestAlign),
    });
  }

  reset(): void {
    this.state.reset();
  }

  /** Registers of a queue which is not there read 0, its vector none. */
  read(name: QueueRegister): number {
    const { select, pageLow, pageHigh, num, align } = this.state.now;
    switch (name) {
      case "queue_sel":
        return select;
      case "queue_pfn":
        return pageLow[select] ?? 0;
      case "queue_pfn_hi":
        return pageHigh[select] ?? 0;
      case "queue_size":
        return this.#core.device.queueSizes[select] ?? 0;
      case "queue_num":
        return num[select] ?? 0;
      case "queue_align":
        return align[select] ?? 0;
      case "msi_queue_vector":
        return select < this.#core.queueCount ? this.#core.interrupts.queueVector(select) : noVector;
    }
  }

  /** Every register but queue_pfn, which is `place`. */
  write(name: Exclude<FileRegister, "queue_pfn">, value: number, features: Features): void {
    const now = this.state.now;
    const queue = now.select;
    if (name === "queue_sel") now.select = value;
    else if (queue >= this.#core.queueCount) this.#ignored(name, value, `there is no queue ${queue}`);
    else if (name === "msi_queue_vector") this.#core.interrupts.setQueueVector(queue, value);
    else if (now.pageLow[queue] !== 0) this.#ignored(name, value, `queue ${queue} is placed`);
    else if (name === "queue_pfn_hi") now.pageHigh[queue] = value;
    else if (name === "queue_num")
      this.#choose(now.num, value, features & overlayFeature.ringSize, 1, this.#most(queue));
    else if (name === "queue_align")
      this.#choose(now.align, value, features & overlayFeature.ringAlign, leastAlign, largestAlign);
  }

  /** A write to queue_pfn: 0 gives the queue up, whatever the high half holds (D13); anything else starts it (D12). */
  place(low: number, features: Features, order: ByteOrder): void {
    const core = this.#core;
    const { select: queue, pageLow, pageHigh, num, align } = this.state.now;
    if (queue >= core.queueCount) return;
    if (low === 0) {
      core.resetQueue(queue);
      pageLow[queue] = 0;
      pageHigh[queue] = 0;
      num[queue] = this.#most(queue);
      align[queue] = largestAlign;
      return;
    }
    const has = (bit: Features) => (features & bit) !== 0n;
    const size = has(overlayFeature.ringSize) ? (num[queue] as number) : this.#most(queue);
    const unit = has(overlayFeature.ringAlign) ? (align[queue] as number) : largestAlign;
    const ring = overlayRing(pageHigh[queue] as number, low, size, unit, order);
    if (ring === undefined) {
      this.#ignored("queue_pfn", low, "with its high half it is no bus address");
      return;
    }
    if (!core.startQueue(queue, ring)) return;
    pageLow[queue] = low;
    // Buffers may be used from now on, before DRIVER_OK too (virtio 1.2 section 3.1.2).
    core.state.now.live = true;
  }

  #most(queue: number): number {
    return this.#core.device.queueSizes[queue] as number;
  }

  /** A power of two within bounds, where the driver has accepted the feature. */
  #choose(of: Uint16Array, value: number, accepted: Features, least: number, most: number): void {
    const fits = value >= least && value <= most && (value & (value - 1)) === 0;
    if (accepted !== 0n && fits) of[this.state.now.select] = value;
    else
      this.#ignored("ring", value, accepted === 0n ? "without its feature" : `no power of 2 from ${least} to ${most}`);
  }

  #ignored(name: string, value: number, why: string): void {
    const { trace, device } = this.#core;
    if (trace.on) trace.log(`${device.name} ${name} <- 0x${value.toString(16)} ignored: ${why}`);
  }
}
