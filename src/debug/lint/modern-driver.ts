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
import { ModernDeviceWatch } from "./device.ts";
import { ExposedDescriptors } from "./exposed.ts";
import { GenerationWatch } from "./generation.ts";
import { checkPackedRing, type Next } from "./packed-ring.ts";
import type { Report } from "./rules.ts";
import { checkSplitRing } from "./split-ring.ts";
import type { RingPosition, Watched } from "./watched.ts";

/** A queue as the driver has set it up. */
class QueueSeen {
  size = 0;
  readonly words = new Map<CommonRegister, number>();
  enabled = false;
  vectorUnread = false;
  readonly exposed = new ExposedDescriptors();

  area(part: "desc" | "driver" | "device"): number {
    return (this.words.get(`queue_${part}_hi`) ?? 0) * 2 ** 32 + (this.words.get(`queue_${part}_lo`) ?? 0);
  }
}

const driverBits = status.acknowledge | status.driver | status.driverOk | status.featuresOk | status.failed;
/** ISR status: the configuration has changed (section 4.1.4.5). */
const isrConfig = 2;
const byOffset = new Map(commonRegisters.map((register) => [register.at as number, register]));

/** A driver of the modern layout, watched through the accesses it makes: virtio 1.2 sections 2.1, 2.2, 2.7, 3.1 and 4.1. */
export class ModernDriverWatch {
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
  /** Queues which were reset, and have not been seen to be. */
  readonly #resetting = new Set<number>();
  readonly #generation: GenerationWatch;
  readonly #answers: ModernDeviceWatch;

  constructor(device: Watched, report: Report) {
    this.#device = device;
    this.#report = report;
    this.#generation = new GenerationWatch(device.config, report);
    this.#answers = new ModernDeviceWatch(report);
  }

  /** Whether FEATURES_OK has been set and DRIVER_OK has not: nobody may be told of anything. */
  get negotiating(): boolean {
    return (this.#status & (status.featuresOk | status.driverOk)) === status.featuresOk;
  }

  read(offset: number, width: Width, value: number): void {
    if (offset >= region.notify) return;
    if (offset >= region.device) {
      this.#generation.read(offset - region.device, width, value);
      return;
    }
    if (offset >= region.isr) {
      if (this.#device.byMessage() && (value & isrConfig) === 0)
        this.#report("isr", `read the ISR status, 0x${value.toString(16)}`);
      return;
    }
    const register = this.#whole("read", offset, width);
    if (register === "config_generation") this.#generation.generation(value);
    else if (register !== undefined) this.#generation.other();
    if (register !== undefined) this.#answers.read(register, this.#select, value);
    if (register === "queue_reset" && value === 0) this.#resetting.delete(this.#select);
    if (register === "device_status") this.#readStatus(value);
    else if (register === "device_feature") this.#offered.set(this.#deviceSelect, value);
    else if (register === "config_msix_vector") this.#configVectorUnread = false;
    else if (register === "queue_msix_vector") this.#queue.vectorUnread = false;
    else if (register === "queue_size" && this.#queue.size === 0) this.#queue.size = value;
  }

  write(offset: number, width: Width, value: number): void {
    if (this.#status !== 0 && this.#device.status() === 0) {
      // The whole machine was reset: nobody has to look whether this is over.
      this.#status = 0;
      this.#forget();
    }
    const what = `0x${value.toString(16)} to byte 0x${offset.toString(16)} of the BAR`;
    if (offset >= region.notify) this.#doorbell(offset - region.notify, width, value);
    else if (offset >= region.device) {
      if ((this.#status & status.featuresOk) === 0) this.#report("configEarly", `wrote ${what}`);
      this.#generation.written();
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
    this.#resetting.clear();
    this.#generation.forget();
    this.#answers.reset();
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
    this.#generation.other();
    this.#answers.write(register, this.#select, value, this.#driverSelect, this.#offered);
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

  #writeStatus(value: number, report: (rule: Parameters<Report>[0]) => void): void {
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
    if ((set & status.featuresOk) !== 0) {
      this.#confirmed = false;
      this.#settle(report);
    }
    this.#status |= value & driverBits;
  }

  /** What the driver asks to be accepted as a whole. */
  #settle(report: (rule: Parameters<Report>[0]) => void): void {
    const offers = ((this.#offered.get(1) ?? 0) & 1) !== 0;
    if (offers && (this.#accepted & feature.version1) === 0n) report("version1");
    if (!this.#device.supports(this.#accepted)) report("dependencies");
    this.#answers.packed = (this.#accepted & feature.ringPacked) !== 0n;
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
      if (this.#select < this.#device.queues) this.#resetting.add(this.#select);
      return;
    }
    if (this.#resetting.has(this.#select)) report("queueReset");
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

  #enable(queue: QueueSeen, report: (rule: "enableFirst" | "alignment" | "packedAlignment") => void): void {
    for (const part of ["desc", "driver", "device"] as const)
      if (!queue.words.has(`queue_${part}_lo`)) report("enableFirst");
    if ((this.#accepted & feature.ringPacked) === 0n) {
      if (queue.area("desc") % 16 !== 0 || queue.area("driver") % 2 !== 0 || queue.area("device") % 4 !== 0)
        report("alignment");
    } else if (queue.area("desc") % 16 !== 0 || queue.area("driver") % 4 !== 0 || queue.area("device") % 4 !== 0)
      report("packedAlignment");
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
    const packed = (this.#accepted & feature.ringPacked) !== 0n;
    const queue = this.#queues.get(index);
    const ring = this.#device.ring(index, packed);
    if (queue?.enabled !== true || ring?.enabled !== true) return;
    const { dma } = this.#device;
    if (!packed) checkSplitRing(this.#device, index, ring, queue.exposed, this.#report);
    const next = packed ? checkPackedRing(dma, index, ring, queue.exposed, this.#report) : splitNext(dma, ring);
    if (data && next !== undefined && value >>> 16 !== (next.offset | (next.wrap << 15)))
      this.#report("notificationData", `${what}, where the ring is at ${next.offset}, wrap ${next.wrap}`);
  }
}

/** In a split ring the upper half of notification data is the available index (section 2.9). */
function splitNext(dma: Watched["dma"], ring: RingPosition): Next | undefined {
  const index = dma.le.u16(ring.driverArea + 2);
  return index < 0 ? undefined : { offset: index & 0x7fff, wrap: index >>> 15 };
}
