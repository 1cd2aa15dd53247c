import { PackedQueue } from "../../src/virtio/queue/packed.ts";
import type { SplitQueue } from "../../src/virtio/queue/split.ts";

const next = 1;
const write = 2;
const table = 4;

/** What a chain lets the device write, as pairs of start and end. */
type Ranges = number[];

type QueueState = (SplitQueue | PackedQueue)["state"]["now"];

interface Watched {
  readonly queue: SplitQueue | PackedQueue;
  readonly now: QueueState;
  readonly packed: boolean;
  /** Buffers of chains which have been available at some time. */
  readonly buffers: Ranges;
  /** By head or buffer ID: those which have not been used. */
  readonly chains: Map<number, Ranges>;
  /** Split: where the device writes its next used element. */
  usedIndex: number;
}

/**
 * Which bytes of guest memory a device may write: its side of the rings, and buffers marked writable of chains which are or were available since
 * the queue was started (virtio 1.2 sections 2.7.5.1, 2.8.5). Read from the rings as they lie in memory, by other code than the device's.
 *
 * In exact scripts it also holds used elements to what was offered: a chain is used once, and so many bytes as the device claims have
 * been written (section 2.7.8.2).
 */
export class PermittedWrites {
  exact = false;
  readonly #view: DataView;
  readonly #watched: readonly Watched[];
  readonly #statusLast: boolean;
  /** The table of MSI-X: a message whose address is RAM's is a write of 4 bytes (PCI 3.0 section 6.8). */
  readonly #messages: Uint32Array;
  /** For each byte the script in which the device wrote it last. */
  readonly #stamps: Uint32Array;
  #stamp = 0;
  /** Those which have been started and still permit something: a console has 32, and a driver uses a few of them. */
  readonly #live: Watched[] = [];

