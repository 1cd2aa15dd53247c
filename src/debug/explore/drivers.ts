import type { Width } from "../../bus/target.ts";
import { headerRegisters, headerSize, legacyBar, vectorRegisters } from "../../virtio/layout/legacy/registers.ts";
import { commonRegisters, commonSize, modernBar, region } from "../../virtio/layout/modern/registers.ts";
import { fileRegisters, fileSize, overlayBar } from "../../virtio/layout/overlay/registers.ts";
import type { Register } from "../../virtio/layout/register-map.ts";
import type { Argument, Place, Step, View } from "./explore.ts";

/**
 * What drivers of each layout do, as far as it can change what other accesses mean. A page, a size and an alignment stand for all others:
 * it is whether they count which makes a difference.
 */

/** Where a ring is put, and another place that is tried, in pages; a size and an alignment which no register has after reset. */
const page = 32;
const otherPage = 16;
const size = 8;
const align = 64;

function write(name: string, bar: number, offset: number, width: Width, value: number): Step {
  return { name, make: (specimen) => specimen.write(bar, offset, width, value) };
}

/** Two accesses in a row: an index, and what it names. */
function indexed(name: string, bar: number, select: number, index: number, offset: number, value: number): Step {
  return {
    name,
    make(specimen) {
      specimen.write(bar, select, 4, index);
      specimen.write(bar, offset, 4, value);
    },
  };
}

/** What the PCI core does whatever the layout. */
export const msixSteps: readonly Step[] = [true, false].map((on) => ({
  name: `MSI-X ${on ? "on" : "off"}`,
  make: (specimen) => {
    specimen.msix = on;
  },
}));

/** Values which are tried in a register of this width; of the status only a reset, since its other bits are a protocol's. */
function values({ name, width }: Register<string>): readonly number[] {
  if (name.endsWith("status")) return [0];
  if (name.endsWith("notify")) return [0];
  if (name === "queue_enable" || name === "queue_reset") return [0, 1];
  return width === 4 ? [0, otherPage] : [0, size];
}

function bytes(bar: number, count: number, from = 0): readonly Place[] {
  return Array.from({ length: count }, (_, i) => ({ bar, offset: from + i, width: 1 }));
}

function natural(bar: number, rows: readonly Register<string>[], from = 0): View["writes"] {
  return rows.map((row) => ({ bar, offset: from + row.at, width: row.width, values: values(row) }));
}

/** Legacy, whose status decides nothing but a reset: BAR0 as far as the configuration's first bytes behind the vectors. */
export const legacyView: View = {
  name: "BAR0",
  reads: bytes(legacyBar, fileSize + 4),
  writes: [...natural(legacyBar, headerRegisters), ...natural(legacyBar, vectorRegisters, headerSize)],
};

export function legacySteps(features: number): readonly Step[] {
  return [
    write("reset", legacyBar, 18, 1, 0),
    ...[0, features].map((value) => write(`features ${value}`, legacyBar, 4, 4, value)),
    ...[0, page].map((value) => write(`page ${value}`, legacyBar, 8, 4, value)),
  ];
}

/** The overlay by each of its BARs: the same file of registers, which one of them shows in part. */
export const overlayViews: readonly View[] = [overlayBar.ports, overlayBar.mirror].map((bar) => ({
  name: `BAR${bar}`,
  reads: bytes(bar, fileSize + 4),
  writes: natural(bar, fileRegisters),
}));

/** Which of the four things of Rusty Russell's list a driver of the overlay uses. */
export interface Uses {
  readonly separate: boolean;
  readonly words: boolean;
  readonly size: boolean;
  readonly align: boolean;
}

