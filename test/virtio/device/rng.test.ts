import { describe, expect, it } from "vitest";
import { SeededEntropy } from "../../../src/backend/entropy.ts";
import type { DriverRing } from "../../support/ring.ts";
import { ModernDriver } from "../../support/virtio-driver.ts";
import { bits, plugRng } from "../../support/virtio-function.ts";

function start() {
  const plugged = plugRng();
  const driver = new ModernDriver(plugged.bench, plugged.fn);
  const [ring] = driver.start(bits.version1, [8], { msix: true }) as [DriverRing];
  return { ...plugged, driver, ring };
}

describe("an entropy device", () => {
  it("fills the driver's buffers from its seed, 20 us after the kick", () => {
    const { bench, driver, ring } = start();
    const first = ring.offer([{ write: 5 }, { write: 11 }]);
    driver.kick(0);
    bench.clock.advance(19_999);
    expect(ring.usedIndex).toBe(0);
    bench.clock.advance(1);
    expect(ring.used()).toEqual([{ head: first.head, length: 16 }]);
    const expected = new Uint8Array(16);
    new SeededEntropy(1).fill(expected);
    expect(ring.written(first)).toEqual(expected);
    expect(bench.taken()).toEqual([101]);
  });

  it("serves what was offered while it gathered, in one go", () => {
    const { bench, driver, ring } = start();
    ring.offer([{ write: 8 }]);
    driver.kick(0);
    bench.clock.advance(10_000);
    ring.offer([{ write: 8 }]);
    driver.kick(0);
    bench.clock.advance(10_000);
    expect(ring.usedIndex).toBe(2);
  });

  it("gives its bytes when they were due after it was saved and restored", () => {
    const a = start();
    a.ring.offer([{ write: 8 }]);
    a.driver.kick(0);
    a.bench.clock.advance(5_000);
    const b = plugRng();
    b.bench.ram.load(0, a.bench.ram.contents());
    b.bench.clock.advance(5_000);
    for (const [i, part] of b.fn.parts.entries()) part.state.restore(a.fn.parts[i]?.state.save() ?? {});
    for (const part of b.fn.parts) part.restored?.();
    const used = () => b.bench.ram.read(a.ring.ring.deviceArea + 2, 2);
    b.bench.clock.advance(14_999);
    expect(used()).toBe(0);
    b.bench.clock.advance(1);
    expect(used()).toBe(1);
  });

  it("case 31: gives 4096 bytes to a request for more", () => {
    const { bench, driver, ring } = start();
    ring.offer([{ write: 0x8000 }]);
    driver.kick(0);
    bench.clock.advance(1e6);
    expect(ring.used()[0]?.length).toBe(4096);
  });

  it("case 9: gives nothing to a buffer it may not write, or which is not RAM (policy R2)", () => {
    const { bench, driver, ring } = start();
    ring.offer([{ read: new Uint8Array(8).fill(3) }]);
    ring.descriptor(1, 2 ** 33, 8, 2, 0);
    ring.makeAvailable(1);
    driver.kick(0);
    bench.clock.advance(1e6);
    expect(ring.used().map((u) => u.length)).toEqual([0, 0]);
  });

  it("case 20: gives nothing after a reset", () => {
    const { bench, driver, ring } = start();
    ring.offer([{ write: 8 }]);
    driver.kick(0);
    driver.setStatus(0);
    bench.clock.advance(1e6);
    expect([ring.usedIndex, bench.taken()]).toEqual([0, []]);
  });
});
