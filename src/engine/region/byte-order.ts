import { armsOf, type Block, type Node } from "../../ir/node.ts";
import type { Bytes } from "../wasm/bytes.ts";
import { op } from "../wasm/opcodes.ts";

/*
 * WebAssembly has no instruction for bytes in the other order: of a word it takes two masks, two rotates and an `or`. A vector's bytes are put into any order at once, by
 * an operand which V8 keeps in a register, and what is loaded or stored may as well pass through one.
 */

/** Widths of what is put into the other order so. */
export type Reversed = "i32" | "i64";

/** Where each byte of a vector comes from; 128 gives 0. */
function sources(type: Reversed): number[] {
  const size = type === "i32" ? 4 : 8;
  return Array.from({ length: 16 }, (_, k) => (k < size ? size - 1 - k : 128));
}

/** Leaves the operand of `i8x16.swizzle` on the stack. */
export function emitOrderOf(out: Bytes, type: Reversed): void {
  out.u8(0xfd, 0x0c).append(sources(type));
}

/** The lowest lane of the vector on the stack into the other order, with the operand in a local. */
export function emitReverse(out: Bytes, order: number): void {
  out.u8(op.localGet).u32(order).u8(0xfd, 0x0e);
}

/** What of a block is loaded or stored in the other order. */
export interface Reversals {
  /** Of loads, the one node that wants their value, where that puts it into the other order. */
  readonly loads: ReadonlyMap<Node, Node>;
  /** Stores of what was put into the other order for them alone. */
  readonly stores: ReadonlySet<Node>;
}

/** @param uses how often each value is wanted */
export function reversalsOf(block: Block, uses: ReadonlyMap<Node, number>): Reversals {
  const loads = new Map<Node, Node>();
  const stores = new Set<Node>();
  eachNode(block, (node) => {
    const [x, value] = node.args;
    if (node.op === "bswap" && x?.op === "load" && uses.get(x) === 1 && uses.has(node)) loads.set(x, node);
    if (node.op !== "store" || value?.op !== "bswap" || uses.get(value) !== 1) return;
    const [stored] = value.args as [Node];
    // What was loaded in the other order is in it already.
    if (stored.op !== "const" && loads.get(stored) !== value) stores.add(node);
  });
  return { loads, stores };
}

/** Types of what is put into the other order in blocks. */
export function reversedIn(blocks: Iterable<Block>): Set<Reversed> {
  const found = new Set<Reversed>();
  for (const block of blocks)
    eachNode(block, ({ op: name, type }) => {
      if (name === "bswap") found.add(type as Reversed);
    });
  return found;
}

function eachNode({ nodes }: Block, see: (node: Node) => void): void {
  for (const node of nodes) {
    see(node);
    for (const arm of armsOf(node)) eachNode(arm, see);
  }
}
