import { pageSize } from "../../bus/guest-memory.ts";
import type { Form, FrontEnd } from "../../ir/frontend.ts";
import { oncePer } from "../once-per.ts";
import { type Instruction, lookInto, type Plain, placesIn } from "./instructions.ts";
import { leadsOf, type Relative } from "./leads.ts";
import { isForRegions, isStraight } from "./straight.ts";

/**
 * What has to be known of an instruction to find what belongs to a region, as one number: its length in bytes, and flags. 0 is nothing at all: an instruction that is one for regions has a length, and
 * each other one is `alien`.
 */
export const fact = {
  length: 0x1f,
  /** The one behind it may come next. */
  falls: 0x20,
  /** It ends its stretch: it may jump, or what it does changes how the next one is decoded. */
  last: 0x40,
  jumps: 0x80,
  /** It keeps the address behind it: a call comes back there. */
  links: 0x100,
  /** It is none for regions: the interpreter does it, and comes back behind it. Without a length it goes on on another page. */
  alien: 0x200,
} as const;

const nowhere: readonly number[] = [];

/** What was found out about the instructions of a page, by offset. */
export class Facts {
  readonly #shift: number;
  /** Most pages with code have nothing that is hot. */
  #facts: Uint16Array | undefined;
  readonly #targets = new Map<number, readonly number[]>();

  /** @param shift how many bits of an offset are of no account. */
  constructor(shift: number) {
    this.#shift = shift;
  }

  /** 0 where nothing was. */
  at(offset: number): number {
    return this.#facts?.[offset >> this.#shift] ?? 0;
  }

  /** Where one that jumps may go, as far as that is known: in bytes from the page's start. */
  targets(offset: number): readonly number[] {
    return this.#targets.get(offset) ?? nowhere;
  }

  /** Finds out about one. Gives what `at` gives from now on. */
  learn(front: FrontEnd, one: Plain): number {
    const { offset, length } = one;
    const told = toldBy(one.form);
    if (told !== undefined) {
      if (told.places.length > 0) this.#targets.set(offset, placesIn(told.places, one));
      return this.#set(offset, told.flags | length);
    }
    const found = lookInto(front, one);
    if (typeof found === "number") return this.#set(offset, fact.alien | found);
    if (found.targets.length > 0) this.#targets.set(offset, found.targets);
    return this.#set(offset, flagsOf(found) | length);
  }

  /** There is one which goes on on another page. */
  across(offset: number): number {
    return this.#set(offset, fact.alien);
  }

  #set(offset: number, facts: number): number {
    this.#facts ??= new Uint16Array(pageSize >> this.#shift);
    this.#facts[offset >> this.#shift] = facts;
    return facts;
  }

  clear(): void {
    this.#facts = undefined;
    this.#targets.clear();
  }
}

/** What instructions are like whatever their operands. */
interface Told {
  readonly flags: number;
  readonly places: readonly Relative[];
}

const straightOn: Told = { flags: fact.falls, places: [] };

/** Undefined of a form of which it takes a look at each instruction. */
const toldBy = oncePer((form: Form): Told | undefined => {
  if (!form.ends && isStraight(form)) return straightOn;
  const leads = leadsOf(form);
  if (leads === undefined || !isForRegions(form)) return undefined;
  const jumps = leads.dynamic || leads.places.length > 0;
  return jumps ? { flags: flagsOf({ ...leads, last: true, jumps }), places: leads.places } : undefined;
});

function flagsOf({ falls, last, jumps, links }: Pick<Instruction, "falls" | "last" | "jumps" | "links">): number {
  return (falls ? fact.falls : 0) | (last ? fact.last : 0) | (jumps ? fact.jumps : 0) | (links ? fact.links : 0);
}
