import { describe, expect, it } from "vitest";
import { type Measured, measureRow, type Way } from "../../src/host/compare/measure-row.ts";
import { type Driven, layouts, type Row } from "../../src/host/matrix/plan.ts";

function row(machine: string, layout: string, irq: Row["irq"], ring: Row["ring"] = "split"): Row {
  return { machine, layout: layouts.find(({ name }) => name === layout) as Driven, ring, irq };
}

function work(measured: Measured, way: Way, eventIndex: boolean) {
  const found = measured.work.find((each) => each.way === way && each.eventIndex === eventIndex);
  if (found === undefined) throw new Error(measured.trouble ?? "no such work");
  return found;
}

describe("what a boot is measured by", () => {
  it("is one doorbell, in the layout's own space, and one message a request which waits for its answer", async () => {
    for (const [layout, accesses] of [
      ["legacy", { ports: 256, memory: 0, config: 0, table: 0 }],
      ["modern", { ports: 0, memory: 256, config: 0, table: 0 }],
    ] as const) {
      const measured = await measureRow(row("pc", layout, "msix"));
      expect(measured.trouble).toBeUndefined();
      expect(work(measured, "alone", true)).toMatchObject({
        requests: 256,
        doorbells: 256,
        messages: 256,
        pins: 0,
        accesses,
      });
    }
  });

  it("tells that an interrupt by the pin costs one more register access, to the ISR (virtio 1.2 section 4.1.4.5)", async () => {
    const measured = await measureRow(row("ppce500", "overlay-bar1", "intx"));
    const alone = work(measured, "alone", true);
    expect(alone).toMatchObject({ doorbells: 256, messages: 0, pins: 256 });
    expect(alone.accesses.memory).toBe(alone.doorbells + alone.pins);
  });

  it("shows what event index is for: one interrupt for eight requests (virtio 1.2 section 2.7.10)", async () => {
    const measured = await measureRow(row("ppce500", "modern", "msix", "packed"));
    expect(work(measured, "batch", true)).toMatchObject({ doorbells: 32, messages: 32 });
    expect(work(measured, "batch", false)).toMatchObject({ doorbells: 32, messages: 256 });
    // Nothing is saved where the driver waits for each.
    expect(work(measured, "alone", false)).toMatchObject({ doorbells: 256, messages: 256 });
  });

  it("takes set-up to be the same for a driver whatever else the function shows", async () => {
    const [plain, both] = [
      await measureRow(row("pc", "legacy", "msix")),
      await measureRow(row("pc", "transitional-as-legacy", "msix")),
    ];
    expect(plain.setup).toEqual(both.setup);
    expect(Object.keys(plain.setup)).toEqual(["blk", "console", "rng", "net"]);
    for (const { ports, memory } of Object.values(plain.setup)) expect([ports > 0, memory]).toEqual([true, 0]);
  });

  it("is the same when it is done again", async () => {
    const each = row("ppce500", "legacy", "msix");
    expect(await measureRow(each)).toEqual(await measureRow(each));
  });

  it("is what the guest said instead, where the machine cannot drive the layout", async () => {
    const measured = await measureRow(row("pc-memory", "legacy", "msix"));
    expect(measured.work).toEqual([]);
    expect(measured.trouble).toMatch(/blk: .*(driven as|reach|window)/);
    const packed = await measureRow(row("pc", "legacy", "msix", "packed"));
    expect(packed.trouble).toBe("blk: its rings are split");
  });
});
