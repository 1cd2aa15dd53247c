import { pageSize } from "../../bus/guest-memory.ts";
import type { CodePage, PlacedRegion, RegionPart } from "../code-cache.ts";
import { fetchEntry, operandOffset, record } from "../layout.ts";
import type { Discovery, Source, SourcePage } from "./discover.ts";
import { offsetOf, pageOf } from "./instructions.ts";
import type { RegionWorld } from "./world.ts";

/** The pages around a place that has become hot, as far as code is fetched from them now. */
export class Pages {
  readonly #world: RegionWorld;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #bytes: Uint8Array;
  readonly #mode: number;
  readonly #linear: number;
  readonly #pc: number;
  readonly #codes = new Map<number, CodePage | undefined>();
  readonly #operands = new Int32Array(8);

  /** @param pc that of the first page's first byte. */
  constructor(world: RegionWorld, code: CodePage, pc: number) {
    const { guest, front } = world;
    this.#world = world;
    this.#words = new Int32Array(guest.memory.buffer);
    this.#halves = new Uint16Array(guest.memory.buffer);
    this.#bytes = guest.bytes;
    this.#mode = code.mode;
    this.#pc = pc;
    this.#linear = (pc + (this.#words[front.slots.fetchBase.index] as number)) | 0;
    this.#codes.set(0, code);
  }

  /** What a region is discovered in that is wanted at these places. */
  source(wanted: readonly number[]): Source {
    const pc = this.#pc;
    const wantedAt = wanted.map((place) => (pc + place) | 0);
    return (number) => this.#page(number, wantedAt);
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
    const { cache, first, threshold } = this.#world;
    const warm = threshold / 2;
    return {
      facts: (offset) => {
        const at = cache.entry(code, offset);
        return at === 0 ? 0 : code.facts.at(offset) || this.#learn(code, offset, at);
      },
      targets: (offset) => code.facts.targets(offset),
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
    };
  }

  /** Finds out about an instruction by its record. */
  #learn({ facts }: CodePage, offset: number, at: number): number {
    const { first, formOf, front, sequences } = this.#world;
    const handler = this.#handler(at);
    const own = handler < first ? sequences.own(handler) : (this.#halves[(at + record.original) >> 1] as number);
    const form = formOf(own);
    if (form === undefined) return facts.across(offset);
    const length = this.#bytes[at + record.length] as number;
    const operands = this.#operands;
    for (let k = 0; k < 6; k++) operands[k] = this.#halves[(at + operandOffset(k)) >> 1] as number;
    for (let k = 6; k < 8; k++) operands[k] = this.#words[(at + operandOffset(k)) >> 2] as number;
    return facts.learn(front, { offset, length, form, operands, from: 0 });
  }

  /** What a record leads to. */
  #handler(at: number): number {
    return this.#words[(at + record.handler) >> 2] as number;
  }

  /** The regions which have an instruction of what was discovered, with all their entries on pages that are there. */
  touched({ extents }: Discovery): PlacedRegion[] {
    const found = new Set<PlacedRegion>();
    for (const { places } of extents) {
      const code = this.code(pageOf(places[0])) as CodePage;
      for (const region of code.regions) {
        if (found.has(region)) continue;
        const part = region.parts.find((part) => part.code === code) as RegionPart;
        if (places.some((place) => part.instructions[offsetOf(place)] === 1)) found.add(region);
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
  partsOf({ extents, entries }: Discovery): RegionPart[] {
    return [...Map.groupBy(extents, ({ places }) => pageOf(places[0]))].map(([number, there]) => {
      const instructions = new Uint8Array(pageSize);
      const inLoops = new Set<number>();
      for (const { places, loops } of there) {
        for (const place of places) instructions[offsetOf(place)] = 1;
        if (loops) for (let k = 1; k < places.length; k++) inLoops.add(offsetOf(places[k] as number));
      }
      return {
        number,
        code: this.code(number) as CodePage,
        entries: entries.filter((entry) => pageOf(entry) === number).map(offsetOf),
        instructions,
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
