import { describe, expect, test } from "vitest";
import type { Layout, RingFormat } from "../../src/board/options.ts";
import { lintVirtio } from "../../src/debug/lint/lint.ts";
import { rules } from "../../src/debug/lint/rules.ts";
import { boot } from "../../src/host/boot.ts";
import type { PciFunction } from "../../src/pci/function.ts";
import type { TraceLine } from "../../src/trace/trace.ts";
import { VirtioCore } from "../../src/virtio/core.ts";
import { CommonConfig } from "../../src/virtio/layout/modern/common.ts";
import { blkHeader } from "../support/blk.ts";
import { badFeature, OverlayDriver, at as overlayAt, ringSize, separateConfig } from "../support/overlay-driver.ts";
import { events, PackedDriverRing, packedFlags } from "../support/packed-ring.ts";
import type { DriverRing } from "../support/ring.ts";
import {
  common,
  disableMsix,
  enableMsix,
  findCapabilities,
  LegacyDriver,
  ModernDriver,
} from "../support/virtio-driver.ts";
import { bits, type Options, patternDisk, plugBlk } from "../support/virtio-function.ts";

const readSector = [{ read: blkHeader(0, 1) }, { write: 512 }, { write: 1 }];

/** A disk whose driver is watched. `lie` changes the device before anybody looks at it. */
function watched(options: Options = {}, lie: (fn: PciFunction) => void = () => {}) {
  const { bench, fn, device } = plugBlk(patternDisk(), options);
  lie(fn);
  lintVirtio(bench.bus.devices, bench.trace.channel("lint"), () => "pc 0x1234");
  const said = () => bench.lines.filter((line) => line.startsWith("lint: "));
  /** Where firmware has put each BAR. */
  const places = Object.fromEntries(fn.bars.map((bar) => [bar.index, fn.barAddress(bar.index)]));
  const { layout = "modern" } = options;
  const modern = layout === "modern" || layout === "transitional";
  return {
    bench,
    fn,
    device,
    driver: (modern ? new ModernDriver(bench, fn) : undefined) as ModernDriver,
    said,
    places,
  };
}

type Case = ReturnType<typeof watched>;

/** A driver by the book, which can be made to leave a step out or do one more. */
function polite({ driver, fn, bench }: Case, features = bits.version1 | bits.indirect): DriverRing {
  enableMsix(bench, fn);
  reset(driver);
  driver.setStatus(1);
  driver.setStatus(3);
  const offered = driver.offered();
  for (let select = 0; select < 4; select++) {
    driver.write(common.driverFeatureSelect, 4, select);
    driver.write(common.driverFeature, 4, Number(((features & offered) >> BigInt(32 * select)) & 0xffff_ffffn));
  }
  driver.setStatus(0x0b);
  expect(driver.status & 8).toBe(8);
  driver.write(common.configVector, 2, 0);
  driver.read(common.configVector, 2);
  driver.write(common.queueSelect, 2, 0);
  driver.read(common.queueSize, 2);
  driver.read(common.queueEnable, 2);
  const ring = driver.setUp(0, 8, { vector: 1 });
  driver.read(common.queueVector, 2);
  driver.setStatus(0x0f);
  return ring;
}

function reset(driver: ModernDriver): void {
  driver.setStatus(0);
  expect(driver.status).toBe(0);
}

function kick(driver: ModernDriver): void {
  driver.bench.memory.write(driver.notify, 2, 0);
}

/** The same with a packed ring. */
function politePacked(c: Case, features = bits.version1 | bits.ringPacked | bits.indirect): PackedDriverRing {
  const { driver, bench } = c;
  begin(c, features);
  const ring = new PackedDriverRing(bench.ram, 8, 0x1_0000, 0x4_0000);
  driver.write(common.queueSelect, 2, 0);
  driver.write(common.queueSize, 2, 8);
  driver.address(common.queueDesc, ring.ring.descriptorArea);
  driver.address(common.queueDriver, ring.ring.driverArea);
  driver.address(common.queueDevice, ring.ring.deviceArea);
  driver.write(common.queueEnable, 2, 1);
  driver.setStatus(0x0f);
  return ring;
}

