import type { FrontEnd } from "../../ir/frontend.ts";
import type { Node } from "../../ir/node.ts";
import type { EngineSlots } from "../../ir/slots.ts";
import { emitLoad, emitStore } from "../idioms.ts";
import { handlerParams } from "../lower.ts";
import { Lowering, movedUp, type Sum, sumOf } from "../lowering.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { op } from "../wasm/opcodes.ts";
import { type Reversed, swappedIn } from "./byte-order.ts";
import type { Writes } from "./cell-values.ts";
import {
  type Comparing,
  comparingAlso,
  emitNumber,
  emitOrder,
  emitWord,
  type Order,
  type OrderLocals,
  orderOf,
} from "./orders.ts";
import type { RegionPlan } from "./plan.ts";
import { reversedCells } from "./reversed-cells.ts";
import { type StateMap, stateMapOf } from "./state-map.ts";

const bytesOf = { i32: 4, i64: 8, v128: 16 } as const;

/** The locals of a sum beside that of the cell, which is its first term. */
interface SumLocals {
  readonly y: number;
  readonly sum: number;
  readonly up: number | undefined;
}

/** A word of state in a local, or what it follows from. */
export interface Cell {
  readonly local: number;
  readonly type: "i32" | "i64" | "v128";
  /** Of one that holds the carries of sums, which are computed when somebody asks. */
  sum: SumLocals | undefined;
  /** Of one that is told orders, where the two numbers are. */
  order: OrderLocals | undefined;
  /** Whether it is kept with its bytes in the other order. */
  reversed: boolean;
}

/** The cells of a region: words of state, most of them in locals, and some of these kept as what they follow from. */
export abstract class CellLowering extends Lowering {
  protected readonly front: FrontEnd;
  protected readonly slots: EngineSlots;
  protected readonly plan: RegionPlan;
  readonly #state: StateMap;
  protected readonly cells = new Map<number, Cell>();
  /** Types of what is put into the other order anywhere in the region. */
  protected readonly swapped = new Set<Reversed>();

  constructor(out: Bytes, plan: RegionPlan, front: FrontEnd) {
    super(out, handlerParams.length, nodesOf(plan));
    this.front = front;
    this.slots = front.slots;
    this.plan = plan;
    this.#state = stateMapOf(front);
    for (const at of plan.cells) {
      const type = this.#state.typeOf(at);
      this.cells.set(at, { local: this.local(type), type, sum: undefined, order: undefined, reversed: false });
    }
    for (const block of plan.blocks) if (block !== undefined) swappedIn(block.built.block, this.swapped);
    const { sums, orders } = keptOtherwise(plan);
    for (const [at, cell] of this.cells) {
      const narrow = sums.get(at);
      if (narrow !== undefined) {
        const [y, sum] = [this.local("i32"), this.local("i32")];
        cell.sum = { y, sum, up: narrow ? this.local("i32") : undefined };
      }
      const comparing = orders.get(at);
      if (comparing !== undefined) cell.order = { x: this.local("i32"), y: this.local("i32"), comparing };
    }
    if (!this.swapped.has("i32")) return;
    for (const at of reversedCells(plan)) {
      const cell = this.cells.get(at);
      if (cell?.sum === undefined && cell?.order === undefined && cell?.type === "i32") cell.reversed = true;
    }
  }

  /** One that has a local. */
  protected cell(at: number): Cell {
    return this.cells.get(at) as Cell;
  }

  protected word(offset: number): void {
    this.out.u8(op.i32Const, 0, op.i32Load, 2).u32(offset);
  }

  protected putBack(at: number): void {
    const cell = this.cell(at);
    this.out.u8(op.i32Const, 0);
    this.getCell(cell);
    emitStore(this.out, cell.type, bytesOf[cell.type], 4, at);
  }

  /** A cell from its place in the state. */
  protected reload(at: number): void {
    const cell = this.cell(at);
    this.out.u8(op.i32Const, 0);
    emitLoad(this.out, cell.type, bytesOf[cell.type], 4, at);
    this.#setCell(cell);
  }

  protected getCell({ local, order, sum, reversed }: Cell): void {
    const { out } = this;
    if (order !== undefined) emitOrder(out, local, order);
    else if (sum === undefined) {
      out.u8(op.localGet).u32(local);
      if (reversed) this.bswap("i32");
    } else {
      this.carries(local, sum.y, () => out.u8(op.localGet).u32(sum.sum));
      const { up } = sum;
      if (up !== undefined) this.placed(() => out.u8(op.localGet).u32(up));
    }
  }

