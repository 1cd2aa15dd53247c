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
    expect([driver.readConfig(0, 2), driver.readConfig(2, 2), driver.readConfig(4, 4)]).toEqual([80, 25, 7]);
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

/** Control events (virtio 1.2 section 5.3.6.2). */
const event = { deviceReady: 0, portAdd: 1, portReady: 3, consolePort: 4, resize: 5, portOpen: 6 };

function message(port: number, kind: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const fields = new DataView(bytes.buffer);
  fields.setUint32(0, port, true);
  fields.setUint16(4, kind, true);
  fields.setUint16(6, value, true);
  return bytes;
}

describe("a console device with control messages (MULTIPORT)", () => {
  function startMultiport(size?: { columns: number; rows: number }) {
    const plugged = plugConsole(size === undefined ? {} : { size });
    const driver = new ModernDriver(plugged.bench, plugged.fn);
    const features = bits.version1 | bits.consoleMultiport | (size === undefined ? 0n : 1n);
    const [receive, transmit, controlIn, controlOut] = driver.start(features, [8, 8, 8, 8]) as [
      DriverRing,
      DriverRing,
      DriverRing,
      DriverRing,
    ];
    const listen = () => {
      const offered = controlIn.offer([{ write: 64 }]);
      driver.kick(2);
      return offered;
    };
    const say = (...words: Parameters<typeof message>) => {
      controlOut.offer([{ read: message(...words) }]);
      driver.kick(3);
    };
    /** What the device has said into these buffers, as port, event, value and what is behind. */
    const said = (...offered: ReturnType<typeof listen>[]) =>
      controlIn.used().map(({ length }, i) => {
        const bytes = controlIn.written(offered[i] as ReturnType<typeof listen>).subarray(0, length);
        const fields = new DataView(bytes.slice().buffer);
        return [fields.getUint32(0, true), fields.getUint16(4, true), fields.getUint16(6, true), ...bytes.subarray(8)];
      });
    return { ...plugged, driver, receive, transmit, controlIn, controlOut, listen, say, said };
  }

  it("offers it, with room for 7 ports: two queues each, two for the messages, and 8 vectors", () => {
    const { bench, fn } = plugConsole();
    const driver = new ModernDriver(bench, fn);
    expect(driver.offered() & bits.consoleMultiport).toBe(bits.consoleMultiport);
    expect(driver.read(18, 2)).toBe(16);
    // A vector that the table has reads back, one beyond it does not (4.1.5.1.2.2).
    driver.write(16, 2, 7);
    expect(driver.read(16, 2)).toBe(7);
    driver.write(16, 2, 8);
    expect(driver.read(16, 2)).toBe(0xffff);
  });

  it("adds port 0 when the driver is ready, and says that it is an open console when the driver has it", () => {
    const { listen, say, said } = startMultiport();
    const buffers = [listen(), listen(), listen()];
    say(0, event.deviceReady, 1);
    say(0, event.portReady, 1);
    expect(said(...buffers)).toEqual([
      [0, event.portAdd, 1],
      [0, event.consolePort, 1],
      [0, event.portOpen, 1],
    ]);
  });

  it("keeps what it has to say until there are buffers, and says what is asked for again once", () => {
    const { controlIn, listen, say, said } = startMultiport();
    for (let i = 0; i < 100; i++) say(0, event.deviceReady, 1);
    expect(controlIn.usedIndex).toBe(0);
    const buffers = [listen(), listen()];
    expect(said(...buffers)).toEqual([[0, event.portAdd, 1]]);
  });

  it("tells columns and rows by a message, at first and when they change", () => {
    const { device, listen, say, said } = startMultiport({ columns: 80, rows: 25 });
    const buffers = [listen(), listen(), listen(), listen()];
    say(0, event.portReady, 1);
    device.resize(100, 30);
    expect(said(...buffers)).toEqual([
      [0, event.consolePort, 1],
      [0, event.resize, 1, 80, 0, 25, 0],
      [0, event.portOpen, 1],
      [0, event.resize, 1, 100, 0, 30, 0],
    ]);
  });

  it("carries port 0 in its first two queues", () => {
    const { driver, sink, source, receive, transmit } = startMultiport();
    transmit.offer([{ read: text("out") }]);
    driver.kick(1);
    const buffer = receive.offer([{ write: 8 }]);
    driver.kick(0);
    source.offer(text("in"));
    expect([string(sink.got), string(receive.written(buffer)).slice(0, 2)]).toEqual(["out", "in"]);
  });

  it("says nothing to a driver which is not ready, to ports which are not there, and to what is no message", () => {
    const { controlIn, controlOut, driver, listen, say } = startMultiport();
    listen();
    say(0, event.deviceReady, 0);
    say(0, event.portReady, 0);
    say(1, event.portReady, 1);
    say(0, 99, 1);
    controlOut.offer([{ read: new Uint8Array(7) }]);
    driver.kick(3);
    for (const queue of [4, 5, 15]) driver.kick(queue);
    expect([controlIn.usedIndex, controlOut.usedIndex]).toEqual([0, 5]);
  });

  it("gives a buffer back which is too short for a message, and says it in the next", () => {
    const { controlIn, driver, listen, say } = startMultiport();
    controlIn.offer([{ write: 7 }]);
    driver.kick(2);
    say(0, event.deviceReady, 1);
    listen();
    expect(controlIn.used().map(({ length }) => length)).toEqual([0, 8]);
  });
});
