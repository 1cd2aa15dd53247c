import type { Bench } from "../../../support/bench.ts";
import { blkHeader } from "../../../support/blk.ts";
import { OverlayDriver } from "../../../support/overlay-driver.ts";
import type { DriverRing } from "../../../support/ring.ts";
import { type Options, patternDisk, plugBlk } from "../../../support/virtio-function.ts";

export type Order = "little" | "big";

/** Long enough for a disk request. */
export const settle = 1_000_000;

/** An overlay disk with a driver for each of its two register BARs. */
export function blk(options: Options = {}, order: Order = "little") {
  const disk = patternDisk();
  const plugged = plugBlk(disk, { layout: "overlay", guestOrder: () => order, ...options });
  const { bench, fn } = plugged;
  return {
    ...plugged,
    disk,
    bar0: new OverlayDriver(bench, fn, 0, order),
    bar1: new OverlayDriver(bench, fn, 1, order),
  };
}

/** Reads sector 1 through a ring which is placed, and gives whether it came. */
export function reads(bench: Bench, driver: OverlayDriver, ring: DriverRing | undefined): boolean {
  if (ring === undefined) return false;
  const before = ring.usedIndex;
  const chain = ring.offer([{ read: blkHeader(0, 1, driver.order) }, { write: 512 }, { write: 1 }]);
  driver.kick(0);
  bench.clock.advance(settle);
  const sector = ring.written(chain).subarray(0, 512);
  return ring.usedIndex === ((before + 1) & 0xffff) && sector.every((byte, i) => byte === ((3 + 512 + i) & 0xff));
}
