import { describe, expect, it } from "vitest";
import { ctr } from "../../src/cpu/e500/slots.ts";
import { keptCells } from "../../src/engine/region/kept-cells.ts";
import type { PlacedBlock } from "../../src/engine/region/plan.ts";
import { type Scope, weightOf } from "../../src/engine/region/structure.ts";
import { addi, b, bc, lwz, stw } from "../cpu/e500/asm.ts";
import { Bare, executors } from "../cpu/e500/bare.ts";

/** A block which reads these cells and writes those. */
function block(read: readonly number[], written: readonly number[], weight = 1): PlacedBlock {
  return { built: { read, written: [{ cells: written, values: [] }] }, weight } as unknown as PlacedBlock;
}

const cells = Array.from({ length: 16 }, (_, k) => 4 * k);
const narrow = () => false;

describe("the cells that a region has in locals", () => {
  it("are all, where there are few", () => {
    expect(keptCells([block(cells.slice(0, 10), [])], cells.slice(0, 10), narrow)).toEqual(cells.slice(0, 10));
  });

  it("are those which are read and written the most", () => {
    const blocks = cells.map((_, k) => block(cells.slice(k), k === 0 ? [cells[0] as number] : []));
    const kept = keptCells([undefined, ...blocks], cells, narrow);
    expect([...kept].sort((x, y) => x - y)).toEqual(cells.slice(6));
  });

  it("are rather those of loops, but for the loop around the whole region", () => {
    const loop = (start: number, end: number): Scope => ({ kind: "loop", start, end });
    const sorted = (scopes: Scope[]) => {
      const blocks = [cells.slice(0, 10), cells.slice(6)].map((read, k) => block(read, [], weightOf(scopes, k + 1)));
      return [...keptCells([undefined, ...blocks], cells, narrow)].sort((x, y) => x - y);
    };
    expect(sorted([loop(2, 3)])).toEqual(cells.slice(6));
    expect(sorted([loop(1, 2)])).toEqual(cells.slice(0, 10));
    expect(sorted([loop(0, 3), loop(1, 2)])).toEqual(cells.slice(0, 10));
  });

  it("are counted apart where they are wide", () => {
    const isWide = (cell: number) => cell >= 32;
    const kept = keptCells([block(cells, [])], cells, isWide);
    expect(kept).toEqual(cells);
  });
});

describe.each(executors)("more registers than a region has in locals, on the %s", (executor) => {
  const [code, turns, first, last] = [0x1000, 400, 3, 27];
  const count = last - first + 1;

  it("are given to each other at once", () => {
    const m = new Bare(executor, { threshold: 4, memory: 64 << 20 });
    m.enter(code);
    // r28 is the first one's value until the last one is given it; in the middle the data TLB is asked.
    const around = Array.from({ length: count - 1 }, (_, k) => addi(first + k, first + k + 1, 0));
    around.splice(10, 0, stw(28, 2, 0), lwz(28, 2, 0));
    const body = [addi(28, first, 0), ...around, addi(last, 28, 0)];
    m.code(code, ...body, bc(16, 0, -4 * body.length), b(0));
    m.set(ctr, turns);
    m.setR(2, 0x10_0000);
    for (let k = 0; k < count; k++) m.setR(first + k, 1000 + k);
    m.run(turns * (body.length + 1));
    expect(Array.from({ length: count }, (_, k) => m.r(first + k))).toEqual(
      Array.from({ length: count }, (_, k) => 1000 + ((k + turns) % count)),
    );
  });
});
