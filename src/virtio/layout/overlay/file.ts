import { type Device, State } from "../../../bus/state.ts";
import type { VirtioCore } from "../../core.ts";
import { type Features, featureWord, featureWords, fromWords } from "../../features.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { status } from "../../status.ts";
import type { RegisterHandler } from "../register-map.ts";
import { QueueRegisters } from "./queues.ts";
import { type FileRegister, overlayFeature } from "./registers.ts";

/** FEATURES_OK and DEVICE_NEEDS_RESET are no bits of this interface, as they are none of legacy's (virtio 1.2 section 2.1.1). */
const knownStatus = status.acknowledge | status.driver | status.driverOk | status.failed;
const { separateConfig, badFeature, ringSize, ringAlign } = overlayFeature;
/** What is settled between driver and transport and no business of rings and devices. */
const ownFeatures = separateConfig | badFeature | ringSize | ringAlign;

/**
 * The register file: one state, whichever BAR shows it (D10, D15, D16).
 *
 * As in legacy a driver may write features, configuration and queues in any order and use queues before DRIVER_OK (virtio 1.2
 * section 3.1.2). D numbers are those of docs/overlay.md.
 */
export class RegisterFile implements RegisterHandler<FileRegister>, Device {
  readonly name: string;
  readonly state: State<{
    /** SEPARATE_CONFIG has been accepted since the last reset: BAR0 shows all registers and no configuration. */
    latched: boolean;
    hostFeatureSelect: number;
    guestFeatureSelect: number;
    guestFeatures: Uint32Array;
    bigEndian: boolean;
  }>;
  readonly queues: QueueRegisters;
  readonly #core: VirtioCore;
  readonly #offered: Features;
  readonly #guestOrder: () => ByteOrder;

  constructor(core: VirtioCore, offered: Features, guestOrder: () => ByteOrder) {
    this.name = `${core.device.name}.overlay`;
    this.#core = core;
    this.#offered = offered;
    this.#guestOrder = guestOrder;
    this.queues = new QueueRegisters(core);
    this.state = new State(this.name, {
      latched: false,
      hostFeatureSelect: 0,
      guestFeatureSelect: 0,
      guestFeatures: new Uint32Array(featureWords),
      bigEndian: guestOrder() === "big",
    });
  }

  get latched(): boolean {
    return this.state.now.latched;
  }

  /** The byte order of configuration and rings: the guest's own when it last reset the device, latched or not (D5). */
  get order(): ByteOrder {
    return this.state.now.bigEndian ? "big" : "little";
  }

  /** The only thing which clears the latch (D2). */
  reset(): void {
    this.state.reset();
    this.state.now.bigEndian = this.#guestOrder() === "big";
  }

  read(name: FileRegister): number {
    const now = this.state.now;
    const core = this.#core;
    switch (name) {
      case "host_features":
        return featureWord(this.#offered, now.hostFeatureSelect);
      case "guest_features":
        return now.guestFeatures[now.guestFeatureSelect] ?? 0;
      case "host_feature_select":
        return now.hostFeatureSelect;
      case "guest_feature_select":
        return now.guestFeatureSelect;
      case "status":
        return core.state.now.status;
      case "isr":
        return core.interrupts.readIsr();
      case "queue_notify":
        return 0;
      case "msi_config_vector":
        return core.interrupts.configVector;
      default:
        return this.queues.read(name);
    }
  }

  write(name: FileRegister, value: number): void {
    const now = this.state.now;
    const core = this.#core;
    switch (name) {
      case "guest_features":
        this.#accept(now.guestFeatureSelect, value);
        return;
      case "host_feature_select":
        now.hostFeatureSelect = value;
        return;
      case "guest_feature_select":
        now.guestFeatureSelect = value;
        return;
      case "status":
        this.#writeStatus(value);
        return;
      case "queue_notify":
        core.kick(value);
        return;
      case "msi_config_vector":
        // Kept and shown whether MSI-X is enabled or not (D8).
        core.interrupts.setConfigVector(value);
        return;
      case "queue_pfn":
        core.negotiate(this.#inForce() & ~ownFeatures, this.order);
        this.queues.place(value, this.#inForce(), this.order);
        return;
      default:
        this.queues.write(name, value, this.#inForce());
    }
  }

  /** The latch is set at once and by word 0 alone (D2, D11); what is accepted later does not clear it (D21). */
  #accept(word: number, value: number): void {
    const now = this.state.now;
    if (word >= featureWords) {
      const { trace, device } = this.#core;
      if (trace.on) trace.log(`${device.name} guest_features of word ${word} ignored: there are ${featureWords}`);
      return;
    }
    now.guestFeatures[word] = value;
    const inForce = this.#inForce();
    if (!now.latched && (inForce & separateConfig) !== 0n) {
      now.latched = true;
      const { trace, device } = this.#core;
      if (trace.on) trace.log(`${device.name} latched: the configuration has left BAR0`);
    }
    this.#core.negotiate(inForce & ~ownFeatures, this.order);
  }

  /** Of what the driver has written, what was offered; nothing at all for one which accepts blindly (D18). */
  #inForce(): Features {
    const accepted = fromWords(this.state.now.guestFeatures) & this.#offered;
    return (accepted & badFeature) === 0n ? accepted : 0n;
  }

  #writeStatus(value: number): void {
    const core = this.#core;
    if (value === 0) core.reset();
    else core.state.now.status = value & knownStatus;
    if ((value & status.failed) !== 0) core.state.now.live = false;
  }
}
