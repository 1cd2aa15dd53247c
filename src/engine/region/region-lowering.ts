import type { Node } from "../../ir/node.ts";
import { Status } from "../../ir/node.ts";
import type { Type } from "../../ir/ops.ts";
import type { EngineSlots } from "../../ir/slots.ts";
import { record, tlb } from "../layout.ts";
import { handlerParams } from "../lower.ts";
import { Lowering } from "../lowering.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { noValue, op } from "../wasm/opcodes.ts";
import { targetOf } from "./discover.ts";
import type { BuiltBlock, Leaving, Writes } from "./region-builder.ts";
import type { Scope } from "./structure.ts";

const [recordLocal, pcLocal] = [0, 1];

/** Nodes whose value is to be had once, in their place. */
const effects: ReadonlySet<string> = new Set(["load", "load_rw", "if"]);

/** A block in its place in the region. */
export interface PlacedBlock {
  readonly offset: number;
  /** Where each of its instructions lies on the page. */
  readonly instructions: readonly number[];
  readonly built: BuiltBlock;
  /** Instructions which may be begun from here before the budget is looked at again. */
  readonly need: number;
  /** Whether it is branched back to, so that the budget is looked at here. */
  readonly header: boolean;
  /** What follows when it falls through: a place on the page. */
  readonly next: number | undefined;
}

export interface RegionPlan {
  readonly blocks: readonly PlacedBlock[];
  readonly scopes: readonly Scope[];
  /** Edges `from>to`, by position, which cannot be branches. */
  readonly refused: ReadonlySet<string>;
  /** Where calls inside come back to. */
  readonly returns: readonly number[];
  readonly cells: readonly number[];
}

/** Functions outside which a region calls or goes to. */
export interface RegionImports {
  /** Index of `enter(address, width, writing)`: 1 when the TLB has the page now. */
  readonly enter: number;
  /** Type index of handlers. */
  readonly handlerType: number;
}

/**
 * The function of a region: blocks under nested labels, state words in locals.
 *
 * It has the parameters and the result of a handler, whose place it takes in the record of its first instruction. Every way out goes through
 * `exit`, which writes the words back; `retry` is the one way out in front of the first instruction itself, which its own handler then does.
 */
export class RegionLowering extends Lowering {
  readonly #slots: EngineSlots;
  readonly #plan: RegionPlan;
  readonly #imports: RegionImports;
  readonly #cells = new Map<number, number>();
  readonly #page: number;
  readonly #left: number;
  readonly #tlb: number;
  readonly #out: number;
  /** Open labels, innermost last: `exit`, `retry`, `if`, or a scope. */
  readonly #labels: (string | Scope)[] = [];
  #here = 0;

  constructor(out: Bytes, plan: RegionPlan, slots: EngineSlots, imports: RegionImports) {
    super(out, handlerParams.length);
    this.#slots = slots;
    this.#plan = plan;
    this.#imports = imports;
    this.#page = this.local("i32");
    this.#left = this.local("i32");
    this.#tlb = this.local("i32");
    this.#out = this.local("i32");
    for (const cell of plan.cells) this.#cells.set(cell, this.local("i32"));
  }

