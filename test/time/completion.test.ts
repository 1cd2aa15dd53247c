import { expect, it } from "vitest";
import { ManualClock } from "../../src/time/clock.ts";
import { Completion } from "../../src/time/completion.ts";

function fixture() {
  const clock = new ManualClock();
  const ended: [number, boolean][] = [];
  const completion = new Completion(clock, "disk", (ok) => ended.push([clock.now, ok]));
  return { clock, ended, completion };
}

it("ends at its modelled time when the host answers at once", () => {
  const { clock, ended, completion } = fixture();
  completion.start(100)(true);
  clock.advance(99);
  expect(ended).toEqual([]);
  clock.advance(1);
  expect(ended).toEqual([[100, true]]);
  expect(completion.idle).toBe(true);
});

it("makes time wait for a host which is late, and ends at its modelled time all the same", () => {
  const { clock, ended, completion } = fixture();
  const answer = completion.start(100);
  clock.advance(1000);
  expect(clock.now).toBe(100);
  expect(clock.holds).toBe(1);
  answer(false);
  expect(clock.holds).toBe(0);
  expect(ended).toEqual([[100, false]]);
});

it("tells nobody of a request which was cancelled, and holds time until the host has let go of it", () => {
  const { clock, ended, completion } = fixture();
  const answer = completion.start(100);
  completion.cancel();
  expect(completion.idle).toBe(false);
  expect(clock.holds).toBe(1);
  answer(true);
  expect(clock.holds).toBe(0);
  expect(completion.idle).toBe(true);
  clock.advance(1000);
  expect(ended).toEqual([]);
});

it("does not take a second answer, nor one for an earlier request", () => {
  const { clock, ended, completion } = fixture();
  const first = completion.start(10);
  first(true);
  first(false);
  clock.advance(10);
  completion.start(10);
  first(true);
  clock.advance(10);
  expect(ended).toEqual([[10, true]]);
  expect(clock.holds).toBe(1);
});

it("ends when the host has answered where time is the host's own, and time does not wait for that", () => {
  const { clock, ended, completion } = fixture();
  clock.isHostTime = true;
  const answer = completion.start(0);
  clock.advance(1000);
  expect([clock.now, clock.holds, ended]).toEqual([1000, 0, []]);
  answer(true);
  // Not inside of the answer: the device may still be at the ring's next chain.
  expect(ended).toEqual([]);
  clock.advance(0);
  expect(ended).toEqual([[1000, true]]);
  completion.start(100)(true);
  clock.advance(99);
  expect(ended).toHaveLength(1);
  clock.advance(1);
  expect(ended).toEqual([
    [1000, true],
    [1100, true],
  ]);
});

it("has nothing to tell of a cancelled request where time is the host's own, whenever the host answers", () => {
  const { clock, ended, completion } = fixture();
  clock.isHostTime = true;
  const late = completion.start(0);
  completion.cancel();
  expect([completion.idle, clock.holds]).toEqual([false, 1]);
  late(true);
  expect([completion.idle, clock.holds]).toEqual([true, 0]);
  completion.start(0)(true);
  completion.cancel();
  clock.advance(1000);
  expect(ended).toEqual([]);
});
