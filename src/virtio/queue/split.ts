import type { GuestWords } from "../../bus/dma.ts";
import { State } from "../../bus/state.ts";
import { type Features, feature } from "../features.ts";
import { Chain, type Work } from "./chain.ts";
import { InHand, type InHandFields, inHandFields } from "./in-hand.ts";
import { descriptorSize, IndirectTable } from "./indirect-table.ts";
import type { QueueWires, Ring, VirtQueue } from "./virt-queue.ts";

/** Descriptor flags (virtio 1.2 section 2.7.5). */
const flagNext = 1;
const flagWrite = 2;
const flagIndirect = 4;
/** VIRTQ_AVAIL_F_NO_INTERRUPT (section 2.7.6). */
const noInterrupt = 1;
/** The largest split ring (section 2.7). */
export const maxSplitSize = 32768;

/**
 * The split virtqueue (virtio 1.2 section 2.7): descriptor table, available ring, used ring.
 *
 * Every rule of the driver's is checked where the host relies on it. A breach ends the queue: `broken` is told, once.
 */
export class SplitQueue implements VirtQueue {
  readonly name: string;
  readonly index: number;
  readonly maxSize: number;
  exhausted = false;
  readonly state: State<
    {
      enabled: boolean;
      halted: boolean;
      size: number;
      bigEndian: boolean;
      descriptorArea: number;
      driverArea: number;
      deviceArea: number;
      indirect: boolean;
      eventIndex: boolean;
      lastAvailable: number;
      usedIndex: number;
      /** The used index when the driver was last told of it, or would have been. */
      signalled: number;
      /** See `work`. */
      units: number;
    } & InHandFields
  >;
  readonly #wires: QueueWires;
  readonly #hand: InHand;
  readonly #spare: Chain[] = [];
  readonly #table = new IndirectTable();
  #words: GuestWords;
  /** Counts starts and resets. */
  #incarnation = 0;
  /** It has learnt of nothing but features since its last reset. A device is reset more often than all of its queues are used. */
  #unused = false;
  /** Whether the whole ring was found in RAM, at its first use. What goes away later is found out where it is missed. */
  #seen = false;
  /** Chains taken since `drain`. */
  #round = 0;

