import { describe, expect, it } from "vitest";
import { internetSum } from "../../../../src/virtio/device/net/checksum.ts";
import { broadcast, etherFrame, hex, netBits, netHeader, ownMac, plugLoopback, plugNet } from "../../../support/net.ts";
import { OverlayDriver } from "../../../support/overlay-driver.ts";
import type { DriverRing } from "../../../support/ring.ts";
import { common, LegacyDriver, ModernDriver } from "../../../support/virtio-driver.ts";
import { bits } from "../../../support/virtio-function.ts";

function start(features = 0n, options: Parameters<typeof plugNet>[0] = {}) {
  const plugged = plugNet(options);
  const driver = new ModernDriver(plugged.bench, plugged.fn);
  const rings = driver.start(bits.version1 | features, [16, 16, 16], { msix: true });
  const [receive, transmit, control] = rings as [DriverRing, DriverRing, DriverRing];
  /** Gives a command to the control queue; gives the answer. */
  const command = (...bytes: number[]): number => {
    const offered = control.offer([{ read: Uint8Array.from(bytes) }, { write: 1 }]);
    driver.kick(2);
    return control.written(offered)[0] as number;
  };
  return { ...plugged, driver, receive, transmit, control, command };
}

const everything = Object.values(netBits).reduce((all, bit) => all | bit);

/** A UDP packet over IPv4 from 10.0.0.1:4096 to 10.0.0.2:7, "barzero!". tshark says that its checksum is 0x3255. */
const udp = hex(
  `020000000011 020000000022 0800
   4500 0024 0001 0000 4011 66c6 0a000001 0a000002
   1000 0007 0010 0000 6261727a65726f21`,
);

describe("the features of a network device", () => {
  it("are offered with their numbers, beyond bit 31 and beyond bit 63 too", () => {
    const { bench, fn } = plugNet();
    const offered = new ModernDriver(bench, fn).offered();
    expect(offered & everything).toBe(everything);
    // No segmentation, no multiqueue without RSS, nothing reserved.
    expect(offered & ~everything & ((1n << 24n) - 1n)).toBe(0n);
    expect(offered >> 64n).toBe(1n << 5n);
  });

  it.each([
    ["CTRL_RX", netBits.ctrlRx],
    ["CTRL_RX_EXTRA", netBits.ctrlRxExtra],
    ["CTRL_MAC_ADDR", netBits.ctrlMacAddr],
    ["HASH_REPORT", netBits.hashReport],
    ["RSS", netBits.rss],
  ])("need the control queue for %s (5.1.3.1)", (_, bit) => {
    const { bench, fn } = plugNet();
    const driver = new ModernDriver(bench, fn);
    expect(driver.negotiate(bits.version1 | bit)).toBe(false);
    expect(driver.negotiate(bits.version1 | bit | netBits.ctrlVq)).toBe(true);
  });

  it("of a legacy driver are those below bit 32", () => {
    const { bench, fn } = plugNet({ layout: "legacy" });
    const driver = new LegacyDriver(bench, fn);
    expect(BigInt(driver.read(0, 4)) & everything).toBe(everything & 0xffff_ffffn);
  });
});

describe("the configuration of a network device", () => {
  it("is laid out as section 5.1.4 has it", () => {
    const { driver } = start(0n, { mtu: 9000 });
    expect([0, 1, 2, 3, 4, 5].map((at) => driver.readConfig(at, 1))).toEqual([...ownMac]);
    expect(driver.readConfig(6, 2)).toBe(1);
    expect(driver.readConfig(8, 2)).toBe(2);
    expect(driver.readConfig(10, 2)).toBe(9000);
    expect(driver.readConfig(17, 1)).toBeGreaterThanOrEqual(40);
    expect(driver.readConfig(18, 2)).toBeGreaterThanOrEqual(128);
    expect(driver.readConfig(20, 4)).toBe(0x3f);
  });

  it("tells of the link, with a new generation and an interrupt, and still does after a reset", () => {
    const { bench, driver, cable } = start(netBits.status);
    const before = driver.read(common.generation, 1);
    cable.linkUp = false;
    cable.onLink?.();
    expect([driver.readConfig(6, 2), driver.read(common.generation, 1)]).toEqual([0, before + 1]);
    expect(bench.taken()).toEqual([100]);
    cable.onLink?.();
    expect(bench.taken()).toEqual([]);
    driver.setStatus(0);
    expect(driver.readConfig(6, 2)).toBe(0);
  });

  it("has a MAC address which a legacy driver may write, and no other (5.1.4.2)", () => {
    const legacy = plugNet({ layout: "legacy" });
    const old = new LegacyDriver(legacy.bench, legacy.fn);
    const [receive] = old.start(0, 2) as [DriverRing];
    for (const [i, byte] of [2, 0, 0, 0, 0, 0x77].entries()) old.write(20 + i, 1, byte);
    expect(old.read(25, 1)).toBe(0x77);
    receive.offer([{ write: 1600 }]);
    old.kick(0);
    legacy.cable.bring(etherFrame(ownMac, 60));
    expect(receive.usedIndex).toBe(0);
    legacy.cable.bring(etherFrame([2, 0, 0, 0, 0, 0x77], 60));
    expect(receive.usedIndex).toBe(1);
    old.write(18, 1, 0);
    expect(old.read(25, 1)).toBe(0x11);
    const { bench, driver } = start();
    bench.memory.write(driver.config + 5, 1, 0x77);
    expect(driver.readConfig(5, 1)).toBe(0x11);
  });
});

