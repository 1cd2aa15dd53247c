import { Builder, type Value } from "../../ir/builder.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import type { AccessWidth, Node } from "../../ir/node.ts";
import { NodeTable } from "../../ir/node-table.ts";
import type { Type } from "../../ir/ops.ts";
import { type Slot, stateSize } from "../../ir/slots.ts";
import { CellList, CellValues, type Writes } from "./cell-values.ts";
import { type StateMap, stateMapOf } from "./state-map.ts";

/** An instruction whose meaning a region cannot hold. It stays with the interpreter. */
export class NotForRegions extends Error {}

/** The state, as the blocks of a region see it that are being built: words of it (cells) are values, written to their places only where control leaves the block. */
export abstract class CellBuilder extends Builder {
  /** Cells which the region uses, and those among them which it writes. */
  readonly touched = new CellList();
  readonly written = new CellList();
  protected readonly front: FrontEnd;
  protected readonly cells: CellValues;
  /** Of `set` and `jump` nodes: several cells at once; and those of the block at hand. */
  protected writes = new NodeTable<Writes>();
  protected writing: Writes[] = [];
  /** The cells which that block reads. */
  protected reading: number[] = [];
  /** `get` nodes whose cell is written while their value may still be wanted. */
  protected pinned = new NodeTable<true>();
  /** In arms: the cells that these write. */
  protected armWrites: number[] | undefined;
  /** Whether the instruction has written state. */
  protected wrote = false;
  /** What the steady word is taken for, as long as nothing else is known of it. */
  protected taken = 0;
  readonly #map: StateMap;

