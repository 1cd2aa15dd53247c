import { pageSize } from "../../bus/guest-memory.ts";
import { Fields } from "../../ir/frontend.ts";
import type { CodePage, PlacedRegion, RegionPart } from "../code-cache.ts";
import { record } from "../layout.ts";
import { handlerParams, importHelper } from "../lower.ts";
import { Bytes } from "../wasm/bytes.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { type Discovery, discover, largest, offsetOf, pageOf, type Source, type Stretch } from "./discover.ts";
import type { Listed } from "./listing.ts";
import { Pages } from "./pages.ts";
import { RegionBuilder } from "./region-builder.ts";
import { type PlacedBlock, RegionLowering, type RegionPlan } from "./region-lowering.ts";
import { type Graph, order, structure } from "./structure.ts";
import type { RegionWorld } from "./world.ts";

/** After this many spans which lay on two pages, a page's regions are made anew with each access for itself. */
const mostCrossings = 16;

/** Ways into a region at most, those of regions that it takes the place of among them: a record has a byte for which one it is. */
const mostWaysIn = 255;

/** A page whose regions have been made anew this often waits this many doublings longer before it is looked at again. */
const mostPatience = 6;

/**
 * Hot code as WebAssembly functions, each over what is reached from its entries.
 *
 * A region stands in the records of its entries in the place of the handler. It does what RAM, registers and contained helpers can do; for all else (a fault, a
 * chip, a store into code) it goes back to the interpreter in front of the instruction, so that there is one place where such things happen, and
 * instruction counts come out the same.
 */
export class Regions {
  readonly #world: RegionWorld;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #imports: WebAssembly.Imports;
  readonly #bytes: Uint8Array;
  /** Indices given back. */
  #free: number[] = [];
  #next: number;
  /** The first page of each index. */
  readonly #pages: (CodePage | undefined)[] = [];
  /** How many were made, and how many of those another one took the place of or lay on a page that was written on. */
  made = 0;
  joined = 0;
  forgotten = 0;
  /** How many there are. */
  alive = 0;
  /** Bytes of WebAssembly of all that were made. */
  bytes = 0;
  /** Milliseconds of the host's in which they were. */
  time = 0;

  constructor(world: RegionWorld) {
    const { guest, table, chain, helpers, cache } = world;
    const enter = (address: number, length: number, writing: number, index: number): number => {
      const entered = world.enter(address, length, writing);
      if (entered === 0 && (address & (pageSize - 1)) + length > pageSize) this.#crossed(index);
      return entered;
    };
    this.#world = world;
    this.#words = new Int32Array(guest.memory.buffer);
    this.#halves = new Uint16Array(guest.memory.buffer);
    this.#bytes = guest.bytes;
    this.#imports = { run: { memory: guest.memory, table, enter, chain }, help: helpers };
    this.#next = world.first;
    cache.onForget = (code) => this.#forget(code);
  }

  /** False when the table is full: the caller empties the code cache, and then calls `empty`. */
  get room(): boolean {
    return this.#free.length > 0 || this.#next < this.#world.table.length;
  }

