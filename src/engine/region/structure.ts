/** A control-flow graph: for each block, in an order in which the entry is first, the blocks that may follow. */
export type Graph = readonly (readonly number[])[];

/** A stretch of blocks under one WebAssembly label. */
export interface Scope {
  /** `loop`: a branch goes to `start`. `block`: a branch goes to `end`. */
  readonly kind: "loop" | "block";
  readonly start: number;
  /** First block behind the scope. */
  readonly end: number;
}

/** How many times more a block counts for each loop around it, and how deep that is looked at. */
const inLoop = 8;
const deepest = 3;

/** How often a block is gone through, as far as the loops around it say: without the one around the whole region, by which jumps to computed addresses go. */
export function weightOf(scopes: readonly Scope[], block: number): number {
  const around = ({ kind, start, end }: Scope) => kind === "loop" && start > 0 && start <= block && block < end;
  return inLoop ** Math.min(scopes.filter(around).length, deepest);
}

/** How a graph is put into WebAssembly's structured control flow. */
export interface Structure {
  readonly scopes: readonly Scope[];
  /**
   * Of an edge `from>to` into the middle of loops which it does not come from: the starts of these loops, outermost first. A branch can only
   * go to the first of them, and on from there: what leads into a loop elsewhere than at its start goes by way of it.
   */
  readonly ways: ReadonlyMap<string, readonly number[]>;
}

/** Blocks reachable from 0, each before those that follow it where loops allow: reverse postorder. */
export function order(graph: Graph): number[] {
  const seen = new Uint8Array(graph.length);
  const out: number[] = [];
  // Depth first without recursion: a region may be a long chain. Of each block on the way, which follower comes next.
  const way = [0];
  const next = [0];
  seen[0] = 1;
  while (way.length > 0) {
    const top = way.length - 1;
    const block = way[top] as number;
    const to = graph[block]?.[next[top] as number];
    if (to === undefined) {
      out.push(block);
      way.pop();
      next.pop();
      continue;
    }
    next[top] = (next[top] as number) + 1;
    if (seen[to] === 1) continue;
    seen[to] = 1;
    way.push(to);
    next.push(0);
  }
  return out.reverse();
}

/** A scope in the making. */
interface Open {
  readonly kind: "loop" | "block";
  start: number;
  end: number;
}

/**
 * The scopes under which blocks 0..n-1, which stand in their order, reach each other by branches: a loop for each block that is branched
 * back to, a block for each that is branched forward to.
 */
export function structure(graph: Graph): Structure {
  const loops = loopsOf(graph);
  const ways = new Map<string, readonly number[]>();
  /** Of the block that ends at each place; there is none where it would begin there. */
  const starts = graph.map((_, end) => end);
  const reach = (from: number, to: number) => {
    if (from < (starts[to] as number)) starts[to] = from;
  };
  for (let from = 0; from < graph.length; from++) {
    for (const to of graph[from] as readonly number[]) {
      if (to <= from) continue;
      let at = from;
      let way: number[] | undefined;
      for (const { start, end } of loops) {
        if (start <= from || start >= to || to >= end) continue;
        way ??= [];
        way.push(start);
        reach(at, start);
        at = start;
      }
      if (way !== undefined) ways.set(`${from}>${to}`, way);
      reach(at, to);
    }
  }
  const scopes: Open[] = [...loops];
  for (let end = 0; end < starts.length; end++) {
    const start = starts[end] as number;
    if (start < end) scopes.push({ kind: "block", start, end });
  }
  return { scopes: nest(scopes), ways };
}

/** A loop for each target of a backward edge, up to the last block that branches there, outer ones first; loops which would cross are made to nest. */
function loopsOf(graph: Graph): Open[] {
  /** Of the loop that starts at each block; 0 where none does. */
  const ends = graph.map(() => 0);
  for (let from = 0; from < graph.length; from++)
    for (const to of graph[from] as readonly number[]) if (to <= from) ends[to] = from + 1;
  const loops: Open[] = [];
  for (let start = 0; start < ends.length; start++) {
    const end = ends[start] as number;
    if (end > 0) loops.push({ kind: "loop", start, end });
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const outer of loops) {
      for (const inner of loops) {
        if (inner.start > outer.start && inner.start < outer.end && inner.end > outer.end) {
          outer.end = inner.end;
          changed = true;
        }
      }
    }
  }
  return loops;
}

/** Lets blocks begin earlier until no two scopes cross. Loops stay: a block that ends outside of one begins outside. */
function nest(scopes: Open[]): readonly Scope[] {
  scopes.sort((a, b) => a.end - b.end);
  // What ends in the midst of a block lies in front of it here, and nests already.
  for (let k = 0; k < scopes.length; k++) {
    const scope = scopes[k] as Open;
    if (scope.kind === "loop") continue;
    for (let j = k - 1; j >= 0; j--) {
      const { start, end } = scopes[j] as Open;
      if (end <= scope.start) break;
      if (end < scope.end && start < scope.start) scope.start = start;
    }
  }
  // Outer before inner; at one place, a block that ends with a loop is around it.
  return scopes.sort((a, b) => a.start - b.start || b.end - a.end || (a.kind === "block" ? -1 : 1));
}
