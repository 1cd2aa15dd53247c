import type { PciFunction } from "../../src/pci/function.ts";
import type { ByteOrder, Ring } from "../../src/virtio/queue/virt-queue.ts";
import type { Bench } from "./bench.ts";
import { DriverRing } from "./ring.ts";
import { enableMsix } from "./virtio-driver.ts";

/** Offsets in the register file, typed again: the device's table is what is tested. */
export const at = {
  hostFeatures: 0,
  guestFeatures: 4,
  queuePfn: 8,
  queueSize: 12,
  queueSel: 14,
  queueNotify: 16,
  status: 18,
  isr: 19,
  configVector: 20,
  queueVector: 22,
  hostFeatureSelect: 24,
  guestFeatureSelect: 28,
  queuePfnHi: 32,
  queueNum: 36,
  queueAlign: 38,
} as const;

/** Feature bits of the transport, in their words. */
export const separateConfig = 1 << 25;
export const badFeature = 1 << 30;
/** Bit 44: bit 12 of word 1. Bit 127: the last of word 3. */
export const ringSize = { word: 1, bit: 1 << 12 } as const;
export const ringAlign = { word: 3, bit: 0x8000_0000 } as const;

type Width = 1 | 2 | 4;

/** A driver for the overlay layout which goes through BAR0 or BAR1, by a base and nothing else. */
export class OverlayDriver {
  readonly bench: Bench;
  readonly fn: PciFunction;
  readonly bar: 0 | 1;
  readonly order: ByteOrder;

  constructor(bench: Bench, fn: PciFunction, bar: 0 | 1, order: ByteOrder = "little") {
    this.bench = bench;
    this.fn = fn;
    this.bar = bar;
    this.order = order;
  }

  read(offset: number, width: Width): number {
    const base = this.fn.peek(0x10 + 4 * this.bar, 4);
    return (base & 1) === 1
      ? this.bench.ports.read(base - (base & 3) + offset, width)
      : this.bench.memory.read(base - (base & 15) + offset, width);
  }

  write(offset: number, width: Width, value: number): void {
    const base = this.fn.peek(0x10 + 4 * this.bar, 4);
    if ((base & 1) === 1) this.bench.ports.write(base - (base & 3) + offset, width, value);
    else this.bench.memory.write(base - (base & 15) + offset, width, value);
  }

  /** Reset, ACKNOWLEDGE, DRIVER, and the latch where it is asked for. */
  begin(options: { readonly latch?: boolean } = {}): void {
    this.write(at.status, 1, 0);
    this.write(at.status, 1, 1);
    this.write(at.status, 1, 3);
    if (options.latch !== false) this.write(at.guestFeatures, 4, separateConfig);
  }

  /** Accepts bits of a word beside those which were. */
  accept(word: number, bits: number): void {
    this.write(at.guestFeatureSelect, 4, word);
    this.write(at.guestFeatures, 4, (this.read(at.guestFeatures, 4) | bits) >>> 0);
    this.write(at.guestFeatureSelect, 4, 0);
  }

  offered(): bigint {
    let features = 0n;
    for (let word = 0; word < 4; word++) {
      this.write(at.hostFeatureSelect, 4, word);
      features |= BigInt(this.read(at.hostFeatures, 4)) << BigInt(32 * word);
    }
    this.write(at.hostFeatureSelect, 4, 0);
    return features;
  }

  /** Places a queue of the size and alignment which its registers will be taken at. */
  place(queue: number, size: number, align = 4096, vector?: number): DriverRing {
    const start = 0x1_0000 + queue * 0x1_0000;
    const driverArea = start + 16 * size;
    const deviceArea = Math.ceil((driverArea + 6 + 2 * size) / align) * align;
    const ring: Ring = { size, descriptorArea: start, driverArea, deviceArea, order: this.order };
    const driver = new DriverRing(this.bench.ram, size, start, 0x4_0000 + queue * 0x2_0000, this.order, ring);
    this.write(at.queueSel, 2, queue);
    if (vector !== undefined) this.write(at.queueVector, 2, vector);
    this.write(at.queuePfn, 4, start / Math.max(align, 16));
    return driver;
  }

  /** From reset to DRIVER_OK, latched, with rings of the device's own size. */
  start(queues: number, options: { readonly msix?: boolean; readonly latch?: boolean } = {}): DriverRing[] {
    if (options.msix === true) enableMsix(this.bench, this.fn);
    this.begin(options);
    if (options.msix === true) this.write(at.configVector, 2, 0);
    const rings = Array.from({ length: queues }, (_, queue) => {
      this.write(at.queueSel, 2, queue);
      return this.place(queue, this.read(at.queueSize, 2), 4096, options.msix === true ? queue + 1 : undefined);
    });
    this.write(at.status, 1, 7);
    return rings;
  }

  kick(queue: number): void {
    this.write(at.queueNotify, 2, queue);
  }
}
