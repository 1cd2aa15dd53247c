import type { AccessWidth } from "./node.ts";
import type { Type } from "./ops.ts";

/** A piece of guest state: a register, a flag, a word that the engine and the front end share. */
export interface Slot {
  readonly name: string;
  /** Byte where it lies, from the start of the state. */
  readonly offset: number;
  readonly type: Type;
  readonly width: AccessWidth;
  /** Its place in a view of 32-bit words. */
  readonly index: number;
}

/** Bytes set aside for the state of one CPU, at the start of the guest memory. */
export const stateSize = 8192;

/**
 * Lays out guest state. Every slot has 8 bytes of its own, whatever its type, so that x86-64 finds its place; a v128 has 16.
 */
export class SlotTable {
  readonly slots: Slot[] = [];
  #end = 0;

  slot(name: string, type: Type = "i32"): Slot {
    const room = type === "v128" ? 16 : 8;
    this.#end = Math.ceil(this.#end / room) * room;
    const width: AccessWidth = type === "v128" ? 16 : type === "i64" || type === "f64" ? 8 : 4;
    const slot = { name, offset: this.#end, type, width, index: this.#end >> 2 };
    this.#end += room;
    if (this.#end > stateSize) throw new RangeError(`no room in the state for ${name}`);
    this.slots.push(slot);
    return slot;
  }

  /** Slots beside each other, 8 bytes apart: a register file. */
  file(names: readonly string[], type: Type = "i32"): Slot[] {
    return names.map((name) => this.slot(name, type));
  }
}

/** The words which the engine shares with every front end. They come first in the state. */
export interface EngineSlots {
  /** Guest pc as the front end counts it (x86: EIP). True whenever the run loop is left, a helper called or a slow access made. */
  readonly pc: Slot;
  /** Instructions which may still run. Written 0 to stop behind the current one. */
  readonly budget: Slot;
  /** Not 0 after an access that faulted. */
  readonly trap: Slot;
  /** What is added to the pc to fetch (x86: the base of CS). */
  readonly fetchBase: Slot;
  /** Up to 12 bits which tell apart how the same bytes are decoded: operand size, privilege. */
  readonly mode: Slot;
  /** Which of the data TLBs is in use: where it starts in the guest memory. */
  readonly tlb: Slot;
  /** For values of 64 and 128 bits between a slow access and the code which asked for it. */
  readonly scratch: Slot;
}

export function engineSlots(table: SlotTable): EngineSlots {
  return {
    pc: table.slot("pc"),
    budget: table.slot("budget"),
    trap: table.slot("trap"),
    fetchBase: table.slot("fetchBase"),
    mode: table.slot("mode"),
    tlb: table.slot("tlb"),
    scratch: table.slot("scratch", "v128"),
  };
}

/** Where the words among these slots lie. */
export function wordsOf(slots: readonly Slot[]): ReadonlySet<number> {
  return new Set(slots.filter(({ type }) => type === "i32").map(({ offset }) => offset));
}