  empty(): void {
    this.alive = 0;
    for (let k = this.#world.first; k < this.#next; k++) this.#world.table.set(k, null);
    this.#next = this.#world.first;
    this.#free = [];
  }

  /**
   * This place of a page has become hot: makes a region with it as an entry, if there can be one. Gives the heat to go on with: not 0 where it is to be
   * asked again later.
   */
  make(code: CodePage, offset: number, pc: number, heat: number): number {
    const begin = this.#world.now();
    const again = this.#make(code, offset, pc - offset) ? 0 : heat;
    this.time += this.#world.now() - begin;
    return again;
  }

  #make(code: CodePage, offset: number, pc: number): boolean {
    // Where every access is to be seen there is nothing to gain.
    if (this.#words[this.#world.front.slots.tlb.index] === this.#world.emptyTlb) return true;
    if (code.patience > 0) {
      code.patience--;
      return false;
    }
    const { front } = this.#world;
    const pages = new Pages(this.#world, code, pc);
    const source: Source = { front, pc, mode: code.mode, page: (number) => pages.source(number) };
    let discovery = discover(source, [offset]);
    if (!discovery.entries.includes(offset)) return true;
    // What it shares with regions there becomes one with them, as long as that stays small.
    const joined = pages.touched(discovery);
    if (joined.length > 0) {
      code.remade++;
      code.patience = 2 ** Math.min(code.remade, mostPatience) - 1;
      const entries = [...new Set([offset, ...joined.flatMap((region) => pages.entriesOf(region))])];
      const whole = discover(source, entries.slice(0, mostWaysIn));
      if (entries.every((entry) => whole.entries.includes(entry)) && sizeOf(whole) < largest) {
        discovery = whole;
        for (const region of joined) this.#drop(region);
      }
    }
    const index = this.#free.pop() ?? this.#next++;
    const tlb = this.#words[front.slots.tlb.index] as number;
    const region: PlacedRegion = { index, parts: pages.partsOf(discovery), discovery, tlb };
    const plan = this.#plan(region);
    const emitted = this.#emit(plan, `guest_${((pc + offset) >>> 0).toString(16)}`).module.bytes();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(emitted), this.#imports);
    this.#world.table.set(index, instance.exports.region);
    for (const [k, position] of plan.entries.entries()) {
      const { record: at, offset: place } = plan.blocks[position] as PlacedBlock;
      this.#enter(at as number, index, k + 1, pageOf(place));
    }
    this.#pages[index] = code;
    for (const part of region.parts) part.code.regions.add(region);
    this.made++;
    this.alive++;
    this.bytes += emitted.length;
    return true;
  }

  /** A span of a region lies on two pages, for which it was left. */
  #crossed(index: number): void {
    const code = this.#pages[index];
    if (code === undefined || ++code.crossed !== mostCrossings) return;
    for (const { parts } of code.regions)
      for (const part of parts)
        for (const offset of part.entries)
          this.#halves[(this.#world.cache.entry(part.code, offset) + record.heat) >> 1] = 1;
  }

  /** Lets a record lead to an entry of a region. */
  #enter(at: number, index: number, entry: number, page: number): void {
    const handler = this.#words[(at + record.handler) >> 2] as number;
    // It may lead to an entry of another region, and then its own handler is known already.
    if (handler < this.#world.first) this.#halves[(at + record.original) >> 1] = handler;
    this.#words[(at + record.handler) >> 2] = index;
    this.#bytes[at + record.entry] = entry;
    this.#halves[(at + record.page) >> 1] = page;
    this.#halves[(at + record.heat) >> 1] = 0;
  }

  /** A region that another one takes the place of. */
  #drop(region: PlacedRegion): void {
    this.joined++;
    this.#remove(region);
  }

