import type { Value } from "../../ir/builder.ts";
import type { FrontEnd } from "../../ir/frontend.ts";
import { stateMapOf } from "./state-map.ts";

/** The cells that a contained helper may touch: those it always does, and others. What its arguments are the places of is among the first. */
export function cellsOfCall(
  front: FrontEnd,
  helper: string,
  args: readonly Value[],
): { readonly own: ReadonlySet<number>; readonly others: ReadonlySet<number> } {
  const contained = front.contained?.[helper];
  if (contained === undefined) throw new Error(`a region cannot call ${helper}`);
  const own = new Set(contained.words.map(({ offset }) => offset));
  for (const arg of args) {
    const wide = arg.op === "const" ? stateMapOf(front).wideAt(arg.imm) : -1;
    if (wide >= 0) own.add(wide);
  }
  return { own, others: new Set(contained.others?.map(({ offset }) => offset)) };
}
