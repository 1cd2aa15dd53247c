import type { AccessCounts } from "../../../virtio/transport-counts.ts";
import type { Comparison } from "../comparison.ts";
import type { Measured } from "../measure-row.ts";

type Study = Comparison["studies"][number];

/** How a person calls the matrix's ways of driving a layout. */
export const names: Readonly<Record<string, string>> = {
  legacy: "Legacy",
  overlay: "Overlay",
  transitional: "Transitional",
  "overlay by BAR0 alone": "Overlay, by BAR0 alone",
  "overlay by BAR1 alone": "Overlay, by BAR1 alone",
  "overlay-bar0": "Overlay, by ports",
  "overlay-bar1": "Overlay, by memory",
  "overlay-as-legacy": "Overlay device, legacy driver",
  modern: "Modern",
  "modern-latched": "Modern with Rusty\u2019s latch",
  "transitional-as-legacy": "Transitional, legacy driver",
  "transitional-as-modern": "Transitional, modern driver",
};

export const colours: Readonly<Record<string, string>> = {
  legacy: "legacy",
  "overlay-bar0": "overlay",
  "overlay-bar1": "overlay",
  modern: "modern",
};

export function nameOf(layout: string): string {
  return names[layout] ?? layout;
}

/** Boots with figures. */
export function boots(found: Comparison, irq: string, ring = "split"): readonly Measured[] {
  return found.boots.filter(({ row, work }) => work.length > 0 && row.irq === irq && row.ring === ring);
}

export function boot(found: Comparison, machine: string, layout: string, irq = "msix"): Measured | undefined {
  return boots(found, irq).find(({ row }) => row.machine === machine && row.layout.name === layout);
}

/** The first boot of that layout, on whichever machine. */
export function anyBoot(found: Comparison, layout: string, irq = "msix"): Measured | undefined {
  return boots(found, irq).find(({ row }) => row.layout.name === layout);
}

export function registers({ ports, memory }: AccessCounts): number {
  return ports + memory;
}

/** Boots with the same answer together, in the order of the first. */
export function alike<T>(
  all: readonly Measured[],
  of: (boot: Measured) => T,
): readonly { readonly value: T; readonly layout: string; readonly machines: readonly string[] }[] {
  const groups = new Map<string, { value: T; layout: string; machines: string[] }>();
  for (const each of all) {
    const value = of(each);
    const key = `${each.row.layout.name} ${JSON.stringify(value)}`;
    const group = groups.get(key) ?? { value, layout: each.row.layout.name, machines: [] };
    group.machines.push(each.row.machine);
    groups.set(key, group);
  }
  return [...groups.values()];
}

export function study({ studies }: Comparison, group: Study["group"], name: string): Study | undefined {
  return studies.find((each) => each.group === group && each.name === name);
}

export function steps({ studies }: Comparison, group: Study["group"]): readonly Study[] {
  return studies.filter((each) => each.group === group);
}

/** The last of the steps which are Rusty Russell's own four, in place and clean. */
export const fourth = "and ring alignment";
