import type { Node } from "../../ir/node.ts";
import type { BuiltBlock } from "./region-builder.ts";
import type { Scope } from "./structure.ts";

/** A block in its place in the region. */
export interface PlacedBlock {
  readonly offset: number;
  /** Where each of its instructions lies. */
  readonly instructions: readonly number[];
  readonly built: BuiltBlock;
  /** Instructions which may be begun from here before the budget is looked at again. */
  readonly need: number;
  /** Whether it is branched back to, or the region is entered here, so that the budget is looked at here. */
  readonly header: boolean;
  /** How often it is gone through, as far as the loops around it say. */
  readonly weight: number;
  /** What follows when it falls through: a place. */
  readonly next: number | undefined;
  /** Whether the region is entered here. */
  readonly entered: boolean;
}

export interface RegionPlan {
  /** In their order. The first is none: it leads to the entries, and from jumps to addresses that are computed. */
  readonly blocks: readonly (PlacedBlock | undefined)[];
  readonly scopes: readonly Scope[];
  /** Edges `from>to`, by position, which go by way of the starts of loops. */
  readonly ways: ReadonlyMap<string, readonly number[]>;
  /** Positions of the blocks at which the region is entered. Entry k has label k + 1. */
  readonly entries: readonly number[];
  /** State words which it has in locals, and those among them which it writes. It reads and writes all others where they lie. */
  readonly cells: readonly number[];
  readonly written: ReadonlySet<number>;
  /** Where the TLB lies for which it is made. */
  readonly tlb: number;
  /** Where the tables of records of its pages lie, and how many bits of an offset they leave out. */
  readonly tables: ReadonlyMap<number, number>;
  readonly shift: number;
  /** How its instructions were decoded. */
  readonly mode: number;
  readonly fetchTlb: number;
  /** The region's index in the table of handlers. */
  readonly index: number;
  /** Whether the TLB is asked for each access by itself. */
  readonly apart: boolean;
  /** Where the counters lie. */
  readonly counters: number;
}

/** Functions outside which a region calls or goes to. */
export interface RegionImports {
  /** Index of `span(region)`: it was left for a span. */
  readonly span: number;
  /** Index of `chain(pc, region, page)`. */
  readonly chain: number;
  /** Type index of handlers. */
  readonly handlerType: number;
  readonly helper: (node: Node) => number;
}
