import { describe, expect, it } from "vitest";
import { lockstep } from "../../src/board/lockstep.ts";
import type { Machine } from "../../src/board/machine.ts";
import { configure } from "../../src/host/configure.ts";
import { createMachine } from "../../src/index.ts";
import { Trace } from "../../src/trace/trace.ts";

async function machine(name: string, exec: "jit" | "interp"): Promise<Machine> {
  const { spec, options } = await configure({ machine: name, exec, clock: "virtual", append: "poweroff" }, new Trace());
  return createMachine(spec, options);
}

describe.each(["pc", "ppce500"])("%s in lock-step", (name) => {
  it("is the same machine on both executors for its first four million instructions", async () => {
    const result = await lockstep(async () => [await machine(name, "jit"), await machine(name, "interp")], {
      limit: 4_000_000,
    });
    expect(result).toMatchObject({ instructions: expect.any(Number) });
  });

  it("is found to differ at the very instruction after which it does", async () => {
    const wrong = 123_457;
    /** Spoils a register that nobody uses behind that many instructions. */
    const spoiled = async () => {
      const m = await machine(name, "interp");
      const { run } = m;
      m.run = (budget) => {
        const before = m.cpu.instructions;
        const most = before < wrong ? Math.min(budget, wrong - before) : budget;
        let result = run.call(m, most);
        if (before < wrong && m.cpu.instructions >= wrong) {
          const state = m.cpu.state.save();
          const field = name === "pc" ? "dr0" : "SPRG6";
          m.cpu.state.restore({ ...state, [field]: [0x5a5a5a5a] });
          if (budget > most) result = run.call(m, budget - most);
        }
        return result;
      };
      return m;
    };
    const result = await lockstep(async () => [await machine(name, "interp"), await spoiled()], { limit: 1_000_000 });
    expect(result).toMatchObject({ difference: { from: wrong - 1, to: wrong } });
  });
});
