import type { Device } from "../bus/state.ts";
import type { BusTarget } from "../bus/target.ts";
import { type Identity, PciFunction } from "../pci/function.ts";
import { Msix } from "../pci/msix.ts";
import type { Clock } from "../time/clock.ts";
import type { Channel } from "../trace/trace.ts";
import { VirtioCore } from "./core.ts";
import type { VirtioDevice } from "./device.ts";
import { legacyIdentity, modernIdentity, overlayIdentity, type PciLayout } from "./identity.ts";
import { Interrupts } from "./interrupts.ts";
import { addLegacyLayout, type LegacyOptions } from "./layout/legacy/legacy.ts";
import { ModernLatch } from "./layout/modern/latch.ts";
import { addModernLayout, type ModernOptions } from "./layout/modern/modern.ts";
import { addOverlayLayout, type OverlayOptions } from "./layout/overlay/overlay.ts";
import { overlayBar } from "./layout/overlay/registers.ts";
import { TransportCounts } from "./transport-counts.ts";

export interface VirtioPciOptions extends LegacyOptions, OverlayOptions, ModernOptions {
  readonly layout: PciLayout;
  /** MSI-X vectors; 0 for a function without MSI-X. Default: what the device says, or one for the configuration and one a queue. */
  readonly vectors?: number;
  /** Whether packed rings are offered, where the layout can say so. Default false. */
  readonly packed?: boolean;
  /** Where to count what the transport costs, for who wants to know. */
  readonly counts?: TransportCounts;
  readonly clock: Clock;
  readonly trace: Channel;
}

/** Which BAR holds the MSI-X table, in layouts which leave it free. */
const msixBar = 1;

type Through = (target: BusTarget) => BusTarget;

interface LayoutRow {
  identity(device: VirtioDevice): Identity;
  readonly msixBar: number;
  /** Adds what of the layout there is in the spaces which its registers may be in. */
  add(fn: PciFunction, core: VirtioCore, options: VirtioPciOptions): void;
}

/** A layout is chosen here, once: nothing asks again. */
const layouts: Readonly<Record<PciLayout, LayoutRow>> = {
  legacy: { identity: legacyIdentity, msixBar, add: addLegacy },
  overlay: { identity: overlayIdentity, msixBar: overlayBar.msix, add: addOverlayLayout },
  "overlay-legacy": { identity: legacyIdentity, msixBar: overlayBar.msix, add: addOverlayLayout },
  modern: { identity: modernIdentity, msixBar, add: addModernLayout },
  "modern-latched": {
    identity: legacyIdentity,
    msixBar,
    add(fn, core, options) {
      const latch = new ModernLatch(core.device.name, core.trace);
      fn.addPart(latch);
      addLegacy(fn, core, options, (target) => latch.gated(target));
      addModernLayout(fn, core, options, (target) => latch.setting(target));
    },
  },
  transitional: {
    identity: legacyIdentity,
    msixBar,
    add(fn, core, options) {
      addLegacy(fn, core, options);
      addModernLayout(fn, core, options);
    },
  },
};

/** Legacy lives in ports (virtio 1.2 section 4.1.4.10): where there are none, it is not there. */
function addLegacy(fn: PciFunction, core: VirtioCore, options: VirtioPciOptions, through?: Through): void {
  if (options.space !== "memory") addLegacyLayout(fn, core, options, through);
}

/** A virtio device as a PCI function, ready to be plugged into a bus. Its parts are all that has state. */
export function createVirtioPci(device: VirtioDevice, options: VirtioPciOptions): PciFunction {
  const {
    clock,
    trace,
    packed,
    vectors = device.vectors ?? device.queueSizes.length + 1,
    counts = new TransportCounts(device.name),
  } = options;
  const layout = layouts[options.layout];
  const fn = new PciFunction(`${device.name}.pci`, layout.identity(device));
  const msix = vectors === 0 ? undefined : new Msix(fn, { vectors, bar: layout.msixBar });
  const interrupts = new Interrupts(device.name, device.queueSizes.length, {
    msix,
    pin: (level) => {
      if (level && !fn.state.now.interrupt) counts.pin();
      fn.setInterrupt(level);
    },
    trace,
  });
  if (msix !== undefined) {
    msix.onSend = () => {
      counts.message();
      counts.observer?.message();
    };
    msix.onAccess = () => counts.access("table");
  }
  fn.onConfig = (offset, width, written) => {
    counts.access("config");
    counts.observer?.config(offset, width, written);
  };
  const core = new VirtioCore(device, { dma: fn.dma, clock, interrupts, counts, trace, packed });
  for (const part of [core, ...core.parts] satisfies Device[]) fn.addPart(part);
  layout.add(fn, core, options);
  fn.addPart(counts);
  return fn;
}
