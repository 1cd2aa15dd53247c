import type { Dma } from "../../bus/dma.ts";
import type { Width } from "../../bus/target.ts";
import { feature } from "../../virtio/features.ts";
import { noVector } from "../../virtio/interrupts.ts";
import {
  type CommonRegister,
  commonRegisters,
  notifyMultiplier,
  region,
} from "../../virtio/layout/modern/registers.ts";
import { status } from "../../virtio/status.ts";
import type { AccessObserver } from "../../virtio/transport-counts.ts";
import type { Report } from "./rules.ts";
import { checkSplitRing } from "./split-ring.ts";

/** What is known of the device, besides its registers. */
export interface Watched {
  readonly queues: number;
  /** Entries of the MSI-X table, 0 when there is none. */
  readonly vectors: number;
  readonly dma: Dma;
  /** Its status now. */
  status(): number;
  /** Up to which available index the device has taken from a queue's split ring. */
  consumed(queue: number): number;
}

/** A queue as the driver has set it up. */
class QueueSeen {
  size = 0;
  readonly words = new Map<CommonRegister, number>();
  enabled = false;
  vectorUnread = false;

  area(part: "desc" | "driver" | "device"): number {
    return (this.words.get(`queue_${part}_hi`) ?? 0) * 2 ** 32 + (this.words.get(`queue_${part}_lo`) ?? 0);
  }
}

const driverBits = status.acknowledge | status.driver | status.driverOk | status.featuresOk | status.failed;
const byOffset = new Map(commonRegisters.map((register) => [register.at as number, register]));

/** A driver of the modern layout, watched through the accesses it makes: virtio 1.2 sections 2.1, 2.2, 2.7, 3.1 and 4.1. */
export class ModernDriverWatch implements AccessObserver {
  readonly #device: Watched;
  readonly #report: Report;
  #status = 0;
  /** FEATURES_OK was set, and has been read back since. */
  #confirmed = false;
  /** The device was reset, and has not been seen to be. */
  #resetUnread = false;
  #deviceSelect = 0;
  #driverSelect = 0;
  readonly #offered = new Map<number, number>();
  #accepted = 0n;
  #select = 0;
  #configVectorUnread = false;
  #queues = new Map<number, QueueSeen>();

  constructor(device: Watched, report: Report) {
    this.#device = device;
    this.#report = report;
  }

  read(layout: string, offset: number, width: Width, value: number): void {
    if (layout !== "modern" || offset >= region.isr) return;
    const register = this.#whole("read", offset, width);
    if (register === "device_status") this.#readStatus(value);
    else if (register === "device_feature") this.#offered.set(this.#deviceSelect, value);
    else if (register === "config_msix_vector") this.#configVectorUnread = false;
    else if (register === "queue_msix_vector") this.#queue.vectorUnread = false;
    else if (register === "queue_size" && this.#queue.size === 0) this.#queue.size = value;
  }

  write(layout: string, offset: number, width: Width, value: number): void {
    if (layout !== "modern") return;
    if (this.#status !== 0 && this.#device.status() === 0) {
      // The whole machine was reset: nobody has to look whether this is over.
      this.#status = 0;
      this.#forget();
    }
    const what = `0x${value.toString(16)} to byte 0x${offset.toString(16)} of the BAR`;
    if (offset >= region.notify) this.#doorbell(offset - region.notify, width, value);
    else if (offset >= region.device) {
      if ((this.#status & status.featuresOk) === 0) this.#report("configEarly", `wrote ${what}`);
    } else if (offset < region.isr) {
      const register = this.#whole("wrote", offset, width);
      if (register !== undefined) this.#common(register, value);
    }
  }

  get #queue(): QueueSeen {
    let queue = this.#queues.get(this.#select);
    if (queue === undefined) {
      queue = new QueueSeen();
      // Not more than there are: the guest chooses the number.
      if (this.#select < this.#device.queues) this.#queues.set(this.#select, queue);
    }
    return queue;
  }

  #forget(): void {
    this.#confirmed = false;
    this.#accepted = 0n;
    this.#configVectorUnread = false;
    this.#queues = new Map();
  }

  /** The field which an access is to, where it is to one and whole. */
  #whole(verb: "read" | "wrote", offset: number, width: Width): CommonRegister | undefined {
    const register = byOffset.get(offset);
    if (register?.width === width) return register.name;
    const inside = commonRegisters.find(({ at, width: size }) => offset < at + size && offset + width > at);
    if (inside !== undefined)
      this.#report(
        "width",
        `${verb} ${width} bytes at 0x${offset.toString(16)}, where ${inside.name} has ${inside.width}`,
      );
    return undefined;
  }

