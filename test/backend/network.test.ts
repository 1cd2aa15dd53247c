import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Hub } from "../../src/backend/hub.ts";
import { Loopback } from "../../src/backend/loopback.ts";
import { largestFrame, type NetworkBackend, unplugged } from "../../src/backend/network.ts";
import { CapturedNetwork, pcapHeader, pcapRecord } from "../../src/backend/pcap.ts";
import { ManualClock } from "../../src/time/clock.ts";

const frame = (...bytes: number[]) => Uint8Array.from(bytes);

/** Takes every frame as it comes, and notes its first byte and its time. */
function listen(backend: NetworkBackend, clock: ManualClock): [number, number][] {
  const heard: [number, number][] = [];
  backend.attach(clock);
  backend.onFrame = () => {
    for (let first = backend.first; first !== undefined; first = backend.first) {
      heard.push([first[0] as number, clock.now]);
      backend.take();
    }
  };
  return heard;
}

describe("a loopback", () => {
  it("gives each frame back after its latency, in order", () => {
    const clock = new ManualClock();
    const cable = new Loopback(1000);
    const heard = listen(cable, clock);
    cable.send(frame(1));
    clock.advance(400);
    cable.send(frame(2));
    clock.advance(599);
    expect(heard).toEqual([]);
    clock.advance(1e6);
    expect(heard).toEqual([
      [1, 1000],
      [2, 1400],
    ]);
  });

  it("says when it has room for no more, and when it has again", () => {
    const clock = new ManualClock();
    const cable = new Loopback(1000);
    listen(cable, clock);
    let told = 0;
    cable.onRoom = () => told++;
    const { room } = cable;
    for (let i = 0; i < room; i++) cable.send(frame(i));
    expect([room > 0, cable.room, told]).toEqual([true, 0, 0]);
    clock.advance(1000);
    expect([cable.room, told]).toEqual([room, 1]);
  });

  it("keeps a bounded number of frames which nobody takes, the oldest ones", () => {
    const clock = new ManualClock();
    const cable = new Loopback(10);
    cable.attach(clock);
    for (let i = 0; i < 10_000; i++) {
      cable.send(frame(i >>> 8, i & 255));
      clock.advance(10);
    }
    let waiting = 0;
    for (; cable.first !== undefined; waiting++, cable.take())
      expect(cable.first).toEqual(frame(waiting >>> 8, waiting & 255));
    expect(waiting).toBe(256);
  });

  it("carries the largest frame, and keeps its own copy", () => {
    const clock = new ManualClock();
    const cable = new Loopback(10);
    cable.attach(clock);
    const bytes = new Uint8Array(largestFrame).fill(7);
    cable.send(bytes);
    bytes.fill(0);
    clock.advance(10);
    expect([cable.first?.length, cable.first?.[largestFrame - 1]]).toEqual([largestFrame, 7]);
  });

  it("loses what waits when its device is reset, and all when the machine is restored", () => {
    const clock = new ManualClock();
    const cable = new Loopback(10);
    cable.attach(clock);
    cable.send(frame(1));
    clock.advance(10);
    cable.send(frame(2));
    cable.flush();
    clock.advance(10);
    expect(cable.first).toEqual(frame(2));
    cable.send(frame(3));
    cable.restored();
    clock.advance(100);
    expect(cable.first).toBeUndefined();
  });
});

describe("a cable which leads nowhere", () => {
  it("has no link, takes everything and gives nothing", () => {
    const cable = unplugged();
    cable.attach(new ManualClock());
    cable.send(frame(1));
    expect([cable.linkUp, cable.room > 0, cable.first]).toEqual([false, true, undefined]);
  });
});

/** Some machines at a hub. Each sends what its list says, at those times of its own; `order` is how the host runs them. */
function play(sends: readonly (readonly number[])[], order: (turn: number) => number): [number, number][][] {
  const hub = new Hub("test", 100);
  const clocks = sends.map(() => new ManualClock());
  const ports = sends.map(() => hub.port());
  const heard = ports.map((port, i) => listen(port, clocks[i] as ManualClock));
  for (const [i, times] of sends.entries())
    for (const [n, time] of times.entries())
      clocks[i]?.alarm("sender", () => ports[i]?.send(frame(16 * i + n))).set(time);
  for (let turn = 0; clocks.some((clock) => clock.now < 2000) && turn < 10_000; turn++) {
    const clock = clocks[order(turn) % clocks.length] as ManualClock;
    if (clock.now < 2000) clock.advance(Math.min(37, 2000 - clock.now));
  }
  expect(clocks.map((clock) => clock.now)).toEqual(sends.map(() => 2000));
  return heard;
}

