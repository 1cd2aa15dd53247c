import { beforeEach, describe, expect, it } from "vitest";
import { HostClock } from "../../src/time/host-clock.ts";

const millisecond = 1e6;

describe("a clock that is the host's", () => {
  let wall = 0;
  let position = 0;
  let looks = 0;
  let clock: HostClock;

  beforeEach(() => {
    [wall, position, looks] = [0, 0, 0];
    clock = new HostClock(
      () => wall,
      () => position,
    );
  });

  /** As a machine does it, with instructions of so many nanoseconds, until somebody has had enough. */
  function run(each: number, until: () => boolean, spent = (_looks: number) => 0): void {
    for (; !until(); looks++) {
      clock.ring();
      if (until()) return;
      const count = clock.budget(250_000);
      position += count;
      wall += count * each + spent(looks);
    }
  }

  it.each([0.5, 4, 8])("rings an alarm soon after it is due, and looks seldom, with instructions of %f ns", (each) => {
    let rang = -1;
    clock
      .alarm("tick", () => {
        rang = wall;
      })
      .set(4 * millisecond);
    run(each, () => rang >= 0);
    expect(rang).toBeGreaterThanOrEqual(4 * millisecond);
    expect(rang).toBeLessThan(4.02 * millisecond);
    expect(looks).toBeLessThan(6 + (4 * millisecond) / each / 20_000);
  });

  it("loses no tick when the host takes the processor away, and rings each at its time", () => {
    const rang: number[] = [];
    const tick = clock.alarm("tick", (now) => {
      rang.push(now);
      tick.set(now + millisecond);
    });
    tick.set(millisecond);
    run(
      4,
      () => rang.length === 40,
      (look) => (look === 3 ? 20 * millisecond : 0),
    );
    expect(rang).toEqual(rang.map((_, k) => (k + 1) * millisecond));
    // By then it has caught up.
    expect(wall).toBeLessThan(40.1 * millisecond);
  });

  it("goes on from one alarm to the next only as the guest does", () => {
    let rang = 0;
    const tick = clock.alarm("tick", (now) => {
      rang++;
      tick.set(now + millisecond);
    });
    tick.set(millisecond);
    position += 1000;
    wall += 10 * millisecond;
    clock.ring();
    expect(rang).toBe(0);
    expect(clock.now).toBe(1000 * 250);
    position += 3000;
    clock.ring();
    expect([rang, clock.now]).toEqual([1, millisecond]);
    clock.ring();
    expect([rang, clock.now]).toEqual([1, millisecond]);
  });

  it("cuts a run short for an alarm that is set to be due in it, and for no other", () => {
    let cut = 0;
    clock.onEarlier = () => cut++;
    const one = clock.alarm("one", () => {});
    clock.ring();
    const count = clock.budget(250_000);
    one.set(clock.now + count * 20);
    expect(cut).toBe(0);
    one.set(clock.now + count);
    expect(cut).toBe(1);
  });
});
