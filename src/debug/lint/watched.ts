import type { Dma } from "../../bus/dma.ts";
import type { DeviceConfig } from "../../virtio/config.ts";
import type { Features } from "../../virtio/features.ts";
import type { ByteOrder } from "../../virtio/queue/virt-queue.ts";

/** What is known of the device, besides its registers. */
export interface Watched {
  readonly queues: number;
  /** Entries of the MSI-X table, 0 when there is none. */
  readonly vectors: number;
  readonly dma: Dma;
  readonly config: DeviceConfig;
  /** Its status now. */
  status(): number;
  /** Whether interrupts are messages. */
  byMessage(): boolean;
  /** The byte order of its rings. */
  order(): ByteOrder;
  /** Whether these device-type features go together. */
  supports(features: Features): boolean;
  /** Where a queue of either format is. */
  ring(queue: number, packed: boolean): RingPosition | undefined;
}

/** How far a device is in a ring. */
export interface RingPosition {
  readonly enabled: boolean;
  readonly size: number;
  readonly descriptorArea: number;
  readonly driverArea: number;
  /** The next available entry that it takes; in a packed ring with its wrap counter. */
  readonly available: number;
  readonly availableWrap: number;
  /** Anything that changes when it uses one. */
  readonly used: number;
  readonly indirect: boolean;
  readonly eventIndex: boolean;
  readonly inOrder: boolean;
}
