import type { GuestWords } from "../../bus/dma.ts";
import { State } from "../../bus/state.ts";
import { type Features, feature } from "../features.ts";
import { Chain, type Work } from "./chain.ts";
import { InHand, type InHandFields, inHandFields } from "./in-hand.ts";
import { descriptorSize, IndirectTable } from "./indirect-table.ts";
import type { QueueWires, Ring, VirtQueue } from "./virt-queue.ts";

/** Descriptor flags (virtio 1.2 sections 2.8.1, 2.8.3, 2.8.6 and 2.8.7). */
const flagNext = 1;
const flagWrite = 2;
const flagIndirect = 4;
const flagAvailable = 1 << 7;
const flagUsed = 1 << 15;
/** Places in a descriptor (section 2.8.13). */
const lengthAt = 8;
const idAt = 12;
const flagsAt = 14;
/** An event suppression structure: offset and wrap counter, then flags (section 2.8.14). */
const eventFlagsAt = 2;
const eventSize = 4;
const eventsOff = 1;
const eventAtDescriptor = 2;
const wrapBit = 0x8000;
/** The largest packed ring (section 2.8). */
export const maxPackedSize = 32768;

/**
 * The packed virtqueue (virtio 1.2 section 2.8): one ring of descriptors which both sides write, and an event suppression structure
 * of each side's.
 *
 * A used descriptor overwrites whichever available one lies at its place, so what the device has in hand is copied out of the
 * ring when it is taken. Copies lie in as many slots as the ring has descriptors; the first one's number is the chain's name here. The driver's
 * buffer ID is its own affair: it is handed back and means nothing to us.
 */
export class PackedQueue implements VirtQueue {
  readonly name: string;
  readonly index: number;
  readonly maxSize: number;
  exhausted = false;
  readonly state: State<
    {
      enabled: boolean;
      halted: boolean;
      size: number;
      descriptorArea: number;
      driverArea: number;
      deviceArea: number;
      indirect: boolean;
      eventIndex: boolean;
      /** Where the next descriptor is read and the next used one written, each with its wrap counter. */
      availableIndex: number;
      availableWrap: number;
      usedIndex: number;
      usedWrap: number;
      /** Descriptors used since the driver was last told, or would have been. */
      unsignalled: number;
      /** The slots: a descriptor each, the one behind it in its list or among the free, and for a list's first its count. */
      addresses: Float64Array;
      lengths: Uint32Array;
      flags: Uint16Array;
      behind: Uint16Array;
      ids: Uint16Array;
      counts: Uint16Array;
      free: number;
      occupied: number;
      /** See `work`. */
      units: number;
    } & InHandFields
  >;
  readonly #wires: QueueWires;
  readonly #words: GuestWords;
  readonly #hand: InHand;
  readonly #spare: Chain[] = [];
  readonly #table = new IndirectTable();
  /** Counts starts and resets. */
  #incarnation = 0;
  /** It has learnt of nothing but features since its last reset. A device is reset more often than all of its queues are used. */
  #unused = false;
  /** Whether the whole ring was found in RAM, at its first use. What goes away later is found out where it is missed. */
  #seen = false;
  /** Chains taken since `drain`. */
  #round = 0;

