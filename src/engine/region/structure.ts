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
  const seen = new Set<number>();
  const out: number[] = [];
  // Depth first without recursion: a region may be a long chain.
  const stack: { block: number; next: number }[] = [{ block: 0, next: 0 }];
  seen.add(0);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const followers = graph[top.block] ?? [];
    if (top.next < followers.length) {
      const to = followers[top.next++] as number;
      if (seen.has(to)) continue;
      seen.add(to);
      stack.push({ block: to, next: 0 });
    } else {
      out.push(top.block);
      stack.pop();
    }
  }
  return out.reverse();
}

/**
 * The scopes under which blocks 0..n-1, which stand in their order, reach each other by branches: a loop for each block that is branched
 * back to, a block for each that is branched forward to.
 */
export function structure(graph: Graph): Structure {
  const loops = loopsOf(graph);
  const ways = new Map<string, readonly number[]>();
  const starts = new Map<number, number>();
  for (const [from, followers] of graph.entries()) {
    for (const to of followers) {
      if (to <= from) continue;
      const way = loops.filter(({ start, end }) => from < start && start < to && to < end).map(({ start }) => start);
      if (way.length > 0) ways.set(`${from}>${to}`, way);
      let at = from;
      for (const stop of [...way, to]) {
        starts.set(stop, Math.min(starts.get(stop) ?? at, at));
        at = stop;
      }
    }
  }
  const blocks = [...starts].map(([end, start]) => ({ kind: "block" as const, start, end }));
  return { scopes: nest([...loops, ...blocks]), ways };
}

/** A loop for each target of a backward edge, up to the last block that branches there, outer ones first; loops which would cross are made to nest. */
function loopsOf(graph: Graph): Scope[] {
  const last = new Map<number, number>();
  for (const [from, followers] of graph.entries()) {
    for (const to of followers) if (to <= from) last.set(to, Math.max(last.get(to) ?? 0, from));
  }
  const loops = [...last]
    .map(([start, from]) => ({ kind: "loop" as const, start, end: from + 1 }))
    .sort((a, b) => a.start - b.start);
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
function nest(list: Scope[]): readonly Scope[] {
  let scopes = list;
  for (let changed = true; changed; ) {
    changed = false;
    scopes = scopes.map((scope) => {
      if (scope.kind === "loop") return scope;
      for (const other of scopes) {
        if (other.start < scope.start && scope.start < other.end && other.end < scope.end) {
          changed = true;
          return { ...scope, start: other.start };
        }
      }
      return scope;
    });
  }
  // Outer before inner; at one place, a block that ends with a loop is around it.
  return scopes.sort((a, b) => a.start - b.start || b.end - a.end || (a.kind === "block" ? -1 : 1));
}