  #readStatus(value: number): void {
    if (value === 0) this.#resetUnread = false;
    // What the device has refused is not there.
    this.#status = value & driverBits;
    this.#confirmed = (value & status.featuresOk) !== 0;
  }

  #common(register: CommonRegister, value: number): void {
    const report = (rule: Parameters<Report>[0]) => this.#report(rule, `wrote 0x${value.toString(16)} to ${register}`);
    if (register === "device_status") {
      this.#writeStatus(value, report);
      return;
    }
    if (this.#resetUnread) report("resetRead");
    if (commonRegisters.find(({ name }) => name === register)?.access === "r") report("readOnly");
    else if (register === "device_feature_select") this.#deviceSelect = value;
    else if (register === "driver_feature_select") this.#driverSelect = value;
    else if (register === "queue_select") this.#select = value;
    else if (register === "driver_feature") this.#accept(value, report);
    else if (register === "config_msix_vector") {
      if (this.#noSuchVector(value)) report("vector");
      this.#configVectorUnread = value !== noVector;
    } else this.#writeQueue(register, value, report);
  }

  #writeStatus(value: number, report: (rule: "statusBits" | "order" | "resetRead" | "vector") => void): void {
    if (value === 0) {
      this.#status = 0;
      this.#forget();
      this.#resetUnread = true;
      return;
    }
    if (this.#resetUnread) report("resetRead");
    const before = this.#status;
    if ((before & ~value & driverBits) !== 0 || (before & status.failed) !== 0) report("statusBits");
    const set = value & ~before;
    const lacks = (bit: number, first: number) => (set & bit) !== 0 && (value & first) === 0;
    if (
      lacks(status.driver, status.acknowledge) ||
      lacks(status.featuresOk, status.driver) ||
      ((set & status.driverOk) !== 0 && !this.#confirmed)
    )
      report("order");
    if ((set & status.driverOk) !== 0) {
      const unread = this.#configVectorUnread || [...this.#queues.values()].some(({ vectorUnread }) => vectorUnread);
      if (unread) report("vector");
    }
    if ((set & status.featuresOk) !== 0) this.#confirmed = false;
    this.#status |= value & driverBits;
  }

  #accept(value: number, report: (rule: "offered" | "order") => void): void {
    if ((this.#status & status.driver) === 0 || (this.#status & status.featuresOk) !== 0) report("order");
    if ((value & ~(this.#offered.get(this.#driverSelect) ?? 0)) !== 0) report("offered");
    if (this.#driverSelect >= 4) return;
    const shift = BigInt(32 * this.#driverSelect);
    this.#accepted = (this.#accepted & ~(0xffff_ffffn << shift)) | (BigInt(value) << shift);
  }

  #noSuchVector(value: number): boolean {
    return value !== noVector && value >= this.#device.vectors;
  }

  #writeQueue(register: CommonRegister, value: number, report: (rule: Parameters<Report>[0]) => void): void {
    const queue = this.#queue;
    if (register === "queue_reset") {
      this.#queues.delete(this.#select);
      return;
    }
    if (register === "queue_enable") {
      if (value === 0) report("enableZero");
      else this.#enable(queue, report);
      return;
    }
    if (queue.enabled) report("enableFirst");
    if (register === "queue_msix_vector") {
      if (this.#noSuchVector(value)) report("vector");
      queue.vectorUnread = value !== noVector;
    } else if (register === "queue_size") {
      const fits =
        (this.#accepted & feature.ringPacked) !== 0n ? value !== 0 : value !== 0 && (value & (value - 1)) === 0;
      if (!fits) report("queueSize");
      queue.size = value;
    } else queue.words.set(register, value);
  }

  #enable(queue: QueueSeen, report: (rule: "enableFirst" | "alignment") => void): void {
    for (const part of ["desc", "driver", "device"] as const)
      if (!queue.words.has(`queue_${part}_lo`)) report("enableFirst");
    if ((this.#accepted & feature.ringPacked) === 0n) {
      if (queue.area("desc") % 16 !== 0 || queue.area("driver") % 2 !== 0 || queue.area("device") % 4 !== 0)
        report("alignment");
    }
    queue.enabled = true;
  }

  #doorbell(offset: number, width: Width, value: number): void {
    const index = offset / notifyMultiplier;
    const data = (this.#accepted & feature.notificationData) !== 0n;
    const named = data ? value & 0xffff : value;
    const what = `wrote 0x${value.toString(16)} as ${width} bytes to doorbell ${index}`;
    if (!Number.isInteger(index) || index >= this.#device.queues || width !== (data ? 4 : 2) || named !== index) {
      this.#report("doorbell", what);
      return;
    }
    if ((this.#status & status.driverOk) === 0) this.#report("notifyEarly", what);
    const queue = this.#queues.get(index);
    if (queue?.enabled !== true || (this.#accepted & feature.ringPacked) !== 0n) return;
    const ring = {
      queue: index,
      size: queue.size,
      descriptorArea: queue.area("desc"),
      driverArea: queue.area("driver"),
      indirect: (this.#accepted & feature.indirectDescriptors) !== 0n,
      eventIndex: (this.#accepted & feature.eventIndex) !== 0n,
    };
    checkSplitRing(ring, this.#device.consumed(index), this.#device.dma, this.#report);
  }
}
