import { pageSize } from "../../bus/guest-memory.ts";
import { fact } from "./facts.ts";
import { offsetOf, pageOf } from "./instructions.ts";

/** How much a region may hold at most. */
export interface Limits {
  readonly instructions: number;
  readonly pages: number;
  /** Ways into it. */
  readonly entries: number;
}

/** About 40 bytes of WebAssembly an instruction, and V8 optimises up to some tens of kilobytes in a few ms. */
export const usual: Limits = { instructions: 600, pages: 4, entries: 64 };

/** Where ways between regions were seen to be gone again and again. */
export const widened: Limits = { instructions: 800, pages: 8, entries: 128 };

/** A record counts the pages between a place and the region's first page in 16 bits. */
const farthest = 0x7fff;

/** Where a stretch is: the places of its instructions, which lie on one page. */
export interface Extent {
  readonly places: readonly [number, ...number[]];
  /** Whether it jumps back to its start. */
  readonly loops: boolean;
}

/** What is reached. */
export interface Discovery {
  readonly extents: readonly Extent[];
  /** Where it may be entered: the places asked for, and those where calls come back to. */
  readonly entries: readonly number[];
  /** Where jumps and falls lead that go out of it. */
  readonly leads: readonly number[];
}

/** A page from which a region is made. */
export interface SourcePage {
  /** What is known of the instruction at this offset (`fact`); 0 where none has been come to: what never ran stays out. */
  facts(offset: number): number;
  /** Where it may jump to, as far as that is known: in bytes from this page's start. */
  targets(offset: number): readonly number[];
  /** Whether jumps went there at least half as often as makes a region. */
  hot(offset: number): boolean;
  /** Whether another region is entered at this offset, and does not come back to where this one is wanted: the way on is a way from region to region. */
  taken(offset: number): boolean;
}

/** What a region is made from: the page so many pages behind the first one, if code is fetched from there now. */
export type Source = (number: number) => SourcePage | undefined;

/**
 * The code that is reached from `wanted`, cut into stretches: all that ran on pages come to already, and on others what is hot and not in a region of its own. Empty when not even the
 * first of these instructions can be in a region.
 *
 * @param apart other regions' code on pages come to already is left to them, too, from their entries on.
 */
export function discover(source: Source, wanted: readonly number[], limits: Limits, apart = false): Discovery {
  return new Search(source, wanted, limits, apart).run();
}

class Search {
  readonly #source: Source;
  readonly #limits: Limits;
  readonly #apart: boolean;
  readonly #wanted: ReadonlySet<number>;
  /** Instructions by their places, and what is known of them. */
  readonly #found = new Map<number, number>();
  readonly #entries: Set<number>;
  readonly #leaders: Set<number>;
  readonly #pages = new Map<number, SourcePage | undefined>();
  #pageCount = 0;
  /** What is still to be looked at: last in, first out; and on other pages, first in, first out. */
  readonly #near: number[];
  readonly #far: number[] = [];

  constructor(source: Source, wanted: readonly number[], limits: Limits, apart: boolean) {
    this.#source = source;
    this.#limits = limits;
    this.#apart = apart;
    this.#wanted = new Set(wanted);
    this.#entries = new Set(wanted);
    this.#leaders = new Set(wanted);
    this.#near = [...wanted].reverse();
  }

  run(): Discovery {
    for (let next = 0; ; ) {
      const near = this.#near.pop();
      const at = near ?? this.#far[next++];
      if (at === undefined) break;
      this.#follow(at);
    }
    const found = this.#found;
    const extents: Extent[] = [];
    const leads = new Set<number>();
    for (const leader of this.#leaders) if (found.has(leader)) extents.push(this.#extent(leader, leads));
    return { extents, entries: [...this.#entries].filter((at) => found.has(at)), leads: [...leads] };
  }

  /** From a leader on to where something else begins. Says where it leads that is not found. */
  #extent(leader: number, leads: Set<number>): Extent {
    const found = this.#found;
    const places: [number, ...number[]] = [leader];
    let last = leader;
    let facts = found.get(leader) as number;
    let next = leader + (facts & fact.length);
    while ((facts & fact.last) === 0 && found.has(next) && !this.#leaders.has(next)) {
      places.push(next);
      last = next;
      facts = found.get(last) as number;
      next = last + (facts & fact.length);
    }
    let loops = false;
    for (const to of this.#targets(last, facts)) {
      if (!found.has(to)) leads.add(to);
      if (to === leader) loops = true;
    }
    if ((facts & fact.falls) !== 0 && !found.has(next)) leads.add(next);
    return { places, loops };
  }

  #targets(at: number, facts: number): readonly number[] {
    if ((facts & fact.jumps) === 0) return [];
    const number = pageOf(at);
    const targets = this.#pages.get(number)?.targets(offsetOf(at)) ?? [];
    return number === 0 ? targets : targets.map((to) => (to + number * pageSize) | 0);
  }

  /** Along the instructions from a place on, to where they part. */
  #follow(from: number): void {
    const number = pageOf(from);
    const page = this.#page(number);
    if (page === undefined) return;
    for (let at = from; !this.#found.has(at); ) {
      const facts = page.facts(offsetOf(at));
      if (facts === 0 || this.#found.size >= this.#limits.instructions) return;
      if (this.#apart && this.#isTaken(page, at)) return;
      const length = facts & fact.length;
      if ((facts & fact.alien) !== 0) {
        if (length > 0) this.#enterAt(page, number, at + length);
        return;
      }
      this.#found.set(at, facts);
      const jumps = (facts & fact.jumps) !== 0;
      if (jumps) for (const target of this.#targets(at, facts)) this.#lead(number, target);
      at += length;
      const here = pageOf(at) === number;
      if ((facts & fact.links) !== 0) this.#enterAt(page, number, at);
      if ((facts & fact.falls) === 0 || ((facts & fact.last) !== 0 && !jumps)) return;
      if (!here) this.#near.push(at);
      if (!here || jumps) this.#leaders.add(at);
      if (!here) return;
    }
  }

  /** A place on a page at which the region is come back to. */
  #enterAt(page: SourcePage, number: number, at: number): void {
    if (pageOf(at) !== number || this.#entries.size >= this.#limits.entries || page.facts(offsetOf(at)) === 0) return;
    this.#entries.add(at);
    this.#lead(number, at);
  }

  /** A place to which something on a page goes. */
  #lead(number: number, to: number): void {
    if (pageOf(to) === number) this.#near.push(to);
    else if (this.#isWorthIt(to)) this.#far.push(to);
    else return;
    this.#leaders.add(to);
  }

  /** Whether a place on another page belongs to what a page leads to. */
  #isWorthIt(to: number): boolean {
    const page = this.#page(pageOf(to));
    return page?.hot(offsetOf(to)) === true && !this.#isTaken(page, to);
  }

  #isTaken(page: SourcePage, at: number): boolean {
    return !this.#wanted.has(at) && page.taken(offsetOf(at));
  }

  #page(number: number): SourcePage | undefined {
    if (this.#pages.has(number)) return this.#pages.get(number);
    if (this.#pageCount >= this.#limits.pages || Math.abs(number) > farthest) return undefined;
    const page = this.#source(number);
    this.#pages.set(number, page);
    if (page !== undefined) this.#pageCount++;
    return page;
  }
}
