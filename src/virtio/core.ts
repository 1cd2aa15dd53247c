import type { Dma } from "../bus/dma.ts";
import { type Device, State } from "../bus/state.ts";
import type { Alarm, Clock } from "../time/clock.ts";
import type { Channel } from "../trace/trace.ts";
import type { DeviceHost, VirtioDevice } from "./device.ts";
import { type Features, feature } from "./features.ts";
import type { Interrupts } from "./interrupts.ts";
import { PackedQueue } from "./queue/packed.ts";
import { SplitQueue } from "./queue/split.ts";
import type { ByteOrder, Ring, VirtQueue } from "./queue/virt-queue.ts";
import { status } from "./status.ts";
import { spend, unspent } from "./throttle.ts";
import type { TransportCounts } from "./transport-counts.ts";

export interface CoreWires {
  readonly dma: Dma;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
  readonly counts: TransportCounts;
  readonly trace: Channel;
  /** Whether a layout may offer packed rings. Default false. */
  readonly packed?: boolean;
}

/** How long a queue rests which had more to give than is taken at once, in virtual nanoseconds. */
const restTime = 10_000;

/**
 * What every register layout works on: one device, its queues, its status and its interrupts.
 *
 * Layouts decide when a driver's write is allowed; what it then means is here, once. Two layouts may share one core: a
 * transitional device is that.
 */
export class VirtioCore implements Device, DeviceHost {
  readonly name: string;
  readonly device: VirtioDevice;
  readonly interrupts: Interrupts;
  readonly counts: TransportCounts;
  readonly trace: Channel;
  readonly state: State<{
    status: number;
    features: Features;
    bigEndian: boolean;
    /** Whether buffers may be consumed: the driver is ready as its layout has it. */
    live: boolean;
    broken: boolean;
    generation: number;
    /** The account of work, see throttle. */
    paidAt: number;
    /** Queues to be looked at when the alarm rings, and when that is, in virtual nanoseconds. */
    waiting: Uint8Array;
    wakeAt: number;
    /** How often a driver has broken the device. */
    failures: number;
  }>;
  readonly #clock: Clock;
  readonly #split: readonly VirtQueue[];
  /** None where packed rings are not offered. */
  readonly #packed: readonly VirtQueue[];
  /** Those of the format which the driver has accepted: split rings until then. */
  #queues: readonly VirtQueue[];
  readonly #parts: Device[] = [];
  readonly #alarm: Alarm;

  constructor(device: VirtioDevice, wires: CoreWires) {
    this.name = `${device.name}.virtio`;
    this.device = device;
    this.interrupts = wires.interrupts;
    this.counts = wires.counts;
    this.trace = wires.trace;
    this.#clock = wires.clock;
    this.state = new State(
      this.name,
      {
        status: 0,
        features: 0n,
        bigEndian: false,
        live: false,
        broken: false,
        generation: 0,
        paidAt: unspent,
        waiting: new Uint8Array(device.queueSizes.length),
        wakeAt: 0,
        failures: 0,
      },
      ["failures"],
    );
    const { interrupts } = wires;
    const queueWires = {
      name: device.name,
      dma: wires.dma,
      trace: wires.trace,
      interrupt: (queue: number) => interrupts.queue(queue),
      broken: (reason: string) => this.fail(reason),
    };
    const sizes = device.queueSizes;
    this.#split = sizes.map((size, index) => new SplitQueue(queueWires, index, size));
    this.#packed = wires.packed === true ? sizes.map((size, index) => new PackedQueue(queueWires, index, size)) : [];
    this.#queues = this.#split;
    this.#alarm = wires.clock.alarm(this.name, () => this.#ring());
    this.#parts.push(...this.#split, ...this.#packed, device, device.config, wires.interrupts);
    wires.counts.watch(() => (this.state.now.status & status.driverOk) !== 0);
    device.connect(this);
  }

  /** All that a reset of the device resets, without this core. */
  get parts(): readonly Device[] {
    return this.#parts;
  }

  /** Adds a layout: its selectors are reset with the device. */
  attach(layout: Device): void {
    this.#parts.push(layout);
  }

  /** What the device offers whatever the layout: its own bits and those of its rings. */
  get offered(): Features {
    return this.device.features | feature.indirectDescriptors | feature.eventIndex;
  }

