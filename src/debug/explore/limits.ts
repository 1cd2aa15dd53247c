import type { VirtioPciOptions } from "../../virtio/pci.ts";
import type { ByteOrder } from "../../virtio/queue/virt-queue.ts";
import type { Reach } from "./reach.ts";
import { Specimen } from "./specimen.ts";

/** What a layout can say, found by a driver which tries it on the device. */
export interface Limits {
  /** Feature bits which a driver can be shown and can accept. */
  readonly features: number;
  /** The highest power of two beyond which a ring may begin, as its exponent. */
  readonly highestRing: number;
  /** The driver's own size for a ring is taken. */
  readonly ringSize: boolean;
  /** The smallest alignment of a used ring. */
  readonly alignment: number;
  /** The parts of a ring may lie apart. */
  readonly apart: boolean;
  /** Packed rings are offered, on a device which has them. */
  readonly packed: boolean;
  /** The device tells whether it agrees to a set of features. */
  readonly agrees: boolean;
  /** A change of the configuration while it is read can be told by a counter. */
  readonly generation: boolean;
  /** The rings of a big-endian guest are little-endian all the same. */
  readonly fixedOrder: boolean;
}

/** Bytes of a ring's three parts, from the first byte to the last, packed as closely as the layout lets a driver; undefined where it has no such ring. */
export interface RingBytes {
  readonly entries: number;
  readonly split: number;
  readonly packed?: number;
}

type Options = Pick<VirtioPciOptions, "layout">;
const place = 2 ** 20;
const entries = 16;

export function limitsOf(options: Options, reach: Reach): Limits {
  const fresh = (more: Partial<VirtioPciOptions> = {}) => {
    const specimen = new Specimen({ ...options, ...more }, entries);
    reach.begin(specimen);
    return specimen;
  };
  const ring = (wish: Parameters<Reach["place"]>[1], specimen = fresh()) => {
    reach.place(specimen, wish);
    return specimen.ring;
  };
  // With two entries the other parts end in front of an odd multiple of 4: any greater alignment would show.
  const aligned = (align: number) => {
    const specimen = new Specimen(options, 2);
    reach.begin(specimen);
    const used = ring({ address: place, size: 2, align, apart: align }, specimen)?.areas[2];
    return used !== undefined && used % (2 * align) !== 0;
  };
  return {
    features: 32 * words(fresh, reach),
    highestRing: last(63, (bit) => ring({ address: 2 ** bit + place, size: entries })?.areas[0] === 2 ** bit + place),
    ringSize: ring({ address: place, size: entries / 2 })?.size === entries / 2,
    alignment: [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048].find(aligned) ?? 4096,
    apart: ring({ address: place, size: entries, apart: 65536 })?.areas[2] === place + 16 * entries + 65536,
    packed: ((reach.offered(fresh({ packed: true }), 1) ?? 0) & (1 << 2)) !== 0,
    agrees: reach.agreed(fresh()) && !disagrees(fresh(), reach),
    generation: hasCounter(fresh()),
    fixedOrder: orderOf(fresh({ guestOrder: (): ByteOrder => "big" }), reach) === false,
  };
}

/** The span which the device was told of, entry by entry of virtio 1.2 sections 2.7 and 2.8. */
export function ringBytes(
  options: Options,
  reach: Reach,
  sizes: readonly number[],
  packed: boolean,
): readonly RingBytes[] {
  const { alignment } = limitsOf(options, reach);
  return sizes.map((size) => {
    const specimen = new Specimen(options, size);
    reach.begin(specimen);
    reach.place(specimen, { address: place, size, align: alignment });
    const { ring } = specimen;
    if (ring?.size !== size) throw new Error(`${options.layout} has no ring of ${size} entries`);
    const split = Math.max(ring.areas[1] + 6 + 2 * size, ring.areas[2] + 6 + 8 * size) - ring.areas[0];
    // Descriptors, and an event structure of 4 bytes for either side.
    return { entries: size, split, ...(packed && { packed: 16 * size + 8 }) };
  });
}

/** Words of features in which what a driver writes is kept somewhere. */
function words(fresh: () => Specimen, reach: Reach): number {
  return (
    1 +
    last(15, (word) => {
      const specimen = fresh();
      reach.accept(specimen, word, 0);
      const empty = specimen.key();
      reach.accept(specimen, word, 0x5555_5555);
      return specimen.key() !== empty;
    })
  );
}

/** The largest number up to `most` for which it holds, -1 for none. */
function last(most: number, holds: (n: number) => boolean): number {
  for (let n = most; n >= 0; n--) if (holds(n)) return n;
  return -1;
}

/** Whether a driver that accepts what was not offered is told so. */
function disagrees(specimen: Specimen, reach: Reach): boolean {
  reach.accept(specimen, 1, 0xffff_ffff);
  return reach.agreed(specimen);
}

/** Whether any register shows that the configuration has changed. */
function hasCounter(specimen: Specimen): boolean {
  const shown = () =>
    specimen.bars.map((bar) => Array.from({ length: 256 }, (_, offset) => specimen.read(bar, offset, 1)).join()).join();
  shown();
  const before = shown();
  return specimen.poke(".virtio", "generation", 77) && shown() !== before;
}

function orderOf(specimen: Specimen, reach: Reach): unknown {
  reach.begin(specimen);
  reach.place(specimen, { address: place, size: entries });
  return specimen.field(".queue0", "bigEndian");
}
