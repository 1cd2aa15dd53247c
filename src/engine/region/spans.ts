import { codeOf, codeSet } from "../../ir/codes.ts";
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

/** Spans that may still grow, newest last: those which were asked for reading, or for writing. */
class Open {
  readonly #spans: Span[] = [];
  /** Those from here on are in force. */
  #from = 0;

  /** The newest which is counted from there. */
  at(base: Node | undefined): Span | undefined {
    for (let k = this.#spans.length - 1; k >= this.#from; k--) {
      const span = this.#spans[k] as Span;
      if (span.base === base) return span;
    }
    return undefined;
  }

  add(span: Span): void {
    this.#spans.push(span);
  }

  /** None is in force any more. */
  clear(): void {
    this.#from = this.#spans.length;
  }

  /** Does something behind which those are in force that are so now. */
  keeping(work: () => void): void {
    const [from, length] = [this.#from, this.#spans.length];
    work();
    this.#from = from;
    this.#spans.length = length;
  }
}

const accesses = codeSet(["load", "load_rw", "store", "probe"]);
const load = codeOf("load");
const call = codeOf("call");

/**
 * The accesses of a block, by their nodes' numbers, put together where they lie close to each other.
 *
 * @param readable whether what may be written may be read
 * @param apart whether each access is to be a span of its own
 */
export function spansOf({ nodes }: Block, readable: boolean, apart: boolean): Map<number, Touch> {
  const touches = new Map<number, Touch>();
  const reads = new Open();
  const writes = new Open();
  const arm = (inner: readonly Node[]) => reads.keeping(() => writes.keeping(() => walk(inner)));
  const walk = (list: readonly Node[]): void => {
    for (const node of list) {
      const { code, width } = node;
      // Behind an arm nobody knows whether it was gone through.
      if (node.yes !== undefined) arm(node.yes.nodes);
      if (node.no !== undefined) arm(node.no.nodes);
      // A helper may touch memory itself.
      if (apart || code === call) {
        reads.clear();
        writes.clear();
      }
      if (accesses[code] === 0) continue;
      const writing = code !== load;
      const { base, offset } = parts(node.args[0] as Node);
      const open = writing ? writes : reads;
      let span = !writing && readable ? join(writes.at(base), offset, width) : undefined;
      span ??= join(open.at(base), offset, width);
      if (span === undefined) {
        span = { base, low: offset, high: offset + width, writing, head: node, count: 0 };
        open.add(span);
      }
      span.count++;
      touches.set(node.id, { span, offset });
    }
  };
  walk(nodes);
  return touches;
}

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
