import { describe, expect, it } from "vitest";
import { SeededEntropy } from "../../src/backend/entropy.ts";
import type { PciLayout } from "../../src/virtio/identity.ts";
import { pciConformance } from "../pci/conformance.ts";
import { type Bench, messagePage } from "../support/bench.ts";
import { findCapabilities, LegacyDriver, ModernDriver } from "../support/virtio-driver.ts";
import { bits, type Options, patternDisk, plugBlk, plugConsole, plugRng } from "../support/virtio-function.ts";

const layouts: readonly PciLayout[] = [
  "legacy",
  "overlay",
  "overlay-legacy",
  "modern",
  "modern-latched",
  "transitional",
];
const devices = {
  blk: (options: Options) => plugBlk(patternDisk(), { queueSize: 8, ...options }),
  console: (options: Options) => plugConsole({ queueSize: 8, ...options }),
  rng: (options: Options) => plugRng({ queueSize: 8, ...options }),
};

/** As a machine of both spaces has them, and those whose structures may be in ports too. */
const inPorts = ["modern", "modern-latched", "transitional"] as const;
const shapes: readonly { readonly shape: string; readonly options: Options & { readonly layout: PciLayout } }[] = [
  ...layouts.map((layout) => ({ shape: layout, options: { layout } })),
  ...inPorts.map((layout) => ({ shape: `${layout} (ports)`, options: { layout, space: "ports" as const } })),
];

for (const { shape, options } of shapes)
  for (const [name, plug] of Object.entries(devices))
    pciConformance(`A ${shape} virtio ${name}`, () => plug(options).fn);

/** A run of a hostile guest: registers, configuration space, rings and time at random. Whatever it does must end. */
function fuzz(
  seed: number,
  { bench, fn }: { bench: Bench; fn: ReturnType<typeof plugBlk>["fn"] },
  steps: number,
): void {
  const random = new SeededEntropy(seed);
  const below = (limit: number) => random.next() % limit;
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const value = () =>
    pick([0, 1, 0xffff_ffff, below(16), below(65536), random.next(), 0x1_0000 + 16 * below(64), messagePage]);
  const width = () => pick([1, 2, 4] as const);
  // Half of the runs begin with a device that works, so that they get past the door.
  if (below(2) === 0) {
    if (findCapabilities(fn, 9).some((at) => fn.readConfig(at + 3, 1) === 1))
      new ModernDriver(bench, fn).start(bits.version1 | bits.indirect | bits.eventIndex, [8], { msix: below(2) === 0 });
    else new LegacyDriver(bench, fn).start(Number(bits.indirect), 1, { msix: below(2) === 0 });
  }
  for (let i = 0; i < steps; i++) {
    const bar = pick(fn.bars);
    switch (below(8)) {
      case 0:
        fn.writeConfig(below(256), width(), value());
        break;
      case 1:
        fn.readConfig(below(256), width());
        break;
      case 2:
      case 3:
        fn.writeBar(bar.index, below(bar.size), width(), value());
        break;
      case 4:
        // The registers which matter lie low, and the doorbells.
        fn.writeBar(bar.index, pick([below(64), (bar.kind === "io" ? 0xc0 : 0x3000) + 4 * below(3)]), width(), value());
        break;
      case 5:
        fn.readBar(bar.index, below(bar.size), width());
        break;
      case 6:
        for (let n = below(40); n > 0; n--)
          bench.ram.write(0x1_0000 + 2 * below(256), 2, pick([below(10), below(65536)]));
        break;
      default:
        bench.clock.advance(below(200_000));
    }
    if (below(50) === 0) fn.writeConfig(4, 2, 7);
  }
}

describe("a hostile guest at random", () => {
  for (const { shape, options } of shapes)
    for (const [name, plug] of Object.entries(devices)) {
      it(`never brings down a ${shape} ${name}, which works again after a reset`, () => {
        for (let seed = 1; seed <= 20; seed++) {
          const plugged = plug(options);
          const { bench, fn } = plugged;
          expect(() => fuzz(seed, plugged, 300), `seed ${seed}`).not.toThrow();
          expect(bench.lines.length, `seed ${seed}`).toBeLessThan(50);
          for (const part of fn.parts) part.reset();
          for (const bar of fn.bars)
            fn.writeConfig(
              bar.offset,
              4,
              bar.kind === "io" ? 0xc400 + bar.index * 0x800 : 0xe040_0000 + bar.index * 0x1_0000,
            );
          fn.writeConfig(4, 2, 7);
          bench.messages.length = 0;
          // An overlay device which nobody has latched is a legacy one.
          const driver = options.layout === "modern" ? new ModernDriver(bench, fn) : new LegacyDriver(bench, fn);
          const queue = name === "console" ? 1 : 0;
          const rings =
            driver instanceof ModernDriver
              ? driver.start(bits.version1, queue === 1 ? [8, 8] : [8], { msix: true })
              : driver.start(0, queue + 1, { msix: true });
          const ring = rings[queue];
          ring?.offer([{ read: new Uint8Array(16) }, { write: 513 }]);
          driver.kick(queue);
          bench.clock.advance(1e9);
          expect(ring?.used().length, `seed ${seed}`).toBe(1);
          expect(bench.messages, `seed ${seed}`).toEqual([101 + queue]);
        }
      });
    }
});
