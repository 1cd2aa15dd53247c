import { Builder, makeNode, type Operands, type Value } from "../../ir/builder.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import type { AccessWidth, Block, Node } from "../../ir/node.ts";
import type { Type } from "../../ir/ops.ts";
import { type Slot, stateSize } from "../../ir/slots.ts";

/** An instruction whose meaning a region cannot hold. It stays with the interpreter. */
export class NotForRegions extends Error {}

/** Values to be put into cells, all at once. */
export interface Writes {
  readonly cells: readonly number[];
  readonly values: readonly Value[];
}

/** What is known at a node which may leave the region before its instruction: the cells whose value is not in its place yet. */
export interface Leaving {
  readonly writes: Writes;
  /** Which instruction of the block it belongs to. */
  readonly index: number;
  /** The place behind that instruction. */
  readonly behind: number;
}

/** Address of the page on which the region lies; every pc in it is this plus a constant. */
export const pageStart: Node = makeNode("pc", "i32", []);

/** One block of a region, built: its nodes and what belongs to some of them. */
export interface BuiltBlock {
  readonly block: Block;
  /** Of nodes that touch guest memory, and of `exit`: what to do to leave in front of the instruction. */
  readonly leaving: ReadonlyMap<Node, Leaving>;
  /** Of `set` and `jump` nodes: several cells at once. */
  readonly writes: ReadonlyMap<Node, Writes>;
  /** `get` nodes whose cell is written while their value may still be wanted. */
  readonly pinned: ReadonlySet<Node>;
}

/**
 * Builds a block of several instructions. State words (cells) are values here, written to their places only where control leaves the
 * block. Whatever needs the world (a helper, a fault, a chip) leaves the region in front of its instruction, and the interpreter does it: so no body
 * that writes state before such a thing can be in a region.
 */
export class RegionBuilder extends Builder {
  readonly touched = new Set<number>();
  /** Those which are written. */
  readonly written = new Set<number>();
  /** Values which are the address behind an instruction: one that is stored and jumped away from is where a call comes back to. */
  readonly links = new Set<Value>();
  #leaving = new Map<Node, Leaving>();
  #writes = new Map<Node, Writes>();
  #pinned = new Set<Node>();
  /** What each cell holds now, where that is known. */
  #known = new Map<number, Value>();
  /** Cells whose place holds something older. */
  #dirty = new Set<number>();
  /** The `get` node which read a cell's place. */
  #reads = new Map<number, Node>();
  #armWrites: Set<number> | undefined;
  #index = -1;
  #offset = 0;
  #length = 0;
  #wrote = false;
  readonly #front: FrontEnd;

  constructor(front: FrontEnd, operands: Operands = "open") {
    super(operands);
    this.#front = front;
  }

  /** The next instruction: its place on the page, its length and its operands. */
  instruction(offset: number, length: number, operands: Int32Array): void {
    this.#index++;
    this.#offset = offset;
    this.#length = length;
    this.#wrote = false;
    this.operands(operands);
  }

