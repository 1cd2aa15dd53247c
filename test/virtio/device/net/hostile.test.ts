import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { etherFrame, netBits, netHeader, ownMac, plugNet } from "../../../support/net.ts";
import type { DriverRing } from "../../../support/ring.ts";
import { ModernDriver } from "../../../support/virtio-driver.ts";
import { bits } from "../../../support/virtio-function.ts";

function start(features = 0n, mtu = 1500) {
  const plugged = plugNet({ mtu });
  const driver = new ModernDriver(plugged.bench, plugged.fn);
  const [receive, transmit] = driver.start(bits.version1 | features, [16, 16, 16]) as [DriverRing, DriverRing];
  const dropped = () => plugged.device.state.now.dropped;
  return { ...plugged, driver, receive, transmit, dropped };
}

const frame = etherFrame(ownMac, 60);

describe("a hostile driver of a network device (case 30)", () => {
  it.each([
    ["a header which is short", [netHeader(11)]],
    ["a header and no frame", [netHeader(12)]],
    ["less than an Ethernet header", [netHeader(12), frame.subarray(0, 13)]],
    ["a frame longer than MTU, VLAN tag and header", [netHeader(12), new Uint8Array(1519)]],
    ["segmentation which was not offered", [netHeader(12, { gso: 1 }), frame]],
    ["an unknown gso_type", [netHeader(12, { gso: 0xff }), frame]],
    ["a checksum behind the frame's end", [netHeader(12, { flags: 1, start: 50, offset: 9 }), frame]],
    ["a checksum whose start is out of bounds", [netHeader(12, { flags: 1, start: 0xffff, offset: 0 }), frame]],
    ["a checksum whose start and offset wrap", [netHeader(12, { flags: 1, start: 0xffff, offset: 0xffff }), frame]],
  ] as const)("gets %s back unsent, and the next frame goes out", (_, parts) => {
    const { driver, transmit, cable, dropped } = start(netBits.csum);
    transmit.offer(parts.map((read) => ({ read })));
    transmit.offer([{ read: netHeader(12) }, { read: frame }]);
    driver.kick(1);
    expect(transmit.used().map((u) => u.length)).toEqual([0, 0]);
    expect([cable.sent, dropped()]).toEqual([[frame], 1]);
  });

  it("may send the longest frame there is, and none of 64 KiB more", () => {
    const { driver, transmit, cable, dropped } = start(0n, 65_535);
    for (let i = 0; i < 4; i++) transmit.descriptor(i, 0, 0x4000, i < 3 ? 1 : 0, i + 1);
    transmit.makeAvailable(0);
    for (let i = 4; i < 12; i++) transmit.descriptor(i, 0, 0x4000, i < 11 ? 1 : 0, i + 1);
    transmit.makeAvailable(4);
    driver.kick(1);
    expect([cable.sent.map((one) => one.length), dropped(), transmit.usedIndex]).toEqual([[65_524], 1, 2]);
  });

  it("has a header length believed by nobody", () => {
    const { driver, transmit, cable } = start();
    transmit.offer([{ read: netHeader(12, { hdrLen: 0xffff }) }, { read: frame }]);
    driver.kick(1);
    expect(cable.sent).toEqual([frame]);
  });

  it("gets a frame which is not in RAM back unsent", () => {
    const { driver, transmit, cable, dropped } = start();
    transmit.descriptor(0, 2 ** 33, 100, 0, 0);
    transmit.makeAvailable(0);
    transmit.descriptor(1, 0x9_0000, 100, 2, 0);
    transmit.makeAvailable(1);
    driver.kick(1);
    expect([cable.sent, dropped(), transmit.used().map((u) => u.length)]).toEqual([[], 2, [0, 0]]);
  });

  it("loses a frame for which its buffer is too small, and gets the buffer back with length 0 (policy R2)", () => {
    const { driver, receive, cable, dropped } = start();
    for (const write of [71, 72]) receive.offer([{ write }]);
    driver.kick(0);
    cable.bring(frame);
    expect([receive.used().map((u) => u.length), dropped(), cable.waiting.length]).toEqual([[0], 1, 0]);
    cable.bring(frame);
    expect(receive.used().map((u) => u.length)).toEqual([72]);
  });

  it("gets back with length 0 what cannot be written, or holds no header, and the frame in the next buffers", () => {
    const { driver, receive, cable } = start(netBits.mrgRxbuf);
    receive.descriptor(0, 2 ** 33, 100, 2, 0);
    receive.makeAvailable(0);
    receive.descriptor(1, 0x9_0000, 100, 0, 0);
    receive.makeAvailable(1);
    receive.descriptor(2, 0x9_0000, 11, 2, 0);
    receive.makeAvailable(2);
    receive.descriptor(3, 0x9_0000, 40, 2, 0);
    receive.makeAvailable(3);
    receive.descriptor(4, 0x9_1000, 0, 2, 0);
    receive.makeAvailable(4);
    receive.descriptor(5, 0x9_2000, 32, 2, 0);
    receive.makeAvailable(5);
    driver.kick(0);
    cable.bring(frame);
    expect(receive.used()).toEqual([
      { head: 0, length: 0 },
      { head: 1, length: 0 },
      { head: 2, length: 0 },
      { head: 4, length: 0 },
      { head: 3, length: 40 },
      { head: 5, length: 32 },
    ]);
  });

  it("loses a frame which all of its ring has no room for, and gets a smaller one", () => {
    const { driver, receive, cable, dropped } = start(netBits.mrgRxbuf);
    for (let i = 0; i < 16; i++) receive.offer([{ write: 40 }]);
    driver.kick(0);
    cable.bring(etherFrame(ownMac, 1000));
    cable.bring(frame);
    // The ring is only asked for so many chains at once.
    driver.bench.clock.advance(1e6);
    expect([dropped(), receive.used().map((u) => u.length)]).toEqual([1, [40, 32]]);
  });

  it("gets nothing, and sends nothing, after a reset", () => {
    const { bench, driver, receive, transmit, cable } = start(netBits.mrgRxbuf);
    receive.offer([{ write: 40 }]);
    driver.kick(0);
    cable.bring(etherFrame(ownMac, 1000));
    cable.room = 0;
    transmit.offer([{ read: netHeader(12) }, { read: frame }]);
    driver.kick(1);
    driver.setStatus(0);
    cable.room = 5;
    cable.onRoom?.();
    cable.bring(frame);
    bench.clock.advance(1e6);
    expect([receive.usedIndex, transmit.usedIndex, cable.sent]).toEqual([0, 0, []]);
  });

  it("cannot make the device work without end by a flood of frames", () => {
    const { bench, driver, transmit, cable } = start();
    for (let i = 0; i < 16; i++) transmit.offer([{ read: netHeader(12) }, { read: frame }]);
    // A driver which offers its ring again with each frame.
    const send = cable.send.bind(cable);
    cable.send = (bytes) => {
      send(bytes);
      transmit.makeAvailable((transmit.availableIndex * 2) % 16);
    };
    driver.kick(1);
    for (let i = 0; i < 10_000; i++) driver.kick(1);
    expect(cable.sent.length).toBeLessThan(1000);
    bench.clock.advance(1e6);
    expect(driver.status & 0x40).toBe(0);
  });

  it("cannot make it throw with any frame, header or buffer", () => {
    const bytes = fc.uint8Array({ maxLength: 96 });
    fc.assert(
      fc.property(bytes, bytes, fc.array(fc.nat(80), { maxLength: 12 }), fc.boolean(), (sent, came, rooms, merge) => {
        const all = netBits.csum | netBits.guestCsum | netBits.outNetHeader | (merge ? netBits.mrgRxbuf : 0n);
        const { driver, receive, transmit, cable, device } = start(all);
        transmit.offer([{ read: sent }]);
        driver.kick(1);
        for (const write of rooms) receive.offer([{ write }]);
        driver.kick(0);
        // From the network comes what other machines send.
        cable.bring(came);
        const { received, filtered, dropped, sent: count } = device.state.now;
        expect(count + dropped + received + filtered + cable.waiting.length).toBe(2);
        expect(driver.status & 0x40).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
