import type { Device } from "../../bus/state.ts";
import { PciFunction } from "../../pci/function.ts";
import { Msix } from "../../pci/msix.ts";
import type { Channel } from "../../trace/trace.ts";
import { VirtioCore } from "../../virtio/core.ts";
import { SplitQueue } from "../../virtio/queue/split.ts";
import { TransportCounts } from "../../virtio/transport-counts.ts";
import { ModernDriverWatch } from "./modern-driver.ts";
import { rules } from "./rules.ts";

/**
 * Watches the drivers of all virtio devices which show the modern layout, and says which rule of virtio 1.2 each breaks: once a rule and device, with the
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
    const rings = devices.filter(
      (device) => device instanceof SplitQueue && device.name.startsWith(`${name}.`),
    ) as SplitQueue[];
    const watched = {
      queues: core.queueCount,
      vectors: named(Msix, `${fn.name}.msix`)?.vectors ?? 0,
      dma: fn.dma,
      status: () => core.state.now.status,
      consumed: (queue: number) => rings.find(({ index }) => index === queue)?.state.now.lastAvailable ?? 0,
    };
    counts.observer = new ModernDriverWatch(watched, (rule, what) => {
      const [section, text] = rules[rule];
      channel.once(
        `${name} ${rule}`,
        `${name}: virtio 1.2 section ${section}: ${text}; its driver: ${what}, at ${pc()}`,
      );
    });
  }
}
