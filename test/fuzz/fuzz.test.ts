import { describe, expect, it } from "vitest";
import { createVirtioPci } from "../../src/virtio/pci.ts";
import { Bench } from "../support/bench.ts";
import { type Fault, FaultyRng, faults } from "./faulty.ts";
import found from "./found.json" with { type: "json" };
import { type Failure, Fuzzer, fromKept, type Kept, shortened, toKeep } from "./fuzz.ts";
import type { Subject } from "./subject.ts";
import { subjects } from "./subjects.ts";

/** Executions of each device in this test; `npm run fuzz` makes as many as one likes. */
const budget = 3_000;

function some(subject: Subject, count: number): Failure | undefined {
  const fuzzer = new Fuzzer(subject);
  for (let run = 0; run < count; run++) {
    const failure = fuzzer.run(20_261_122, run);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

describe("random chains and register accesses", () => {
  it.each(Object.keys(subjects))("do a %s no harm, and it works after a reset", (name) => {
    expect(some(subjects[name] as Subject, budget)).toBeUndefined();
  });

  it.each(found as Kept[])("which once failed do not any more: $device, $form, seed $seed, run $run", (kept) => {
    expect(new Fuzzer(subjects[kept.device] as Subject).replay(fromKept(kept))).toBeUndefined();
  });
});

describe("the fuzzer", () => {
  /** The entropy device's harness around one with a fault. */
  function faulty(fault: Fault | undefined): Subject {
    const rng = subjects.rng as Subject;
    return {
      ...rng,
      rig(form) {
        const bench = new Bench();
        const device = new FaultyRng(fault, (at) => bench.ram.write(at, 1, 0xee));
        const trace = bench.trace.channel("virtio");
        const { layout, packed, order } = form;
        const fn = createVirtioPci(device, { layout, packed, guestOrder: () => order, clock: bench.clock, trace });
        bench.plug(fn);
        return { ...rng.rig(form), bench, fn };
      },
    };
  }

  it("has nothing to say of a device without a fault", () => {
    expect(some(faulty(undefined), 1_000)).toBeUndefined();
  });

  it.each(faults)("finds a device which %s", (fault) => {
    expect(some(faulty(fault), 2_000)).toBeDefined();
  });

  it("makes a failure short, and it stays one", () => {
    const subject = faulty("throws");
    const failure = some(subject, 2_000) as Failure;
    const short = shortened(subject, failure);
    expect(short.steps.length).toBeLessThan(failure.steps.length);
    expect(fromKept(toKeep(short))).toEqual(short);
    expect(new Fuzzer(subject).replay(short)).toMatch(/thrown: Error: a readable buffer/);
  });

  it("gives the same execution for the same seed and run", () => {
    const once = some(faulty("throws"), 2_000);
    expect(some(faulty("throws"), 2_000)).toEqual(once);
  });
});
