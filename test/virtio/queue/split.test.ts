import { describe, expect, it } from "vitest";
import { queueConformance } from "./conformance.ts";
import { eventIndex, indirect, splitFixture } from "./fixture.ts";

queueConformance("The little-endian split queue", (options) => splitFixture(options));
queueConformance("The big-endian split queue", (options) => splitFixture({ ...options, order: "big" }));

describe("a split queue", () => {
  it("has its ring in memory in the byte order it was started with", () => {
    for (const [order, idx, element] of [
      ["little", [1, 0], [2, 0, 0, 0, 0x34, 0x12, 0, 0]],
      ["big", [0, 1], [0, 0, 0, 2, 0, 0, 0x12, 0x34]],
    ] as const) {
      const { queue, ring, ram } = splitFixture({ order });
      // The driver's side by hand, in bytes: descriptor 2 is 16 bytes at 0x10000, to be written.
      const descriptor =
        order === "little"
          ? [0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0]
          : [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 2, 0, 0];
      ram.load(ring.ring.descriptorArea + 32, new Uint8Array(descriptor));
      ram.load(ring.ring.driverArea, new Uint8Array(order === "little" ? [0, 0, 1, 0, 2, 0] : [0, 0, 0, 1, 0, 2]));
      const chain = queue.take();
      expect([chain?.head, chain?.writableLength]).toEqual([2, 16]);
      if (chain !== undefined) queue.give(chain, 0x1234);
      const at = ring.ring.deviceArea;
      expect([...ram.contents().subarray(at + 2, at + 4)]).toEqual(idx);
      expect([...ram.contents().subarray(at + 4, at + 12)]).toEqual(element);
    }
  });

  it("does not interrupt while VIRTQ_AVAIL_F_NO_INTERRUPT is set (2.7.7.2)", () => {
    const { queue, ring, interrupts } = splitFixture();
    ring.setAvailableFlags(1);
    ring.offer([{ write: 1 }]);
    const chain = queue.take();
    if (chain !== undefined) queue.give(chain, 0);
    queue.signal();
    expect(interrupts).toEqual([]);
  });

  it("ignores that flag with event index (2.7.7.2)", () => {
    const { queue, ring, interrupts } = splitFixture({ features: eventIndex });
    ring.setAvailableFlags(1);
    ring.offer([{ write: 1 }]);
    const chain = queue.take();
    if (chain !== undefined) queue.give(chain, 0);
    queue.signal();
    expect(interrupts).toEqual([0]);
  });

  it("asks for a notification at the next buffer when it has run dry, with event index alone (2.7.10.2)", () => {
    const withEvent = splitFixture({ features: eventIndex });
    withEvent.ring.offer([{ write: 1 }]);
    withEvent.queue.take();
    expect(withEvent.ring.availableEvent).toBe(0);
    withEvent.queue.take();
    expect(withEvent.ring.availableEvent).toBe(1);

    const without = splitFixture();
    without.ring.offer([{ write: 1 }]);
    without.queue.take();
    without.queue.take();
    expect(without.ring.availableEvent).toBe(0);
  });

  it("interrupts across the wrap of the used index (2.7.7.2)", () => {
    const { queue, ring, interrupts } = splitFixture({ features: eventIndex, size: 2 });
    for (let i = 0; i < 65_535; i++) {
      ring.recycle(0x1_0000);
      ring.offer([{ write: 1 }]);
      queue.drain();
      const chain = queue.take();
      if (chain !== undefined) queue.give(chain, 0);
    }
    queue.signal();
    interrupts.length = 0;
    ring.setUsedEvent(0);
    for (const expected of [[], [0]]) {
      ring.recycle(0x1_0000);
      ring.offer([{ write: 1 }]);
      queue.drain();
      const chain = queue.take();
      if (chain !== undefined) queue.give(chain, 0);
      queue.signal();
      expect(interrupts).toEqual(expected);
    }
  });

  it("ignores WRITE on the descriptor that refers to a table (2.7.5.3.2)", () => {
    const { queue, ring, broken } = splitFixture({ features: indirect });
    ring.descriptor(0, 0x8000, 32, 4 | 2, 0);
    ring.descriptor(0, 0x1_0000, 4, 1, 1, 0x8000);
    ring.descriptor(1, 0x1_0100, 4, 2, 0, 0x8000);
    ring.makeAvailable(0);
    const chain = queue.take();
    expect([chain?.readableLength, chain?.writableLength, broken]).toEqual([4, 4, []]);
  });

  it("goes on from direct descriptors into a table (case 6)", () => {
    const { queue, ring, broken } = splitFixture({ features: indirect });
    ring.descriptor(0, 0x1_0000, 3, 1, 1);
    ring.descriptor(1, 0x8000, 32, 4, 0);
    ring.descriptor(0, 0x1_0100, 4, 1, 1, 0x8000);
    ring.descriptor(1, 0x1_0200, 5, 2, 0, 0x8000);
    ring.makeAvailable(0);
    const chain = queue.take();
    expect([chain?.readableLength, chain?.writableLength, broken]).toEqual([7, 5, []]);
  });

  it("takes a table with as many entries as the queue has", () => {
    const { queue, ring, broken } = splitFixture({ features: indirect, size: 4 });
    ring.offer([{ write: 1 }, { write: 1 }, { write: 1 }, { write: 1 }], { indirect: true });
    expect([queue.take()?.pieces, broken]).toEqual([4, []]);
  });

  it("writes a used element before the index which publishes it (2.7.8.2)", () => {
    const { queue, ring, ram } = splitFixture();
    ring.offer([{ write: 1 }]);
    const chain = queue.take();
    const at = ring.ring.deviceArea;
    // A used ring of which only the flags and index are outside of the watched part.
    ram.load(at + 4, new Uint8Array(8).fill(0xff));
    if (chain !== undefined) queue.give(chain, 5);
    expect([...ram.contents().subarray(at, at + 12)]).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 5, 0, 0, 0]);
  });

  it("tells the trace of every chain taken and every element given", () => {
    const { queue, ring, lines } = splitFixture();
    ring.offer([{ read: new Uint8Array(3) }, { write: 2 }]);
    const chain = queue.take();
    if (chain !== undefined) queue.give(chain, 2);
    expect(lines).toEqual([
      "dev.queue0 chain taken: head 0, 2 buffers, 3 bytes to read, 2 to write",
      "dev.queue0 used element: head 0, 2 bytes written, index 1",
    ]);
  });

  it("refuses a ring of another size than a power of 2 up to its largest (2.7)", () => {
    const { queue, ring } = splitFixture({ size: 8 });
    queue.reset();
    for (const size of [0, 3, 6, 9, 16, 65535, -8, 0.5]) expect(queue.start({ ...ring.ring, size })).toBe(false);
    for (const size of [1, 2, 4, 8]) expect(queue.start({ ...ring.ring, size })).toBe(true);
  });

  it("refuses areas which are not on 16, 2 and 4 bytes, or nowhere (2.7)", () => {
    const { queue, ring } = splitFixture();
    queue.reset();
    const good = ring.ring;
    for (const off of [1, 2, 4, 8])
      expect(queue.start({ ...good, descriptorArea: good.descriptorArea + off })).toBe(false);
    expect(queue.start({ ...good, driverArea: good.driverArea + 1 })).toBe(false);
    for (const off of [1, 2]) expect(queue.start({ ...good, deviceArea: good.deviceArea + off })).toBe(false);
    for (const area of ["descriptorArea", "driverArea", "deviceArea"])
      expect(queue.start({ ...good, [area]: 0 })).toBe(false);
    expect(queue.enabled).toBe(false);
  });
});
