import type { BusTarget } from "../bus/target.ts";
import { header } from "./registers.ts";

/** What a base address register asks for. */
export interface BarSpec {
  /** 0 to 5. A `memory64` takes the register after it too. */
  readonly index: number;
  readonly kind: "io" | "memory32" | "memory64";
  /** Only for memory: reading it has no side effect. */
  readonly prefetchable?: boolean;
  /** In bytes, a power of two: at least 4 for ports, 16 for memory (PCI 3.0 section 6.2.5.1). */
  readonly size: number;
  /** What answers; its offsets start at the BAR's first byte. */
  readonly target: BusTarget;
}

/**
 * One base address register: the bits that hold its address are writable, the others are not, and that is
 * all there is to the sizing protocol (PCI 3.0 section 6.2.5.1).
 */
export class Bar {
  readonly index: number;
  readonly kind: BarSpec["kind"];
  readonly size: number;
  readonly target: BusTarget;
  /** Where the register lies in configuration space. */
  readonly offset: number;
  /** The read-only low bits: memory or I/O, width, prefetchable. */
  readonly flags: number;

  /** Throws for what no BAR can be: this is a mistake in a device, not in a guest. */
  constructor(spec: BarSpec) {
    const { index, kind, size } = spec;
    const least = kind === "io" ? 4 : 16;
    const most = kind === "memory64" ? 2 ** 52 : 2 ** 31;
    if (!Number.isInteger(Math.log2(size)) || size < least || size > most)
      throw new RangeError(`BAR${index}: ${size} bytes is not a size`);
    if (index < 0 || index > (kind === "memory64" ? 4 : 5)) throw new RangeError(`BAR${index} does not exist`);
    this.index = index;
    this.kind = kind;
    this.size = size;
    this.target = spec.target;
    this.offset = header.bar0 + 4 * index;
    this.flags = kind === "io" ? 1 : (kind === "memory64" ? 4 : 0) | (spec.prefetchable === true ? 8 : 0);
  }

  /** How many 32-bit registers it takes. */
  get registers(): number {
    return this.kind === "memory64" ? 2 : 1;
  }

  /** The writable bits of its register number `half`, 0 or 1. */
  writable(half: number): number {
    if (half === 0) return this.size >= 2 ** 32 ? 0 : -this.size >>> 0;
    return this.size <= 2 ** 32 ? 0xffff_ffff : -(this.size / 2 ** 32) >>> 0;
  }

  /** The bus address which its registers hold. */
  address(config: DataView): number {
    const low = config.getUint32(this.offset, true);
    if (this.kind === "io") return low - (low & 3);
    const base = low - (low & 15);
    return this.kind === "memory64" ? config.getUint32(this.offset + 4, true) * 2 ** 32 + base : base;
  }
}
