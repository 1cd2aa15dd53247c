import { describe, expect, it } from "vitest";
import { SeededEntropy } from "../../src/backend/entropy.ts";
import { Rng } from "../../src/virtio/device/rng.ts";
import { createVirtioPci, type VirtioPciOptions } from "../../src/virtio/pci.ts";
import { TransportCounts } from "../../src/virtio/transport-counts.ts";
import { Bench } from "../support/bench.ts";
import { LegacyDriver, ModernDriver } from "../support/virtio-driver.ts";

const version1 = 1n << 32n;

function plugged(layout: VirtioPciOptions["layout"]) {
  const bench = new Bench();
  const counts = new TransportCounts("rng0");
  const rng = new Rng("rng0", { entropy: new SeededEntropy(1), clock: bench.clock });
  const trace = bench.trace.channel("virtio");
  const fn = createVirtioPci(rng, { layout, counts, clock: bench.clock, trace });
  bench.plug(fn);
  return { bench, counts, fn };
}

describe("the counts of a transport", () => {
  it("take set-up to be from the write which resets the device to the one which sets DRIVER_OK", () => {
    const { counts, fn, bench } = plugged("legacy");
    const driver = new LegacyDriver(bench, fn);
    driver.read(0, 4);
    driver.write(18, 1, 0);
    driver.write(18, 1, 3);
    expect(counts.setup).toBe(0);
    driver.write(18, 1, 7);
    driver.write(16, 2, 0);
    expect(counts.setup).toBe(3);
    driver.write(18, 1, 0);
    expect(counts.setup).toBe(0);
    driver.write(18, 1, 7);
    expect(counts.setup).toBe(2);
  });

  it("are the same registers' whichever layout of a transitional device is driven", () => {
    // By the book: reset, two status writes, features, queue (select, size, page), DRIVER_OK.
    const old = plugged("transitional");
    new LegacyDriver(old.bench, old.fn).start(0, 1);
    expect(old.counts.setup).toBe(8);
    // Reset, two, four pairs of feature words, FEATURES_OK and its check, queue (select, size, three addresses of two halves, enable), DRIVER_OK.
    const modern = plugged("transitional");
    new ModernDriver(modern.bench, modern.fn).start(version1, [8]);
    expect(modern.counts.setup).toBe(1 + 2 + 8 + 2 + 9 + 1);
  });

  it("tell ports, memory, configuration space and the MSI-X table apart", () => {
    const { counts, fn, bench } = plugged("transitional");
    new LegacyDriver(bench, fn).write(18, 1, 0);
    expect(counts.accesses).toEqual({ ports: 1, memory: 0, config: 0, table: 0 });
    fn.readConfig(0, 4);
    fn.writeConfig(4, 2, 7);
    const modern = new ModernDriver(bench, fn);
    const before = counts.accesses;
    modern.readIsr();
    const table = fn.peek(0x14, 4);
    bench.memory.read64(table);
    const after = counts.accesses;
    expect([after.ports, after.memory - before.memory, after.table, before.config >= 2]).toEqual([1, 1, 2, true]);
  });

  it("take a doorbell to be one only if it names a queue", () => {
    const { counts, fn, bench } = plugged("legacy");
    const driver = new LegacyDriver(bench, fn);
    driver.write(16, 2, 0);
    driver.write(16, 2, 1);
    expect([counts.doorbells, counts.accesses.ports]).toEqual([1, 2]);
  });

  it("tell messages from assertions of the pin", () => {
    const { counts, fn, bench } = plugged("modern");
    const [ring] = new ModernDriver(bench, fn).start(version1, [8], { msix: true });
    const driver = new ModernDriver(bench, fn);
    ring?.offer([{ write: 8 }]);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect([counts.messages, counts.pins, bench.taken().length]).toEqual([1, 0, 1]);
  });

  it("count a pin once until its cause has been read", () => {
    const { counts, fn, bench } = plugged("modern");
    const driver = new ModernDriver(bench, fn);
    const [ring] = driver.start(version1, [8]);
    for (let i = 0; i < 2; i++) {
      ring?.offer([{ write: 8 }]);
      driver.kick(0);
      bench.clock.advance(1_000_000);
    }
    expect([counts.messages, counts.pins, bench.rises]).toEqual([0, 1, 1]);
    expect(driver.readIsr()).toBe(1);
    ring?.offer([{ write: 8 }]);
    driver.kick(0);
    bench.clock.advance(1_000_000);
    expect([counts.pins, bench.rises]).toEqual([2, 2]);
  });
});
