import { codeOf } from "../../ir/codes.ts";
import type { Block, Node } from "../../ir/node.ts";
import { NodeTable } from "../../ir/node-table.ts";
import type { Writes } from "./cell-values.ts";
import type { PlacedBlock, RegionPlan } from "./plan.ts";

/*
 * What a big-endian guest copies from memory to memory it has in a register on the way, where it stands in the other order, and is put into order again when it is stored. A cell that
 * is given little else than what was just loaded is kept as it was loaded: the two cancel within a block, and nobody asks for the word itself but the ways out.
 */

const swap = codeOf("bswap");
const set = codeOf("set");
const jump = codeOf("jump");

/** What is loaded is put in order by two instructions, what is in a register by six. */
const dearer = 3;

/** The cells that are best kept with their bytes in the other order, as far as they can be. */
export function reversedCells(plan: RegionPlan): number[] {
  const gain = new Map<number, number>();
  const count = (cell: number, by: number) => gain.set(cell, (gain.get(cell) ?? 0) + by);
  const computed = new Computed();
  for (const block of plan.blocks) {
    if (block === undefined) continue;
    const { weight } = block;
    computed.in(block);
    for (const { cells, values } of block.built.written) {
      for (let j = 0; j < cells.length; j++) {
        const value = values[j] as Node;
        // It need not be put into order if its cell takes it as it is.
        const saves = value.code === swap && !computed.has(value);
        count(cells[j] as number, saves ? weight : -dearer * weight);
      }
    }
    for (const cell of computed.cells) count(cell, -dearer * weight);
  }
  return [...gain].filter(([, by]) => by > 0).map(([cell]) => cell);
}

/** What a block computes with, besides what it writes to cells, and puts into the other order. */
class Computed {
  readonly #marks = new NodeTable<true>();
  /** The cells which are read for it, one as often as it is. */
  cells: number[] = [];

  in({ built }: PlacedBlock): void {
    this.cells = [];
    this.#walk(built.block, built.writes);
  }

  has(node: Node): boolean {
    return this.#marks.has(node);
  }

  #walk({ nodes, result }: Block, writes: NodeTable<Writes>): void {
    if (result !== undefined) this.#want(result);
    for (const node of nodes) {
      const { code, args } = node;
      if (code !== swap) {
        const cells = (code === set || code === jump) && writes.has(node);
        const count = !cells ? args.length : code === jump ? 1 : 0;
        for (let k = 0; k < count; k++) this.#want(args[k] as Node);
      }
      if (node.yes !== undefined) this.#walk(node.yes, writes);
      if (node.no !== undefined) this.#walk(node.no, writes);
    }
  }

  #want(node: Node): void {
    if (this.#marks.has(node)) return;
    this.#marks.set(node, true);
    if (node.op === "get") this.cells.push(node.imm);
  }
}
