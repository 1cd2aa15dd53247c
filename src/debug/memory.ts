import type { AddressSpace, Segment } from "../bus/space.ts";

const page = 4096;

/**
 * Memory as a debugger sees it: RAM and ROM alone, since reading a chip's register may change the chip.
 * No access here faults, sets a bit in a page table or fills a TLB.
 */
export class DebugMemory {
  readonly #space: AddressSpace;
  readonly #translate: (address: number) => number | undefined;

  /** @param translate virtual to physical, without side effects. */
  constructor(space: AddressSpace, translate: (address: number) => number | undefined) {
    this.#space = space;
    this.#translate = translate;
  }

  /** The bytes from a virtual address on: fewer than asked for when some cannot be read, none when the first cannot. */
  read(address: number, length: number): Uint8Array {
    return this.#gather(address, length, this.#translate);
  }

  readPhysical(address: number, length: number): Uint8Array {
    return this.#gather(address, length, (at) => at);
  }

  /** False, with nothing written, when a byte of them does not lie in RAM. */
  write(address: number, bytes: Uint8Array): boolean {
    const targets: [Segment, number][] = [];
    for (let i = 0; i < bytes.length; i++) {
      const found = this.#find((address + i) >>> 0, this.#translate);
      if (found === undefined || found[0].backing?.writable !== true) return false;
      targets.push(found);
    }
    for (const [i, [segment, at]] of targets.entries()) segment.target.write(at + segment.delta, 1, bytes[i] as number);
    return true;
  }

  /** A word for walking page tables. */
  word(physical: number): number | undefined {
    const segment = this.#space.find(physical);
    if (segment?.backing === undefined || physical + 4 > segment.end) return undefined;
    return segment.target.read(physical + segment.delta, 4);
  }

  #gather(address: number, length: number, translate: (address: number) => number | undefined): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; ) {
      const virtual = translate === this.#translate ? (address + i) >>> 0 : address + i;
      const found = this.#find(virtual, translate);
      if (found === undefined) return bytes.subarray(0, i);
      const [segment, at] = found;
      const run = Math.min(length - i, page - (virtual % page), segment.end - at);
      for (let k = 0; k < run; k++) bytes[i + k] = segment.target.read(at + k + segment.delta, 1);
      i += run;
    }
    return bytes;
  }

  #find(address: number, translate: (address: number) => number | undefined): [Segment, number] | undefined {
    const physical = translate(address);
    const segment = physical === undefined ? undefined : this.#space.find(physical);
    return segment?.backing === undefined ? undefined : [segment, physical as number];
  }
}
