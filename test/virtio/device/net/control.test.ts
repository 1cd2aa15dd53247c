import { describe, expect, it } from "vitest";
import { toeplitz } from "../../../../src/virtio/device/net/hash.ts";
import { broadcast, etherFrame, hex, netBits, ownMac, plugNet } from "../../../support/net.ts";
import type { DriverRing } from "../../../support/ring.ts";
import { common, ModernDriver } from "../../../support/virtio-driver.ts";
import { bits } from "../../../support/virtio-function.ts";

const control = netBits.ctrlVq | netBits.ctrlRx | netBits.ctrlRxExtra | netBits.ctrlMacAddr;
const ok = 0;
const error = 1;

/** A driver with all queues which the features give it; the control queue is behind the pairs in use. */
function start(features = control) {
  const plugged = plugNet();
  const driver = new ModernDriver(plugged.bench, plugged.fn);
  const pairs = (features & netBits.rss) !== 0n ? 2 : 1;
  driver.negotiate(bits.version1 | features);
  const receive = driver.setUp(0, 16);
  const second = pairs === 2 ? driver.setUp(2, 16) : undefined;
  const commands = driver.setUp(2 * pairs, 16);
  driver.setStatus(0x0f);
  const command = (bytes: readonly number[]): number => {
    const offered = commands.offer([{ read: Uint8Array.from(bytes) }, { write: 1 }]);
    driver.kick(2 * pairs);
    expect(commands.used()).toEqual([{ head: offered.head, length: 1 }]);
    return commands.written(offered)[0] as number;
  };
  /** Whether the driver gets a frame to this address. */
  const gets = (to: readonly number[]): boolean => {
    receive.offer([{ write: 1600 }]);
    driver.kick(0);
    plugged.cable.bring(etherFrame(to, 60));
    const got = receive.used().length === 1;
    if (!got) expect(plugged.cable.waiting).toEqual([]);
    return got;
  };
  return { ...plugged, driver, receive, second: second as DriverRing, commands, command, gets };
}

const other = [2, 0, 0, 0, 0, 0x99];
const group = [1, 0, 0x5e, 0, 0, 5];

describe("the receive filter", () => {
  it("lets the own address and broadcasts through after reset, and nothing else", () => {
    const { gets } = start();
    expect([gets(ownMac), gets(broadcast), gets(other), gets(group)]).toEqual([true, true, false, false]);
  });

  it("lets all group addresses through for a driver which cannot ask for them", () => {
    const { gets } = start(netBits.ctrlVq);
    expect([gets(ownMac), gets(broadcast), gets(other), gets(group)]).toEqual([true, true, false, true]);
  });

  it.each([
    ["PROMISC", [0], [true, true, true, true]],
    ["ALLMULTI", [1], [true, true, false, true]],
    ["ALLUNI", [2], [true, true, true, false]],
    ["NOMULTI over ALLMULTI", [1, 3], [true, true, false, false]],
    ["NOUNI over ALLUNI", [2, 4], [false, true, false, false]],
    ["NOBCAST over ALLMULTI", [1, 5], [true, false, false, true]],
    ["PROMISC over all that suppresses", [3, 4, 5, 0], [true, true, true, true]],
  ] as const)("does as %s says (5.1.6.5.1)", (_, modes, expected) => {
    const { command, gets } = start();
    for (const mode of modes) expect(command([0, mode, 1])).toBe(ok);
    expect([gets(ownMac), gets(broadcast), gets(other), gets(group)]).toEqual(expected);
    for (const mode of modes) expect(command([0, mode, 0])).toBe(ok);
    expect([gets(ownMac), gets(broadcast), gets(other), gets(group)]).toEqual([true, true, false, false]);
  });

  it("has tables of addresses, which the next command replaces (5.1.6.5.2)", () => {
    const { command, gets } = start();
    expect(command([1, 0, 1, 0, 0, 0, ...other, 1, 0, 0, 0, ...group])).toBe(ok);
    expect([gets(other), gets(group), gets([1, 0, 0x5e, 0, 0, 6])]).toEqual([true, true, false]);
    expect(command([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])).toBe(ok);
    expect([gets(other), gets(group), gets(ownMac)]).toEqual([false, false, true]);
  });

  it("lets everything of a kind through of which the driver has named more than the table holds", () => {
    const { command, gets } = start();
    const many = Array.from({ length: 65 }, (_, i) => [2, 0, 0, 0, 1, i]).flat();
    expect(command([1, 0, 65, 0, 0, 0, ...many, 0, 0, 0, 0])).toBe(ok);
    expect([gets(other), gets(group)]).toEqual([true, false]);
  });

  it("has another own address when the driver sets it, which the configuration shows in a new generation", () => {
    const { driver, command, gets } = start(control | netBits.mac);
    const before = driver.read(common.generation, 1);
    expect(command([1, 1, ...other])).toBe(ok);
    expect([gets(other), gets(ownMac)]).toEqual([true, false]);
    expect([driver.readConfig(5, 1), driver.read(common.generation, 1)]).toEqual([0x99, before + 1]);
    driver.setStatus(0);
    expect(driver.readConfig(5, 1)).toBe(0x11);
  });

  it("is as it was in a restored machine", () => {
    const a = start();
    a.command([1, 0, 1, 0, 0, 0, ...other, 0, 0, 0, 0]);
    const b = plugNet();
    b.bench.ram.load(0, a.bench.ram.contents());
    for (const [i, part] of b.fn.parts.entries()) part.state.restore(a.fn.parts[i]?.state.save() ?? {});
    for (const part of b.fn.parts) part.restored?.();
    b.cable.bring(etherFrame(group, 60));
    b.cable.bring(etherFrame(other, 60));
    expect(b.cable.waiting.length).toBe(1);
  });
});