/** From reset to FEATURES_OK, by the book, but for the features. */
function begin({ driver }: Case, features: bigint): void {
  reset(driver);
  driver.setStatus(1);
  driver.setStatus(3);
  driver.offered();
  for (let select = 0; select < 4; select++) {
    driver.write(common.driverFeatureSelect, 4, select);
    driver.write(common.driverFeature, 4, Number((features >> BigInt(32 * select)) & 0xffff_ffffn));
  }
  driver.setStatus(0x0b);
  void driver.status;
}

/** A legacy driver by the book. */
function politeLegacy({ bench, fn }: Case): { driver: LegacyDriver; ring: DriverRing } {
  const driver = new LegacyDriver(bench, fn);
  disableMsix(fn);
  driver.write(18, 1, 0);
  driver.read(18, 1);
  driver.write(18, 1, 1);
  driver.write(18, 1, 3);
  driver.read(0, 4);
  driver.write(4, 4, Number(bits.indirect));
  const ring = driver.setUp(0);
  driver.write(18, 1, 7);
  return { driver, ring };
}

/** An overlay driver by the book, through the mirror, latched. */
function politeOverlay({ bench, fn }: Case): OverlayDriver {
  const driver = new OverlayDriver(bench, fn, 1);
  driver.begin();
  driver.offered();
  driver.accept(ringSize.word, ringSize.bit);
  driver.write(overlayAt.queueSel, 2, 0);
  driver.write(overlayAt.queueNum, 2, 8);
  driver.place(0, 8);
  driver.write(overlayAt.status, 1, 7);
  return driver;
}

/** Makes the common configuration structure give what it should not. */
function lying(register: string, value: (truth: number) => number): (fn: PciFunction) => void {
  return (fn) => {
    const registers = fn.parts.find((part) => part instanceof CommonConfig) as CommonConfig;
    const read = registers.read.bind(registers);
    registers.read = (name) => (name === register ? value(read(name)) : read(name));
  };
}

/** Forms other than the modern disk, for the rules which need one. */
const forms: Partial<Record<keyof typeof rules, () => Case>> = {
  ...Object.fromEntries(
    Object.keys(rules)
      .filter((rule) => rule.startsWith("packed"))
      .map((rule) => [rule, () => watched({ packed: true })]),
  ),
  ...Object.fromEntries(
    Object.keys(rules)
      .filter((rule) => rule.startsWith("legacy"))
      .map((rule) => [rule, () => watched({ layout: "legacy" })]),
  ),
  ...Object.fromEntries(
    Object.keys(rules)
      .filter((rule) => rule.startsWith("overlay"))
      .map((rule) => [rule, () => watched({ layout: "overlay" })]),
  ),
  deviceIdentity: () => watched({}, (fn) => fn.poke(2, 2, 0x1050)),
  deviceCapabilities: () => watched({}, (fn) => fn.poke((findCapabilities(fn, 9)[0] as number) + 8, 4, 0x3ff0)),
  deviceReset: () =>
    watched(
      {},
      lying("queue_enable", () => 1),
    ),
  deviceSize: () =>
    watched(
      {},
      lying("queue_size", () => 48),
    ),
  deviceFeatures: () =>
    watched(
      {},
      lying("driver_feature", (truth) => truth | 2),
    ),
  deviceQueueReset: () =>
    watched(
      {},
      lying("queue_enable", (truth) => (lieNow.on ? 1 : truth)),
    ),
  deviceVector: () =>
    watched(
      {},
      lying("queue_msix_vector", (truth) => (lieNow.on ? 0 : truth)),
    ),
};
/** Some lies have to wait until there is something to lie about. */
const lieNow = { on: false };

