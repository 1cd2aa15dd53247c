import type { PciFunction } from "../../../pci/function.ts";
import { capability } from "../../../pci/registers.ts";
import type { VirtioCore } from "../../core.ts";
import { type Features, feature } from "../../features.ts";
import type { ByteOrder } from "../../queue/virt-queue.ts";
import { RegisterMap } from "../register-map.ts";
import { ConfigBytes } from "./config.ts";
import { RegisterFile } from "./file.ts";
import { OverlaidPorts } from "./ports.ts";
import { fileRegisters, fileSize, memoryBarSize, overlaidAt, overlayBar, overlayFeature } from "./registers.ts";

export interface OverlayOptions {
  /** The byte order of the processor, asked at each reset of the device. Default: always little. */
  readonly guestOrder?: () => ByteOrder;
  /** Registers in one of the two spaces only. Default: in both. */
  readonly space?: "ports" | "memory";
  /** Features of this transport which are not offered, to see what each of them costs. */
  readonly withheld?: Features;
}

/** The type of the capability: none of those of virtio 1.2, whose drivers must ignore it (section 4.1.4). */
const capabilityType = 0xb0;
/** What stands in it for a BAR that is not there. */
const noBar = 0xff;

/** Adds the overlay layout to a function: BAR0 and its mirror BAR1, the configuration as BAR2 and BAR3, and what says so. */
export function addOverlayLayout(fn: PciFunction, core: VirtioCore, options: OverlayOptions = {}): void {
  const { device, counts } = core;
  const own = feature.anyLayout | Object.values(overlayFeature).reduce((all, bit) => all | bit);
  const offered = (core.offered | own) & ~(options.withheld ?? 0n);
  const file = new RegisterFile(core, offered, options.guestOrder ?? (() => "little"));
  for (const part of [file, file.queues]) {
    core.attach(part);
    fn.addPart(part);
  }
  const registers = new RegisterMap(device.name, fileRegisters, fileSize, file, core.trace);
  const config = new ConfigBytes(core, file);
  const inPorts = options.space !== "memory";
  const inMemory = options.space !== "ports";
  if (inPorts) {
    const ports = new OverlaidPorts(core, file, registers, config);
    const least = Math.max(fileSize, overlaidAt.withVectors + device.config.size);
    fn.addBar({
      index: overlayBar.ports,
      kind: "io",
      size: powerOfTwo(least),
      target: counts.counted(ports, "ports", "overlay-bar0"),
    });
  }
  if (inMemory)
    for (const [index, target, name] of [
      [overlayBar.mirror, registers, "overlay-bar1"],
      [overlayBar.config, config, "overlay-config"],
    ] as const)
      fn.addBar({ index, kind: "memory32", size: memoryBarSize, target: counts.counted(target, "memory", name) });
  if (inPorts) {
    const size = powerOfTwo(Math.max(4, device.config.size));
    fn.addBar({
      index: overlayBar.configPorts,
      kind: "io",
      size,
      target: counts.counted(config, "ports", "overlay-config"),
    });
  }
  fn.addCapability(capability.vendor, describe(inPorts, inMemory), new Uint8Array(12));
}

/** How a driver tells a mirror from any other BAR without touching one (D7): the BARs by role, and the file's length. */
function describe(inPorts: boolean, inMemory: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12);
  bytes[2] = bytes.length;
  bytes[3] = capabilityType;
  bytes[4] = inPorts ? overlayBar.ports : noBar;
  bytes[5] = inMemory ? overlayBar.mirror : noBar;
  bytes[6] = inMemory ? overlayBar.config : noBar;
  bytes[7] = inPorts ? overlayBar.configPorts : noBar;
  bytes[8] = fileSize;
  return bytes;
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}
