import { codeSet } from "../../ir/codes.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import { type Node, Status } from "../../ir/node.ts";
import type { Type } from "../../ir/ops.ts";
import { countOne } from "../counters.ts";
import { emitLoad, emitStore } from "../idioms.ts";
import { record } from "../layout.ts";
import { RegionStatus } from "../loop.ts";
import { helperParams } from "../lower.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { noValue, op } from "../wasm/opcodes.ts";
import { cellsOfCall } from "./calls.ts";
import type { Writes } from "./cell-values.ts";
import { GuardLowering } from "./guard-lowering.ts";
import { targetOf } from "./instructions.ts";
import { emitBit } from "./orders.ts";
import type { PlacedBlock, RegionImports, RegionPlan } from "./plan.ts";
import type { BuiltBlock, Leaving } from "./region-builder.ts";
import type { Stop } from "./stop-lowering.ts";

const [recordLocal, pcLocal] = [0, 1];

/** Nodes whose value is to be had once, in their place. */
const effects = codeSet(["load", "load_rw", "if", "call"]);
/** Those that touch guest memory, and those that may write cells. */
const touching = codeSet(["load", "load_rw", "store", "probe"]);
const writing = codeSet(["set", "jump"]);
/** What is done where it stands; all else is only computed. */
const statements = codeSet(["set", "get", "load", "load_rw", "store", "probe", "call", "exit", "jump", "if", "const"]);

/**
 * The function of a region: blocks under nested labels, state words in locals.
 *
 * It has the parameters and the result of a handler, whose place it takes in the records of its entries. The ways out write the words back: `exit` goes on
 * elsewhere, `faulted` tells of a fault, and `alone` is the way out in front of an entry's own instruction, which its own handler then does.
 */
