import type { Saved, StateList } from "../bus/state.ts";
import type { Slot } from "../ir/slots.ts";

/** State which lies in the guest memory, one field a slot as 32-bit words, and lists of what lies elsewhere. */
export class CpuState implements StateList {
  readonly name: string;
  readonly reset: () => void;
  readonly #slots: readonly Slot[];
  readonly #words: Int32Array;
  readonly #others: readonly StateList[];

  /** @param others are part of this one: their fields have their names before them. */
  constructor(
    name: string,
    slots: readonly Slot[],
    words: Int32Array,
    others: readonly StateList[],
    reset: () => void,
  ) {
    this.name = name;
    this.reset = reset;
    this.#slots = slots;
    this.#words = words;
    this.#others = others;
  }

  save(): Saved {
    const own = this.#slots.map(({ name, index, width }) => [
      name,
      Array.from(this.#words.subarray(index, index + width / 4)),
    ]);
    const others = this.#others.flatMap((list) =>
      Object.entries(list.save()).map(([key, value]) => [`${list.name}.${key}`, value]),
    );
    return Object.fromEntries([...own, ...others]);
  }

  /** Throws, before anything is changed, when a field is missing or of another kind. */
  restore(saved: Saved): void {
    const values = this.#slots.map(({ name, width }) => {
      const value = saved[name];
      if (!Array.isArray(value) || value.length !== width / 4)
        throw new Error(`${this.name}.${name}: not a value of this field`);
      return value as number[];
    });
    for (const list of this.#others) {
      const prefix = `${list.name}.`;
      const entries = Object.entries(saved).filter(([key]) => key.startsWith(prefix));
      list.restore(Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), value])));
    }
    for (const [k, slot] of this.#slots.entries()) this.#words.set(values[k] as number[], slot.index);
  }
}
