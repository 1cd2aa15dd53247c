import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ppce500 } from "../../machines/ppce500.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import { createMachine } from "../../src/board/create.ts";
import type { Machine } from "../../src/board/machine.ts";
import { restoreSnapshot, saveSnapshot } from "../../src/board/snapshot.ts";

const image = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));

function boot(): Machine {
  return createMachine(ppce500, {
    memory: 64 << 20,
    firmware: image("firmware/images/e500.bin"),
    kernel: image("guest/images/ppce500.elf"),
    append: "selftest",
    drives: [{ backend: new MemoryBlock(new Uint8Array(1 << 20)) }],
  });
}

function runTo(machine: Machine, instructions: number): void {
  while (machine.cpu.instructions < instructions) machine.run(instructions - machine.cpu.instructions);
}

// In the firmware, at its end, while the kernel fills TLB0, and when its decrementer has run for a while.
it.each([1000, 100_000, 250_000, 700_001])(
  "ppce500 saved at instruction %d goes on in another machine as in its own, chip for chip",
  (at) => {
    const machine = boot();
    runTo(machine, at);
    const other = boot();
    restoreSnapshot(other, saveSnapshot(machine));
    expect(other.state()).toEqual(machine.state());
    for (const one of [machine, other]) runTo(one, at + 50_000);
    expect(other.state()).toEqual(machine.state());
    expect(Buffer.compare(other.ram.contents(), machine.ram.contents())).toBe(0);
  },
);
