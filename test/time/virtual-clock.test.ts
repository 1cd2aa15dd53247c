import { describe, expect, it } from "vitest";
import { HostClock } from "../../src/time/host-clock.ts";
import { VirtualClock } from "../../src/time/virtual-clock.ts";

describe("virtual time", () => {
  it("is instructions times what one takes", () => {
    let position = 0;
    const clock = new VirtualClock(() => position, 10);
    position = 7;
    expect(clock.now).toBe(70);
  });

  it("gives a budget which ends at the first instruction that does not begin before the alarm", () => {
    let position = 0;
    const clock = new VirtualClock(() => position, 10);
    const alarm = clock.alarm("a", () => {});
    alarm.set(100);
    expect(clock.budget(1000)).toBe(10);
    alarm.set(101);
    expect(clock.budget(1000)).toBe(11);
    expect(clock.budget(3)).toBe(3);
    position = 10;
    expect(clock.budget(1000)).toBe(1);
  });

  it("jumps to the next alarm when the processor is halted, and says so when there is none", () => {
    const clock = new VirtualClock(() => 0, 10);
    expect(clock.idle()).toBe(Number.POSITIVE_INFINITY);
    let rang = -1;
    clock
      .alarm("a", (now) => {
        rang = now;
      })
      .set(1234.5);
    expect(clock.idle()).toBe(0);
    expect([clock.now, clock.skipped]).toEqual([1235, 1235]);
    clock.ring();
    expect(rang).toBe(1235);
  });

  it("cuts the run in hand short for an earlier alarm, not for a later one", () => {
    const clock = new VirtualClock(() => 0, 10);
    let cuts = 0;
    clock.onEarlier = () => cuts++;
    clock.alarm("a", () => {}).set(1000);
    clock.budget(1_000_000);
    const b = clock.alarm("b", () => {});
    cuts = 0;
    b.set(2000);
    expect(cuts).toBe(0);
    b.set(500);
    expect(cuts).toBe(1);
  });

  it("rings nothing more once it is held, and goes on where it stopped", () => {
    const clock = new VirtualClock(() => 100, 10);
    const rang: string[] = [];
    let release = () => {};
    clock
      .alarm("late", () => {
        rang.push("late");
        release = clock.hold("late");
      })
      .set(10);
    clock.alarm("next", () => rang.push("next")).set(10);
    clock.ring();
    expect([rang, clock.held]).toEqual([["late"], true]);
    release();
    release();
    clock.ring();
    expect([rang, clock.held]).toEqual([["late", "next"], false]);
  });

  it("lets go of the host when an alarm sets itself to the present for ever", () => {
    const clock = new VirtualClock(() => 0, 10);
    let rings = 0;
    const alarm = clock.alarm("storm", (now) => {
      rings++;
      alarm.set(now);
    });
    alarm.set(0);
    clock.ring();
    expect(rings).toBeLessThan(10_000);
    expect(clock.budget(1000)).toBe(1);
  });
});

describe("host time", () => {
  it("begins at 0, follows the host and never goes back", () => {
    let wall = 5000;
    let instructions = 0;
    const clock = new HostClock(
      () => wall,
      () => instructions,
    );
    expect(clock.now).toBe(0);
    wall = 5700;
    instructions = 10;
    expect(clock.now).toBe(700);
    instructions = 20;
    wall = 5100;
    expect(clock.now).toBe(700);
  });

  it("passes no faster than the guest runs when the host was busy elsewhere, and is made up for as it goes on", () => {
    let wall = 0;
    let instructions = 0;
    const clock = new HostClock(
      () => wall,
      () => instructions,
    );
    wall = 13e6;
    expect(clock.now).toBe(0);
    instructions = 4;
    expect(clock.now).toBe(1000);
    expect(clock.now).toBe(1000);
    instructions = 1_000_000;
    expect(clock.now).toBe(13e6);
  });

  it("gives up what is more than a minute", () => {
    let wall = 0;
    const clock = new HostClock(
      () => wall,
      () => 0,
    );
    wall = 3600e9;
    expect(clock.now).toBe(3540e9);
  });

  it("rings each alarm of a halted processor at its time, though the host comes late", () => {
    let wall = 0;
    const clock = new HostClock(
      () => wall,
      () => 0,
    );
    const at: number[] = [];
    const tick = clock.alarm("tick", () => {
      at.push(clock.now);
      tick.set(clock.now + 4e6);
    });
    tick.set(4e6);
    expect(clock.idle()).toBe(4e6);
    wall = 13e6;
    for (let i = 0; i < 5; i++) {
      clock.ring();
      clock.idle();
    }
    expect(at).toEqual([4e6, 8e6, 12e6]);
    expect(clock.idle()).toBe(3e6);
  });

  it("says how long a halted processor may sleep", () => {
    let wall = 0;
    const instructions = 0;
    const clock = new HostClock(
      () => wall,
      () => instructions,
    );
    expect(clock.idle()).toBe(Number.POSITIVE_INFINITY);
    clock.alarm("a", () => {}).set(900);
    wall = 400;
    expect(clock.idle()).toBe(500);
    wall = 1000;
    expect(clock.idle()).toBe(0);
  });

  it("cuts a run short for an alarm that is set to the present, and for none to come", () => {
    let wall = 100;
    let instructions = 0;
    const clock = new HostClock(
      () => wall,
      () => instructions,
    );
    let cuts = 0;
    clock.onEarlier = () => cuts++;
    const alarm = clock.alarm("a", () => {});
    alarm.set(clock.now + 1);
    expect(cuts).toBe(0);
    wall = 5000;
    instructions = 100;
    alarm.set(clock.now);
    expect(cuts).toBe(1);
  });
});
