import type { Device } from "../../bus/state.ts";
import type { Width } from "../../bus/target.ts";
import { PciFunction } from "../../pci/function.ts";
import { Msix } from "../../pci/msix.ts";
import type { Channel } from "../../trace/trace.ts";
import { VirtioCore } from "../../virtio/core.ts";
import { PackedQueue } from "../../virtio/queue/packed.ts";
import { SplitQueue } from "../../virtio/queue/split.ts";
import { type AccessObserver, TransportCounts } from "../../virtio/transport-counts.ts";
import { CapabilityWatch } from "./config-space.ts";
import { LegacyDriverWatch } from "./legacy-driver.ts";
import { ModernDriverWatch } from "./modern-driver.ts";
import { OverlayDriverWatch } from "./overlay-driver.ts";
import { describeBreach, type Report } from "./rules.ts";
import type { RingPosition, Watched } from "./watched.ts";

/**
 * Watches all virtio devices and their drivers, and says which rule of virtio 1.2 or of docs/overlay.md each breaks: once a rule and device, with the
 * access and where the processor was.
 *
 * @param pc where the processor is.
 */
export function lintVirtio(devices: readonly Device[], channel: Channel, pc: () => string): void {
  const named = <T extends Device>(kind: new (...args: never[]) => T, name: string): T | undefined =>
    devices.find((device): device is T => device instanceof kind && device.name === name);
  for (const core of devices.filter((device) => device instanceof VirtioCore)) {
    const { name } = core.device;
    const counts = named(TransportCounts, `${name}.counts`);
    const fn = named(PciFunction, `${name}.pci`);
    if (counts === undefined || fn === undefined) continue;
    const report: Report = (rule, what) =>
      channel.once(`${name} ${rule}`, `${name}: ${describeBreach(rule, what)}, at ${pc()}`);
    const queues = devices.filter(
      (device): device is SplitQueue | PackedQueue =>
        (device instanceof SplitQueue || device instanceof PackedQueue) && device.name.startsWith(`${name}.`),
    );
    const watched: Watched = {
      queues: core.queueCount,
      vectors: named(Msix, `${fn.name}.msix`)?.vectors ?? 0,
      dma: fn.dma,
      config: core.device.config,
      status: () => core.state.now.status,
      byMessage: () => core.interrupts.byMessage,
      order: () => core.order,
      supports: (features) => core.device.supports(features),
      ring: (index, packed) =>
        position(queues.find((queue) => queue.index === index && queue instanceof PackedQueue === packed)),
    };
    counts.observer = new Observer(fn, watched, core.device.id, report);
  }
}

/** Gives each access to the watch of its layout. */
class Observer implements AccessObserver {
  readonly #device: Watched;
  readonly #report: Report;
  readonly #capabilities: CapabilityWatch;
  readonly #modern: ModernDriverWatch;
  readonly #legacy: LegacyDriverWatch;
  readonly #overlay: OverlayDriverWatch;

  constructor(fn: PciFunction, device: Watched, deviceType: number, report: Report) {
    this.#device = device;
    this.#report = report;
    this.#capabilities = new CapabilityWatch(fn, report);
    this.#modern = new ModernDriverWatch(device, report);
    this.#legacy = new LegacyDriverWatch(device, report);
    this.#overlay = new OverlayDriverWatch(device, report);
    this.#capabilities.inspect(deviceType, device.queues);
  }

  read(layout: string, offset: number, width: Width, value: number): void {
    if (layout === "modern") this.#modern.read(offset, width, value);
    else if (layout === "legacy") this.#legacy.read(offset, width, value);
    else if (layout === "overlay-bar0") this.#overlay.read(0, offset, width, value);
    else if (layout === "overlay-bar1") this.#overlay.read(1, offset, width, value);
  }

  write(layout: string, offset: number, width: Width, value: number): void {
    if (layout === "modern") this.#modern.write(offset, width, value);
    else if (layout === "legacy") this.#legacy.write(offset, width, value);
    else if (layout === "overlay-bar0") this.#overlay.write(0, offset, width, value);
    else if (layout === "overlay-bar1") this.#overlay.write(1, offset, width, value);
  }

  config(offset: number, width: Width, written: number | undefined): void {
    this.#capabilities.access(offset, width, written);
  }

  /** Older layouts may use their queues before DRIVER_OK (section 3.1.2), so FEATURES_OK tells that it is a modern driver's. */
  message(): void {
    if (this.#modern.negotiating)
      this.#report("deviceEarly", `sent a message with status 0x${this.#device.status().toString(16)}`);
  }
}

function position(queue: SplitQueue | PackedQueue | undefined): RingPosition | undefined {
  if (queue === undefined) return undefined;
  const { now } = queue.state;
  const split = "lastAvailable" in now;
  return {
    ...now,
    available: split ? now.lastAvailable : now.availableIndex,
    availableWrap: split ? 0 : now.availableWrap,
    used: split ? now.usedIndex : now.usedIndex + 65536 * now.usedWrap,
  };
}
