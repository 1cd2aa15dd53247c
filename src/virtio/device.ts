import type { Device } from "../bus/state.ts";
import type { DeviceConfig } from "./config.ts";
import type { Features } from "./features.ts";
import type { ByteOrder, VirtQueue } from "./queue/virt-queue.ts";

/** What a virtio device is given: its queues and two ways to be heard. It never sees a register layout or a bus. */
export interface DeviceHost {
  /** A queue as it is now; another object may serve the same index after a reset, so do not keep it. */
  queue(index: number): VirtQueue;
  /** Has the queue looked at again, by `notify`, as if the driver had kicked it: room or input has come. */
  drain(index: number): void;
  /** The same after a rest: the device has done as much as it does at once. */
  later(index: number): void;
  /** The configuration space has changed: new generation, and the driver is told if it is there. */
  configChanged(): void;
  /** The device cannot go on (virtio 1.2 section 2.1.2). */
  fail(reason: string): void;
}

/**
 * A virtio device: block, console, entropy. What it is, whatever registers show it.
 *
 * Its own `state` is what is neither in its queues nor in its configuration space.
 */
export interface VirtioDevice extends Device {
  /** Device type (virtio 1.2 section 5). */
  readonly id: number;
  /** The device-type bits which it offers. Those of ring and transport are not its business. */
  readonly features: Features;
  /** The largest size of each queue; its length is their number. Powers of two. */
  readonly queueSizes: readonly number[];
  /** MSI-X vectors which it is to have, where that is not one a queue and one for the configuration. */
  readonly vectors?: number;
  readonly config: DeviceConfig;

  /** Once, before anything else. */
  connect(host: DeviceHost): void;
  /** Whether a subset of what was offered makes sense. Not asked by legacy drivers. */
  supports(features: Features): boolean;
  /** What the driver has accepted, and the byte order of everything in its buffers. */
  negotiated(features: Features, order: ByteOrder): void;
  /** The driver has made buffers available, or may have. Takes what it can; called again when a round did not suffice. */
  notify(queue: number): void;
  /** The queue's chains in hand are dead: nothing may be written to them any more. */
  resetQueue(queue: number): void;
  /** As after power-on. The queues are reset by whoever calls this. */
  reset(): void;
}
