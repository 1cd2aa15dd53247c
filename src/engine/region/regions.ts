import { type GuestMemory, pageSize } from "../../bus/guest-memory.ts";
import { Fields, type FrontEnd } from "../../ir/frontend.ts";
import type { CodeCache, CodePage } from "../code-cache.ts";
import { record } from "../layout.ts";
import { handlerParams } from "../lower.ts";
import { Bytes } from "../wasm/bytes.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { discover, type Stretch } from "./discover.ts";
import { RegionBuilder } from "./region-builder.ts";
import { type PlacedBlock, RegionLowering, type RegionPlan } from "./region-lowering.ts";
import { type Graph, order, scopes } from "./structure.ts";

/**
 * Hot code as WebAssembly functions, each from one entry over what is reached from there on its page.
 *
 * A region stands in the record of its first instruction in the place of the handler. It does what RAM and registers can do; for all else (a fault, a chip,
 * a helper, a store into code) it goes back to the interpreter in front of the instruction, so that there is one place where such things happen, and
 * instruction counts come out the same.
 */
export class Regions {
  readonly #guest: GuestMemory;
  readonly #front: FrontEnd;
  readonly #cache: CodeCache;
  readonly #table: WebAssembly.Table;
  readonly #words: Int32Array;
  readonly #imports: WebAssembly.Imports;
  readonly #first: number;
  readonly #past: number;
  #next: number;
  made = 0;
  bytes = 0;
  /** Milliseconds spent on making regions, by this machine's own clock where the host gives one. */
  readonly now: () => number;
  time = 0;

  constructor(
    guest: GuestMemory,
    front: FrontEnd,
    cache: CodeCache,
    table: WebAssembly.Table,
    first: number,
    enter: (address: number, width: number, writing: number) => number,
    now: () => number,
  ) {
    this.#guest = guest;
    this.#front = front;
    this.#cache = cache;
    this.#table = table;
    this.#words = new Int32Array(guest.memory.buffer);
    this.#imports = { run: { memory: guest.memory, table, enter } };
    this.#first = first;
    this.#past = table.length;
    this.#next = first;
    this.now = now;
  }

  /** False when the table is full: the caller empties the code cache, and then calls `empty`. */
  get room(): boolean {
    return this.#next < this.#past;
  }

  empty(): void {
    for (let k = this.#first; k < this.#next; k++) this.#table.set(k, null);
    this.#next = this.#first;
  }

  /** Makes the region that starts at this place of a page, if there can be one. */
  make(code: CodePage, offset: number, pc: number): void {
    const begin = this.now();
    const plan = this.#plan(code, offset, pc);
    if (plan !== undefined) {
      for (const { instructions } of plan.blocks) this.#cache.cover(code, instructions);
      const bytes = this.#emit(plan);
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
      const index = this.#next++;
      this.#table.set(index, instance.exports.region);
      const at = this.#cache.entry(code, offset);
      this.#words[(at + record.original) >> 2] = this.#words[(at + record.handler) >> 2] as number;
      this.#words[(at + record.handler) >> 2] = index;
      this.made++;
      this.bytes += bytes.length;
    }
    this.time += this.now() - begin;
  }

  #plan(code: CodePage, offset: number, pc: number): RegionPlan | undefined {
    const bytes = this.#guest.bytes.subarray(code.page * pageSize, (code.page + 1) * pageSize);
    const { stretches, returns } = discover(this.#front, bytes, offset, pc, code.mode);
    if (stretches[0]?.offset !== offset) return undefined;
    const graph: Graph = stretches.map((stretch) =>
      followers(stretch, returns)
        .map((to) => stretches.findIndex((s) => s.offset === to))
        .filter((k) => k >= 0),
    );
    const sequence = order(graph);
    const position = new Map(sequence.map((k, place) => [k, place]));
    const placed = sequence.map((k) => stretches[k] as Stretch);
    const edges: Graph = sequence.map((k) => (graph[k] as number[]).map((to) => position.get(to) as number));
    const { scopes: list, refused } = scopes(edges);
    const headers = new Set(list.filter(({ kind }) => kind === "loop").map(({ start }) => start));
    const needs = needOf(placed, edges, headers);
    const cells = new Set<number>();
    const blocks: PlacedBlock[] = placed.map((stretch, k) => {
      const builder = new RegionBuilder("open");
      for (const { offset: at, length, form, operands } of stretch.instructions) {
        builder.instruction(at, length, operands);
        form.body(builder, new Fields(builder));
      }
      const built = builder.finish();
      for (const cell of builder.touched) cells.add(cell);
      return {
        offset: stretch.offset,
        instructions: stretch.instructions.map((i) => i.offset),
        built,
        need: needs[k] as number,
        header: headers.has(k),
        next: fallOf(stretch),
      };
    });
    return { blocks, scopes: list, refused, returns, cells: [...cells] };
  }

  #emit(plan: RegionPlan): Uint8Array<ArrayBuffer> {
    const module = new ModuleBuilder();
    module.importMemory("run", "memory", this.#guest.memory.buffer.byteLength / 65536);
    module.importTable("run", "table", this.#past);
    const enter = module.importFunction("run", "enter", ["i32", "i32", "i32"], ["i32"]);
    const out = new Bytes();
    const lowering = new RegionLowering(out, plan, this.#front.slots, {
      enter,
      handlerType: module.type(handlerParams, ["i32"]),
    });
    lowering.region();
    module.export("region", module.function(handlerParams, ["i32"], lowering.locals, out.view()));
    return module.bytes();
  }
}

function fallOf(stretch: Stretch): number | undefined {
  const last = stretch.instructions.at(-1);
  return last?.falls ? last.offset + last.length : undefined;
}

function followers(stretch: Stretch, returns: readonly number[]): number[] {
  const fall = fallOf(stretch);
  const last = stretch.instructions.at(-1);
  const targets = [...(last?.targets ?? []), ...(last?.dynamic ? returns : [])];
  // The fall first: it then comes last in postorder and stands next in the order.
  return [...new Set([...targets, ...(fall === undefined ? [] : [fall])])];
}

/** The most instructions that can be begun from each block on before a loop header or the end. */
function needOf(blocks: readonly Stretch[], graph: Graph, headers: ReadonlySet<number>): number[] {
  const needs = blocks.map(() => 0);
  for (let k = blocks.length - 1; k >= 0; k--) {
    let beyond = 0;
    for (const to of graph[k] as readonly number[])
      if (to > k && !headers.has(to)) beyond = Math.max(beyond, needs[to] as number);
    needs[k] = (blocks[k] as Stretch).instructions.length + beyond;
  }
  return needs;
}
