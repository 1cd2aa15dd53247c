import type { Features } from "../../virtio/features.ts";
import type { PciLayout } from "../../virtio/identity.ts";
import { overlayFeature } from "../../virtio/layout/overlay/registers.ts";
import {
  legacySteps,
  legacyView,
  type ModernUses,
  modernArguments,
  modernSteps,
  modernView,
  msixSteps,
  overlayArguments,
  overlaySteps,
  overlayViews,
  type Uses,
} from "./drivers.ts";
import { type Exploration, explore } from "./explore.ts";
import { Specimen } from "./specimen.ts";

/** One device and what its drivers do with it. */
export interface Study {
  readonly name: string;
  /** `in place` and `clean` are steps of growth, each with all before it; `whole` is a layout as it is. */
  readonly group: "in place" | "clean" | "whole";
  readonly layout: PciLayout;
  run(): Exploration;
}

/** What of a driver's features has no part in the layout stands for the others. */
const eventIndex = 2 ** 29;

function overlay(name: string, uses: Uses): Study {
  const withheld = [
    [uses.separate, overlayFeature.separateConfig],
    [uses.size, overlayFeature.ringSize],
    [uses.align, overlayFeature.ringAlign],
  ].reduce<Features>((all, [used, bit]) => (used === true ? all : all | (bit as Features)), 0n);
  return {
    name,
    group: "in place",
    layout: "overlay",
    run: () =>
      explore(
        new Specimen({ layout: "overlay", withheld }),
        [...overlaySteps(uses), ...msixSteps],
        overlayViews,
        overlayArguments,
      ),
  };
}

/** The whole overlay as a driver meets it that uses one of its BARs alone. */
function overlayBy(bar: 0 | 1): Study {
  const uses = { separate: true, words: false, size: true, align: true };
  const views = overlayViews.filter(({ name }) => name === `BAR${bar}`);
  const steps = overlaySteps(uses, bar).filter(({ name }) => !name.startsWith("page, high"));
  return {
    name: `overlay by BAR${bar} alone`,
    group: "whole",
    layout: "overlay",
    run: () => explore(new Specimen({ layout: "overlay" }), [...steps, ...msixSteps], views, overlayArguments),
  };
}

function modern(name: string, uses: ModernUses): Study {
  return {
    name,
    group: "clean",
    layout: "modern",
    run: () =>
      explore(new Specimen({ layout: "modern" }), [...modernSteps(uses), ...msixSteps], [modernView], modernArguments),
  };
}

function both(layout: "transitional" | "modern-latched", uses: ModernUses): Study {
  return {
    name: layout,
    group: "whole",
    layout,
    run: () =>
      explore(
        new Specimen({ layout }),
        [...legacySteps(eventIndex), ...modernSteps(uses), ...msixSteps],
        [legacyView, modernView],
        modernArguments,
      ),
  };
}

function legacy(): Study {
  return {
    name: "legacy",
    group: "in place",
    layout: "legacy",
    run: () => explore(new Specimen({ layout: "legacy" }), [...legacySteps(eventIndex), ...msixSteps], [legacyView]),
  };
}

const none: Uses = { separate: false, words: false, size: false, align: false };
const least: ModernUses = { words: false, high: false, size: false, apart: false, reset: false, data: false };
const four: ModernUses = { ...least, words: true, high: true, size: true, apart: true };

/**
 * The four extensions of Rusty Russell's list, one upon the other, in place and in a clean layout; then two which virtio 1.1 and 1.2 added to
 * the clean one behind feature bits; then each layout as it is.
 */
export const studies: readonly Study[] = [
  legacy(),
  overlay("and a mirror in memory", none),
  overlay("and configuration apart", { ...none, separate: true }),
  overlay("and features beyond 31", { ...none, separate: true, words: true }),
  overlay("and ring size", { ...none, separate: true, words: true, size: true }),
  overlay("and ring alignment", { separate: true, words: true, size: true, align: true }),
  modern("a clean layout, configuration apart", { ...least, high: true }),
  modern("and features beyond 31", { ...least, high: true, words: true }),
  modern("and ring size", { ...four, apart: false }),
  modern("and ring alignment", four),
  modern("and queue reset (1.2)", { ...four, reset: true }),
  modern("and notification data (1.1)", { ...four, reset: true, data: true }),
  overlayBy(0),
  overlayBy(1),
  both("transitional", least),
  both("modern-latched", least),
];