describe("a command which cannot be", () => {
  it.each([
    ["of no class", [9, 0, 0]],
    ["of no such command", [0, 6, 1]],
    ["with a mode neither on nor off", [0, 0, 2]],
    ["without data", [0, 0]],
    ["with a table longer than its data", [1, 0, 2, 0, 0, 0, ...other, 0, 0, 0, 0]],
    ["with a table of 4 thousand million addresses", [1, 0, 255, 255, 255, 255, ...other, 0, 0, 0, 0]],
    ["with a short address", [1, 1, 2, 0, 0]],
    ["with a group's address", [1, 1, ...group]],
    ["whose feature was not accepted", [4, 1, 0, 0, 0, 0]],
  ])("%s is answered with an error and changes nothing", (_, bytes) => {
    const { fn, command } = start();
    const state = () => JSON.stringify(fn.parts.find((part) => part.name === "net0")?.state.save());
    const before = state();
    expect(command(bytes)).toBe(error);
    expect(state()).toBe(before);
  });

  it("case 9: has no place for its answer and is given back with length 0 (policy R2)", () => {
    const { driver, commands, gets } = start();
    commands.offer([{ read: Uint8Array.of(0, 0, 1) }]);
    commands.offer([{ write: 1 }]);
    driver.kick(2);
    expect(commands.used().map((u) => u.length)).toEqual([0, 1]);
    expect(gets(other)).toBe(false);
  });

  it("case 30: is longer than any which makes sense", () => {
    const { driver, commands } = start();
    const offered = commands.offer([{ read: new Uint8Array(8193) }, { write: 1 }]);
    driver.kick(2);
    expect([...commands.written(offered)]).toEqual([error]);
  });
});

/** Microsoft's verification suite for RSS: its key, and addresses and ports with their hashes. */
const key = hex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");
const suite = [
  { version: 4, source: "420995bb", target: "a18e6450", ports: "0aea06e6", ip: 0x323e8fc2, tcp: 0x51ccc178 },
  { version: 4, source: "c75c6f02", target: "41458c53", ports: "37961283", ip: 0xd718262a, tcp: 0xc626b0ea },
  {
    version: 6,
    source: "3ffe25010200 1fff 0000000000000007",
    target: "3ffe25010200 0003 0000000000000001",
    ports: "0aea06e6",
    ip: 0x2cc18cd5,
    tcp: 0x40207d3d,
  },
];

/** A TCP packet of the suite. */
function tcpFrame({ version, source, target, ports }: (typeof suite)[number]): Uint8Array {
  const tcp = `${ports} 00000000 00000000 5000 0000 0000 0000`;
  const ether = "020000000011 020000000022";
  return version === 4
    ? hex(`${ether} 0800 4500 0028 0000 0000 4006 0000 ${source} ${target} ${tcp}`)
    : hex(`${ether} 86dd 60000000 0014 06 40 ${source} ${target} ${tcp}`);
}

const hashing = netBits.ctrlVq | netBits.hashReport;
const le32 = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
const hashConfig = (types: number) => [4, 2, ...le32(types), 0, 0, 0, 0, 0, 0, 0, 0, 40, ...key];

