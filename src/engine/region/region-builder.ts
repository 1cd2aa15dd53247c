import { mayBeOne } from "../../ir/bits.ts";
import type { Value } from "../../ir/builder.ts";
import { codeOf } from "../../ir/codes.ts";
import { type FrontEnd, gaveUp, quickWayOf } from "../../ir/frontend.ts";
import { type AccessWidth, type Block, Node } from "../../ir/node.ts";
import { NodeTable } from "../../ir/node-table.ts";
import type { Operation, Type } from "../../ir/ops.ts";
import type { Slot } from "../../ir/slots.ts";
import { oncePer } from "../once-per.ts";
import { cellsOfCall } from "./calls.ts";
import { CellBuilder, NotForRegions } from "./cell-builder.ts";
import type { Writes } from "./cell-values.ts";

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

/** One block of a region, built: its nodes and what belongs to some of them. The tables are those of the whole region. */
export interface BuiltBlock {
  readonly block: Block;
  /** Of nodes that touch guest memory, and of `exit`: what to do to leave in front of the instruction. */
  readonly leaving: NodeTable<Leaving>;
  /** The nodes of this block in it. */
  readonly leavers: readonly Node[];
  /** Of `set` and `jump` nodes: several cells at once. */
  readonly writes: NodeTable<Writes>;
  /** Those of this block. */
  readonly written: readonly Writes[];
  /** The cells which it reads, one as often as it does. */
  readonly read: readonly number[];
  /** `get` nodes whose cell is written while their value may still be wanted. */
  readonly pinned: NodeTable<true>;
}

/**
 * Builds the blocks of a region, of several instructions each. State words (cells) are values here, written to their places only where control leaves the
 * block. Whatever needs the world (a helper, a fault, a chip) leaves the region in front of its instruction, and the interpreter does it: so no body
 * that writes state before such a thing can be in a region.
 *
 * A front end has one, used again and again: `start` begins a region and `begin` a block.
 */
export class RegionBuilder extends CellBuilder {
  /** Values which are the address behind an instruction: one that is stored and jumped away from is where a call comes back to. */
  readonly links = new Set<Value>();
  #leaving = new NodeTable<Leaving>();
  #leavers: Node[] = [];
  #index = -1;
  #offset = 0;
  #length = 0;
  /** Values found again: see `unify`. Those of arms that are open lie above. */
  readonly #values: (Map<string, Value> | undefined)[] = [];
  #unifying = false;
  /** Whether what gives up is to leave the region. */
  #inside = false;
  /** Conditions which are known to hold from here on, and not to hold. */
  readonly #true = new Set<Value>();
  readonly #false = new Set<Value>();

  /** Begins a region: nodes are counted anew. */
  start(): void {
    this.renumber();
    this.startCells();
    this.#leaving = new NodeTable();
  }

