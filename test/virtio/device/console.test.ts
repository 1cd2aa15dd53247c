import { describe, expect, it } from "vitest";
import type { DriverRing } from "../../support/ring.ts";
import { ModernDriver } from "../../support/virtio-driver.ts";
import { bits, plugConsole } from "../../support/virtio-function.ts";

function start(features: bigint = bits.version1) {
  const plugged = plugConsole();
  const driver = new ModernDriver(plugged.bench, plugged.fn);
  const [receive, transmit] = driver.start(features, [8, 8], { msix: true }) as [DriverRing, DriverRing];
  return { ...plugged, driver, receive, transmit };
}

const text = (words: string) => new TextEncoder().encode(words);
const string = (bytes: Iterable<number>) => new TextDecoder().decode(Uint8Array.from(bytes));

describe("a console device", () => {
  it("sends what the driver transmits, from as many buffers as there are", () => {
    const { bench, driver, sink, transmit } = start();
    transmit.offer([{ read: text("hello, ") }, { read: text("world") }]);
    transmit.offer([{ read: text("!\n") }]);
    driver.kick(1);
    expect(string(sink.got)).toBe("hello, world!\n");
    expect(transmit.used().map((u) => u.length)).toEqual([0, 0]);
    expect(bench.taken()).toEqual([102]);
  });

  it("delivers input into the driver's buffers when it comes", () => {
    const { bench, driver, source, receive } = start();
    const buffers = [receive.offer([{ write: 4 }]), receive.offer([{ write: 2 }, { write: 6 }])];
    driver.kick(0);
    expect(receive.usedIndex).toBe(0);
    source.offer(text("abcdef"));
    expect(receive.used().map((u) => u.length)).toEqual([4, 2]);
    expect(buffers.map((b) => string(receive.written(b)).replaceAll("\0", ""))).toEqual(["abcd", "ef"]);
    expect(bench.taken()).toEqual([101]);
  });

  it("keeps input in its source until the driver has buffers, and loses none", () => {
    const { driver, source, receive } = start();
    source.offer(text("early"));
    expect(source.available).toBe(5);
    const buffer = receive.offer([{ write: 16 }]);
    driver.kick(0);
    expect([receive.used()[0]?.length, string(receive.written(buffer)).slice(0, 5), source.available]).toEqual([
      5,
      "early",
      0,
    ]);
  });

  it("takes no input before DRIVER_OK (2.1.2)", () => {
    const { bench, fn, source } = plugConsole();
    const driver = new ModernDriver(bench, fn);
    driver.negotiate(bits.version1);
    const ring = driver.setUp(0, 8);
    ring.offer([{ write: 8 }]);
    source.offer(text("x"));
    driver.kick(0);
    expect([ring.usedIndex, source.available]).toEqual([0, 1]);
  });

  it("leaves output in the ring while its sink has no room, and goes on where it stopped", () => {
    const { driver, sink, transmit } = start();
    sink.room = 3;
    transmit.offer([{ read: text("abcdef") }]);
    transmit.offer([{ read: text("ghi") }]);
    driver.kick(1);
    expect([string(sink.got), transmit.usedIndex]).toEqual(["abc", 0]);
    sink.room = 4;
    sink.onRoom?.();
    expect([string(sink.got), transmit.usedIndex]).toEqual(["abcdefg", 1]);
    sink.room = 100;
    sink.onRoom?.();
    expect([string(sink.got), transmit.usedIndex]).toEqual(["abcdefghi", 2]);
  });

  it("starts afresh after a reset in the middle of a chain", () => {
    const { driver, sink, transmit } = start();
    sink.room = 3;
    transmit.offer([{ read: text("abcdef") }]);
    driver.kick(1);
    const [, again] = driver.start(bits.version1, [8, 8]) as [DriverRing, DriverRing];
    sink.room = 100;
    again.offer([{ read: text("new") }]);
    driver.kick(1);
    expect(string(sink.got)).toBe("abcnew");
  });

  it("goes on in the middle of a chain after it was saved and restored", () => {
    const a = start();
    const b = plugConsole();
    a.sink.room = 3;
    a.transmit.offer([{ read: text("abc") }, { read: text("def") }]);
    a.driver.kick(1);
    b.bench.ram.load(0, a.bench.ram.contents());
    for (const [i, part] of b.fn.parts.entries()) part.state.restore(a.fn.parts[i]?.state.save() ?? {});
    for (const part of b.fn.parts) part.restored?.();
    b.sink.onRoom?.();
    expect(string(b.sink.got)).toBe("def");
    const { deviceArea } = a.transmit.ring;
    expect(b.bench.ram.read(deviceArea + 2, 2)).toBe(1);
  });

  it("shows columns and rows when it has a screen, and offers SIZE then", () => {
    const { bench, fn } = plugConsole({ size: { columns: 80, rows: 25 } });
    const driver = new ModernDriver(bench, fn);
    expect(driver.offered() & 1n).toBe(1n);
    expect([driver.readConfig(0, 2), driver.readConfig(2, 2), driver.readConfig(4, 4)]).toEqual([80, 25, 1]);
    const plain = plugConsole();
    expect(new ModernDriver(plain.bench, plain.fn).offered() & 1n).toBe(0n);
  });

  it("case 18: takes as many chains at once as the ring has entries, and more as time passes", () => {
    const { bench, driver, sink, transmit } = start();
    let offers = 20;
    // A driver which refills its ring while the device empties it.
    sink.write = (bytes) => {
      sink.got.push(...bytes);
      if (offers-- > 0) transmit.makeAvailable((transmit.availableIndex + 7) % 8);
    };
    for (let i = 0; i < 8; i++) transmit.offer([{ read: text("x") }]);
    driver.kick(1);
    expect(sink.got.length).toBe(8);
    bench.clock.advance(1e6);
    expect(sink.got.length).toBe(28);
  });

  it("case 31: sends a chain of gigabytes a piece at a time, as time passes", () => {
    const { bench, driver, sink, transmit } = start();
    const { got } = sink;
    for (let i = 0; i < 8; i++) transmit.descriptor(i, 0, 2 ** 20, i < 7 ? 1 : 0, i + 1);
    transmit.makeAvailable(0);
    driver.kick(1);
    expect(got.length).toBe(65536);
    for (let i = 0; i < 100; i++) driver.kick(1);
    expect(got.length).toBe(65536);
    bench.clock.advance(1e9);
    expect([got.length, transmit.usedIndex]).toEqual([8 * 2 ** 20, 1]);
  });

  it("case 9: gives back with length 0 what cannot be read or written, keeps the input, and goes on (policy R2)", () => {
    const { driver, sink, source, receive, transmit } = start();
    transmit.descriptor(0, 2 ** 33, 5, 0, 0);
    transmit.makeAvailable(0);
    transmit.recycle(0x9_0000);
    transmit.descriptor(1, 0, 0, 0, 0);
    transmit.makeAvailable(1);
    driver.kick(1);
    expect([transmit.used().map((u) => u.length), sink.got]).toEqual([[0, 0], []]);
    source.offer(text("ab"));
    receive.descriptor(0, 2 ** 33, 5, 2, 0);
    receive.makeAvailable(0);
    receive.descriptor(1, 0x9_0000, 5, 0, 0);
    receive.makeAvailable(1);
    receive.descriptor(2, 0x9_0000, 5, 2, 0);
    receive.makeAvailable(2);
    driver.kick(0);
    expect(receive.used().map((u) => u.length)).toEqual([0, 0, 2]);
    expect(source.available).toBe(0);
  });
});
