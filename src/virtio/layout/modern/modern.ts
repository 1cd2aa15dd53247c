import type { BusTarget, Width } from "../../../bus/target.ts";
import type { PciFunction } from "../../../pci/function.ts";
import { capability } from "../../../pci/registers.ts";
import type { VirtioCore } from "../../core.ts";
import { feature } from "../../features.ts";
import { RegisterMap } from "../register-map.ts";
import { CommonConfig } from "./common.ts";
import { DeviceConfigRegion } from "./device-config.ts";
import { IsrRegion } from "./isr.ts";
import { NotifyRegion } from "./notify.ts";
import { PortView } from "./port-view.ts";
import {
  barSize,
  commonRegisters,
  commonSize,
  configType,
  modernBar,
  notifyMultiplier,
  portBarSize,
  portShift,
  regionShift,
  regionSize,
} from "./registers.ts";
import { ConfigWindow, type Reachable } from "./window.ts";

export interface ModernOptions {
  /** The kind of BAR which the structures are in. Default: memory. */
  readonly space?: "ports" | "memory";
}

/**
 * Adds the modern layout to a function (virtio 1.2 section 4.1.4): one BAR with the four structures, and the five capabilities
 * which say where they are. Throws for a device with more queues or configuration than ports have room for.
 *
 * @param through what an access to the BAR passes on its way.
 */
export function addModernLayout(
  fn: PciFunction,
  core: VirtioCore,
  options: ModernOptions = {},
  through: (target: BusTarget) => BusTarget = (target) => target,
): void {
  const { device, trace } = core;
  const offered = core.offered | core.offeredModern | feature.version1 | feature.ringReset | feature.notificationData;
  const common = new CommonConfig(core, offered);
  core.attach(common);
  fn.addPart(common);
  const inPorts = options.space === "ports";
  const target = core.counts.counted(
    through(
      new Regions([
        new RegisterMap(device.name, commonRegisters, commonSize, common, trace),
        new IsrRegion(core),
        new DeviceConfigRegion(core),
        new NotifyRegion(core),
      ]),
    ),
    inPorts ? "ports" : "memory",
    "modern",
  );
  if (inPorts) fn.addBar({ index: modernBar, kind: "io", size: portBarSize, target: new PortView(target) });
  else fn.addBar({ index: modernBar, kind: "memory64", prefetchable: true, size: barSize, target });

  const shift = inPorts ? portShift : regionShift;
  const structure = (number: number, length: number): Reachable => {
    if (length > 1 << shift) throw new RangeError(`${device.name}: ${length} bytes do not fit into 2^${shift}`);
    return { offset: number << shift, length };
  };
  const structures: Record<"common" | "isr" | "device" | "notify", Reachable> = {
    common: structure(0, commonSize),
    isr: structure(1, 1),
    // Also for a device which has no configuration: drivers exist which refuse one without this structure.
    device: structure(2, Math.max(4, device.config.size)),
    notify: structure(3, core.queueCount * notifyMultiplier),
  };
  fn.addCapability(capability.vendor, describe(configType.common, structures.common), new Uint8Array(16));
  fn.addCapability(capability.vendor, describe(configType.isr, structures.isr), new Uint8Array(16));
  fn.addCapability(capability.vendor, describe(configType.device, structures.device), new Uint8Array(16));
  const notify = describe(configType.notify, structures.notify, 20);
  new DataView(notify.buffer).setUint32(16, notifyMultiplier, true);
  fn.addCapability(capability.vendor, notify, new Uint8Array(20));
  new ConfigWindow(fn, Object.values(structures)).addTo(capability.vendor);
}

/** The bytes of a virtio capability (section 4.1.4); the first two are the function's to fill in. */
function describe(type: number, structure: Reachable, size = 16): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  const fields = new DataView(bytes.buffer);
  fields.setUint8(2, size);
  fields.setUint8(3, type);
  fields.setUint8(4, modernBar);
  fields.setUint32(8, structure.offset, true);
  fields.setUint32(12, structure.length, true);
  return bytes;
}

/** The structures side by side, a page each. An access which crosses from one into the next is made byte by byte. */
class Regions implements BusTarget {
  readonly #targets: readonly BusTarget[];

  constructor(targets: readonly BusTarget[]) {
    this.#targets = targets;
  }

  read(offset: number, width: Width): number {
    const at = offset & (regionSize - 1);
    if (at + width <= regionSize) return this.#targets[offset >>> regionShift]?.read(at, width) ?? 0;
    let value = 0;
    for (let i = 0; i < width; i++) value += this.read(offset + i, 1) * 2 ** (8 * i);
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    const at = offset & (regionSize - 1);
    if (at + width <= regionSize) this.#targets[offset >>> regionShift]?.write(at, width, value);
    else for (let i = 0; i < width; i++) this.write(offset + i, 1, (value >>> (8 * i)) & 0xff);
  }
}
