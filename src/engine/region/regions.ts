import { pageSize } from "../../bus/guest-memory.ts";
import type { CodePage, PlacedRegion, RegionPart } from "../code-cache.ts";
import { record } from "../layout.ts";
import { Arrivals } from "./arrivals.ts";
import { type Background, type MadeModule, unflatten } from "./background.ts";
import { type Discovery, discover, usual, widened } from "./discover.ts";
import { offsetOf, pageOf, type Stretch } from "./instructions.ts";
import type { Listed } from "./listing.ts";
import { Pages, regionOf } from "./pages.ts";
import { type RegionJob, type RegionSurroundings, type TranslatedRegion, translateRegion } from "./translate.ts";
import { Wanted } from "./wanted.ts";
import type { RegionWorld } from "./world.ts";

/** After this many spans which lay on two pages, a page's regions are made anew with each access for itself. */
const mostCrossings = 16;

/** Ways into a region at most, those of regions that it takes the place of among them: a record has a byte for which one it is. */
const mostWaysIn = 255;

/** A place on a page for which a region is being made is asked for again after this part of the jumps that make it hot. */
const sooner = 8;

/** A page whose regions have been made anew this often waits this many doublings longer before it is looked at again. */
const mostPatience = 6;

/** A region that another thread makes. */
interface Awaited {
  readonly region: PlacedRegion;
  /** Those which it takes in. */
  readonly takes: readonly PlacedRegion[];
  /** Of its pages, when it was asked for. */
  readonly versions: readonly number[];
}

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
  readonly #around: RegionSurroundings;
  /** By number, as they were sent. */
  readonly #awaited = new Map<number, Awaited>();
  #sent = 0;
  readonly #arrivals = new Arrivals();
  readonly #wanted = new Wanted();
  /** When a region was last left for a span. */
  #slowAccesses = 0;
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
    this.#world = world;
    this.#words = new Int32Array(guest.memory.buffer);
    this.#halves = new Uint16Array(guest.memory.buffer);
    this.#bytes = guest.bytes;
    this.#imports = {
      run: { memory: guest.memory, table, chain, span: (index: number) => this.#leftForSpan(index) },
      help: helpers,
    };
    this.#next = world.first;
    this.#around = {
      fetchTlb: world.fetchTlb,
      counters: world.counters,
      shift: cache.shift,
      memoryPages: guest.wasmPages,
      tableSize: table.length,
    };
    cache.onForget = (code, from) => this.#forget(code, from);
  }

  /** False when the table is full: the caller empties the code cache, and then calls `empty`. */
  get room(): boolean {
    return this.#free.length > 0 || this.#next < this.#world.table.length;
  }

  empty(): void {
    this.alive = 0;
    this.#arrivals.empty();
    this.#wanted.empty();
    this.#awaited.clear();
    for (let k = this.#world.first; k < this.#next; k++) this.#world.table.set(k, null);
    this.#next = this.#world.first;
    this.#free = [];
  }

  /**
   * This place of a page has become hot: makes a region with it as an entry, if there can be one. Gives the heat to go on with: not 0 where it is to be
   * asked again later.
   */
  make(code: CodePage, offset: number, pc: number, heat: number): number {
    const tlb = this.#tlb;
    // Where every access is to be seen there is nothing to gain.
    if (tlb === this.#world.emptyTlb) return 0;
    if (this.#expected(code, offset)) return Math.ceil(heat / sooner);
    if (isInLoop(code, offset) || this.#isTooNew(code, offset)) return heat;
    const begin = this.#world.now();
    code.steady.set(offset, this.#steady);
    const when = this.#world.background?.next() ?? "here";
    if (when === "later") this.#wanted.ask(code, offset, pc - offset, tlb);
    else this.#make(code, [offset], pc - offset, tlb, when === "here");
    this.time += this.#world.now() - begin;
    return when === "later" ? Math.ceil(heat / sooner) : 0;
  }

  /** Whether to wait once more: a region is made of what ran, and of code that is hot at once not much has, which will be hot again soon. */
  #isTooNew(code: CodePage, offset: number): boolean {
    if (this.#world.cache.age(code) >= this.#world.newFor || code.passed.has(offset)) return false;
    code.passed.add(offset);
    return true;
  }

  /** Whether a region that is being made is entered there. */
  #expected(code: CodePage, offset: number): boolean {
    if (code.awaited === 0) return false;
    for (const { region } of this.#awaited.values())
      if (region.parts.some((part) => part.code === code && part.entries.includes(offset))) return true;
    return false;
  }

  #make(code: CodePage, offsets: readonly number[], start: number, tlb: number, here: boolean): void {
    const pages = new Pages(this.#world, code, start);
    const source = pages.source(offsets);
    const joining = code.patience === 0;
    let discovery = discover(source, offsets, usual, !joining);
    let takes: readonly PlacedRegion[] = [];
    const place = offsets.find((offset) => discovery.entries.includes(offset));
    if (place === undefined) return;
    if (!joining) code.patience--;
    // What it shares with regions there becomes one with them, as long as that stays small.
    const joined = joining ? pages.touched(discovery) : [];
    if (joined.length > 0) {
      code.remade++;
      code.patience = 2 ** Math.min(code.remade, mostPatience) - 1;
      const entries = [...new Set([...offsets, ...joined.flatMap((region) => pages.entriesOf(region))])];
      const whole = discover(source, entries.slice(0, mostWaysIn), usual);
      if (entries.every((entry) => whole.entries.includes(entry)) && sizeOf(whole) < usual.instructions) {
        discovery = whole;
        takes = joined;
      }
    }
    this.#begin(pages, discovery, takes, { start, tlb, place, here });
  }

  /** Has a region made of what was discovered: `here`, or by the other thread. `place` gives it its name. */
  #begin(
    pages: Pages,
    discovery: Discovery,
    takes: readonly PlacedRegion[],
    { start, tlb, place, here }: { start: number; tlb: number; place: number; here: boolean },
  ): void {
    const index = this.#free.pop() ?? this.#next++;
    const { extents, entries, leads } = discovery;
    const region: PlacedRegion = {
      index,
      parts: pages.partsOf(discovery),
      pc: start,
      entries,
      stretches: Int32Array.from(extents.flatMap(({ places }) => [places[0], places.length])),
      leads: new Set(leads.map((place) => (start + place) | 0)),
      tlb,
    };
    const name = `guest_${((start + place) >>> 0).toString(16)}`;
    const { background } = this.#world;
    if (background !== undefined && !here) this.#send(background, region, takes, name);
    else {
      const emitted = this.#translated(region, this.stretchesOf(region), name).module.bytes();
      this.#enterAll(region, takes, new WebAssembly.Module(emitted), emitted.length);
    }
  }

  /**
   * One of the ways from region to region was the one from this region, whose first page starts at `start`, to a pc. A region from which many such ways are gone is made
   * anew with what stands there, as long as that stays small: where addresses are computed nobody can know beforehand what leads where.
   */
  arrived(from: number, start: number, pc: number): void {
    const page = this.#pages[from];
    const region = page === undefined ? undefined : regionOf(page, from);
    const first = region?.parts.find(({ number }) => number === 0)?.code;
    if (region === undefined || first === undefined || first.awaited > 0) return;
    const place = (pc - start) | 0;
    const there = new Pages(this.#world, first, start).code(pageOf(place));
    there?.steady.set(offsetOf(place), this.#steady);
    const places = this.#arrivals.told(from, place, lengthOf(region));
    if (places === undefined) return;
    const begin = this.#world.now();
    for (let count = places.length; count > 0 && !this.#widen(region, first, start, places.slice(0, count)); )
      count >>= 1;
    this.time += this.#world.now() - begin;
  }

  #widen(region: PlacedRegion, code: CodePage, pc: number, places: readonly number[]): boolean {
    const pages = new Pages(this.#world, code, pc);
    if (region.parts.some((part) => pages.code(part.number) !== part.code)) return true;
    const wanted = [...new Set([...places, ...pages.entriesOf(region)])];
    const source = pages.source(places);
    const joined = pages.touched(discover(source, wanted, widened));
    const entries = [...new Set([...wanted, ...joined.flatMap((other) => pages.entriesOf(other))])];
    if (entries.length > mostWaysIn) return false;
    const whole = discover(source, entries, widened);
    if (!entries.every((entry) => whole.entries.includes(entry)) || sizeOf(whole) >= widened.instructions) return false;
    const here = this.#world.background?.next() === "here";
    this.#begin(pages, whole, joined, { start: pc, tlb: this.#tlb, place: places[0] as number, here });
    return true;
  }

  #translated(region: PlacedRegion, stretches: readonly Stretch[], name: string): TranslatedRegion {
    return translateRegion(this.#world.front, this.#around, { ...this.#job(region, name), stretches });
  }

  #job({ index, parts, entries, tlb }: PlacedRegion, name: string): Omit<RegionJob, "stretches"> {
    return {
      index,
      name,
      entries,
      tables: new Map(parts.map(({ number, code }) => [number, code.table])),
      mode: (parts[0] as RegionPart).code.mode,
      tlb,
      apart: parts.some(({ code }) => code.crossed >= mostCrossings),
      steady: this.#steady,
      steadyAt: new Map(
        parts.flatMap(({ number, code }) =>
          [...code.steady].map(([offset, value]) => [number * pageSize + offset, value] as const),
        ),
      ),
    };
  }

  get #tlb(): number {
    return this.#words[this.#world.front.slots.tlb.index] as number;
  }

  get #steady(): number {
    const { steady } = this.#world.front;
    return steady === undefined ? 0 : (this.#words[steady.index] as number);
  }

  /** A module is there: its region stands in its entries from now on, in place of those which it takes in. */
  #enterAll(region: PlacedRegion, takes: readonly PlacedRegion[], module: WebAssembly.Module, bytes: number): void {
    const { index, parts, entries } = region;
    for (const other of takes) if (other.parts.some(({ code }) => code.regions.has(other))) this.#drop(other);
    const instance = new WebAssembly.Instance(module, this.#imports);
    this.#world.table.set(index, instance.exports.region);
    for (const [k, place] of entries.entries()) {
      const { code } = parts.find(({ number }) => number === pageOf(place)) as RegionPart;
      const at = this.#world.cache.entry(code, offsetOf(place));
      // An instruction that lies on two pages may have been forgotten with the second one.
      if (at !== 0) this.#enter(at, index, k + 1, pageOf(place));
    }
    this.#pages[index] = (parts[0] as RegionPart).code;
    for (const part of parts) part.code.regions.add(region);
    this.made++;
    this.alive++;
    this.bytes += bytes;
  }

  /** Has it made on another thread. */
  #send(background: Background, region: PlacedRegion, takes: readonly PlacedRegion[], name: string): void {
    const { tables: _, ...job } = this.#job(region, name);
    const id = ++this.#sent;
    const { guest } = this.#world;
    for (const { code } of region.parts) code.awaited++;
    const versions = region.parts.map(({ code }) => code.version);
    this.#awaited.set(id, { region, takes, versions });
    const pages = region.parts.map(({ number, code }) => {
      return { number, table: code.table, bytes: guest.page(code.page).slice() };
    });
    background.post({ ...job, id, around: this.#around, pc: region.pc, pages, stretches: region.stretches });
  }

  /** Whether another thread is at work. */
  get waiting(): boolean {
    return this.#awaited.size > 0 || this.#wanted.size > 0;
  }

  /** Lets in what the other thread has made, between two slices, and gives it more to do. */
  settle(): void {
    const { background } = this.#world;
    let made = background?.take();
    // The usual case: looking at the host's clock would take longer than all else here.
    if (made === undefined && !this.#mayAsk) return;
    const begin = this.#world.now();
    for (; made !== undefined; made = background?.take()) this.#letIn(made);
    while (this.#mayAsk) {
      const wanted = this.#wanted.take();
      if (wanted !== undefined) this.#make(wanted.code, [...wanted.places], wanted.start, wanted.tlb, false);
    }
    this.time += this.#world.now() - begin;
  }

  /** Whether something waits until the other thread has time for it, and it has. */
  get #mayAsk(): boolean {
    return this.#wanted.size > 0 && this.room && this.#world.background?.next() === "now";
  }

  #letIn({ id, module, bytes }: MadeModule): void {
    const awaited = this.#awaited.get(id);
    // Of what was asked for before all code was forgotten nobody knows any more.
    if (awaited === undefined) return;
    this.#awaited.delete(id);
    const { region, takes, versions } = awaited;
    for (const { code } of region.parts) code.awaited--;
    if (region.parts.every(({ code }, k) => code.version === versions[k])) this.#enterAll(region, takes, module, bytes);
    else this.#giveUp(region);
  }

  /** Somebody wrote on one of its pages while it was made. */
  #giveUp({ index, parts }: PlacedRegion): void {
    this.forgotten++;
    this.#free.push(index);
    for (const at of parts.flatMap((part) => this.#recordsOf(part)))
      if ((this.#words[(at + record.handler) >> 2] as number) < this.#world.first)
        this.#halves[(at + record.heat) >> 1] = this.#world.threshold;
  }

  /** Where the records of a region's entries on a page lie. An instruction that lies on two pages may have been forgotten with the second one. */
  #recordsOf({ code, entries }: RegionPart): number[] {
    return entries.map((entry) => this.#world.cache.entry(code, entry)).filter((at) => at !== 0);
  }

  /** A region was left for a span. One that lies on two pages has left for nothing that the TLB did not answer, when the next one leaves. */
  #leftForSpan(index: number): void {
    const slow = this.#world.slowAccesses();
    const answered = slow === this.#slowAccesses;
    this.#slowAccesses = slow;
    if (!answered) return;
    const code = this.#pages[index];
    if (code === undefined || ++code.crossed !== mostCrossings) return;
    for (const { parts } of code.regions)
      for (const at of parts.flatMap((part) => this.#recordsOf(part))) this.#halves[(at + record.heat) >> 1] = 1;
  }

  /** Lets a record lead to an entry of a region. */
  #enter(at: number, index: number, entry: number, page: number): void {
    const handler = this.#words[(at + record.handler) >> 2] as number;
    // It may lead to an entry of another region, and then its own handler is known already.
    const { first, sequences } = this.#world;
    if (handler < first) this.#halves[(at + record.original) >> 1] = sequences.own(handler);
    sequences.part(at);
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
    for (const part of region.parts) {
      part.code.regions.delete(region);
      for (const at of this.#recordsOf(part)) {
        if (this.#words[(at + record.handler) >> 2] !== region.index) continue;
        this.#words[(at + record.handler) >> 2] = this.#halves[(at + record.original) >> 1] as number;
        this.#halves[(at + record.heat) >> 1] = this.#world.threshold;
      }
    }
    this.#release(region);
  }

  #release({ index }: PlacedRegion): void {
    this.alive--;
    this.#arrivals.forget(index);
    this.#world.table.set(index, null);
    this.#free.push(index);
  }

  /**
   * A page's records are forgotten, from an offset on, since it was written on, or the next one: no region is entered there any more, and none is over a page that was written on. Records that
   * are no longer looked up may still be fallen into, so none is left which leads to a region.
   */
  #forget(code: CodePage, from: number): void {
    this.#wanted.forget(code);
    for (const region of code.regions) {
      const { entries } = region.parts.find((part) => part.code === code) as RegionPart;
      if (from > 0 && !entries.some((entry) => entry >= from)) continue;
      this.forgotten++;
      this.#remove(region);
    }
    if (from === 0) code.remade++;
  }

  /** The region once more, to be looked at. */
  list(region: PlacedRegion): Listed {
    const stretches = this.stretchesOf(region);
    const { plan, module, lowering, body } = this.#translated(region, stretches, "region");
    return { plan, stretches, lowering, body, bytes: module.bytes().length };
  }

  /** What it was made of. */
  stretchesOf({ parts, pc, stretches }: PlacedRegion): Stretch[] {
    const { guest, front } = this.#world;
    const codes = new Map(parts.map(({ number, code }) => [number, code]));
    const { mode } = (parts[0] as RegionPart).code;
    return unflatten({ front, pc, mode }, stretches, (number) => {
      const page = codes.get(number)?.page;
      return page === undefined ? undefined : guest.page(page);
    });
  }
}

/** How many instructions a region has. */
function lengthOf({ stretches }: PlacedRegion): number {
  return stretches.reduce((sum, count, k) => sum + (k % 2) * count, 0);
}

function sizeOf({ extents }: Discovery): number {
  return extents.reduce((sum, { places }) => sum + places.length, 0);
}

/**
 * Whether a region has this place inside of a loop of one stretch. Faults and interrupts come back there, once for many turns of the loop, and the interpreter has only the rest of a turn to go; a loop
 * with two ways in takes twice as long in each turn.
 */
function isInLoop(code: CodePage, offset: number): boolean {
  for (const { parts } of code.regions)
    if (parts.some((part) => part.code === code && part.inLoops.has(offset))) return true;
  return false;
}
