import { expect, test } from "vitest";
import { Hurry } from "../../src/host/translator/hurry.ts";

/** Does jobs which take so many milliseconds by the clock for each of processor. */
function thread(perMillisecond: number) {
  const time = { wall: 0, processor: 0, per: perMillisecond };
  const hurry = new Hurry({ wall: () => time.wall, processor: () => time.processor });
  const work = () =>
    hurry.watch(() => {
      time.processor += 1;
      time.wall += time.per;
      return hurry.now;
    });
  return { time, hurry, work };
}

test("a thread that has a processor is in no hurry", () => {
  const { hurry, work } = thread(3);
  for (let i = 0; i < 100; i++) expect(work()).toBe(false);
  expect(hurry.now).toBe(false);
});

test("one that waits for others is, for some jobs behind the one that did", () => {
  const { time, hurry, work } = thread(10);
  expect(work()).toBe(false);
  expect(hurry.now).toBe(true);
  time.per = 1;
  for (let i = 0; i < 49; i++) expect(work()).toBe(true);
  work();
  expect(hurry.now).toBe(false);
});
