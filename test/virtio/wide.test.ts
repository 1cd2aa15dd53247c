import { describe, expect, it } from "vitest";
import { State } from "../../src/bus/state.ts";
import { DeviceConfig } from "../../src/virtio/config.ts";
import type { VirtioDevice } from "../../src/virtio/device.ts";
import type { Features } from "../../src/virtio/features.ts";
import { at, OverlayDriver } from "../support/overlay-driver.ts";
import { common, LegacyDriver, ModernDriver } from "../support/virtio-driver.ts";
import { bits, type Options, plugDevice, plugRng } from "../support/virtio-function.ts";

/** A feature of word 0, one beyond bit 31 and one beyond bit 63: network devices have such (virtio 1.2 section 5.1.3 and later). */
const wide = (1n << 5n) | (1n << 57n) | (1n << 66n);

/** A device which offers them, remembers what it was told, and does nothing else. */
class Wide implements VirtioDevice {
  readonly name = "wide0";
  readonly id = 4;
  readonly features = wide;
  readonly queueSizes = [8];
  readonly config = new DeviceConfig("wide0", 4, [{ name: "word", at: 0, width: 4, access: "rw" }]);
  readonly state = new State("wide0", {});
  told: Features = 0n;

  connect(): void {}
  supports(): boolean {
    return true;
  }
  negotiated(features: Features): void {
    this.told = features;
  }
  notify(): void {}
  resetQueue(): void {}
  reset(): void {}
}

const plugWide = (layout: NonNullable<Options["layout"]>) => plugDevice(() => new Wide(), { layout });

describe("feature bits beyond 31 and beyond 63", () => {
  it("are offered to a modern driver, accepted and told to the device", () => {
    const { bench, fn, device } = plugWide("modern");
    const driver = new ModernDriver(bench, fn);
    expect(driver.offered() & wide).toBe(wide);
    expect(driver.negotiate(bits.version1 | wide)).toBe(true);
    expect(device.told & wide).toBe(wide);
  });

  it("are offered to an overlay driver through either BAR", () => {
    for (const bar of [0, 1] as const) {
      const { bench, fn, device } = plugWide("overlay");
      const driver = new OverlayDriver(bench, fn, bar);
      driver.begin();
      expect(driver.offered() & wide).toBe(wide);
      driver.accept(0, 1 << 5);
      expect(device.told & wide).toBe(1n << 5n);
      driver.accept(1, 1 << 25);
      driver.accept(2, 1 << 2);
      // And none of the transport's own: they mean other things to others.
      expect(device.told).toBe(wide);
    }
  });

  it("are not to be had by a legacy driver, nor through an unlatched BAR0", () => {
    const { bench, fn, device } = plugWide("legacy");
    const legacy = new LegacyDriver(bench, fn);
    legacy.write(4, 4, 0xffff_ffff);
    expect([BigInt(legacy.read(0, 4)) & wide, device.told & wide]).toEqual([1n << 5n, 1n << 5n]);
    const overlay = plugWide("overlay");
    const bar0 = new OverlayDriver(overlay.bench, overlay.fn, 0);
    bar0.write(at.guestFeatureSelect, 4, 1);
    bar0.write(at.guestFeatures, 4, 1 << 5);
    expect(overlay.device.told).toBe(1n << 5n);
  });
});

describe("a word of configuration which the driver writes", () => {
  it("is in the guest's order through the overlay, byte by byte or whole, in each BAR that has it", () => {
    for (const [bar, offset] of [
      [0, 20],
      [2, 0],
      [3, 0],
    ] as const) {
      const { fn, device } = plugDevice(() => new Wide(), { layout: "overlay", guestOrder: () => "big" });
      for (const [i, byte] of [1, 2, 3, 4].entries()) fn.writeBar(bar, offset + i, 1, byte);
      expect(device.config.get("word")).toBe(0x0102_0304);
      fn.writeBar(bar, offset, 4, 0x0807_0605);
      expect(device.config.get("word")).toBe(0x0506_0708);
    }
  });
});

describe("a ring above 16 TiB", () => {
  const low = 0x1_0000;

  it("is never taken for the one below whose low half it shares, by a modern device, which then needs a reset", () => {
    for (const high of [2 ** 44, 2 ** 52, 2 ** 63])
      for (const part of [common.queueDesc, common.queueDriver, common.queueDevice]) {
        const { bench, fn } = plugRng();
        const driver = new ModernDriver(bench, fn);
        driver.negotiate(bits.version1);
        const ring = driver.setUp(0, 8);
        const { descriptorArea, driverArea, deviceArea } = ring.ring;
        expect(descriptorArea).toBe(low);
        driver.setStatus(0);
        driver.negotiate(bits.version1);
        driver.address(common.queueDesc, descriptorArea);
        driver.address(common.queueDriver, driverArea);
        driver.address(common.queueDevice, deviceArea);
        driver.write(part + 4, 4, high / 2 ** 32);
        driver.write(common.queueSize, 2, 8);
        driver.write(common.queueEnable, 2, 1);
        driver.setStatus(0x0f);
        ring.offer([{ write: 16 }]);
        const below = () => [...bench.ram.contents().subarray(low, low + 220)];
        const before = below();
        driver.kick(0);
        bench.clock.advance(1e9);
        expect(driver.status & 0x40).toBe(0x40);
        expect(below()).toEqual(before);
        expect(driver.read(part + 4, 4)).toBe(high / 2 ** 32);
      }
  });
});
