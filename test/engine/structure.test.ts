import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Graph, order, type Scope, scopes } from "../../src/engine/region/structure.ts";

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
        const { scopes: list } = scopes(ordered(graph));
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

  it("give every edge a label that is open where it starts, save those refused and those that fall", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const blocks = ordered(graph);
        const { scopes: list, refused } = scopes(blocks);
        for (const [from, followers] of blocks.entries()) {
          for (const to of followers) {
            if (refused.has(`${from}>${to}`) || to === from + 1) continue;
            const label = list.some((s) =>
              to <= from
                ? s.kind === "loop" && s.start === to && around(s, from)
                : s.kind === "block" && s.end === to && around(s, from),
            );
            expect(label, `${from} to ${to} in ${JSON.stringify(blocks)}`).toBe(true);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("refuse only edges into the middle of a loop", () => {
    // 0 goes to 1 and to 2, which go to each other: one of the two is entered in its middle.
    expect(scopes([[1, 2], [2], [1]]).refused.size).toBe(1);
    // A loop with a way around inside it, and one with a way out of it.
    expect(scopes([[1], [2, 3], [3], [1, 4], []]).refused.size).toBe(0);
  });
});
