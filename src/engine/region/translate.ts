import { Fields, type FrontEnd } from "../../ir/frontend.ts";
import { handlerParams, importHelper } from "../lower.ts";
import { Bytes } from "../wasm/bytes.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { NotForRegions } from "./cell-builder.ts";
import type { Stretch } from "./instructions.ts";
import { keptCells } from "./kept-cells.ts";
import type { PlacedBlock, RegionPlan } from "./plan.ts";
import { type BuiltBlock, builderFor, type RegionBuilder } from "./region-builder.ts";
import { RegionLowering } from "./region-lowering.ts";
import { type Graph, order, structure, weightOf } from "./structure.ts";

/** Where an engine has what its regions use: the same for all of them. */
export interface RegionSurroundings {
  readonly fetchTlb: number;
  /** Where WebAssembly code counts. */
  readonly counters: number;
  /** How many bits of an offset on a page its table of records leaves out. */
  readonly shift: number;
  /** Of the guest memory, 64 KiB each. */
  readonly memoryPages: number;
  /** Places in the table of handlers. */
  readonly tableSize: number;
}

/** What a region is made of. It and its surroundings say all: a region can be made wherever there is a front end. */
export interface RegionJob {
  /** Its index in the table of handlers. */
  readonly index: number;
  /** What profilers call it. */
  readonly name: string;
  readonly stretches: readonly Stretch[];
  readonly entries: readonly number[];
  /** Where the table of records of each of its pages lies, by how many pages it lies behind the first. */
  readonly tables: ReadonlyMap<number, number>;
  /** How its instructions were decoded. */
  readonly mode: number;
  /** Where the TLB lies for which it is made. */
  readonly tlb: number;
  /** Whether the TLB is asked for each access by itself. */
  readonly apart: boolean;
  /** What the front end's steady word is now. */
  readonly steady: number;
  /** What it was at places when they were seen to be hot: an entry seldom finds it otherwise. */
  readonly steadyAt: ReadonlyMap<number, number>;
}

/** How it looks in WebAssembly. */
function planRegion(front: FrontEnd, around: RegionSurroundings, job: RegionJob): RegionPlan {
  const { stretches } = job;
  const { graph, entries } = graphOf(job);
  const sequence = order(graph);
  const position: number[] = [];
  for (let place = 0; place < sequence.length; place++) position[sequence[place] as number] = place;
  const edges = sequence.map((k) => (graph[k] as readonly number[]).map((to) => position[to] as number));
  const placed = sequence.map((k) => stretches[k - 1]);
  const { scopes, ways } = structure(edges);
  const entered = entries.map((k) => position[k] as number);
  const headers = new Set(entered);
  for (const { kind, start } of scopes) if (kind === "loop") headers.add(start);
  const needs = needOf(placed, edges, headers);
  const builder = builderFor(front);
  const fields = new Fields(builder);
  // What the steady word is where a block begins: what it was seen to be there, or is behind a block that leads there, or is now.
  const steady: number[] = [];
  const blocks = placed.map((stretch, k): PlacedBlock | undefined => {
    if (stretch === undefined) return undefined;
    builder.begin(job.steadyAt.get(stretch.offset) ?? steady[k] ?? job.steady);
    const built = buildStretch(builder, fields, stretch);
    for (const to of edges[k] as readonly number[]) steady[to] ??= builder.steady;
    return {
      offset: stretch.offset,
      instructions: stretch.instructions.map((i) => i.offset),
      built,
      need: needs[k] as number,
      header: headers.has(k),
      weight: weightOf(scopes, k),
      next: fallOf(stretch),
      entered: entered.includes(k),
    };
  });
  const cells = keptCells(blocks, builder.touched.cells, (cell) => front.wide?.has(cell) === true);
  return {
    blocks,
    scopes,
    ways,
    entries: entered,
    cells,
    written: new Set(cells.filter((cell) => builder.written.has(cell))),
    tables: job.tables,
    mode: job.mode,
    fetchTlb: around.fetchTlb,
    shift: around.shift,
    index: job.index,
    apart: job.apart,
    counters: around.counters,
    tlb: job.tlb,
  };
}

