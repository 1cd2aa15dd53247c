import type { Machine } from "../../board/machine.ts";
import type { Device } from "../../bus/state.ts";
import { VirtioCore } from "../../virtio/core.ts";
import { feature } from "../../virtio/features.ts";
import { PackedQueue } from "../../virtio/queue/packed.ts";
import { SplitQueue } from "../../virtio/queue/split.ts";
import { status } from "../../virtio/status.ts";

/** `info virtio`: status, features, and the rings as the device has them. */
export function virtio({ devices }: Machine): string {
  const cores = devices.filter((device) => device instanceof VirtioCore);
  return cores.map((core) => describe(core, devices)).join("") || "no virtio devices\n";
}

function describe(core: VirtioCore, devices: readonly Device[]): string {
  const { now } = core.state;
  const names = Object.entries(status)
    .filter(([, bit]) => (now.status & bit) !== 0)
    .map(([name]) => name);
  let text = `${core.device.name}: status 0x${now.status.toString(16)} ${names.join(" ") || "reset"}`;
  text += `${now.broken ? ", broken by its driver" : ""}, ${now.bigEndian ? "big" : "little"}-endian\n`;
  text += `  features 0x${now.features.toString(16)} of 0x${core.offered.toString(16)}\n`;
  const kind = (now.features & feature.ringPacked) === 0n ? SplitQueue : PackedQueue;
  for (const queue of devices)
    if (queue instanceof kind && queue.name.startsWith(`${core.device.name}.`)) text += ring(queue);
  return text;
}

function ring(queue: SplitQueue | PackedQueue): string {
  const { state, index, maxSize } = queue;
  const { now } = state;
  if (!now.enabled) return `  queue ${index}: off, up to ${maxSize} entries\n`;
  const at = [now.descriptorArea, now.driverArea, now.deviceArea].map((area) => `0x${area.toString(16)}`);
  const taken = "lastAvailable" in now ? now.lastAvailable : now.availableIndex;
  return (
    `  queue ${index}: ${now.size} entries, descriptors ${at[0]}, driver ${at[1]}, device ${at[2]}` +
    `; available ${taken}, used ${now.usedIndex}${now.halted ? ", halted" : ""}\n`
  );
}
