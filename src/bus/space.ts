import { allOnes, type Backing, type BusTarget, type Width } from "./target.ts";

/** A window of an address space. It stays the same object while it moves, so that whoever made it can move it again. */
export interface Mapping {
  readonly name: string;
  readonly target: BusTarget;
  readonly base: number;
  readonly size: number;
  readonly enabled: boolean;
  /** Moves, hides or shows the window; what lies under it is found again at once. */
  update(change: { base?: number; enabled?: boolean; target?: BusTarget }): void;
  remove(): void;
}

export interface MappingOptions {
  readonly name: string;
  /** The higher number is in front. Equal numbers: whichever was mapped first. RAM has 100, ROM 50, chips 10, PCI windows 0. */
  readonly priority?: number;
  /** First byte of the target which the window shows. */
  readonly offset?: number;
  readonly enabled?: boolean;
}

/** A run of addresses which all go to one target. */
export interface Segment {
  readonly start: number;
  /** First address past the run. */
  readonly end: number;
  readonly target: BusTarget;
  /** The target's: asked for here it is found without regard to what kind of target that is. */
  readonly backing: Backing | undefined;
  /** Add to an address to get the target's offset. */
  readonly delta: number;
  readonly name: string;
}

class Window implements Mapping {
  readonly name: string;
  readonly size: number;
  readonly priority: number;
  readonly offset: number;
  base: number;
  enabled: boolean;
  target: BusTarget;
  readonly #space: AddressSpace;

  constructor(space: AddressSpace, base: number, size: number, target: BusTarget, options: MappingOptions) {
    this.#space = space;
    this.base = base;
    this.size = size;
    this.target = target;
    this.name = options.name;
    this.priority = options.priority ?? 10;
    this.offset = options.offset ?? 0;
    this.enabled = options.enabled ?? true;
  }

  update(change: { base?: number; enabled?: boolean; target?: BusTarget }): void {
    const { base = this.base, enabled = this.enabled, target = this.target } = change;
    if (base === this.base && enabled === this.enabled && target === this.target) return;
    this.base = base;
    this.enabled = enabled;
    this.target = target;
    this.#space.changed();
  }

  remove(): void {
    this.#space.unmap(this);
  }
}

/**
 * Addresses and what answers at them: the memory of a machine, or its ports.
 *
 * Windows may overlap; the one with the higher priority is in front, and among equals the one mapped
 * first. An access which no window holds reads all ones and writes nothing, and is reported. An access which
 * crosses the edge of a window is made byte by byte, in address order. An 8-byte access is made as two of
 * 4 bytes, the lower address first. Addresses past the end of the space wrap to its beginning.
 */
export class AddressSpace {
  readonly name: string;
  readonly size: number;
  /** Told of every access that nothing claims. */
  unclaimed: ((kind: "read" | "write", address: number, width: Width, value: number) => void) | undefined;
  /** Accesses which a chip answered, not memory: on real hardware under a hypervisor each would be an exit. */
  chipAccesses = 0;
  /** The front ones first. */
  readonly #windows: Window[] = [];
  readonly #listeners: (() => void)[] = [];
  #segments: Segment[] | undefined;
  #last: Segment | undefined;

  /** @param size in bytes, a power of two: 65536 for ports, 2 ** 36 for 36 address lines. */
  constructor(name: string, size: number) {
    this.name = name;
    this.size = size;
  }

  map(base: number, size: number, target: BusTarget, options: MappingOptions): Mapping {
    if (!(size > 0) || base < 0 || base + size > this.size) {
      throw new RangeError(
        `${this.name}: ${options.name} does not fit at 0x${base.toString(16)}, size 0x${size.toString(16)}`,
      );
    }
    const window = new Window(this, base, size, target, options);
    const behind = this.#windows.findIndex(({ priority }) => priority < window.priority);
    this.#windows.splice(behind < 0 ? this.#windows.length : behind, 0, window);
    this.changed();
    return window;
  }

