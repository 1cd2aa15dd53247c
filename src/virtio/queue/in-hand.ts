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
  /** In order only: the chains in the order taken, round from `first`, and the bytes written to those which wait. */
  line: Uint16Array;
  first: number;
  written: Float64Array;
};

export function inHandFields(maxSize: number): InHandFields {
  return {
    inOrder: false,
    inFlight: 0,
    taken: new Uint8Array(maxSize),
    line: new Uint16Array(maxSize),
    first: 0,
    written: new Float64Array(maxSize),
  };
}

/**
 * The chains in a device's hands, for either format of ring. With IN_ORDER what is given back early waits here until all that was taken
 * before it has been given back (virtio 1.2 sections 2.7.9 and 2.8.8); each chain gets a used element of its own.
 */
export class InHand {
  readonly #now: InHandFields;
  readonly #publish: (head: number, length: number) => void;

  /** @param publish writes the used element of a chain. */
  constructor(now: InHandFields, publish: (head: number, length: number) => void) {
    this.#now = now;
    this.#publish = publish;
  }

  /** Whether a chain of this number is not used yet. */
  has(head: number): boolean {
    return this.#now.taken[head] !== away;
  }

  /** Whether the device may still write to it. */
  holds(head: number): boolean {
    return this.#now.taken[head] === held;
  }

  take(head: number): void {
    const now = this.#now;
    now.taken[head] = held;
    if (now.inOrder) now.line[(now.first + now.inFlight) % now.line.length] = head;
    now.inFlight++;
  }

  give(head: number, length: number): void {
    const now = this.#now;
    if (!now.inOrder) {
      now.taken[head] = away;
      now.inFlight--;
      this.#publish(head, length);
      return;
    }
    now.taken[head] = waiting;
    now.written[head] = length;
    while (now.inFlight > 0) {
      const next = now.line[now.first] as number;
      if (now.taken[next] !== waiting) return;
      now.taken[next] = away;
      now.first = (now.first + 1) % now.line.length;
      now.inFlight--;
      this.#publish(next, now.written[next] as number);
    }
  }
}
