import { noVector } from "../../virtio/interrupts.ts";
import type { CommonRegister } from "../../virtio/layout/modern/registers.ts";
import type { Report } from "./rules.ts";

/** What the common configuration structure must answer (virtio 1.2 sections 4.1.4.3.1 and 4.1.5.1.2.1), seen from what it is asked and told. */
export class ModernDeviceWatch {
  readonly #report: Report;
  packed = false;
  /** Queues which the driver has enabled since the reset. */
  readonly #enabled = new Set<number>();
  /** Vectors as they were written, the configuration's under -1. */
  readonly #vectors = new Map<number, number>();
  /** Queues whose reset is over, and which have not been asked whether they are enabled. */
  readonly #over = new Set<number>();
  readonly #resetting = new Set<number>();
  #accepted: { readonly value: number; readonly offered: number | undefined } | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  reset(): void {
    this.packed = false;
    this.#enabled.clear();
    this.#vectors.clear();
    this.#over.clear();
    this.#resetting.clear();
    this.#accepted = undefined;
  }

  write(
    register: CommonRegister,
    queue: number,
    value: number,
    word: number,
    offered: ReadonlyMap<number, number>,
  ): void {
    if (register === "queue_enable" && value === 1) this.#enabled.add(queue);
    else if (register === "queue_reset" && value === 1) this.#resetting.add(queue);
    else if (register === "queue_msix_vector") this.#vectors.set(queue, value);
    else if (register === "config_msix_vector") this.#vectors.set(-1, value);
    else if (register === "driver_feature") this.#accepted = { value, offered: offered.get(word) };
    else if (register === "driver_feature_select") this.#accepted = undefined;
  }

  read(register: CommonRegister, queue: number, value: number): void {
    const gives = `gives 0x${value.toString(16)} for ${register}`;
    switch (register) {
      case "queue_enable":
        if (value === 0) this.#enabled.delete(queue);
        else if (this.#over.has(queue)) this.#report("deviceQueueReset", gives);
        else if (!this.#enabled.has(queue)) this.#report("deviceReset", gives);
        this.#over.delete(queue);
        break;
      case "queue_size":
        if (!this.packed && (value & (value - 1)) !== 0) this.#report("deviceSize", gives);
        break;
      case "queue_reset":
        if (value === 0 && this.#resetting.delete(queue)) {
          this.#over.add(queue);
          this.#enabled.delete(queue);
          this.#vectors.delete(queue);
        }
        break;
      case "queue_msix_vector":
        this.#vector(queue, value, gives);
        break;
      case "config_msix_vector":
        this.#vector(-1, value, gives);
        break;
      case "driver_feature": {
        const { value: written, offered } = this.#accepted ?? {};
        if (written !== undefined && offered !== undefined && value !== (written & offered) >>> 0)
          this.#report("deviceFeatures", `${gives} after 0x${written.toString(16)}`);
        break;
      }
    }
  }

  #vector(whose: number, value: number, gives: string): void {
    const written = this.#vectors.get(whose);
    if (value === noVector || value === written) return;
    if (written === undefined) this.#report("deviceReset", gives);
    else this.#report("deviceVector", `${gives} after 0x${written.toString(16)}`);
  }
}
