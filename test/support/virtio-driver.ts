import type { AddressSpace } from "../../src/bus/space.ts";
import type { PciFunction } from "../../src/pci/function.ts";
import { legacyRing } from "../../src/virtio/layout/legacy/ring.ts";
import type { ByteOrder } from "../../src/virtio/queue/virt-queue.ts";
import { type Bench, memoryWindow, messagePage, portWindow } from "./bench.ts";
import { DriverRing } from "./ring.ts";

/** Where driver queue n keeps its ring and its buffers. */
const ringAt = (queue: number) => 0x1_0000 + queue * 0x1_0000;
const buffersAt = (queue: number) => 0x4_0000 + queue * 0x2_0000;

/** Everything a driver does before it knows the layout: MSI-X on, with a message for each vector whose data is 100 + vector. */
export function enableMsix(bench: Bench, fn: PciFunction): void {
  const capability = findCapabilities(fn, 0x11)[0];
  if (capability === undefined) throw new Error("no MSI-X");
  const table = fn.peek(0x10 + 4 * (fn.readConfig(capability + 4, 4) & 7), 4);
  const vectors = (fn.readConfig(capability + 2, 2) & 0x7ff) + 1;
  for (let v = 0; v < vectors; v++) {
    bench.memory.write(table + 16 * v, 4, messagePage);
    bench.memory.write(table + 16 * v + 4, 4, 0);
    bench.memory.write(table + 16 * v + 8, 4, 100 + v);
    bench.memory.write(table + 16 * v + 12, 4, 0);
  }
  fn.writeConfig(capability + 2, 2, 0x8000);
}

export function disableMsix(fn: PciFunction): void {
  fn.writeConfig((findCapabilities(fn, 0x11)[0] as number) + 2, 2, 0);
}

/** Offsets of the capabilities with an identifier, in the order of the list. */
export function findCapabilities(fn: PciFunction, id: number): number[] {
  const found: number[] = [];
  for (let at = fn.readConfig(0x34, 1); at !== 0; at = fn.readConfig(at + 1, 1))
    if (fn.readConfig(at, 1) === id) found.push(at);
  return found;
}

/** Offsets in the common configuration structure (virtio 1.2 section 4.1.4.3), typed again: the device's table is what is tested. */
export const common = {
  deviceFeatureSelect: 0,
  deviceFeature: 4,
  driverFeatureSelect: 8,
  driverFeature: 12,
  configVector: 16,
  numQueues: 18,
  status: 20,
  generation: 21,
  queueSelect: 22,
  queueSize: 24,
  queueVector: 26,
  queueEnable: 28,
  queueNotifyOff: 30,
  queueDesc: 32,
  queueDriver: 40,
  queueDevice: 48,
  queueNotifyData: 56,
  queueReset: 58,
} as const;

/** A driver for the modern layout, by the book: it finds its structures through the capabilities. */
export class ModernDriver {
  readonly bench: Bench;
  readonly fn: PciFunction;
  /** Where its structures are: all in BARs of one kind. */
  readonly space: AddressSpace;
  readonly common: number;
  readonly isr: number;
  readonly config: number;
  readonly notify: number;
  readonly notifyMultiplier: number;

  constructor(bench: Bench, fn: PciFunction) {
    this.bench = bench;
    this.fn = fn;
    const places = new Map<number, number>();
    const ports = new Set<boolean>();
    let multiplier = 0;
    for (const at of findCapabilities(fn, 9)) {
      const type = fn.readConfig(at + 3, 1);
      const bar = fn.readConfig(at + 4, 1);
      const register = fn.peek(0x10 + 4 * bar, 4);
      const isPort = (register & 1) === 1;
      places.set(type, ((register & (isPort ? ~3 : ~15)) >>> 0) + fn.readConfig(at + 8, 4));
      if (type !== 5) ports.add(isPort);
      if (type === 2) multiplier = fn.readConfig(at + 16, 4);
    }
    if (ports.size !== 1) throw new Error("structures in BARs of both kinds, or of none");
    this.space = ports.has(true) ? bench.ports : bench.memory;
    const place = (type: number) => {
      const found = places.get(type);
      if (found === undefined || found < (ports.has(true) ? portWindow : memoryWindow))
        throw new Error(`no structure of type ${type}`);
      return found;
    };
    this.common = place(1);
    this.notify = place(2);
    this.isr = place(3);
    this.config = place(4);
    this.notifyMultiplier = multiplier;
  }

  read(offset: number, width: 1 | 2 | 4): number {
    return this.space.read(this.common + offset, width);
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    this.space.write(this.common + offset, width, value);
  }

  get status(): number {
    return this.read(common.status, 1);
  }