/** By the mirror, which always reaches the file, or by BAR0, where a write may meet the configuration instead. */
export function overlaySteps(uses: Uses, bar: number = overlayBar.mirror): readonly Step[] {
  const word = (index: number, bit: number) =>
    [0, bit].map((value) => indexed(`features ${index}:${value}`, bar, 28, index, 4, value));
  return [
    write("reset", bar, 18, 1, 0),
    ...[0, page].map((value) => write(`page ${value}`, bar, 8, 4, value)),
    ...[0, 1].map((value) => write(`page, high ${value}`, bar, 32, 4, value)),
    ...(uses.separate ? word(0, 2 ** 25) : []),
    ...(uses.words ? [...[0, 1].map((value) => write(`word ${value}`, bar, 24, 4, value)), ...word(1, 0)] : []),
    ...(uses.size ? [...word(1, 2 ** 12), ...[size, 2 * size].map((n) => write(`size ${n}`, bar, 36, 2, n))] : []),
    ...(uses.align ? [...word(3, 2 ** 31), ...[align, 4096].map((n) => write(`align ${n}`, bar, 38, 2, n))] : []),
  ];
}

export const overlayArguments: readonly Argument[] = [
  { part: ".overlay.queues", field: "pageHigh", other: 2 },
  { part: ".overlay.queues", field: "num", other: 4 },
  { part: ".overlay.queues", field: "align", other: 128 },
];

/** The modern layout: its four structures. */
export const modernView: View = {
  name: `BAR${modernBar}`,
  reads: [
    ...bytes(modernBar, commonSize),
    ...bytes(modernBar, 4, region.isr),
    ...bytes(modernBar, 8, region.device),
    ...bytes(modernBar, 4, region.notify),
  ],
  writes: [
    ...natural(modernBar, commonRegisters),
    { bar: modernBar, offset: region.notify, width: 2, values: [0] },
    { bar: modernBar, offset: region.notify, width: 4, values: [0] },
  ],
};

/** Which of what virtio 1.x has a driver of the modern layout uses. The first two are Rusty Russell's, unconditional; the others came later, behind features. */
export interface ModernUses {
  readonly words: boolean;
  readonly high: boolean;
  readonly size: boolean;
  readonly apart: boolean;
  readonly reset: boolean;
  readonly data: boolean;
}

export function modernSteps(uses: ModernUses): readonly Step[] {
  const bar = modernBar;
  const word = (index: number, values: readonly number[]) =>
    values.map((value) => indexed(`features ${index}:${value}`, bar, 0x08, index, 0x0c, value));
  const [version1, data, reset] = [1, 1 << 6, 1 << 8];
  const later = [0, ...(uses.data ? [data] : [])].flatMap((a) => [a, ...(uses.reset ? [a | reset] : [])]);
  const areas = [0x20, 0x28, 0x30] as const;
  const place = (high: number): Step => ({
    name: `a ring, high ${high}`,
    make(specimen) {
      for (const [i, area] of areas.entries()) {
        specimen.write(bar, area, 4, 0x2_0000 + i * 0x1000);
        specimen.write(bar, area + 4, 4, high);
      }
    },
  });
  return [
    ...[0, 3, 11, 15].map((value) => write(`status ${value}`, bar, 0x14, 1, value)),
    ...word(1, [0, ...later.map((bits) => version1 | bits)]),
    ...(uses.words
      ? [...[0, 1].map((index) => write(`word ${index}`, bar, 0, 4, index)), ...word(0, [0, 1 << 29])]
      : []),
    place(0),
    ...(uses.high ? [place(1)] : []),
    ...(uses.apart
      ? [
          write("used ring elsewhere", bar, 0x30, 4, 0x8_0000),
          write("available ring elsewhere", bar, 0x28, 4, 0x9_0000),
        ]
      : []),
    ...(uses.size ? [size, 2 * size].map((n) => write(`size ${n}`, bar, 0x18, 2, n)) : []),
    write("enable", bar, 0x1c, 2, 1),
    ...(uses.reset ? [write("queue reset", bar, 0x3a, 2, 1)] : []),
  ];
}

export const modernArguments: readonly Argument[] = [
  { part: ".modern", field: "queueSize", other: 4 },
  { part: ".modern", field: "queueWords", other: 0x7_0000 },
];
