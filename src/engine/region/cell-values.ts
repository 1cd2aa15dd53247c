import type { Value } from "../../ir/builder.ts";
import { stateSize } from "../../ir/slots.ts";
import type { StateMap } from "./state-map.ts";

/** Values to be put into cells, all at once. */
export interface Writes {
  readonly cells: readonly number[];
  readonly values: readonly Value[];
}

const nothing: Writes = { cells: [], values: [] };
const words = stateSize >> 2;

/** Cells in the order in which they were added, each once. */
export class CellList {
  readonly cells: number[] = [];
  readonly #in = new Uint8Array(words);

  add(cell: number): void {
    if (this.#in[cell >> 2] === 1) return;
    this.#in[cell >> 2] = 1;
    this.cells.push(cell);
  }

  has(cell: number): boolean {
    return this.#in[cell >> 2] === 1;
  }

  /** Only the first so many stay. */
  cut(length: number): void {
    while (this.cells.length > length) this.#in[(this.cells.pop() as number) >> 2] = 0;
  }
}

/**
 * What the cells hold while a block is built: a value, where one is known, which may not be in the cell's place yet (the cell is dirty then). What is learnt in an arm
 * is forgotten behind it.
 */
export class CellValues {
  readonly #map: StateMap;
  readonly #known: (Value | undefined)[] = new Array(words).fill(undefined);
  /** The `get` node which read a cell's place. */
  readonly #reads: (Value | undefined)[] = new Array(words).fill(undefined);
  /** Those of which something is known or was read. */
  readonly #seen = new CellList();
  /** Those whose place holds something older: few, in the order in which they became so. */
  #dirty: number[] = [];
  /** Whether that is the list of what is dirty outside of the arm, too. */
  #borrowed = false;
  /** In arms: what was known before, so that it can be had back. */
  readonly #changed: number[] = [];
  readonly #before: (Value | undefined)[] = [];
  readonly #outside: number[][] = [];
  /** What is dirty as it would be written, until that changes. */
  #unwritten: Writes | undefined;

  constructor(map: StateMap) {
    this.#map = map;
  }

  /** Nothing is known. */
  clear(): void {
    for (const cell of this.#seen.cells) {
      this.#known[cell >> 2] = undefined;
      this.#reads[cell >> 2] = undefined;
    }
    this.#seen.cut(0);
    this.#dirty = [];
    this.#changed.length = 0;
    this.#before.length = 0;
    this.#outside.length = 0;
    this.#borrowed = false;
    this.#unwritten = undefined;
  }

  known(cell: number): Value | undefined {
    return this.#known[cell >> 2];
  }

  learn(cell: number, value: Value | undefined): void {
    if (this.#outside.length > 0) {
      this.#changed.push(cell);
      this.#before.push(this.#known[cell >> 2]);
    }
    this.#seen.add(cell);
    this.#known[cell >> 2] = value;
    this.#unwritten = undefined;
  }

  /** What a cell's place holds, where it was read and nothing was written there since. */
  readOf(cell: number): Value | undefined {
    return this.#reads[cell >> 2];
  }

  /** Its place was read. */
  read(cell: number, node: Value): void {
    this.learn(cell, node);
    this.#reads[cell >> 2] = node;
  }

  isDirty(cell: number): boolean {
    return this.#dirty.includes(cell);
  }

  soil(cell: number): void {
    if (!this.#dirty.includes(cell)) this.#dirty.push(cell);
    this.#unwritten = undefined;
  }

  clean(cell: number): void {
    const at = this.#dirty.indexOf(cell);
    if (at < 0) return;
    if (this.#borrowed) this.#dirty = this.#dirty.slice();
    this.#borrowed = false;
    this.#dirty.splice(at, 1);
    this.#unwritten = undefined;
  }

  /** Nobody knows any more what it holds. */
  forget(cell: number): void {
    this.#reads[cell >> 2] = undefined;
    this.learn(cell, undefined);
    this.clean(cell);
  }

  /** Behind an instruction: what is of no account then need not be put anywhere. */
  dropScratch(): void {
    for (let k = this.#dirty.length - 1; k >= 0; k--)
      if (this.#map.isScratch(this.#dirty[k] as number)) this.#dirty.splice(k, 1);
  }

  /** What is not in its place. A word that has its old value again is in place if nothing was written there since it was read. */
  pending(): Writes {
    return this.#writes(true);
  }

  /** What is to be put in its place to leave. */
  unwritten(): Writes {
    this.#unwritten ??= this.#writes(false);
    return this.#unwritten;
  }

  #writes(changed: boolean): Writes {
    if (this.#dirty.length === 0) return nothing;
    const cells: number[] = [];
    const values: Value[] = [];
    for (const cell of this.#dirty) {
      const value = this.#known[cell >> 2] as Value;
      if (this.#map.isScratch(cell) || (changed && value === this.#reads[cell >> 2])) continue;
      cells.push(cell);
      values.push(value);
    }
    return { cells, values };
  }

  /** An arm begins. Gives what `leave` is told at its end. */
  enter(): number {
    this.#outside.push(this.#dirty);
    // Nothing becomes dirty in an arm, and little is cleaned.
    this.#borrowed = true;
    return this.#changed.length;
  }

  leave(mark: number): void {
    const dirty = this.#outside.pop() as number[];
    if (this.#changed.length > mark || dirty !== this.#dirty) this.#unwritten = undefined;
    for (let k = this.#changed.length - 1; k >= mark; k--)
      this.#known[(this.#changed[k] as number) >> 2] = this.#before[k];
    this.#changed.length = mark;
    this.#before.length = mark;
    this.#dirty = dirty;
    this.#borrowed = this.#outside.length > 0;
  }
}
