import type { PlacedBlock } from "./plan.ts";
import { type Scope, weightOf } from "./structure.ts";

/** As many as a host's processor has registers for, beside those that V8 and the region need: integers, and what is wider. */
const most = 10;
const mostWide = 10;

/**
 * The cells that a region has in locals: the most used of those it touches. The others V8 would have on its stack, load and store there, and carry over each way from block to block and
 * to each way out, which is most of what it does for a region; read and written where they lie in the state they cost a load and a store as well, and nothing else.
 */
export function keptCells(
  blocks: readonly (PlacedBlock | undefined)[],
  scopes: readonly Scope[],
  touched: readonly number[],
  isWide: (cell: number) => boolean,
): readonly number[] {
  const wide = touched.filter(isWide);
  if (touched.length - wide.length <= most && wide.length <= mostWide) return touched.slice();
  const uses = usesOf(blocks, scopes);
  const byUse = (a: number, b: number) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0);
  const narrow = touched.filter((cell) => !isWide(cell));
  return [...narrow.sort(byUse).slice(0, most), ...wide.sort(byUse).slice(0, mostWide)];
}

/** How often each cell is read and written, as far as the loops around a block say how often it is gone through. */
function usesOf(blocks: readonly (PlacedBlock | undefined)[], scopes: readonly Scope[]): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  for (const [k, block] of blocks.entries()) {
    if (block === undefined) continue;
    const weight = weightOf(scopes, k);
    const use = (cell: number) => uses.set(cell, (uses.get(cell) ?? 0) + weight);
    block.built.read.forEach(use);
    for (const { cells } of block.built.written) cells.forEach(use);
  }
  return uses;
}
