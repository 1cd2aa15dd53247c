import { pageSize } from "../../bus/guest-memory.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import { type Counted, counterOffset } from "../counters.ts";
import { emitFetchEntry, fetchTlb, record } from "../layout.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { noValue, op } from "../wasm/opcodes.ts";
import { CellLowering } from "./cell-lowering.ts";
import { pageOf } from "./instructions.ts";
import type { PlacedBlock, RegionPlan } from "./plan.ts";
import type { Scope } from "./structure.ts";

/** The ways of a region: labels, branches to places that are known, and to addresses that are computed. */
export abstract class WayLowering extends CellLowering {
  /** Locals: where the first page starts, what is left of the budget, and where to go on outside. */
  protected readonly page: number;
  protected readonly left: number;
  protected readonly goal: number;
  /** Where it is counted why it ends. */
  protected readonly why: number;
  protected readonly label: number;
  /** Of a position which is entered, or is reached by way of a loop's start: its label. */
  protected readonly labelOf = new Map<number, number>();
  /** Open labels, innermost last: `exit`, `called`, `faulted`, `alone`, `stopped`, `if`, or a scope. */
  protected readonly labels: (string | Scope)[] = [];
  /** The position of the block at hand. */
  protected here = 0;
  readonly #positions = new Map<number, number>();
  /** At the start of a loop: where to go on to for each label. */
  readonly #crossings = new Map<number, Map<number, number>>();

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd) {
    super(out, plan, front);
    this.page = this.local("i32");
    this.left = this.local("i32");
    this.goal = this.local("i32");
    this.why = this.local("i32");
    this.label = this.local("i32");
    for (const [k, block] of plan.blocks.entries()) if (block !== undefined) this.#positions.set(block.offset, k);
    this.#number();
  }

  /** Gives the labels out, and finds what has to be told apart at the starts of loops. */
  #number(): void {
    const { entries, ways } = this.plan;
    for (const [k, position] of entries.entries()) this.labelOf.set(position, k + 1);
    for (const [edge, way] of ways) {
      const to = Number(edge.slice(edge.indexOf(">") + 1));
      let label = this.labelOf.get(to);
      if (label === undefined) {
        label = this.labelOf.size + 1;
        this.labelOf.set(to, label);
      }
      for (const [k, start] of way.entries()) {
        const crossing = this.#crossings.get(start) ?? new Map<number, number>();
        crossing.set(label, way[k + 1] ?? to);
        this.#crossings.set(start, crossing);
      }
    }
  }

  /** Whether it lies on several pages. */
  get #many(): boolean {
    return this.plan.tables.size > 1;
  }

  /** Where the first page starts, as seen from an entry: its pc and its record are in locals. The page that it lies on may be mapped twice. */
  protected setPage(pc: number, at: number): void {
    const { out } = this;
    // pc - (pc + fetchBase) mod 4096
    out.u8(op.localGet).u32(pc).u8(op.localGet).u32(pc);
    this.word(this.slots.fetchBase.offset);
    out
      .u8(op.i32Add, op.i32Const)
      .s32(pageSize - 1)
      .u8(op.i32And, op.i32Sub);
    if (this.#many)
      out.u8(op.localGet).u32(at).u8(op.i32Load16S, 1).u32(record.page).u8(op.i32Const, 12, op.i32Shl, op.i32Sub);
    out.u8(op.localSet).u32(this.page);
  }

  protected open(label: string | Scope, opcode: number): void {
    this.labels.push(label);
    this.out.u8(opcode, noValue);
  }

  /** An `if` for what seldom happens, so that V8 keeps it from costing anything where it does not. */
  protected seldom(): void {
    this.out.hint(0);
    this.open("if", op.if);
  }

  protected close(): void {
    this.out.u8(op.end);
    this.labels.pop();
  }

  #depth(label: string | Scope): number {
    return this.labels.length - 1 - this.labels.lastIndexOf(label);
  }

  /** A branch to a label, which must be open. */
  protected branch(label: string | Scope): void {
    this.out.u8(op.br).u32(this.#depth(label));
  }

  /** The same if what is on the stack is not 0. */
  protected branchIf(label: string | Scope): void {
    this.out.u8(op.brIf).u32(this.#depth(label));
  }

  /** Where something is counted. */
  protected counterAt(what: Counted): number {
    return this.plan.counters + counterOffset(what);
  }

  /** A branch to a way out, and what it is counted as. */
  protected end(label: "exit" | "faulted" | "alone", why: Counted): void {
    this.out.u8(op.i32Const).s32(this.counterAt(why)).u8(op.localSet).u32(this.why);
    this.branch(label);
  }

  /** How many labels lie between here and the open scope that leads to a position. */
  #depthTo(to: number): number {
    const { labels } = this;
    const onwards = to > this.here;
    for (let k = labels.length - 1; k >= 0; k--) {
      const scope = labels[k];
      if (typeof scope !== "object") continue;
      if (onwards ? scope.kind === "block" && scope.end === to : scope.kind === "loop" && scope.start === to)
        return labels.length - 1 - k;
    }
    throw new Error(`no way from block ${this.here} to block ${to}`);
  }

  /** A branch to a position. */
  protected branchTo(to: number): void {
    this.out.u8(op.br).u32(this.#depthTo(to));
  }

  /** From one position to another, where the way between them does not lead there at once: the first position on it. */
  #stopBefore(from: number, to: number): number | undefined {
    const { ways } = this.plan;
    return ways.size === 0 ? undefined : ways.get(`${from}>${to}`)?.[0];
  }

  /** Where labels part: at the front of the region, and at the starts of loops that are entered elsewhere too. */
  protected cross(k: number): void {
    const { out } = this;
    const targets = new Map<number, number>();
    if (k === 0)
      for (const [j, position] of this.plan.entries.entries())
        targets.set(j + 1, this.#stopBefore(0, position) ?? position);
    else for (const [label, to] of this.#crossings.get(k) ?? []) targets.set(label, to);
    if (targets.size === 0) return;
    const most = Math.max(...targets.keys());
    this.open("if", op.block);
    if (k === 0 && targets.size === 1) {
      const [to] = targets.values() as Iterable<number> as [number];
      if (to === 1) this.close();
      else {
        this.branchTo(to);
        this.close();
      }
      return;
    }
    if (k !== 0) out.u8(op.localGet).u32(this.label).u8(op.i32Eqz, op.brIf, 0);
    out
      .u8(op.localGet)
      .u32(this.label)
      .u8(op.brTable)
      .u32(most + 1);
    for (let label = 0; label <= most; label++) {
      const to = targets.get(label);
      out.u32(to === undefined || (k === 0 && to === 1) ? 0 : this.#depthTo(to));
    }
    out.u32(0);
    this.close();
  }

  protected endScopes(k: number): void {
    for (let top = this.labels.at(-1); typeof top === "object" && top.end === k; top = this.labels.at(-1)) this.close();
  }

  /** To a known place: by a branch where there is one. `falling`: the next block in order needs none. */
  protected goTo(offset: number, falling: boolean): void {
    const to = this.#positions.get(offset);
    if (to === undefined) {
      this.setOut(offset);
      this.end("exit", pageOf(offset) === pageOf(this.current.offset) ? "exits-place" : "exits-page");
      return;
    }
    if (pageOf(offset) !== pageOf(this.current.offset)) this.#askPage(offset);
    const first = this.#stopBefore(this.here, to);
    if (first !== undefined) {
      this.out
        .u8(op.i32Const)
        .s32(this.labelOf.get(to) as number)
        .u8(op.localSet)
        .u32(this.label);
    }
    const stop = first ?? to;
    if (falling && stop === this.here + 1) return;
    this.branchTo(stop);
  }

  /** Out in front of a place on another page, unless that page is still the one which the region was made from. */
  #askPage(place: number): void {
    const { out } = this;
    const number = pageOf(place);
    const tag = this.local("i32");
    const entry = this.local("i32");
    out.u8(op.localGet).u32(this.page);
    this.word(this.slots.fetchBase.offset);
    out
      .u8(op.i32Add, op.i32Const)
      .s32((number << 12) | this.plan.mode)
      .u8(op.i32Add, op.localSet)
      .u32(tag);
    this.#fetchEntry(tag, entry);
    out.u8(op.localGet).u32(tag).u8(op.i32Ne);
    this.#tableIn(entry);
    out
      .u8(op.i32Const)
      .s32(this.plan.tables.get(number) as number)
      .u8(op.i32Ne, op.i32Or);
    this.open("if", op.if);
    this.setOut(place);
    this.end("exit", "exits-page");
    this.close();
  }

  /** Where an address in a local has its entry in the fetch TLB goes into a local; the entry's tag is left. */
  #fetchEntry(linear: number, entry: number): void {
    emitFetchEntry(this.out, linear, entry);
    this.out.u8(op.i32Load, 2).u32(this.plan.fetchTlb + fetchTlb.tag);
  }

  /** Leaves the table that an entry of the fetch TLB leads to. */
  #tableIn(entry: number): void {
    this.out
      .u8(op.localGet)
      .u32(entry)
      .u8(op.i32Load, 2)
      .u32(this.plan.fetchTlb + fetchTlb.table);
  }

  /** To an address that has been computed: to an entry of this region, if one stands there, else out. */
  protected goToComputed(): void {
    const { out } = this;
    const front = this.plan.scopes.find((s) => s.kind === "loop" && s.start === 0);
    if (front === undefined) throw new Error("a region with computed jumps has no loop around it");
    const at = this.local("i32");
    if (this.#many) this.#recordAnywhere(at);
    else this.#recordHere(at);
    this.open("if", op.if);
    out.u8(op.localGet).u32(at).u8(op.i32Load, 2).u32(record.handler);
    out.u8(op.i32Const).s32(this.plan.index).u8(op.i32Eq);
    this.open("if", op.if);
    out.u8(op.localGet).u32(at).u8(op.i32Load8U, 0).u32(record.entry).u8(op.localSet).u32(this.label);
    if (this.#many) this.setPage(this.goal, at);
    this.branch(front);
    this.close();
    this.close();
    this.close();
    this.end("exit", "exits-computed");
  }

  /** In an `if`, with the record there in a local and on the stack: of the address computed, on the one page that the region has. */
  #recordHere(at: number): void {
    const { out } = this;
    out.u8(op.localGet).u32(this.goal).u8(op.localGet).u32(this.page).u8(op.i32Sub);
    out.u8(op.localTee).u32(at).u8(op.i32Const).s32(pageSize).u8(op.i32LtU);
    this.open("if", op.if);
    out.u8(op.localGet).u32(at);
    if (this.plan.shift === 0) out.u8(op.i32Const, 2, op.i32Shl);
    out
      .u8(op.i32Load, 2)
      .u32(this.plan.tables.get(0) as number)
      .u8(op.localTee)
      .u32(at);
  }

  /** The same, on any page. */
  #recordAnywhere(at: number): void {
    const { out } = this;
    const entry = this.local("i32");
    out.u8(op.localGet).u32(this.goal);
    this.word(this.slots.fetchBase.offset);
    out.u8(op.i32Add, op.localSet).u32(at);
    this.#fetchEntry(at, entry);
    out.u8(op.localGet).u32(at).u8(op.i32Const).s32(-pageSize).u8(op.i32And, op.i32Const).s32(this.plan.mode);
    out.u8(op.i32Or, op.i32Eq);
    this.open("if", op.if);
    this.#tableIn(entry);
    out
      .u8(op.localGet)
      .u32(at)
      .u8(op.i32Const)
      .s32(pageSize - 1 - ((1 << this.plan.shift) - 1))
      .u8(op.i32And);
    if (this.plan.shift === 0) out.u8(op.i32Const, 2, op.i32Shl);
    out.u8(op.i32Add, op.i32Load, 2, 0, op.localTee).u32(at);
  }

  protected setOut(offset: number): void {
    this.out.u8(op.localGet).u32(this.page).u8(op.i32Const).s32(offset).u8(op.i32Add, op.localSet).u32(this.goal);
  }

  protected takeBudget(count: number): void {
    this.out.u8(op.localGet).u32(this.left).u8(op.i32Const).s32(count).u8(op.i32Sub, op.localSet).u32(this.left);
  }

  protected giveBack(count: number): void {
    if (count === 0) return;
    this.out.u8(op.localGet).u32(this.left).u8(op.i32Const).s32(count).u8(op.i32Add, op.localSet).u32(this.left);
  }

  protected get current(): PlacedBlock {
    return this.plan.blocks[this.here] as PlacedBlock;
  }
}
