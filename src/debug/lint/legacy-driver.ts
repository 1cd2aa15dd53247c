import type { Width } from "../../bus/target.ts";
import { noVector } from "../../virtio/interrupts.ts";
import { headerRegisters, headerSize, vectorsSize } from "../../virtio/layout/legacy/registers.ts";
import { status } from "../../virtio/status.ts";
import { ExposedDescriptors } from "./exposed.ts";
import type { Report } from "./rules.ts";
import { checkSplitRing } from "./split-ring.ts";
import type { Watched } from "./watched.ts";

/** Where the vectors are while MSI-X is enabled (virtio 1.2 section 4.1.4.10). */
const configVectorAt = headerSize;
const queueVectorAt = headerSize + 2;
const rows = new Map(headerRegisters.map((register) => [register.at as number, register]));

/** A driver of the legacy layout, watched through its accesses to BAR0: virtio 1.2 sections 3.1.2, 4.1.4.10 and 4.1.5. */
export class LegacyDriverWatch {
  readonly #device: Watched;
  readonly #report: Report;
  readonly #exposed = new Map<number, ExposedDescriptors>();
  #status = 0;
  #offered: number | undefined;
  #select = 0;
  /** The size of the selected queue, where it was read. */
  #size: number | undefined;
  #placed = new Set<number>();
  /** The vector registers which were written and not read back, by their offsets. */
  readonly #unread = new Set<number>();

  constructor(device: Watched, report: Report) {
    this.#device = device;
    this.#report = report;
  }

  read(offset: number, width: Width, value: number): void {
    if (offset >= headerSize) {
      if (this.#device.byMessage() && offset < headerSize + vectorsSize) this.#unread.delete(offset);
      return;
    }
    const name = this.#whole("read", offset, width);
    if (name === "device_features") this.#offered = value;
    else if (name === "queue_size") this.#size = value;
    else if (name === "device_status") this.#status = value;
  }

  write(offset: number, width: Width, value: number): void {
    if (offset >= headerSize) {
      if (this.#device.byMessage() && offset < headerSize + vectorsSize) this.#vector(offset, value);
      return;
    }
    const name = this.#whole("wrote", offset, width);
    const what = `wrote 0x${value.toString(16)} to ${name}`;
    switch (name) {
      case "device_features":
      case "queue_size":
      case "isr_status":
        this.#report("legacyRegister", what);
        break;
      case "guest_features":
        if (this.#offered !== undefined && (value & ~this.#offered) !== 0) this.#report("offered", what);
        break;
      case "queue_select":
        this.#select = value;
        this.#size = undefined;
        break;
      case "queue_address":
        this.#place(value, what);
        break;
      case "queue_notify":
        this.#doorbell(value, what);
        break;
      case "device_status":
        this.#setStatus(value, what);
        break;
    }
  }

  #whole(verb: "read" | "wrote", offset: number, width: Width): string | undefined {
    const register = rows.get(offset);
    if (register?.width === width) return register.name;
    this.#report("width", `${verb} ${width} bytes at 0x${offset.toString(16)} of BAR0`);
    return undefined;
  }

  #setStatus(value: number, what: string): void {
    const before = this.#status;
    if (value === 0) {
      this.#placed = new Set();
      this.#exposed.clear();
      this.#unread.clear();
    } else {
      if ((before & ~value) !== 0 || (before & status.failed) !== 0) this.#report("statusBits", what);
      const set = value & ~before;
      const lacks = (bit: number, first: number) => (set & bit) !== 0 && (value & first) === 0;
      if (lacks(status.driver, status.acknowledge) || lacks(status.driverOk, status.driver))
        this.#report("legacyOrder", what);
      if ((set & status.driverOk) !== 0 && this.#unread.size > 0) this.#report("vector", what);
    }
    this.#status = value;
  }

  #vector(offset: number, value: number): void {
    if (value !== noVector && value >= this.#device.vectors)
      this.#report("vector", `wrote 0x${value.toString(16)} at 0x${offset.toString(16)} of BAR0`);
    if (offset !== configVectorAt && offset !== queueVectorAt) return;
    if (value === noVector) this.#unread.delete(offset);
    else this.#unread.add(offset);
  }

  #place(page: number, what: string): void {
    if (this.#select >= this.#device.queues || this.#size === 0)
      this.#report("legacyQueue", `${what} of ${this.#select}`);
    else if (page === 0) this.#placed.delete(this.#select);
    else this.#placed.add(this.#select);
    this.#exposed.delete(this.#select);
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
