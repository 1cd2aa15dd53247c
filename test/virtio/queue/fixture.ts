import { GuestMemory } from "../../../src/bus/guest-memory.ts";
import { Ram } from "../../../src/bus/ram.ts";
import { AddressSpace } from "../../../src/bus/space.ts";
import { DmaPath } from "../../../src/pci/dma.ts";
import { openDma } from "../../../src/pci/dma-view.ts";
import { Trace } from "../../../src/trace/trace.ts";
import { SplitQueue } from "../../../src/virtio/queue/split.ts";
import type { ByteOrder, VirtQueue } from "../../../src/virtio/queue/virt-queue.ts";
import { DriverRing } from "../../support/ring.ts";

/** RAM is here and nowhere else: not at 0, so that a wild address meets nothing. */
export const ramAt = 0x0;
export const ramSize = 0x4_0000;
const ringAt = 0x1000;
const buffersAt = 0x1_0000;

/** A queue, its driver, and what the queue said to its device. */
export interface QueueFixture {
  readonly ram: Ram;
  readonly queue: VirtQueue;
  readonly ring: DriverRing;
  readonly interrupts: number[];
  readonly broken: string[];
  /** DMA accesses which met no RAM. */
  refused(): number;
  lines: string[];
}

export interface FixtureOptions {
  readonly size?: number;
  readonly maxSize?: number;
  readonly order?: ByteOrder;
  readonly features?: bigint;
}

export const indirect = 1n << 28n;
export const eventIndex = 1n << 29n;

export function splitFixture(options: FixtureOptions = {}): QueueFixture {
  const { size = 8, maxSize = size, order = "little", features = 0n } = options;
  const guest = new GuestMemory(2 * ramSize);
  const memory = new AddressSpace("memory", 2 ** 36);
  const ram = new Ram(guest, "ram", ramSize);
  memory.map(ramAt, ramSize, ram, { name: "ram", priority: 100 });
  const trace = new Trace();
  const lines: string[] = [];
  trace.enable("virtio");
  trace.sink = ({ text }) => lines.push(text);
  const path = new DmaPath("dma", memory, guest, trace.channel("pci"));
  const interrupts: number[] = [];
  const broken: string[] = [];
  const queue = new SplitQueue(
    {
      name: "dev",
      dma: openDma(path, "dev"),
      trace: trace.channel("virtio"),
      interrupt: (index) => interrupts.push(index),
      broken: (reason) => broken.push(reason),
    },
    0,
    maxSize,
  );
  const ring = new DriverRing(ram, size, ringAt, buffersAt, order);
  queue.negotiated(features);
  if (!queue.start(ring.ring)) throw new Error("the ring was refused");
  return { ram, queue, ring, interrupts, broken, lines, refused: () => path.state.now.refused };
}