describe("the hash of a packet", () => {
  it("is Toeplitz's", () => {
    for (const { source, target, ports, ip, tcp } of suite) {
      const addresses = hex(source + target);
      expect(toeplitz(key, addresses, addresses.length)).toBe(ip);
      const all = hex(source + target + ports);
      expect(toeplitz(key, all, all.length)).toBe(tcp);
    }
  });

  it("is reported with its kind, as the driver has allowed kinds", () => {
    const { driver, receive, cable, command } = start(hashing);
    const reported = (frame: Uint8Array) => {
      const buffer = receive.offer([{ write: 1600 }]);
      driver.kick(0);
      cable.bring(frame);
      const header = receive.written(buffer);
      const view = new DataView(header.buffer);
      return [view.getUint32(12, true), view.getUint16(16, true)];
    };
    const [four, , six] = suite as [(typeof suite)[0], unknown, (typeof suite)[0]];
    expect(reported(tcpFrame(four))).toEqual([0, 0]);
    expect(command(hashConfig(0x3f))).toBe(ok);
    expect(reported(tcpFrame(four))).toEqual([four.tcp, 2]);
    expect(reported(tcpFrame(six))).toEqual([six.tcp, 5]);
    expect(reported(etherFrame(ownMac, 60))).toEqual([0, 0]);
    expect(command(hashConfig(0x09))).toBe(ok);
    expect(reported(tcpFrame(four))).toEqual([four.ip, 1]);
    expect(reported(tcpFrame(six))).toEqual([six.ip, 4]);
    // A fragment's ports are in another packet.
    const fragment = tcpFrame(four);
    fragment[20] = 0x20;
    expect(command(hashConfig(0x3f))).toBe(ok);
    expect(reported(fragment)).toEqual([four.ip, 1]);
    expect(command(hashConfig(0x40))).toBe(error);
    expect(command([4, 2, ...le32(1), 0, 0, 0, 0, 0, 0, 0, 0, 41, ...key, 0])).toBe(error);
  });
});

describe("receive-side scaling", () => {
  const scaling = hashing | netBits.rss;
  const config = (mask: number, unclassified: number, table: readonly number[]) => [
    ...[4, 1, ...le32(0x3f), mask & 255, mask >>> 8, unclassified, 0],
    ...table.flatMap((queue) => [queue & 255, queue >>> 8]),
    ...[2, 0, 40, ...key],
  ];

  it("leads a packet to the queue of its hash, and one without to the unclassified one", () => {
    const { driver, receive, second, cable, command } = start(scaling);
    expect(command(config(1, 1, [1, 0]))).toBe(ok);
    for (const ring of [receive, second]) for (let i = 0; i < 4; i++) ring.offer([{ write: 1600 }]);
    driver.kick(0);
    driver.kick(2);
    for (const packet of suite) cable.bring(tcpFrame(packet));
    cable.bring(etherFrame(ownMac, 60));
    // Hashes end in 0, 0 and 1.
    expect([receive.used().length, second.used().length]).toEqual([1, 3]);
    expect(cable.waiting).toEqual([]);
  });

  it("does not let a queue without buffers hold up the other", () => {
    const { driver, second, cable, command } = start(scaling);
    expect(command(config(0, 1, [0]))).toBe(ok);
    second.offer([{ write: 1600 }]);
    driver.kick(2);
    cable.bring(tcpFrame(suite[0] as (typeof suite)[0]));
    cable.bring(etherFrame(ownMac, 60));
    expect([second.used().length, cable.waiting.length]).toEqual([1, 0]);
  });

  it.each([
    ["a mask which is none", config(2, 0, [0, 0, 0])],
    ["a longer table than there may be", config(255, 0, Array(256).fill(0))],
    ["a table which is not all there", config(127, 0, [0])],
    ["a queue which is not there", config(1, 0, [0, 2])],
    ["an unclassified queue which is not there", config(0, 7, [0])],
  ])("refuses %s", (_, bytes) => {
    expect(start(scaling).command(bytes)).toBe(error);
  });

  it("has its control queue behind both pairs (5.1.2)", () => {
    const { bench, fn } = plugNet();
    const driver = new ModernDriver(bench, fn);
    driver.negotiate(bits.version1 | scaling);
    const wrong = driver.setUp(2, 16);
    driver.setStatus(0x0f);
    wrong.offer([{ read: Uint8Array.of(0, 0, 1) }, { write: 1 }]);
    driver.kick(2);
    expect(wrong.usedIndex).toBe(0);
  });
});
