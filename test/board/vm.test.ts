import { describe, expect, it } from "vitest";
import { ExpectError } from "../../src/board/expect.ts";
import { Machine } from "../../src/board/machine.ts";
import { Vm } from "../../src/board/vm.ts";
import { FakeCpu, fakeBoard } from "../support/fake-board.ts";

/** A guest which says what its program says; host time passes a millisecond a pause. */
function guest(program: (say: (text: string) => void, instruction: number) => void) {
  const cpu = new FakeCpu();
  const board = fakeBoard({ cpu });
  const machine = new Machine(board.wire);
  let now = 0;
  const vm = new Vm(machine, {
    now: () => now,
    pause: async (milliseconds) => {
      now += Math.max(1, milliseconds);
      await Promise.resolve();
    },
  });
  const say = (text: string) => {
    for (const byte of new TextEncoder().encode(text)) board.requests().console(byte);
  };
  cpu.program = (instruction) => program(say, instruction);
  return { cpu, machine, vm, board };
}

describe("console.expect", () => {
  it("runs the machine until the console says it, and gives the match", async () => {
    const { vm } = guest((say, i) => i === 500_000 && say("disk: 64 MiB\n"));
    const match = await vm.console.expect(/disk: (\d+) MiB/);
    expect(match[1]).toBe("64");
  });

  it("looks behind the last match only", async () => {
    const { vm } = guest((say, i) => i === 10 && say("ok ok end"));
    await vm.console.expect("ok");
    await vm.console.expect("ok");
    await expect(vm.console.expect("ok", { timeout: 0.01 })).rejects.toThrow(ExpectError);
    await vm.console.expect("end");
  });

  it("finds a guest at the same instruction each time", async () => {
    const stops = [];
    for (let i = 0; i < 2; i++) {
      const { vm, cpu } = guest((say, n) => n === 777_777 && say("here"));
      await vm.console.expect("here");
      stops.push(cpu.instructions);
    }
    expect(stops[0]).toBe(stops[1]);
  });

  it("gives up after the guest's own seconds, with the last lines, the pc and the devices", async () => {
    const { vm } = guest(
      (say, i) => i === 10 && say(`${Array.from({ length: 60 }, (_, n) => `line ${n}`).join("\n")}`),
    );
    const error = await vm.console.expect(/never/, { timeout: 0.01 }).catch((e: unknown) => e as Error);
    expect(error).toBeInstanceOf(ExpectError);
    const { message } = error as Error;
    expect(message).toMatch(/^expected \/never\/, but 0\.01 seconds of guest time passed\n/);
    expect(message).toContain("line 59");
    expect(message).toContain("line 20\n");
    expect(message).not.toContain("line 19\n");
    expect(message).toMatch(/pc 0x[0-9a-f]+, \d+ instructions, running/);
    expect(message).toContain("cpu: halted=false");
  });

  it("gives up after the host's seconds", async () => {
    const { vm } = guest(() => {});
    await expect(vm.console.expect("x", { hostTimeout: 0.02 })).rejects.toThrow("0.02 seconds of host time");
  });

  it("gives up when the guest ends or can never go on", async () => {
    const ended = guest(() => {});
    ended.cpu.program = () => ended.board.requests().exit(3);
    await expect(ended.vm.console.expect("x")).rejects.toThrow("the guest ended with status 3");
    const dead = guest(() => {});
    dead.cpu.program = () => dead.cpu.halt();
    await expect(dead.vm.console.expect("x")).rejects.toThrow("the guest waits for nothing that can happen");
  });

  it("finds what was printed before the guest ended", async () => {
    const { vm, board, cpu } = guest(() => {});
    cpu.program = () => {
      board.requests().console(0x21);
      board.requests().exit(0);
    };
    expect((await vm.console.expect("!"))[0]).toBe("!");
    expect(await vm.exit).toBe(0);
  });
});

describe("a vm", () => {
  it("sends text to the guest, in parts when it must", async () => {
    const { vm, board, cpu } = guest(() => {});
    const taken: number[] = [];
    cpu.program = () => {
      taken.push(...board.received.splice(0));
      if (taken.length === 20) board.requests().exit(0);
    };
    vm.console.send("abcdefghijklmnopqrst");
    expect(await vm.run()).toBe(0);
    expect(String.fromCharCode(...taken)).toBe("abcdefghijklmnopqrst");
  });

  it("runs for one who waits at a time", async () => {
    const { vm } = guest((say, i) => i === 10 && say("one two"));
    const both = await Promise.all([vm.console.expect("one"), vm.console.expect("two")]);
    expect(both.map((m) => m[0])).toEqual(["one", "two"]);
  });

  it("stops who waits when it is disposed of", async () => {
    const { vm } = guest(() => {});
    const waiting = expect(vm.console.expect("x", { hostTimeout: 1e6, timeout: 1e6 })).rejects.toThrow("closed");
    await vm[Symbol.asyncDispose]();
    await waiting;
  });
});
