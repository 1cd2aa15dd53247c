import type { DeviceHost } from "../../device.ts";
import type { Chain } from "../../queue/chain.ts";
import type { VirtQueue } from "../../queue/virt-queue.ts";
import { longestHeader } from "./header.ts";

/** The buffers in hand of a receive queue, as they are saved: their heads and how many there are. */
export interface Hand {
  readonly heads: Uint16Array;
  count: number;
}

/**
 * The buffers of one receive queue. A frame may be spread over several where MRG_RXBUF was negotiated (virtio 1.2 section 5.1.6.4):
 * those which have been taken stay in hand until there are enough, since a buffer which was taken cannot be put back.
 */
export class Receiver {
  readonly #host: DeviceHost;
  readonly #index: number;
  readonly #longest: number;
  readonly #hand: Chain[] = [];
  #room = 0;

  /** @param longest bytes of the longest frame. */
  constructor(host: DeviceHost, index: number, longest: number) {
    this.#host = host;
    this.#index = index;
    this.#longest = longest + longestHeader;
  }

  /**
   * Puts a header and a frame into the driver's buffers. `wait` when there are too few of them; `small` when they will never do: the frame
   * is lost, and without merging the buffer goes back unused (policy R2).
   */
  deliver(
    header: Uint8Array,
    frame: Uint8Array,
    merge: boolean,
    setCount: (buffers: number) => void,
  ): "done" | "wait" | "small" {
    const queue = this.#host.queue(this.#index);
    if (!queue.enabled) return "small";
    const need = header.length + frame.length;
    while (this.#room < need) {
      if (this.#hand.length > 0 && !merge) return this.#giveUp(queue);
      const chain = queue.take();
      if (chain === undefined) return this.#hand.length >= queue.size ? "small" : "wait";
      const useful = Math.min(chain.writableLength, this.#longest);
      if (useful < (this.#hand.length === 0 ? header.length : 1) || !chain.canWrite(0, useful)) {
        queue.give(chain, 0);
        if (!merge) return "small";
        continue;
      }
      this.#hand.push(chain);
      this.#room += useful;
    }
    setCount(this.#buffersFor(need));
    this.#fill(queue, header, frame);
    return "done";
  }

  #giveUp(queue: VirtQueue): "small" {
    for (const chain of this.#hand) queue.give(chain, 0);
    this.drop();
    return "small";
  }

  #buffersFor(need: number): number {
    let left = need;
    let count = 0;
    for (const chain of this.#hand) {
      if (left <= 0) break;
      left -= Math.min(chain.writableLength, this.#longest);
      count++;
    }
    return count;
  }

  /** The header lies in the first buffer whole; each but the last is filled to its end. */
  #fill(queue: VirtQueue, header: Uint8Array, frame: Uint8Array): void {
    let done = 0;
    for (let start = header.length; done < frame.length || start > 0; start = 0) {
      const chain = this.#hand.shift();
      if (chain === undefined) return;
      const useful = Math.min(chain.writableLength, this.#longest);
      this.#room -= useful;
      const part = Math.min(useful - start, frame.length - done);
      if (start > 0) chain.write(0, header);
      chain.write(start, frame.subarray(done, done + part));
      done += part;
      queue.give(chain, start + part);
    }
  }

  /** The driver has its buffers back, or they are dead. */
  drop(): void {
    this.#hand.length = 0;
    this.#room = 0;
  }

  /** Puts the heads of the chains in hand there. Gives how many there are. */
  save(heads: Uint16Array, at: number): number {
    for (let i = 0; i < this.#hand.length; i++) heads[at + i] = (this.#hand[i] as Chain).head;
    return this.#hand.length;
  }

  /** Reads the chains which were in hand anew. */
  restore(from: Hand): void {
    this.drop();
    const queue = this.#host.queue(this.#index);
    for (let i = 0; i < from.count; i++) {
      const chain = queue.retake(from.heads[i] as number);
      if (chain === undefined) continue;
      this.#hand.push(chain);
      this.#room += Math.min(chain.writableLength, this.#longest);
    }
  }
}