export class RegionLowering extends GuardLowering {
  /** Of a helper that is called at the end: which one, its arguments, and the place behind its instruction. */
  readonly #which: number;
  readonly #arguments: readonly number[];
  readonly #behind: number;
  readonly #ending = new Map<number, number>();
  /** Where the code of each block starts, by position, and where that behind the last one does: for listings. */
  readonly starts: number[] = [];
  #building: BuiltBlock | undefined;
  /** How many scopes have been opened: they stand in the order in which they begin. */
  #opened = 0;
  readonly #useOne = (node: Node) => this.use(node);

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd, imports: RegionImports) {
    super(out, plan, front, imports);
    this.#which = this.local("i32");
    this.#arguments = helperParams.map(() => this.local("i32"));
    this.#behind = this.local("i32");
    this.keepLocals();
  }

  region(): void {
    const { out } = this;
    this.#enter();
    this.open("exit", op.block);
    this.open("called", op.block);
    this.open("faulted", op.block);
    this.open("alone", op.block);
    this.open("stopped", op.block);
    // Made for accesses under one privilege.
    this.word(this.slots.tlb.offset);
    out.u8(op.i32Const).s32(this.plan.tlb).u8(op.i32Ne);
    this.seldom();
    out.u8(op.localGet, pcLocal, op.localSet).u32(this.goal);
    this.end("alone", "exits-privilege");
    this.close();
    for (const [k, block] of this.plan.blocks.entries()) this.#place(k, block);
    this.starts.push(out.length);
    this.endScopes(this.plan.blocks.length);
    // Nothing falls out of the last block.
    out.u8(op.unreachable);
    this.close();
    this.endStopped(this.imports.span);
    this.close();
    countOne(out, this.counterAt("unchained-alone"));
    this.#leaveWith(RegionStatus.alone);
    this.#leaveWith(RegionStatus.faulted);
    this.#callAtEnd();
    this.#writeBack();
    out.u8(op.localGet).u32(this.goal).u8(op.i32Const).s32(this.plan.index).u8(op.localGet).u32(this.page);
    out.u8(op.returnCall).u32(this.imports.chain);
  }

  /** The end of a way out which tells the loop something. */
  #leaveWith(status: number): void {
    const { out } = this;
    this.#writeBack();
    out.u8(op.i32Const, 0, op.localGet).u32(this.goal).u8(op.i32Store, 2).u32(this.slots.pc.offset);
    out.u8(op.i32Const, status, op.return, op.end);
    this.labels.pop();
  }

  /** The end with a helper: it finds the state as the interpreter would leave it, and says where to go on. */
  #callAtEnd(): void {
    const { out } = this;
    this.labels.pop();
    if (this.#ending.size === 0) {
      out.u8(op.end);
      return;
    }
    this.#writeBack(false);
    out.u8(op.i32Const, 0, op.localGet).u32(this.goal).u8(op.i32Store, 2).u32(this.slots.pc.offset);
    const status = this.label;
    for (const [helper, which] of this.#ending) {
      out.u8(op.localGet).u32(this.#which).u8(op.i32Const).s32(which).u8(op.i32Eq, op.if, noValue);
      for (const argument of this.#arguments) out.u8(op.localGet).u32(argument);
      out.u8(op.call).u32(helper).u8(op.localSet).u32(status).u8(op.end);
    }
    out.u8(op.localGet).u32(status).u8(op.i32Const, Status.fault, op.i32Eq).hint(0).u8(op.if, noValue);
    countOne(out, this.counterAt("exits-fault"));
    out.u8(op.i32Const, RegionStatus.faulted, op.return, op.end);
    countOne(out, this.counterAt("exits-called"));
    this.word(this.slots.pc.offset);
    out.u8(op.localGet).u32(this.#behind);
    out.u8(op.localGet).u32(status).u8(op.i32Const, Status.jump, op.i32Eq, op.select);
    // No way from this region: it would go by the helper however the region were made.
    out.u8(op.i32Const, 0, op.localGet).u32(this.page);
    out.u8(op.returnCall).u32(this.imports.chain).u8(op.end);
  }

  #enter(): void {
    const { out } = this;
    // The loop counted the first instruction already.
    this.word(this.slots.budget.offset);
    out.u8(op.i32Const, 1, op.i32Add, op.localSet).u32(this.left);
    this.setPage(pcLocal, recordLocal);
    for (const cell of this.cells.keys()) this.reload(cell);
    this.prepare();
    out.u8(op.localGet, recordLocal, op.i32Load8U, 0).u32(record.entry).u8(op.localSet).u32(this.label);
  }

  /** @param counted whether it is known by now why it ends. */
  #writeBack(counted = true): void {
    const { out } = this;
    for (const cell of this.plan.written) this.putBack(cell);
    if (counted) {
      out.u8(op.localGet).u32(this.why).u8(op.localGet).u32(this.why);
      out.u8(op.i64Load, 3, 0, op.i64Const, 1, op.i64Add, op.i64Store, 3).u8(0);
    }
    // Begun: what the loop had left, with the first instruction that it counted, less what is left.
    const begun = this.counterAt("region-instructions");
    out.u8(op.i32Const, 0, op.i32Const, 0, op.i64Load, 3).u32(begun);
    this.word(this.slots.budget.offset);
    out.u8(op.i32Const, 1, op.i32Add, op.localGet).u32(this.left).u8(op.i32Sub, op.i64ExtendI32U);
    out.u8(op.i64Add, op.i64Store, 3).u32(begun);
    out.u8(op.i32Const, 0, op.localGet).u32(this.left).u8(op.i32Store, 2).u32(this.slots.budget.offset);
  }

  /** Of an access, the address that its span is counted from, if it asks for it; of what is put into cells, where that is carries, the sum's terms. */
  protected override countUsed(node: Node): void {
    const { args } = node;
    const writes = writing[node.code] === 1 ? this.#building?.writes.get(node) : undefined;
    if (writes !== undefined) {
      if (node.op === "jump") this.use(args[0] as Node);
      this.put(writes, this.#useOne);
      return;
    }
    const touch = touching[node.code] === 1 ? this.touches.get(node.id) : undefined;
    if (touch === undefined) {
      for (const arg of args) this.use(arg);
      return;
    }
    const { head, base } = touch.span;
    if (head === node && base !== undefined) this.use(base);
    if (args.length > 1) this.use(args[1] as Node);
  }

  /** What its locals hold, for listings: `cell` gives a name for a word of state. */
  localNames(cell: (offset: number) => string): ReadonlyMap<number, string> {
    return new Map([
      [recordLocal, "$record"],
      [pcLocal, "$pc"],
      [this.page, "$page"],
      [this.left, "$left"],
      [this.goal, "$out"],
      [this.why, "$why"],
      [this.label, "$label"],
      ...[...this.cells].map(([offset, { local }]) => [local, `$${cell(offset)}`] as const),
    ]);
  }

  #place(k: number, block: PlacedBlock | undefined): void {
    const { out } = this;
    this.starts.push(out.length);
    this.endScopes(k);
    const { scopes } = this.plan;
    for (let scope = scopes[this.#opened]; scope?.start === k; scope = scopes[++this.#opened])
      this.open(scope, scope.kind === "loop" ? op.loop : op.block);
    this.here = k;
    this.reuseLocals();
    this.cross(k);
    if (block === undefined) return;
    if (this.labelOf.has(k)) out.u8(op.i32Const, 0, op.localSet).u32(this.label);
    const count = block.instructions.length;
    if (block.header) this.#askBudget(block);
    this.#countUses(block.built);
    this.run(block);
    this.takeBudget(count);
    this.block(block.built.block);
    if (block.next !== undefined) this.goTo(block.next, true);
  }

  /** Out in front of a block, when what may run from here on could be more than there is. */
  #askBudget({ offset, need, entered }: PlacedBlock): void {
    this.out.u8(op.localGet).u32(this.left).u8(op.i32Const).s32(need).u8(op.i32LtU);
    this.seldom();
    this.sayStop({ offset, undone: 0, alone: entered, why: "budget" });
    this.branch("stopped");
    this.close();
  }

  /** Uses where control goes on count. What is wanted only to leave is computed there, unless it is an effect's value or needed anyway. */
  #countUses(built: BuiltBlock): void {
    const { block, leaving, leavers, pinned } = built;
    this.#building = built;
    this.gather(built);
    this.count(block);
    const useIfHad = (value: Node) => {
      if (this.usesOf(value) > 0 || effects[value.code] === 1 || pinned.has(value)) this.use(value);
    };
    for (const node of leavers) {
      const { writes } = leaving.get(node) as Leaving;
      const touch = this.touches.get(node.id);
      if (touch === undefined || touch.span.head === node) this.put(writes, useIfHad);
    }
    this.reverse(built);
    this.defer(block);
  }

  protected override leaveAt(node: Node, why?: Stop["why"]): void {
    const { writes, index } = this.#built.leaving.get(node) as Leaving;
    const { instructions, entered } = this.current;
    const offset = instructions[index] as number;
    this.sayStop({ offset, undone: instructions.length - index, alone: index === 0 && entered, why });
    this.write(writes);
    this.branch("stopped");
  }

  /** Behind an instruction whose helper is the region's end. */
  #endWith(node: Node): void {
    const { out } = this;
    const { writes, index, behind } = this.#built.leaving.get(node) as Leaving;
    for (const arg of node.args) this.value(arg);
    for (let k = node.args.length - 1; k >= 0; k--) out.u8(op.localSet).u32(this.#arguments[k] as number);
    this.write(writes);
    const { instructions } = this.current;
    this.giveBack(instructions.length - index - 1);
    this.setOut(instructions[index] as number);
    out.u8(op.localGet).u32(this.page).u8(op.i32Const).s32(behind).u8(op.i32Add, op.localSet).u32(this.#behind);
    const helper = this.imports.helper(node);
    const which = this.#ending.get(helper) ?? this.#ending.size;
    this.#ending.set(helper, which);
    out.u8(op.i32Const).s32(which).u8(op.localSet).u32(this.#which);
    this.branch("called");
  }

  /** One bit of a cell that is kept as an order is a comparison; a cell that is kept in the other order is so already. */
  protected override compute(node: Node): void {
    const [shifted, one] = node.args;
    if (node.op === "bswap" && this.isReversed(shifted as Node)) {
      this.out.u8(op.localGet).u32(this.cell((shifted as Node).imm).local);
      return;
    }
    if (node.op === "and" && one?.op === "const" && one.imm === 1 && shifted?.op === "shr_u") {
      const [word, by] = shifted.args as [Node, Node];
      const cell = word.op === "get" && !this.#built.pinned.has(word) ? this.cells.get(word.imm) : undefined;
      const order = cell?.order;
      if (
        cell !== undefined &&
        order !== undefined &&
        by.op === "const" &&
        by.imm >= 1 &&
        by.imm <= 3 &&
        this.usesOf(shifted) === 1
      ) {
        emitBit(this.out, cell.local, order, by.imm as 1 | 2 | 3);
        return;
      }
    }
    super.compute(node);
  }

  protected override isReversed(node: Node): boolean {
    return node.op === "get" && this.cells.get(node.imm)?.reversed === true && !this.#built.pinned.has(node);
  }

  get #built(): BuiltBlock {
    return this.current.built;
  }

  protected override statement(node: Node): void {
    if (statements[node.code] === 0) {
      this.pure(node);
      return;
    }
    switch (node.op) {
      case "set": {
        const writes = this.#built.writes.get(node);
        if (writes !== undefined) this.write(writes);
        else {
          this.out.u8(op.i32Const, 0);
          emitStore(this.out, this.stored(node.args[0] as Node, node.width), node.width, 4, node.imm);
        }
        return;
      }
      case "get":
        if (this.usesOf(node) === 0) return;
        // What is no cell lies in the state, where somebody may write it.
        if (this.cells.has(node.imm) && !this.#built.pinned.has(node)) return;
        this.leaf(node);
        this.keep(node);
        return;
      case "load":
      case "load_rw":
        this.load(node);
        return;
      case "store":
        this.store(node);
        return;
      case "probe":
        this.reach(node);
        this.out.u8(op.drop);
        return;
      case "call":
        this.#call(node);
        return;
      case "exit":
        if (node.helper !== "") this.#endWith(node);
        else this.leaveAt(node);
        return;
      case "jump": {
        const target = targetOf(node);
        if (target === undefined) {
          this.value(node.args[0] as Node);
          this.out.u8(op.localSet).u32(this.goal);
        }
        this.write(this.#built.writes.get(node) as Writes);
        if (target === undefined) this.goToComputed();
        else this.goTo(target, false);
        return;
      }
      case "if":
        if (this.guard(node)) return;
        this.labels.push("if");
        this.if(node);
        this.labels.pop();
        return;
    }
  }

  protected override leaf(node: Node): void {
    if (node.op === "pc") this.out.u8(op.localGet).u32(this.page);
    else {
      const cell = this.cells.get(node.imm);
      if (cell !== undefined) this.getCell(cell);
      else {
        this.out.u8(op.i32Const, 0);
        emitLoad(this.out, node.type as Type, node.width, 4, node.imm);
      }
    }
  }

  /** A contained helper: the words it uses lie in the state around the call, and so does the pc. */
  #call(node: Node): void {
    const { out } = this;
    const leaving = this.#built.leaving.get(node);
    const { own, others } = cellsOfCall(this.front, node.helper, node.args);
    const cells = [...own, ...others].filter((offset) => this.cells.has(offset));
    for (const cell of cells) if (this.plan.written.has(cell)) this.putBack(cell);
    for (const arg of node.args) this.value(arg);
    for (let k = node.args.length; k < helperParams.length; k++) out.u8(op.i32Const, 0);
    if (leaving !== undefined) {
      out.u8(op.i32Const, 0, op.localGet).u32(this.page);
      out
        .u8(op.i32Const)
        .s32(this.current.instructions[leaving.index] as number)
        .u8(op.i32Add, op.i32Store, 2)
        .u32(this.slots.pc.offset);
    }
    out.u8(op.call).u32(this.imports.helper(node));
    this.keep(node);
    for (const cell of cells) this.reload(cell);
    if (leaving === undefined) return;
    this.word(this.slots.trap.offset);
    this.seldom();
    this.leaveAt(node, "fault");
    this.close();
  }
}
