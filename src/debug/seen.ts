import { E500Cpu } from "../board/e500-cpu.ts";
import type { Machine } from "../board/machine.ts";
import { X86Cpu } from "../board/x86-cpu.ts";
import { e500Target } from "./e500-target.ts";
import { DebugMemory } from "./memory.ts";
import type { Target } from "./target.ts";
import { x86Target } from "./x86-target.ts";

/** A machine as debugging tools look at it. */
export interface Seen {
  readonly cpu: X86Cpu | E500Cpu;
  readonly target: Target;
  readonly memory: DebugMemory;
}

/** @throws Error for a machine whose processor no debugger knows. */
export function seen(machine: Machine): Seen {
  const { cpu } = machine;
  const target = x86Target(machine, (physical) => memory.word(physical)) ?? e500Target(machine);
  if (target === undefined || !(cpu instanceof X86Cpu || cpu instanceof E500Cpu))
    throw new Error(`machine ${machine.spec.name} has a processor which cannot be debugged`);
  const memory = new DebugMemory(machine.memory, (address) => target.physical(address));
  return { cpu, target, memory };
}
