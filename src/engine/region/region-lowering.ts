import { mayBeOne } from "../../ir/bits.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import { type Node, Status } from "../../ir/node.ts";
import type { Type } from "../../ir/ops.ts";
import type { EngineSlots } from "../../ir/slots.ts";
import { type Counted, counterOffset, countOne } from "../counters.ts";
import { emitFetchEntry, fetchTlb, record, tlb } from "../layout.ts";
import { RegionStatus } from "../loop.ts";
import { handlerParams, helperParams } from "../lower.ts";
import { Lowering, type Sum, sumOf } from "../lowering.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { noValue, op } from "../wasm/opcodes.ts";
import { pageOf, targetOf } from "./discover.ts";
import {
  cellsOfOrders,
  emitBit,
  emitNumber,
  emitOrder,
  emitWord,
  type Order,
  type OrderLocals,
  orderOf,
} from "./orders.ts";
import { type BuiltBlock, cellsOfCall, type Leaving, type Writes } from "./region-builder.ts";
import { type Span, spansOf, type Touch } from "./spans.ts";
import type { Scope } from "./structure.ts";

const [recordLocal, pcLocal] = [0, 1];
const bytesOf = { i32: 4, i64: 8, v128: 16 } as const;
const pageSize = 4096;

/** Nodes whose value is to be had once, in their place. */
const effects: ReadonlySet<string> = new Set(["load", "load_rw", "if", "call"]);

/** A block in its place in the region. */
export interface PlacedBlock {
  readonly offset: number;
  /** Where each of its instructions lies. */
  readonly instructions: readonly number[];
  readonly built: BuiltBlock;
  /** Instructions which may be begun from here before the budget is looked at again. */
  readonly need: number;
  /** Whether it is branched back to, or the region is entered here, so that the budget is looked at here. */
  readonly header: boolean;
  /** What follows when it falls through: a place. */
  readonly next: number | undefined;
  /** Whether the region is entered here. */
  readonly entered: boolean;
}

export interface RegionPlan {
  /** In their order. The first is none: it leads to the entries, and from jumps to addresses that are computed. */
  readonly blocks: readonly (PlacedBlock | undefined)[];
  readonly scopes: readonly Scope[];
  /** Edges `from>to`, by position, which go by way of the starts of loops. */
  readonly ways: ReadonlyMap<string, readonly number[]>;
  /** Positions of the blocks at which the region is entered. Entry k has label k + 1. */
  readonly entries: readonly number[];
  /** State words which it uses, and those among them which it writes. */
  readonly cells: readonly number[];
  readonly written: ReadonlySet<number>;
  /** Where the TLB lies for which it is made. */
  readonly tlb: number;
  /** Where the tables of records of its pages lie, and how many bits of an offset they leave out. */
  readonly tables: ReadonlyMap<number, number>;
  readonly shift: number;
  /** How its instructions were decoded. */
  readonly mode: number;
  readonly fetchTlb: number;
  /** The region's index in the table of handlers. */
  readonly index: number;
  /** Whether the TLB is asked for each access by itself. */
  readonly apart: boolean;
  /** Where the counters lie. */
  readonly counters: number;
}

/** Functions outside which a region calls or goes to. */
export interface RegionImports {
  /** Index of `enter(address, length, writing, region)`: 1 when the TLB has the page now. `region` is 0 for an access by itself. */
  readonly enter: number;
  /** Index of `chain(pc, region, page)`. */
  readonly chain: number;
  /** Type index of handlers. */
  readonly handlerType: number;
  readonly helper: (node: Node) => number;
}

/**
 * The function of a region: blocks under nested labels, state words in locals.
 *
 * It has the parameters and the result of a handler, whose place it takes in the records of its entries. The ways out write the words back: `exit` goes on
 * elsewhere, `faulted` tells of a fault, and `alone` is the way out in front of an entry's own instruction, which its own handler then does.
 */
