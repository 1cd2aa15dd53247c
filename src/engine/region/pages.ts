import { pageSize } from "../../bus/guest-memory.ts";
import type { CodePage, PlacedRegion, RegionPart } from "../code-cache.ts";
import { fetchEntry, record } from "../layout.ts";
import type { Discovery, Source, SourcePage } from "./discover.ts";
import { offsetOf, pageOf } from "./instructions.ts";
import type { RegionWorld } from "./world.ts";

/** The pages around a place that has become hot, as far as code is fetched from them now. */
export class Pages {
  readonly #world: RegionWorld;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #mode: number;
  readonly #linear: number;
  readonly #pc: number;
  readonly #codes = new Map<number, CodePage | undefined>();

  /** @param pc that of the first page's first byte. */
  constructor(world: RegionWorld, code: CodePage, pc: number) {
    const { guest, front } = world;
    this.#world = world;
    this.#words = new Int32Array(guest.memory.buffer);
    this.#halves = new Uint16Array(guest.memory.buffer);
    this.#mode = code.mode;
    this.#pc = pc;
    this.#linear = (pc + (this.#words[front.slots.fetchBase.index] as number)) | 0;
    this.#codes.set(0, code);
  }

  /** What a region is discovered in that is wanted at these places. */
  source(wanted: readonly number[]): Source {
    const pc = this.#pc;
    const wantedAt = wanted.map((place) => (pc + place) | 0);
    return { front: this.#world.front, pc, mode: this.#mode, page: (number) => this.#page(number, wantedAt) };
  }

  /** The page so many pages behind the first one. */
  code(number: number): CodePage | undefined {
    if (this.#codes.has(number)) return this.#codes.get(number);
    const linear = (this.#linear + number * pageSize) | 0;
    const entry = (this.#world.fetchTlb + fetchEntry(linear)) >> 2;
    const mapped = this.#words[entry] === (linear | this.#mode);
    const found = mapped ? this.#world.cache.byTable(this.#words[entry + 1] as number) : undefined;
    // A page which is there twice has one record for both.
    const code = found !== undefined && [...this.#codes.values()].includes(found) ? undefined : found;
    this.#codes.set(number, code);
    return code;
  }

  #page(number: number, wanted: readonly number[]): SourcePage | undefined {
    const code = this.code(number);
    if (code === undefined) return undefined;
    const { cache, guest, first, threshold } = this.#world;
    const warm = threshold / 2;
    return {
      bytes: guest.page(code.page),
      ran: (offset) => cache.entry(code, offset) !== 0,
      hot: (offset) => {
        const at = cache.entry(code, offset);
        if (at === 0) return false;
        return this.#handler(at) >= first || (this.#halves[(at + record.heat) >> 1] as number) < warm;
      },
      taken: (offset) => {
        const at = cache.entry(code, offset);
        const region = at === 0 ? undefined : regionOf(code, this.#handler(at));
        return region !== undefined && !wanted.some((pc) => region.leads.has(pc));
      },
      known: code.known,
    };
  }

  /** What a record leads to. */
  #handler(at: number): number {
    return this.#words[(at + record.handler) >> 2] as number;
  }

  /** The regions which have an instruction of what was discovered, with all their entries on pages that are there. */
  touched({ stretches }: Discovery): PlacedRegion[] {
    const found = new Set<PlacedRegion>();
    for (const { instructions } of stretches) {
      const first = instructions[0];
      if (first === undefined) continue;
      // A stretch lies on one page.
      const code = this.code(pageOf(first.offset)) as CodePage;
      for (const region of code.regions) {
        if (found.has(region)) continue;
        const part = region.parts.find((part) => part.code === code) as RegionPart;
        if (instructions.some(({ offset }) => part.instructions[offsetOf(offset)] === 1)) found.add(region);
      }
    }
    return [...found].filter((region) => region.parts.every(({ code }) => this.numberOf(code) !== undefined));
  }

  entriesOf(region: PlacedRegion): number[] {
    return region.parts.flatMap(({ code, entries }) => {
      const start = (this.numberOf(code) as number) * pageSize;
      return entries.map((entry) => entry + start);
    });
  }

  /** What is discovered, by the pages on which it lies. */
  partsOf({ stretches, entries }: Discovery): RegionPart[] {
    const numbers = new Set(stretches.flatMap(({ instructions }) => instructions.map(({ offset }) => pageOf(offset))));
    return [...numbers].map((number) => {
      const starts = new Uint8Array(pageSize);
      const inLoops = new Set<number>();
      for (const { offset: first, instructions } of stretches) {
        if (pageOf(first) !== number) continue;
        for (const { offset } of instructions) starts[offsetOf(offset)] = 1;
        if (!instructions.at(-1)?.targets.includes(first)) continue;
        for (const { offset } of instructions) if (offset !== first) inLoops.add(offsetOf(offset));
      }
      return {
        number,
        code: this.code(number) as CodePage,
        entries: entries.filter((entry) => pageOf(entry) === number).map(offsetOf),
        instructions: starts,
        inLoops,
      };
    });
  }

  /** How many pages behind the first one a page lies, of those that were asked for. */
  numberOf(code: CodePage): number | undefined {
    for (const [number, known] of this.#codes) if (known === code) return number;
    return undefined;
  }
}

/** The region of this index on a page. */
export function regionOf({ regions }: CodePage, index: number): PlacedRegion | undefined {
  for (const region of regions) if (region.index === index) return region;
  return undefined;
}