describe("a hub", () => {
  it("brings a frame to all other stations, a latency later by their clocks", () => {
    const heard = play([[150], [], []], (turn) => turn);
    expect(heard).toEqual([[], [[0, 250]], [[0, 250]]]);
  });

  it("holds a machine which is a round ahead until the others are there", () => {
    const hub = new Hub("test", 100);
    const [a, b] = [new ManualClock(), new ManualClock()];
    listen(hub.port(), a);
    listen(hub.port(), b);
    a.advance(1000);
    expect([a.now, a.holds]).toEqual([100, 1]);
    b.advance(1000);
    expect([b.now, a.holds, b.holds]).toEqual([200, 0, 1]);
  });

  it("never holds a machine which is alone, whose own cards hear each other", () => {
    const hub = new Hub("test", 100);
    const clock = new ManualClock();
    const one = hub.port();
    const heardOne = listen(one, clock);
    const heardTwo = listen(hub.port(), clock);
    clock.advance(30);
    one.send(frame(5));
    clock.advance(10_000);
    expect([clock.now, heardOne, heardTwo]).toEqual([10_030, [], [[5, 130]]]);
    for (let i = 0; i < 1000; i++) one.send(frame(6));
    expect(one.room).toBeGreaterThan(0);
  });

  it("takes a machine in which comes later, at its own time", () => {
    const hub = new Hub("test", 100);
    const [a, b] = [new ManualClock(), new ManualClock()];
    const early = hub.port();
    const heard = listen(early, a);
    a.advance(12_345);
    const late = hub.port();
    listen(late, b);
    late.send(frame(9));
    for (let i = 0; i < 10; i++) for (const clock of [a, b]) clock.advance(50);
    expect(heard).toEqual([[9, 12_445]]);
    expect([early.station, late.station]).toEqual([0, 1]);
  });

  it("lets the others go when one of them is closed", () => {
    const hub = new Hub("test", 100);
    const [a, b] = [new ManualClock(), new ManualClock()];
    const port = hub.port();
    listen(hub.port(), a);
    listen(port, b);
    a.advance(1000);
    expect(a.holds).toBe(1);
    port.close();
    a.advance(1000);
    expect([a.holds, a.now, hub.size]).toEqual([0, 1100, 1]);
  });

  it("has room for a bounded number of frames a round, and says when the next one begins", () => {
    const hub = new Hub("test", 100);
    const [a, b] = [new ManualClock(), new ManualClock()];
    const port = hub.port();
    listen(port, a);
    const heard = listen(hub.port(), b);
    let told = 0;
    port.onRoom = () => told++;
    while (port.room > 0) port.send(frame(1));
    port.send(frame(2));
    for (let i = 0; i < 4; i++) for (const clock of [a, b]) clock.advance(100);
    expect([told > 0, port.room > 0, heard.length, heard.some(([byte]) => byte === 2)]).toEqual([
      true,
      true,
      64,
      false,
    ]);
  });

  it("goes on with a machine whose clock was set to another time", () => {
    const hub = new Hub("test", 100);
    const [a, b] = [new ManualClock(), new ManualClock()];
    const port = hub.port();
    listen(port, a);
    listen(hub.port(), b);
    a.advance(1000);
    // Held at the end of its round; its alarms are gone.
    port.restored();
    for (let i = 0; i < 20; i++) for (const clock of [b, a]) clock.advance(100);
    expect([a.now > 1000, Math.abs(a.now - b.now) <= 100]).toEqual([true, true]);
  });

  it("has the same traffic in whatever order the host runs the machines", () => {
    const times = fc.array(fc.integer({ min: 1, max: 1800 }), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(times, { minLength: 2, maxLength: 4 }),
        fc.array(fc.nat(3), { minLength: 7 }),
        (sends, whim) => {
          const fair = play(sends, (turn) => turn);
          // Whatever it begins with, each has its turn in the end.
          const wild = play(sends, (turn) => (turn % 2 === 0 ? (whim[turn % whim.length] as number) : turn >>> 1));
          expect(wild).toEqual(fair);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("a capture file", () => {
  it("begins with the magic number of nanoseconds, version 2.4 and Ethernet", () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    expect(hex(pcapHeader())).toBe("4d3cb2a102000400000000000000000000000400" + "01000000");
    expect(hex(pcapRecord(frame(1, 2, 3), 5, 6))).toBe("05000000060000000300000003000000010203");
  });

  it("has each frame which is sent and each which is taken, at its virtual time", () => {
    const records: Uint8Array[] = [];
    const clock = new ManualClock();
    const cable = new CapturedNetwork(new Loopback(1000), { put: (bytes) => records.push(bytes), epoch: 100 });
    listen(cable, clock);
    clock.advance(2_500_000_000);
    cable.send(frame(1, 2));
    clock.advance(1000);
    expect(records).toEqual([pcapRecord(frame(1, 2), 102, 500_000_000), pcapRecord(frame(1, 2), 102, 500_001_000)]);
  });
});