export class RegionLowering extends Lowering {
  readonly #front: FrontEnd;
  readonly #slots: EngineSlots;
  readonly #plan: RegionPlan;
  readonly #imports: RegionImports;
  readonly #cells = new Map<number, number>();
  /** Of cells that hold the carries of sums: the sum's locals beside that of the cell, which is its first term. Carries are computed when somebody asks. */
  readonly #sums = new Map<number, { readonly y: number; readonly sum: number; readonly up?: number }>();
  /** Of cells that are told orders, where the two numbers are. */
  readonly #orders = new Map<number, OrderLocals>();
  readonly #positions = new Map<number, number>();
  /** Of a position which is entered, or is reached by way of a loop's start: its label. */
  readonly #labelOf = new Map<number, number>();
  /** At the start of a loop: where to go on to for each label. */
  readonly #crossings = new Map<number, Map<number, number>>();
  readonly #page: number;
  readonly #left: number;
  readonly #out: number;
  /** Where it is counted why it ends. */
  readonly #why: number;
  readonly #label: number;
  /** Of a helper that is called at the end: which one, its arguments, and the place behind its instruction. */
  readonly #which: number;
  readonly #arguments: readonly number[];
  readonly #behind: number;
  readonly #ending = new Map<number, number>();
  /** Open labels, innermost last: `exit`, `called`, `faulted`, `alone`, `if`, or a scope. */
  readonly #labels: (string | Scope)[] = [];
  /** Where the code of each block starts, by position, and where that behind the last one does: for listings. */
  readonly starts: number[] = [];
  #here = 0;
  #building: BuiltBlock | undefined;
  /** The accesses of the block at hand. */
  #touches: ReadonlyMap<Node, Touch> = new Map();
  /** The locals with where in the guest memory the spans begin that were asked for. */
  readonly #hosts = new Map<Span, number>();

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd, imports: RegionImports) {
    super(out, handlerParams.length);
    this.#front = front;
    this.#slots = front.slots;
    this.#plan = plan;
    this.#imports = imports;
    this.#page = this.local("i32");
    this.#left = this.local("i32");
    this.#out = this.local("i32");
    this.#why = this.local("i32");
    this.#label = this.local("i32");
    this.#which = this.local("i32");
    this.#arguments = helperParams.map(() => this.local("i32"));
    this.#behind = this.local("i32");
    for (const cell of plan.cells) this.#cells.set(cell, this.local(front.wide?.get(cell) ?? "i32"));
    for (const [cell, narrow] of cellsOfSums(plan)) {
      const parts = { y: this.local("i32"), sum: this.local("i32") };
      this.#sums.set(cell, narrow ? { ...parts, up: this.local("i32") } : parts);
    }
    for (const [cell, comparing] of cellsOfOrders(writesOf(plan)))
      this.#orders.set(cell, { x: this.local("i32"), y: this.local("i32"), comparing });
    for (const [k, block] of plan.blocks.entries()) if (block !== undefined) this.#positions.set(block.offset, k);
    this.keepLocals();
    this.#number();
  }

  /** Gives the labels out, and finds what has to be told apart at the starts of loops. */
  #number(): void {
    const { entries, ways } = this.#plan;
    for (const [k, position] of entries.entries()) this.#labelOf.set(position, k + 1);
    for (const [edge, way] of ways) {
      const to = Number(edge.slice(edge.indexOf(">") + 1));
      let label = this.#labelOf.get(to);
      if (label === undefined) {
        label = this.#labelOf.size + 1;
        this.#labelOf.set(to, label);
      }
      for (const [k, start] of way.entries()) {
        const crossing = this.#crossings.get(start) ?? new Map<number, number>();
        crossing.set(label, way[k + 1] ?? to);
        this.#crossings.set(start, crossing);
      }
    }
  }

  region(): void {
    const { out } = this;
    this.#enter();
    this.#open("exit", op.block);
    this.#open("called", op.block);
    this.#open("faulted", op.block);
    this.#open("alone", op.block);
    // Made for accesses under one privilege.
    this.#word(this.#slots.tlb.offset);
    out.u8(op.i32Const).s32(this.#plan.tlb).u8(op.i32Ne);
    this.#seldom();
    out.u8(op.localGet, pcLocal, op.localSet).u32(this.#out);
    this.#end("alone", "exits-privilege");
    this.#close();
    for (const [k, block] of this.#plan.blocks.entries()) this.#place(k, block);
    this.starts.push(out.length);
    this.#endScopes(this.#plan.blocks.length);
    // Nothing falls out of the last block.
    out.u8(op.unreachable, op.end);
    this.#labels.pop();
    countOne(out, this.#plan.counters + counterOffset("unchained-alone"));
    this.#leaveWith(RegionStatus.alone);
    this.#leaveWith(RegionStatus.faulted);
    this.#callAtEnd();
    this.#writeBack();
    out.u8(op.localGet).u32(this.#out).u8(op.i32Const).s32(this.#plan.index).u8(op.localGet).u32(this.#page);
    out.u8(op.returnCall).u32(this.#imports.chain);
  }

  /** The end of a way out which tells the loop something. */
  #leaveWith(status: number): void {
    const { out } = this;
    this.#writeBack();
    out.u8(op.i32Const, 0, op.localGet).u32(this.#out).u8(op.i32Store, 2).u32(this.#slots.pc.offset);
    out.u8(op.i32Const, status, op.return, op.end);
    this.#labels.pop();
  }

  /** The end with a helper: it finds the state as the interpreter would leave it, and says where to go on. */
  #callAtEnd(): void {
    const { out } = this;
    this.#labels.pop();
    if (this.#ending.size === 0) {
      out.u8(op.end);
      return;
    }
    this.#writeBack(false);
    out.u8(op.i32Const, 0, op.localGet).u32(this.#out).u8(op.i32Store, 2).u32(this.#slots.pc.offset);
    const status = this.#label;
    for (const [helper, which] of this.#ending) {
      out.u8(op.localGet).u32(this.#which).u8(op.i32Const).s32(which).u8(op.i32Eq, op.if, noValue);
      for (const argument of this.#arguments) out.u8(op.localGet).u32(argument);
      out.u8(op.call).u32(helper).u8(op.localSet).u32(status).u8(op.end);
    }
    out.u8(op.localGet).u32(status).u8(op.i32Const, Status.fault, op.i32Eq).hint(0).u8(op.if, noValue);
    countOne(out, this.#plan.counters + counterOffset("exits-fault"));
    out.u8(op.i32Const, RegionStatus.faulted, op.return, op.end);
    countOne(out, this.#plan.counters + counterOffset("exits-called"));
    this.#word(this.#slots.pc.offset);
    out.u8(op.localGet).u32(this.#behind);
    out.u8(op.localGet).u32(status).u8(op.i32Const, Status.jump, op.i32Eq, op.select);
    // No way from this region: it would go by the helper however the region were made.
    out.u8(op.i32Const, 0, op.localGet).u32(this.#page);
    out.u8(op.returnCall).u32(this.#imports.chain).u8(op.end);
  }

  #enter(): void {
    const { out } = this;
    // The loop counted the first instruction already.
    this.#word(this.#slots.budget.offset);
    out.u8(op.i32Const, 1, op.i32Add, op.localSet).u32(this.#left);
    // page = pc - (pc + fetchBase) mod 4096
    out.u8(op.localGet, pcLocal, op.localGet, pcLocal);
    this.#word(this.#slots.fetchBase.offset);
    out
      .u8(op.i32Add, op.i32Const)
      .s32(pageSize - 1)
      .u8(op.i32And, op.i32Sub);
    if (this.#many) this.#lessPages(() => out.u8(op.localGet, recordLocal));
    out.u8(op.localSet).u32(this.#page);
    for (const cell of this.#cells.keys()) this.#reload(cell);
    out.u8(op.localGet, recordLocal, op.i32Load8U, 0).u32(record.entry).u8(op.localSet).u32(this.#label);
  }

  /** Whether it lies on several pages. */
  get #many(): boolean {
    return this.#plan.tables.size > 1;
  }

  /** From the start of the page on which an entry lies to that of the first page. */
  #lessPages(entered: () => void): void {
    entered();
    this.out.u8(op.i32Load16S, 1).u32(record.page).u8(op.i32Const, 12, op.i32Shl, op.i32Sub);
  }

  #word(offset: number): void {
    this.out.u8(op.i32Const, 0, op.i32Load, 2).u32(offset);
  }

  /** @param counted whether it is known by now why it ends. */
  #writeBack(counted = true): void {
    const { out } = this;
    for (const cell of this.#plan.written) this.#putBack(cell);
    if (counted) {
      out.u8(op.localGet).u32(this.#why).u8(op.localGet).u32(this.#why);
      out.u8(op.i64Load, 3, 0, op.i64Const, 1, op.i64Add, op.i64Store, 3, 0);
    }
    // Begun: what the loop had left, with the first instruction that it counted, less what is left.
    const begun = this.#plan.counters + counterOffset("region-instructions");
    out.u8(op.i32Const, 0, op.i32Const, 0, op.i64Load, 3).u32(begun);
    this.#word(this.#slots.budget.offset);
    out.u8(op.i32Const, 1, op.i32Add, op.localGet).u32(this.#left).u8(op.i32Sub, op.i64ExtendI32U);
    out.u8(op.i64Add, op.i64Store, 3).u32(begun);
    out.u8(op.i32Const, 0, op.localGet).u32(this.#left).u8(op.i32Store, 2).u32(this.#slots.budget.offset);
  }

  #putBack(cell: number): void {
    this.out.u8(op.i32Const, 0);
    this.#getCell(cell);
    const type = this.#typeOf(cell);
    this.storeTo(type, bytesOf[type], 4, cell);
  }

  /** A cell from its place in the state. */
  #reload(cell: number): void {
    const type = this.#typeOf(cell);
    this.out.u8(op.i32Const, 0);
    this.loadFrom(type, bytesOf[type], 4, cell);
    this.#setCell(cell);
  }

  #typeOf(cell: number): "i32" | "i64" | "v128" {
    return this.#front.wide?.get(cell) ?? "i32";
  }

  #getCell(cell: number): void {
    const { out } = this;
    const local = this.#cells.get(cell) as number;
    const order = this.#orders.get(cell);
    if (order !== undefined) {
      emitOrder(out, local, order);
      return;
    }
    const parts = this.#sums.get(cell);
    if (parts === undefined) {
      out.u8(op.localGet).u32(local);
      return;
    }
    this.carries(local, parts.y, () => out.u8(op.localGet).u32(parts.sum));
    const { up } = parts;
    if (up !== undefined) this.placed(() => out.u8(op.localGet).u32(up));
  }

  /** The value on the stack into a cell. As a sum, v is v + v = 0: its carries are v. */
  #setCell(cell: number): void {
    const { out } = this;
    const local = this.#cells.get(cell) as number;
    const order = this.#orders.get(cell);
    if (order !== undefined) {
      emitWord(out, local, order);
      return;
    }
    const parts = this.#sums.get(cell);
    if (parts === undefined) {
      out.u8(op.localSet).u32(local);
      return;
    }
    out.u8(op.localTee).u32(local).u8(op.localSet).u32(parts.y);
    out.u8(op.i32Const, 0, op.localSet).u32(parts.sum);
    if (parts.up !== undefined) out.u8(op.i32Const, 0, op.localSet).u32(parts.up);
  }

  /**
   * The sum that a cell is given the carries of, where it is kept as one. Carries that are moved up and only wanted where the region is left have no local that says so:
   * they are computed there.
   */
  #sumFor(cell: number, value: Node): Sum | undefined {
    const parts = this.#sums.get(cell);
    const sum = parts && sumOf(value);
    return sum !== undefined && sum.up > 0 && parts?.up === undefined ? undefined : sum;
  }

  /** Of an access, the address that its span is counted from, if it asks for it; of what is put into cells, where that is carries, the sum's terms. */
  protected override used(node: Node): readonly Node[] {
    if (node.op === "set" || node.op === "jump") return this.#usedByWrite(node);
    const touch = this.#touches.get(node);
    if (touch === undefined) return node.args;
    const { head, base } = touch.span;
    return [...(head === node && base !== undefined ? [base] : []), ...node.args.slice(1)];
  }

  #usedByWrite(node: Node): readonly Node[] {
    const writes = this.#building?.writes.get(node);
    if (writes === undefined) return node.args;
    return [...(node.op === "jump" ? node.args.slice(0, 1) : []), ...this.#put(writes)];
  }

  /** The order that a cell is told, where it is kept as one and compares so. */
  #orderFor(cell: number, value: Node): Order | undefined {
    const parts = this.#orders.get(cell);
    const order = parts && orderOf(value);
    return order !== undefined && parts?.comparing === (order.signed ? "unsigned" : "signed") ? undefined : order;
  }

  #put({ cells, values }: Writes): Node[] {
    return values.flatMap((value, k) => {
      const order = this.#orderFor(cells[k] as number, value);
      if (order !== undefined) return [...(order.beside === undefined ? [] : [order.beside]), order.x, order.y];
      const sum = this.#sumFor(cells[k] as number, value);
      return sum === undefined ? [value] : [sum.x, sum.y, sum.sum];
    });
  }

  #open(label: string | Scope, opcode: number): void {
    this.#labels.push(label);
    this.out.u8(opcode, noValue);
  }

  /** An `if` for what seldom happens, so that V8 keeps it from costing anything where it does not. */
  #seldom(): void {
    this.out.hint(0);
    this.#open("if", op.if);
  }

  #close(): void {
    this.out.u8(op.end);
    this.#labels.pop();
  }

  #depth(label: string | Scope): number {
    return this.#labels.length - 1 - this.#labels.lastIndexOf(label);
  }

  /** A branch to a label, which must be open. */
  #branch(label: string | Scope): void {
    this.out.u8(op.br).u32(this.#depth(label));
  }

  /** A branch to a way out, and what it is counted as. */
  #end(label: "exit" | "faulted" | "alone", why: Counted): void {
    this.out
      .u8(op.i32Const)
      .s32(this.#plan.counters + counterOffset(why))
      .u8(op.localSet)
      .u32(this.#why);
    this.#branch(label);
  }

  /** The open scope that leads from here to a position. */
  #scopeTo(to: number): Scope {
    const found = this.#plan.scopes.findLast((s) =>
      to > this.#here
        ? s.kind === "block" && s.end === to && this.#labels.includes(s)
        : s.kind === "loop" && s.start === to,
    );
    if (found === undefined) throw new Error(`no way from block ${this.#here} to block ${to}`);
    return found;
  }

  /** What its locals hold, for listings: `cell` gives a name for a word of state. */
  localNames(cell: (offset: number) => string): ReadonlyMap<number, string> {
    return new Map([
      [recordLocal, "$record"],
      [pcLocal, "$pc"],
      [this.#page, "$page"],
      [this.#left, "$left"],
      [this.#out, "$out"],
      [this.#why, "$why"],
      [this.#label, "$label"],
      ...[...this.#cells].map(([offset, local]) => [local, `$${cell(offset)}`] as const),
    ]);
  }

  #place(k: number, block: PlacedBlock | undefined): void {
    const { out } = this;
    this.starts.push(out.length);
    this.#endScopes(k);
    for (const scope of this.#plan.scopes) {
      if (scope.start === k) this.#open(scope, scope.kind === "loop" ? op.loop : op.block);
    }
    this.#here = k;
    this.reuseLocals();
    this.#cross(k);
    if (block === undefined) return;
    if (this.#labelOf.has(k)) out.u8(op.i32Const, 0, op.localSet).u32(this.#label);
    const count = block.instructions.length;
    if (block.header) this.#askBudget(block);
    out.u8(op.localGet).u32(this.#left).u8(op.i32Const).s32(count).u8(op.i32Sub, op.localSet).u32(this.#left);
    this.#countUses(block.built);
    this.block(block.built.block);
    if (block.next !== undefined) this.#goTo(block.next, true);
  }

  /** Where labels part: at the front of the region, and at the starts of loops that are entered elsewhere too. */
  #cross(k: number): void {
    const { out } = this;
    const targets = new Map<number, number>();
    if (k === 0)
      for (const [j, position] of this.#plan.entries.entries())
        targets.set(j + 1, this.#plan.ways.get(`0>${position}`)?.[0] ?? position);
    else for (const [label, to] of this.#crossings.get(k) ?? []) targets.set(label, to);
    if (targets.size === 0) return;
    const most = Math.max(...targets.keys());
    this.#open("if", op.block);
    if (k === 0 && targets.size === 1) {
      const [to] = targets.values() as Iterable<number> as [number];
      if (to === 1) this.#close();
      else {
        this.#branch(this.#scopeTo(to));
        this.#close();
      }
      return;
    }
    if (k !== 0) out.u8(op.localGet).u32(this.#label).u8(op.i32Eqz, op.brIf, 0);
    out
      .u8(op.localGet)
      .u32(this.#label)
      .u8(op.brTable)
      .u32(most + 1);
    for (let label = 0; label <= most; label++) {
      const to = targets.get(label);
      out.u32(to === undefined || (k === 0 && to === 1) ? 0 : this.#depth(this.#scopeTo(to)));
    }
    out.u32(0);
    this.#close();
  }

  /** Out in front of a block, when what may run from here on could be more than there is. */
  #askBudget({ offset, need, entered }: PlacedBlock): void {
    const { out } = this;
    out.u8(op.localGet).u32(this.#left).u8(op.i32Const).s32(need).u8(op.i32LtU);
    this.#seldom();
    this.#setOut(offset);
    if (entered) {
      // The loop would come back here, so with something left the instruction is done now.
      out.u8(op.localGet).u32(this.#left);
      this.#open("if", op.if);
      this.#end("alone", "exits-budget");
      this.#close();
    }
    this.#end("exit", "exits-budget");
    this.#close();
  }

  #endScopes(k: number): void {
    for (let top = this.#labels.at(-1); typeof top === "object" && top.end === k; top = this.#labels.at(-1))
      this.#close();
  }

  /** Uses where control goes on count. What is wanted only to leave is computed there, unless it is an effect's value or needed anyway. */
  #countUses(built: BuiltBlock): void {
    const { block, leaving, pinned } = built;
    this.#building = built;
    this.#touches = spansOf(block, this.#front.readsWhatItMayWrite === true, this.#plan.apart);
    this.#hosts.clear();
    this.count(block);
    for (const [node, { writes }] of leaving) {
      const touch = this.#touches.get(node);
      if (touch !== undefined && touch.span.head !== node) continue;
      for (const value of this.#put(writes)) {
        if (this.uses.has(value) || effects.has(value.op) || pinned.has(value)) this.use(value);
      }
    }
  }

  /** To a known place: by a branch where there is one. `falling`: the next block in order needs none. */
  #goTo(offset: number, falling: boolean): void {
    const to = this.#positions.get(offset);
    if (to === undefined) {
      this.#setOut(offset);
      this.#end("exit", pageOf(offset) === pageOf(this.#block.offset) ? "exits-place" : "exits-page");
      return;
    }
    if (pageOf(offset) !== pageOf(this.#block.offset)) this.#askPage(offset);
    const [first] = this.#plan.ways.get(`${this.#here}>${to}`) ?? [];
    if (first !== undefined) {
      this.out
        .u8(op.i32Const)
        .s32(this.#labelOf.get(to) as number)
        .u8(op.localSet)
        .u32(this.#label);
    }
    const stop = first ?? to;
    if (falling && stop === this.#here + 1) return;
    this.#branch(this.#scopeTo(stop));
  }

  /** Out in front of a place on another page, unless that page is still the one which the region was made from. */
  #askPage(place: number): void {
    const { out } = this;
    const number = pageOf(place);
    const tag = this.local("i32");
    const entry = this.local("i32");
    out.u8(op.localGet).u32(this.#page);
    this.#word(this.#slots.fetchBase.offset);
    out
      .u8(op.i32Add, op.i32Const)
      .s32((number << 12) | this.#plan.mode)
      .u8(op.i32Add, op.localSet)
      .u32(tag);
    this.#fetchEntry(tag, entry);
    out.u8(op.localGet).u32(tag).u8(op.i32Ne);
    out
      .u8(op.localGet)
      .u32(entry)
      .u8(op.i32Load, 2)
      .u32(this.#plan.fetchTlb + fetchTlb.table);
    out
      .u8(op.i32Const)
      .s32(this.#plan.tables.get(number) as number)
      .u8(op.i32Ne, op.i32Or);
    this.#open("if", op.if);
    this.#setOut(place);
    this.#end("exit", "exits-page");
    this.#close();
  }

  /** Where an address in a local has its entry in the fetch TLB goes into a local; the entry's tag is left. */
  #fetchEntry(linear: number, entry: number): void {
    emitFetchEntry(this.out, linear, entry);
    this.out.u8(op.i32Load, 2).u32(this.#plan.fetchTlb + fetchTlb.tag);
  }

  /** To an address that has been computed: to an entry of this region, if one stands there, else out. */
  #goToComputed(): void {
    const { out } = this;
    const front = this.#plan.scopes.find((s) => s.kind === "loop" && s.start === 0);
    if (front === undefined) throw new Error("a region with computed jumps has no loop around it");
    const at = this.local("i32");
    if (this.#many) this.#recordAnywhere(at);
    else this.#recordHere(at);
    this.#open("if", op.if);
    out.u8(op.localGet).u32(at).u8(op.i32Load, 2).u32(record.handler);
    out.u8(op.i32Const).s32(this.#plan.index).u8(op.i32Eq);
    this.#open("if", op.if);
    out.u8(op.localGet).u32(at).u8(op.i32Load8U, 0).u32(record.entry).u8(op.localSet).u32(this.#label);
    if (this.#many) {
      // The same page may be mapped twice: then the region goes on where it has been jumped to.
      out.u8(op.localGet).u32(this.#out).u8(op.localGet).u32(this.#out);
      this.#word(this.#slots.fetchBase.offset);
      out
        .u8(op.i32Add, op.i32Const)
        .s32(pageSize - 1)
        .u8(op.i32And, op.i32Sub);
      this.#lessPages(() => out.u8(op.localGet).u32(at));
      out.u8(op.localSet).u32(this.#page);
    }
    this.#branch(front);
    this.#close();
    this.#close();
    this.#close();
    this.#end("exit", "exits-computed");
  }

  /** In an `if`, with the record there in a local and on the stack: of the address computed, on the one page that the region has. */
  #recordHere(at: number): void {
    const { out } = this;
    out.u8(op.localGet).u32(this.#out).u8(op.localGet).u32(this.#page).u8(op.i32Sub);
    out.u8(op.localTee).u32(at).u8(op.i32Const).s32(pageSize).u8(op.i32LtU);
    this.#open("if", op.if);
    out.u8(op.localGet).u32(at);
    if (this.#plan.shift === 0) out.u8(op.i32Const, 2, op.i32Shl);
    out
      .u8(op.i32Load, 2)
      .u32(this.#plan.tables.get(0) as number)
      .u8(op.localTee)
      .u32(at);
  }

  /** The same, on any page. */
  #recordAnywhere(at: number): void {
    const { out } = this;
    const entry = this.local("i32");
    out.u8(op.localGet).u32(this.#out);
    this.#word(this.#slots.fetchBase.offset);
    out.u8(op.i32Add, op.localSet).u32(at);
    this.#fetchEntry(at, entry);
    out.u8(op.localGet).u32(at).u8(op.i32Const).s32(-pageSize).u8(op.i32And, op.i32Const).s32(this.#plan.mode);
    out.u8(op.i32Or, op.i32Eq);
    this.#open("if", op.if);
    out
      .u8(op.localGet)
      .u32(entry)
      .u8(op.i32Load, 2)
      .u32(this.#plan.fetchTlb + fetchTlb.table);
    out
      .u8(op.localGet)
      .u32(at)
      .u8(op.i32Const)
      .s32(pageSize - 1 - ((1 << this.#plan.shift) - 1))
      .u8(op.i32And);
    if (this.#plan.shift === 0) out.u8(op.i32Const, 2, op.i32Shl);
    out.u8(op.i32Add, op.i32Load, 2, 0, op.localTee).u32(at);
  }

  #setOut(offset: number): void {
    this.out.u8(op.localGet).u32(this.#page).u8(op.i32Const).s32(offset).u8(op.i32Add, op.localSet).u32(this.#out);
  }

  /** In front of an instruction: what is not in its place goes there, and the instructions not done are given back. */
  #leave({ writes, index }: Leaving): void {
    const block = this.#block;
    this.#write(writes);
    this.#giveBack(block.instructions.length - index);
    this.#setOut(block.instructions[index] as number);
    this.#end(index === 0 && block.entered ? "alone" : "exit", "exits-handed");
  }

  /** Behind an instruction whose helper is the region's end. */
  #endWith(node: Node): void {
    const { out } = this;
    const { writes, index, behind } = this.#built.leaving.get(node) as Leaving;
    for (const arg of node.args) this.value(arg);
    for (let k = node.args.length - 1; k >= 0; k--) out.u8(op.localSet).u32(this.#arguments[k] as number);
    this.#write(writes);
    const { instructions } = this.#block;
    this.#giveBack(instructions.length - index - 1);
    this.#setOut(instructions[index] as number);
    out.u8(op.localGet).u32(this.#page).u8(op.i32Const).s32(behind).u8(op.i32Add, op.localSet).u32(this.#behind);
    const helper = this.#imports.helper(node);
    const which = this.#ending.get(helper) ?? this.#ending.size;
    this.#ending.set(helper, which);
    out.u8(op.i32Const).s32(which).u8(op.localSet).u32(this.#which);
    this.#branch("called");
  }

  #giveBack(count: number): void {
    if (count === 0) return;
    this.out.u8(op.localGet).u32(this.#left).u8(op.i32Const).s32(count).u8(op.i32Add, op.localSet).u32(this.#left);
  }

  #write({ cells, values }: Writes): void {
    const { out } = this;
    const sums = values.map((value, k) => this.#sumFor(cells[k] as number, value));
    const orders = values.map((value, k) => this.#orderFor(cells[k] as number, value));
    for (const [k, value] of values.entries()) {
      const [sum, order] = [sums[k], orders[k]];
      if (order !== undefined) this.#orderValues(order, this.#orders.get(cells[k] as number) as OrderLocals);
      else for (const node of sum === undefined ? [value] : [sum.x, sum.y, sum.sum]) this.value(node);
    }
    for (let k = cells.length - 1; k >= 0; k--) {
      const cell = cells[k] as number;
      const local = this.#cells.get(cell) as number;
      const sum = sums[k];
      const parts = this.#sums.get(cell);
      if (orders[k] !== undefined) {
        const { x, y } = this.#orders.get(cell) as OrderLocals;
        out.u8(op.localSet).u32(y).u8(op.localSet).u32(x).u8(op.localSet).u32(local);
      } else if (sum === undefined || parts === undefined) this.#setCell(cell);
      else {
        out.u8(op.localSet).u32(parts.sum).u8(op.localSet).u32(parts.y);
        out.u8(op.localSet).u32(local);
        if (parts.up !== undefined) out.u8(op.i32Const, sum.up, op.localSet).u32(parts.up);
      }
    }
  }

  /** What stands beside an order, and its numbers, stay on the stack. */
  #orderValues({ x, y, beside, signed }: Order, { comparing }: OrderLocals): void {
    if (beside === undefined) this.out.u8(op.i32Const, 0);
    else this.value(beside);
    for (const node of [x, y]) emitNumber(this.out, node, signed, comparing, () => this.value(node));
  }

  /** One bit of a cell that is kept as an order is a comparison. */
  protected override compute(node: Node): void {
    const [shifted, one] = node.args;
    if (node.op === "and" && one?.op === "const" && one.imm === 1 && shifted?.op === "shr_u") {
      const [word, by] = shifted.args as [Node, Node];
      const order = word.op === "get" && !this.#built.pinned.has(word) ? this.#orders.get(word.imm) : undefined;
      if (order !== undefined && by.op === "const" && by.imm >= 1 && by.imm <= 3 && this.uses.get(shifted) === 1) {
        emitBit(this.out, this.#cells.get(word.imm) as number, order, by.imm as 1 | 2 | 3);
        return;
      }
    }
    super.compute(node);
  }

  get #block(): PlacedBlock {
    return this.#plan.blocks[this.#here] as PlacedBlock;
  }

  get #built(): BuiltBlock {
    return this.#block.built;
  }

  protected override statement(node: Node): void {
    switch (node.op) {
      case "set": {
        const writes = this.#built.writes.get(node);
        if (writes !== undefined) this.#write(writes);
        else {
          this.out.u8(op.i32Const, 0);
          this.storeTo(this.#stored(node.args[0] as Node, node.width), node.width, 4, node.imm);
        }
        return;
      }
      case "get":
        if ((this.uses.get(node) ?? 0) === 0) return;
        // What is no cell lies in the state, where somebody may write it.
        if (this.#cells.has(node.imm) && !this.#built.pinned.has(node)) return;
        this.leaf(node);
        this.keep(node);
        return;
      case "load":
      case "load_rw":
        this.#load(node);
        return;
      case "store":
        this.#store(node);
        return;
      case "probe":
        this.#reach(node);
        this.out.u8(op.drop);
        return;
      case "call":
        this.#call(node);
        return;
      case "exit":
        if (node.helper !== "") this.#endWith(node);
        else this.#leave(this.#built.leaving.get(node) as Leaving);
        return;
      case "jump": {
        const target = targetOf(node);
        if (target === undefined) {
          this.value(node.args[0] as Node);
          this.out.u8(op.localSet).u32(this.#out);
        }
        this.#write(this.#built.writes.get(node) as Writes);
        if (target === undefined) this.#goToComputed();
        else this.#goTo(target, false);
        return;
      }
      case "if":
        if (this.#guard(node)) return;
        this.#labels.push("if");
        this.if(node);
        this.#labels.pop();
        return;
      case "const":
        return;
      default:
        this.pure(node);
    }
  }

  /** Out unless all of several conditions hold: a branch for each of them, and one way out. */
  #guard(node: Node): boolean {
    const [condition] = node.args;
    const all = condition?.op === "eqz" ? conditionsOf(condition.args[0] as Node) : [];
    if (all.length < 2 || node.no !== undefined || node.yes?.nodes.at(-1)?.op !== "exit") return false;
    if ([condition, ...all].some((c) => (this.uses.get(c as Node) ?? 0) > 1 && c === condition)) return false;
    const { out } = this;
    this.#open("if", op.block);
    this.#open("if", op.block);
    for (const [k, one] of all.entries()) {
      this.value(one);
      if (k < all.length - 1) out.u8(op.i32Eqz);
      out.hint(k < all.length - 1 ? 0 : 1).u8(op.brIf, k < all.length - 1 ? 0 : 1);
    }
    this.#close();
    this.arm(node.yes, undefined);
    this.#close();
    return true;
  }

  protected override leaf(node: Node): void {
    if (node.op === "pc") this.out.u8(op.localGet).u32(this.#page);
    else {
      if (this.#cells.has(node.imm)) this.#getCell(node.imm);
      else {
        this.out.u8(op.i32Const, 0);
        this.loadFrom(node.type as Type, node.width, 4, node.imm);
      }
    }
  }

  /** A contained helper: the words it uses lie in the state around the call, and so does the pc. */
  #call(node: Node): void {
    const { out } = this;
    const leaving = this.#built.leaving.get(node);
    const { own, others } = cellsOfCall(this.#front, node.helper, node.args);
    const cells = [...own, ...others].filter((offset) => this.#cells.has(offset));
    for (const cell of cells) if (this.#plan.written.has(cell)) this.#putBack(cell);
    for (const arg of node.args) this.value(arg);
    for (let k = node.args.length; k < helperParams.length; k++) out.u8(op.i32Const, 0);
    if (leaving !== undefined) {
      out.u8(op.i32Const, 0, op.localGet).u32(this.#page);
      out
        .u8(op.i32Const)
        .s32(this.#block.instructions[leaving.index] as number)
        .u8(op.i32Add, op.i32Store, 2)
        .u32(this.#slots.pc.offset);
    }
    out.u8(op.call).u32(this.#imports.helper(node));
    this.keep(node);
    for (const cell of cells) this.#reload(cell);
    if (leaving === undefined) return;
    this.#word(this.#slots.trap.offset);
    this.#seldom();
    this.#write(leaving.writes);
    this.#giveBack(this.#block.instructions.length - leaving.index - 1);
    this.#setOut(this.#block.instructions[leaving.index] as number);
    this.#end("faulted", "exits-fault");
    this.#close();
  }

  /**
   * Leaves on the stack where in the guest memory an access's span begins, and gives how far from there the access lies. The first access of a span makes sure
   * of it, or leaves the region.
   */
  #reach(node: Node): number {
    const { span, offset } = this.#touches.get(node) as Touch;
    const known = this.#hosts.get(span);
    if (known !== undefined) {
      this.out.u8(op.localGet).u32(known);
      return offset - span.low;
    }
    const { out } = this;
    const { writing, low, high } = span;
    const tag = writing ? tlb.write : tlb.read;
    const at = this.local("i32");
    const entry = this.local("i32");
    if (span.base === undefined) out.u8(op.i32Const).s32(low);
    else {
      this.value(span.base);
      if (low !== 0) out.u8(op.i32Const).s32(low).u8(op.i32Add);
    }
    out
      .u8(op.localTee)
      .u32(at)
      .u8(op.i32Const, 8, op.i32ShrU, op.i32Const)
      .s32((tlb.entries - 1) << 4)
      .u8(op.i32And, op.localSet)
      .u32(entry);
    this.pageOf(at, high - low);
    this.#entryWord(entry, tag);
    out.u8(op.i32Ne);
    this.#seldom();
    out
      .u8(op.localGet)
      .u32(at)
      .u8(op.i32Const)
      .s32(high - low)
      .u8(op.i32Const, writing ? 1 : 0, op.i32Const)
      .s32(span.count > 1 ? this.#plan.index : 0);
    out.u8(op.call).u32(this.#imports.enter).u8(op.i32Eqz);
    this.#open("if", op.if);
    this.#leave(this.#built.leaving.get(node) as Leaving);
    this.#close();
    this.#close();
    out.u8(op.localGet).u32(at);
    this.#entryWord(entry, tlb.addend);
    out.u8(op.i32Add);
    if (span.count > 1) {
      const host = this.local("i32");
      this.#hosts.set(span, host);
      out.u8(op.localTee).u32(host);
    }
    return offset - low;
  }

  #entryWord(entry: number, word: number): void {
    this.out
      .u8(op.localGet)
      .u32(entry)
      .u8(op.i32Load, 2)
      .u32(this.#plan.tlb + word);
  }

  #load(node: Node): void {
    const offset = this.#reach(node);
    this.loadFrom(this.loadType(node), node.width, 0, offset);
    this.keep(node);
  }

  /** Leaves what is to be stored on the stack, and gives its type. */
  #stored(value: Node, width: number): Type {
    if (width >= 4) return this.asItIs(value);
    this.value(value);
    return value.type as Type;
  }

  protected override loadType(node: Node): Type {
    return (node.width >= 4 ? this.numberType(node) : undefined) ?? (node.type as Type);
  }

  #store(node: Node): void {
    const offset = this.#reach(node);
    this.storeTo(this.#stored(node.args[1] as Node, node.width), node.width, 0, offset);
  }
}

/** What has to hold for an `and` of truth values to hold. */
function conditionsOf(node: Node): Node[] {
  if (node.op !== "and" || node.type !== "i32" || !node.args.every((arg) => mayBeOne(arg) === 1)) return [node];
  return node.args.flatMap(conditionsOf);
}

/** Cells which are given the carries of a sum somewhere in the region, and whether any of them are moved up. */
function cellsOfSums(plan: RegionPlan): Map<number, boolean> {
  const found = new Map<number, boolean>();
  for (const { cells, values } of writesOf(plan)) {
    for (const [k, value] of values.entries()) {
      const cell = cells[k] as number;
      const sum = sumOf(value);
      if (sum !== undefined) found.set(cell, found.get(cell) === true || sum.up > 0);
    }
  }
  return found;
}

/** All that is written in its blocks. */
function* writesOf({ blocks }: RegionPlan): Iterable<Writes> {
  for (const block of blocks) if (block !== undefined) yield* block.built.writes.values();
}
