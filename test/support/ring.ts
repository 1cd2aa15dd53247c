import type { Ram } from "../../src/bus/ram.ts";
import type { ByteOrder, Ring } from "../../src/virtio/queue/virt-queue.ts";

/** A buffer which the driver offers: bytes for the device to read, or room for it to write. */
export type Buffer = { readonly read: Uint8Array } | { readonly write: number };

/** A chain which was offered. */
export interface Offered {
  readonly head: number;
  readonly buffers: readonly { readonly at: number; readonly length: number; readonly writable: boolean }[];
}

/** A used element as a driver understands it. */
export interface Used {
  readonly head: number;
  readonly length: number;
}

/**
 * With IN_ORDER a driver knows which chain comes next, and takes one used element for all chains up to the one it names; those before it
 * were written completely (virtio 1.2 sections 2.7.9 and 2.8.8).
 */
export class OrderedChains {
  #chains: readonly { readonly head: number; readonly room: number }[] = [];
  /** Used elements so far, each of which is a batch. */
  batches = 0;

  copy(): OrderedChains {
    const copy = new OrderedChains();
    copy.#chains = this.#chains;
    return copy;
  }

  offered({ head, buffers }: Offered): void {
    const room = buffers.reduce((sum, b) => sum + (b.writable ? b.length : 0), 0);
    this.#chains = [...this.#chains, { head, room }];
  }

  /** The chains for which the element stands. Throws for one that was not offered, or not after those before. */
  upTo({ head, length }: Used): Used[] {
    const last = this.#chains.findIndex((chain) => chain.head === head);
    if (last < 0) throw new Error(`used chain ${head} is out of order`);
    this.batches++;
    const batch = this.#chains.slice(0, last + 1);
    this.#chains = this.#chains.slice(last + 1);
    return batch.map((chain, i) => ({ head: chain.head, length: i === last ? length : chain.room }));
  }
}

export const flags = { next: 1, write: 2, indirect: 4 } as const;

/** A split ring as a driver has it in RAM (virtio 1.2 section 2.7), with nothing checked: it can be made wrong on purpose. */
export class DriverRing {
  readonly ring: Ring;
  readonly #ram: Ram;
  readonly #view: DataView;
  readonly #little: boolean;
  #nextDescriptor = 0;
  #nextBuffer: number;
  #seen = 0;
  availableIndex = 0;
  /** For a driver which has accepted IN_ORDER. */
  ordered: OrderedChains | undefined;

  /** @param at where the ring is; its parts follow each other with the least alignment unless `ring` says where. */
  constructor(ram: Ram, size: number, at: number, buffers: number, order: ByteOrder = "little", ring?: Ring) {
    this.#ram = ram;
    const bytes = ram.contents();
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#little = order === "little";
    this.#nextBuffer = buffers;
    const driverArea = at + 16 * size;
    const deviceArea = Math.ceil((driverArea + 6 + 2 * size) / 4) * 4;
    this.ring = ring ?? { size, descriptorArea: at, driverArea, deviceArea, order };
    ram.fill(this.ring.descriptorArea, this.ring.deviceArea + 6 + 8 * size - this.ring.descriptorArea, 0);
  }

  /** Writes a descriptor into the table, or into one at `table`. */
  descriptor(index: number, address: number, length: number, flag: number, next: number, table?: number): void {
    const at = (table ?? this.ring.descriptorArea) + 16 * index;
    this.#view.setBigUint64(at, BigInt(address), this.#little);
    this.#view.setUint32(at + 8, length, this.#little);
    this.#view.setUint16(at + 12, flag, this.#little);
    this.#view.setUint16(at + 14, next, this.#little);
  }

  /** Puts a chain in the table and makes it available; the driver does not kick. */
  offer(buffers: readonly Buffer[], options: { readonly indirect?: boolean } = {}): Offered {
    const placed = buffers.map((buffer) => this.#place(buffer));
    const head = this.#nextDescriptor;
    if (options.indirect === true) {
      const table = this.#room(16 * placed.length);
      this.#chain(placed, (i) => i, table);
      this.descriptor(this.#next(), table, 16 * placed.length, flags.indirect, 0);
    } else {
      const indices = placed.map(() => this.#next());
      this.#chain(placed, (i) => indices[i] as number);
    }
    this.makeAvailable(head);
    this.ordered?.offered({ head, buffers: placed });
    return { head, buffers: placed };
  }

  /** The next entry of the available ring, and its index with it. */
  makeAvailable(head: number): void {
    const { driverArea, size } = this.ring;
    this.#view.setUint16(driverArea + 4 + 2 * (this.availableIndex % size), head, this.#little);
    this.setAvailableIndex(this.availableIndex + 1);
  }

  setAvailableIndex(index: number): void {
    this.availableIndex = index & 0xffff;
    this.#view.setUint16(this.ring.driverArea + 2, this.availableIndex, this.#little);
  }

  setAvailableFlags(value: number): void {
    this.#view.setUint16(this.ring.driverArea, value, this.#little);
  }

  setUsedEvent(value: number): void {
    this.#view.setUint16(this.ring.driverArea + 4 + 2 * this.ring.size, value, this.#little);
  }

  get availableEvent(): number {
    return this.#view.getUint16(this.ring.deviceArea + 4 + 8 * this.ring.size, this.#little);
  }

  get usedIndex(): number {
    return this.#view.getUint16(this.ring.deviceArea + 2, this.#little);
  }

  /** The used elements since the last call; in order, the chains for which they stand. */
  used(): Used[] {
    const found: Used[] = [];
    while (this.#seen !== this.usedIndex) {
      const at = this.ring.deviceArea + 4 + 8 * (this.#seen % this.ring.size);
      const element = {
        head: this.#view.getUint32(at, this.#little),
        length: this.#view.getUint32(at + 4, this.#little),
      };
      const chains = this.ordered?.upTo(element) ?? [element];
      found.push(...chains);
      this.#seen = (this.#seen + chains.length) & 0xffff;
    }
    return found;
  }

  /** What is in a chain's buffers which the device may write. */
  written(offered: Offered): Uint8Array {
    const parts = offered.buffers.filter((b) => b.writable);
    const all = new Uint8Array(parts.reduce((sum, b) => sum + b.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(this.#ram.contents().subarray(part.at, part.at + part.length), at);
      at += part.length;
    }
    return all;
  }

  /** Forgets what was offered, as a driver does whose chains have all come back. */
  recycle(buffers: number): void {
    this.#nextDescriptor = 0;
    this.#nextBuffer = buffers;
  }

  #chain(placed: Offered["buffers"], index: (i: number) => number, table?: number): void {
    for (const [i, { at, length, writable }] of placed.entries()) {
      const last = i === placed.length - 1;
      const flag = (writable ? flags.write : 0) | (last ? 0 : flags.next);
      this.descriptor(index(i), at, length, flag, last ? 0 : index(i + 1), table);
    }
  }

  #next(): number {
    const index = this.#nextDescriptor;
    this.#nextDescriptor = (index + 1) % this.ring.size;
    return index;
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
