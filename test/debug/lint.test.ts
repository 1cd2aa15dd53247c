import { describe, expect, test } from "vitest";
import { lintVirtio } from "../../src/debug/lint/lint.ts";
import { rules } from "../../src/debug/lint/rules.ts";
import { boot } from "../../src/host/boot.ts";
import type { TraceLine } from "../../src/trace/trace.ts";
import { blkHeader } from "../support/blk.ts";
import type { DriverRing } from "../support/ring.ts";
import { common, enableMsix, ModernDriver } from "../support/virtio-driver.ts";
import { bits, patternDisk, plugBlk } from "../support/virtio-function.ts";

const readSector = [{ read: blkHeader(0, 1) }, { write: 512 }, { write: 1 }];

/** A disk whose driver is watched. */
function watched() {
  const { bench, fn } = plugBlk(patternDisk());
  lintVirtio(bench.bus.devices, bench.trace.channel("lint"), () => "pc 0x1234");
  const driver = new ModernDriver(bench, fn);
  const said = () => bench.lines.filter((line) => line.startsWith("lint: "));
  /** Where firmware has put each BAR. */
  const places = Object.fromEntries(fn.bars.map((bar) => [bar.index, fn.barAddress(bar.index)]));
  return { bench, fn, driver, said, places };
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

/** For each rule a driver which keeps it until it breaks it. */
const breaches: Readonly<Record<keyof typeof rules, (c: Case) => void>> = {
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
    const c = watched();
    breaches[rule](c);
    const [section, text] = rules[rule];
    expect(c.said()).toEqual([expect.stringContaining(`blk0: virtio 1.2 section ${section}: ${text}; `)]);
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

  test.each(["pc", "ppce500"])("has nothing to say of our own drivers on %s", { timeout: 60_000 }, async (machine) => {
    const said: string[] = [];
    const onTrace = ({ channel, text }: TraceLine) => {
      if (channel === "lint") said.push(text);
    };
    await using vm = await boot({ machine, onTrace });
    lintVirtio(vm.machine.devices, vm.machine.trace.channel("lint"), () => `pc 0x${vm.machine.cpu.pc.toString(16)}`);
    await vm.console.expect("barzero> ");
    vm.console.send("poweroff\n");
    expect(await vm.exit).toBe(0);
    expect(vm.machine.stats()["blk0.setup-accesses"]).toBeGreaterThan(0);
    expect(said).toEqual([]);
  });
});