  unmap(window: Mapping): void {
    const at = this.#windows.indexOf(window as Window);
    if (at < 0) return;
    this.#windows.splice(at, 1);
    this.changed();
  }

  /** Called after every change of the map: the CPU forgets what its TLB holds. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  changed(): void {
    this.#segments = undefined;
    this.#last = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** What answers at an address. */
  find(address: number): Segment | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.start && address < last.end) return last;
    const segments = this.segments();
    const found = segments[firstPast(segments, address)];
    if (found === undefined || address < found.start) return undefined;
    this.#last = found;
    return found;
  }

  /** Where in the guest memory the bytes of an access lie, or -1 where they are not all in one piece of memory. */
  host(address: number, width: number, writing: boolean): number {
    const segment = this.find(address);
    const backing = segment?.backing;
    if (segment === undefined || backing === undefined || address + width > segment.end) return -1;
    return writing && !backing.writable ? -1 : backing.base + address + segment.delta;
  }

  read(address: number, width: Width): number {
    const at = address < this.size ? address : address % this.size;
    const segment = this.find(at);
    if (segment !== undefined && at + width <= segment.end) {
      if (segment.backing === undefined) this.chipAccesses++;
      return segment.target.read(at + segment.delta, width);
    }
    if (width > 1 && this.#straddles(at, width)) {
      let value = 0;
      for (let i = 0; i < width; i++) value += this.read(at + i, 1) * 2 ** (8 * i);
      return value;
    }
    this.unclaimed?.("read", at, width, 0);
    return allOnes(width);
  }

  write(address: number, width: Width, value: number): void {
    const at = address < this.size ? address : address % this.size;
    const segment = this.find(at);
    if (segment !== undefined && at + width <= segment.end) {
      if (segment.backing === undefined) this.chipAccesses++;
      segment.target.write(at + segment.delta, width, value);
      return;
    }
    if (width > 1 && this.#straddles(at, width)) {
      for (let i = 0; i < width; i++) this.write(at + i, 1, (value >>> (8 * i)) & 0xff);
      return;
    }
    this.unclaimed?.("write", at, width, value);
  }

  read64(address: number): bigint {
    const low = this.read(address, 4);
    return (BigInt(this.read(address + 4, 4)) << 32n) | BigInt(low);
  }

  write64(address: number, value: bigint): void {
    this.write(address, 4, Number(value & 0xffff_ffffn));
    this.write(address + 4, 4, Number((value >> 32n) & 0xffff_ffffn));
  }

  /** The map as it stands: runs in address order, no overlap, hidden parts left out. */
  segments(): readonly Segment[] {
    this.#segments ??= flatten(this.#windows);
    return this.#segments;
  }

  /** Whether any byte of an access is claimed, or it runs past the end of the space. */
  #straddles(at: number, width: Width): boolean {
    if (at + width > this.size) return true;
    for (let i = 0; i < width; i++) if (this.find(at + i) !== undefined) return true;
    return false;
  }
}

/** Lays the windows over each other, the front ones first, and keeps what is seen of each. */
function flatten(windows: readonly Window[]): Segment[] {
  const seen: Segment[] = [];
  for (const window of windows) {
    if (!window.enabled) continue;
    const { base, target, name } = window;
    const end = base + window.size;
    const delta = window.offset - base;
    let at = firstPast(seen, base);
    // Its pieces are what is left between those in front of it.
    for (let start = base; start < end; at++) {
      const other = seen[at];
      const until = Math.min(end, other?.start ?? end);
      if (start < until) seen.splice(at++, 0, { start, end: until, target, backing: target.backing, delta, name });
      start = other?.end ?? end;
    }
  }
  return seen;
}

/** Where the first segment is that ends behind an address: the one which holds it, if there is one. */
function firstPast(segments: readonly Segment[], address: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle] as Segment).end <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}