  /** The value on the stack into a cell. As a sum, v is v + v = 0: its carries are v. */
  #setCell({ local, order, sum, reversed }: Cell): void {
    const { out } = this;
    if (order !== undefined) emitWord(out, local, order);
    else if (sum === undefined) {
      if (reversed) this.bswap("i32");
      out.u8(op.localSet).u32(local);
    } else {
      out.u8(op.localTee).u32(local).u8(op.localSet).u32(sum.y);
      out.u8(op.i32Const, 0, op.localSet).u32(sum.sum);
      if (sum.up !== undefined) out.u8(op.i32Const, 0, op.localSet).u32(sum.up);
    }
  }

  /**
   * The sum that a cell is given the carries of, where it is kept as one. Carries that are moved up and only wanted where the region is left have no local that says so:
   * they are computed there.
   */
  #sumFor(cell: Cell, value: Node): Sum | undefined {
    if (cell.sum === undefined) return undefined;
    const up = movedUp(value);
    return up === undefined || (up > 0 && cell.sum.up === undefined) ? undefined : sumOf(value);
  }

  /** The order that a cell is told, where it is kept as one and compares so. */
  #orderFor(cell: Cell, value: Node): Order | undefined {
    if (cell.order === undefined) return undefined;
    const order = orderOf(value);
    return order !== undefined && cell.order.comparing === (order.signed ? "unsigned" : "signed") ? undefined : order;
  }

  /** Shows the values that are computed to write cells. */
  protected put({ cells, values }: Writes, show: (value: Node) => void): void {
    for (let k = 0; k < cells.length; k++) {
      const cell = this.cells.get(cells[k] as number);
      const value = values[k] as Node;
      const order = cell && this.#orderFor(cell, value);
      const sum = order === undefined ? cell && this.#sumFor(cell, value) : undefined;
      if (order !== undefined) {
        if (order.beside !== undefined) show(order.beside);
        show(order.x);
        show(order.y);
      } else if (sum === undefined) show(cell !== undefined && isKept(cell, value) ? (value.args[0] as Node) : value);
      else {
        show(sum.x);
        show(sum.y);
        show(sum.sum);
      }
    }
  }

  /** All values are computed before the first cell is written: what one of them held may be what another is given. */
  protected write({ cells, values }: Writes): void {
    for (let k = 0; k < cells.length; k++) this.#computeFor(this.cells.get(cells[k] as number), values[k] as Node);
    for (let k = cells.length - 1; k >= 0; k--) this.#giveTo(cells[k] as number, values[k] as Node);
  }

  /** Leaves on the stack what a cell is given: of one that has no local, behind the address of the state. */
  #computeFor(cell: Cell | undefined, value: Node): void {
    if (cell === undefined) {
      this.out.u8(op.i32Const, 0);
      this.value(value);
      return;
    }
    const order = this.#orderFor(cell, value);
    if (order !== undefined) {
      this.#orderValues(order, cell.order as OrderLocals);
      return;
    }
    const sum = this.#sumFor(cell, value);
    if (sum === undefined) this.value(isKept(cell, value) ? (value.args[0] as Node) : value);
    else {
      this.value(sum.x);
      this.value(sum.y);
      this.value(sum.sum);
    }
  }

  /** What `computeFor` has left on the stack. */
  #giveTo(at: number, value: Node): void {
    const { out } = this;
    const cell = this.cells.get(at);
    if (cell === undefined) {
      const type = this.#state.typeOf(at);
      emitStore(out, type, bytesOf[type], 4, at);
      return;
    }
    const { local, sum, order } = cell;
    if (order !== undefined && this.#orderFor(cell, value) !== undefined)
      out.u8(op.localSet).u32(order.y).u8(op.localSet).u32(order.x).u8(op.localSet).u32(local);
    else if (isKept(cell, value)) out.u8(op.localSet).u32(local);
    else if (sum === undefined || this.#sumFor(cell, value) === undefined) this.#setCell(cell);
    else {
      out.u8(op.localSet).u32(sum.sum).u8(op.localSet).u32(sum.y);
      out.u8(op.localSet).u32(local);
      if (sum.up !== undefined) out.u8(op.i32Const, movedUp(value) as number, op.localSet).u32(sum.up);
    }
  }

  /** What stands beside an order, and its numbers, stay on the stack. */
  #orderValues({ x, y, beside, signed }: Order, { comparing }: OrderLocals): void {
    if (beside === undefined) this.out.u8(op.i32Const, 0);
    else this.value(beside);
    for (const node of [x, y]) emitNumber(this.out, node, signed, comparing, () => this.value(node));
  }
}

/** How high the nodes of a region are numbered, or about so: constants may be numbered higher than all that stands in a block. */
function nodesOf({ blocks }: RegionPlan): number {
  let most = 0;
  for (const block of blocks) most = Math.max(most, block?.built.block.nodes.at(-1)?.id ?? 0);
  return most + 64;
}

/** Whether what is put into a cell that is kept in the other order is so already. */
function isKept({ reversed }: Cell, value: Node): boolean {
  return reversed && value.op === "bswap";
}

/** Cells which are given the carries of a sum somewhere in the region, and whether any of them are moved up; and those which are told an order somewhere, and how. */
function keptOtherwise({ blocks }: RegionPlan): { sums: Map<number, boolean>; orders: Map<number, Comparing> } {
  const sums = new Map<number, boolean>();
  const orders = new Map<number, Comparing>();
  const see = ({ cells, values }: Writes) => {
    for (let k = 0; k < cells.length; k++) {
      const at = cells[k] as number;
      const value = values[k] as Node;
      const up = movedUp(value);
      if (up !== undefined) sums.set(at, sums.get(at) === true || up > 0);
      else {
        const order = orderOf(value);
        if (order !== undefined) orders.set(at, comparingAlso(orders.get(at), order));
      }
    }
  };
  for (const block of blocks) block?.built.written.forEach(see);
  return { sums, orders };
}