describe("transmission", () => {
  it("sends the frame behind the header, from as many buffers as there are", () => {
    const { bench, driver, transmit, cable } = start();
    const frame = etherFrame(broadcast, 100);
    transmit.offer([{ read: netHeader(12) }, { read: frame.subarray(0, 14) }, { read: frame.subarray(14) }]);
    driver.kick(1);
    expect(cable.sent).toEqual([frame]);
    expect(transmit.used().map((u) => u.length)).toEqual([0]);
    expect(bench.taken()).toEqual([102]);
  });

  it("needs no boundary between header and frame, nor any other (ANY_LAYOUT, 2.7.4)", () => {
    const { driver, transmit, cable } = start();
    const frame = etherFrame(broadcast, 60);
    const all = Uint8Array.of(...netHeader(12), ...frame);
    transmit.offer([{ read: all.subarray(0, 5) }, { read: all.subarray(5, 17) }, { read: all.subarray(17) }]);
    driver.kick(1);
    expect(cable.sent).toEqual([frame]);
  });

  it.each([
    ["10 bytes of a legacy driver", "legacy", 0n, 10],
    ["12 bytes of a legacy driver with MRG_RXBUF", "legacy", netBits.mrgRxbuf, 12],
    ["12 bytes with VERSION_1", "modern", bits.version1, 12],
    ["20 bytes with HASH_REPORT", "modern", bits.version1 | netBits.ctrlVq | netBits.hashReport, 20],
    ["32 bytes with OUT_NET_HEADER", "modern", bits.version1 | netBits.outNetHeader, 32],
  ] as const)("has a header of %s", (_, layout, features, size) => {
    const { bench, fn, cable } = plugNet({ layout });
    const frame = etherFrame(broadcast, 60);
    const driver = layout === "legacy" ? new LegacyDriver(bench, fn) : new ModernDriver(bench, fn);
    const rings =
      driver instanceof LegacyDriver
        ? driver.start(Number(features), 2)
        : driver.start(features, [16, 16], { msix: false });
    const [receive, transmit] = rings as [DriverRing, DriverRing];
    transmit.offer([{ read: netHeader(size) }, { read: frame }]);
    driver.kick(1);
    expect(cable.sent).toEqual([frame]);
    const buffer = receive.offer([{ write: 2000 }]);
    driver.kick(0);
    cable.bring(etherFrame(ownMac, 60));
    expect(receive.used()).toEqual([{ head: buffer.head, length: size + 60 }]);
    expect(receive.written(buffer).subarray(size, size + 60)).toEqual(etherFrame(ownMac, 60));
  });

  it("waits with frames in the ring while the back end has no room, and loses none", () => {
    const { driver, transmit, cable } = start();
    cable.room = 1;
    for (let i = 0; i < 3; i++) transmit.offer([{ read: netHeader(12) }, { read: etherFrame(broadcast, 60 + i) }]);
    driver.kick(1);
    expect([cable.sent.length, transmit.usedIndex]).toEqual([1, 1]);
    cable.room = 10;
    cable.onRoom?.();
    expect([cable.sent.map((frame) => frame.length), transmit.usedIndex]).toEqual([[60, 61, 62], 3]);
  });

  it("fills in the checksum which CSUM leaves to it", () => {
    const { driver, transmit, cable } = start(netBits.csum);
    const partial = udp.slice();
    // The pseudo header's sum: addresses, protocol 17, length 16.
    const pseudo = internetSum(udp, 26, 34, 17 + 16);
    partial.set([pseudo >>> 8, pseudo & 255], 40);
    transmit.offer([{ read: netHeader(12, { flags: 1, start: 34, offset: 6 }) }, { read: partial }]);
    driver.kick(1);
    expect([...(cable.sent[0] as Uint8Array).subarray(40, 42)]).toEqual([0x32, 0x55]);
  });

  it("looks at no checksum when the driver has not accepted CSUM, and at no flag it does not know", () => {
    const plain = start();
    plain.transmit.offer([{ read: netHeader(12, { flags: 1, start: 34, offset: 6 }) }, { read: udp }]);
    plain.driver.kick(1);
    expect(plain.cable.sent).toEqual([udp]);
    const other = start(netBits.csum);
    other.transmit.offer([{ read: netHeader(12, { flags: 0xfe, start: 0xffff, offset: 0xffff }) }, { read: udp }]);
    other.driver.kick(1);
    expect(other.cable.sent).toEqual([udp]);
  });
});