  constructor(
    view: DataView,
    queues: readonly (SplitQueue | PackedQueue)[],
    statusLast: boolean,
    messages: Uint32Array,
  ) {
    this.#messages = messages;
    this.#view = view;
    this.#statusLast = statusLast;
    this.#stamps = new Uint32Array(view.byteLength);
    this.#watched = queues.map((queue) => ({
      queue,
      now: queue.state.now,
      packed: queue instanceof PackedQueue,
      buffers: [],
      chains: new Map(),
      usedIndex: 0,
    }));
  }

  /** A queue was started, by its number in the list. */
  started(queue: number): void {
    const watched = this.#watched[queue] as Watched;
    if (!this.#live.includes(watched)) this.#live.push(watched);
  }

  /** Nothing is permitted any more, but what queues that are on still say. */
  clear(): void {
    this.#stamp++;
    const live = this.#live;
    let left = 0;
    for (let i = 0; i < live.length; i++) {
      const watched = live[i] as Watched;
      drop(watched);
      if (watched.now.enabled) live[left++] = watched;
    }
    live.length = left;
  }

  /** What is wrong with the counts of a queue, or undefined. Forgets what was permitted for queues which have been turned off. */
  check(): string | undefined {
    const live = this.#live;
    let left = 0;
    let wrong: string | undefined;
    for (let i = 0; i < live.length; i++) {
      const watched = live[i] as Watched;
      const { now, queue } = watched;
      if (now.inFlight > now.size) wrong ??= `${queue.name} has ${now.inFlight} chains of ${now.size}`;
      if (now.enabled && now.size > queue.maxSize)
        wrong ??= `${queue.name} has ${now.size} entries of ${queue.maxSize}`;
      if (now.enabled) live[left++] = watched;
      else drop(watched);
    }
    live.length = left;
    return wrong;
  }

  /** Looks at the rings of all queues which are on. */
  scan(): void {
    for (let i = 0; i < this.#live.length; i++) {
      const watched = this.#live[i] as Watched;
      if (!watched.now.enabled) continue;
      if (watched.packed) this.#scanPacked(watched);
      else this.#scanSplit(watched);
    }
  }

  /** The device has written. Gives what is wrong with that, or undefined. */
  wrote(at: number, length: number): string | undefined {
    this.#stamps.fill(this.#stamp, at, at + length);
    const ring = this.#ringAt(at, length);
    if (ring !== undefined && this.exact) return this.#used(ring, at, length);
    if (ring === undefined && !this.#isPermitted(at, length))
      return `${length} bytes at 0x${at.toString(16)} written, which no queue permits`;
    if (this.exact) return undefined;
    // Buffers of a hostile driver's may lie over its rings: what the device has just written may be the next chain.
    if (ring?.packed === true) this.#overwritten(ring.buffers, at);
    this.scan();
    return undefined;
  }

  /** The queue to whose device's side of the ring a write was. */
  #ringAt(at: number, length: number): Watched | undefined {
    for (let i = 0; i < this.#live.length; i++) {
      const watched = this.#live[i] as Watched;
      if (!watched.now.enabled) continue;
      const { deviceArea, descriptorArea, size } = watched.now;
      if (at >= deviceArea && at + length <= deviceArea + (watched.packed ? 4 : 6 + 8 * size)) return watched;
      if (watched.packed && at >= descriptorArea && at + length <= descriptorArea + 16 * size) return watched;
    }
    return undefined;
  }

  #isPermitted(at: number, length: number): boolean {
    for (const { buffers } of this.#live) if (covered(buffers, at, at + length)) return true;
    for (let i = 0; i < this.#messages.length; i += 4)
      if (length === 4 && this.#messages[i] === at && this.#messages[i + 1] === 0) return true;
    return false;
  }

  /**
   * A used descriptor keeps the address of the one it lies over, and the lists of a driver which does not count may go on into it: then it is what
   * marks the buffer.
   */
  #overwritten(buffers: Ranges, at: number): void {
    const place = at & ~15;
    const address = this.#view.getUint32(place + 4, true) * 2 ** 32 + this.#view.getUint32(place, true);
    buffers.push(address, address + this.#view.getUint32(place + 8, true));
  }

  /** A used index or the flags of a used descriptor show an element. */
  #used(watched: Watched, at: number, length: number): string | undefined {
    const { now, packed } = watched;
    const little = packed || !("bigEndian" in now) || !now.bigEndian;
    if (packed) {
      const place = (at - now.descriptorArea) % 16;
      if (length !== 2 || place !== 14 || at >= now.descriptorArea + 16 * now.size) return undefined;
      const claimed = (this.#view.getUint16(at, true) & write) === 0 ? 0 : this.#view.getUint32(at - 6, true);
      return this.#take(watched, this.#view.getUint16(at - 2, true), claimed);
    }
    if (length !== 2 || at !== now.deviceArea + 2) return undefined;
    const element = now.deviceArea + 4 + 8 * (watched.usedIndex & (now.size - 1));
    watched.usedIndex = this.#view.getUint16(at, little);
    return this.#take(watched, this.#view.getUint32(element, little), this.#view.getUint32(element + 4, little));
  }

  /** A chain is used, and in order all those before it, which count as written to their ends (sections 2.7.9, 2.8.8). */
  #take({ queue, chains }: Watched, name: number, claimed: number): string | undefined {
    const found = chains.get(name);
    if (found === undefined) return `${queue.name} uses ${name}, which is not available`;
    for (const [before, chain] of chains) {
      if (!queue.state.now.inOrder || before === name) break;
      chains.delete(before);
      let all = 0;
      for (let i = 0; i < chain.length; i += 2) all += (chain[i + 1] as number) - (chain[i] as number);
      if (!this.#claimed(chain, all)) return `${queue.name} leaves ${before} out, which it has not written`;
    }
    chains.delete(name);
    return this.#claimed(found, claimed)
      ? undefined
      : `${queue.name} claims ${claimed} bytes of ${name}, which it has not written`;
  }

  /** Whether the first `claimed` bytes were written; for a device with a status at the end, as many as that. */
  #claimed(chain: Ranges, claimed: number): boolean {
    let left = claimed;
    for (let i = 0; i < chain.length && left > 0; i += 2)
      for (let at = chain[i] as number; at < (chain[i + 1] as number) && left > 0; at++) {
        if (this.#stamps[at] === this.#stamp) left--;
        else if (!this.#statusLast) return false;
      }
    return left === 0;
  }

  #scanSplit({ now, buffers, chains }: Watched): void {
    if (!("lastAvailable" in now)) return;
    const { size, driverArea, bigEndian, lastAvailable } = now;
    const little = !bigEndian;
    if (driverArea + 4 + 2 * size > this.#view.byteLength) return;
    const index = this.#view.getUint16(driverArea + 2, little);
    const count = Math.min((index - lastAvailable) & 0xffff, size);
    for (let i = 0; i < count; i++) {
      const head = this.#view.getUint16(driverArea + 4 + 2 * ((lastAvailable + i) & (size - 1)), little);
      if (this.exact && chains.has(head)) continue;
      const chain: Ranges = [];
      this.#walk(chain, now.descriptorArea, head, size, little, true);
      if (this.exact) chains.set(head, chain);
      for (const end of chain) buffers.push(end);
    }
  }

  /** The descriptors of a chain, in a ring or in a table. */
  #walk(into: Ranges, at: number, first: number, size: number, little: boolean, outer: boolean): void {
    const view = this.#view;
    let index = first;
    // What lies behind the ring or the table is no descriptor of it.
    for (let left = size + 1; left > 0 && index < size; left--) {
      const place = at + 16 * index;
      if (!(place + 16 <= view.byteLength)) return;
      const high = view.getUint32(little ? place + 4 : place, little);
      const address = high * 2 ** 32 + view.getUint32(little ? place : place + 4, little);
      const length = view.getUint32(place + 8, little);
      const flags = view.getUint16(place + 12, little);
      if ((flags & table) !== 0) {
        if (outer) this.#walk(into, address, 0, Math.min(length >>> 4, size), little, false);
        return;
      }
      if ((flags & write) !== 0 && length > 0) into.push(address, address + length);
      if ((flags & next) === 0) return;
      index = view.getUint16(place + 14, little);
    }
  }

  #scanPacked({ now, buffers, chains }: Watched): void {
    if (!("availableIndex" in now)) return;
    const { size, descriptorArea } = now;
    if (descriptorArea + 16 * size > this.#view.byteLength) return;
    let index = now.availableIndex;
    let wrap = now.availableWrap;
    let chain: Ranges = [];
    for (let left = size; left > 0; left--) {
      const place = descriptorArea + 16 * index;
      const flags = this.#view.getUint16(place + 14, true);
      // Those behind the first of a list count whatever their marks are (section 2.8.6).
      if (((flags & 0x80) !== 0) !== (wrap === 1) && chain.length === 0) return;
      const id = this.#view.getUint16(place + 12, true);
      const address = this.#view.getUint32(place + 4, true) * 2 ** 32 + this.#view.getUint32(place, true);
      const length = this.#view.getUint32(place + 8, true);
      if ((flags & table) !== 0) this.#table(chain, address, Math.min(length >>> 4, size));
      else if ((flags & write) !== 0 && length > 0) chain.push(address, address + length);
      else chain.push(0, 0);
      if ((flags & next) === 0) {
        for (const end of chain) buffers.push(end);
        if (this.exact && !chains.has(id)) chains.set(id, chain);
        chain = [];
      }
      if (++index === size) {
        index = 0;
        wrap ^= 1;
      }
    }
    for (const end of chain) buffers.push(end);
  }

  /** Every entry of an indirect table of a packed ring (section 2.8.7). */
  #table(into: Ranges, at: number, entries: number): void {
    for (let i = 0; i < entries; i++) {
      const place = at + 16 * i;
      if (!(place + 16 <= this.#view.byteLength)) return;
      const address = this.#view.getUint32(place + 4, true) * 2 ** 32 + this.#view.getUint32(place, true);
      const length = this.#view.getUint32(place + 8, true);
      if ((this.#view.getUint16(place + 14, true) & write) !== 0) into.push(address, address + length);
    }
  }
}

function drop(watched: Watched): void {
  watched.buffers.length = 0;
  if (watched.chains.size > 0) watched.chains.clear();
  watched.usedIndex = 0;
}

/** Whether a range lies in those which are given: most do in one of them; a disk's sectors may lie over several. */
function covered(ranges: Ranges, start: number, end: number): boolean {
  let from = start;
  for (let moved = true; from < end && moved; ) {
    moved = false;
    for (let i = 0; i < ranges.length; i += 2)
      if ((ranges[i] as number) <= from && (ranges[i + 1] as number) > from) {
        from = ranges[i + 1] as number;
        moved = true;
      }
  }
  return from >= end;
}
