import type { Slot } from "../../src/ir/slots.ts";
import { Random } from "./random.ts";

/*
 * Random programs on the interpreter and on translated regions side by side: loops, calls, stores into their own code and faults in the middle of blocks, so that regions
 * are made, joined, left and forgotten. After each slice both have to be the same machine to the last word. Nothing here asks for the time: a seed and a number give the
 * same run again.
 */

export type StepExecutor = "interpreter" | "regions";

/** Jumps to a place before it is translated: some, so that what is seldom run is not. */
export const stepThreshold = 3;

/** One machine of a pair. */
export interface StepMachine<Program> {
  /** As if it had never run anything, none counted, with a program and the state that it begins with. */
  begin(program: Program): void;
  run(limit: number): void;
  /**
   * What the world does between two slices: it brings a program that faulted, or that has gone round long enough, to one of its blocks, maps pages and takes them away, writes code by DMA. The
   * same numbers do the same to both machines, as long as they are one.
   */
  between(random: Random): void;
  /** Since `begin`. */
  readonly instructions: number;
  readonly pc: number;
  readonly words: Int32Array;
  readonly slots: readonly Slot[];
  /** Memory that a program can reach, by name. */
  readonly memory: readonly (readonly [name: string, bytes: Uint8Array])[];
  /** Figures of the engine. */
  readonly stats: Readonly<Record<string, number>>;
}

/** One processor's programs. */
export interface StepTarget<Program> {
  readonly name: string;
  make(seed: number, number: number): Program;
  machine(executor: StepExecutor): StepMachine<Program>;
  describe(program: Program): string[];
}

export interface StepPlan {
  readonly seed: number;
  readonly from: number;
  readonly cases: number;
  /** Host seconds after which no further case is begun. */
  readonly seconds?: number;
  /** Told after each case how many there were. */
  readonly progress?: (done: number) => void;
}

export interface StepOutcome {
  readonly done: number;
  /** Instructions that each of the two ran, and how many of them regions ran. */
  readonly instructions: number;
  readonly translated: number;
  /** Report of the first difference, if there was one. */
  readonly difference: readonly string[] | undefined;
}

/** Slices of a case. */
const slices = 60;

/** State that says how a machine got there and not where it is. */
const passing: ReadonlySet<string> = new Set([
  "scratch",
  "trap",
  "simd.operand.low",
  "simd.operand.high",
  "fpu.out",
  "fpu.outHigh",
  "fpu.raised",
]);

/** Instructions of a slice: a few, as between alarms that come close, or more than a loop takes. */
function sliceOf(random: Random): number {
  return 1 + random.below(random.pick([4, 30, 100, 400]));
}

/** How far a case is run: so many whole slices, and so many instructions more. */
interface Stop {
  readonly slices: number;
  readonly more: number;
}

/** Runs cases until the first difference, or as many as the plan says. */
export function inStep<P>(target: StepTarget<P>, plan: StepPlan): StepOutcome {
  const pair = [target.machine("regions"), target.machine("interpreter")] as const;
  const begin = performance.now();
  let instructions = 0;
  let translated = 0;
  for (let k = 0; k < plan.cases; k++) {
    if (plan.seconds !== undefined && performance.now() - begin > plan.seconds * 1000)
      return { done: k, instructions, translated, difference: undefined };
    const number = plan.from + k;
    const program = target.make(plan.seed, number);
    const regionsBefore = pair[0].stats["region-instructions"] ?? 0;
    const found = runCase(pair, program, plan.seed, number);
    instructions += pair[0].instructions;
    translated += (pair[0].stats["region-instructions"] ?? 0) - regionsBefore;
    if (found !== undefined)
      return {
        done: k + 1,
        instructions,
        translated,
        difference: report(target, pair, program, plan.seed, number, found),
      };
    plan.progress?.(k + 1);
  }
  return { done: plan.cases, instructions, translated, difference: undefined };
}

type Pair<P> = readonly [StepMachine<P>, StepMachine<P>];

/** Runs a case up to a place, or to its end. The slice behind which the machines differ, and its length. */
function runCase<P>(pair: Pair<P>, program: P, seed: number, number: number, stop?: Stop): Stop | undefined {
  const random = new Random(seed ^ 0x2545f491, number);
  for (const machine of pair) machine.begin(program);
  for (let k = 0; k < slices; k++) {
    const length = k === stop?.slices ? stop.more : sliceOf(random);
    for (const machine of pair) machine.run(length);
    if (differences(pair).length > 0) return { slices: k, more: length };
    if (k === stop?.slices) return undefined;
    const event = random.word();
    for (const machine of pair) machine.between(new Random(seed, event));
    if (differences(pair).length > 0) return { slices: k, more: length };
  }
  return undefined;
}

/** What differs, in words. */
function differences<P>([one, other]: Pair<P>): string[] {
  const found: string[] = [];
  const hex = (value: number | undefined) => `0x${((value ?? 0) >>> 0).toString(16)}`;
  const [a, b] = [one.instructions, other.instructions];
  if (a !== b) found.push(`instructions: ${a} with regions, ${b} on the interpreter`);
  for (const { name, index, width } of one.slots) {
    if (passing.has(name)) continue;
    for (let k = index; k < index + width / 4; k++)
      if (one.words[k] !== other.words[k])
        found.push(`${name}: ${hex(one.words[k])} with regions, ${hex(other.words[k])} on the interpreter`);
  }
  for (const [n, [name, bytes]] of one.memory.entries()) {
    const others = other.memory[n]?.[1] as Uint8Array;
    if (Buffer.compare(bytes, others) === 0) continue;
    const at = bytes.findIndex((byte, k) => byte !== others[k]);
    found.push(`${name} at ${hex(at)}: ${hex(bytes[at])} with regions, ${hex(others[at])} on the interpreter`);
  }
  return found;
}

/** Finds the first instruction of the slice behind which the two differ, and says how. */
function report<P>(
  target: StepTarget<P>,
  pair: Pair<P>,
  program: P,
  seed: number,
  number: number,
  found: Stop,
): string[] {
  // Halving: what differs mostly goes on to.
  let same = 0;
  let more = found.more;
  while (more - same > 1) {
    const middle = (same + more) >> 1;
    if (runCase(pair, program, seed, number, { slices: found.slices, more: middle }) === undefined) same = middle;
    else more = middle;
  }
  runCase(pair, program, seed, number, { slices: found.slices, more: same });
  const { pc } = pair[1];
  runCase(pair, program, seed, number, { slices: found.slices, more });
  return [
    `${target.name}: case ${number} of seed ${seed}: with regions and on the interpreter it differs behind instruction ${pair[1].instructions}, at pc 0x${pc.toString(16)}, ${more} into slice ${found.slices}`,
    ...differences(pair),
    ...target.describe(program),
  ];
}