  setStatus(value: number): void {
    this.write(common.status, 1, value);
  }

  offered(): bigint {
    let features = 0n;
    for (let select = 0; select < 4; select++) {
      this.write(common.deviceFeatureSelect, 4, select);
      features |= BigInt(this.read(common.deviceFeature, 4)) << BigInt(32 * select);
    }
    return features;
  }

  /** Steps 1 to 6 of section 3.1.1. Gives whether FEATURES_OK stayed. */
  negotiate(features: bigint): boolean {
    this.setStatus(0);
    this.setStatus(1);
    this.setStatus(3);
    for (let select = 0; select < 4; select++) {
      this.write(common.driverFeatureSelect, 4, select);
      this.write(common.driverFeature, 4, Number((features >> BigInt(32 * select)) & 0xffff_ffffn));
    }
    this.setStatus(0x0b);
    return (this.status & 8) !== 0;
  }

  /** Makes a ring of this size for a queue and enables it. */
  setUp(queue: number, size: number, options: { readonly vector?: number } = {}): DriverRing {
    const ring = new DriverRing(this.bench.ram, size, ringAt(queue), buffersAt(queue));
    this.write(common.queueSelect, 2, queue);
    this.write(common.queueSize, 2, size);
    if (options.vector !== undefined) this.write(common.queueVector, 2, options.vector);
    this.address(common.queueDesc, ring.ring.descriptorArea);
    this.address(common.queueDriver, ring.ring.driverArea);
    this.address(common.queueDevice, ring.ring.deviceArea);
    this.write(common.queueEnable, 2, 1);
    return ring;
  }

  address(register: number, value: number): void {
    this.write(register, 4, value % 2 ** 32);
    this.write(register + 4, 4, Math.floor(value / 2 ** 32));
  }

  /** From reset to DRIVER_OK with one ring for each size. */
  start(features: bigint, sizes: readonly number[], options: { readonly msix?: boolean } = {}): DriverRing[] {
    if (options.msix === true) enableMsix(this.bench, this.fn);
    if (!this.negotiate(features)) throw new Error("the features were refused");
    if (options.msix === true) this.write(common.configVector, 2, 0);
    const rings = sizes.map((size, queue) =>
      this.setUp(queue, size, options.msix === true ? { vector: queue + 1 } : {}),
    );
    this.setStatus(0x0f);
    return rings;
  }

  kick(queue: number): void {
    this.write(common.queueSelect, 2, queue);
    const at = this.notify + this.read(common.queueNotifyOff, 2) * this.notifyMultiplier;
    this.space.write(at, 2, queue);
  }

  readIsr(): number {
    return this.space.read(this.isr, 1);
  }

  readConfig(offset: number, width: 1 | 2 | 4): number {
    return this.space.read(this.config + offset, width);
  }
}

/** A driver for the legacy layout (virtio 1.2 section 4.1.4.10). */
export class LegacyDriver {
  readonly bench: Bench;
  readonly fn: PciFunction;
  readonly base: number;
  readonly order: ByteOrder;

  constructor(bench: Bench, fn: PciFunction, order: ByteOrder = "little") {
    this.bench = bench;
    this.fn = fn;
    this.order = order;
    this.base = fn.peek(0x10, 4) & ~3;
  }

  read(offset: number, width: 1 | 2 | 4): number {
    return this.bench.ports.read(this.base + offset, width);
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    this.bench.ports.write(this.base + offset, width, value);
  }

  start(features: number, queues: number, options: { readonly msix?: boolean } = {}): DriverRing[] {
    if (options.msix === true) enableMsix(this.bench, this.fn);
    this.write(18, 1, 0);
    this.write(18, 1, 1);
    this.write(18, 1, 3);
    this.write(4, 4, features);
    if (options.msix === true) this.write(20, 2, 0);
    const rings = Array.from({ length: queues }, (_, queue) => this.setUp(queue));
    if (options.msix === true)
      for (let queue = 0; queue < queues; queue++) {
        this.write(14, 2, queue);
        this.write(22, 2, queue + 1);
      }
    this.write(18, 1, 7);
    return rings;
  }

  setUp(queue: number): DriverRing {
    this.write(14, 2, queue);
    const size = this.read(12, 2);
    const at = ringAt(queue);
    const ring = legacyRing(at / 4096, size, this.order);
    const driver = new DriverRing(this.bench.ram, size, at, buffersAt(queue), this.order, ring);
    this.write(8, 4, at / 4096);
    return driver;
  }

  kick(queue: number): void {
    this.write(16, 2, queue);
  }

  readIsr(): number {
    return this.read(19, 1);
  }
}
