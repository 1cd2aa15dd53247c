import { pageSize } from "../../bus/guest-memory.ts";
import { Decoded, Fields, type Form, type FrontEnd } from "../../ir/frontend.ts";
import { armsOf, type Block, type Node, terminated } from "../../ir/node.ts";
import { NotForRegions, pageStart, RegionBuilder } from "./region-builder.ts";
import { isStraight } from "./straight.ts";

/** How much a region may hold at most. */
export interface Limits {
  readonly instructions: number;
  readonly pages: number;
  /** Ways into it. */
  readonly entries: number;
}

/** About 40 bytes of WebAssembly an instruction, and V8 optimises up to some tens of kilobytes in a few ms. */
export const usual: Limits = { instructions: 300, pages: 4, entries: 64 };

/** Where ways between regions were seen to be gone again and again. */
export const widened: Limits = { instructions: 800, pages: 8, entries: 128 };

/** A record counts the pages between a place and the region's first page in 16 bits. */
const farthest = 0x7fff;

/**
 * A decoded instruction. Places are counted in bytes from the start of the region's first page, the one with the place that became hot; what lies on other
 * pages is as far from there as it is now, by virtual addresses, and a region looks whether that still holds when it goes from page to page.
 */
export interface Found {
  readonly offset: number;
  readonly length: number;
  readonly form: Form;
  readonly operands: Int32Array;
  /** Known places to which it may go, besides falling through. */
  readonly targets: readonly number[];
  readonly falls: boolean;
  /** It goes where a register or memory says. */
  readonly dynamic: boolean;
  /** It ends its stretch: it may jump, or what it does changes how the next one is decoded. */
  readonly last: boolean;
}

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
}

/** An instruction that jumps, and whether it keeps the address behind it. */
interface Links {
  readonly jumps: boolean;
  readonly links: boolean;
}

/** The place that a jump goes to, or undefined when it is not known. */
export function targetOf(node: Node): number | undefined {
  const target = node.args[0];
  if (target === pageStart) return 0;
  if (target?.op !== "add" || target.args[0] !== pageStart || target.args[1]?.op !== "const") return undefined;
  return target.args[1].imm;
}

/** How many pages a place lies behind the region's first one. */
export function pageOf(place: number): number {
  return place >> 12;
}

/** Where on its page it lies. */
export function offsetOf(place: number): number {
  return place & (pageSize - 1);
}

/** Whether one of the values is stored in memory or in a word of state. */
function keeps(block: Block, links: ReadonlySet<Node>): boolean {
  return block.nodes.some((node) => {
    const kept = node.op === "store" || node.op === "jump" ? node.args.slice(1) : node.op === "set" ? node.args : [];
    return (
      kept.some((arg) => links.has(arg)) || [node.yes, node.no].some((arm) => arm !== undefined && keeps(arm, links))
    );
  });
}

/** Whether the region calls a helper at the end of a block. */
function endsIn({ nodes }: Block): boolean {
  const last = nodes.at(-1);
  return last?.op === "exit" && last.helper !== "";
}

function jumpsIn(block: Block, into: Node[]): Node[] {
  for (const node of block.nodes) {
    if (node.op === "jump") into.push(node);
    for (const arm of armsOf(node)) jumpsIn(arm, into);
  }
  return into;
}

/** A page from which a region is made. */
export interface SourcePage {
  readonly bytes: Uint8Array;
  /** Whether an instruction at this offset has been come to: what never ran stays out. */
  ran(offset: number): boolean;
  /** Whether jumps went there at least half as often as makes a region. */
  hot(offset: number): boolean;
  /** What was found on the page before, by offset. Places in it are counted from this page. */
  readonly known: Map<number, Instruction | Alien>;
}

/** How bytes are instructions. */
export interface Decoding {
  readonly front: FrontEnd;
  /** The pc at the first byte of the region's first page. */
  readonly pc: number;
  readonly mode: number;
}

/** What a region is made from. */
export interface Source extends Decoding {
  /** The page so many pages behind the first one, if code is fetched from there now. */
  page(number: number): SourcePage | undefined;
}

/** A decoded instruction, and what tells that a call comes back behind it. */
export type Instruction = Found & Links;

