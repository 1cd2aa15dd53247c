import type { DeviceConfig } from "../../virtio/config.ts";
import type { Report } from "./rules.ts";

/**
 * How a driver reads fields of more than 32 bits (virtio 1.2 section 2.5.1): between two readings of config_generation which agree. What it has read so
 * must be the same whenever it reads it under the same generation (section 4.1.4.3.1), which is the device's affair.
 */
export class GenerationWatch {
  readonly #config: DeviceConfig;
  readonly #report: Report;
  /** The generation which was read last, and not followed by anything but configuration. */
  #opened: number | undefined;
  /** A wide field was read since, and no generation behind it. */
  #wide: string | undefined;
  /** Read since then, by place and width. */
  readonly #since = new Map<number, number>();
  /** Read within the generation of `#of`, for certain. */
  readonly #certain = new Map<number, number>();
  #of: number | undefined;

  constructor(config: DeviceConfig, report: Report) {
    this.#config = config;
    this.#report = report;
  }

  read(offset: number, width: number, value: number): void {
    const field = this.#config.fieldAt(offset);
    if (field?.width === 8) {
      if (this.#opened === undefined)
        this.#report("generation", `read ${field.name} without config_generation before it`);
      this.#wide = field.name;
    }
    this.#since.set(offset * 8 + width, value);
  }

  generation(value: number): void {
    if (this.#opened === value) this.#compare(value);
    this.#opened = value;
    this.#wide = undefined;
    this.#since.clear();
  }

  /** The driver does something else. */
  other(): void {
    if (this.#wide !== undefined) this.#report("generation", `read ${this.#wide} without config_generation behind it`);
    this.#opened = undefined;
    this.#wide = undefined;
    this.#since.clear();
  }

  /** The driver changes the configuration itself. */
  written(): void {
    this.other();
    this.#certain.clear();
  }

  forget(): void {
    this.#opened = undefined;
    this.#wide = undefined;
    this.#since.clear();
    this.#certain.clear();
    this.#of = undefined;
  }

  #compare(generation: number): void {
    if (this.#of !== generation) this.#certain.clear();
    this.#of = generation;
    for (const [key, value] of this.#since) {
      const before = this.#certain.get(key);
      if (before !== undefined && before !== value)
        this.#report(
          "deviceGeneration",
          `gives 0x${value.toString(16)} at 0x${Math.floor(key / 8).toString(16)} in generation ${generation}, and gave 0x${before.toString(16)}`,
        );
      this.#certain.set(key, value);
    }
  }
}
