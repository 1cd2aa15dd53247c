import type { BusTarget, Width } from "../../../bus/target.ts";
import { portShift, regionShift } from "./registers.ts";

const portSize = 1 << portShift;

/**
 * The structures as an I/O BAR shows them (virtio 1.2 section 4.1.4: a structure may be in a BAR of either kind): closer together than in
 * memory, and otherwise the same. An access which crosses from one into the next is made byte by byte.
 */
export class PortView implements BusTarget {
  readonly #target: BusTarget;

  /** @param target the structures, a page each. */
  constructor(target: BusTarget) {
    this.#target = target;
  }

  read(offset: number, width: Width): number {
    if (isInside(offset, width)) return this.#target.read(inPages(offset), width);
    let value = 0;
    for (let i = 0; i < width; i++) value += this.#target.read(inPages(offset + i), 1) * 2 ** (8 * i);
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    if (isInside(offset, width)) this.#target.write(inPages(offset), width, value);
    else for (let i = 0; i < width; i++) this.#target.write(inPages(offset + i), 1, (value >>> (8 * i)) & 0xff);
  }
}

function isInside(offset: number, width: Width): boolean {
  return (offset & (portSize - 1)) + width <= portSize;
}

function inPages(offset: number): number {
  return ((offset >>> portShift) << regionShift) | (offset & (portSize - 1));
}
