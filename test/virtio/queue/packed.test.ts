import { describe, expect, it } from "vitest";
import type { Chain } from "../../../src/virtio/queue/chain.ts";
import type { VirtQueue } from "../../../src/virtio/queue/virt-queue.ts";
import { events, packedFlags } from "../../support/packed-ring.ts";
import { queueConformance } from "./conformance.ts";
import { eventIndex, indirect, packedFixture } from "./fixture.ts";

queueConformance("The packed queue", (options) => packedFixture(options));
queueConformance("The packed queue of 7 descriptors where a suite asks for 8", (options) =>
  packedFixture({ ...options, ...(options.size === undefined && { size: 7 }) }),
);

const take = (queue: VirtQueue): Chain => {
  const chain = queue.take();
  if (chain === undefined) throw new Error("no chain");
  return chain;
};

describe("a packed queue", () => {
  it("has its descriptors in memory as section 2.8.13 draws them, and its wrap counters begin at 1 (2.8.1)", () => {
    const { queue, ring, ram } = packedFixture({ size: 3 });
    const { descriptorArea } = ring.ring;
    // By hand, in bytes: 16 bytes at 0x10000 to be written, buffer 0xbeef, AVAIL 1 and USED 0.
    ram.load(descriptorArea, new Uint8Array([0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0xef, 0xbe, 0x82, 0]));
    const chain = take(queue);
    expect(chain.writableLength).toBe(16);
    queue.give(chain, 0x1234);
    // Length, ID and flags with AVAIL, USED and WRITE; the address is left alone.
    expect([...ram.contents().subarray(descriptorArea, descriptorArea + 16)]).toEqual([
      0, 0, 1, 0, 0, 0, 0, 0, 0x34, 0x12, 0, 0, 0xef, 0xbe, 0x82, 0x80,
    ]);
  });

  it("changes its wrap counters at the end of the ring: AVAIL 0 and USED 1 are available then, both 0 used", () => {
    const { queue, ring, ram } = packedFixture({ size: 3 });
    const flags = (index: number) =>
      ram
        .contents()
        .slice(ring.ring.descriptorArea + 16 * index + 14)
        .subarray(0, 2);
    for (let i = 0; i < 3; i++) {
      ring.offer([{ write: 1 }]);
      queue.give(take(queue), 0);
    }
    expect([...flags(2)]).toEqual([0x80, 0x80]);
    queue.drain();
    ring.descriptor(0, 0x1_0000, 1, 9, packedFlags.available | packedFlags.write);
    expect(queue.take()).toBeUndefined();
    ring.descriptor(0, 0x1_0000, 1, 9, packedFlags.used | packedFlags.write);
    queue.give(take(queue), 0);
    expect([...flags(0)]).toEqual([0, 0]);
  });

  it("takes a list which goes round the end of the ring, and skips its length when it writes the next used one (2.8.6)", () => {
    const { queue, ring, broken } = packedFixture({ size: 5 });
    for (let i = 0; i < 200; i++) {
      ring.recycle(0x1_0000);
      queue.drain();
      const long = ring.offer([{ read: new Uint8Array([i]) }, { read: new Uint8Array(2) }, { write: 4 }]);
      const short = ring.offer([{ write: 1 }]);
      const chains = [take(queue), take(queue)] as const;
      expect([chains[0].pieces, chains[1].pieces]).toEqual([3, 1]);
      const first = i % 2 === 0 ? 0 : 1;
      queue.give(chains[first] as Chain, 1);
      queue.give(chains[1 - first] as Chain, 1);
      const heads = [long.head, short.head];
      expect(ring.used().map(({ head }) => head)).toEqual([heads[first], heads[1 - first]]);
    }
    expect(broken).toEqual([]);
  });

  it("does not mind that a used descriptor overwrites an available one which is in hand (2.8)", () => {
    const { queue, ring, ram } = packedFixture({ size: 4 });
    const first = ring.offer([{ write: 4 }]);
    ring.offer([{ write: 1 }]);
    const chains = [take(queue), take(queue)] as const;
    queue.give(chains[1], 1);
    // Descriptor 0 now says that buffer 1 is used, and the driver makes something else of it when its turn comes.
    ram.fill(ring.ring.descriptorArea, 16, 0xff);
    queue.state.restore(queue.state.save());
    const again = queue.retake(chains[0].head);
    expect(again?.write(0, new Uint8Array([1, 2, 3, 4]))).toBe(true);
    expect([...ring.written(first)]).toEqual([1, 2, 3, 4]);
  });

  it("gives back the driver's buffer ID whatever it is, twice at once if the driver says so", () => {
    const { queue, ring } = packedFixture();
    for (const id of [0xffff, 8, 8]) ring.put(0x1_0000, 1, id, packedFlags.write);
    const chains = [take(queue), take(queue), take(queue)];
    for (const chain of chains) queue.give(chain, 1);
    expect(ring.used().map(({ head }) => head)).toEqual([0xffff, 8, 8]);
  });

  it("uses all entries of an indirect table and of their flags WRITE alone (2.8.7)", () => {
    const { queue, ring, broken } = packedFixture({ features: indirect });
    const odd = packedFlags.indirect | packedFlags.available | packedFlags.used;
    ring.descriptor(0, 0x1_0000, 3, 7, odd, 0x8000);
    ring.descriptor(1, 0x1_0100, 4, 7, odd | packedFlags.write | packedFlags.next, 0x8000);
    ring.put(0x8000, 32, 5, packedFlags.indirect | packedFlags.write);
    const chain = take(queue);
    expect([chain.readableLength, chain.writableLength, chain.pieces, broken]).toEqual([3, 4, 2, []]);
  });

  it("says that nothing was written by WRITE's absence (2.8.4)", () => {
    const { queue, ring, ram } = packedFixture();
    ring.offer([{ write: 4 }]);
    queue.give(take(queue), 0);
    expect(ram.contents()[ring.ring.descriptorArea + 14]).toBe(packedFlags.available);
  });

  it("interrupts by the driver's event flags: on, off, and reserved as on (2.8.10)", () => {
    for (const [flags, expected] of [
      [events.on, [0]],
      [events.off, []],
      [3, [0]],
      [0xfffc | events.off, []],
    ] as const) {
      const { queue, ring, interrupts } = packedFixture();
      ring.setEvents(flags);
      ring.offer([{ write: 1 }]);
      queue.give(take(queue), 0);
      queue.signal();
      expect(interrupts, `flags ${flags}`).toEqual(expected);
    }
  });

  it("takes an event at a descriptor for one at any without EVENT_IDX (2.8.10)", () => {
    const { queue, ring, interrupts } = packedFixture();
    ring.setEvents(events.atDescriptor, 5, 1);
    ring.offer([{ write: 1 }]);
    queue.give(take(queue), 0);
    queue.signal();
    expect(interrupts).toEqual([0]);
  });

  it("interrupts at the descriptor named and in the lap named alone, wherever that is in the ring", () => {
    const size = 5;
    for (let wanted = 0; wanted < 4 * size; wanted++) {
      const { queue, ring, interrupts } = packedFixture({ size, features: eventIndex });
      for (let i = 0; i < 4 * size; i++) {
        // A driver names a place no further ahead than a lap.
        if (i === Math.max(0, wanted - size + 1)) ring.setUsedEvent(wanted);
        if (i < wanted - size + 1) ring.setEvents(events.off);
        ring.offer([{ write: 1 }]);
        queue.drain();
        queue.give(take(queue), 0);
        queue.signal();
        expect(interrupts, `event ${wanted} after ${i}`).toHaveLength(i >= wanted ? 1 : 0);
        if (i === wanted) ring.setEvents(events.off);
      }
    }
  });

  it("interrupts when any descriptor of those used since the last time was the one named", () => {
    const { queue, ring, interrupts } = packedFixture({ features: eventIndex });
    ring.setUsedEvent(3);
    ring.offer([{ write: 1 }]);
    ring.offer([{ read: new Uint8Array(1) }, { read: new Uint8Array(1) }, { write: 1 }]);
    for (const expected of [[], [0]]) {
      queue.give(take(queue), 0);
      queue.signal();
      expect(interrupts).toEqual(expected);
    }
  });

  it("names the next descriptor when it has run dry, with event index alone (2.8.10)", () => {
    const f = packedFixture({ size: 2, features: eventIndex });
    for (const [offset, wrap] of [
      [0, 1],
      [1, 1],
      [0, 0],
      [1, 0],
      [0, 1],
    ]) {
      expect(f.queue.take()).toBeUndefined();
      expect(f.ring.deviceEvents).toEqual({ offset, wrap, flags: events.atDescriptor });
      f.ring.offer([{ write: 1 }]);
      f.queue.drain();
      f.queue.give(take(f.queue), 0);
    }
    const without = packedFixture();
    without.queue.take();
    expect(without.ring.deviceEvents).toEqual({ offset: 0, wrap: 0, flags: events.on });
  });

  it("takes any size up to its largest (2.8.10.1), and areas on 16, 4 and 4 bytes", () => {
    const { queue, ring } = packedFixture({ size: 8 });
    queue.reset();
    const good = ring.ring;
    for (const size of [0, 9, 65535, -1, 0.5]) expect(queue.start({ ...good, size })).toBe(false);
    for (let size = 1; size <= 8; size++) expect(queue.start({ ...good, size })).toBe(true);
    queue.reset();
    for (const off of [1, 2, 4, 8])
      expect(queue.start({ ...good, descriptorArea: good.descriptorArea + off })).toBe(false);
    for (const off of [1, 2]) {
      expect(queue.start({ ...good, driverArea: good.driverArea + off })).toBe(false);
      expect(queue.start({ ...good, deviceArea: good.deviceArea + off })).toBe(false);
    }
    for (const area of ["descriptorArea", "driverArea", "deviceArea"])
      expect(queue.start({ ...good, [area]: 0 })).toBe(false);
    expect(queue.enabled).toBe(false);
  });

  it("tells the trace of every chain taken and every descriptor used", () => {
    const { queue, ring, lines } = packedFixture();
    ring.offer([{ read: new Uint8Array(3) }, { write: 2 }]);
    queue.give(take(queue), 2);
    expect(lines).toEqual([
      "dev.queue0.packed chain taken: buffer 0, 2 descriptors, head 0, 2 buffers, 3 bytes to read, 2 to write",
      "dev.queue0.packed used descriptor 0: buffer 0, 2 bytes written, wrap 1",
    ]);
  });
});
