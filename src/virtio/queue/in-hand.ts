/** Of a chain: the device does not have it, has it, or has given it back before its turn. */
const away = 0;
const held = 1;
const waiting = 2;

/** What a queue's state has about the chains which its device has. Chains are known by numbers below the queue's size. */
export type InHandFields = {
  inOrder: boolean;
  /** How many chains have been taken and are not used yet, and for each what has become of it. */
  inFlight: number;
  taken: Uint8Array;
  /** In order only: the chains in the order taken, round from `first`, how much could be written to each, and to those which wait was. */
  line: Uint16Array;
  first: number;
  writable: Float64Array;
  written: Float64Array;
};

export function inHandFields(maxSize: number): InHandFields {
  return {
    inOrder: false,
    inFlight: 0,
    taken: new Uint8Array(maxSize),
    line: new Uint16Array(maxSize),
    first: 0,
    writable: new Float64Array(maxSize),
    written: new Float64Array(maxSize),
  };
}

/** What a format of ring does for them. */
export interface UsedWriter {
  /** The chain's descriptors are the driver's again. Gives how many places in the ring its used element takes. */
  release(head: number): number;
  /** Writes one used element, and goes on in the ring by so many places. */
  publish(head: number, length: number, places: number): void;
}

/**
 * The chains in a device's hands, for either format of ring. With IN_ORDER what is given back early waits here until all that was taken
 * before it has been given back. What can be told of together is one used element, that of its last chain (virtio 1.2 sections 2.7.9 and
 * 2.8.8); since those before the last count as written completely, a chain which was not ends its batch.
 */
export class InHand {
  readonly #now: InHandFields;
  readonly #ring: UsedWriter;

  constructor(now: InHandFields, ring: UsedWriter) {
    this.#now = now;
    this.#ring = ring;
  }

  /** Whether a chain of this number is not used yet. */
  has(head: number): boolean {
    return this.#now.taken[head] !== away;
  }

  /** Whether the device may still write to it. */
  holds(head: number): boolean {
    return this.#now.taken[head] === held;
  }

  /** @param writable how many bytes it has room for. */
  take(head: number, writable: number): void {
    const now = this.#now;
    now.taken[head] = held;
    if (now.inOrder) now.line[(now.first + now.inFlight) % now.line.length] = head;
    now.writable[head] = writable;
    now.inFlight++;
  }

  give(head: number, length: number): void {
    const now = this.#now;
    if (now.inOrder) {
      now.taken[head] = waiting;
      now.written[head] = length;
      return;
    }
    now.taken[head] = away;
    now.inFlight--;
    this.#ring.publish(head, length, this.#ring.release(head));
  }

  /** Tells of what was given back, as far as it is its turn. */
  flush(): void {
    const now = this.#now;
    let last = 0;
    let places = 0;
    while (now.inFlight > 0) {
      const next = now.line[now.first] as number;
      if (now.taken[next] !== waiting) break;
      now.taken[next] = away;
      now.first = (now.first + 1) % now.line.length;
      now.inFlight--;
      places += this.#ring.release(next);
      last = next;
      if (now.written[next] === now.writable[next]) continue;
      this.#ring.publish(next, now.written[next] as number, places);
      places = 0;
    }
    if (places > 0) this.#ring.publish(last, now.written[last] as number, places);
  }
}