  /** The block is complete: what is not in its place is put there. */
  finish(): BuiltBlock {
    const { cells, values } = this.#pending();
    if (cells.length > 0) this.#write(cells, values);
    return { block: this.block, leaving: this.#leaving, writes: this.#writes, pinned: this.#pinned };
  }

  override pc(): Value {
    return this.add(pageStart, this.i32(this.#offset));
  }

  override nextPc(): Value {
    const next = this.add(pageStart, this.i32(this.#offset + this.#length));
    this.links.add(next);
    return next;
  }

  override get(slot: Slot): Value {
    return this.#front.cells.has(slot.offset) ? this.#cell(slot.offset) : super.get(slot);
  }

  override set(slot: Slot, value: Value): void {
    if (this.#front.cells.has(slot.offset)) this.#put(slot.offset, value);
    else {
      this.#wroteAt(slot.offset);
      super.set(slot, value);
    }
  }

  override getAt(base: Value, width: AccessWidth, offset = 0, type: Type = width === 8 ? "i64" : "i32"): Value {
    if (base.op !== "const") throw new NotForRegions("state at a place which is not known");
    const at = base.imm + offset;
    if (type !== "i32" || !this.#front.cells.has(at & ~3)) return super.getAt(base, width, offset, type);
    const word = this.#cell(at & ~3);
    const shifted = this.shrU(word, this.i32((at & 3) * 8));
    return width === 4 ? word : this.and(shifted, this.i32(width === 2 ? 0xffff : 0xff));
  }

  override setAt(base: Value, width: AccessWidth, value: Value, offset = 0): void {
    if (base.op !== "const") throw new NotForRegions("state at a place which is not known");
    const at = base.imm + offset;
    if (value.type !== "i32" || !this.#front.cells.has(at & ~3)) {
      this.#wroteAt(at);
      super.setAt(base, width, value, offset);
      return;
    }
    if (width === 4) {
      this.#put(at, value);
      return;
    }
    const shift = this.i32((at & 3) * 8);
    const mask = width === 2 ? 0xffff : 0xff;
    const kept = this.and(this.#cell(at & ~3), this.i32(~(mask << ((at & 3) * 8))));
    this.#put(at & ~3, this.or(kept, this.shl(this.and(value, this.i32(mask)), shift)));
  }

  /** State that no cell keeps was written. */
  #wroteAt(at: number): void {
    if (this.#front.scratch?.has(at) !== true) this.#wrote = true;
  }

  override load(width: AccessWidth, address: Value, type: Type = width === 8 ? "i64" : "i32"): Value {
    return this.#leaves(super.load(width, address, type));
  }

  override loadRw(width: AccessWidth, address: Value, type: Type = width === 8 ? "i64" : "i32"): Value {
    return this.#leaves(super.loadRw(width, address, type));
  }

  override store(width: AccessWidth, address: Value, value: Value): void {
    this.#leaves(this.put(makeNode("store", undefined, [address, value], { width })));
  }

  override probe(width: AccessWidth, address: Value): void {
    this.#leaves(this.put(makeNode("probe", undefined, [address], { width })));
  }

  /** A contained helper finds the words it uses in the state. Any other is, on a way that is seldom gone, a reason to leave; else the instruction is the interpreter's. */
  override call(helper: string, ...args: Value[]): Value {
    const contained = this.#front.contained?.[helper];
    if (contained === undefined) {
      if (this.#armWrites === undefined) throw new NotForRegions(`calls ${helper}`);
      this.exit(helper);
      return this.i32(0);
    }
    const cells = new Set(contained.words.map(({ offset }) => offset));
    const others = contained.others?.map(({ offset }) => offset) ?? [];
    this.#settle(new Set([...cells, ...others]));
    for (const cell of others) this.#armWrites?.add(cell);
    for (const cell of cells) {
      this.touched.add(cell);
      this.#armWrites?.add(cell);
    }
    const node = this.put(makeNode("call", "i32", args, { helper }));
    if (contained.faults === true) this.#leaves(node);
    if (contained.repeatable !== true) this.#wrote = true;
    return node;
  }

  /** Leaves in front of the instruction; or, for a helper with which regions end, behind it. */
  override exit(helper: string, ...args: Value[]): void {
    const called = this.#armWrites === undefined && this.#front.ending?.has(helper) === true;
    this.#leaves(this.put(called ? makeNode("exit", undefined, args, { helper }) : makeNode("exit", undefined, [])));
  }

  /** The target is taken before what is pending is put in place: it may come from a cell which that changes. */
  override jump(target: Value): void {
    const pending = this.#pending();
    const node = this.put(makeNode("jump", undefined, [target, ...pending.values]));
    this.#writes.set(node, pending);
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: as in Builder
  override if(condition: Value, then: () => Value | void, otherwise?: () => Value | void): Value | undefined {
    if (condition.op === "const") return super.if(condition, then, otherwise);
    const outer = this.#armWrites;
    const written = new Set<number>();
    this.#armWrites = written;
    const wrote = this.#wrote;
    let wroteAfter = wrote;
    // biome-ignore lint/suspicious/noConfusingVoidType: as in Builder
    const arm = (build: () => Value | void) => () => {
      const known = new Map(this.#known);
      const dirty = new Set(this.#dirty);
      const value = build();
      wroteAfter ||= this.#wrote;
      this.#known = known;
      this.#dirty = dirty;
      this.#wrote = wrote;
      return value;
    };
    const yes = this.nested(arm(then));
    const no = otherwise && this.nested(arm(otherwise));
    this.#armWrites = outer;
    this.#wrote = wroteAfter;
    this.#settle(written);
    for (const cell of written) outer?.add(cell);
    const type = yes.result !== undefined && no?.result !== undefined ? yes.result.type : undefined;
    return this.put(makeNode("if", type, [condition], { yes, no }));
  }

  /** In front of an `if` whose arms write these cells, or of a helper that may: what is known of them goes into place, and is read from there behind it. */
  #settle(written: ReadonlySet<number>): void {
    const stale = [...written].filter((cell) => this.#dirty.has(cell));
    if (stale.length > 0)
      this.#write(
        stale,
        stale.map((cell) => this.#known.get(cell) as Value),
      );
    for (const cell of written) {
      const read = this.#reads.get(cell);
      if (read !== undefined) this.#pinned.add(read);
      this.#reads.delete(cell);
      this.#known.delete(cell);
      this.#dirty.delete(cell);
    }
  }

  #cell(at: number): Value {
    if ((at & 3) !== 0 || at >= stateSize) throw new NotForRegions("a state word that is not one");
    const known = this.#known.get(at);
    if (known !== undefined) return known;
    this.touched.add(at);
    const node = this.put(makeNode("get", "i32", [], { imm: at, width: 4 }));
    this.#known.set(at, node);
    this.#reads.set(at, node);
    return node;
  }

  #put(at: number, value: Value): void {
    if ((at & 3) !== 0) throw new NotForRegions("a state word that is not one");
    this.touched.add(at);
    this.written.add(at);
    this.#wrote = true;
    this.#known.set(at, value);
    if (this.#armWrites === undefined) {
      this.#dirty.add(at);
      return;
    }
    // In an arm: into its place at once, since what comes behind the arms finds it there.
    this.#armWrites.add(at);
    this.#dirty.delete(at);
    this.#write([at], [value]);
  }

  #write(cells: readonly number[], values: readonly Value[]): Node {
    const node = this.put(makeNode("set", undefined, values));
    this.#writes.set(node, { cells, values });
    return node;
  }

  /** What is not in its place. */
  #pending(): Writes {
    // A word that has its old value again is in place only if nothing was written there since it was read.
    const cells = [...this.#dirty].filter((cell) => this.#known.get(cell) !== this.#reads.get(cell));
    return { cells, values: cells.map((cell) => this.#known.get(cell) as Value) };
  }

  #leaves(node: Node): Node {
    if (this.#wrote) throw new NotForRegions("may leave after it wrote state");
    const cells = [...this.#dirty];
    const values = cells.map((cell) => this.#known.get(cell) as Value);
    this.#leaving.set(node, { writes: { cells, values }, index: this.#index, behind: this.#offset + this.#length });
    return node;
  }
}
