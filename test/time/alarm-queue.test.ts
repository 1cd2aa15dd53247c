import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AlarmQueue } from "../../src/time/clock.ts";
import { HoldCount, ringDue } from "../../src/time/machine-clock.ts";

const alarms = 6;

type Step = { set: number; time: number } | { cancel: number } | { ring: number };

// Few times, so that many alarms are due at the same one.
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      set: fc.nat(alarms - 1),
      time: fc.oneof(fc.nat(12), fc.constant(Number.POSITIVE_INFINITY)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ cancel: fc.nat(alarms - 1) }) },
  { weight: 2, arbitrary: fc.record({ ring: fc.nat(12) }) },
);

describe("the queue of alarms", () => {
  it("rings in the order of the times, and of the settings where these are the same", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, oneByOne) => {
        const queue = new AlarmQueue();
        const rang: string[] = [];
        const made = Array.from({ length: alarms }, (_, k) => queue.alarm(`${k}`, () => rang.push(`${k}`)));
        // What is set, as a list that is sorted when somebody asks: `sort` leaves equal ones in their order.
        let plain: { name: string; due: number }[] = [];
        const without = (k: number) => plain.filter(({ name }) => name !== `${k}`);
        for (const what of steps) {
          if ("set" in what) {
            made[what.set]?.set(what.time);
            plain = [...without(what.set), { name: `${what.set}`, due: what.time }];
          } else if ("cancel" in what) {
            made[what.cancel]?.cancel();
            plain = without(what.cancel);
          } else {
            rang.length = 0;
            if (oneByOne) while (queue.ringNext(what.ring));
            else ringDue(queue, what.ring, new HoldCount());
            const due = plain.filter(({ due }) => due <= what.ring).sort((a, b) => a.due - b.due);
            expect(rang).toEqual(due.map(({ name }) => name));
            plain = plain.filter(({ due }) => due > what.ring);
          }
          expect(queue.due).toBe(Math.min(Number.POSITIVE_INFINITY, ...plain.map(({ due }) => due)));
          for (const [k, { due }] of made.entries())
            expect(due).toBe(plain.find(({ name }) => name === `${k}`)?.due ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });

  it("tells of every setting and every cancelling of what was set", () => {
    const queue = new AlarmQueue();
    let told = 0;
    queue.onChange = () => told++;
    const alarm = queue.alarm("a", () => {});
    alarm.cancel();
    expect(told).toBe(0);
    alarm.set(5);
    alarm.set(5);
    alarm.cancel();
    expect(told).toBe(3);
  });

  it("rings an alarm that is set to the present while it rings, and comes back from one that never stops", () => {
    const queue = new AlarmQueue();
    let rang = 0;
    const alarm = queue.alarm("a", () => {
      rang++;
      alarm.set(10);
    });
    alarm.set(10);
    ringDue(queue, 10, new HoldCount());
    expect(rang).toBeGreaterThan(1);
    expect(alarm.due).toBe(10);
  });

  it("has nothing to ring once it is cleared", () => {
    const queue = new AlarmQueue();
    const made = [3, 1, 2].map((time) => {
      const alarm = queue.alarm(`${time}`, () => {
        throw new Error("rang");
      });
      alarm.set(time);
      return alarm;
    });
    queue.clear();
    ringDue(queue, 100, new HoldCount());
    expect([queue.due, ...made.map(({ due }) => due)]).toEqual(new Array(4).fill(Number.POSITIVE_INFINITY));
    made[0]?.set(7);
    expect(queue.due).toBe(7);
  });
});