/** For each rule a driver, or a device, which keeps it until it breaks it. */
const breaches: Readonly<Record<keyof typeof rules, (c: Case) => void>> = {
  capability: ({ fn }) => fn.writeConfig((findCapabilities(fn, 9)[0] as number) + 8, 4, 0),
  isr: (c) => {
    polite(c);
    c.driver.readIsr();
  },
  window: ({ fn }) => {
    const at = findCapabilities(fn, 9).find((one) => fn.readConfig(one + 3, 1) === 5) as number;
    fn.writeConfig(at + 4, 1, 4);
    fn.writeConfig(at + 8, 4, common.numQueues);
    fn.writeConfig(at + 12, 4, 4);
    fn.readConfig(at + 16, 4);
  },
  notificationData: (c) => {
    const ring = polite(c, bits.version1 | bits.notificationData);
    ring.offer(readSector);
    c.bench.memory.write(c.driver.notify, 4, 0x0007_0000);
  },
  dependencies: (c) => begin(c, bits.version1 | bits.blkConfigWce),
  version1: (c) => begin(c, bits.indirect),
  generation: (c) => {
    polite(c);
    c.driver.readConfig(0, 4);
    c.driver.readConfig(4, 4);
    c.driver.read(common.generation, 1);
  },
  queueReset: (c) => {
    polite(c, bits.version1 | bits.ringReset);
    c.driver.write(common.queueSelect, 2, 0);
    c.driver.write(common.queueReset, 2, 1);
    c.driver.write(common.queueSize, 2, 8);
  },
  exposed: (c) => {
    const ring = polite(c);
    ring.offer(readSector);
    kick(c.driver);
    // The device still has it.
    ring.descriptor(1, 0x6_0000, 512, 3, 2);
    kick(c.driver);
  },
  nextInOrder: (c) => {
    const ring = polite(c, bits.version1 | bits.inOrder);
    ring.descriptor(0, 0x5_0000, 16, 1, 2);
    ring.descriptor(2, 0x5_1000, 513, 2, 0);
    ring.makeAvailable(0);
    kick(c.driver);
  },
  packedAlignment: (c) => {
    begin(c, bits.version1 | bits.ringPacked);
    c.driver.write(common.queueSelect, 2, 0);
    c.driver.address(common.queueDesc, 0x1_0000);
    c.driver.address(common.queueDriver, 0x2_0002);
    c.driver.address(common.queueDevice, 0x3_0000);
    c.driver.write(common.queueEnable, 2, 1);
  },
  packedEvents: (c) => {
    politePacked(c).setEvents(events.atDescriptor);
    kick(c.driver);
  },
  packedMarks: (c) => {
    const ring = politePacked(c);
    ring.descriptor(0, 0x5_0000, 16, 0, packedFlags.next | packedFlags.available);
    ring.descriptor(1, 0x5_1000, 513, 0, packedFlags.write);
    kick(c.driver);
  },
  packedList: (c) => {
    const ring = politePacked(c);
    for (let i = 0; i < 8; i++) ring.put(0x5_0000, 16, 0, packedFlags.next);
    kick(c.driver);
  },
  packedWritableLast: (c) => {
    politePacked(c).offer([{ write: 16 }, { read: blkHeader(0, 1) }, { write: 1 }]);
    kick(c.driver);
  },
  packedIndirect: (c) => {
    const ring = politePacked(c, bits.version1 | bits.ringPacked);
    ring.offer(readSector, { indirect: true });
    kick(c.driver);
  },
  legacyRegister: (c) => politeLegacy(c).driver.write(12, 2, 8),
  legacyOrder: (c) => {
    const { driver } = politeLegacy(c);
    driver.write(18, 1, 0);
    driver.write(18, 1, 4);
  },
  legacyQueue: (c) => {
    const { driver } = politeLegacy(c);
    driver.write(14, 2, 5);
    driver.write(8, 4, 0x10);
  },
  legacyDoorbell: (c) => politeLegacy(c).driver.kick(3),
  overlayBit: (c) => politeOverlay(c).write(overlayAt.guestFeatures, 4, separateConfig | badFeature),
  overlayPlace: (c) => politeOverlay(c).write(overlayAt.queuePfnHi, 4, 1),
  overlayRing: (c) => {
    const driver = politeOverlay(c);
    driver.begin();
    driver.write(overlayAt.queueNum, 2, 4);
  },
  deviceIdentity: () => {},
  deviceCapabilities: () => {},
  deviceReset: (c) => {
    reset(c.driver);
    c.driver.read(common.queueEnable, 2);
  },
  deviceSize: (c) => {
    reset(c.driver);
    c.driver.read(common.queueSize, 2);
  },
  deviceFeatures: (c) => {
    reset(c.driver);
    c.driver.setStatus(1);
    c.driver.setStatus(3);
    c.driver.offered();
    c.driver.write(common.driverFeatureSelect, 4, 1);
    c.driver.write(common.driverFeature, 4, 1);
    c.driver.read(common.driverFeature, 4);
  },
  deviceQueueReset: (c) => {
    lieNow.on = false;
    polite(c, bits.version1 | bits.ringReset);
    c.driver.write(common.queueSelect, 2, 0);
    c.driver.write(common.queueReset, 2, 1);
    lieNow.on = true;
    c.driver.read(common.queueReset, 2);
    c.driver.read(common.queueEnable, 2);
    lieNow.on = false;
  },
  deviceVector: (c) => {
    lieNow.on = false;
    polite(c);
    lieNow.on = true;
    c.driver.read(common.queueVector, 2);
    lieNow.on = false;
  },
  deviceGeneration: (c) => {
    polite(c);
    for (const capacity of [64, 32]) {
      // Without configChanged.
      c.device.config.set("capacity", capacity);
      c.driver.read(common.generation, 1);
      c.driver.readConfig(0, 4);
      c.driver.readConfig(4, 4);
      c.driver.read(common.generation, 1);
    }
  },
  deviceEarly: (c) => {
    enableMsix(c.bench, c.fn);
    begin(c, bits.version1);
    c.driver.write(common.queueSelect, 2, 0);
    c.driver.write(common.queueVector, 2, 1);
    const core = c.fn.parts.find((part) => part instanceof VirtioCore) as VirtioCore;
    core.interrupts.queue(0);
  },
  width: ({ driver }) => void driver.read(common.queueSize, 4),
  readOnly: ({ driver }) => driver.write(common.numQueues, 2, 4),
  queueSize: (c) => withQueue(c, (d) => d.write(common.queueSize, 2, 7)),
  enableFirst: (c) => withQueue(c, (d) => d.write(common.queueEnable, 2, 1)),
  enableZero: (c) => withQueue(c, (d) => d.write(common.queueEnable, 2, 0)),
  resetRead: ({ driver }) => {
    driver.setStatus(0);
    driver.setStatus(1);
  },
  vector: (c) => withQueue(c, (d) => d.write(common.queueVector, 2, 500)),
  doorbell: (c) => {
    polite(c);
    c.bench.memory.write(c.driver.notify, 2, 3);
  },
  statusBits: ({ driver }) => {
    reset(driver);
    driver.setStatus(1);
    driver.setStatus(3);
    driver.setStatus(1);
  },
  offered: ({ driver }) => {
    reset(driver);
    driver.setStatus(1);
    driver.setStatus(3);
    driver.offered();
    driver.write(common.driverFeatureSelect, 4, 0);
    driver.write(common.driverFeature, 4, 1 << 26);
  },
  alignment: (c) =>
    withQueue(c, (d) => {
      d.address(common.queueDesc, 0x1_0008);
      d.address(common.queueDriver, 0x2_0000);
      d.address(common.queueDevice, 0x3_0000);
      d.write(common.queueEnable, 2, 1);
    }),
  order: ({ driver }) => {
    reset(driver);
    driver.setStatus(2);
  },
  configEarly: ({ driver, bench }) => bench.memory.write(driver.config + 32, 1, 1),
  notifyEarly: ({ driver }) => kick(driver),
  writableLast: (c) => {
    const ring = polite(c);
    ring.offer([{ write: 512 }, { read: blkHeader(0, 1) }, { write: 1 }]);
    kick(c.driver);
  },
  chain: (c) => {
    const ring = polite(c);
    ring.descriptor(0, 0x5_0000, 16, 1, 1);
    ring.descriptor(1, 0x5_0000, 16, 1, 0);
    ring.makeAvailable(0);
    kick(c.driver);
  },
  chainLength: (c) => {
    const ring = polite(c);
    ring.descriptor(0, 0x5_0000, 0xffff_ffff, 1, 1);
    ring.descriptor(1, 0x5_0000, 0xffff_ffff, 2, 0);
    ring.makeAvailable(0);
    kick(c.driver);
  },
  indirect: (c) => {
    const ring = polite(c, bits.version1);
    ring.offer(readSector, { indirect: true });
    kick(c.driver);
  },
  indexBack: (c) => {
    const ring = polite(c);
    ring.offer(readSector);
    kick(c.driver);
    ring.setAvailableIndex(0);
    kick(c.driver);
  },
  flags: (c) => {
    const ring = polite(c);
    ring.setAvailableFlags(2);
    kick(c.driver);
  },
};

