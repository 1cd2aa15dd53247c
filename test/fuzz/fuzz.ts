import { Random } from "../campaign/random.ts";
import { kick, type Placed, plan, reset, setUp } from "./drive.ts";
import { Executor, type Probe } from "./executor.ts";
import { attack, buffersAt, mostQueues, Offering, stray } from "./offer.ts";
import { Script, step, stride } from "./script.ts";
import { type Form, forms, type Subject, type Way } from "./subject.ts";

/** An execution that went wrong. */
export interface Failure {
  readonly device: string;
  readonly form: string;
  readonly seed: number;
  readonly run: number;
  readonly why: string;
  /** By which registers the driver resets the device afterwards. */
  readonly way: Way;
  readonly exact: boolean;
  readonly steps: readonly number[];
}

/** Runs that follow each other on one form, and one of how many pairs is looked at for what a reset has left. */
const inOneForm = 64;
const seldom = 128;

/** Long enough for a request of any device. */
const settle = 10_000_000;

/**
 * Executions of one device: a script made of a seed and a number, put to a device as after power-on, and behind it the driver's reset and a
 * request which must succeed. Devices are made once a form: each execution begins with a reset of everything.
 */
export class Fuzzer {
  readonly #subject: Subject;
  readonly #executors = new Map<string, Executor>();
  readonly #script = new Script();
  readonly #probe = new Script();
  readonly #offering = new Offering();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** One execution. */
  run(seed: number, run: number): Failure | undefined {
    const random = new Random(seed, run);
    // Some one after the other of one form: what it uses is in the host's caches then.
    const form = new Random(seed, Math.floor(run / inOneForm)).pick(forms);
    const way = random.pick(form.ways);
    this.#make(random, form);
    // Slow to compare, so not each time.
    const why = this.execute(form, this.#script, way, run % seldom < 2);
    if (why === undefined) return undefined;
    const { exact, steps, length } = this.#script;
    const device = this.#subject.name;
    return { device, form: form.name, seed, run, why, way, exact, steps: [...steps.subarray(0, length)] };
  }

  /** An execution which was kept. */
  replay({ form, way, exact, steps }: Pick<Failure, "form" | "way" | "exact" | "steps">): string | undefined {
    const found = forms.find(({ name }) => name === form);
    if (found === undefined) throw new Error(`there is no form ${form}`);
    this.#script.load(steps, exact);
    return this.execute(found, this.#script, way, true);
  }

  /** Puts a script to a device. Gives what went wrong. */
  execute(form: Form, script: Script, way: Way, compare: boolean): string | undefined {
    const executor = this.#executor(form);
    try {
      executor.restart();
      const why = executor.run(script) ?? this.#resetAndProbe(executor, form, way, compare);
      if (why === undefined) return undefined;
      // What follows has a device of its own.
      this.#executors.delete(form.name);
      return why;
    } catch (error) {
      this.#executors.delete(form.name);
      return `thrown: ${error instanceof Error ? error.stack?.split("\n").slice(0, 3).join(" ") : String(error)}`;
    }
  }

  #executor(form: Form): Executor {
    let executor = this.#executors.get(form.name);
    if (executor === undefined) {
      executor = new Executor(this.#subject, form);
      this.#executors.set(form.name, executor);
    }
    return executor;
  }

  #make(random: Random, form: Form): void {
    const script = this.#script;
    const { bars, messages, rig } = this.#executor(form);
    const subject = this.#subject;
    script.clear();
    this.#offering.begin();
    const wanted = plan(random, random.pick(form.ways), {
      features: subject.features,
      sizes: rig.queueSizes,
      queues: Math.min(rig.queueSizes.length, mostQueues),
      packed: form.packed,
      little: form.order === "little",
    });
    if (!random.once(30)) setUp(script, wanted, messages);
    if (random.once(10)) disturb(script, random);
    if (random.once(20)) for (let n = random.below(20); n > 0; n--) stray(script, random, bars);
    attack(script, random, subject, wanted, this.#offering, bars);
  }

  /** The driver resets the device, in whichever state it is, and it works as if nothing had been. */
  #resetAndProbe(executor: Executor, form: Form, way: Way, compare: boolean): string | undefined {
    const { rig, messages } = executor;
    const probe = this.#probe;
    probe.clear();
    reset(probe, way, messages);
    rig.settle();
    let why = executor.run(probe);
    if (why !== undefined) return `reset: ${why}`;
    const { bench } = rig;
    if (bench.clock.holds !== 0) return `reset: time is held ${bench.clock.holds} times`;
    // After a reset there is nothing to write and nobody to interrupt (virtio 1.2 section 2.4.1).
    bench.messages.length = 0;
    executor.forget();
    probe.clear();
    probe.advance(settle);
    why = executor.run(probe);
    if (why !== undefined) return `after reset: ${why}`;
    if (bench.messages.length > 0 || bench.line) return "after reset: an interrupt";
    const left = compare ? executor.leftOver() : undefined;
    if (left !== undefined) return `after reset: ${left}`;
    return this.#working(executor, way, form);
  }

  #working(executor: Executor, way: Way, form: Form): string | undefined {
    const { rig, bytes, view, probes } = executor;
    let probe = probes.get(way);
    if (probe === undefined) {
      probe = this.#probeOf(executor, way, form);
      probes.set(way, probe);
    }
    const { script, ring, at, length } = probe;
    rig.settle();
    const why = executor.run(script);
    if (why !== undefined) return `probe by ${way}: ${why}`;
    const used = view.getUint16(ring.device + 2, ring.little);
    const claimed = view.getUint32(ring.device + 8, ring.little);
    if (used !== 1 || claimed !== this.#subject.probe.used)
      return `probe by ${way}: used index ${used}, ${claimed} bytes`;
    if (!rig.bench.line) return `probe by ${way}: no interrupt`;
    const wrong = rig.probed(bytes.subarray(at, at + length));
    return wrong === undefined ? undefined : `probe by ${way}: ${wrong}`;
  }

  /** A driver's set-up and one request: the same each time, so it is made once for each way. */
  #probeOf({ rig, messages }: Executor, way: Way, form: Form): Probe {
    const subject = this.#subject;
    const wanted = plan(new Random(0), way, {
      features: [0, 0],
      sizes: rig.queueSizes,
      queues: subject.probe.queues,
      packed: false,
      little: form.order === "little",
      plain: true,
    });
    const script = new Script(512);
    this.#offering.begin();
    for (const { descriptors } of wanted.queues) script.add(step.fill, descriptors, 0x2000, 0, 0);
    setUp(script, wanted, messages);
    const ring = wanted.queues[subject.probe.queue] as Placed;
    const request = subject.probeRequest(way, ring.little);
    this.#offering.offer(script, ring, request, undefined, false);
    kick(script, wanted, ring.queue);
    script.advance(settle);
    const at = buffersAt + ((request.read.length + 15) & ~15);
    return { script, ring, at, length: request.write };
  }
}

