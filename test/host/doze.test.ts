import { describe, expect, test } from "vitest";
import { Doze } from "../../src/host/doze.ts";

const tick = 4000;

/** Milliseconds which a guest sleeps that has an alarm in `wake` after a slice. */
function slept(doze: Doze, wake: number, instructions: number, lively: boolean, now: number): number {
  doze.ran(instructions, lively, now);
  return doze.length(wake, now);
}

/** Sleeps of a guest which wants to be woken every 4 ms, in the given time, each as long as it was told. */
function sleeps(doze: Doze, from: number, milliseconds: number, instructions: (passed: number) => number): number[] {
  const all: number[] = [];
  let passed = 4;
  for (let now = from; now < from + milliseconds; now += passed) {
    passed = slept(doze, 4, instructions(passed), false, now);
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

  test("is at most a tenth late of the time for which it has done nothing else", () => {
    const doze = new Doze();
    let now = 0;
    for (const sleep of sleeps(doze, 0, 30_000, ticks)) {
      expect(sleep).toBeLessThanOrEqual(Math.max(100, now / 10) + 1e-6);
      now += sleep;
    }
  });

  test("is left alone for 400 ms at most", () => {
    expect(Math.max(...sleeps(new Doze(), 0, 30_000, ticks))).toBe(400);
  });

  test("is woken for each tick while it does more", () => {
    expect(sleeps(new Doze(), 0, 1000, (passed) => passed * 20_000).every((length) => length === 4)).toBe(true);
  });

  test("is awake for 100 ms after input or output", () => {
    const doze = new Doze();
    sleeps(doze, 0, 1000, ticks);
    expect(slept(doze, 4, tick, true, 1010)).toBe(4);
    expect(slept(doze, 4, tick, false, 1105)).toBe(4);
    expect(slept(doze, 4, tick, false, 1115)).toBeGreaterThan(4);
  });

  test("sleeps until an alarm that is far away, or for good", () => {
    const doze = new Doze();
    sleeps(doze, 0, 1000, ticks);
    expect(slept(doze, 300, tick, false, 1100)).toBe(300);
    expect(slept(doze, Number.POSITIVE_INFINITY, tick, false, 1500)).toBe(Number.POSITIVE_INFINITY);
  });

  test("has what it runs translated 16 times as soon in its first 4 s of nothing but ticks, and then no more", () => {
    const doze = new Doze();
    expect(doze.warmth).toBe(1);
    sleeps(doze, 0, 1000, ticks);
    expect(doze.warmth).toBe(16);
    sleeps(doze, 1000, 4000, ticks);
    expect(doze.warmth).toBe(0);
    doze.ran(tick, true, 5500);
    expect(doze.warmth).toBe(1);
  });

  test("is awake when it works through what is left of its ticks and then does more", () => {
    const doze = new Doze();
    sleeps(doze, 0, 10_000, ticks);
    doze.ran(250_000, false, 10_400);
    expect(doze.warmth).toBe(0);
    doze.ran(500_000, false, 10_405);
    expect(doze.warmth).toBe(0);
    doze.ran(25_000_000, false, 10_500);
    expect(doze.warmth).toBe(1);
  });
});