/** Does one thing to queue 0 of a device whose features are settled. */
function withQueue({ driver }: Case, act: (driver: ModernDriver) => void): void {
  reset(driver);
  driver.setStatus(1);
  driver.setStatus(3);
  driver.offered();
  driver.write(common.driverFeatureSelect, 4, 1);
  driver.write(common.driverFeature, 4, 1);
  driver.setStatus(0x0b);
  expect(driver.status).toBe(0x0b);
  driver.write(common.queueSelect, 2, 0);
  act(driver);
}

describe("the watcher of virtio drivers", () => {
  test.each(Object.keys(rules) as (keyof typeof rules)[])("says once that %s was broken, and nothing else", (rule) => {
    const c = forms[rule]?.() ?? watched();
    breaches[rule](c);
    const [where, text] = rules[rule];
    const place = where.startsWith("docs/") ? where : `virtio 1.2 section ${where}`;
    expect(c.said()).toEqual([expect.stringContaining(`blk0: ${place}: ${text}; `)]);
    expect(c.said()[0]).toContain(rule.startsWith("device") ? "; the device: " : "; its driver: ");
    expect(c.said()[0]).toMatch(/, at pc 0x1234$/);
    const before = c.said().length;
    breaches[rule](c);
    expect(c.said().length).toBe(before);
  });

  test("has nothing to say of a driver by the book, twice over, with buffers in tables and without", () => {
    const c = watched();
    for (let time = 0; time < 2; time++) {
      const ring = polite(c);
      ring.offer(readSector);
      kick(c.driver);
      ring.offer(readSector, { indirect: true });
      kick(c.driver);
      c.bench.clock.advance(1_000_000);
      expect(ring.used(), `time ${time}`).toHaveLength(2);
    }
    expect(c.said()).toEqual([]);
  });

  test("takes a reset of the machine for what it is", () => {
    const c = watched();
    polite(c);
    for (const device of c.bench.bus.devices) device.reset();
    for (const bar of c.fn.bars) c.fn.writeConfig(bar.offset, 4, c.places[bar.index] as number);
    c.fn.writeConfig(4, 2, 7);
    // No driver has to wait for a reset which it did not ask for.
    c.driver.setStatus(1);
    c.driver.setStatus(3);
    expect(c.driver.status).toBe(3);
    expect(c.said()).toEqual([]);
  });

  test("has nothing to say of packed, legacy and overlay drivers by the book, twice over", () => {
    for (const [layout, drive] of [
      [
        "modern",
        (c: Case) => {
          const ring = politePacked(c);
          ring.offer(readSector);
          kick(c.driver);
          ring.offer(readSector, { indirect: true });
          kick(c.driver);
        },
      ],
      [
        "legacy",
        (c: Case) => {
          const { driver, ring } = politeLegacy(c);
          ring.offer(readSector);
          driver.kick(0);
        },
      ],
      ["overlay", (c: Case) => politeOverlay(c).kick(0)],
    ] as const) {
      const c = watched({ layout, packed: layout === "modern" });
      for (let time = 0; time < 2; time++) {
        drive(c);
        c.bench.clock.advance(1_000_000);
      }
      expect(c.said(), layout).toEqual([]);
    }
  });

  const ours = ["pc", "ppce500"].flatMap((machine) =>
    [
      ["modern", "split", ""],
      ["modern", "packed", "ring=packed in-order notification-data"],
      ["legacy", "split", ""],
      ["overlay", "split", "bar=0 layout=overlay"],
      ["overlay", "split", "bar=1 layout=overlay"],
      ["transitional", "split", "layout=legacy irq=intx"],
    ].map(([layout, ring, append]) => ({ machine, layout, ring, append })),
  );
  test.each(ours)(
    "has nothing to say of our own drivers on $machine: $layout, $ring, $append",
    { timeout: 60_000 },
    async ({ machine, layout, ring, append }) => {
      const said: string[] = [];
      const onTrace = ({ channel, text }: TraceLine) => {
        if (channel === "lint") said.push(text);
      };
      await using vm = await boot({ machine, onTrace, layout: layout as Layout, ring: ring as RingFormat, append });
      lintVirtio(vm.machine.devices, vm.machine.trace.channel("lint"), () => `pc 0x${vm.machine.cpu.pc.toString(16)}`);
      await vm.console.expect("barzero> ");
      vm.console.send("poweroff\n");
      expect(await vm.exit).toBe(0);
      expect(vm.machine.stats()["blk0.setup-accesses"]).toBeGreaterThan(0);
      expect(said).toEqual([]);
    },
  );
});
