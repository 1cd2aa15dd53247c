import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pc } from "../../machines/pc.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import { createMachine } from "../../src/board/create.ts";
import type { Layout } from "../../src/board/options.ts";
import type { AddressSpace } from "../../src/bus/space.ts";

/** Jumps to itself with interrupts off, at the reset vector. */
const spin = new Uint8Array(0x1_0000);
spin.set([0xfa, 0xeb, 0xfe], 0xfff0);

const width = fc.constantFrom<1 | 2 | 4>(1, 2, 4);
const value = fc.oneof(fc.nat(0xff), fc.nat(0xffff_ffff), fc.constantFrom(0, 1, 0x80, 0xffff_ffff));
const port = fc.oneof(
  fc.constantFrom(0x20, 0x21, 0x40, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0xa1, 0xb2, 0xcf8, 0xcf9, 0xcfc, 0xcfd),
  fc.integer({ min: 0x3f8, max: 0x3ff }),
  fc.integer({ min: 0x4d0, max: 0x51b }),
  fc.integer({ min: 0x600, max: 0x63f }),
  fc.integer({ min: 0xc000, max: 0xc080 }),
  fc.nat(0xffff),
);
const address = fc.oneof(
  fc.integer({ min: 0xa_0000, max: 0x10_0000 }),
  fc.integer({ min: 0xe000_0000, max: 0xe000_8000 }),
  fc.integer({ min: 0xfec0_0000, max: 0xfec0_0020 }),
  fc.integer({ min: 0xfee0_0000, max: 0xfee0_0400 }),
  fc.integer({ min: 0xfffc_0000, max: 0xffff_ffff }),
  fc.integer({ min: 0, max: 2 ** 36 - 1 }),
);
/** A configuration write to a function that is there, and mostly to registers that matter. */
const config = fc.tuple(
  fc.constantFrom(0x0000, 0x0800, 0x0b00, 0x1000, 0x1800),
  fc.oneof(fc.constantFrom(4, 6, 0x10, 0x14, 0x20, 0x24, 0x40, 0x59, 0x60, 0x72, 0x80), fc.nat(255)),
  width,
  value,
);
const action = fc.oneof(
  fc.record({ kind: fc.constant("port" as const), at: port, width, value }),
  fc.record({ kind: fc.constant("memory" as const), at: address, width, value }),
  fc.record({ kind: fc.constant("config" as const), config }),
  fc.record({ kind: fc.constant("run" as const), budget: fc.nat(2000) }),
);

describe("whatever a guest does to the PC's ports, memory and configuration space", () => {
  it.each<Layout>(["modern", "transitional"])("nothing is thrown, and run comes back (%s drive)", (layout) => {
    const make = () =>
      createMachine(pc, {
        firmware: spin,
        memory: 8 << 20,
        layout,
        drives: [{ backend: new MemoryBlock(new Uint8Array(65536), "d") }],
      });
    let machine = make();
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        // It may have powered itself off.
        if (machine.status !== undefined) machine = make();
        const ports = machine.ports as AddressSpace;
        for (const act of actions) {
          if (act.kind === "run") {
            expect(["budget", "idle", "exit"]).toContain(machine.run(act.budget).reason);
          } else if (act.kind === "config") {
            const [fn, register, size, what] = act.config;
            ports.write(0xcf8, 4, 0x8000_0000 + fn + (register & ~3));
            ports.write(0xcfc + (register & 3), size, what);
            ports.read(0xcfc, 4);
          } else if (act.kind === "port") {
            // The way out would end the machine for all that follow.
            if (act.at < 0xf4 - 3 || act.at > 0xf7) ports.write(act.at, act.width, act.value);
            ports.read(act.at, act.width);
          } else {
            machine.memory.write(act.at, act.width, act.value);
            machine.memory.read(act.at, act.width);
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});
