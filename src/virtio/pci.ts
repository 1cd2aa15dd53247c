import type { Device } from "../bus/state.ts";
import { type Identity, PciFunction } from "../pci/function.ts";
import { Msix } from "../pci/msix.ts";
import type { Clock } from "../time/clock.ts";
import type { Channel } from "../trace/trace.ts";
import { VirtioCore } from "./core.ts";
import type { VirtioDevice } from "./device.ts";
import { legacyIdentity, modernIdentity, type PciLayout } from "./identity.ts";
import { Interrupts } from "./interrupts.ts";
import { addLegacyLayout, type LegacyOptions } from "./layout/legacy/legacy.ts";
import { addModernLayout, type ModernOptions } from "./layout/modern/modern.ts";
import { TransportCounts } from "./transport-counts.ts";

export interface VirtioPciOptions extends ModernOptions, LegacyOptions {
  readonly layout: PciLayout;
  /** MSI-X vectors; 0 for a function without MSI-X. Default: one for the configuration and one a queue. */
  readonly vectors?: number;
  /** Where to count what the transport costs, for who wants to know. */
  readonly counts?: TransportCounts;
  readonly clock: Clock;
  readonly trace: Channel;
}

/** Which BAR holds the MSI-X table, in every layout. */
const msixBar = 1;

/** A layout is chosen here, once: nothing asks again. */
const layouts: Readonly<
  Record<
    PciLayout,
    {
      identity(device: VirtioDevice): Identity;
      add(fn: PciFunction, core: VirtioCore, options: VirtioPciOptions): void;
    }
  >
> = {
  modern: { identity: modernIdentity, add: addModernLayout },
  legacy: { identity: legacyIdentity, add: addLegacyLayout },
  transitional: {
    identity: legacyIdentity,
    add(fn, core, options) {
      addLegacyLayout(fn, core, options);
      addModernLayout(fn, core, options);
    },
  },
};

/** A virtio device as a PCI function, ready to be plugged into a bus. Its parts are all that has state. */
export function createVirtioPci(device: VirtioDevice, options: VirtioPciOptions): PciFunction {
  const { clock, trace, vectors = device.queueSizes.length + 1, counts = new TransportCounts(device.name) } = options;
  const layout = layouts[options.layout];
  const fn = new PciFunction(`${device.name}.pci`, layout.identity(device));
  const msix = vectors === 0 ? undefined : new Msix(fn, { vectors, bar: msixBar });
  const interrupts = new Interrupts(device.name, device.queueSizes.length, {
    msix,
    pin: (level) => {
      if (level && !fn.state.now.interrupt) counts.pin();
      fn.setInterrupt(level);
    },
    trace,
  });
  if (msix !== undefined) msix.onSend = () => counts.message();
  const core = new VirtioCore(device, { dma: fn.dma, clock, interrupts, counts, trace });
  for (const part of [core, ...core.parts] satisfies Device[]) fn.addPart(part);
  layout.add(fn, core, options);
  fn.addPart(counts);
  return fn;
}
