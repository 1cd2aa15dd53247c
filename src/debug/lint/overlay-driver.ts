import type { Width } from "../../bus/target.ts";
import { noVector } from "../../virtio/interrupts.ts";
import { fileRegisters, fileSize, overlaidAt, overlayFeature } from "../../virtio/layout/overlay/registers.ts";
import { status } from "../../virtio/status.ts";
import { ExposedDescriptors } from "./exposed.ts";
import type { Report } from "./rules.ts";
import { checkSplitRing } from "./split-ring.ts";
import type { Watched } from "./watched.ts";

const rows = new Map(fileRegisters.map((register) => [register.at as number, register]));
const { separateConfig, badFeature, ringSize, ringAlign } = overlayFeature;

/** A driver of the overlay layout, watched through its register file in either BAR (docs/overlay.md). */
export class OverlayDriverWatch {
  readonly #device: Watched;
  readonly #report: Report;
  readonly #exposed = new Map<number, ExposedDescriptors>();
  #status = 0;
  #latched = false;
  #hostSelect = 0;
  #guestSelect = 0;
  readonly #offered = new Map<number, number>();
  #accepted = 0n;
  #select = 0;
  #placed = new Set<number>();

  constructor(device: Watched, report: Report) {
    this.#device = device;
    this.#report = report;
  }

  read(bar: 0 | 1, offset: number, _width: Width, value: number): void {
    if (this.#shown(bar, offset) !== "host_features") return;
    this.#offered.set(this.#hostSelect, value);
  }

  write(bar: 0 | 1, offset: number, width: Width, value: number): void {
    const name = this.#shown(bar, offset);
    if (name === undefined) return;
    const what = `wrote 0x${value.toString(16)} to ${name} in BAR${bar}`;
    if (rows.get(offset)?.width !== width) {
      this.#report("width", what);
      return;
    }
    switch (name) {
      case "host_features":
      case "queue_size":
      case "isr":
        this.#report("legacyRegister", what);
        break;
      case "host_feature_select":
        this.#hostSelect = value;
        break;
      case "guest_feature_select":
        this.#guestSelect = value;
        break;
      case "guest_features":
        this.#accept(value, what);
        break;
      case "status":
        this.#setStatus(value, what);
        break;
      case "queue_sel":
        this.#select = value;
        break;
      case "queue_notify":
        this.#doorbell(value, what);
        break;
      case "msi_config_vector":
      case "msi_queue_vector":
        if (value !== noVector && value >= this.#device.vectors) this.#report("vector", what);
        break;
      default:
        this.#queue(name, value, what);
    }
  }

  /** The register at an offset of a BAR, if there is one and not the configuration over it (D3). */
  #shown(bar: 0 | 1, offset: number): string | undefined {
    if (offset >= fileSize) return undefined;
    if (bar === 0 && !this.#latched && offset >= overlaidAt.withoutVectors) {
      if (!this.#device.byMessage() || offset >= overlaidAt.withVectors) return undefined;
    }
    return rows.get(offset)?.name;
  }

  #accept(value: number, what: string): void {
    const offered = this.#offered.get(this.#guestSelect);
    if (offered !== undefined && (value & ~offered) !== 0) this.#report("offered", what);
    if (this.#guestSelect >= 4) return;
    const shift = BigInt(32 * this.#guestSelect);
    this.#accepted = (this.#accepted & ~(0xffff_ffffn << shift)) | (BigInt(value) << shift);
    if ((this.#accepted & badFeature) !== 0n) this.#report("overlayBit", what);
    else if ((this.#accepted & separateConfig) !== 0n) this.#latched = true;
  }

  #setStatus(value: number, what: string): void {
    if (value === 0) {
      this.#latched = false;
      this.#accepted = 0n;
      this.#hostSelect = this.#guestSelect = 0;
      this.#placed = new Set();
      this.#exposed.clear();
    } else {
      if ((this.#status & ~value) !== 0 || (this.#status & status.failed) !== 0) this.#report("statusBits", what);
      const set = value & ~this.#status;
      const lacks = (bit: number, first: number) => (set & bit) !== 0 && (value & first) === 0;
      if (lacks(status.driver, status.acknowledge) || lacks(status.driverOk, status.driver))
        this.#report("legacyOrder", what);
    }
    this.#status = value;
  }

  #queue(name: string, value: number, what: string): void {
    if (name === "queue_pfn") {
      if (this.#select >= this.#device.queues) this.#report("legacyQueue", what);
      else if (value === 0) this.#placed.delete(this.#select);
      else this.#placed.add(this.#select);
      this.#exposed.delete(this.#select);
      return;
    }
    if (this.#placed.has(this.#select)) this.#report("overlayPlace", what);
    const needs = name === "queue_num" ? ringSize : name === "queue_align" ? ringAlign : 0n;
    const power = value !== 0 && (value & (value - 1)) === 0;
    if (needs !== 0n && ((this.#accepted & needs) === 0n || !power)) this.#report("overlayRing", what);
  }

  #doorbell(queue: number, what: string): void {
    if (!this.#placed.has(queue)) {
      this.#report("legacyDoorbell", what);
      return;
    }
    const ring = this.#device.ring(queue, false);
    if (ring?.enabled !== true) return;
    let exposed = this.#exposed.get(queue);
    if (exposed === undefined) {
      exposed = new ExposedDescriptors();
      this.#exposed.set(queue, exposed);
    }
    checkSplitRing(this.#device, queue, ring, exposed, this.#report);
  }
}
