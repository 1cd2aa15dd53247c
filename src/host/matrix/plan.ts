import type { IrqMode, Layout, RingFormat } from "../../board/options.ts";
import type { MachineSpec } from "../../board/spec.ts";

/** The register layout which the devices of a row show, and the one which the driver picks of it. */
export interface Driven {
  readonly name: string;
  readonly shown: Layout;
  readonly driver: "legacy" | "overlay-bar0" | "overlay-bar1" | "modern";
}

export const layouts: readonly Driven[] = [
  { name: "legacy", shown: "legacy", driver: "legacy" },
  { name: "overlay-bar0", shown: "overlay", driver: "overlay-bar0" },
  { name: "overlay-bar1", shown: "overlay", driver: "overlay-bar1" },
  { name: "overlay-as-legacy", shown: "overlay-legacy", driver: "legacy" },
  { name: "modern", shown: "modern", driver: "modern" },
  { name: "modern-latched", shown: "modern-latched", driver: "modern" },
  { name: "transitional-as-legacy", shown: "transitional", driver: "legacy" },
  { name: "transitional-as-modern", shown: "transitional", driver: "modern" },
];

/** Where the registers are which a driver goes through; those of the modern layout are wherever a capability says (virtio 1.2 section 4.1.4). */
const spaces: Readonly<Partial<Record<Driven["driver"], "ports" | "memory">>> = {
  legacy: "ports",
  "overlay-bar0": "ports",
  "overlay-bar1": "memory",
};

export const rings: readonly RingFormat[] = ["split", "packed"];

/** What rings may have besides their format, where they are asked for. */
export const ringFeatures = ["in-order", "notification-data"] as const;
export type RingFeature = (typeof ringFeatures)[number];

/** Why a driver of these registers cannot have those: nobody gave them a meaning there. */
const plainOnly: Readonly<Partial<Record<Driven["driver"], string>>> = {
  legacy:
    "legacy registers have 32 feature bits, and those of rings in order and of notification data are bits 35 and 38",
  "overlay-bar0": "overlay registers were proposed when rings had no order and notifications no data",
  "overlay-bar1": "overlay registers were proposed when rings had no order and notifications no data",
};

/** Why a driver of these registers cannot have packed rings. */
const splitOnly: Readonly<Partial<Record<Driven["driver"], string>>> = {
  legacy: "legacy registers have 32 feature bits, and that of packed rings is bit 34",
  "overlay-bar0": "overlay registers place a split ring by one page number",
  "overlay-bar1": "overlay registers place a split ring by one page number",
};

export const interruptModes: readonly IrqMode[] = ["intx", "msix-shared", "msix"];

/** The devices of every row, in the order of their slots. */
export const devices = ["blk", "console", "rng", "net"] as const;
export type DeviceKind = (typeof devices)[number];

/** One boot: a machine whose devices all have this layout, this format of ring and this interrupt mode. */
export interface Row {
  readonly machine: string;
  readonly layout: Driven;
  readonly ring: RingFormat;
  readonly irq: IrqMode;
  /** What else its drivers take. */
  readonly with?: readonly RingFeature[];
  /** Why this machine cannot drive this layout so at all, where it cannot: then nothing is booted. */
  readonly skip?: string;
}

/** A machine as it was asked for, and what it is. */
export interface Wanted {
  readonly machine: string;
  readonly spec: MachineSpec;
}

/** The format of a row's rings and what they have besides, as one word. */
export function ringName({ ring, with: besides = [] }: Pick<Row, "ring" | "with">): string {
  return [ring, ...ringFeatures.filter((name) => besides.includes(name))].join("+");
}

/** Every row of these machines, in the order in which they are told. */
export function planRows(machines: readonly Wanted[], besides: readonly RingFeature[] = []): readonly Row[] {
  return machines.flatMap(({ machine, spec }) =>
    layouts.flatMap((layout) =>
      rings.flatMap((ring) => {
        const skip =
          impossible(spec, layout) ??
          (ring === "packed" ? splitOnly[layout.driver] : undefined) ??
          (besides.length > 0 ? plainOnly[layout.driver] : undefined);
        return interruptModes.map((irq) => ({
          machine,
          layout,
          ring,
          irq,
          ...(besides.length > 0 && { with: besides }),
          ...(skip !== undefined && { skip }),
        }));
      }),
    ),
  );
}

/** One part of several: every n-th row. The parts together are all rows, each once. */
export function shardOf<T>(rows: readonly T[], part: number, parts: number): readonly T[] {
  return rows.filter((_, i) => i % parts === part - 1);
}

function impossible({ virtioSpace, pci }: MachineSpec, { driver }: Driven): string | undefined {
  const space = spaces[driver];
  if (space === undefined) return undefined;
  if (virtioSpace !== undefined && virtioSpace !== space)
    return `${driver} registers are in ${space}, and this machine has virtio registers in ${virtioSpace} only`;
  if (space === "ports" && pci.windows.ports === undefined)
    return `${driver} registers are in ports, and this machine's bridge has no window to them`;
  return undefined;
}
