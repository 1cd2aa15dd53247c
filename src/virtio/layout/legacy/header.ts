import { type Device, State } from "../../../bus/state.ts";
import type { VirtioCore } from "../../core.ts";
import { type Features, featureWord } from "../../features.ts";
import { noVector } from "../../interrupts.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { status } from "../../status.ts";
import type { RegisterHandler } from "../register-map.ts";
import type { HeaderRegister, VectorRegister } from "./registers.ts";
import { legacyRing } from "./ring.ts";

const known = status.acknowledge | status.driver | status.driverOk | status.failed;

/**
 * The legacy header (virtio 1.2 section 4.1.4.10 and the legacy notes beside it).
 *
 * A legacy driver may write features, configuration and queues in any order and use queues before DRIVER_OK. Its
 * rings, requests and configuration are in the guest's byte order, sampled when it resets the device.
 */
export class LegacyHeader implements RegisterHandler<HeaderRegister>, Device {
  readonly name: string;
  readonly state: State<{ queueSelect: number; guestFeatures: number; queuePages: Uint32Array; bigEndian: boolean }>;
  /** The vector registers, for whoever shows them. */
  readonly vectors: RegisterHandler<VectorRegister>;
  readonly #core: VirtioCore;
  readonly #offered: Features;
  readonly #guestOrder: () => ByteOrder;

  constructor(core: VirtioCore, offered: Features, guestOrder: () => ByteOrder) {
    this.name = `${core.device.name}.legacy`;
    this.#core = core;
    this.#offered = offered;
    this.#guestOrder = guestOrder;
    this.state = new State(this.name, {
      queueSelect: 0,
      guestFeatures: 0,
      queuePages: new Uint32Array(core.queueCount),
      bigEndian: guestOrder() === "big",
    });
    this.vectors = {
      read: (name) => this.#readVector(name),
      write: (name, value) => this.#writeVector(name, value),
    };
  }

  /** The byte order which was sampled. */
  get order(): ByteOrder {
    return this.state.now.bigEndian ? "big" : "little";
  }

  reset(): void {
    this.state.reset();
    this.state.now.bigEndian = this.#guestOrder() === "big";
  }

  read(name: HeaderRegister): number {
    const now = this.state.now;
    const core = this.#core;
    switch (name) {
      case "device_features":
        return featureWord(this.#offered, 0);
      case "guest_features":
        return now.guestFeatures;
      case "queue_address":
        return now.queuePages[now.queueSelect] ?? 0;
      case "queue_size":
        return core.device.queueSizes[now.queueSelect] ?? 0;
      case "queue_select":
        return now.queueSelect;
      case "queue_notify":
        return 0;
      case "device_status":
        // FEATURES_OK and DEVICE_NEEDS_RESET are no bits of this interface (section 2.1.1).
        return core.state.now.status & known;
      case "isr_status":
        return core.interrupts.readIsr();
    }
  }

  write(name: HeaderRegister, value: number): void {
    const now = this.state.now;
    const core = this.#core;
    switch (name) {
      case "guest_features":
        now.guestFeatures = value;
        // Bits which were not offered are not accepted, and nobody is told: the interface has no way to.
        core.negotiate(BigInt(value) & this.#offered, this.order);
        return;
      case "queue_address":
        this.#place(now.queueSelect, value);
        return;
      case "queue_select":
        now.queueSelect = value;
        return;
      case "queue_notify":
        core.kick(value);
        return;
      case "device_status":
        if (value === 0) core.reset();
        else core.state.now.status = value & known;
        if ((value & status.failed) !== 0) core.state.now.live = false;
        return;
      default:
        // The others are read-only: the table does not let a write through.
        return;
    }
  }

  /** Page 0 gives the queue up; any other starts it with its largest size, which a legacy driver cannot change. */
  #place(queue: number, page: number): void {
    const core = this.#core;
    const now = this.state.now;
    if (queue >= core.queueCount) return;
    if (page === 0) {
      core.resetQueue(queue);
      now.queuePages[queue] = 0;
      return;
    }
    const size = core.device.queueSizes[queue] as number;
    core.negotiate(BigInt(now.guestFeatures) & this.#offered, this.order);
    if (!core.startQueue(queue, legacyRing(page, size, this.order))) return;
    now.queuePages[queue] = page;
    // Buffers may be used from now on, before DRIVER_OK too (section 3.1.2).
    core.state.now.live = true;
  }

  #readVector(name: VectorRegister): number {
    const { interrupts } = this.#core;
    if (name === "config_msix_vector") return interrupts.configVector;
    const { queueSelect } = this.state.now;
    return queueSelect < this.#core.queueCount ? interrupts.queueVector(queueSelect) : noVector;
  }

  #writeVector(name: VectorRegister, value: number): void {
    const { interrupts } = this.#core;
    if (name === "config_msix_vector") interrupts.setConfigVector(value);
    else interrupts.setQueueVector(this.state.now.queueSelect, value);
  }
}