  region(): void {
    const { out } = this;
    const [entry] = this.#plan.blocks as readonly [PlacedBlock];
    this.#enter(entry);
    this.#open("exit", op.block);
    this.#open("retry", op.block);
    for (const [k, block] of this.#plan.blocks.entries()) this.#place(k, block);
    this.#endScopes(this.#plan.blocks.length);
    // Nothing falls out of the last block.
    out.u8(op.unreachable, op.end);
    this.#labels.pop();
    this.#writeBack(-1);
    out.u8(op.localGet, recordLocal, op.localGet).u32(this.#out);
    this.#original();
    out.u8(op.end);
    this.#labels.pop();
    this.#writeBack(0);
    out.u8(op.i32Const, 0, op.localGet).u32(this.#out).u8(op.i32Store, 2).u32(this.#slots.pc.offset);
    out.u8(op.i32Const, Status.jump);
  }

  #enter(entry: PlacedBlock): void {
    const { out } = this;
    // The loop counted the first instruction already.
    out.u8(op.i32Const, 0, op.i32Load, 2).u32(this.#slots.budget.offset);
    out.u8(op.i32Const, 1, op.i32Add, op.localTee).u32(this.#left);
    out.u8(op.i32Const).s32(entry.need).u8(0x49, op.if, noValue);
    out.u8(op.localGet, recordLocal, op.localGet, pcLocal);
    this.#original();
    out.u8(op.end);
    out.u8(op.localGet, pcLocal, op.i32Const).s32(entry.offset).u8(op.i32Sub, op.localSet).u32(this.#page);
    out.u8(op.i32Const, 0, op.i32Load, 2).u32(this.#slots.tlb.offset).u8(op.localSet).u32(this.#tlb);
    for (const [cell, local] of this.#cells) out.u8(op.i32Const, 0, op.i32Load, 2).u32(cell).u8(op.localSet).u32(local);
  }

  /** Goes to the handler of the first instruction, whose index the record keeps. */
  #original(): void {
    this.out.u8(op.localGet, recordLocal, op.i32Load, 2).u32(record.original);
    this.out.u8(0x13).u32(this.#imports.handlerType).u8(0);
  }

  #writeBack(count: number): void {
    const { out } = this;
    for (const [cell, local] of this.#cells)
      out.u8(op.i32Const, 0, op.localGet).u32(local).u8(op.i32Store, 2).u32(cell);
    out
      .u8(op.i32Const, 0, op.localGet)
      .u32(this.#left)
      .u8(op.i32Const)
      .s32(count)
      .u8(op.i32Add, op.i32Store, 2)
      .u32(this.#slots.budget.offset);
  }

  #open(label: string | Scope, opcode: number): void {
    this.#labels.push(label);
    this.out.u8(opcode, noValue);
  }

  /** A branch to a label, which must be open. */
  #branch(label: string | Scope): void {
    this.out.u8(op.br).u32(this.#labels.length - 1 - this.#labels.lastIndexOf(label));
  }

  #place(k: number, block: PlacedBlock): void {
    const { out } = this;
    this.#endScopes(k);
    for (const scope of this.#plan.scopes) {
      if (scope.start === k) this.#open(scope, scope.kind === "loop" ? op.loop : op.block);
    }
    this.#here = k;
    const count = block.instructions.length;
    if (block.header) {
      out.u8(op.localGet).u32(this.#left).u8(op.i32Const).s32(block.need).u8(0x49);
      this.#open("if", op.if);
      this.#goOut(block.offset);
      this.#close();
    }
    out.u8(op.localGet).u32(this.#left).u8(op.i32Const).s32(count).u8(op.i32Sub, op.localSet).u32(this.#left);
    this.#countUses(block.built);
    this.block(block.built.block);
    if (block.next !== undefined) this.#goTo(block.next, true);
  }

  #endScopes(k: number): void {
    for (let top = this.#labels.at(-1); typeof top === "object" && top.end === k; top = this.#labels.at(-1))
      this.#close();
  }

  #close(): void {
    this.out.u8(op.end);
    this.#labels.pop();
  }

  /** Uses where control goes on count. What is wanted only to leave is computed there, unless it is an effect's value or needed anyway. */
  #countUses({ block, leaving, pinned }: BuiltBlock): void {
    this.count(block);
    for (const { writes } of leaving.values()) {
      for (const value of writes.values) {
        if (this.uses.has(value) || effects.has(value.op) || pinned.has(value)) this.use(value);
      }
    }
  }

  /** To a place on the page: by a branch where there is one. `falling`: the next block in order needs none. */
  #goTo(offset: number, falling: boolean): void {
    const to = this.#plan.blocks.findIndex((block) => block.offset === offset);
    if (to < 0 || this.#plan.refused.has(`${this.#here}>${to}`)) {
      this.#goOut(offset);
      return;
    }
    if (falling && to === this.#here + 1) return;
    const scope = this.#plan.scopes.findLast((s) =>
      to > this.#here
        ? s.kind === "block" && s.end === to && this.#labels.includes(s)
        : s.kind === "loop" && s.start === to && this.#labels.includes(s),
    );
    if (scope === undefined) this.#goOut(offset);
    else this.#branch(scope);
  }

  /** To an address that has been computed: to where a call inside comes back, if that is it, else out. */
  #comeBack(): void {
    const { out } = this;
    for (const offset of this.#plan.returns) {
      out
        .u8(op.localGet)
        .u32(this.#out)
        .u8(op.localGet)
        .u32(this.#page)
        .u8(op.i32Const)
        .s32(offset)
        .u8(op.i32Add, op.i32Eq);
      this.#open("if", op.if);
      this.#goTo(offset, false);
      this.#close();
    }
    this.#branch("exit");
  }

  /** Out of the region, to a place on the page. */
  #goOut(offset: number): void {
    this.out.u8(op.localGet).u32(this.#page).u8(op.i32Const).s32(offset).u8(op.i32Add, op.localSet).u32(this.#out);
    this.#branch("exit");
  }

  /** In front of an instruction: what is not in its place goes there, and the instructions not done are given back. */
  #leave({ writes, index }: Leaving): void {
    const { out } = this;
    const block = this.#plan.blocks[this.#here] as PlacedBlock;
    this.#write(writes);
    const back = block.instructions.length - index;
    out.u8(op.localGet).u32(this.#left).u8(op.i32Const).s32(back).u8(op.i32Add, op.localSet).u32(this.#left);
    const offset = block.instructions[index] as number;
    if (this.#here === 0 && index === 0) {
      out.u8(op.localGet).u32(this.#page).u8(op.i32Const).s32(offset).u8(op.i32Add, op.localSet).u32(this.#out);
      this.#branch("retry");
    } else this.#goOut(offset);
  }

  #write({ cells, values }: Writes): void {
    for (const value of values) this.value(value);
    for (const cell of [...cells].reverse()) this.out.u8(op.localSet).u32(this.#cells.get(cell) as number);
  }

  get #built(): BuiltBlock {
    return (this.#plan.blocks[this.#here] as PlacedBlock).built;
  }

  protected override statement(node: Node): void {
    switch (node.op) {
      case "set":
        this.#write(this.#built.writes.get(node) as Writes);
        return;
      case "get":
        if (!this.#built.pinned.has(node) || (this.uses.get(node) ?? 0) === 0) return;
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
        this.#reach(node, tlb.write);
        return;
      case "exit":
        this.#leave(this.#built.leaving.get(node) as Leaving);
        return;
      case "jump": {
        const target = targetOf(node);
        if (target === undefined) {
          this.value(node.args[0] as Node);
          this.out.u8(op.localSet).u32(this.#out);
        }
        this.#write(this.#built.writes.get(node) as Writes);
        if (target === undefined) this.#comeBack();
        else this.#goTo(target, false);
        return;
      }
      case "if":
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

  protected override leaf(node: Node): void {
    if (node.op === "pc") this.out.u8(op.localGet).u32(this.#page);
    else if (node.type === "i32") this.out.u8(op.localGet).u32(this.#cells.get(node.imm) as number);
    else {
      this.out.u8(op.i32Const, 0);
      this.loadFrom(node.type as Type, node.width, 4, node.imm);
    }
  }

  protected override tlbStart(): void {
    this.out.u8(op.localGet).u32(this.#tlb);
  }

  /** The entry for an address in the TLB, or out of the region. */
  #reach(node: Node, tag: number): { at: number; entry: number } {
    const { out } = this;
    const found = this.lookUp(node.args[0] as Node, node.width, tag);
    out.u8(op.i32Eqz);
    this.#open("if", op.if);
    out
      .u8(op.localGet)
      .u32(found.at)
      .u8(op.i32Const)
      .s32(node.width)
      .u8(op.i32Const, tag === tlb.write ? 1 : 0);
    out.u8(op.call).u32(this.#imports.enter).u8(op.i32Eqz);
    this.#open("if", op.if);
    this.#leave(this.#built.leaving.get(node) as Leaving);
    this.#close();
    this.#close();
    return found;
  }

  #load(node: Node): void {
    const { at, entry } = this.#reach(node, node.op === "load_rw" ? tlb.write : tlb.read);
    this.host(at, entry);
    this.loadFrom(node.type as Type, node.width, 0, 0);
    this.keep(node);
  }

  #store(node: Node): void {
    const value = node.args[1] as Node;
    const { at, entry } = this.#reach(node, tlb.write);
    this.host(at, entry);
    this.value(value);
    this.storeTo(value.type as Type, node.width, 0, 0);
  }
}