  /** Begins a block, at whose start the steady word is taken for `steady`. */
  begin(steady: number): void {
    this.anew();
    this.beginCells(steady);
    this.#leavers = [];
    if (this.links.size > 0) this.links.clear();
    this.#index = -1;
    this.#values.length = 0;
    this.#values.push(undefined);
    this.#unifying = false;
    this.#inside = false;
    // Clearing a set makes it a new table.
    if (this.#true.size > 0) this.#true.clear();
    if (this.#false.size > 0) this.#false.clear();
  }

  /** The next instruction: its place on the page, its length, and its operands, which stand in `operands` from `from` on. */
  instruction(offset: number, length: number, operands: Int32Array, from = 0): void {
    this.#index++;
    this.#offset = offset;
    this.#length = length;
    this.wrote = false;
    this.#unifying = false;
    this.cells.dropScratch();
    this.operands(operands, from);
  }

  /** The block is complete: what is not in its place is put there. */
  finish(): BuiltBlock {
    const pending = this.cells.pending();
    if (pending.cells.length > 0) this.write(pending);
    return {
      block: this.block,
      leaving: this.#leaving,
      leavers: this.#leavers,
      writes: this.writes,
      written: this.writing,
      read: this.reading,
      pinned: this.pinned,
    };
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

  protected override coded(op: Operation, number: number, x: Value, y?: Value, z?: Value): Value {
    if (!this.#unifying) return super.coded(op, number, x, y, z);
    const key = `${op} ${keyOf(x)} ${y && keyOf(y)} ${z && keyOf(z)}`;
    for (const values of this.#values) {
      const found = values?.get(key);
      if (found !== undefined) return found;
    }
    const made = super.coded(op, number, x, y, z);
    const top = this.#values.length - 1;
    this.#values[top] ??= new Map();
    this.#values[top].set(key, made);
    return made;
  }

  /** The steady word is asked for by those who go on otherwise where it differs. */
  override get(slot: Slot): Value {
    return slot === this.front.steady ? this.#steadily(slot.offset) : super.get(slot);
  }

  #steadily(at: number): Value {
    const value = this.cell(at);
    if (value.op === "const" || !this.#unifying) return value;
    this.taken = this.steady;
    const taken = this.i32(this.taken);
    this.#require(this.eq(value, taken));
    if (this.armWrites === undefined) this.cells.learn(at, taken);
    return taken;
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
    const way = quickWayOf(this.front, helper, args[0]);
    if (way !== undefined && this.front.inside?.has(way)) {
      const value = this.#quick(way, args);
      if (!isGivenUp(value)) return value;
    }
    const contained = this.front.contained?.[helper];
    if (contained === undefined) {
      if (this.armWrites === undefined) throw new NotForRegions(`calls ${helper}`);
      this.exit(helper);
      return this.i32(0);
    }
    const { own, others } = cellsOfCall(this.front, helper, args);
    this.settle([...new Set([...own, ...others])]);
    for (const cell of own) this.touched.add(cell);
    this.writtenInArm([...others, ...own]);
    const node = this.node("call", "i32", args, 0, 4, helper);
    if (contained.faults === true) this.#leaves(node);
    if (contained.repeatable !== true) this.wrote = true;
    return node;
  }

  /** The quick way of a helper, in the region: where it gives up, the interpreter does the instruction. */
  #quick(name: string, args: readonly Value[]): Value {
    const outer = this.#inside;
    this.#inside = true;
    const value = this.front.quick?.[name]?.(this, args, noTlbs) as Value;
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
    if (this.armWrites === undefined) for (const one of open) this.#true.add(one);
  }

  override know(condition: Value): void {
    if (this.armWrites !== undefined) return;
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
    const called = this.armWrites === undefined && this.front.ending?.has(helper) === true;
    this.#leaves(called ? this.node("exit", undefined, args, 0, 4, helper) : this.node("exit", undefined, []));
  }

  /** The target is taken before what is pending is put in place: it may come from a cell which that changes. */
  override jump(target: Value): void {
    const pending = this.cells.pending();
    this.note(this.node("jump", undefined, [target, ...pending.values]), pending);
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: as in Builder
  override if(condition: Value, then: () => Value | void, otherwise?: () => Value | void): Value | undefined {
    if (condition.op === "const") return super.if(condition, then, otherwise);
    if (this.#true.has(condition)) return then() || undefined;
    if (this.#false.has(condition)) return otherwise?.() || undefined;
    const outer = this.armWrites;
    const written: number[] = [];
    this.armWrites = written;
    const wrote = this.wrote;
    const no = otherwise && this.#arm(otherwise);
    let wroteAfter = this.wrote;
    this.wrote = wrote;
    if (this.#inside && no !== undefined && givesUp(no)) {
      this.armWrites = outer;
      this.#require(condition);
      return then() || undefined;
    }
    const yes = this.#arm(then);
    wroteAfter ||= this.wrote;
    this.armWrites = outer;
    this.wrote = wroteAfter;
    this.settle(written);
    if (outer !== undefined) this.writtenInArm(written);
    const type = yes.result !== undefined && no?.result !== undefined ? yes.result.type : undefined;
    if (outer === undefined && no === undefined && yes.nodes.at(-1)?.op === "exit") this.#false.add(condition);
    return this.branch(type, condition, yes, no);
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: as in Builder
  #arm(build: () => Value | void): Block {
    const outer = this.open();
    const mark = this.cells.enter();
    this.#values.push(undefined);
    const value = build() || undefined;
    this.#values.pop();
    this.cells.leave(mark);
    return this.close(outer, value);
  }

  #leaves(node: Node): Node {
    if (this.wrote) throw new NotForRegions("may leave after it wrote state");
    const writes = this.cells.unwritten();
    this.#leaving.set(node, { writes, index: this.#index, behind: this.#offset + this.#length });
    this.#leavers.push(node);
    return node;
  }
}

const builderOf = oncePer((front: FrontEnd) => new RegionBuilder(front));

/** The one of a front end, to build a region. */
export function builderFor(front: FrontEnd): RegionBuilder {
  const builder = builderOf(front);
  builder.start();
  return builder;
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