/** The same failure in as few steps as leaving some out can do. */
export function shortened(subject: Subject, failure: Failure): Failure {
  let best = failure;
  for (let piece = Math.max(1, failure.steps.length / stride / 2); piece >= 1; piece = Math.floor(piece / 2))
    for (let at = 0; at < best.steps.length; ) {
      const steps = best.steps.toSpliced(at, Math.floor(piece) * stride);
      const why = new Fuzzer(subject).replay({ ...best, steps });
      // The same failure and no other: an exact script which lacks a step may break the rules itself.
      if (why === undefined || kind(why) !== kind(best.why)) at += Math.floor(piece) * stride;
      else best = { ...best, steps, why };
    }
  return best;
}

/** What went wrong, whichever numbers there were. */
function kind(why: string): string {
  return why.replace(/\d+/g, "");
}

/** A failure as it is kept in a file. */
export type Kept = Omit<Failure, "steps"> & { readonly steps: string };

export function toKeep(failure: Failure): Kept {
  return { ...failure, steps: failure.steps.join(" ") };
}

export function fromKept(kept: Kept): Failure {
  return { ...kept, steps: kept.steps.split(" ").map(Number) };
}

/** Leaves steps of a driver's set-up out, or gets their values wrong. */
function disturb(script: Script, random: Random): void {
  script.exact = false;
  for (let n = 1 + random.below(3); n > 0 && script.length > 0; n--) {
    const at = stride * random.below(script.length / stride);
    if (random.once(2)) script.remove(at);
    // Twice of a queue's size is a size which a driver might try.
    else if (random.once(3))
      script.steps[at + 4] = (2 * (script.steps[at + 4] as number)) % 256 ** (script.steps[at + 3] as number);
    else script.steps[at + 4] = random.below(random.once(2) ? 256 ** (script.steps[at + 3] as number) : 256);
  }
}
