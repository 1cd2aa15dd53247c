import { armsOf, type Block, type Node } from "../../ir/node.ts";
import type { PlacedBlock, RegionPlan } from "./plan.ts";

/*
 * What a big-endian guest copies from memory to memory it has in a register on the way, where it stands in the other order, and is put into order again when it is stored. A cell that
 * is given little else than what was just loaded is kept as it was loaded: the two cancel within a block, and nobody asks for the word itself but the ways out.
 */

/** How many times more a block counts for each loop around it, and how deep that is looked at. */
const inLoop = 8;
const deepest = 3;

/** What is loaded is put in order by two instructions, what is in a register by six. */
const dearer = 3;

/** The cells, of those given, that are kept with their bytes in the other order. */
export function reversedCells(plan: RegionPlan, cells: ReadonlySet<number>): Set<number> {
  const gain = new Map<number, number>();
  const count = (cell: number, by: number) => gain.set(cell, (gain.get(cell) ?? 0) + by);
  for (const [k, block] of plan.blocks.entries()) {
    if (block === undefined) continue;
    const weight = inLoop ** Math.min(depthOf(plan, k), deepest);
    const wanted = wantedIn(block);
    for (const { cells: written, values } of block.built.written) {
      for (const [j, value] of values.entries())
        count(written[j] as number, saves(value, wanted) ? weight : -dearer * weight);
    }
    for (const node of wanted) if (node.op === "get") count(node.imm, -dearer * weight);
  }
  return new Set([...gain].filter(([cell, by]) => by > 0 && cells.has(cell)).map(([cell]) => cell));
}

/** Whether a value need not be put into order if its cell takes it as it is. */
function saves(value: Node, wanted: ReadonlySet<Node>): boolean {
  return value.op === "bswap" && !wanted.has(value);
}

/** How many loops lie around a block, without the one around the whole region, by which jumps to computed addresses go. */
function depthOf({ scopes }: RegionPlan, k: number): number {
  return scopes.filter(({ kind, start, end }) => kind === "loop" && start > 0 && start <= k && k < end).length;
}

/** What a block computes with, besides what it writes to cells, and puts into the other order. */
function wantedIn({ built }: PlacedBlock): Set<Node> {
  const wanted = new Set<Node>();
  const walk = ({ nodes, result }: Block) => {
    if (result !== undefined) wanted.add(result);
    for (const node of nodes) {
      const own = built.writes.has(node) ? node.args.slice(0, node.op === "jump" ? 1 : 0) : node.args;
      if (node.op !== "bswap") for (const arg of own) wanted.add(arg);
      for (const arm of armsOf(node)) walk(arm);
    }
  };
  walk(built.block);
  return wanted;
}
