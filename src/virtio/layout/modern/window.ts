import type { Width } from "../../../bus/target.ts";
import type { PciFunction, RegisterHooks } from "../../../pci/function.ts";
import { configType, modernBar } from "./registers.ts";

/** Places in the capability (virtio 1.2 section 4.1.4.9). */
const bar = 4;
const offset = 8;
const length = 12;
const data = 16;
const size = 20;

/** A structure which the window may reach: what another capability describes. */
export interface Reachable {
  readonly offset: number;
  readonly length: number;
}

/**
 * The PCI configuration access capability (virtio 1.2 section 4.1.4.9): a window on the BAR for who cannot map it.
 *
 * Reading its data makes the access which the capability's fields describe, and then shows what came; writing makes it with what was
 * written. Fields which describe no access of 1, 2 or 4 bytes, aligned, inside a structure of this device
 * (section 4.1.4.9.2) make none: the data read 0 then. It cannot reach itself, being in no BAR.
 */
export class ConfigWindow implements RegisterHooks {
  readonly #fn: PciFunction;
  readonly #reachable: readonly Reachable[];
  #at = 0;

  constructor(fn: PciFunction, reachable: readonly Reachable[]) {
    this.#fn = fn;
    this.#reachable = reachable;
  }

  /** Adds the capability: BAR, offset, length and data can be written. */
  addTo(capability: number): void {
    const bytes = new Uint8Array(size);
    bytes[2] = size;
    bytes[3] = configType.pci;
    const writable = new Uint8Array(size).fill(0xff, offset);
    writable[bar] = 0xff;
    this.#at = this.#fn.addCapability(capability, bytes, writable, this);
  }

  beforeRead(first: number, count: number): void {
    if (first + count <= data) return;
    const access = this.#described();
    const value = access === undefined ? 0 : this.#fn.readBar(modernBar, access.offset, access.width);
    this.#fn.poke(this.#at + data, 4, value);
  }

  afterWrite(first: number, count: number): void {
    if (first + count <= data) return;
    const access = this.#described();
    if (access === undefined) return;
    this.#fn.writeBar(modernBar, access.offset, access.width, this.#fn.peek(this.#at + data, access.width));
  }

  #described(): { readonly offset: number; readonly width: Width } | undefined {
    const at = this.#fn.peek(this.#at + offset, 4);
    const width = this.#fn.peek(this.#at + length, 4);
    if (this.#fn.peek(this.#at + bar, 1) !== modernBar) return undefined;
    if ((width !== 1 && width !== 2 && width !== 4) || at % width !== 0) return undefined;
    const inside = this.#reachable.some((r) => at >= r.offset && at + width <= r.offset + r.length);
    return inside ? { offset: at, width } : undefined;
  }
}
