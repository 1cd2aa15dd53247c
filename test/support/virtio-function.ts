import type { BlockBackend } from "../../src/backend/block.ts";
import { CharacterFifo, type CharacterSink } from "../../src/backend/character.ts";
import { SeededEntropy } from "../../src/backend/entropy.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import type { PciFunction } from "../../src/pci/function.ts";
import { Blk } from "../../src/virtio/device/blk/blk.ts";
import { VirtioConsole } from "../../src/virtio/device/console/console.ts";
import { Rng } from "../../src/virtio/device/rng.ts";
import type { VirtioDevice } from "../../src/virtio/device.ts";
import { createVirtioPci, type VirtioPciOptions } from "../../src/virtio/pci.ts";
import { Bench } from "./bench.ts";

/** Feature bits as the specification numbers them (virtio 1.2 sections 5.2.3 and 6). */
export const bits = {
  consoleMultiport: 1n << 1n,
  blkSegMax: 1n << 2n,
  blkGeometry: 1n << 4n,
  blkReadOnly: 1n << 5n,
  blkSize: 1n << 6n,
  blkFlush: 1n << 9n,
  blkTopology: 1n << 10n,
  blkConfigWce: 1n << 11n,
  blkDiscard: 1n << 13n,
  blkWriteZeroes: 1n << 14n,
  anyLayout: 1n << 27n,
  indirect: 1n << 28n,
  eventIndex: 1n << 29n,
  version1: 1n << 32n,
  ringPacked: 1n << 34n,
  inOrder: 1n << 35n,
  notificationData: 1n << 38n,
  ringReset: 1n << 40n,
} as const;

export type Options = Partial<Omit<VirtioPciOptions, "clock" | "trace">> & { readonly queueSize?: number };

/** Plugs a device into a bench of its own. */
export function plugDevice<T extends VirtioDevice>(
  make: (bench: Bench) => T,
  options: Options = {},
): { bench: Bench; device: T; fn: PciFunction } {
  const bench = new Bench();
  const device = make(bench);
  const { clock } = bench;
  const fn = createVirtioPci(device, { layout: "modern", ...options, clock, trace: bench.trace.channel("virtio") });
  bench.plug(fn);
  return { bench, device, fn };
}

/** A disk of 64 sectors on which every byte differs from its neighbours and from the same one of other sectors. */
export function patternDisk(sectors = 64): MemoryBlock {
  return new MemoryBlock(Uint8Array.from({ length: sectors * 512 }, (_, i) => (i >>> 9) * 3 + i));
}

export function plugBlk(disk: BlockBackend, options: Options = {}) {
  const { queueSize } = options;
  return plugDevice(
    ({ clock, trace }) => new Blk("blk0", { disk, clock, trace: trace.channel("virtio"), queueSize }),
    options,
  );
}

export function plugRng(options: Options = {}) {
  const { queueSize } = options;
  return plugDevice(({ clock }) => new Rng("rng0", { entropy: new SeededEntropy(1), clock, queueSize }), options);
}

/** A sink whose room a test sets. */
export class TestSink implements CharacterSink {
  room = Number.POSITIVE_INFINITY;
  onRoom: (() => void) | undefined;
  readonly got: number[] = [];

  write(bytes: Uint8Array): void {
    if (bytes.length > this.room) throw new Error("the sink was given more than it has room for");
    for (const byte of bytes) this.got.push(byte);
    this.room -= bytes.length;
  }
}

export function plugConsole(options: Options & { readonly size?: { columns: number; rows: number } } = {}) {
  const sink = new TestSink();
  const source = new CharacterFifo();
  const { queueSize, size } = options;
  const plugged = plugDevice(
    () => new VirtioConsole("console0", { output: sink, input: source, queueSize, size }),
    options,
  );
  return { ...plugged, sink, source };
}