/** What follows on what: block k + 1 is stretch k, and block 0 stands for all that leads to the entries. These by their blocks, too. */
function graphOf({ stretches, entries }: RegionJob): { graph: Graph; entries: number[] } {
  const blockAt = new Map<number, number>();
  for (let k = 0; k < stretches.length; k++) blockAt.set((stretches[k] as Stretch).offset, k + 1);
  const blocksAt = (offsets: readonly number[]) => {
    const found: number[] = [];
    for (const offset of offsets) {
      const block = blockAt.get(offset);
      if (block !== undefined && !found.includes(block)) found.push(block);
    }
    return found;
  };
  // Programs run upwards: loops begin at their lowest entry, and where a region is entered in the middle of one that is no reason to begin it there.
  const graph = [blocksAt([...entries].sort((a, b) => a - b))];
  for (const { instructions } of stretches) {
    const last = instructions.at(-1);
    // The fall last: it then comes last in postorder and stands next in the order.
    const followers = blocksAt(last?.targets ?? []);
    const fall = last?.falls ? blockAt.get(last.offset + last.length) : undefined;
    if (fall !== undefined && !followers.includes(fall)) followers.push(fall);
    if (last?.dynamic) followers.unshift(0);
    graph.push(followers);
  }
  return { graph, entries: entries.map((offset) => blockAt.get(offset) as number) };
}

/** The instructions of a stretch, up to one that turns out to be none for regions behind those in front of it: there the region is left. */
function buildStretch(builder: RegionBuilder, fields: Fields, { instructions }: Stretch): BuiltBlock {
  const { steady } = builder;
  const touched = builder.touched.cells.length;
  const written = builder.written.cells.length;
  for (let count = instructions.length; ; ) {
    let built = 0;
    try {
      for (const { offset, length, form, operands, from } of instructions) {
        builder.instruction(offset, length, operands, from);
        if (built === count) {
          builder.exit("");
          break;
        }
        form.body(builder, fields);
        built++;
      }
      return builder.finish();
    } catch (thrown) {
      if (!(thrown instanceof NotForRegions)) throw thrown;
      count = built;
      builder.touched.cut(touched);
      builder.written.cut(written);
      builder.begin(steady);
    }
  }
}

/** A region in the making: what is seen of it in listings besides. */
export interface TranslatedRegion {
  readonly plan: RegionPlan;
  readonly module: ModuleBuilder;
  readonly lowering: RegionLowering;
  /** The code of its function. */
  readonly body: Uint8Array;
}

/** The module with its one function, `region`. */
export function translateRegion(front: FrontEnd, around: RegionSurroundings, job: RegionJob): TranslatedRegion {
  const plan = planRegion(front, around, job);
  const module = new ModuleBuilder();
  module.importMemory("run", "memory", around.memoryPages);
  module.importTable("run", "table", around.tableSize);
  const span = module.importFunction("run", "span", ["i32"], []);
  const chain = module.importFunction("run", "chain", ["i32", "i32", "i32"], ["i32"]);
  const out = new Bytes(1 << 14);
  const lowering = new RegionLowering(out, plan, front, {
    span,
    chain,
    handlerType: module.type(handlerParams, ["i32"]),
    helper: (node) => importHelper(node, module, front),
  });
  lowering.region();
  const index = module.function(handlerParams, ["i32"], lowering.locals, out);
  module.name(index, job.name);
  module.export("region", index);
  return { plan, module, lowering, body: out.view() };
}

function fallOf(stretch: Stretch): number | undefined {
  const last = stretch.instructions.at(-1);
  return last?.falls ? last.offset + last.length : undefined;
}

/** The most instructions that can be begun from each block on before a header or the end. */
function needOf(blocks: readonly (Stretch | undefined)[], graph: Graph, headers: ReadonlySet<number>): number[] {
  const needs = blocks.map(() => 0);
  for (let k = blocks.length - 1; k > 0; k--) {
    let beyond = 0;
    for (const to of graph[k] as readonly number[])
      if (to > k && !headers.has(to)) beyond = Math.max(beyond, needs[to] as number);
    needs[k] = (blocks[k]?.instructions.length ?? 0) + beyond;
  }
  return needs;
}
