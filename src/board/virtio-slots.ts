import type { PciBus } from "../pci/bus.ts";
import type { Clock, Holds } from "../time/clock.ts";
import type { Trace } from "../trace/trace.ts";
import { Blk } from "../virtio/device/blk/blk.ts";
import type { VirtioDevice } from "../virtio/device.ts";
import { createVirtioPci, type VirtioPciOptions } from "../virtio/pci.ts";
import { type IrqMode, type Layout, MachineError, type MachineOptions } from "./options.ts";
import type { MachineSpec } from "./spec.ts";

/** MSI-X vectors: none, one that all share, or one for the configuration and one a queue, which is the default of a function. */
const vectors: Readonly<Record<IrqMode, number | undefined>> = { intx: 0, "msix-shared": 1, msix: undefined };

/** Puts the virtio devices of a machine into free slots of its bus: the n-th drive takes the n-th one. */
export class VirtioSlots {
  readonly #spec: MachineSpec;
  readonly #options: MachineOptions;
  readonly #bus: PciBus;
  readonly #clock: Clock & Holds;
  readonly #trace: Trace;
  readonly #more: Pick<VirtioPciOptions, "guestOrder">;
  #slot: number;

  /** @param more what depends on the processor: the byte order which the legacy layout follows. */
  constructor(
    spec: MachineSpec,
    options: MachineOptions,
    wires: { bus: PciBus; clock: Clock & Holds; trace: Trace; more?: Pick<VirtioPciOptions, "guestOrder"> },
  ) {
    this.#spec = spec;
    this.#options = options;
    this.#bus = wires.bus;
    this.#clock = wires.clock;
    this.#trace = wires.trace;
    this.#more = wires.more ?? {};
    this.#slot = spec.pci.freeSlots[0];
  }

  /** The drives, then the devices which the machine always has. */
  plugAll(): void {
    for (const [i, drive] of (this.#options.drives ?? []).entries()) {
      const wires = { clock: this.#clock, trace: this.#trace.channel("virtio") };
      this.#plug(new Blk(`blk${i}`, { disk: drive.backend, ...wires }), drive.layout, drive.irq);
    }
  }

  #plug(device: VirtioDevice, ownLayout: Layout | undefined, ownIrq: IrqMode | undefined): void {
    const layout = ownLayout ?? this.#options.layout ?? this.#spec.layout;
    const irq = ownIrq ?? this.#options.irq ?? this.#spec.irq;
    if (layout === "overlay")
      throw new MachineError("layout overlay: it is not there yet; take legacy, modern or transitional");
    while (this.#bus.at(this.#slot, 0) !== undefined) this.#slot++;
    if (this.#slot > this.#spec.pci.freeSlots[1])
      throw new MachineError(`machine ${this.#spec.name} has no free slot for ${device.name}: take fewer drives`);
    const fn = createVirtioPci(device, {
      layout,
      vectors: vectors[irq],
      clock: this.#clock,
      trace: this.#trace.channel("virtio"),
      ...this.#more,
    });
    this.#bus.plug(this.#slot, 0, fn);
  }
}
