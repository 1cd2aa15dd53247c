import type { Effect } from "./node.ts";
import { type Operation, operations } from "./ops.ts";

/** What a node does. */
export type Name = Operation | Effect;

const effects: Readonly<Record<Effect, true>> = {
  const: true,
  field: true,
  pc: true,
  next_pc: true,
  get: true,
  set: true,
  load: true,
  load_rw: true,
  store: true,
  probe: true,
  if: true,
  call: true,
  exit: true,
  jump: true,
};

const names = [...Object.keys(effects), ...Object.keys(operations)] as Name[];
const codes: ReadonlyMap<string, number> = new Map(names.map((name, code) => [name, code]));

/** The number of what a node does: what is asked of every node is looked up by it. */
export function codeOf(name: Name): number {
  return codes.get(name) as number;
}

/** What is known of some operations, by their numbers. */
export function byCode<T>(known: Iterable<readonly [string, T]>): readonly (T | undefined)[] {
  const found = new Map(known);
  return names.map((name) => found.get(name));
}

/** A set of operations: 1 at the numbers of those in it. */
export function codeSet(members: Iterable<Name>): Uint8Array {
  const set = new Uint8Array(names.length);
  for (const name of members) set[codeOf(name)] = 1;
  return set;
}
