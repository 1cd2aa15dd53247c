import { performance } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import type { RunResult } from "../../src/board/run-result.ts";
import { Loop, type LoopOptions } from "../../src/host/loop.ts";

const quiet: LoopOptions = {
  slice: 1000,
  feed: () => false,
  flush: () => false,
  blocked: () => undefined,
  mayComeInput: () => true,
};

/** A machine which answers each slice as told, each of so many instructions. */
function machine(answer: (turn: number) => RunResult, instructions = 0) {
  const cpu: { instructions: number; warmth?: number } = { instructions: 0 };
  let turns = 0;
  return {
    cpu,
    get turns() {
      return turns;
    },
    run(): RunResult {
      cpu.instructions += instructions;
      return answer(turns++);
    },
  };
}

const exit: RunResult = { reason: "exit", status: 3, skipped: 0 };
const idle = (wake: number): RunResult => ({ reason: "idle", wake, skipped: 0 });

describe("the loop", () => {
  test("gives the guest's status when it leaves", async () => {
    const guest = machine((turn) => (turn < 5 ? { reason: "budget", skipped: 0 } : exit), 1000);
    expect(await new Loop(guest, quiet).run()).toEqual({ by: "guest", status: 3 });
  });

  test("sleeps until the guest's next alarm", async () => {
    const guest = machine((turn) => (turn === 0 ? idle(30e6) : exit));
    const begin = performance.now();
    await new Loop(guest, quiet).run();
    expect(performance.now() - begin).toBeGreaterThan(25);
    expect(guest.turns).toBe(2);
  });

  test("lets the event loop turn between slices", async () => {
    let stop = false;
    setImmediate(() => {
      stop = true;
    });
    const guest = machine(() => (stop ? exit : { reason: "budget", skipped: 0 }), 1000);
    expect(await new Loop(guest, quiet).run()).toEqual({ by: "guest", status: 3 });
  });

  test("wakes a sleeping guest when input comes", async () => {
    let typed = false;
    const guest = machine(() => (typed ? exit : idle(Number.POSITIVE_INFINITY)));
    const loop = new Loop(guest, quiet);
    setTimeout(() => {
      typed = true;
      loop.wake();
    }, 5);
    expect(await loop.run()).toEqual({ by: "guest", status: 3 });
    expect(guest.turns).toBe(2);
  });

  test("stops when it is told to, asleep or not", async () => {
    const loop = new Loop(
      machine(() => idle(Number.POSITIVE_INFINITY)),
      quiet,
    );
    setTimeout(() => loop.stop(), 5);
    expect(await loop.run()).toEqual({ by: "stop" });
  });

  test("ends when the guest halts for good and nothing can wake it", async () => {
    const guest = machine(() => idle(Number.POSITIVE_INFINITY));
    expect(await new Loop(guest, { ...quiet, mayComeInput: () => false }).run()).toEqual({ by: "asleep" });
  });

  test("offers a guest that halts for good whatever input is left first", async () => {
    let left = 1;
    const guest = machine(() => (left === 0 ? exit : idle(Number.POSITIVE_INFINITY)));
    const feed = (asleep: boolean) => asleep && left-- > 0;
    const loop = new Loop(guest, { ...quiet, feed, mayComeInput: () => false });
    expect(await loop.run()).toEqual({ by: "guest", status: 3 });
  });

  test("does not run the guest while its reader is behind", async () => {
    let blocked = true;
    const guest = machine(() => (blocked ? { reason: "budget", skipped: 0 } : exit), 1000);
    const drained = new Promise<void>((resolve) =>
      setTimeout(() => {
        blocked = false;
        resolve();
      }, 20),
    );
    await new Loop(guest, { ...quiet, blocked: () => (blocked ? drained : undefined) }).run();
    expect(guest.turns).toBe(2);
  });

  test("looks again, without haste, when the host is late with a request", async () => {
    let late = true;
    setTimeout(() => {
      late = false;
    }, 40);
    const guest = machine(() => (late ? { reason: "waiting", skipped: 0 } : exit));
    await new Loop(guest, quiet).run();
    expect(guest.turns).toBeLessThan(80);
  });
});

describe("a guest on the host's clock which only ticks", () => {
  const tick = 4000;

  test("is woken some times a second only", async () => {
    const guest = machine(() => idle(2e6), tick);
    const loop = new Loop(guest, quiet);
    setTimeout(() => loop.stop(), 500);
    await loop.run();
    // 50 in the first 100 ms.
    expect(guest.turns).toBeLessThan(80);
  });

  test("has nothing translated sooner or later than else in the slice in which it is given a key", async () => {
    const warmth: number[] = [];
    let keys = 0;
    const guest = machine(() => {
      if (keys > 0) warmth.push(guest.cpu.warmth ?? 1);
      return keys > 0 ? exit : idle(2e6);
    }, tick);
    const feed = () => keys > 0;
    const loop = new Loop(guest, { ...quiet, feed });
    setTimeout(() => {
      expect(guest.cpu.warmth).toBe(16);
      keys++;
      loop.wake();
    }, 400);
    await loop.run();
    expect(warmth).toEqual([1]);
  });

  test("is woken at once by input", async () => {
    let pressed = 0;
    const guest = machine(() => (pressed === 0 ? idle(2e6) : exit), tick);
    const loop = new Loop(guest, quiet);
    const key = () => {
      pressed = performance.now();
      loop.wake();
    };
    setTimeout(() => {
      // Just after it has gone to sleep, since a sleep that is nearly over would prove nothing.
      const { turns } = guest;
      const look = setInterval(() => {
        if (guest.turns === turns) return;
        clearInterval(look);
        key();
      }, 5);
    }, 200);
    await loop.run();
    expect(performance.now() - pressed).toBeLessThan(40);
  });
});

describe("a guest in virtual time which only ticks", () => {
  const tick: RunResult = { reason: "budget", skipped: 1e9 };

  test("runs ahead for ten of its seconds and then at a second for a second", async () => {
    const guest = machine(() => tick, 100_000);
    const loop = new Loop(guest, quiet);
    setTimeout(() => loop.stop(), 100);
    await loop.run();
    expect(guest.turns).toBeGreaterThanOrEqual(10);
    expect(guest.turns).toBeLessThanOrEqual(11);
  });

  test("is not held back while it prints", async () => {
    const guest = machine((turn) => (turn < 40 ? tick : exit), 100_000);
    const begin = performance.now();
    await new Loop(guest, { ...quiet, flush: () => true }).run();
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  test("is not held back while it computes", async () => {
    const busy: RunResult = { reason: "budget", skipped: 5e7 };
    const guest = machine((turn) => (turn < 400 ? busy : exit), 250_000);
    const begin = performance.now();
    await new Loop(guest, quiet).run();
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});
