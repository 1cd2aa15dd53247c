import { type GuestMemory, pageShift, pageSize } from "../bus/guest-memory.ts";
import type { EngineLayout } from "./layout.ts";
import { Facts } from "./region/facts.ts";

/** From here on an instruction may go on on the next page, and is forgotten with it. */
export const lastPlaces = pageSize - 15;

/** What of a region lies on one page. */
export interface RegionPart {
  /** How many pages the page lies behind the region's first one. */
  readonly number: number;
  readonly code: CodePage;
  /** The places where it is entered. */
  readonly entries: readonly number[];
  /** 1 where one of its instructions starts. */
  readonly instructions: Uint8Array;
  /** The places inside of loops of one stretch: behind the first instruction of one which jumps back there. */
  readonly inLoops: ReadonlySet<number>;
}

/** A region as its pages know it. */
export interface PlacedRegion {
  /** Where it stands in the table of handlers. */
  readonly index: number;
  readonly parts: readonly RegionPart[];
  /** The pc at the first byte of its first page, where it was found. */
  readonly pc: number;
  readonly entries: readonly number[];
  /** Where each of its stretches begins, and how many instructions it has, in turn: with the bytes there enough to make it once more. */
  readonly stretches: Int32Array;
  /** The pcs to which jumps and falls lead that go out of it. */
  readonly leads: ReadonlySet<number>;
  /** Under which data TLB it was made. */
  readonly tlb: number;
}

/** A page of guest code as decoded under one mode: a table with a word for each place where an instruction may start. */
export interface CodePage {
  /** The page's number in the guest memory. */
  readonly page: number;
  readonly mode: number;
  /** Where its table lies; a word is the address of a record, or 0. */
  readonly table: number;
  /** Those with a part here. */
  readonly regions: Set<PlacedRegion>;
  /** What was found out about its instructions, for regions. */
  readonly facts: Facts;
  /** What the front end's steady word was, by offset, where a place was seen to be hot. */
  readonly steady: Map<number, number>;
  /** Pages whose last instruction goes on here. */
  readonly before: Set<CodePage>;
  /** The count of instructions when its code was new, and the places which were passed over since then, being hot so soon. */
  since: number;
  readonly passed: Set<number>;
  /** How often it was forgotten, since somebody wrote on it. */
  version: number;
  /** Regions with a part here that are being made on another thread. */
  awaited: number;
  /** How often a region here took the place of others or was written over, and how many hot places are passed over until that happens again. */
  remade: number;
  patience: number;
  /** How often accesses which regions here had put together turned out to lie on two pages. */
  crossed: number;
}

/**
 * Decoded code: records and the tables that lead to them, in an arena which is emptied as a whole when it is full.
 *
 * Pages are physical, so what was decoded outlives address-space switches. A page which holds decoded code is marked in `guest.code`, and
 * every writer asks here what its write hit.
 */
export class CodeCache {
  readonly #guest: GuestMemory;
  readonly #layout: EngineLayout;
  readonly #words: Int32Array;
  /** How many bits of an offset on a page its table leaves out. */
  readonly shift: number;
  /** Told of a page whose records are about to be forgotten, from an offset on: they are still where they were. */
  onForget: (code: CodePage, from: number) => void = () => {};
  readonly #pages = new Map<number, CodePage[]>();
  readonly #byTable = new Map<number, CodePage>();
  readonly #instructions: () => number;
  #next: number;
  /** How often a page's code was thrown away since somebody wrote on it, and how often all code was. */
  invalidations = 0;
  empties = 0;

  /** @param instructions how many there were so far. */
  constructor(guest: GuestMemory, layout: EngineLayout, alignment: 1 | 4, instructions: () => number) {
    this.#guest = guest;
    this.#instructions = instructions;
    this.#layout = layout;
    this.#words = new Int32Array(guest.memory.buffer);
    this.shift = alignment === 1 ? 0 : 2;
    this.#next = layout.arena;
  }

  /** Whether a page and a run of `bytes` of records still fit. */
  fits(bytes: number): boolean {
    return this.#next + ((4 * pageSize) >> this.shift) + bytes <= this.#layout.arena + this.#layout.arenaSize;
  }