  constructor(wires: QueueWires, index: number, maxSize: number) {
    this.name = `${wires.name}.queue${index}`;
    this.index = index;
    this.maxSize = maxSize;
    this.#wires = wires;
    this.#words = wires.dma.le;
    this.state = new State(this.name, {
      enabled: false,
      halted: false,
      size: 0,
      bigEndian: false,
      descriptorArea: 0,
      driverArea: 0,
      deviceArea: 0,
      indirect: false,
      eventIndex: false,
      lastAvailable: 0,
      usedIndex: 0,
      signalled: 0,
      units: 0,
      ...inHandFields(maxSize),
    });
    this.#hand = new InHand(this.state.now, {
      release: () => 1,
      publish: (head, length, places) => this.#use(head, length, places),
    });
  }

  get work(): Work {
    return this.state.now;
  }

  get enabled(): boolean {
    return this.state.now.enabled;
  }

  get size(): number {
    return this.state.now.size;
  }

  negotiated(features: Features): void {
    const now = this.state.now;
    now.indirect = (features & feature.indirectDescriptors) !== 0n;
    now.eventIndex = (features & feature.eventIndex) !== 0n;
    now.inOrder = (features & feature.inOrder) !== 0n;
  }

  /** Section 2.7: a power of 2. */
  fits(size: number): boolean {
    return size >= 1 && size <= this.maxSize && (size & (size - 1)) === 0;
  }

  refusal(ring: Ring): string | undefined {
    const { size, descriptorArea, driverArea, deviceArea } = ring;
    if (!this.fits(size)) return `size ${size}`;
    if (descriptorArea === 0 || driverArea === 0 || deviceArea === 0) return "an area without an address";
    // Section 2.7's table: alignments 16, 2 and 4.
    if (descriptorArea % 16 !== 0) return `descriptor area 0x${descriptorArea.toString(16)} not on 16`;
    if (driverArea % 2 !== 0) return `driver area 0x${driverArea.toString(16)} not on 2`;
    if (deviceArea % 4 !== 0) return `device area 0x${deviceArea.toString(16)} not on 4`;
    return undefined;
  }

  start(ring: Ring): boolean {
    if (this.refusal(ring) !== undefined) return false;
    const { indirect, eventIndex, inOrder } = this.state.now;
    this.reset();
    this.#unused = false;
    const now = this.state.now;
    now.indirect = indirect;
    now.eventIndex = eventIndex;
    now.inOrder = inOrder;
    now.size = ring.size;
    now.descriptorArea = ring.descriptorArea;
    now.driverArea = ring.driverArea;
    now.deviceArea = ring.deviceArea;
    now.bigEndian = ring.order === "big";
    now.enabled = true;
    this.restored();
    return true;
  }

  reset(): void {
    const now = this.state.now;
    if (this.#unused && now.units === 0) {
      now.indirect = now.eventIndex = now.inOrder = false;
      return;
    }
    this.state.reset();
    this.exhausted = false;
    this.restored();
    this.#unused = true;
  }

  /** What follows from the state, after it came from elsewhere. Chains of before are dead. */
  restored(): void {
    this.#unused = false;
    this.#incarnation++;
    this.#seen = false;
    this.#words = this.state.now.bigEndian ? this.#wires.dma.be : this.#wires.dma.le;
  }

  halt(): void {
    this.#unused = false;
    this.state.now.halted = true;
  }

  drain(): void {
    this.#round = 0;
    this.exhausted = false;
  }

  take(): Chain | undefined {
    const now = this.state.now;
    if (!now.enabled || now.halted) return undefined;
    if (!this.#seen) {
      // Before the first buffer is touched: a driver whose used ring is nowhere gets nothing written.
      if (!this.#reachable()) return this.#broken("part of the ring is not in RAM");
      this.#seen = true;
    }
    const words = this.#words;
    const available = words.u16(now.driverArea + 2);
    if (available < 0) return this.#broken("the available ring is not in RAM");
    const waiting = (available - now.lastAvailable) & 0xffff;
    if (waiting > now.size)
      return this.#broken(`available index ${available} is ${waiting} ahead of ${now.size} entries`);
    if (waiting === 0) {
      // Section 2.7.10.2: asks for a notification at the next buffer. The guest does not run meanwhile, so nothing can slip past.
      if (now.eventIndex && !words.setU16(now.deviceArea + 4 + 8 * now.size, now.lastAvailable))
        return this.#broken("the used ring is not in RAM");
      return undefined;
    }
    if (this.#round >= now.size) {
      this.exhausted = true;
      return undefined;
    }
    const head = words.u16(now.driverArea + 4 + 2 * (now.lastAvailable & (now.size - 1)));
    if (head < 0) return this.#broken("the available ring is not in RAM");
    if (head >= now.size) return this.#broken(`head ${head} of ${now.size}`);
    if (this.#hand.has(head)) return this.#broken(`head ${head} is made available twice`);
    const chain = this.#spare.pop() ?? new Chain(this.#wires.dma, this.work);
    const wrong = this.#walk(chain, head);
    if (wrong !== undefined) {
      this.#spare.push(chain);
      return this.#broken(`chain ${head}: ${wrong}`);
    }
    this.#round++;
    now.lastAvailable = (now.lastAvailable + 1) & 0xffff;
    this.#hand.take(head, chain.writableLength);
    const { trace } = this.#wires;
    if (trace.on) trace.log(`${this.name} chain taken: ${chain.describe()}`);
    return chain;
  }

  retake(head: number): Chain | undefined {
    const now = this.state.now;
    if (!now.enabled || now.halted || !this.#hand.holds(head)) return undefined;
    const chain = this.#spare.pop() ?? new Chain(this.#wires.dma, this.work);
    const { units } = now;
    const wrong = this.#walk(chain, head);
    // The walk was paid for when it was taken.
    now.units = units;
    if (wrong === undefined) return chain;
    this.#spare.push(chain);
    return undefined;
  }

  give(chain: Chain, length: number): void {
    this.#spare.push(chain);
    if (chain.incarnation === this.#incarnation) this.#hand.give(chain.head, length);
  }

  /** Writes a used element, and skips those which it stands for too (section 2.7.9). */
  #use(head: number, length: number, places: number): void {
    const now = this.state.now;
    if (now.halted) return;
    const words = this.#words;
    const element = now.deviceArea + 4 + 8 * (now.usedIndex & (now.size - 1));
    const next = (now.usedIndex + places) & 0xffff;
    // The element before the index, which publishes it (section 2.7.8.2).
    if (!words.setU32(element, head) || !words.setU32(element + 4, length) || !words.setU16(now.deviceArea + 2, next)) {
      this.#broken("the used ring is not in RAM");
      return;
    }
    now.usedIndex = next;
    const { trace } = this.#wires;
    if (trace.on) trace.log(`${this.name} used element: head ${head}, ${length} bytes written, index ${next}`);
  }

  signal(): void {
    const now = this.state.now;
    if (!now.enabled || now.halted) return;
    if (now.inOrder) this.#hand.flush();
    if (now.usedIndex === now.signalled) return;
    const wish = this.#words.u16(now.eventIndex ? now.driverArea + 4 + 2 * now.size : now.driverArea);
    if (wish < 0) {
      this.#broken("the available ring is not in RAM");
      return;
    }
    // Section 2.7.7.2: with event index, when the used index has just gone past what the driver named.
    const wanted = now.eventIndex
      ? ((now.usedIndex - wish - 1) & 0xffff) < ((now.usedIndex - now.signalled) & 0xffff)
      : (wish & noInterrupt) === 0;
    now.signalled = now.usedIndex;
    if (wanted) this.#wires.interrupt(this.index);
  }

  /**
   * Reads a chain's descriptors. Gives what is wrong with it, or undefined.
   *
   * The limit of entries is the queue's size, those of an indirect table included and the one that refers to
   * it not (section 2.7.5.3.1), so loops end there too.
   */
  #walk(chain: Chain, head: number): string | undefined {
    const now = this.state.now;
    const words = this.#words;
    chain.begin(head, this.#incarnation);
    for (let index = head, left = now.size; ; left--) {
      if (left === 0) return `more than ${now.size} descriptors`;
      now.units++;
      const at = now.descriptorArea + descriptorSize * index;
      const address = words.u64(at);
      const length = words.u32(at + 8);
      const flags = words.u16(at + 12);
      const next = words.u16(at + 14);
      if (address < 0 || length < 0 || flags < 0 || next < 0) return "a descriptor is not in RAM";
      if ((flags & flagIndirect) !== 0) {
        if (!now.indirect) return "an indirect descriptor without the feature";
        if ((flags & flagNext) !== 0) return "an indirect descriptor with a next one";
        // WRITE has no meaning here and must be ignored (section 2.7.5.3.2).
        return this.#walkTable(chain, address, length, left);
      }
      const wrong = chain.add(address, length, (flags & flagWrite) !== 0);
      if (wrong !== undefined) return wrong;
      if ((flags & flagNext) === 0) return undefined;
      if (next >= now.size) return `next ${next} of ${now.size}`;
      index = next;
    }
  }

  /** The same for a table outside of the ring. @param most how many descriptors there may be. */
  #walkTable(chain: Chain, address: number, bytes: number, most: number): string | undefined {
    const now = this.state.now;
    const table = this.#table;
    const unfit = table.load(this.#wires.dma, address, bytes, now.size, now.bigEndian ? "big" : "little");
    if (unfit !== undefined) return unfit;
    for (let index = 0, left = most; ; left--) {
      if (left === 0) return `more than ${now.size} descriptors`;
      now.units++;
      table.read(index);
      const { first: flags, second: next } = table;
      if ((flags & flagIndirect) !== 0) return "an indirect descriptor in an indirect table";
      const wrong = chain.add(table.address, table.length, (flags & flagWrite) !== 0);
      if (wrong !== undefined) return wrong;
      if ((flags & flagNext) === 0) return undefined;
      if (next >= table.entries) return `next ${next} of ${table.entries}`;
      index = next;
    }
  }

  #reachable(): boolean {
    const { size, descriptorArea, driverArea, deviceArea } = this.state.now;
    const { dma } = this.#wires;
    // With event index each of the two rings is followed by a word for the other side (sections 2.7.6 and 2.7.8).
    return (
      dma.reaches(descriptorArea, descriptorSize * size) &&
      dma.reaches(driverArea, 6 + 2 * size) &&
      dma.reaches(deviceArea, 6 + 8 * size)
    );
  }

  #broken(reason: string): undefined {
    this.state.now.halted = true;
    this.#wires.broken(`queue ${this.index}: ${reason}`);
    return undefined;
  }
}
