import type { BusTarget, Width } from "../../../bus/target.ts";
import type { VirtioCore } from "../../core.ts";

/** The device-specific configuration structure (virtio 1.2 section 4.1.4.6), little-endian. Reads 0 past its end. */
export class DeviceConfigRegion implements BusTarget {
  readonly #core: VirtioCore;

  constructor(core: VirtioCore) {
    this.#core = core;
  }

  read(offset: number, width: Width): number {
    const core = this.#core;
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + core.device.config.read(offset + i, "little");
    if (core.trace.on)
      core.trace.log(`${core.device.name} config 0x${offset.toString(16)}.${width} -> 0x${value.toString(16)}`);
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    const core = this.#core;
    if (core.trace.on)
      core.trace.log(`${core.device.name} config 0x${offset.toString(16)}.${width} <- 0x${value.toString(16)}`);
    for (let i = 0; i < width; i++) core.device.config.write(offset + i, (value >>> (8 * i)) & 0xff, "little");
  }
}
