import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Machine } from "../../src/board/machine.ts";
import { type Device, State } from "../../src/bus/state.ts";
import { HostClock } from "../../src/time/host-clock.ts";
import { FakeCpu, fakeBoard } from "../support/fake-board.ts";

const make = (options: Omit<Parameters<typeof fakeBoard>[0], "cpu"> & { stopOnReset?: boolean } = {}) => {
  const cpu = new FakeCpu();
  const board = fakeBoard({ cpu, ...options });
  const machine = new Machine(board.wire, { stopOnReset: options.stopOnReset });
  return { cpu, machine, board, requests: board.requests() };
};

describe("run", () => {
  it("uses its budget up and says so", () => {
    const { cpu, machine } = make();
    expect(machine.run(1000)).toEqual({ reason: "budget", skipped: 0 });
    expect(cpu.instructions).toBe(1000);
  });

  it("rings an alarm exactly at its instruction", () => {
    const { cpu, machine } = make();
    const at: number[] = [];
    machine.clock.alarm("a", () => at.push(cpu.instructions)).set(1234);
    machine.run(1000);
    expect(at).toEqual([124]);
  });

  it("rings an alarm which the guest sets meanwhile at its instruction too", () => {
    const { cpu, machine } = make();
    const at: number[] = [];
    const alarm = machine.clock.alarm("a", () => at.push(cpu.instructions));
    cpu.program = (instruction) => {
      if (instruction === 50) alarm.set(machine.clock.now + 95);
    };
    machine.run(1000);
    // The clock stands at 510 during instruction 50; 605 is reached with instruction 61.
    expect(at).toEqual([61]);
  });

  it("gives the same whatever the slices are", () => {
    const trace = (slices: readonly number[]): string => {
      const { cpu, machine } = make();
      const events: string[] = [];
      const timer = machine.clock.alarm("timer", (now) => {
        events.push(`${cpu.instructions}@${now}`);
        cpu.interrupt = true;
        timer.set(now + 777);
      });
      timer.set(5);
      cpu.program = (instruction) => {
        if (instruction % 13 === 0) cpu.halt();
      };
      for (const slice of slices) machine.run(slice);
      while (events.length < 300) machine.run(1000);
      return events.slice(0, 300).join(" ");
    };
    const whole = trace([]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 40 }), (slices) => {
        expect(trace(slices)).toBe(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("is idle when the guest waits and nothing will wake it", () => {
    const { cpu, machine } = make();
    cpu.program = () => cpu.halt();
    expect(machine.run(1000)).toEqual({ reason: "idle", wake: Number.POSITIVE_INFINITY, skipped: 0 });
  });

  it("skips to the alarm which wakes the guest, and tells how far", () => {
    const { cpu, machine } = make();
    cpu.program = (instruction) => {
      if (instruction === 4) cpu.halt();
    };
    machine.clock
      .alarm("a", () => {
        cpu.interrupt = true;
      })
      .set(1_000_000);
    const result = machine.run(100_000);
    expect(result).toEqual({ reason: "budget", skipped: 999_950 });
  });

  it("comes back when a guest only waits for a timer which never wakes it", () => {
    const { cpu, machine } = make();
    cpu.program = () => cpu.halt();
    const timer = machine.clock.alarm("timer", (now) => timer.set(now + 1000));
    timer.set(0);
    expect(machine.run(100_000).reason).toBe("budget");
  });

  it("with the host's clock lets the host sleep", () => {
    let wall = 0;
    const clock = new HostClock(
      () => wall,
      () => 0,
    );
    const { cpu, machine } = make({ clock });
    cpu.program = () => cpu.halt();
    let rang = 0;
    machine.clock.alarm("a", () => rang++).set(5_000_000);
    expect(machine.run(1000)).toEqual({ reason: "idle", wake: 5_000_000, skipped: 0 });
    wall = 5_000_000;
    machine.run(1000);
    expect(rang).toBe(1);
  });

  it("waits for the host without running an instruction while the clock is held", () => {
    const { cpu, machine } = make();
    let release = () => {};
    machine.clock
      .alarm("disk", () => {
        release = machine.clock.hold("disk");
      })
      .set(100);
    expect(machine.run(1000).reason).toBe("waiting");
    expect(machine.run(1000).reason).toBe("waiting");
    expect(cpu.instructions).toBe(10);
    release();
    expect(machine.run(1000).reason).toBe("budget");
    expect(cpu.instructions).toBe(1010);
  });
});

describe("the exit register", () => {
  it("ends the run after its instruction, for good, with the low eight bits", () => {
    const { cpu, machine, requests } = make();
    cpu.program = (instruction) => {
      if (instruction === 9) requests.exit(0x103);
    };
    expect(machine.run(1000)).toEqual({ reason: "exit", status: 3, skipped: 0 });
    expect(machine.run(1000)).toEqual({ reason: "exit", status: 3, skipped: 0 });
    expect(cpu.instructions).toBe(10);
  });

  it("keeps the first status", () => {
    const { machine, requests } = make();
    requests.exit(1);
    requests.exit(0);
    expect(machine.run(1).status).toBe(1);
  });
});

describe("a system reset", () => {
  it("resets every chip once, after the instruction which asked for it, and goes on", () => {
    const chip: Device & { resets: number } = {
      name: "chip",
      state: new State("chip", { a: 1 }),
      resets: 0,
      reset() {
        this.resets++;
      },
    };
    const { cpu, machine, requests } = make({ devices: [chip] });
    expect([chip.resets, cpu.resets]).toEqual([1, 1]);
    cpu.program = (instruction) => {
      if (instruction === 5) requests.reset("test");
    };
    machine.run(100);
    expect([chip.resets, cpu.resets, cpu.instructions]).toEqual([2, 2, 100]);
    expect(machine.stats()).toMatchObject({ instructions: 100, resets: 1 });
  });

  it("keeps RAM", () => {
    const { machine, requests } = make();
    machine.ram.load(0, Uint8Array.of(42));
    requests.reset("test");
    machine.run(1);
    expect(machine.ram.read(0, 1)).toBe(42);
  });

  it("ends the run instead where that was asked for", () => {
    const { machine, requests } = make({ stopOnReset: true });
    requests.reset("test");
    expect(machine.run(10)).toMatchObject({ reason: "exit", status: 0 });
  });
});

describe("console input", () => {
  it("fills the UART, then waits for room, in order", () => {
    const { machine, board } = make({ room: 3 });
    expect(machine.console.receive(Uint8Array.of(1, 2, 3, 4, 5))).toBe(5);
    expect(board.received).toEqual([1, 2, 3]);
    board.received.splice(0, 2);
    machine.run(100_001);
    expect(board.received).toEqual([3, 4, 5]);
  });

  it("takes no more than it has room for", () => {
    const { machine } = make({ room: 0 });
    expect(machine.console.receive(new Uint8Array(10_000))).toBe(4096);
    expect(machine.console.room).toBe(0);
    expect(machine.console.receive(Uint8Array.of(1))).toBe(0);
  });
});