  constructor(wires: QueueWires, index: number, maxSize: number) {
    this.name = `${wires.name}.queue${index}.packed`;
    this.index = index;
    this.maxSize = maxSize;
    this.#wires = wires;
    // RING_PACKED comes with VERSION_1 alone, and that with little-endian rings.
    this.#words = wires.dma.le;
    this.state = new State(this.name, {
      enabled: false,
      halted: false,
      size: 0,
      descriptorArea: 0,
      driverArea: 0,
      deviceArea: 0,
      indirect: false,
      eventIndex: false,
      availableIndex: 0,
      availableWrap: 1,
      usedIndex: 0,
      usedWrap: 1,
      unsignalled: 0,
      addresses: new Float64Array(maxSize),
      lengths: new Uint32Array(maxSize),
      flags: new Uint16Array(maxSize),
      behind: Uint16Array.from({ length: maxSize }, (_, i) => i + 1),
      ids: new Uint16Array(maxSize),
      counts: new Uint16Array(maxSize),
      free: 0,
      occupied: 0,
      units: 0,
      ...inHandFields(maxSize),
    });
    this.#hand = new InHand(this.state.now, {
      release: (head) => this.#free(head),
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

  /** Section 2.8.10.1: any number up to the largest. */
  fits(size: number): boolean {
    return Number.isInteger(size) && size >= 1 && size <= Math.min(this.maxSize, maxPackedSize);
  }

  refusal(ring: Ring): string | undefined {
    const { size, descriptorArea, driverArea, deviceArea } = ring;
    if (!this.fits(size)) return `size ${size}`;
    if (descriptorArea === 0 || driverArea === 0 || deviceArea === 0) return "an area without an address";
    // Section 2.8.10.1's table: alignments 16, 4 and 4.
    if (descriptorArea % 16 !== 0) return `descriptor area 0x${descriptorArea.toString(16)} not on 16`;
    if (driverArea % 4 !== 0) return `driver area 0x${driverArea.toString(16)} not on 4`;
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
    now.enabled = true;
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

  /** Chains of before are dead. */
  restored(): void {
    this.#unused = false;
    this.#incarnation++;
    this.#seen = false;
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
      // Before the first buffer is touched: a driver whose ring is nowhere gets nothing written.
      if (!this.#reachable()) return this.#broken("part of the ring is not in RAM");
      this.#seen = true;
    }
    const flags = this.#words.u16(now.descriptorArea + descriptorSize * now.availableIndex + flagsAt);
    if (flags < 0) return this.#broken("the descriptor ring is not in RAM");
    if (!isAvailable(flags, now.availableWrap)) return this.#askForEvent();
    if (this.#round >= now.size) {
      this.exhausted = true;
      return undefined;
    }
    const head = now.free;
    const chain = this.#spare.pop() ?? new Chain(this.#wires.dma, this.work);
    const wrong = this.#copyList(head) ?? this.#walk(chain, head);
    if (wrong !== undefined) {
      this.#spare.push(chain);
      return this.#broken(`the list at ${now.availableIndex}: ${wrong}`);
    }
    const count = now.counts[head] as number;
    now.availableIndex += count;
    if (now.availableIndex >= now.size) {
      now.availableIndex -= now.size;
      now.availableWrap ^= 1;
    }
    this.#round++;
    this.#hand.take(head, chain.writableLength);
    const { trace } = this.#wires;
    if (trace.on)
      trace.log(`${this.name} chain taken: buffer ${now.ids[head]}, ${count} descriptors, ${chain.describe()}`);
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

  signal(): void {
    const now = this.state.now;
    if (!now.enabled || now.halted) return;
    if (now.inOrder) this.#hand.flush();
    if (now.unsignalled === 0) return;
    const event = this.#words.u16(now.driverArea);
    const flags = this.#words.u16(now.driverArea + eventFlagsAt);
    if (event < 0 || flags < 0) {
      this.#broken("the driver's event suppression is not in RAM");
      return;
    }
    const { unsignalled } = now;
    now.unsignalled = 0;
    const kind = flags & 3;
    // Section 2.8.10. The third kind is one with EVENT_IDX alone; where it is none, and for the reserved fourth, an event too many is harmless.
    const wanted = kind === eventAtDescriptor && now.eventIndex ? this.#passed(event, unsignalled) : kind !== eventsOff;
    if (wanted) this.#wires.interrupt(this.index);
  }

  /** Whether the descriptor which the driver named is one of the last `count` used ones. */
  #passed(event: number, count: number): boolean {
    const { size, usedIndex, usedWrap } = this.state.now;
    const offset = event & ~wrapBit;
    const sameLap = ((event & wrapBit) !== 0) === (usedWrap === 1);
    const ago = usedIndex - (sameLap ? offset : offset - size);
    return ago >= 1 && ago <= count;
  }

  /** The ring has run dry: with EVENT_IDX the device names the descriptor at which it wants to be told (section 2.8.10). */
  #askForEvent(): undefined {
    const now = this.state.now;
    if (!now.eventIndex) return undefined;
    const words = this.#words;
    const event = now.availableIndex | (now.availableWrap === 1 ? wrapBit : 0);
    if (!words.setU16(now.deviceArea, event) || !words.setU16(now.deviceArea + eventFlagsAt, eventAtDescriptor))
      return this.#broken("the device's event suppression is not in RAM");
    return undefined;
  }

  /** Copies the list of descriptors which is available next into free slots from `head` on. Gives what is wrong with it, or undefined. */
  #copyList(head: number): string | undefined {
    const now = this.state.now;
    const words = this.#words;
    let index = now.availableIndex;
    let slot = head;
    for (let count = 1; ; count++) {
      // This also ends a list which goes round into descriptors that the device has not used yet (section 2.8.17).
      if (now.occupied + count > now.size) return `more than ${now.size} descriptors with those in hand`;
      now.units++;
      const at = now.descriptorArea + descriptorSize * index;
      const address = words.u64(at);
      const length = words.u32(at + lengthAt);
      const id = words.u16(at + idAt);
      const flags = words.u16(at + flagsAt);
      if (address < 0 || length < 0 || id < 0 || flags < 0) return "a descriptor is not in RAM";
      now.addresses[slot] = address;
      now.lengths[slot] = length;
      now.flags[slot] = flags;
      if ((flags & flagNext) === 0) {
        // The last one has the ID (section 2.8.6).
        now.ids[head] = id;
        now.counts[head] = count;
        now.occupied += count;
        now.free = now.behind[slot] as number;
        return undefined;
      }
      slot = now.behind[slot] as number;
      index = index + 1 === now.size ? 0 : index + 1;
    }
  }

