import type { IrqMode, Layout } from "../../board/options.ts";

/** The register layout which the devices of a row show, and the one which the driver picks of it. */
export interface Driven {
  readonly name: string;
  readonly shown: Layout;
  readonly driver: "legacy" | "modern";
}

export const layouts: readonly Driven[] = [
  { name: "legacy", shown: "legacy", driver: "legacy" },
  { name: "modern", shown: "modern", driver: "modern" },
  { name: "transitional-as-legacy", shown: "transitional", driver: "legacy" },
  { name: "transitional-as-modern", shown: "transitional", driver: "modern" },
];

export const interruptModes: readonly IrqMode[] = ["intx", "msix-shared", "msix"];

/** The devices of every row, in the order of their slots. */
export const devices = ["blk", "console", "rng"] as const;
export type DeviceKind = (typeof devices)[number];

/** One boot: a machine whose devices all have this layout and this interrupt mode. */
export interface Row {
  readonly machine: string;
  readonly layout: Driven;
  readonly irq: IrqMode;
}

/** Every row of these machines, in the order in which they are told. */
export function planRows(machines: readonly string[]): readonly Row[] {
  return machines.flatMap((machine) =>
    layouts.flatMap((layout) => interruptModes.map((irq) => ({ machine, layout, irq }))),
  );
}
