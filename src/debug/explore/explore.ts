import type { Width } from "../../bus/target.ts";
import type { Snapshot, Specimen } from "./specimen.ts";

/** A write of a driver's, or several which it makes in a row. */
export interface Step {
  readonly name: string;
  make(specimen: Specimen): void;
}

/** Where a driver may access registers: a BAR and a place of natural width in it. */
export interface Place {
  readonly bar: number;
  readonly offset: number;
  readonly width: Width;
}

/** The registers of one driver's view, and an argument of the write which places a ring. */
export interface View {
  readonly name: string;
  readonly reads: readonly Place[];
  /** With the values which are tried at each. */
  readonly writes: readonly (Place & { readonly values: readonly number[] })[];
}

/** A field which a write to another register may or may not heed, and a value that it does not have. */
export interface Argument {
  readonly part: string;
  readonly field: string;
  readonly other: number;
}

export interface Exploration {
  /** Distinct states of the device's own named fields which the steps lead to. */
  readonly states: number;
  /** Accesses made on the way. */
  readonly transitions: number;
  readonly views: readonly {
    readonly name: string;
    /** Distinct register maps: which register answers at each byte, in the order in which they were met. */
    readonly maps: readonly (readonly string[])[];
    /** Distinct answers to all accesses at once: modes which a driver can meet. */
    readonly modes: number;
    /** Accesses which mean more than one thing, and all meanings of all accesses together. */
    readonly ambiguous: number;
    readonly accesses: number;
    readonly meanings: number;
  }[];
  /** Modes of all views at once. */
  readonly modes: number;
}

/** No layout comes near; whoever does has forgotten to bound a field. */
const mostStates = 400_000;

/**
 * Drives a device through every state which these steps reach from its reset, breadth first, and asks in each what each access of each view
 * would mean: which register answers a read, and what the device does with a write, as its trace says.
 *
 * Nothing is known here of any layout. Selectors (of a queue, of a word of features) are states, but no modes: a driver writes
 * one right before it uses it, in every layout.
 */
export function explore(
  specimen: Specimen,
  steps: readonly Step[],
  views: readonly View[],
  placed: readonly Argument[] = [],
): Exploration {
  const start = specimen.save();
  const seen = new Set([specimen.key()]);
  let front: Snapshot[] = [start];
  const maps = views.map(() => new Map<string, readonly string[]>());
  const modes = views.map(() => new Set<string>());
  const meanings = views.map((view) => [...view.reads, ...view.writes].map(() => new Set<string>()));
  const joint = new Set<string>();
  let transitions = 0;
  while (front.length > 0) {
    const next: Snapshot[] = [];
    for (const state of front) {
      const all = views.map((view, v) => {
        const found = ask(specimen, state, view, placed);
        for (const [i, meaning] of found.entries()) meanings[v]?.[i]?.add(meaning);
        const map = found.slice(0, view.reads.length).join("|");
        if (maps[v]?.has(map) === false) maps[v]?.set(map, found.slice(0, view.reads.length).map(registerOf));
        const mode = `${map}|${found.slice(view.reads.length).join("|")}`;
        modes[v]?.add(mode);
        return mode;
      });
      joint.add(all.join("||"));
      for (const step of steps) {
        specimen.restore(state);
        step.make(specimen);
        transitions++;
        const key = specimen.key();
        if (seen.has(key)) continue;
        if (seen.size >= mostStates) throw new Error(`more than ${mostStates} states: ${step.name} has no end`);
        seen.add(key);
        next.push(specimen.save());
      }
    }
    front = next;
  }
  specimen.restore(start);
  return {
    states: seen.size,
    transitions,
    modes: joint.size,
    views: views.map(({ name }, v) => {
      const all = meanings[v] as Set<string>[];
      return {
        name,
        maps: [...(maps[v]?.values() ?? [])],
        modes: modes[v]?.size ?? 0,
        accesses: all.length,
        ambiguous: all.filter((each) => each.size > 1).length,
        meanings: all.reduce((sum, each) => sum + each.size, 0),
      };
    }),
  };
}

function ask(specimen: Specimen, state: Snapshot, view: View, placed: readonly Argument[]): string[] {
  specimen.restore(state);
  const before = specimen.key();
  const found = view.reads.map((place) => answer(specimen, place));
  // Where reading changes something each read is asked in the state itself.
  if (specimen.key() !== before)
    for (const [i, place] of view.reads.entries()) {
      specimen.restore(state);
      found[i] = answer(specimen, place);
    }
  for (const { bar, offset, width, values } of view.writes) {
    const did = values.map((value) => {
      specimen.restore(state);
      const before = ringOf(specimen);
      specimen.write(bar, offset, width, value);
      const said = spoken(specimen) || "nothing";
      const after = ringOf(specimen);
      if (after === before || after === "") return said;
      return `${said}, a ring by ${heeded(specimen, state, placed, after, () => specimen.write(bar, offset, width, value))}`;
    });
    found.push(did.join("; "));
  }
  return found;
}

/** `config 0x4.1 ->` is byte 4 of the configuration. */
function registerOf(answer: string): string {
  const byte = /^config 0x([0-9a-f]+)/.exec(answer)?.[1];
  return byte === undefined ? answer.replace(/ ->$/, "") : `config ${Number.parseInt(byte, 16)}`;
}

function answer(specimen: Specimen, { bar, offset, width }: Place): string {
  const value = specimen.read(bar, offset, width);
  return spoken(specimen) || (value === 0 ? "nothing" : "all ones");
}

/** The arguments without which the ring would be another one. */
function heeded(
  specimen: Specimen,
  state: Snapshot,
  placed: readonly Argument[],
  ring: string,
  place: () => void,
): string {
  const names = placed.filter(({ part, field, other }) => {
    specimen.restore(state);
    if (!specimen.poke(part, field, other)) return false;
    place();
    return ringOf(specimen) !== ring;
  });
  return names.map(({ field }) => field).join("+") || "itself";
}

function ringOf(specimen: Specimen): string {
  const { ring } = specimen;
  return ring === undefined ? "" : `${ring.size}@${ring.areas}`;
}

/** What the device said, without values: `disk queue_sel <- 0x8` is a write of queue_sel whatever was written. */
function spoken(specimen: Specimen): string {
  let all = "";
  for (const line of specimen.said()) {
    let words = plain.get(line);
    if (words === undefined) {
      const mine = line.startsWith(`${specimen.name} `) && !line.includes(" is broken ");
      words = mine ? line.slice(specimen.name.length + 1).replace(/(<-|->) 0x[0-9a-f]+/, "$1") : "";
      plain.set(line, words);
    }
    if (words !== "") all += all === "" ? words : `, ${words}`;
  }
  return all;
}

/** Lines without their values: there are some hundreds, and each is said very often. */
const plain = new Map<string, string>();
