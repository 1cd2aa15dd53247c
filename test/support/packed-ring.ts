import type { Ram } from "../../src/bus/ram.ts";
import type { Ring } from "../../src/virtio/queue/virt-queue.ts";
import type { Buffer, Offered, OrderedChains, Used } from "./ring.ts";

/** Flags of a descriptor and of an event suppression structure (virtio 1.2 sections 2.8.1 to 2.8.10). */
export const packedFlags = { next: 1, write: 2, indirect: 4, available: 0x80, used: 0x8000 } as const;
export const events = { on: 0, off: 1, atDescriptor: 2 } as const;

/** A packed ring as a driver has it in RAM (virtio 1.2 section 2.8), with nothing checked: it can be made wrong on purpose. */
export class PackedDriverRing {
  readonly ring: Ring;
  /** Where the next descriptor goes and what the driver's wrap counter is. */
  at = 0;
  wrap = 1;
  readonly #ram: Ram;
  readonly #view: DataView;
  #nextBuffer: number;
  #nextId = 0;
  #usedAt = 0;
  #usedWrap = 1;
  #usedCount = 0;
  /** How many descriptors the list of each buffer has. */
  readonly #counts = new Map<number, number>();
  /** For a driver which has accepted IN_ORDER. */
  ordered: OrderedChains | undefined;

  constructor(ram: Ram, size: number, at: number, buffers: number) {
    this.#ram = ram;
    const bytes = ram.contents();
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#nextBuffer = buffers;
    const driverArea = at + 16 * size;
    this.ring = { size, descriptorArea: at, driverArea, deviceArea: driverArea + 4, order: "little" };
    ram.fill(at, 16 * size + 8, 0);
  }

  /** Writes a descriptor, all of it at once, at a place in the ring or in a table. */
  descriptor(index: number, address: number, length: number, id: number, flags: number, table?: number): void {
    const at = (table ?? this.ring.descriptorArea) + 16 * index;
    this.#view.setBigUint64(at, BigInt(address), true);
    this.#view.setUint32(at + 8, length, true);
    this.#view.setUint16(at + 12, id, true);
    this.#view.setUint16(at + 14, flags, true);
  }

  /** Makes one descriptor available at the driver's place, with these flags beside those of the wrap counter. */
  put(address: number, length: number, id: number, flags: number): void {
    this.descriptor(this.at, address, length, id, flags | this.#mark());
    this.#forward();
  }

  /** Makes a list available; the driver does not kick. */
  offer(buffers: readonly Buffer[], options: { readonly indirect?: boolean } = {}): Offered {
    const placed = buffers.map((buffer) => this.#place(buffer));
    const id = this.#nextId++ & 0xffff;
    const flag = (i: number) => (placed[i]?.writable ? packedFlags.write : 0);
    if (options.indirect === true) {
      const table = this.#room(16 * placed.length);
      for (const [i, { at, length }] of placed.entries()) this.descriptor(i, at, length, 0xdead, flag(i), table);
      this.#counts.set(id, 1);
      this.put(table, 16 * placed.length, id, packedFlags.indirect);
    } else {
      this.#counts.set(id, placed.length);
      for (const [i, { at, length }] of placed.entries()) {
        const last = i === placed.length - 1;
        // The ID counts in the last descriptor alone (section 2.8.6).
        this.put(at, length, last ? id : 0xdead, flag(i) | (last ? 0 : packedFlags.next));
      }
    }
    this.ordered?.offered({ head: id, buffers: placed });
    return { head: id, buffers: placed };
  }

  /** The used descriptors since the last call; in order, the lists for which they stand. */
  used(): Used[] {
    const found: Used[] = [];
    for (let element = this.#peek(); element !== undefined; element = this.#peek()) {
      const lists = this.ordered?.upTo(element) ?? [element];
      found.push(...lists);
      for (const { head } of lists) this.#usedAt += this.#counts.get(head) ?? 1;
      if (this.#usedAt >= this.ring.size) {
        this.#usedAt -= this.ring.size;
        this.#usedWrap ^= 1;
      }
      this.#usedCount += lists.length;
    }
    return found;
  }

  /** All used descriptors so far, those which nobody has looked at included. */
  get usedIndex(): number {
    const [at, wrap, count, ordered] = [this.#usedAt, this.#usedWrap, this.#usedCount, this.ordered];
    this.ordered = ordered?.copy();
    const more = this.used().length;
    [this.#usedAt, this.#usedWrap, this.#usedCount, this.ordered] = [at, wrap, count, ordered];
    return (count + more) & 0xffff;
  }

  /** The driver's event suppression. */
  setEvents(flags: number, offset = 0, wrap = 0): void {
    this.#view.setUint16(this.ring.driverArea, offset | (wrap << 15), true);
    this.#view.setUint16(this.ring.driverArea + 2, flags, true);
  }

  setUsedEvent(value: number): void {
    const { size } = this.ring;
    this.setEvents(events.atDescriptor, value % size, Math.floor(value / size) % 2 === 0 ? 1 : 0);
  }

  /** What the device wants to be told. */
  get deviceEvents(): { offset: number; wrap: number; flags: number } {
    const word = this.#view.getUint16(this.ring.deviceArea, true);
    return { offset: word & 0x7fff, wrap: word >>> 15, flags: this.#view.getUint16(this.ring.deviceArea + 2, true) };
  }

  /** What is in a list's buffers which the device may write. */
  written(offered: Offered): Uint8Array {
    const parts = offered.buffers.filter((b) => b.writable);
    return Uint8Array.from(parts.flatMap(({ at, length }) => [...this.#ram.contents().subarray(at, at + length)]));
  }

  /** Forgets where the buffers were, as a driver does whose lists have all come back. */
  recycle(buffers: number): void {
    this.#nextBuffer = buffers;
  }

  #peek(): { head: number; length: number } | undefined {
    const at = this.ring.descriptorArea + 16 * this.#usedAt;
    const flags = this.#view.getUint16(at + 14, true);
    const wanted = this.#usedWrap === 1 ? packedFlags.available | packedFlags.used : 0;
    if ((flags & (packedFlags.available | packedFlags.used)) !== wanted) return undefined;
    const length = (flags & packedFlags.write) === 0 ? 0 : this.#view.getUint32(at + 8, true);
    return { head: this.#view.getUint16(at + 12, true), length };
  }

  #mark(): number {
    return this.wrap === 1 ? packedFlags.available : packedFlags.used;
  }

  #forward(): void {
    this.at++;
    if (this.at < this.ring.size) return;
    this.at = 0;
    this.wrap ^= 1;
  }

  #place(buffer: Buffer): Offered["buffers"][number] {
    if ("write" in buffer) return { at: this.#room(buffer.write), length: buffer.write, writable: true };
    const at = this.#room(buffer.read.length);
    this.#ram.load(at, buffer.read);
    return { at, length: buffer.read.length, writable: false };
  }

  #room(length: number): number {
    const at = this.#nextBuffer;
    this.#nextBuffer = Math.ceil((at + length) / 16) * 16;
    return at;
  }
}
