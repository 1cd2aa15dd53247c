import type { Width } from "../../src/bus/target.ts";

/** What a step of a script does. Numbers, so that a million scripts cost no garbage worth speaking of. */
export const step = {
  /** Guest memory: `a` the address, `b` 32 bits, `c` 1 for little-endian. */
  put: 0,
  /** Guest memory: 16 bits. */
  put16: 1,
  /** A BAR: `a` its index, `b` the offset, `c` the width, `d` the value. */
  write: 2,
  read: 3,
  /** Configuration space: `b` the offset, `c` the width, `d` the value. */
  configWrite: 4,
  configRead: 5,
  /** `a` nanoseconds pass. */
  advance: 6,
  /** Something happens at the device's back end: `a` says what, `b` how much. */
  event: 7,
  /** Guest memory: `b` bytes from `a` on become `c`. */
  fill: 8,
} as const;

/** Numbers a step takes in a script. */
export const stride = 5;

/** Room for as many steps as any script has. */
const most = 8192;

/** What a guest does to one device, as a flat list of steps. */
export class Script {
  /** `length` of them count. Reused from script to script, since a million of them are made in a minute. */
  readonly steps: Float64Array;
  length = 0;
  /**
   * Whether rings and buffers lie where a driver by the book puts them, apart from each other, and are left alone once they were offered: then it is
   * known what must be in the used ring.
   */
  exact = true;

  /** @param room in steps. */
  constructor(room = most) {
    this.steps = new Float64Array(stride * room);
  }

  clear(): void {
    this.length = 0;
    this.exact = true;
  }

  load(steps: readonly number[], exact: boolean): void {
    this.steps.set(steps);
    this.length = steps.length;
    this.exact = exact;
  }

  /** A step more, which is left out where there is no room. */
  add(code: number, a: number, b: number, c: number, d: number): void {
    const { steps, length } = this;
    if (length === steps.length) return;
    steps[length] = code;
    steps[length + 1] = a;
    steps[length + 2] = b;
    steps[length + 3] = c;
    steps[length + 4] = d;
    this.length = length + stride;
  }

  remove(at: number): void {
    this.steps.copyWithin(at, at + stride, this.length);
    this.length -= stride;
  }

  put(at: number, value: number, little: boolean): void {
    this.add(step.put, at, value >>> 0, little ? 1 : 0, 0);
  }

  put16(at: number, value: number, little: boolean): void {
    this.add(step.put16, at, value & 0xffff, little ? 1 : 0, 0);
  }

  write(bar: number, offset: number, width: Width, value: number): void {
    this.add(step.write, bar, offset, width, whole(value, width));
  }

  read(bar: number, offset: number, width: Width): void {
    this.add(step.read, bar, offset, width, 0);
  }

  configWrite(offset: number, width: Width, value: number): void {
    this.add(step.configWrite, 0, offset, width, whole(value, width));
  }

  advance(nanoseconds: number): void {
    this.add(step.advance, nanoseconds, 0, 0, 0);
  }
}

/** As many bytes as a bus of that width carries. */
function whole(value: number, width: Width): number {
  return width === 4 ? value >>> 0 : value & (width === 1 ? 0xff : 0xffff);
}