  /** Its entries are instructions like others again. */
  #remove(region: PlacedRegion): void {
    for (const { code, entries } of region.parts) {
      code.regions.delete(region);
      for (const entry of entries) {
        const at = this.#world.cache.entry(code, entry);
        if (at !== 0 && this.#words[(at + record.handler) >> 2] === region.index) {
          this.#words[(at + record.handler) >> 2] = this.#halves[(at + record.original) >> 1] as number;
          this.#halves[(at + record.heat) >> 1] = this.#world.threshold;
        }
      }
    }
    this.#release(region);
  }

  #release({ index }: PlacedRegion): void {
    this.alive--;
    this.#world.table.set(index, null);
    this.#free.push(index);
  }

  /** The page was written on: no region is over it any more. */
  #forget(code: CodePage): void {
    this.forgotten += code.regions.size;
    for (const region of code.regions) this.#remove(region);
    code.remade++;
  }

  /** The region once more, to be looked at. */
  list(region: PlacedRegion): Listed {
    const plan = this.#plan(region);
    const { module, lowering, body } = this.#emit(plan, "region");
    return { plan, stretches: region.discovery.stretches, lowering, body, bytes: module.bytes().length };
  }

  #plan({ index, parts, discovery, tlb }: PlacedRegion): RegionPlan {
    const { cache, front } = this.#world;
    const { stretches, entries } = discovery;
    const codes = new Map(parts.map(({ number, code }) => [number, code]));
    const blockAt = new Map(stretches.map(({ offset }, k) => [offset, k + 1]));
    const blocksAt = (offsets: readonly number[]) =>
      offsets.map((offset) => blockAt.get(offset)).filter((k) => k !== undefined);
    // Block 0 stands for all that leads to the entries.
    const graph: Graph = [
      blocksAt(entries),
      ...stretches.map((stretch) => [
        ...(stretch.instructions.at(-1)?.dynamic ? [0] : []),
        ...blocksAt(followers(stretch)),
      ]),
    ];
    const sequence = order(graph);
    const position = new Map(sequence.map((k, place) => [k, place]));
    const edges: Graph = sequence.map((k) => (graph[k] as number[]).map((to) => position.get(to) as number));
    const placed = sequence.map((k) => stretches[k - 1]);
    const { scopes, ways } = structure(edges);
    const entered = entries.map((offset) => position.get(blockAt.get(offset) as number) as number);
    const headers = new Set(scopes.filter(({ kind }) => kind === "loop").map(({ start }) => start));
    for (const entry of entered) headers.add(entry);
    const needs = needOf(placed, edges, headers);
    const cells = new Set<number>();
    const written = new Set<number>();
    const blocks: (PlacedBlock | undefined)[] = placed.map((stretch, k) => {
      if (stretch === undefined) return undefined;
      const builder = new RegionBuilder(front);
      for (const { offset: at, length, form, operands } of stretch.instructions) {
        builder.instruction(at, length, operands);
        form.body(builder, new Fields(builder));
      }
      const built = builder.finish();
      for (const cell of builder.touched) cells.add(cell);
      for (const cell of builder.written) written.add(cell);
      return {
        offset: stretch.offset,
        instructions: stretch.instructions.map((i) => i.offset),
        built,
        need: needs[k] as number,
        header: headers.has(k),
        next: fallOf(stretch),
        record: entered.includes(k)
          ? cache.entry(codes.get(pageOf(stretch.offset)) as CodePage, offsetOf(stretch.offset))
          : undefined,
      };
    });
    return {
      blocks,
      scopes,
      ways,
      entries: entered,
      cells: [...cells],
      written,
      tables: new Map(parts.map(({ number, code }) => [number, code.table])),
      mode: (parts[0] as RegionPart).code.mode,
      fetchTlb: this.#world.fetchTlb,
      shift: cache.shift,
      index,
      apart: parts.some(({ code }) => code.crossed >= mostCrossings),
      counters: this.#world.counters,
      tlb,
    };
  }

  /** @param name what profilers call it */
  #emit(plan: RegionPlan, name: string): Pick<Listed, "lowering" | "body"> & { readonly module: ModuleBuilder } {
    const { guest, table, front } = this.#world;
    const module = new ModuleBuilder();
    module.importMemory("run", "memory", guest.memory.buffer.byteLength / 65536);
    module.importTable("run", "table", table.length);
    const enter = module.importFunction("run", "enter", ["i32", "i32", "i32", "i32"], ["i32"]);
    const chain = module.importFunction("run", "chain", ["i32"], ["i32"]);
    const out = new Bytes();
    const lowering = new RegionLowering(out, plan, front, {
      enter,
      chain,
      handlerType: module.type(handlerParams, ["i32"]),
      helper: (node) => importHelper(node, module, front),
    });
    lowering.region();
    const index = module.function(handlerParams, ["i32"], lowering.locals, out);
    module.name(index, name);
    module.export("region", index);
    return { module, lowering, body: out.view() };
  }
}

function sizeOf({ stretches }: Discovery): number {
  return stretches.reduce((sum, { instructions }) => sum + instructions.length, 0);
}

function fallOf(stretch: Stretch): number | undefined {
  const last = stretch.instructions.at(-1);
  return last?.falls ? last.offset + last.length : undefined;
}

function followers(stretch: Stretch): number[] {
  const fall = fallOf(stretch);
  // The fall first: it then comes last in postorder and stands next in the order.
  return [...new Set([...(stretch.instructions.at(-1)?.targets ?? []), ...(fall === undefined ? [] : [fall])])];
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
