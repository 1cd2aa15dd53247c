import { describe, expect, it } from "vitest";
import type { Chain } from "../../../src/virtio/queue/chain.ts";
import { type AnyRing, eventIndex, type FixtureOptions, indirect, inOrder, type QueueFixture } from "./fixture.ts";

/** What every format of ring does, in whatever byte order. */
export function queueConformance(name: string, make: (options: FixtureOptions) => QueueFixture<AnyRing>): void {
  const bytes = (...list: number[]) => new Uint8Array(list);
  const take = (f: Pick<QueueFixture, "queue">): Chain => {
    const chain = f.queue.take();
    if (chain === undefined) throw new Error("no chain");
    return chain;
  };
  const readable = (chain: Chain) => {
    const into = new Uint8Array(chain.readableLength);
    expect(chain.read(0, into)).toBe(true);
    return [...into];
  };

  describe(`${name} as a virtqueue`, () => {
    it("gives nothing while nothing is available", () => {
      const f = make({});
      expect(f.queue.take()).toBeUndefined();
      f.queue.signal();
      expect([f.interrupts, f.broken]).toEqual([[], []]);
    });

    it("shows a chain as bytes to read and bytes to write, however it is cut", () => {
      const f = make({});
      const offered = f.ring.offer([{ read: bytes(1, 2) }, { read: bytes(3) }, { write: 2 }, { write: 3 }]);
      const chain = take(f);
      expect([chain.readableLength, chain.writableLength, chain.pieces]).toEqual([3, 5, 4]);
      expect(readable(chain)).toEqual([1, 2, 3]);
      const middle = new Uint8Array(2);
      expect(chain.read(1, middle)).toBe(true);
      expect([...middle]).toEqual([2, 3]);
      expect(chain.write(1, bytes(7, 8, 9))).toBe(true);
      expect([...f.ring.written(offered)]).toEqual([0, 7, 8, 9, 0]);
    });

    it("refuses to read or write past the end of a chain, and then writes nothing", () => {
      const f = make({});
      const offered = f.ring.offer([{ read: bytes(1, 2) }, { write: 2 }]);
      const chain = take(f);
      expect(chain.read(1, new Uint8Array(2))).toBe(false);
      expect(chain.write(1, bytes(5, 5))).toBe(false);
      expect(chain.canWrite(0, 3)).toBe(false);
      expect([...f.ring.written(offered)]).toEqual([0, 0]);
    });

    it("tells the driver which chain is used and how much of it was written, and interrupts it", () => {
      const f = make({});
      const offered = f.ring.offer([{ write: 4 }]);
      f.queue.give(take(f), 3);
      expect(f.ring.used()).toEqual([{ head: offered.head, length: 3 }]);
      expect(f.interrupts).toEqual([]);
      f.queue.signal();
      expect(f.interrupts).toEqual([0]);
      f.queue.signal();
      expect(f.interrupts).toEqual([0]);
    });

    it("takes chains in the order offered and has them back in any", () => {
      const f = make({});
      const heads = [1, 2, 3].map((n) => f.ring.offer([{ read: bytes(n) }]).head);
      const chains = [take(f), take(f), take(f)] as const;
      expect(chains.map(readable)).toEqual([[1], [2], [3]]);
      for (const i of [2, 0, 1] as const) f.queue.give(chains[i], i);
      expect(f.ring.used()).toEqual([2, 0, 1].map((i) => ({ head: heads[i], length: i })));
    });

    it("goes round its ring and past 65535 entries", () => {
      const f = make({ size: 4 });
      for (let i = 0; i < 65_600; i++) {
        f.ring.recycle(0x1_0000);
        const { head } = f.ring.offer([{ write: 1 }]);
        f.queue.drain();
        f.queue.give(take(f), 1);
        if (f.ring.used()[0]?.head !== head) expect.fail(`round ${i}`);
      }
      expect(f.broken).toEqual([]);
    });

    it("gives as many chains in a round as it has entries, and says when there may be more", () => {
      const f = make({ size: 4 });
      for (let i = 0; i < 4; i++) f.ring.offer([{ write: 1 }]);
      for (let i = 0; i < 4; i++) f.queue.give(take(f), 0);
      expect(f.queue.take()).toBeUndefined();
      expect(f.queue.exhausted).toBe(false);
      f.ring.recycle(0x1_0000);
      f.ring.offer([{ write: 1 }]);
      expect(f.queue.take()).toBeUndefined();
      expect(f.queue.exhausted).toBe(true);
      f.queue.drain();
      expect(f.queue.exhausted).toBe(false);
      take(f);
    });

    it("follows an indirect table, alone or after direct descriptors (case 6)", () => {
      const f = make({ features: indirect });
      f.ring.offer([{ read: bytes(1) }, { read: bytes(2, 3) }, { write: 5 }], { indirect: true });
      const chain = take(f);
      expect(readable(chain)).toEqual([1, 2, 3]);
      expect(chain.writableLength).toBe(5);
    });

    it("leaves a buffer of no length out of the chain and goes on (case 7)", () => {
      const f = make({});
      f.ring.offer([{ read: bytes() }, { read: bytes(4) }, { write: 0 }, { write: 2 }]);
      const chain = take(f);
      expect([chain.pieces, chain.readableLength, chain.writableLength]).toEqual([2, 1, 2]);
      expect(f.broken).toEqual([]);
    });

    it("holds a chain whose buffers are all of no length", () => {
      const f = make({});
      const { head } = f.ring.offer([{ write: 0 }]);
      const chain = take(f);
      expect(chain.write(0, bytes())).toBe(true);
      f.queue.give(chain, 0);
      expect(f.ring.used()).toEqual([{ head, length: 0 }]);
    });

    it("writes and reads nothing at all after a reset, not even a chain taken before it", () => {
      const f = make({});
      f.ring.offer([{ write: 4 }]);
      f.ring.offer([{ write: 4 }]);
      const chain = take(f);
      f.queue.reset();
      f.queue.give(chain, 4);
      f.queue.signal();
      expect(f.queue.take()).toBeUndefined();
      expect(f.ring.usedIndex).toBe(0);
      expect(f.interrupts).toEqual([]);
      expect([f.queue.enabled, f.queue.size]).toEqual([false, 0]);
    });

    it("does not take a chain of an earlier start for one of the present", () => {
      const f = make({});
      f.ring.offer([{ write: 4 }]);
      const old = take(f);
      f.queue.start(f.ring.ring);
      const present = take(f);
      f.queue.give(old, 4);
      expect(f.ring.usedIndex).toBe(0);
      f.queue.give(present, 2);
      expect(f.ring.used()).toEqual([{ head: present.head, length: 2 }]);
    });

    it("saves and restores its place in the ring", () => {
      const f = make({});
      f.ring.offer([{ write: 4 }]);
      f.queue.give(take(f), 1);
      f.ring.offer([{ write: 4 }]);
      const saved = f.queue.state.save();
      const memory = f.ram.contents().slice();
      f.queue.give(take(f), 2);
      f.queue.state.restore(saved);
      f.ram.load(0, memory);
      f.queue.restored?.();
      expect(f.queue.take()?.writableLength).toBe(4);
    });

    it("saves and restores chains in hand: each is read anew by its name, and what was taken before is dead", () => {
      const f = make({ features: indirect });
      const offered = [
        f.ring.offer([{ read: bytes(1, 2) }, { read: bytes(3) }, { write: 2 }]),
        f.ring.offer([{ read: bytes(4) }, { write: 3 }], { indirect: true }),
        f.ring.offer([{ write: 5 }]),
      ] as const;
      const chains = [take(f), take(f), take(f)] as const;
      // The objects serve again when they are given.
      const [first, second, third] = [chains[0].head, chains[1].head, chains[2].head];
      // The last comes back first, so that it lies where the first one's descriptors may have been.
      f.queue.give(chains[2], 5);
      const saved = f.queue.state.save();
      f.queue.give(chains[0], 1);
      const { usedIndex } = f.ring;
      f.queue.state.restore(saved);
      f.queue.restored?.();
      f.queue.give(chains[1], 1);
      expect(f.ring.usedIndex).toBe(usedIndex);
      expect(f.queue.retake(third)).toBeUndefined();
      const again = [first, second].map((head) => f.queue.retake(head) as Chain);
      expect(again.map(readable)).toEqual([[1, 2, 3], [4]]);
      expect(again.map((chain) => chain.writableLength)).toEqual([2, 3]);
      f.queue.give(again[1] as Chain, 3);
      f.queue.give(again[0] as Chain, 2);
      expect(f.ring.used().map(({ head }) => head)).toEqual([2, 1, 0].map((i) => offered[i as 0 | 1 | 2].head));
      expect(f.broken).toEqual([]);
    });

    it("holds back with IN_ORDER what is given before its turn (6, IN_ORDER)", () => {
      const f = make({ features: inOrder });
      const heads = [1, 2, 3].map((n) => f.ring.offer([{ write: n }]).head);
      const chains = [take(f), take(f), take(f)] as const;
      f.queue.give(chains[2], 3);
      f.queue.give(chains[1], 2);
      f.queue.signal();
      expect([f.ring.usedIndex, f.interrupts]).toEqual([0, []]);
      f.queue.give(chains[0], 1);
      f.queue.signal();
      expect(f.ring.used()).toEqual(heads.map((head, i) => ({ head, length: i + 1 })));
      expect(f.interrupts).toEqual([0]);
    });

    it("tells with IN_ORDER of chains which are ready together by one used element, the last one's (2.7.9, 2.8.8)", () => {
      const f = make({ features: inOrder });
      const sent = [
        f.ring.offer([{ read: bytes(1, 2) }, { write: 3 }]),
        f.ring.offer([{ read: bytes(3) }]),
        f.ring.offer([{ write: 5 }]),
      ];
      const chains = [take(f), take(f), take(f)] as const;
      // In turn or not: what the device does before it signals is one batch.
      f.queue.give(chains[2], 4);
      f.queue.give(chains[1], 0);
      f.queue.give(chains[0], 3);
      f.queue.signal();
      const lengths = [3, 0, 4];
      expect(f.ring.used()).toEqual(sent.map(({ head }, i) => ({ head, length: lengths[i] })));
      expect(f.ring.ordered?.batches).toBe(1);
      // And goes on behind all of the batch.
      const next = f.ring.offer([{ write: 1 }]);
      f.queue.give(take(f), 1);
      f.queue.signal();
      expect(f.ring.used()).toEqual([{ head: next.head, length: 1 }]);
      expect([f.ring.ordered?.batches, f.broken]).toEqual([2, []]);
    });

    it("ends a batch at a chain which was not written completely, whose length the driver has to learn", () => {
      const f = make({ features: inOrder });
      const heads = [4, 4, 4, 4].map((room) => f.ring.offer([{ write: room }]).head);
      const chains = [take(f), take(f), take(f), take(f)] as const;
      const lengths = [4, 1, 4, 0];
      for (const i of [3, 2, 1, 0] as const) f.queue.give(chains[i], lengths[i] as number);
      f.queue.signal();
      expect(f.ring.used()).toEqual(heads.map((head, i) => ({ head, length: lengths[i] })));
      expect(f.ring.ordered?.batches).toBe(2);
    });

    it("interrupts once for a batch which passes the event that the driver named", () => {
      const f = make({ features: inOrder | eventIndex });
      f.ring.setUsedEvent(1);
      for (let i = 0; i < 3; i++) f.ring.offer([{ write: 1 }]);
      const chains = [take(f), take(f), take(f)] as const;
      f.queue.give(chains[2], 1);
      f.queue.give(chains[1], 1);
      f.queue.signal();
      expect(f.interrupts).toEqual([]);
      f.queue.give(chains[0], 1);
      f.queue.signal();
      f.queue.signal();
      expect([f.ring.used().length, f.interrupts]).toEqual([3, [0]]);
    });

    it("saves and restores what IN_ORDER holds back", () => {
      const f = make({ features: inOrder });
      const heads = [1, 2].map((n) => f.ring.offer([{ write: n }]).head);
      const chains = [take(f), take(f)] as const;
      f.queue.give(chains[1], 2);
      const saved = f.queue.state.save();
      f.queue.reset();
      f.queue.state.restore(saved);
      f.queue.restored?.();
      expect(f.queue.retake(chains[1].head)).toBeUndefined();
      f.queue.give(f.queue.retake(chains[0].head) as Chain, 1);
      f.queue.signal();
      expect(f.ring.used()).toEqual(heads.map((head, i) => ({ head, length: i + 1 })));
    });

    it("keeps in order whatever order chains come back in, round after round", () => {
      const f = make({ features: inOrder, size: 4 });
      for (let round = 0; round < 50; round++) {
        f.ring.recycle(0x1_0000);
        f.queue.drain();
        const heads = [1, 2, 3].map((n) => f.ring.offer([{ write: n }]).head);
        const chains = [take(f), take(f), take(f)];
        for (let i = 0; i < 3; i++) f.queue.give(chains[(round + 2 * i) % 3] as Chain, 0);
        f.queue.signal();
        expect(f.ring.used().map(({ head }) => head)).toEqual(heads);
      }
    });

    it("interrupts when the used index passes the event which the driver named, and not before", () => {
      const f = make({ features: eventIndex });
      f.ring.setUsedEvent(1);
      f.ring.offer([{ write: 1 }]);
      f.ring.offer([{ write: 1 }]);
      f.ring.offer([{ write: 1 }]);
      f.queue.give(take(f), 0);
      f.queue.signal();
      expect(f.interrupts).toEqual([]);
      f.queue.give(take(f), 0);
      f.queue.signal();
      expect(f.interrupts).toEqual([0]);
      f.queue.give(take(f), 0);
      f.queue.signal();
      expect(f.interrupts).toEqual([0]);
    });
  });
}