  /** What it can offer besides to a layout which has 64 bits of features and says where each part of a ring is. */
  get offeredModern(): Features {
    return feature.inOrder | (this.#packed.length > 0 ? feature.ringPacked : 0n);
  }

  get queueCount(): number {
    return this.#queues.length;
  }

  /** Throws for an index which no queue has: layouts ask `queueCount` first. */
  queue(index: number): VirtQueue {
    const queue = this.#queues[index];
    if (queue === undefined) throw new RangeError(`${this.name} has no queue ${index}`);
    return queue;
  }

  get order(): ByteOrder {
    return this.state.now.bigEndian ? "big" : "little";
  }

  /** The driver has settled on these features, and its layout on the byte order. */
  negotiate(features: Features, order: ByteOrder): void {
    this.state.now.features = features;
    this.state.now.bigEndian = order === "big";
    this.#choose();
    for (const queue of this.#queues) queue.negotiated(features);
    this.device.negotiated(features, order);
  }

  /** Starts a queue with its ring latched. False, and nothing changed, for a ring that cannot be. */
  startQueue(index: number, ring: Ring): boolean {
    const queue = this.queue(index);
    const refusal = queue.refusal(ring);
    if (refusal !== undefined) {
      this.trace.once(`${queue.name} refused`, `${queue.name} cannot be enabled: ${refusal}`);
      return false;
    }
    if (queue.enabled) this.device.resetQueue(index);
    return queue.start(ring);
  }

  /** Stops a queue and forgets its chains (virtio 1.2 section 2.6.1). Its vector goes too. */
  resetQueue(index: number): void {
    const queue = this.queue(index);
    this.device.resetQueue(index);
    queue.reset();
    queue.negotiated(this.state.now.features);
    this.interrupts.setQueueVector(index, 0xffff);
    this.state.now.waiting[index] = 0;
  }

  /** The doorbell: the driver says that there are buffers. Ignored where there is no such queue or nobody is ready. */
  kick(index: number): void {
    const known = index < this.#queues.length;
    if (this.trace.on)
      this.trace.log(`${this.device.name} doorbell of queue ${index}${known ? "" : ", which is not there"}`);
    if (!known) return;
    this.counts.doorbell();
    this.drain(index);
  }

  drain(index: number): void {
    const now = this.state.now;
    const queue = this.queue(index);
    if (!now.live || now.broken || !queue.enabled || now.waiting[index] !== 0) return;
    const time = this.#clock.now;
    if (now.paidAt > time) {
      this.#wait(index, now.paidAt);
      return;
    }
    queue.drain();
    this.device.notify(index);
    now.paidAt = spend(now.paidAt, queue.work.units, time);
    queue.work.units = 0;
    if (queue.exhausted) this.later(index);
  }

  later(index: number): void {
    this.#wait(index, this.#clock.now + restTime);
  }

  configChanged(): void {
    const now = this.state.now;
    now.generation = (now.generation + 1) & 0xff;
    if ((now.status & status.driverOk) !== 0) this.interrupts.config();
  }

  /**
   * The driver broke the device: all queues stop until reset. With VERSION_1 the status says so, and a driver which is there is told
   * (virtio 1.2 section 2.1.2); a legacy driver has no such bit.
   */
  fail(reason: string): void {
    const now = this.state.now;
    if (now.broken) return;
    now.broken = true;
    now.failures++;
    for (const queue of this.#queues) queue.halt();
    const text = `${this.device.name} is broken until it is reset: ${reason}`;
    if (this.trace.on) this.trace.log(text);
    else this.trace.once(`${this.name} broken`, text);
    if ((now.features & feature.version1) === 0n) return;
    now.status |= status.deviceNeedsReset;
    if ((now.status & status.driverOk) !== 0) this.interrupts.config();
  }

  /** The whole device, its layouts included, as after power-on. No interrupt and no access to memory comes after it. */
  reset(): void {
    if (this.trace.on) this.trace.log(`${this.device.name} reset`);
    for (let i = 0; i < this.#queues.length; i++) this.device.resetQueue(i);
    this.state.reset();
    this.#alarm.cancel();
    for (const part of this.#parts) part.reset();
    this.#choose();
    this.counts.begin();
    this.device.negotiated(0n, "little");
  }

  restored(): void {
    this.#choose();
    this.#alarm.cancel();
    if (this.state.now.waiting.includes(1)) this.#alarm.set(this.state.now.wakeAt);
  }

  /** The queues of the format which is in force. */
  #choose(): void {
    this.#queues = (this.state.now.features & feature.ringPacked) === 0n ? this.#split : this.#packed;
  }

  #wait(index: number, time: number): void {
    this.state.now.waiting[index] = 1;
    if (time >= this.#alarm.due) return;
    this.state.now.wakeAt = time;
    this.#alarm.set(time);
  }

  #ring(): void {
    const { waiting } = this.state.now;
    for (let i = 0; i < waiting.length; i++) {
      if (waiting[i] === 0) continue;
      waiting[i] = 0;
      this.drain(i);
    }
  }
}
