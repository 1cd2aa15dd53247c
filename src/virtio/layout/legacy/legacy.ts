import type { BusTarget, Width } from "../../../bus/target.ts";
import type { PciFunction } from "../../../pci/function.ts";
import type { VirtioCore } from "../../core.ts";
import { feature } from "../../features.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { RegisterMap } from "../register-map.ts";
import { LegacyHeader } from "./header.ts";
import { headerRegisters, headerSize, legacyBar, vectorRegisters, vectorsSize } from "./registers.ts";

export interface LegacyOptions {
  /** The byte order of the processor, asked at each reset of the device. Default: always little. */
  readonly guestOrder?: () => ByteOrder;
}

/**
 * Adds the legacy layout to a function (virtio 1.2 section 4.1.4.10): BAR0, in port space, with the header, then
 * the vectors while MSI-X is enabled, then the device's configuration.
 *
 * @param through what an access to the BAR passes on its way.
 */
export function addLegacyLayout(
  fn: PciFunction,
  core: VirtioCore,
  options: LegacyOptions = {},
  through: (target: BusTarget) => BusTarget = (target) => target,
): void {
  const { device } = core;
  const offered = (core.offered | feature.anyLayout) & 0xffff_ffffn;
  const header = new LegacyHeader(core, offered, options.guestOrder ?? (() => "little"));
  core.attach(header);
  fn.addPart(header);
  const target = core.counts.counted(through(new LegacyRegion(core, header)), "ports", "legacy");
  const least = headerSize + vectorsSize + device.config.size;
  fn.addBar({ index: legacyBar, kind: "io", size: 2 ** Math.ceil(Math.log2(least)), target });
}

/**
 * What BAR0 shows. Where the configuration begins is asked at each access: it moves under the driver's feet when
 * MSI-X is enabled or disabled. An access which crosses from one part into the next is made byte by byte.
 */
class LegacyRegion implements BusTarget {
  readonly #core: VirtioCore;
  readonly #header: LegacyHeader;
  readonly #registers: BusTarget;
  readonly #vectors: BusTarget;

  constructor(core: VirtioCore, header: LegacyHeader) {
    this.#core = core;
    this.#header = header;
    this.#registers = new RegisterMap(core.device.name, headerRegisters, headerSize, header, core.trace);
    this.#vectors = new RegisterMap(core.device.name, vectorRegisters, vectorsSize, header.vectors, core.trace);
  }

  read(offset: number, width: Width): number {
    if (offset + width <= headerSize) return this.#registers.read(offset, width);
    const config = this.#configStart();
    if (offset >= headerSize && offset + width <= config) return this.#vectors.read(offset - headerSize, width);
    if (width === 1) return this.#readConfig(offset - config);
    let value = 0;
    for (let i = 0; i < width; i++) value += this.read(offset + i, 1) * 2 ** (8 * i);
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    const config = this.#configStart();
    if (offset + width <= headerSize) this.#registers.write(offset, width, value);
    else if (offset >= headerSize && offset + width <= config) this.#vectors.write(offset - headerSize, width, value);
    else if (width === 1) this.#writeConfig(offset - config, value & 0xff);
    else for (let i = 0; i < width; i++) this.write(offset + i, 1, (value >>> (8 * i)) & 0xff);
  }

  #configStart(): number {
    return this.#core.interrupts.byMessage ? headerSize + vectorsSize : headerSize;
  }

  #readConfig(at: number): number {
    const { device, trace } = this.#core;
    const byte = device.config.read(at, this.#header.order);
    if (trace.on) trace.log(`${device.name} config 0x${at.toString(16)}.1 -> 0x${byte.toString(16)}`);
    return byte;
  }

  #writeConfig(at: number, byte: number): void {
    const { device, trace } = this.#core;
    if (trace.on) trace.log(`${device.name} config 0x${at.toString(16)}.1 <- 0x${byte.toString(16)}`);
    device.config.write(at, byte, this.#header.order);
  }
}
