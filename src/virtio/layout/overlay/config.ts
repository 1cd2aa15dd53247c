import type { BusTarget, Width } from "../../../bus/target.ts";
import type { VirtioCore } from "../../core.ts";
import type { RegisterFile } from "./file.ts";

/**
 * The device's configuration, bytes in the guest's order (D5): any width of access gives the same bytes. BAR2 and BAR3 show it
 * always (D4), BAR0 until the latch is set. Past its end there is 0 to read and nothing to write.
 */
export class ConfigBytes implements BusTarget {
  readonly #core: VirtioCore;
  readonly #file: RegisterFile;

  constructor(core: VirtioCore, file: RegisterFile) {
    this.#core = core;
    this.#file = file;
  }

  read(offset: number, width: Width): number {
    const { device, trace } = this.#core;
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + device.config.read(offset + i, this.#file.order);
    if (trace.on) trace.log(`${device.name} config 0x${offset.toString(16)}.${width} -> 0x${value.toString(16)}`);
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    const { device, trace } = this.#core;
    if (trace.on) trace.log(`${device.name} config 0x${offset.toString(16)}.${width} <- 0x${value.toString(16)}`);
    for (let i = 0; i < width; i++) device.config.write(offset + i, (value >>> (8 * i)) & 0xff, this.#file.order);
  }
}
