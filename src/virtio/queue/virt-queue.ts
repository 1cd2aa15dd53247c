import type { Dma } from "../../bus/dma.ts";
import type { Device } from "../../bus/state.ts";
import type { Channel } from "../../trace/trace.ts";
import type { Features } from "../features.ts";
import type { Chain, Work } from "./chain.ts";

/** Byte order of what lies in the driver's memory: little for VERSION_1, the guest's own for the legacy interface. */
export type ByteOrder = "little" | "big";

/** Where the driver put a ring (virtio 1.2 section 2.6). Latched when the queue starts. */
export interface Ring {
  /** Entries. */
  readonly size: number;
  readonly descriptorArea: number;
  readonly driverArea: number;
  readonly deviceArea: number;
  readonly order: ByteOrder;
}

/** What a queue is wired to. */
export interface QueueWires {
  readonly name: string;
  readonly dma: Dma;
  readonly trace: Channel;
  /** The driver wants to know of used buffers. */
  interrupt(queue: number): void;
  /** The driver broke the rules of the ring: the device cannot go on. */
  broken(reason: string): void;
}

/**
 * One virtqueue seen by its device, whatever the format of its ring.
 *
 * Knows nothing of PCI nor of devices. Buffers are consumed by `take`, given back in any order by `give`; `signal` then interrupts
 * the driver if it asked for that. Whatever the driver wrote, nothing here throws or goes on for longer than the ring's size.
 */
export interface VirtQueue extends Device {
  readonly index: number;
  /** The largest size, which is also the default. */
  readonly maxSize: number;
  /** Whether it has been started and not stopped. */
  readonly enabled: boolean;
  /** Entries of the ring in use; 0 when it is not enabled. */
  readonly size: number;
  /** What the host did for it since somebody last set it back. */
  readonly work: Work;
  /** Whether `take` refused because the ring had given `size` chains since `drain`: there may be more. */
  readonly exhausted: boolean;

  /** The features that bind the driver from now on. */
  negotiated(features: Features): void;
  /** Whether a ring may have so many entries. */
  fits(size: number): boolean;
  /** Why a ring cannot be, or undefined when it can: size and alignment only. */
  refusal(ring: Ring): string | undefined;
  /** Starts with a fresh ring. Gives false, and changes nothing, for one that cannot be. */
  start(ring: Ring): boolean;
  /** Back to the state after reset; chains taken before are dead. */
  reset(): void;
  /** Consumes and gives nothing any more, until reset: the device is broken. */
  halt(): void;

  /** Begins a new round of `take`. */
  drain(): void;
  /** The next chain which the driver has made available. */
  take(): Chain | undefined;
  /** A chain which the device had when the machine was saved, read anew; undefined when the device did not have it. */
  retake(head: number): Chain | undefined;
  /** Returns a chain to the driver with the number of bytes written to it. Ignored for a chain from before a reset. */
  give(chain: Chain, length: number): void;
  /** After one or several `give`: with IN_ORDER the driver can now see them; interrupts it if it wants that. */
  signal(): void;
}