  constructor(front: FrontEnd) {
    super();
    this.front = front;
    this.#map = stateMapOf(front);
    this.cells = new CellValues(this.#map);
  }

  protected startCells(): void {
    this.touched.cut(0);
    this.written.cut(0);
    this.writes = new NodeTable();
    this.pinned = new NodeTable();
  }

  protected beginCells(steady: number): void {
    this.cells.clear();
    this.writing = [];
    this.reading = [];
    this.armWrites = undefined;
    this.wrote = false;
    this.taken = steady;
  }

  override get(slot: Slot): Value {
    return this.#stateAt(slot.offset, slot.width, slot.type) ?? super.get(slot);
  }

  override set(slot: Slot, value: Value): void {
    if (this.#putAt(slot.offset, slot.width, value)) return;
    this.#wroteAt(slot.offset);
    super.set(slot, value);
  }

  override getAt(base: Value, width: AccessWidth, offset = 0, type: Type = width === 8 ? "i64" : "i32"): Value {
    if (base.op !== "const") throw new NotForRegions("state at a place which is not known");
    const at = base.imm + offset;
    return this.#stateAt(at, width, type) ?? super.getAt(base, width, offset, type);
  }

  override setAt(base: Value, width: AccessWidth, value: Value, offset = 0): void {
    if (base.op !== "const") throw new NotForRegions("state at a place which is not known");
    const at = base.imm + offset;
    if (this.#putAt(at, width, value)) return;
    this.#wroteAt(at);
    super.setAt(base, width, value, offset);
  }

  /** What lies in a cell, or in a part of one; undefined for other state. */
  #stateAt(at: number, width: AccessWidth, type: Type): Value | undefined {
    const wide = this.#map.wideAt(at);
    if (wide >= 0) return this.#partOf(this.cell(wide), at - wide, width, type);
    if (type !== "i32" || !this.#map.isCell(at)) return undefined;
    const word = this.cell(at & ~3);
    if (width === 4) return word;
    return this.and(this.shrU(word, this.i32((at & 3) * 8)), this.i32(width === 2 ? 0xffff : 0xff));
  }

  #partOf(whole: Value, offset: number, width: AccessWidth, type: Type): Value {
    if (width === 16) return whole;
    if (width === 4 && offset === 0 && whole.type === "v128") return this.op("low32", whole);
    const half = whole.type === "v128" ? this.op(offset < 8 ? "low64" : "high64", whole) : whole;
    if (width === 8 && type === "i64") return half;
    const word = this.op("wrap", this.shrU(half, this.i64(BigInt((offset & 7) * 8))));
    return width === 4 ? word : this.and(word, this.i32(width === 2 ? 0xffff : 0xff));
  }

  /** False for state that no cell keeps. */
  #putAt(at: number, width: AccessWidth, value: Value): boolean {
    const wide = this.#map.wideAt(at);
    if (wide >= 0) {
      this.#put(wide, this.#withPart(wide, at - wide, width, value));
      return true;
    }
    if (value.type !== "i32" || !this.#map.isCell(at)) return false;
    if (width === 4) {
      this.#put(at, value);
      return true;
    }
    const shift = this.i32((at & 3) * 8);
    const mask = width === 2 ? 0xffff : 0xff;
    const kept = this.and(this.cell(at & ~3), this.i32(~(mask << ((at & 3) * 8))));
    this.#put(at & ~3, this.or(kept, this.shl(this.and(value, this.i32(mask)), shift)));
    return true;
  }

  #withPart(cell: number, offset: number, width: AccessWidth, value: Value): Value {
    const vector = this.#map.typeOf(cell) === "v128";
    if (width === (vector ? 16 : 8)) return value;
    const whole = this.cell(cell);
    if (width === 4 && offset === 0 && vector) return this.op("with_low32", whole, value);
    let half = value;
    if (width < 8) {
      const shift = this.i64(BigInt((offset & 7) * 8));
      const mask = (1n << BigInt(8 * width)) - 1n;
      const old = vector ? this.op(offset < 8 ? "low64" : "high64", whole) : whole;
      const kept = this.and(old, this.i64(~(mask << BigInt((offset & 7) * 8))));
      half = this.or(kept, this.shl(this.and(this.op("extend_u", value), this.i64(mask)), shift));
    }
    return vector ? this.op(offset < 8 ? "with_low64" : "with_high64", whole, half) : half;
  }

  /** State that no cell keeps was written. */
  #wroteAt(at: number): void {
    if (!this.#map.isScratch(at)) this.wrote = true;
  }

  /** In arms it is known what these write. */
  protected writtenInArm(cells: readonly number[]): void {
    const written = this.armWrites;
    if (written !== undefined) for (const cell of cells) if (!written.includes(cell)) written.push(cell);
  }

  /** In front of an `if` whose arms write these cells, or of a helper that may: what is known of them goes into place, and is read from there behind it. */
  protected settle(written: readonly number[]): void {
    this.taken = this.steady;
    if (written.length === 0) return;
    const stale = written.filter((cell) => this.cells.isDirty(cell));
    if (stale.length > 0) this.write({ cells: stale, values: stale.map((cell) => this.cells.known(cell) as Value) });
    for (const cell of written) {
      const read = this.cells.readOf(cell);
      if (read !== undefined) this.pinned.set(read, true);
      this.cells.forget(cell);
    }
  }

  protected cell(at: number): Value {
    if ((at & 3) !== 0 || at >= stateSize) throw new NotForRegions("a state word that is not one");
    const known = this.cells.known(at);
    if (known !== undefined) return known;
    this.touched.add(at);
    this.reading.push(at);
    const type = this.#map.typeOf(at);
    const node = this.node("get", type, none, at, type === "v128" ? 16 : type === "i64" ? 8 : 4);
    this.cells.read(at, node);
    return node;
  }

  #put(at: number, value: Value): void {
    if ((at & 3) !== 0) throw new NotForRegions("a state word that is not one");
    this.touched.add(at);
    this.written.add(at);
    if (!this.#map.isScratch(at)) this.wrote = true;
    this.cells.learn(at, value);
    if (this.armWrites === undefined) {
      this.cells.soil(at);
      return;
    }
    // In an arm: into its place at once, since what comes behind the arms finds it there.
    if (!this.armWrites.includes(at)) this.armWrites.push(at);
    this.cells.clean(at);
    this.write({ cells: [at], values: [value] });
  }

  protected write(writes: Writes): void {
    this.note(this.node("set", undefined, writes.values), writes);
  }

  protected note(node: Node, writes: Writes): void {
    this.writes.set(node, writes);
    this.writing.push(writes);
  }

  /** What the steady word is behind what was built, if it was what it was taken for. */
  get steady(): number {
    const { steady } = this.front;
    const known = steady && this.cells.known(steady.offset);
    return known?.op === "const" ? known.imm : this.taken;
  }
}

const none: readonly Node[] = [];
