import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Graph, order, type Scope, structure } from "../../src/engine/region/structure.ts";

/** A graph put into its order: block k of the result is followed by those at their new places. */
function ordered(graph: Graph): Graph {
  const sequence = order(graph);
  return sequence.map((k) => (graph[k] ?? []).map((to) => sequence.indexOf(to)));
}

const graphs = fc
  .integer({ min: 1, max: 14 })
  .chain((n) =>
    fc.array(fc.uniqueArray(fc.integer({ min: 0, max: n - 1 }), { maxLength: 3 }), { minLength: n, maxLength: n }),
  );

const around = (scope: Scope, k: number) => scope.start <= k && k < scope.end;

describe("the order of blocks", () => {
  it("starts with the entry and has every block that is reached once", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const sequence = order(graph);
        const reached = new Set([0]);
        for (const k of reached) for (const to of graph[k] ?? []) reached.add(to);
        expect(sequence[0]).toBe(0);
        expect([...sequence].sort((a, b) => a - b)).toEqual([...reached].sort((a, b) => a - b));
      }),
    );
  });
});

describe("scopes", () => {
  it("lie within each other or apart, outer before inner", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { scopes: list } = structure(ordered(graph));
        for (const [i, a] of list.entries()) {
          for (const b of list.slice(i + 1)) {
            expect(b.start >= a.end || b.end <= a.end, `${JSON.stringify(a)} ${JSON.stringify(b)}`).toBe(true);
            expect(b.start).toBeGreaterThanOrEqual(a.start);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("give every edge a way of labels, each open where it is branched to from, in which only the last leads past the start of a loop", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const blocks = ordered(graph);
        const { scopes: list, ways } = structure(blocks);
        for (const [from, followers] of blocks.entries()) {
          for (const to of followers) {
            let at = from;
            for (const stop of [...(ways.get(`${from}>${to}`) ?? []), to]) {
              // At a loop's start, control has come into the loop and into the blocks which begin there.
              const label = list.some((s) =>
                stop <= at
                  ? s.kind === "loop" && s.start === stop && around(s, at)
                  : s.kind === "block" && s.end === stop && around(s, at),
              );
              expect(label, `${from} to ${to} by ${stop} in ${JSON.stringify(blocks)}`).toBe(true);
              at = stop;
            }
            // Whatever loop is come into on the way is come into at its start.
            for (const { kind, start, end } of list) {
              if (kind !== "loop" || from >= start || to <= start || to >= end) continue;
              expect(ways.get(`${from}>${to}`)).toContain(start);
            }
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("lead by way of a loop's start only into the middle of one", () => {
    // 0 goes to 1 and to 2, which go to each other: one of the two is entered in its middle.
    expect(structure([[1, 2], [2], [1]]).ways).toEqual(new Map([["0>2", [1]]]));
    // A loop with a way around inside it, and one with a way out of it.
    expect(structure([[1], [2, 3], [3], [1, 4], []]).ways.size).toBe(0);
  });
});
