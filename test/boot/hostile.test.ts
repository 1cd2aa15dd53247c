import { describe, expect, test } from "vitest";
import { CharacterFifo, sinkTo } from "../../src/backend/character.ts";
import { Loopback } from "../../src/backend/loopback.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import type { Machine } from "../../src/board/machine.ts";
import type { IrqMode, Layout, RingFormat } from "../../src/board/options.ts";
import { demoDisk } from "../../src/host/demo-disk.ts";
import { readImage } from "../../src/host/images.ts";
import { findMachine } from "../../src/host/machines.ts";
import { createMachine } from "../../src/index.ts";
import { VirtioCore } from "../../src/virtio/core.ts";

interface Row {
  readonly machine: "pc" | "ppce500";
  /** What the devices show, and which of it the kernel drives. */
  readonly layout: Layout;
  readonly driver: string;
  readonly ring: RingFormat;
  readonly irq: IrqMode;
}

const machines = ["pc", "ppce500"] as const;
const rows: readonly Row[] = machines.flatMap((machine) =>
  (
    [
      ["legacy", "legacy", "split", "msix"],
      ["overlay", "overlay-bar0", "split", "intx"],
      ["overlay", "overlay-bar1", "split", "msix"],
      ["modern", "modern", "split", "msix"],
      ["modern", "modern", "packed", "intx"],
      ["transitional", "legacy", "split", "intx"],
      ["transitional", "modern", "packed", "msix-shared"],
    ] as const
  ).map(([layout, driver, ring, irq]) => ({ machine, layout, driver, ring, irq })),
);

/** Boots the kernel's `hostile` program, which does the cases of docs/threat-model.md to each device. */
async function hostile(row: Row, prepare: (machine: Machine) => void = () => {}) {
  const spec = await findMachine(row.machine);
  let text = "";
  const machine = createMachine(
    { ...spec, virtio: [{ kind: "console" }, { kind: "rng" }] },
    {
      firmware: readImage(`firmware/images/${spec.firmware.image}`),
      kernel: readImage(`guest/images/${spec.kernel}`),
      memory: 64 * 2 ** 20,
      append: `hostile layout=${row.driver} ring=${row.ring} irq=${row.irq}`,
      drives: [{ backend: new MemoryBlock(demoDisk(), "hostile") }],
      networks: [{ backend: new Loopback() }],
      layout: row.layout,
      irq: row.irq,
      ring: row.ring,
      virtioConsole: { output: sinkTo(() => {}), input: new CharacterFifo() },
      onConsole: (byte) => {
        text += String.fromCharCode(byte);
      },
    },
  );
  prepare(machine);
  for (let slices = 0; slices < 500 && machine.run(1_000_000).reason === "budget"; ) slices++;
  const lines = [
    ...text.matchAll(/^hostile (\w+) layout=\S+ ring=\S+ irq=\S+ case (\d+), (.*): (ok|SKIP.*|FAIL.*)\r$/gm),
  ];
  return {
    status: machine.status,
    text,
    cases: lines.map(([, device, number, name, result]) => ({
      device,
      number: Number(number),
      name,
      result: result?.trim() ?? "",
    })),
  };
}

/** Why a case cannot be there, and in which rows. */
const reasons: readonly (readonly [reason: RegExp, applies: (row: Row) => boolean])[] = [
  [/packed ring|2\.8/, ({ ring }) => ring === "packed"],
  [/no window in configuration space|place its queue again/, ({ driver }) => driver !== "modern"],
  [/no messages in this mode/, ({ irq }) => irq === "intx"],
  [/messages need no acknowledgement/, ({ irq }) => irq !== "intx"],
  // Not every device writes, holds requests, or has requests of several buffers.
  [/its request is one buffer|it writes nothing in this queue|its transmit queue is done at once/, () => true],
];

describe("a hostile driver in the guest", () => {
  test.each(rows)("does no harm on $machine, $layout by $driver, $ring rings, $irq", async (row) => {
    const { status, cases, text } = await hostile(row);
    expect(cases.filter(({ result }) => result.startsWith("FAIL"))).toEqual([]);
    expect(status, text.slice(-500)).toBe(0);
    for (const device of ["blk", "console", "rng", "net"])
      expect(new Set(cases.filter((one) => one.device === device).map(({ number }) => number))).toEqual(
        new Set(Array.from({ length: 28 }, (_, i) => i + 1)),
      );
    const unexplained = cases.filter(
      ({ result }) =>
        result.startsWith("SKIP") && !reasons.some(([reason, applies]) => applies(row) && reason.test(result)),
    );
    expect(unexplained).toEqual([]);
  });

  test("tells of a device which goes on when its rings are broken", async () => {
    const { status, cases } = await hostile(rows[3] as Row, (machine) => {
      // One which takes no breach for what it is: nobody hears of it, and queues do not stop.
      for (const device of machine.devices)
        if (device instanceof VirtioCore && device.device.name === "rng0") device.fail = () => {};
    });
    expect(status).toBe(1);
    const failed = cases.filter(({ result }) => result.startsWith("FAIL"));
    expect(new Set(failed.map(({ device }) => device))).toEqual(new Set(["rng"]));
    expect(new Set(failed.map(({ number }) => number))).toEqual(new Set([1, 2, 4, 5, 8, 10, 11, 15]));
  });
});
