import { pageSize } from "../../bus/guest-memory.ts";
import {
  type Alien,
  type Decoding,
  type Found,
  type Instruction,
  inspect,
  offsetOf,
  pageOf,
  placed,
} from "./instructions.ts";

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

/** A run of instructions entered at its first and left at its last. */
export interface Stretch {
  readonly offset: number;
  readonly instructions: readonly Found[];
}

/** What is reached. */
export interface Discovery {
  readonly stretches: readonly Stretch[];
  /** Where it may be entered: the places asked for, and those where calls come back to. */
  readonly entries: readonly number[];
  /** Where jumps and falls lead that go out of it. */
  readonly leads: readonly number[];
}

/** A page from which a region is made. */
export interface SourcePage {
  readonly bytes: Uint8Array;
  /** Whether an instruction at this offset has been come to: what never ran stays out. */
  ran(offset: number): boolean;
  /** Whether jumps went there at least half as often as makes a region. */
  hot(offset: number): boolean;
  /** Whether another region is entered at this offset, and does not come back to where this one is wanted: the way on is a way from region to region. */
  taken(offset: number): boolean;
  /** What was found on the page before, by offset. Places in it are counted from this page. */
  readonly known: Map<number, Instruction | Alien>;
}

/** What a region is made from. */
export interface Source extends Decoding {
  /** The page so many pages behind the first one, if code is fetched from there now. */
  page(number: number): SourcePage | undefined;
}

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
  readonly #found = new Map<number, Found>();
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
    const stretches = [...this.#leaders]
      .filter((leader) => found.has(leader))
      .map((leader) => stretch(found, this.#leaders, leader));
    return { stretches, entries: [...this.#entries].filter((at) => found.has(at)), leads: this.#leads(stretches) };
  }

  #leads(stretches: readonly Stretch[]): number[] {
    const leads = new Set<number>();
    for (const { instructions } of stretches) {
      const last = instructions[instructions.length - 1] as Found;
      for (const to of last.targets) leads.add(to);
      if (last.falls) leads.add(last.offset + last.length);
    }
    return [...leads].filter((to) => !this.#found.has(to));
  }

  /** Along the instructions from a place on, to where they part. */
  #follow(from: number): void {
    const number = pageOf(from);
    const page = this.#page(number);
    if (page === undefined) return;
    const start = number * pageSize;
    for (let at = from; !this.#found.has(at) && page.ran(at - start); ) {
      if (this.#found.size >= this.#limits.instructions || (this.#apart && this.#isTaken(page, at))) return;
      const one = this.#instruction(page, number, at - start);
      if (typeof one === "number") {
        if (one > 0) this.#enterAt(page, number, at + one);
        return;
      }
      this.#found.set(at, one);
      for (const target of one.targets) this.#lead(number, target);
      at += one.length;
      const here = pageOf(at) === number;
      if (one.links) this.#enterAt(page, number, at);
      if (!one.falls || (one.last && !one.jumps)) return;
      if (!here) this.#near.push(at);
      if (!here || one.jumps) this.#leaders.add(at);
      if (!here) return;
    }
  }

  /** A place on a page at which the region is come back to. */
  #enterAt(page: SourcePage, number: number, at: number): void {
    if (pageOf(at) !== number || !page.ran(offsetOf(at)) || this.#entries.size >= this.#limits.entries) return;
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
    const page = this.#source.page(number);
    this.#pages.set(number, page);
    if (page !== undefined) this.#pageCount++;
    return page;
  }

  #instruction(page: SourcePage, number: number, offset: number): Instruction | Alien {
    const known = page.known.get(offset) ?? inspect(this.#source, page.bytes, number, offset);
    page.known.set(offset, known);
    return typeof known === "number" ? known : placed(known, number);
  }
}

function stretch(found: ReadonlyMap<number, Found>, leaders: ReadonlySet<number>, offset: number): Stretch {
  const instructions: Found[] = [];
  for (let at = offset; ; ) {
    const one = found.get(at);
    if (one === undefined || (at !== offset && leaders.has(at))) break;
    instructions.push(one);
    at += one.length;
    if (one.last) break;
  }
  return { offset, instructions };
}
