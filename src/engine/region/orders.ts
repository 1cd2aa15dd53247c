import type { Node } from "../../ir/node.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { op } from "../wasm/opcodes.ts";

/*
 * A cell that is told how two numbers stand to one another, as a field of PowerPC's condition register is: 8 less, 4 greater, 2 equal, with other bits beside it. Most of
 * what is compared is asked for once, where it is compared, so what the cell holds is kept as the two numbers until somebody asks. The other bits are kept as what they
 * differ by from the outcome, so that any word can be kept so: v is the order of 0 and 0, which is 2, with v ^ 2 beside it.
 */

/** How x and y stand to one another, and the bits beside it. */
export interface Order {
  readonly x: Node;
  readonly y: Node;
  /** undefined: none. */
  readonly beside: Node | undefined;
  readonly signed: boolean;
}

/** How the numbers of a cell are compared. `shifted`: as unsigned ones, signed ones being moved up by half the range. */
export type Comparing = "signed" | "unsigned" | "shifted";

const half = 0x8000_0000 | 0;

function is(node: Node | undefined, n: number): boolean {
  return node?.op === "const" && node.type === "i32" && node.imm === n;
}

/** Whether a condition says that x = y, where it stands beside x < y. */
function equates({ op: name, args: [a, b] }: Node, x: Node, y: Node): boolean {
  if (name === "eqz") return a === x && is(y, 0);
  if (name !== "eq") return false;
  // x - y = 0 is x = y, and so it is written.
  return (a === x && b === y) || (x.op === "sub" && is(y, 0) && a === x.args[0] && b === x.args[1]);
}

/** The order that a node is, if it is one. */
export function orderOf(node: Node): Order | undefined {
  const outer = node.op === "or" ? node.args[0] : node;
  if (outer?.op !== "select") return undefined;
  const [less, eight, rest] = outer.args as [Node, Node, Node];
  if (!is(eight, 8) || rest.op !== "select" || !is(rest.args[1], 2) || !is(rest.args[2], 4)) return undefined;
  if (less.op !== "lt_s" && less.op !== "lt_u") return undefined;
  const [x, y] = less.args as [Node, Node];
  if (!equates(rest.args[0] as Node, x, y)) return undefined;
  return { x, y, beside: node.op === "or" ? node.args[1] : undefined, signed: less.op === "lt_s" };
}

/** How a cell's numbers are compared that are so far compared so, once it is told this order too. */
export function comparingAlso(before: Comparing | undefined, { signed }: Order): Comparing {
  const comparing = signed ? "signed" : "unsigned";
  return before === undefined || before === comparing ? comparing : "shifted";
}

/** The locals of such a cell, beside its own, in which is what stands beside the order. */
export interface OrderLocals {
  readonly x: number;
  readonly y: number;
  readonly comparing: Comparing;
}

/** Leaves one of the numbers of an order on the stack as the cell keeps it. */
export function emitNumber(out: Bytes, node: Node, signed: boolean, comparing: Comparing, value: () => void): void {
  const moved = signed && comparing === "shifted";
  if (moved && node.op === "const") out.u8(op.i32Const).s32(node.imm ^ half);
  else {
    value();
    if (moved) out.u8(op.i32Const).s32(half).u8(op.i32Xor);
  }
}

/** The word on the stack into the cell. */
export function emitWord(out: Bytes, cell: number, { x, y }: OrderLocals): void {
  out.u8(op.i32Const, 2, op.i32Xor, op.localSet).u32(cell);
  out.u8(op.i32Const, 0, op.localSet).u32(x).u8(op.i32Const, 0, op.localSet).u32(y);
}

function emitBoth(out: Bytes, { x, y }: OrderLocals): void {
  out.u8(op.localGet).u32(x).u8(op.localGet).u32(y);
}

/** Leaves the cell's word on the stack. */
export function emitOrder(out: Bytes, cell: number, order: OrderLocals): void {
  out.u8(op.i32Const, 8, op.i32Const, 2, op.i32Const, 4);
  emitBoth(out, order);
  out.u8(op.i32Eq, op.select);
  emitBoth(out, order);
  out.u8(order.comparing === "signed" ? op.i32LtS : op.i32LtU, op.select);
  out.u8(op.localGet).u32(cell).u8(op.i32Xor);
}

/** Leaves one bit of it on the stack, 1 to 3. */
export function emitBit(out: Bytes, cell: number, order: OrderLocals, bit: 1 | 2 | 3): void {
  emitBoth(out, order);
  const signed = order.comparing === "signed";
  if (bit === 1) out.u8(op.i32Eq);
  else if (bit === 3) out.u8(signed ? op.i32LtS : op.i32LtU);
  else out.u8(signed ? op.i32GtS : op.i32GtU);
  out.u8(op.localGet).u32(cell).u8(op.i32Const, bit, op.i32ShrU, op.i32Const, 1, op.i32And, op.i32Xor);
}