  /** Makes a chain of the slots from `head` on. Gives what is wrong with it, or undefined. */
  #walk(chain: Chain, head: number): string | undefined {
    const now = this.state.now;
    chain.begin(head, this.#incarnation);
    const count = now.counts[head] as number;
    for (let slot = head, i = 0; i < count; i++, slot = now.behind[slot] as number) {
      const address = now.addresses[slot] as number;
      const length = now.lengths[slot] as number;
      const flags = now.flags[slot] as number;
      if ((flags & flagIndirect) !== 0) {
        if (!now.indirect) return "an indirect descriptor without the feature";
        if (count !== 1) return "an indirect descriptor in a list of several (section 2.8.19)";
        return this.#walkTable(chain, address, length);
      }
      const wrong = chain.add(address, length, (flags & flagWrite) !== 0);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  /** Section 2.8.7: all entries of the table, one after the other. Of their flags only WRITE counts. */
  #walkTable(chain: Chain, address: number, bytes: number): string | undefined {
    const now = this.state.now;
    const table = this.#table;
    const unfit = table.load(this.#wires.dma, address, bytes, now.size, "little");
    if (unfit !== undefined) return unfit;
    for (let i = 0; i < table.entries; i++) {
      now.units++;
      table.read(i);
      const wrong = chain.add(table.address, table.length, (table.second & flagWrite) !== 0);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  /** Writes the used descriptor of a list, and skips as many as the list has and those before it which it stands for (sections 2.8.6 and 2.8.8). */
  #use(head: number, length: number, places: number): void {
    const now = this.state.now;
    if (now.halted) return;
    const words = this.#words;
    const at = now.descriptorArea + descriptorSize * now.usedIndex;
    const id = now.ids[head] as number;
    const flags = (now.usedWrap === 1 ? flagAvailable | flagUsed : 0) | (length > 0 ? flagWrite : 0);
    // The flags last: they publish it (section 2.8.15).
    if (!words.setU32(at + lengthAt, length) || !words.setU16(at + idAt, id) || !words.setU16(at + flagsAt, flags)) {
      this.#broken("the descriptor ring is not in RAM");
      return;
    }
    const { trace } = this.#wires;
    if (trace.on)
      trace.log(
        `${this.name} used descriptor ${now.usedIndex}: buffer ${id}, ${length} bytes written, wrap ${now.usedWrap}`,
      );
    now.usedIndex += places;
    if (now.usedIndex >= now.size) {
      now.usedIndex -= now.size;
      now.usedWrap ^= 1;
    }
    now.unsignalled += places;
  }

  /** Frees the slots of a list. Gives how many they were. */
  #free(head: number): number {
    const now = this.state.now;
    const count = now.counts[head] as number;
    let last = head;
    for (let i = 1; i < count; i++) last = now.behind[last] as number;
    now.behind[last] = now.free;
    now.free = head;
    now.occupied -= count;
    return count;
  }

  #reachable(): boolean {
    const { size, descriptorArea, driverArea, deviceArea } = this.state.now;
    const { dma } = this.#wires;
    return (
      dma.reaches(descriptorArea, descriptorSize * size) &&
      dma.reaches(driverArea, eventSize) &&
      dma.reaches(deviceArea, eventSize)
    );
  }

  #broken(reason: string): undefined {
    this.state.now.halted = true;
    this.#wires.broken(`queue ${this.index}: ${reason}`);
    return undefined;
  }
}

/** Section 2.8.1: AVAIL as the wrap counter is, USED as it is not. */
function isAvailable(flags: number, wrap: number): boolean {
  return ((flags & flagAvailable) !== 0) === (wrap === 1) && ((flags & flagUsed) !== 0) !== (wrap === 1);
}