/** An instruction which is none for a region: its length, or 0 when it has none. The interpreter does it, and comes back behind it. */
export type Alien = number;

/**
 * The code that is reached from `wanted`, cut into stretches: all that ran on pages come to already, and on others what is hot. Empty when not even the first
 * of these instructions can be in a region.
 */
export function discover(source: Source, wanted: readonly number[], limits: Limits): Discovery {
  return new Search(source, wanted, limits).run();
}

class Search {
  readonly #source: Source;
  readonly #limits: Limits;
  readonly #found = new Map<number, Found>();
  readonly #entries: Set<number>;
  readonly #leaders: Set<number>;
  readonly #pages = new Map<number, SourcePage | undefined>();
  #pageCount = 0;
  /** What is still to be looked at: last in, first out; and on other pages, first in, first out. */
  readonly #near: number[];
  readonly #far: number[] = [];

  constructor(source: Source, wanted: readonly number[], limits: Limits) {
    this.#source = source;
    this.#limits = limits;
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
    return { stretches, entries: [...this.#entries].filter((at) => found.has(at)) };
  }

  /** Along the instructions from a place on, to where they part. */
  #follow(from: number): void {
    const number = pageOf(from);
    const page = this.#page(number);
    if (page === undefined) return;
    const start = number * pageSize;
    for (let at = from; !this.#found.has(at) && page.ran(at - start); ) {
      if (this.#found.size >= this.#limits.instructions) return;
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
    else if (this.#page(pageOf(to))?.hot(offsetOf(to))) this.#far.push(to);
    else return;
    this.#leaders.add(to);
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

/** With places counted from the first page, in place of its own. */
function placed(found: Instruction, number: number): Instruction {
  if (number === 0) return found;
  const start = number * pageSize;
  return { ...found, offset: found.offset + start, targets: found.targets.map((target) => (target + start) | 0) };
}

/** The instruction at a place, from the bytes of its page. Throws `RangeError` where there is none for a region. */
export function instructionAt(source: Decoding, bytes: Uint8Array, place: number): Instruction {
  const number = pageOf(place);
  const found = inspect(source, bytes, number, offsetOf(place));
  if (typeof found === "number") throw new RangeError(`no instruction for a region at ${place}`);
  return placed(found, number);
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

/** What is found of an instruction that only goes on to the next one. */
const straightOn = { targets: [], falls: true, dynamic: false, links: false, last: false, jumps: false } as const;

function inspect(source: Decoding, bytes: Uint8Array, number: number, at: number): Instruction | Alien {
  const { front, mode } = source;
  const { mode: modeSlot, fetchBase } = front.slots;
  const pc = (source.pc + number * pageSize) | 0;
  const available = Math.min(16, pageSize - at);
  if (available <= 0) return 0;
  const decoded = new Decoded();
  if (
    !front.decode(bytes.subarray(at, at + available), available, (pc + at) | 0, mode, decoded) ||
    decoded.form === undefined
  )
    return 0;
  const { form, length, operands } = decoded;
  if (!decoded.ends && isStraight(form)) return { offset: at, length, form, operands, ...straightOn };
  const builder = new RegionBuilder(front, operands);
  builder.instruction(at, length, operands);
  try {
    form.body(builder, new Fields(builder));
  } catch (thrown) {
    if (thrown instanceof NotForRegions) return length;
    throw thrown;
  }
  const { block } = builder;
  const ends = endsIn(block);
  // One that does nothing but leave gains nothing here.
  if (block.nodes[0]?.op === "exit" && !ends) return length;
  const jumps = jumpsIn(block, []);
  const targets = jumps.map(targetOf).filter((target) => target !== undefined);
  return {
    offset: at,
    length,
    form,
    operands,
    targets,
    falls: !terminated(block),
    dynamic: jumps.some((jump) => targetOf(jump) === undefined),
    // Behind a helper that ends it the region is come back to as well.
    links: keeps(block, builder.links) || ends,
    // What changes how the next one is decoded, in a region, writes so itself: helpers that do so are none for it.
    last:
      ends ||
      jumps.length > 0 ||
      (decoded.ends && [modeSlot, fetchBase].some(({ offset }) => builder.written.has(offset))),
    jumps: jumps.length > 0,
  };
}
