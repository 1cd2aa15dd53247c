import type { PciFunction } from "../../src/pci/function.ts";
import type { PciLayout } from "../../src/virtio/identity.ts";
import type { ByteOrder } from "../../src/virtio/queue/virt-queue.ts";
import type { Random } from "../campaign/random.ts";
import type { Bench } from "../support/bench.ts";

/** A way to drive a function: which registers. */
export type Way = "legacy" | "overlay-bar0" | "overlay-bar1" | "modern";

/** A form in which a device is tried. */
export interface Form {
  readonly name: string;
  readonly layout: PciLayout;
  readonly order: ByteOrder;
  readonly packed: boolean;
  readonly ways: readonly Way[];
}

export const forms: readonly Form[] = [
  { name: "legacy", layout: "legacy", order: "little", packed: false, ways: ["legacy"] },
  { name: "legacy, big-endian", layout: "legacy", order: "big", packed: false, ways: ["legacy"] },
  { name: "overlay", layout: "overlay", order: "little", packed: false, ways: ["overlay-bar0", "overlay-bar1"] },
  {
    name: "overlay, big-endian",
    layout: "overlay",
    order: "big",
    packed: false,
    ways: ["overlay-bar0", "overlay-bar1"],
  },
  { name: "modern", layout: "modern", order: "little", packed: false, ways: ["modern"] },
  { name: "modern, packed", layout: "modern", order: "little", packed: true, ways: ["modern"] },
  { name: "transitional", layout: "transitional", order: "big", packed: true, ways: ["legacy", "modern"] },
  { name: "latched", layout: "modern-latched", order: "little", packed: false, ways: ["legacy", "modern"] },
];

/** A request as its two halves: bytes for the device, then `data` of them which are all `byte`; and how many it may write. */
export interface Request {
  readonly read: readonly number[];
  readonly data: number;
  readonly byte: number;
  readonly write: number;
}

/** A device with its back end in the harness's hands. */
export interface Rig {
  readonly bench: Bench;
  readonly fn: PciFunction;
  readonly queueSizes: readonly number[];
  /** Something happens at the back end. */
  event(what: number, amount: number): void;
  /** The back end as it was at first, and no answer owed any more. */
  settle(): void;
  /** Whether the device did at its back end what the probe asked for, given what it wrote. */
  probed(written: Uint8Array): string | undefined;
}

/** A kind of device which is tried. */
export interface Subject {
  readonly name: string;
  rig(form: Form): Rig;
  /** The device-type features worth accepting, by words 0 and 1. */
  readonly features: readonly [low: number, high: number];
  /** A request which may or may not make sense. `queue` is the queue's number. */
  request(random: Random, queue: number, little: boolean): Request;
  /** The probe: a request which must succeed on a device that was just reset, and what comes back. */
  readonly probe: { readonly queue: number; readonly queues: number; readonly used: number };
  probeRequest(way: Way, little: boolean): Request;
  /** Whether the last byte which it claims is that of a status, wherever the buffer's beginning stands. */
  readonly statusLast: boolean;
}
