import { type Device, State } from "../../../bus/state.ts";
import type { VirtioCore } from "../../core.ts";
import { type Features, feature, featureWord, featureWords, fromWords } from "../../features.ts";
import { noVector } from "../../interrupts.ts";
import { status } from "../../status.ts";
import type { RegisterHandler } from "../register-map.ts";
import type { CommonRegister } from "./registers.ts";
import { writeStatus } from "./status.ts";

/** Words kept for each queue between the driver's write and queue_enable. */
const descriptorArea = 0;
const driverArea = 2;
const deviceArea = 4;
const wordsAQueue = 6;

/**
 * The common configuration structure (virtio 1.2 section 4.1.4.3).
 *
 * A queue's size and addresses are kept here and latched by queue_enable: the queue never looks at them again, whatever
 * is written later. They can be written only from FEATURES_OK on and while their queue is not enabled.
 */
export class CommonConfig implements RegisterHandler<CommonRegister>, Device {
  readonly name: string;
  readonly state: State<{
    deviceFeatureSelect: number;
    driverFeatureSelect: number;
    driverFeatures: Uint32Array;
    queueSelect: number;
    queueSize: Uint16Array;
    queueWords: Uint32Array;
  }>;
  readonly offered: Features;
  readonly #core: VirtioCore;

  constructor(core: VirtioCore, offered: Features) {
    this.name = `${core.device.name}.modern`;
    this.offered = offered;
    this.#core = core;
    this.state = new State(this.name, {
      deviceFeatureSelect: 0,
      driverFeatureSelect: 0,
      driverFeatures: new Uint32Array(featureWords),
      queueSelect: 0,
      queueSize: Uint16Array.from(core.device.queueSizes),
      queueWords: new Uint32Array(core.device.queueSizes.length * wordsAQueue),
    });
  }

  reset(): void {
    this.state.reset();
  }

  read(name: CommonRegister): number {
    const now = this.state.now;
    const core = this.#core;
    switch (name) {
      case "device_feature_select":
        return now.deviceFeatureSelect;
      case "device_feature":
        return featureWord(this.offered, now.deviceFeatureSelect);
      case "driver_feature_select":
        return now.driverFeatureSelect;
      case "driver_feature":
        // Section 4.1.4.3.1: the valid ones of what was written.
        return (
          ((now.driverFeatures[now.driverFeatureSelect] ?? 0) & featureWord(this.offered, now.driverFeatureSelect)) >>>
          0
        );
      case "config_msix_vector":
        return core.interrupts.configVector;
      case "num_queues":
        return core.queueCount;
      case "device_status":
        return core.state.now.status;
      case "config_generation":
        return core.state.now.generation;
      case "queue_select":
        return now.queueSelect;
      default:
        return now.queueSelect < core.queueCount ? this.#readQueue(name, now.queueSelect) : absentQueue(name);
    }
  }

  write(name: CommonRegister, value: number): void {
    const now = this.state.now;
    const core = this.#core;
    switch (name) {
      case "device_feature_select":
        now.deviceFeatureSelect = value;
        return;
      case "driver_feature_select":
        now.driverFeatureSelect = value;
        return;
      case "driver_feature":
        // Settled by FEATURES_OK (section 3.1.1).
        if ((core.state.now.status & status.featuresOk) !== 0) this.#ignored(name, value, "after FEATURES_OK");
        else if (now.driverFeatureSelect < featureWords) now.driverFeatures[now.driverFeatureSelect] = value;
        return;
      case "config_msix_vector":
        core.interrupts.setConfigVector(value);
        return;
      case "device_status":
        writeStatus(core, this.offered, fromWords(now.driverFeatures), value);
        return;
      case "queue_select":
        now.queueSelect = value;
        return;
      default:
        if (now.queueSelect < core.queueCount) this.#writeQueue(name, now.queueSelect, value);
        else this.#ignored(name, value, `there is no queue ${now.queueSelect}`);
    }
  }

  #readQueue(name: CommonRegister, queue: number): number {
    const now = this.state.now;
    switch (name) {
      case "queue_size":
        return now.queueSize[queue] as number;
      case "queue_msix_vector":
        return this.#core.interrupts.queueVector(queue);
      case "queue_enable":
        return this.#core.queue(queue).enabled ? 1 : 0;
      case "queue_notify_off":
        return queue;
      case "queue_notify_data":
      case "queue_reset":
        // The first needs NOTIF_CONFIG_DATA, which is not offered; a reset is over when its write ends.
        return 0;
      default:
        return now.queueWords[queue * wordsAQueue + addressWord(name)] ?? 0;
    }
  }

  #writeQueue(name: CommonRegister, queue: number, value: number): void {
    const core = this.#core;
    if (name === "queue_msix_vector") {
      core.interrupts.setQueueVector(queue, value);
    } else if (name === "queue_reset") {
      this.#resetQueue(queue, value);
    } else if ((core.state.now.status & status.featuresOk) === 0) {
      this.#ignored(name, value, "before FEATURES_OK");
    } else if (core.queue(queue).enabled) {
      this.#ignored(name, value, `queue ${queue} is enabled`);
    } else if (name === "queue_enable") {
      if (value === 1) this.#enable(queue);
      else this.#ignored(name, value, "only 1 means something (section 4.1.4.3.2)");
    } else if (name === "queue_size") {
      if (core.queue(queue).fits(value)) this.state.now.queueSize[queue] = value;
      else this.#ignored(name, value, "no size for a ring of this format");
    } else {
      this.state.now.queueWords[queue * wordsAQueue + addressWord(name)] = value;
    }
  }

  #enable(queue: number): void {
    this.#core.startQueue(queue, {
      size: this.state.now.queueSize[queue] as number,
      descriptorArea: this.#address(queue, descriptorArea),
      driverArea: this.#address(queue, driverArea),
      deviceArea: this.#address(queue, deviceArea),
      order: this.#core.order,
    });
  }

  /** Section 2.6.1: with RING_RESET, everything about the queue goes back to what it was after a reset of the device. */
  #resetQueue(queue: number, value: number): void {
    const core = this.#core;
    if ((core.state.now.features & feature.ringReset) === 0n || value !== 1) {
      this.#ignored("queue_reset", value, "without RING_RESET, or not 1");
      return;
    }
    core.resetQueue(queue);
    this.state.now.queueSize[queue] = core.device.queueSizes[queue] as number;
    this.state.now.queueWords.fill(0, queue * wordsAQueue, (queue + 1) * wordsAQueue);
  }

  #address(queue: number, area: number): number {
    const words = this.state.now.queueWords;
    const at = queue * wordsAQueue + area;
    return (words[at + 1] as number) * 2 ** 32 + (words[at] as number);
  }

  #ignored(name: string, value: number, why: string): void {
    const { trace, device } = this.#core;
    if (trace.on) trace.log(`${device.name} ${name} <- 0x${value.toString(16)} ignored: ${why}`);
  }
}

/** What the queue registers read while queue_select names no queue (section 4.1.4.3.1: its size reads 0). */
function absentQueue(name: CommonRegister): number {
  return name === "queue_msix_vector" ? noVector : 0;
}

function addressWord(name: CommonRegister): number {
  switch (name) {
    case "queue_desc_lo":
      return descriptorArea;
    case "queue_desc_hi":
      return descriptorArea + 1;
    case "queue_driver_lo":
      return driverArea;
    case "queue_driver_hi":
      return driverArea + 1;
    case "queue_device_lo":
      return deviceArea;
    default:
      return deviceArea + 1;
  }
}
