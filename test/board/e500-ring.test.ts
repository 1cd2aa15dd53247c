import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ppce500 } from "../../machines/ppce500.ts";
import { MemoryBlock } from "../../src/backend/memory-block.ts";
import { createMachine } from "../../src/board/create.ts";
import type { Layout } from "../../src/board/options.ts";

/** Boots the demo kernel, whose tour makes some disk requests, and gives the bytes of its ring's two indices. */
function ringAfterTour(layout: Layout) {
  const machine = createMachine(ppce500, {
    firmware: new Uint8Array(0),
    kernel: readFileSync(new URL("../../guest/images/ppce500.elf", import.meta.url)),
    drives: [{ backend: new MemoryBlock(new Uint8Array(1 << 20), "demo") }],
    layout,
  });
  let text = "";
  machine.onConsole = (byte) => {
    text += String.fromCharCode(byte);
  };
  while (!text.includes("barzero> ") && machine.cpu.instructions < 5e6) machine.run(100_000);
  const ring = /driver's ([0-9a-f]+) device's ([0-9a-f]+)/.exec(text);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  const index = (hex: string | undefined) => {
    const at = Number.parseInt(hex ?? "", 16) + 2;
    return [...machine.ram.contents().subarray(at, at + 2)];
  };
  return { requests, available: index(ring?.[1]), used: index(ring?.[2]) };
}

describe("a ring in the memory of ppce500", () => {
  it("is big-endian with the legacy layout: the guest's own order (virtio 1.2 section 2.7.3)", () => {
    const { requests, available, used } = ringAfterTour("legacy");
    expect(requests).toBeGreaterThan(0);
    expect(available).toEqual([0, requests]);
    expect(used).toEqual([0, requests]);
  });

  it("is little-endian with the modern layout (section 2.6)", () => {
    const { requests, available, used } = ringAfterTour("modern");
    expect(requests).toBeGreaterThan(0);
    expect(available).toEqual([requests, 0]);
    expect(used).toEqual([requests, 0]);
  });
});
