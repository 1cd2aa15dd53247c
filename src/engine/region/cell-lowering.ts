import type { FrontEnd } from "../../ir/frontend.ts";
import type { Node } from "../../ir/node.ts";
import type { EngineSlots } from "../../ir/slots.ts";
import { emitLoad, emitStore } from "../idioms.ts";
import { handlerParams } from "../lower.ts";
import { Lowering, type Sum, sumOf } from "../lowering.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { op } from "../wasm/opcodes.ts";
import type { Writes } from "./cell-values.ts";
import { cellsOfOrders, emitNumber, emitOrder, emitWord, type Order, type OrderLocals, orderOf } from "./orders.ts";
import type { RegionPlan } from "./plan.ts";
import { reversedCells } from "./reversed-cells.ts";

const bytesOf = { i32: 4, i64: 8, v128: 16 } as const;

/** The cells of a region: words of state in locals, some of them kept as what they follow from. */
export abstract class CellLowering extends Lowering {
  protected readonly front: FrontEnd;
  protected readonly slots: EngineSlots;
  protected readonly plan: RegionPlan;
  protected readonly cells = new Map<number, number>();
  /** Of cells that hold the carries of sums: the sum's locals beside that of the cell, which is its first term. Carries are computed when somebody asks. */
  readonly #sums = new Map<number, { readonly y: number; readonly sum: number; readonly up?: number }>();
  /** Of cells that are told orders, where the two numbers are. */
  protected readonly orders = new Map<number, OrderLocals>();

  /** Cells that are kept with their bytes in the other order. */
  protected readonly reversed: ReadonlySet<number>;

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd) {
    super(out, handlerParams.length);
    this.front = front;
    this.slots = front.slots;
    this.plan = plan;
    for (const cell of plan.cells) this.cells.set(cell, this.local(front.wide?.get(cell) ?? "i32"));
    for (const [cell, narrow] of cellsOfSums(plan)) {
      const parts = { y: this.local("i32"), sum: this.local("i32") };
      this.#sums.set(cell, narrow ? { ...parts, up: this.local("i32") } : parts);
    }
    for (const [cell, comparing] of cellsOfOrders(writesOf(plan)))
      this.orders.set(cell, { x: this.local("i32"), y: this.local("i32"), comparing });
    const plain = plan.cells.filter(
      (cell) => !this.#sums.has(cell) && !this.orders.has(cell) && !front.wide?.has(cell),
    );
    this.reversed = reversedCells(plan, new Set(plain));
  }

  protected word(offset: number): void {
    this.out.u8(op.i32Const, 0, op.i32Load, 2).u32(offset);
  }

  protected putBack(cell: number): void {
    this.out.u8(op.i32Const, 0);
    this.getCell(cell);
    const type = this.typeOf(cell);
    emitStore(this.out, type, bytesOf[type], 4, cell);
  }

  /** A cell from its place in the state. */
  protected reload(cell: number): void {
    const type = this.typeOf(cell);
    this.out.u8(op.i32Const, 0);
    emitLoad(this.out, type, bytesOf[type], 4, cell);
    this.setCell(cell);
  }

  protected typeOf(cell: number): "i32" | "i64" | "v128" {
    return this.front.wide?.get(cell) ?? "i32";
  }

  protected getCell(cell: number): void {
    const { out } = this;
    const local = this.cells.get(cell) as number;
    const order = this.orders.get(cell);
    if (order !== undefined) {
      emitOrder(out, local, order);
      return;
    }
    const parts = this.#sums.get(cell);
    if (parts === undefined) {
      out.u8(op.localGet).u32(local);
      if (this.reversed.has(cell)) this.bswap("i32");
      return;
    }
    this.carries(local, parts.y, () => out.u8(op.localGet).u32(parts.sum));
    const { up } = parts;
    if (up !== undefined) this.placed(() => out.u8(op.localGet).u32(up));
  }

  /** The value on the stack into a cell. As a sum, v is v + v = 0: its carries are v. */
  protected setCell(cell: number): void {
    const { out } = this;
    const local = this.cells.get(cell) as number;
    const order = this.orders.get(cell);
    if (order !== undefined) {
      emitWord(out, local, order);
      return;
    }
    const parts = this.#sums.get(cell);
    if (parts === undefined) {
      if (this.reversed.has(cell)) this.bswap("i32");
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
  protected sumFor(cell: number, value: Node): Sum | undefined {
    const parts = this.#sums.get(cell);
    const sum = parts && sumOf(value);
    return sum !== undefined && sum.up > 0 && parts?.up === undefined ? undefined : sum;
  }

  /** The order that a cell is told, where it is kept as one and compares so. */
  protected orderFor(cell: number, value: Node): Order | undefined {
    const parts = this.orders.get(cell);
    const order = parts && orderOf(value);
    return order !== undefined && parts?.comparing === (order.signed ? "unsigned" : "signed") ? undefined : order;
  }

  protected put({ cells, values }: Writes): Node[] {
    return values.flatMap((value, k) => {
      const order = this.orderFor(cells[k] as number, value);
      if (order !== undefined) return [...(order.beside === undefined ? [] : [order.beside]), order.x, order.y];
      const sum = this.sumFor(cells[k] as number, value);
      return sum === undefined ? [this.#asKept(cells[k] as number, value)] : [sum.x, sum.y, sum.sum];
    });
  }

  /** Of what is put into a cell that is kept in the other order, what it is already. */
  #asKept(cell: number, value: Node): Node {
    return value.op === "bswap" && this.reversed.has(cell) ? (value.args[0] as Node) : value;
  }

  protected write({ cells, values }: Writes): void {
    const { out } = this;
    const kept = values.map((value, k) => this.#asKept(cells[k] as number, value));
    const sums = values.map((value, k) => this.sumFor(cells[k] as number, value));
    const orders = values.map((value, k) => this.orderFor(cells[k] as number, value));
    for (const [k, sum] of sums.entries()) {
      const order = orders[k];
      if (order !== undefined) this.orderValues(order, this.orders.get(cells[k] as number) as OrderLocals);
      else for (const node of sum === undefined ? [kept[k] as Node] : [sum.x, sum.y, sum.sum]) this.value(node);
    }
    for (let k = cells.length - 1; k >= 0; k--) {
      const cell = cells[k] as number;
      const local = this.cells.get(cell) as number;
      const sum = sums[k];
      const parts = this.#sums.get(cell);
      if (orders[k] !== undefined) {
        const { x, y } = this.orders.get(cell) as OrderLocals;
        out.u8(op.localSet).u32(y).u8(op.localSet).u32(x).u8(op.localSet).u32(local);
      } else if (kept[k] !== values[k]) out.u8(op.localSet).u32(local);
      else if (sum === undefined || parts === undefined) this.setCell(cell);
      else {
        out.u8(op.localSet).u32(parts.sum).u8(op.localSet).u32(parts.y);
        out.u8(op.localSet).u32(local);
        if (parts.up !== undefined) out.u8(op.i32Const, sum.up, op.localSet).u32(parts.up);
      }
    }
  }

  /** What stands beside an order, and its numbers, stay on the stack. */
  protected orderValues({ x, y, beside, signed }: Order, { comparing }: OrderLocals): void {
    if (beside === undefined) this.out.u8(op.i32Const, 0);
    else this.value(beside);
    for (const node of [x, y]) emitNumber(this.out, node, signed, comparing, () => this.value(node));
  }
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
  for (const block of blocks) if (block !== undefined) yield* block.built.written;
}
