import { describe, expect, test } from "vitest";
import { Doze } from "../../src/host/doze.ts";

const tick = 4000;

/** Sleeps of a guest which wants to be woken every 4 ms, in the given time, each as long as it was told. */
function sleeps(doze: Doze, from: number, milliseconds: number, instructions: (passed: number) => number): number[] {
  const all: number[] = [];
  let passed = 4;
  for (let now = from; now < from + milliseconds; now += passed) {
    passed = doze.length(4, instructions(passed), false, now);
    all.push(passed);
  }
  return all;
}

describe("a guest that waits on the host's clock", () => {
  const ticks = (passed: number) => (passed / 4) * tick;

  test("is woken for each tick at first, and seldom once it has done nothing else for 100 ms", () => {
    const all = sleeps(new Doze(), 5000, 1000, ticks);
    expect(all.slice(0, 25)).toEqual(new Array(25).fill(4));
    expect(Math.min(...all.slice(26))).toBeGreaterThanOrEqual(50);
    expect(all.length).toBeLessThan(50);
  });

  test("is woken early enough for a key to be echoed within some 100 ms, should nothing else wake it", () => {
    expect(Math.max(...sleeps(new Doze(), 0, 1000, ticks))).toBeLessThanOrEqual(100);
  });

  test("is woken for each tick while it does more", () => {
    expect(sleeps(new Doze(), 0, 1000, (passed) => passed * 20_000).every((length) => length === 4)).toBe(true);
  });

  test("is awake for 100 ms after input or output", () => {
    const doze = new Doze();
    sleeps(doze, 0, 1000, ticks);
    expect(doze.length(4, tick, true, 1010)).toBe(4);
    expect(doze.length(4, tick, false, 1105)).toBe(4);
    expect(doze.length(4, tick, false, 1115)).toBeGreaterThan(4);
  });

  test("sleeps until an alarm that is far away, or for good", () => {
    const doze = new Doze();
    sleeps(doze, 0, 1000, ticks);
    expect(doze.length(300, tick, false, 1100)).toBe(300);
    expect(doze.length(Number.POSITIVE_INFINITY, tick, false, 1500)).toBe(Number.POSITIVE_INFINITY);
  });
});