describe("reception", () => {
  it("puts a frame behind a header whose num_buffers is 1 (5.1.6.3.2)", () => {
    const { bench, driver, receive, cable } = start();
    const buffer = receive.offer([{ write: 12 }, { write: 1514 }]);
    driver.kick(0);
    cable.bring(etherFrame(ownMac, 1514));
    const header = receive.written(buffer).subarray(0, 12);
    expect([...header]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(receive.used()).toEqual([{ head: buffer.head, length: 1526 }]);
    expect(bench.taken()).toEqual([101]);
  });

  it("keeps frames in the back end until the driver has buffers", () => {
    const { driver, receive, cable } = start();
    cable.bring(etherFrame(ownMac, 60));
    cable.bring(etherFrame(ownMac, 61));
    expect(cable.waiting.length).toBe(2);
    for (let i = 0; i < 2; i++) receive.offer([{ write: 1600 }]);
    driver.kick(0);
    expect(receive.used().map((u) => u.length)).toEqual([72, 73]);
  });

  it("takes no frame before DRIVER_OK (2.1.2)", () => {
    const { bench, fn, cable } = plugNet();
    const driver = new ModernDriver(bench, fn);
    driver.negotiate(bits.version1);
    const ring = driver.setUp(0, 8);
    ring.offer([{ write: 1600 }]);
    cable.bring(etherFrame(ownMac, 60));
    driver.kick(0);
    expect([ring.usedIndex, cable.waiting.length]).toEqual([0, 1]);
  });

  it("spreads a frame over merged buffers, all but the last one full, and says how many", () => {
    const { driver, receive, cable } = start(netBits.mrgRxbuf);
    const buffers = [600, 600, 600, 600].map((write) => receive.offer([{ write }]));
    driver.kick(0);
    const frame = etherFrame(ownMac, 1514);
    cable.bring(frame);
    expect(receive.used().map((u) => u.length)).toEqual([600, 600, 326]);
    const all = buffers.slice(0, 3).flatMap((buffer) => [...receive.written(buffer)]);
    expect(all.slice(10, 12)).toEqual([3, 0]);
    expect(Uint8Array.from(all.slice(12, 1526))).toEqual(frame);
    cable.bring(etherFrame(ownMac, 60));
    expect(receive.used().map((u) => u.length)).toEqual([72]);
  });

  it("waits for as many merged buffers as a frame needs, and uses those which it has taken", () => {
    const { driver, receive, cable } = start(netBits.mrgRxbuf);
    receive.offer([{ write: 600 }]);
    driver.kick(0);
    cable.bring(etherFrame(ownMac, 1000));
    expect([receive.usedIndex, cable.waiting.length]).toEqual([0, 1]);
    receive.offer([{ write: 600 }]);
    driver.kick(0);
    expect(receive.used().map((u) => u.length)).toEqual([600, 412]);
  });

  it("says DATA_VALID of a checksum which holds when GUEST_CSUM was accepted, and of no other", () => {
    const flagsOf = (features: bigint, frame: Uint8Array) => {
      const { driver, receive, cable } = start(features);
      const buffer = receive.offer([{ write: 1600 }]);
      driver.kick(0);
      cable.bring(frame);
      expect(receive.usedIndex).toBe(1);
      return receive.written(buffer)[0];
    };
    const good = udp.slice();
    good.set([0x32, 0x55], 40);
    const bad = good.slice();
    bad[45] = 0;
    expect(flagsOf(netBits.guestCsum, good)).toBe(2);
    expect(flagsOf(netBits.guestCsum, bad)).toBe(0);
    expect(flagsOf(netBits.guestCsum, udp)).toBe(0);
    expect(flagsOf(0n, good)).toBe(0);
  });

  it("tells where the network header is when OUT_NET_HEADER was accepted", () => {
    const { driver, receive, cable } = start(netBits.outNetHeader);
    const buffers = [receive.offer([{ write: 1600 }]), receive.offer([{ write: 1600 }])] as const;
    driver.kick(0);
    cable.bring(udp);
    cable.bring(etherFrame(ownMac, 60));
    expect(buffers.map((buffer) => [...receive.written(buffer).subarray(24, 26)])).toEqual([
      [14, 0],
      [0, 0],
    ]);
  });

  it("goes on after it was saved and restored with buffers in hand", () => {
    const a = start(netBits.mrgRxbuf);
    a.receive.offer([{ write: 600 }]);
    a.driver.kick(0);
    a.cable.bring(etherFrame(ownMac, 1000));
    const b = plugNet();
    b.bench.ram.load(0, a.bench.ram.contents());
    for (const [i, part] of b.fn.parts.entries()) part.state.restore(a.fn.parts[i]?.state.save() ?? {});
    for (const part of b.fn.parts) part.restored?.();
    b.cable.bring(etherFrame(ownMac, 500));
    const used = a.receive.ring.deviceArea;
    expect([b.bench.ram.read(used + 2, 2), b.bench.ram.read(used + 8, 4)]).toEqual([1, 512]);
  });
});

describe("the legacy interface of a network device", () => {
  it("has its header and its addresses' number in the guest's byte order", () => {
    const { bench, fn, cable } = plugNet({ layout: "legacy", guestOrder: () => "big" });
    const driver = new LegacyDriver(bench, fn, "big");
    const features = netBits.csum | netBits.mrgRxbuf | netBits.ctrlVq | netBits.ctrlRx;
    const [receive, transmit, control] = driver.start(Number(features), 3) as [DriverRing, DriverRing, DriverRing];
    const partial = udp.slice();
    const pseudo = internetSum(udp, 26, 34, 17 + 16);
    partial.set([pseudo >>> 8, pseudo & 255], 40);
    transmit.offer([{ read: netHeader(12, { flags: 1, start: 34, offset: 6 }, false) }, { read: partial }]);
    driver.kick(1);
    expect([...(cable.sent[0] as Uint8Array).subarray(40, 42)]).toEqual([0x32, 0x55]);
    const group = [1, 0, 0x5e, 0, 0, 1];
    const table = control.offer([{ read: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 1, ...group) }, { write: 1 }]);
    driver.kick(2);
    expect([...control.written(table)]).toEqual([0]);
    const buffers = [300, 300].map((write) => receive.offer([{ write }]));
    driver.kick(0);
    cable.bring(etherFrame(group, 400));
    expect([...receive.written(buffers[0] as (typeof buffers)[0]).subarray(10, 12)]).toEqual([0, 2]);
  });

  it("is there beside the modern one in a transitional device, and each has its own order", () => {
    const { bench, fn, cable } = plugNet({ layout: "transitional", guestOrder: () => "big" });
    const legacy = new LegacyDriver(bench, fn, "big");
    const [receive] = legacy.start(Number(netBits.mrgRxbuf), 2) as [DriverRing];
    const buffer = receive.offer([{ write: 1600 }]);
    legacy.kick(0);
    cable.bring(etherFrame(ownMac, 60));
    expect([...receive.written(buffer).subarray(10, 12)]).toEqual([0, 1]);
    const modern = new ModernDriver(bench, fn);
    const [again] = modern.start(bits.version1 | netBits.mrgRxbuf, [16, 16]) as [DriverRing];
    const other = again.offer([{ write: 1600 }]);
    modern.kick(0);
    cable.bring(etherFrame(ownMac, 60));
    expect([...again.written(other).subarray(10, 12)]).toEqual([1, 0]);
  });

  it("is that of the overlay layout too, whose features go beyond bit 31 and bit 63", () => {
    const { bench, fn, cable } = plugNet({ layout: "overlay" });
    const driver = new OverlayDriver(bench, fn, 1);
    driver.begin();
    expect(driver.offered() & everything).toBe(everything);
    driver.accept(2, 1 << 5);
    driver.write(14, 2, 0);
    const receive = driver.place(0, driver.read(12, 2));
    driver.write(18, 1, 7);
    const buffer = receive.offer([{ write: 1600 }]);
    driver.kick(0);
    cable.bring(udp);
    expect(receive.used()).toEqual([{ head: buffer.head, length: 32 + udp.length }]);
    expect(receive.written(buffer)[24]).toBe(14);
  });
});

describe("a network device at a loopback", () => {
  it("receives what it has sent, 20 us later", () => {
    const { bench, fn } = plugLoopback();
    const driver = new ModernDriver(bench, fn);
    const [receive, transmit] = driver.start(bits.version1, [16, 16], { msix: true }) as [DriverRing, DriverRing];
    const buffer = receive.offer([{ write: 1600 }]);
    driver.kick(0);
    transmit.offer([{ read: netHeader(12) }, { read: etherFrame(ownMac, 200) }]);
    driver.kick(1);
    bench.clock.advance(19_999);
    expect(receive.usedIndex).toBe(0);
    bench.clock.advance(1);
    expect(receive.written(buffer).subarray(12, 212)).toEqual(etherFrame(ownMac, 200));
    expect(bench.taken()).toEqual([102, 101]);
  });
});
