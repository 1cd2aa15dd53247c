import type { Block, Node } from "../../ir/node.ts";

/** How far apart the bytes of one span may lie: it has to lie on one page, which a longer one does less often. */
const longest = 256;

/** Bytes of guest memory at a known distance from one address, which a block touches one after the other: the TLB is asked once, by the first access. */
export interface Span {
  /** What they are counted from; undefined when their address is known. */
  readonly base: Node | undefined;
  /** From the base to the first byte, and behind the last. */
  low: number;
  high: number;
  readonly writing: boolean;
  /** The access which asks. */
  readonly head: Node;
  /** Accesses in it. */
  count: number;
}

/** An access: its span, and where its first byte lies from the base. */
export interface Touch {
  readonly span: Span;
  readonly offset: number;
}

/** Open spans by what they are counted from: those which were asked for reading, and for writing. */
type Open = Map<Node | undefined, Span>;

/**
 * The accesses of a block, put together where they lie close to each other.
 *
 * @param readable whether what may be written may be read
 * @param apart whether each access is to be a span of its own
 */
export function spansOf(block: Block, readable: boolean, apart: boolean): Map<Node, Touch> {
  const touches = new Map<Node, Touch>();
  const walk = (nodes: readonly Node[], reads: Open, writes: Open): void => {
    for (const node of nodes) {
      // Behind an arm nobody knows whether it was gone through.
      if (node.yes !== undefined) walk(node.yes.nodes, new Map(reads), new Map(writes));
      if (node.no !== undefined) walk(node.no.nodes, new Map(reads), new Map(writes));
      // A helper may touch memory itself.
      if (apart || node.op === "call") {
        reads.clear();
        writes.clear();
      }
      if (!accesses.has(node.op)) continue;
      const writing = node.op !== "load";
      const { base, offset } = parts(node.args[0] as Node);
      const open = writing ? writes : reads;
      const joined =
        (!writing && readable && join(writes.get(base), offset, node.width)) ||
        join(open.get(base), offset, node.width);
      const span = joined || { base, low: offset, high: offset + node.width, writing, head: node, count: 0 };
      if (span.head === node) open.set(base, span);
      span.count++;
      touches.set(node, { span, offset });
    }
  };
  walk(block.nodes, new Map(), new Map());
  return touches;
}

const accesses: ReadonlySet<string> = new Set(["load", "load_rw", "store", "probe"]);

/** The span, when there is one and it may reach so far. */
function join(span: Span | undefined, offset: number, width: number): Span | undefined {
  if (span === undefined) return undefined;
  const low = Math.min(span.low, offset);
  const high = Math.max(span.high, offset + width);
  if (high - low > longest) return undefined;
  if (span.base === undefined && low >> 12 !== (high - 1) >> 12) return undefined;
  span.low = low;
  span.high = high;
  return span;
}

/** An address as something and a constant. */
function parts(address: Node): { base: Node | undefined; offset: number } {
  if (address.op === "const") return { base: undefined, offset: address.imm };
  const [inner, constant] = address.args;
  if (address.op !== "add" || inner === undefined || constant?.op !== "const") return { base: address, offset: 0 };
  return { base: inner, offset: constant.imm };
}
