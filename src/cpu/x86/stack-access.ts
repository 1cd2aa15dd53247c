import type { Slot } from "../../ir/slots.ts";
import { Right, Vector } from "./constants.ts";
import type { Core } from "./core.ts";
import { allows } from "./descriptors.ts";
import * as s from "./slots.ts";

/** A stack on which several things are pushed or popped before ESP moves: nothing is committed until `commit`. */
export class Stack {
  readonly #core: Core;
  readonly #base: number;
  readonly #limit: number;
  readonly #rights: number;
  readonly #privileged: boolean;
  readonly #mask: number;
  /** The error code of #SS when it does not fit. */
  readonly #code: number;
  pointer: number;

  constructor(core: Core, base: number, limit: number, rights: number, pointer: number, privileged: boolean, code = 0) {
    this.#core = core;
    this.#base = base;
    this.#limit = limit;
    this.#rights = rights;
    this.#privileged = privileged;
    this.#mask = (rights & Right.big) !== 0 ? -1 : 0xffff;
    this.#code = code;
    this.pointer = pointer;
  }

  /** The stack in use; `code` as in the constructor. */
  static current(core: Core, code = 0): Stack {
    const n = s.segment.ss;
    const at = (list: readonly Slot[]) => core.get(list[n] as Slot);
    return new Stack(core, at(s.base), at(s.limit), at(s.rights), core.get(s.esp), core.cpl !== 3, code);
  }

  /** Faults unless `count` values of `size` bytes can be pushed. */
  reserve(count: number, size: number): void {
    let pointer = this.pointer;
    for (let k = 0; k < count; k++) {
      pointer = this.#moved(pointer, -size);
      this.#check(pointer, size, true);
      this.#core.engine.memory.probe(this.#linear(pointer), size, this.#privileged);
    }
  }

  push(value: number, size: number): void {
    const next = this.#moved(this.pointer, -size);
    this.#check(next, size, true);
    this.#core.engine.memory.write(this.#linear(next), size as 2 | 4, value, this.#privileged);
    this.pointer = next;
  }

  pop(size: number): number {
    this.#check(this.pointer, size, false);
    const value = this.#core.engine.memory.read(this.#linear(this.pointer), size as 2 | 4, this.#privileged);
    this.pointer = this.#moved(this.pointer, size);
    return value;
  }

  release(bytes: number): void {
    this.pointer = this.#moved(this.pointer, bytes);
  }

  /** ESP, or SP alone on a 16-bit stack. */
  commit(): void {
    this.#core.set(s.esp, this.pointer);
  }

  #linear(pointer: number): number {
    return (this.#base + (pointer & this.#mask)) >>> 0;
  }

  #moved(pointer: number, by: number): number {
    return (pointer & ~this.#mask) | ((pointer + by) & this.#mask);
  }

  #check(pointer: number, size: number, write: boolean): void {
    if (!allows(this.#rights, this.#limit, pointer & this.#mask, size, write))
      throw this.#core.raise(Vector.stack, this.#code);
  }
}
