import type { Dma } from "../../bus/dma.ts";
import { swapBytes } from "../../bus/target.ts";
import type { ByteOrder } from "./virt-queue.ts";

/** Bytes of a descriptor, of either format and wherever it lies (virtio 1.2 sections 2.7.5 and 2.8.13). */
export const descriptorSize = 16;

/**
 * A table of descriptors outside of the ring (virtio 1.2 sections 2.7.5.3 and 2.8.7), copied at once: word by word, each through the bridge, reading it took as long as moving the data that it
 * leads to.
 */
export class IndirectTable {
  /** Of the entry read last; `first` and `second` are the two halfwords behind its length. */
  address = 0;
  length = 0;
  first = 0;
  second = 0;
  /** How many it has. */
  entries = 0;
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);
  #swapped = false;

  /** Gives what is wrong with a table for a queue of `size` entries, or undefined. */
  load(dma: Dma, address: number, bytes: number, size: number, order: ByteOrder): string | undefined {
    if (bytes === 0 || bytes % descriptorSize !== 0) return `an indirect table of ${bytes} bytes`;
    this.entries = bytes / descriptorSize;
    if (this.entries > size) return `an indirect table of ${this.entries} entries for a queue of ${size}`;
    if (this.#bytes.length < bytes) {
      this.#bytes = new Uint8Array(bytes);
      this.#words = new Uint32Array(this.#bytes.buffer);
    }
    this.#swapped = order === "big";
    const there = dma.reaches(address, bytes) && dma.read(address, this.#bytes.subarray(0, bytes));
    return there ? undefined : "an indirect table which is not in RAM";
  }

  read(entry: number): void {
    const words = this.#words;
    const low = words[4 * entry] as number;
    const high = words[4 * entry + 1] as number;
    const length = words[4 * entry + 2] as number;
    const rest = words[4 * entry + 3] as number;
    if (this.#swapped) {
      this.address = swapBytes(low, 4) * 2 ** 32 + swapBytes(high, 4);
      this.length = swapBytes(length, 4);
      this.first = swapBytes(rest & 0xffff, 2);
      this.second = swapBytes(rest >>> 16, 2);
    } else {
      this.address = high * 2 ** 32 + low;
      this.length = length;
      this.first = rest & 0xffff;
      this.second = rest >>> 16;
    }
  }
}
