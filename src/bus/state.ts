/** What a field of a device's state may hold. Arrays keep their length. */
export type FieldValue = number | boolean | string | bigint | Uint8Array | Uint16Array | Uint32Array | Float64Array;

export type Fields = Record<string, FieldValue>;

/** A saved state: names to plain values, arrays as lists of numbers, bigints as hex text with an `n`. */
export type Saved = Record<string, number | boolean | string | readonly number[]>;

/**
 * A device's state: one list of named fields, from which reset, save, restore and the monitor's `info` all come.
 *
 * The fields are plain properties of `now`; the values given here are those after reset.
 */
export class State<T extends Fields> implements StateList {
  readonly name: string;
  readonly now: T;
  /** What a reset writes: a virtio driver may ask for one with each store. */
  readonly #keys: readonly string[];
  readonly #initial: readonly FieldValue[];

  /** @param kept fields which a reset leaves alone: battery-backed RAM, what is on a disk, counters of the host. */
  constructor(name: string, initial: T, kept: readonly (keyof T & string)[] = []) {
    this.name = name;
    this.#keys = Object.keys(initial).filter((key) => !kept.includes(key));
    this.#initial = this.#keys.map((key) => initial[key] as FieldValue);
    this.now = Object.fromEntries(Object.entries(initial).map(([key, value]) => [key, copy(value)])) as T;
  }

  /** Every field to its reset value, save those kept. Arrays are filled in place. */
  reset(): void {
    const now: Fields = this.now;
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      const value = this.#initial[i] as FieldValue;
      const field = now[key] as FieldValue;
      // Most fields are as they were: to look costs a fraction of storing by name.
      if (typeof field === "object") field.set(value as Uint8Array);
      else if (field !== value) now[key] = value;
    }
  }

  save(): Saved {
    return Object.fromEntries(Object.entries(this.now).map(([key, value]) => [key, plain(value)]));
  }

  /** Throws, before anything is changed, when a field is missing, unknown or of another kind. */
  restore(saved: Saved): void {
    const wanted = Object.keys(this.now);
    for (const key of Object.keys(saved)) if (!wanted.includes(key)) throw new Error(`${this.name}: no field ${key}`);
    const values = wanted.map((key) => this.#parse(key, saved[key]));
    for (const [i, key] of wanted.entries()) this.#put(key, values[i] as FieldValue);
  }

  #parse(key: string, saved: Saved[string] | undefined): FieldValue {
    const model = this.now[key] as FieldValue;
    const wrong = () => new Error(`${this.name}.${key}: not a value of this field`);
    if (typeof model === "bigint") {
      if (typeof saved !== "string" || !/^-?0x[0-9a-f]+n$/.test(saved)) throw wrong();
      const negative = saved.startsWith("-");
      const magnitude = BigInt(saved.slice(negative ? 1 : 0, -1));
      return negative ? -magnitude : magnitude;
    }
    if (typeof model !== "object") {
      if (typeof saved !== typeof model) throw wrong();
      return saved as FieldValue;
    }
    if (!Array.isArray(saved) || saved.length !== model.length) throw wrong();
    const value = model.slice();
    value.set(saved as number[]);
    return value;
  }

  #put(key: string, value: FieldValue): void {
    const field = this.now[key];
    if (typeof field === "object") field.set(value as Uint8Array);
    else (this.now as Fields)[key] = value;
  }
}

/** A list of named fields as the board, the monitor and a snapshot see it. */
export interface StateList {
  readonly name: string;
  reset(): void;
  save(): Saved;
  restore(saved: Saved): void;
}

/** What every chip is: something with a name, a state and a reset. The board walks the list of them. */
export interface Device {
  readonly name: string;
  readonly state: StateList;
  reset(): void;
  /** After `state.restore`, when every chip has its state again: drives the lines and sets the alarms which follow from it. */
  restored?(): void;
}

function copy(value: FieldValue): FieldValue {
  return typeof value === "object" ? value.slice() : value;
}

function plain(value: FieldValue): Saved[string] {
  if (typeof value === "bigint") return `${value < 0n ? "-" : ""}0x${(value < 0n ? -value : value).toString(16)}n`;
  return typeof value === "object" ? Array.from(value) : value;
}
