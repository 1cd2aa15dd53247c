import { GuestMemory } from "../../../src/bus/guest-memory.ts";
import { Ram } from "../../../src/bus/ram.ts";
import { AddressSpace } from "../../../src/bus/space.ts";
import { DmaPath } from "../../../src/pci/dma.ts";
import { openDma } from "../../../src/pci/dma-view.ts";
import { Trace } from "../../../src/trace/trace.ts";
import { PackedQueue } from "../../../src/virtio/queue/packed.ts";
import { SplitQueue } from "../../../src/virtio/queue/split.ts";
import type { ByteOrder, QueueWires, Ring, VirtQueue } from "../../../src/virtio/queue/virt-queue.ts";
import { PackedDriverRing } from "../../support/packed-ring.ts";
import { type Buffer, DriverRing, type Offered, OrderedChains } from "../../support/ring.ts";

/** RAM is here and nowhere else: not at 0, so that a wild address meets nothing. */
export const ramAt = 0x0;
export const ramSize = 0x4_0000;
const ringAt = 0x1000;
const buffersAt = 0x1_0000;

/** What a driver does with a ring of either format. */
export interface AnyRing {
  readonly ring: Ring;
  /** How many used elements there have been, modulo 65536. */
  readonly usedIndex: number;
  /** For a driver which has accepted IN_ORDER. */
  ordered: OrderedChains | undefined;
  offer(buffers: readonly Buffer[], options?: { readonly indirect?: boolean }): Offered;
  used(): { head: number; length: number }[];
  written(offered: Offered): Uint8Array;
  recycle(buffers: number): void;
  /** Asks to be told when that many single-descriptor chains and one more have been used. */
  setUsedEvent(value: number): void;
}

/** A queue, its driver, and what the queue said to its device. */
export interface QueueFixture<R extends AnyRing = DriverRing> {
  readonly ram: Ram;
  readonly queue: VirtQueue;
  readonly ring: R;
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
export const inOrder = 1n << 35n;

export function splitFixture(options: FixtureOptions = {}): QueueFixture {
  const { size = 8, maxSize = size, order = "little" } = options;
  return fixture(
    options,
    (wires) => new SplitQueue(wires, 0, maxSize),
    (ram) => new DriverRing(ram, size, ringAt, buffersAt, order),
  );
}

export function packedFixture(options: FixtureOptions = {}): QueueFixture<PackedDriverRing> {
  const { size = 8, maxSize = size } = options;
  return fixture(
    options,
    (wires) => new PackedQueue(wires, 0, maxSize),
    (ram) => new PackedDriverRing(ram, size, ringAt, buffersAt),
  );
}

function fixture<R extends AnyRing>(
  { features = 0n }: FixtureOptions,
  makeQueue: (wires: QueueWires) => VirtQueue,
  makeRing: (ram: Ram) => R,
): QueueFixture<R> {
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
  const queue = makeQueue({
    name: "dev",
    dma: openDma(path, "dev"),
    trace: trace.channel("virtio"),
    interrupt: (index) => interrupts.push(index),
    broken: (reason) => broken.push(reason),
  });
  const ring = makeRing(ram);
  if ((features & inOrder) !== 0n) ring.ordered = new OrderedChains();
  queue.negotiated(features);
  if (!queue.start(ring.ring)) throw new Error("the ring was refused");
  return { ram, queue, ring, interrupts, broken, lines, refused: () => path.state.now.refused };
}
