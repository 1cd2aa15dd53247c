import { codeOf } from "../../ir/codes.ts";
import type { Block, Node } from "../../ir/node.ts";
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

/** What of a block is loaded or stored in the other order, by the numbers of nodes. */
export interface Reversals {
  /** Of loads, the one node that wants their value, where that puts it into the other order. */
  readonly loads: ReadonlyMap<number, Node>;
  /** Stores of what was put into the other order for them alone. */
  readonly stores: ReadonlySet<number>;
}

const swap = codeOf("bswap");
const store = codeOf("store");

/** Whether an access is of all of a value, and not of its lowest bytes. */
function isWhole({ width }: Node, { type }: Node): boolean {
  return width === (type === "i64" ? 8 : 4);
}

/** @param uses how often a value is wanted */
export function reversalsOf(block: Block, uses: (node: Node) => number): Reversals {
  const loads = new Map<number, Node>();
  const stores = new Set<number>();
  const walk = ({ nodes }: Block) => {
    for (const node of nodes) {
      if (node.code === swap) {
        const [x] = node.args as [Node];
        if (x.op === "load" && isWhole(x, node) && uses(x) === 1 && uses(node) > 0) loads.set(x.id, node);
      } else if (node.code === store) {
        const [, value] = node.args as [Node, Node];
        if (value.code !== swap || !isWhole(node, value) || uses(value) !== 1) continue;
        const [stored] = value.args as [Node];
        // What was loaded in the other order is in it already.
        if (stored.op !== "const" && loads.get(stored.id) !== value) stores.add(node.id);
      }
      if (node.yes !== undefined) walk(node.yes);
      if (node.no !== undefined) walk(node.no);
    }
  };
  walk(block);
  return { loads, stores };
}

/** Adds the types of what is put into the other order in a block. */
export function swappedIn({ nodes }: Block, found: Set<Reversed>): void {
  for (const node of nodes) {
    if (node.code === swap) found.add(node.type as Reversed);
    if (node.yes !== undefined) swappedIn(node.yes, found);
    if (node.no !== undefined) swappedIn(node.no, found);
  }
}
