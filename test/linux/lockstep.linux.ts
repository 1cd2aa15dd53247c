import { describe, expect, test } from "vitest";
import { lockstep } from "../../src/board/lockstep.ts";
import type { Machine } from "../../src/board/machine.ts";
import { configure } from "../../src/host/configure.ts";
import { createMachine } from "../../src/index.ts";
import { Trace } from "../../src/trace/trace.ts";
import { find } from "./guests.ts";

/** Linux's first instructions on both executors at once: what nobody wrote for us finds what our own tests do not. */
describe.each(["pc", "ppce500"] as const)("Linux on %s", (name) => {
  const guest = find(name);

  test.skipIf(guest === undefined)(
    "is in the same state on both executors through its first fifty million instructions",
    async () => {
      if (guest === undefined) return;
      const { machine, kernel, initrd } = guest;
      const firmware = machine === "ppce500" ? { firmware: false as const } : {};
      const make = async (exec: "jit" | "interp"): Promise<Machine> => {
        const append = "console=ttyS0 quiet";
        const wanted = {
          machine,
          kernel,
          initrd,
          append,
          exec,
          memory: "256M",
          clock: "virtual" as const,
          ...firmware,
        };
        const { spec, options } = await configure(wanted, new Trace());
        return createMachine(spec, options);
      };
      const result = await lockstep(async () => [await make("jit"), await make("interp")], { limit: 50_000_000 });
      expect(result).toEqual({ instructions: expect.any(Number), status: undefined });
    },
  );
});
