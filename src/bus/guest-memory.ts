/** The granule of the map of translated code, and of every MMU here. */
export const pageSize = 4096;
export const pageShift = 12;

/**
 * The one WebAssembly memory of a machine: CPU state, software TLB, decoded code, RAM and ROM.
 *
 * Its size is settled at start: growing would detach every view of it. Rooms take their parts by `allocate`.
 */
export class GuestMemory {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  /** One byte a page, not zero where the page holds translated code. Every writer consults it. */
  readonly code: Uint8Array;
  /** Told of a write into a page whose `code` byte is set. */
  onCodeWrite: ((offset: number, length: number) => void) | undefined;
  /** How many pages of WebAssembly, of 64 KiB, it has. */
  readonly wasmPages: number;
  #used = 0;

  /** @param size in bytes, up to 4 GiB - 64 KiB; rounded up to WebAssembly pages. */
  constructor(size: number) {
    const pages = Math.ceil(size / 65536);
    this.wasmPages = pages;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(this.memory.buffer);
    this.code = new Uint8Array(pages * 16);
  }

  /** Takes a part for good. Returns where it starts, a multiple of `align`. Throws when there is no room. */
  allocate(name: string, size: number, align: number = pageSize): number {
    const at = Math.ceil(this.#used / align) * align;
    if (at + size > this.bytes.length) throw new RangeError(`no room in the guest memory for ${name}, ${size} bytes`);
    this.#used = at + size;
    return at;
  }

  /** The bytes of a page, by its number. */
  page(number: number): Uint8Array {
    return this.bytes.subarray(number * pageSize, (number + 1) * pageSize);
  }

  /** To be called after every write that did not go through the CPU's own stores. */
  wrote(offset: number, length: number): void {
    const last = (offset + length - 1) >>> pageShift;
    for (let page = offset >>> pageShift; page <= last; page++) {
      if (this.code[page] !== 0) {
        this.onCodeWrite?.(offset, length);
        return;
      }
    }
  }
}
