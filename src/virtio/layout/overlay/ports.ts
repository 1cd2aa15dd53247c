import type { BusTarget, Width } from "../../../bus/target.ts";
import type { VirtioCore } from "../../core.ts";
import type { RegisterFile } from "./file.ts";
import { fileSize, overlaidAt } from "./registers.ts";

/**
 * What BAR0 shows: registers, and over all of them from 20 or 24 on the configuration, until the latch is set (D3). How far
 * the registers go is asked at each access. One which crosses from registers into configuration is made byte by byte.
 */
export class OverlaidPorts implements BusTarget {
  readonly #core: VirtioCore;
  readonly #file: RegisterFile;
  readonly #registers: BusTarget;
  readonly #config: BusTarget;

  constructor(core: VirtioCore, file: RegisterFile, registers: BusTarget, config: BusTarget) {
    this.#core = core;
    this.#file = file;
    this.#registers = registers;
    this.#config = config;
  }

  read(offset: number, width: Width): number {
    const end = this.#registersEnd();
    if (offset + width <= end) return this.#registers.read(offset, width);
    if (offset >= end) return this.#file.latched ? 0 : this.#config.read(offset - end, width);
    let value = 0;
    for (let i = 0; i < width; i++) value += this.read(offset + i, 1) * 2 ** (8 * i);
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    const end = this.#registersEnd();
    if (offset + width <= end) this.#registers.write(offset, width, value);
    else if (offset < end) for (let i = 0; i < width; i++) this.write(offset + i, 1, (value >>> (8 * i)) & 0xff);
    else if (!this.#file.latched) this.#config.write(offset - end, width, value);
  }

  /** MSI-X matters until the latch is set and not after (D17). */
  #registersEnd(): number {
    if (this.#file.latched) return fileSize;
    return this.#core.interrupts.byMessage ? overlaidAt.withVectors : overlaidAt.withoutVectors;
  }
}
