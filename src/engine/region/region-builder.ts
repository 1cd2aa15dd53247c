import { mayBeOne } from "../../ir/bits.ts";
import { Builder, type Operands, type Value } from "../../ir/builder.ts";
import { codeOf } from "../../ir/codes.ts";
import { type FrontEnd, gaveUp, quickWayOf } from "../../ir/frontend.ts";
import { type AccessWidth, type Block, Node } from "../../ir/node.ts";
import type { Operation, Type } from "../../ir/ops.ts";
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

/** Address of the page on which the region lies; every pc in it is this plus a constant. No builder made it. */
export const pageStart = new Node(0, "pc", codeOf("pc"), "i32", []);

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
  /** Values found again: see `unify`. Those of arms that are open lie above. */
  readonly #values: Map<string, Value>[] = [new Map()];
  #unifying = false;
  /** Whether what gives up is to leave the region. */
  #inside = false;
  /** Conditions which are known to hold from here on, and not to hold. */
  readonly #true = new Set<Value>();
  readonly #false = new Set<Value>();
  readonly #front: FrontEnd;
  /** What the steady word is taken for, as long as nothing else is known of it. */
  #steady: number;

  constructor(front: FrontEnd, operands: Operands = "open", steady = 0) {
    super(operands);
    this.#front = front;
    this.#steady = steady;
  }

  /** What the steady word is behind what was built, if it was what it was taken for. */
  get steady(): number {
    const { steady } = this.#front;
    const known = steady && this.#known.get(steady.offset);
    return known?.op === "const" ? known.imm : this.#steady;
  }

  /** The next instruction: its place on the page, its length and its operands. */
  instruction(offset: number, length: number, operands: Int32Array): void {
    this.#index++;
    this.#offset = offset;
    this.#length = length;
    this.#wrote = false;
    this.#unifying = false;
    for (const cell of this.#dirty) if (this.#front.scratch?.has(cell)) this.#dirty.delete(cell);
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

  override unify(): void {
    this.#unifying = true;
  }

  override op(op: Operation, x: Value, y?: Value, z?: Value): Value {
    if (!this.#unifying) return super.op(op, x, y, z);
    const key = `${op} ${keyOf(x)} ${y && keyOf(y)} ${z && keyOf(z)}`;
    for (const values of this.#values) {
      const found = values.get(key);
      if (found !== undefined) return found;
    }
    const made = super.op(op, x, y, z);
    this.#values.at(-1)?.set(key, made);
    return made;
  }

  override get(slot: Slot): Value {
    if (slot === this.#front.steady) return this.#steadily(slot.offset);
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

  #steadily(at: number): Value {
    const value = this.#cell(at);
    if (value.op === "const" || !this.#unifying) return value;
    this.#steady = this.steady;
    const taken = this.i32(this.#steady);
    this.#require(this.eq(value, taken));
    if (this.#armWrites === undefined) this.#known.set(at, taken);
    return taken;
  }

  /** Where the cell of more than a word begins that has this byte. */
  #wideAt(at: number): number | undefined {
    return wideAt(this.#front, at);
  }

  /** What lies in a cell, or in a part of one; undefined for other state. */
  #stateAt(at: number, width: AccessWidth, type: Type): Value | undefined {
    const wide = this.#wideAt(at);
    if (wide !== undefined) return this.#partOf(this.#cell(wide), at - wide, width, type);
    if (type !== "i32" || !this.#front.cells.has(at & ~3)) return undefined;
    const word = this.#cell(at & ~3);
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
    const wide = this.#wideAt(at);
    if (wide !== undefined) {
      this.#put(wide, this.#withPart(wide, at - wide, width, value));
      return true;
    }
    if (value.type !== "i32" || !this.#front.cells.has(at & ~3)) return false;
    if (width === 4) {
      this.#put(at, value);
      return true;
    }
    const shift = this.i32((at & 3) * 8);
    const mask = width === 2 ? 0xffff : 0xff;
    const kept = this.and(this.#cell(at & ~3), this.i32(~(mask << ((at & 3) * 8))));
    this.#put(at & ~3, this.or(kept, this.shl(this.and(value, this.i32(mask)), shift)));
    return true;
  }

  #withPart(cell: number, offset: number, width: AccessWidth, value: Value): Value {
    const vector = this.#front.wide?.get(cell) === "v128";
    if (width === (vector ? 16 : 8)) return value;
    const whole = this.#cell(cell);
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
    if (this.#front.scratch?.has(at) !== true) this.#wrote = true;
  }

  override load(width: AccessWidth, address: Value, type: Type = width === 8 ? "i64" : "i32"): Value {
    return this.#leaves(super.load(width, address, type));
  }

  override loadRw(width: AccessWidth, address: Value, type: Type = width === 8 ? "i64" : "i32"): Value {
    return this.#leaves(super.loadRw(width, address, type));
  }

  override store(width: AccessWidth, address: Value, value: Value): void {
    this.#leaves(this.node("store", undefined, [address, value], 0, width));
  }

  override probe(width: AccessWidth, address: Value): void {
    this.#leaves(this.node("probe", undefined, [address], 0, width));
  }

  /** A contained helper finds the words it uses in the state. Any other is, on a way that is seldom gone, a reason to leave; else the instruction is the interpreter's. */
  override call(helper: string, ...args: Value[]): Value {
    const way = quickWayOf(this.#front, helper, args[0]);
    if (way !== undefined && this.#front.inside?.has(way)) {
      const value = this.#quick(way, args);
      if (!isGivenUp(value)) return value;
    }
    const contained = this.#front.contained?.[helper];
    if (contained === undefined) {
      if (this.#armWrites === undefined) throw new NotForRegions(`calls ${helper}`);
      this.exit(helper);
      return this.i32(0);
    }
    const { own, others } = cellsOfCall(this.#front, helper, args);
    this.#settle(new Set([...own, ...others]));
    for (const cell of others) this.#armWrites?.add(cell);
    for (const cell of own) {
      this.touched.add(cell);
      this.#armWrites?.add(cell);
    }
    const node = this.node("call", "i32", args, 0, 4, helper);
    if (contained.faults === true) this.#leaves(node);
    if (contained.repeatable !== true) this.#wrote = true;
    return node;
  }

  /** The quick way of a helper, in the region: where it gives up, the interpreter does the instruction. */
  #quick(name: string, args: readonly Value[]): Value {
    const outer = this.#inside;
    this.#inside = true;
    const value = this.#front.quick?.[name]?.(this, args, noTlbs) as Value;
    this.#inside = outer;
    return value;
  }

  /** Leaves unless it is so. What is known already is not asked again. */
  #require(condition: Value): void {
    const open = this.#unknown(condition);
    if (open.length === 0) return;
    if (open.some((one) => one.op === "const")) {
      this.exit("");
      return;
    }
    const all = open.reduce((x, y) => this.and(x, y));
    this.branch(
      undefined,
      this.eqz(all),
      this.nested(() => this.exit("")),
      undefined,
    );
    if (this.#armWrites === undefined) for (const one of open) this.#true.add(one);
  }

  override know(condition: Value): void {
    if (this.#armWrites !== undefined) return;
    for (const one of this.#unknown(condition)) this.#true.add(one);
  }

  /** Of what has to hold for a condition to hold, what may not. */
  #unknown(condition: Value): Value[] {
    if (this.#true.has(condition) || (condition.op === "const" && condition.imm !== 0)) return [];
    if (condition.op !== "and" || !condition.args.every((arg) => mayBeOne(arg) === 1)) return [condition];
    return condition.args.flatMap((arg) => this.#unknown(arg));
  }

  /** Leaves in front of the instruction; or, for a helper with which regions end, behind it. */
  override exit(helper: string, ...args: Value[]): void {
    const called = this.#armWrites === undefined && this.#front.ending?.has(helper) === true;
    this.#leaves(called ? this.node("exit", undefined, args, 0, 4, helper) : this.node("exit", undefined, []));
  }

  /** The target is taken before what is pending is put in place: it may come from a cell which that changes. */
  override jump(target: Value): void {
    const pending = this.#pending();
    const node = this.node("jump", undefined, [target, ...pending.values]);
    this.#writes.set(node, pending);
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: as in Builder
  override if(condition: Value, then: () => Value | void, otherwise?: () => Value | void): Value | undefined {
    if (condition.op === "const") return super.if(condition, then, otherwise);
    if (this.#true.has(condition)) return then() || undefined;
    if (this.#false.has(condition)) return otherwise?.() || undefined;
    const outer = this.#armWrites;
    const written = new Set<number>();
    this.#armWrites = written;
    const wrote = this.#wrote;
    let wroteAfter = wrote;
    // biome-ignore lint/suspicious/noConfusingVoidType: as in Builder
    const arm = (build: () => Value | void) => () => {
      const known = new Map(this.#known);
      const dirty = new Set(this.#dirty);
      this.#values.push(new Map());
      const value = build();
      this.#values.pop();
      wroteAfter ||= this.#wrote;
      this.#known = known;
      this.#dirty = dirty;
      this.#wrote = wrote;
      return value;
    };
    const no = otherwise && this.nested(arm(otherwise));
    if (this.#inside && no !== undefined && givesUp(no)) {
      this.#armWrites = outer;
      this.#require(condition);
      return then() || undefined;
    }
    const yes = this.nested(arm(then));
    this.#armWrites = outer;
    this.#wrote = wroteAfter;
    this.#settle(written);
    for (const cell of written) outer?.add(cell);
    const type = yes.result !== undefined && no?.result !== undefined ? yes.result.type : undefined;
    if (outer === undefined && no === undefined && yes.nodes.at(-1)?.op === "exit") this.#false.add(condition);
    return this.branch(type, condition, yes, no);
  }

  /** In front of an `if` whose arms write these cells, or of a helper that may: what is known of them goes into place, and is read from there behind it. */
  #settle(written: ReadonlySet<number>): void {
    this.#steady = this.steady;
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
    const type = this.#front.wide?.get(at) ?? "i32";
    const node = this.node("get", type, [], at, type === "v128" ? 16 : type === "i64" ? 8 : 4);
    this.#known.set(at, node);
    this.#reads.set(at, node);
    return node;
  }

  #put(at: number, value: Value): void {
    if ((at & 3) !== 0) throw new NotForRegions("a state word that is not one");
    this.touched.add(at);
    this.written.add(at);
    if (this.#front.scratch?.has(at) !== true) this.#wrote = true;
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
    const node = this.node("set", undefined, values);
    this.#writes.set(node, { cells, values });
    return node;
  }

  /** What is not in its place. */
  #pending(): Writes {
    // A word that has its old value again is in place only if nothing was written there since it was read.
    const cells = [...this.#dirty].filter(
      (cell) => this.#known.get(cell) !== this.#reads.get(cell) && this.#front.scratch?.has(cell) !== true,
    );
    return { cells, values: cells.map((cell) => this.#known.get(cell) as Value) };
  }

  #leaves(node: Node): Node {
    if (this.#wrote) throw new NotForRegions("may leave after it wrote state");
    const cells = [...this.#dirty].filter((cell) => this.#front.scratch?.has(cell) !== true);
    const values = cells.map((cell) => this.#known.get(cell) as Value);
    this.#leaving.set(node, { writes: { cells, values }, index: this.#index, behind: this.#offset + this.#length });
    return node;
  }
}

/** What tells a value from others: each time a number of 64 bits is asked for it is a node of its own. */
function keyOf(value: Value): string {
  return value.op === "const" && value.type === "i64" ? `${value.long}L` : `${value.id}`;
}

/** Quick ways inside of regions do not look into memory. */
const noTlbs = { supervisor: 0, user: 0 } as const;

/** What a quick way ends in that gives up: -1, and nothing done. */
function givesUp({ nodes, result }: Block): boolean {
  return nodes.length === 0 && result !== undefined && isGivenUp(result);
}

function isGivenUp(value: Value): boolean {
  return value.op === "const" && value.type === "i32" && value.imm === gaveUp;
}

/** Where the piece of state of more than a word begins which has this byte, if there is one. */
function wideAt(front: FrontEnd, at: number): number | undefined {
  const { wide } = front;
  if (wide === undefined) return undefined;
  const start = at & ~7;
  if (wide.has(start)) return start;
  return wide.get(start - 8) === "v128" ? start - 8 : undefined;
}

/** The cells that a contained helper may touch: those it always does, and others. What its arguments are the places of is among the first. */
export function cellsOfCall(
  front: FrontEnd,
  helper: string,
  args: readonly Value[],
): { readonly own: ReadonlySet<number>; readonly others: ReadonlySet<number> } {
  const contained = front.contained?.[helper];
  if (contained === undefined) throw new Error(`a region cannot call ${helper}`);
  const own = new Set(contained.words.map(({ offset }) => offset));
  for (const arg of args) {
    const wide = arg.op === "const" ? wideAt(front, arg.imm) : undefined;
    if (wide !== undefined) own.add(wide);
  }
  return { own, others: new Set(contained.others?.map(({ offset }) => offset)) };
}