  /** Forgets everything. */
  empty(): void {
    this.empties++;
    for (const page of this.#pages.keys()) this.#guest.code[page] = 0;
    this.#pages.clear();
    this.#byTable.clear();
    this.#next = this.#layout.arena;
  }

  /** The page for code, under each mode in which there is some. */
  all(page: number): readonly CodePage[] {
    return this.#pages.get(page) ?? [];
  }

  /** The page for code under this mode; `undefined` when it is not there yet. */
  find(page: number, mode: number): CodePage | undefined {
    return this.#pages.get(page)?.find((p) => p.mode === mode);
  }

  /** Makes the page; the caller has seen that it fits, and takes away what the TLB lets be written. */
  create(page: number, mode: number): CodePage {
    const size = (4 * pageSize) >> this.shift;
    const table = this.#take(size);
    this.#places(table).fill(0);
    const made: CodePage = {
      page,
      mode,
      table,
      regions: new Set(),
      facts: new Facts(this.shift),
      steady: new Map(),
      before: new Set(),
      version: 0,
      awaited: 0,
      since: this.#instructions(),
      passed: new Set(),
      remade: 0,
      patience: 0,
      crossed: 0,
    };
    const others = this.#pages.get(page);
    if (others === undefined) this.#pages.set(page, [made]);
    else others.push(made);
    this.#byTable.set(table, made);
    return made;
  }

  byTable(table: number): CodePage | undefined {
    return this.#byTable.get(table);
  }

  /** Room for records. */
  take(bytes: number): number {
    return this.#take(bytes);
  }

  /** What was taken last is given back from `end` on. */
  giveBack(end: number): void {
    this.#next = (end + 31) & ~31;
  }

  entry(page: CodePage, offset: number): number {
    return this.#words[(page.table >> 2) + (offset >> this.shift)] as number;
  }

  enter(page: CodePage, offset: number, at: number): void {
    this.#words[(page.table >> 2) + (offset >> this.shift)] = at;
  }

  /** How many instructions ago a page's code was new. */
  age({ since }: CodePage): number {
    return this.#instructions() - since;
  }

  /** Visits each record that a table leads to. */
  eachRecord(visit: (at: number) => void): void {
    for (const table of this.#byTable.keys()) for (const at of this.#places(table)) if (at !== 0) visit(at);
  }

  /**
   * A write of `length` bytes at `offset` of the guest memory. Data beside code is none of our business; where an instruction starts in
   * the bytes written, or up to 14 bytes before them, what is known of the page is forgotten, and it is a page like any other until code on it is decoded
   * again. True when that happened.
   */
  wrote(offset: number, length: number): boolean {
    let hit = false;
    const last = (offset + length - 1) >>> pageShift;
    for (let page = offset >>> pageShift; page <= last; page++) {
      const codes = this.#pages.get(page);
      if (codes === undefined || this.#guest.code[page] === 0) continue;
      const start = Math.max(0, offset - page * pageSize - 14);
      const end = Math.min(pageSize, offset + length - page * pageSize);
      if (!codes.some((code) => this.#hits(code, start, end))) continue;
      for (const code of codes) this.#forget(code);
      this.#guest.code[page] = 0;
      this.invalidations++;
      hit = true;
    }
    return hit;
  }

  /** Marks the page of a table in which records are about to be entered. True when it was not marked: then stores to it have to be seen from now on. */
  mark({ page }: CodePage): boolean {
    if (this.#guest.code[page] !== 0) return false;
    this.#guest.code[page] = 1;
    return true;
  }

  #hits(code: CodePage, start: number, end: number): boolean {
    if (start === 0 && code.before.size > 0) return true;
    const first = (code.table >> 2) + (start >> this.shift);
    const past = (code.table >> 2) + ((end + (1 << this.shift) - 1) >> this.shift);
    if (this.#anything(first, past)) return true;
    for (const region of code.regions)
      for (const part of region.parts)
        if (part.code === code && part.instructions.subarray(start, end).includes(1)) return true;
    return false;
  }

  #forget(code: CodePage): void {
    for (const page of code.before) this.#clear(page, lastPlaces);
    code.before.clear();
    code.facts.clear();
    code.steady.clear();
    code.passed.clear();
    code.since = this.#instructions();
    code.version++;
    this.#clear(code, 0);
  }

  /** Forgets the records from an offset on. Those in front of them may still lead on to them. */
  #clear(code: CodePage, from: number): void {
    this.onForget(code, from);
    this.#places(code.table, from).fill(0);
  }

  /** A table, from that of an offset on. */
  #places(table: number, from = 0): Int32Array {
    return this.#words.subarray((table >> 2) + (from >> this.shift), (table >> 2) + (pageSize >> this.shift));
  }

  #anything(first: number, past: number): boolean {
    for (let k = first; k < past; k++) if (this.#words[k] !== 0) return true;
    return false;
  }

  #take(size: number): number {
    const at = this.#next;
    this.#next += (size + 31) & ~31;
    return at;
  }
}
