import type { PlacedBlock } from "./plan.ts";

/** As many as a host's processor has registers for, beside those that V8 and the region need: integers, and what is wider. */
const most = 10;
const mostWide = 10;

/**
 * The cells that a region has in locals: the most used of those it touches. The others V8 would have on its stack, load and store there, and carry over each way from block to block and
 * to each way out, which is most of what it does for a region; read and written where they lie in the state they cost a load and a store as well, and nothing else.
 */
export function keptCells(
  blocks: readonly (PlacedBlock | undefined)[],
  touched: readonly number[],
  isWide: (cell: number) => boolean,
): readonly number[] {
  const narrow = touched.filter((cell) => !isWide(cell));
  const wide = touched.filter(isWide);
  if (narrow.length <= most && wide.length <= mostWide) return touched.slice();
  const uses = usesOf(blocks);
  const byUse = (a: number, b: number) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0);
  return [...narrow.sort(byUse).slice(0, most), ...wide.sort(byUse).slice(0, mostWide)];
}

/** How often each cell is read and written. */
function usesOf(blocks: readonly (PlacedBlock | undefined)[]): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  for (const block of blocks) {
    if (block === undefined) continue;
    const { built, weight } = block;
    const use = (cell: number) => uses.set(cell, (uses.get(cell) ?? 0) + weight);
    built.read.forEach(use);
    for (const { cells } of built.written) cells.forEach(use);
  }
  return uses;
}
