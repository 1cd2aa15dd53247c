import { CharacterFifo, sinkTo } from "../backend/character.ts";
import { SeededEntropy } from "../backend/entropy.ts";
import { unplugged } from "../backend/network.ts";
import type { PciBus } from "../pci/bus.ts";
import type { Clock, Holds } from "../time/clock.ts";
import type { Trace } from "../trace/trace.ts";
import { Blk } from "../virtio/device/blk/blk.ts";
import { VirtioConsole } from "../virtio/device/console/console.ts";
import { VirtioNet } from "../virtio/device/net/net.ts";
import { Rng } from "../virtio/device/rng.ts";
import type { VirtioDevice } from "../virtio/device.ts";
import { createVirtioPci, type VirtioPciOptions } from "../virtio/pci.ts";
import { accessKinds, TransportCounts } from "../virtio/transport-counts.ts";
import { type IrqMode, type Layout, MachineError, type MachineOptions, type RingFormat } from "./options.ts";
import type { MachineSpec, VirtioSpec } from "./spec.ts";

/** MSI-X vectors: none; one for the configuration and one which all queues share; or one for the configuration and one a queue. */
const vectors: Readonly<Record<IrqMode, number | undefined>> = { intx: 0, "msix-shared": 2, msix: undefined };

/**
 * The largest ring of a disk. Where the guest chooses there may be more than it wants; a legacy driver must take what it is told, and
 * firmware exists which gives up above 256.
 */
const diskRing: Readonly<Record<Layout, number>> = {
  legacy: 256,
  overlay: 1024,
  "overlay-legacy": 256,
  modern: 1024,
  "modern-latched": 256,
  transitional: 256,
};

/** What everything random comes from when nobody says. */
const usualSeed = 1;

/** What a device says of itself; the machine says the rest. */
interface Own {
  readonly layout?: Layout;
  readonly irq?: IrqMode;
  readonly ring?: RingFormat;
}

/** Locally administered (IEEE 802-2014 section 8.4): the card's number in its machine, then its place in the network. */
function usualMac(number: number, station: number): Uint8Array {
  return Uint8Array.of(0x02, 0xba, 0x20, number, station >>> 8, station);
}

function parseMac(text: string): Uint8Array {
  return Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16));
}

/** Puts the virtio devices of a machine into free slots of its bus: the n-th drive takes the n-th one. */
export class VirtioSlots {
  readonly #spec: MachineSpec;
  readonly #options: MachineOptions;
  readonly #bus: PciBus;
  readonly #clock: Clock & Holds;
  readonly #trace: Trace;
  readonly #more: Pick<VirtioPciOptions, "guestOrder">;
  readonly #counts = new Map<string, TransportCounts>();
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

  /** The drives, the networks which the machine has no card for, then the devices which it always has. */
  plugAll(): void {
    for (const [i, drive] of (this.#options.drives ?? []).entries()) {
      const queueSize = diskRing[this.#layout(drive.layout)];
      const wires = { clock: this.#clock, trace: this.#trace.channel("virtio"), queueSize };
      this.#plug(new Blk(`blk${i}`, { disk: drive.backend, ...wires }), drive);
    }
    const described = this.#spec.virtio ?? [];
    const cards = described.filter(({ kind }) => kind === "net").length;
    for (let i = cards; i < (this.#options.networks ?? []).length; i++) this.#plugNetwork(i, {});
    const made = { console: 0, rng: 0, net: 0 };
    for (const own of described) {
      const number = made[own.kind]++;
      if (own.kind === "net") this.#plugNetwork(number, own);
      else this.#plug(this.#make(own.kind, number), own);
    }
  }

  /** The guest has left: machines at the same hub do not wait for this one any more. */
  close(): void {
    for (const { backend } of this.#options.networks ?? []) backend.close();
  }

  /** What each device's transport has cost, by the device's name. */
  counts(): Record<string, number> {
    return Object.fromEntries(
      [...this.#counts].flatMap(([name, { messages, pins, doorbells, setup, setupAccesses, accesses }]) => [
        [`${name}.messages`, messages],
        [`${name}.pins`, pins],
        [`${name}.doorbells`, doorbells],
        [`${name}.setup-accesses`, setup],
        ...accessKinds.map((kind) => [`${name}.setup-${kind}`, setupAccesses[kind]]),
        ...accessKinds.map((kind) => [`${name}.${kind}`, accesses[kind]]),
      ]),
    );
  }

  #layout(own: Layout | undefined): Layout {
    return own ?? this.#options.layout ?? this.#spec.layout;
  }

  #make(kind: "console" | "rng", number: number): VirtioDevice {
    const { seed = usualSeed, virtioConsole } = this.#options;
    if (kind === "rng") {
      const entropy = new SeededEntropy((seed + number) >>> 0);
      return new Rng(`rng${number}`, { entropy, clock: this.#clock });
    }
    const joined = number === 0 ? virtioConsole : undefined;
    return new VirtioConsole(`console${number}`, joined ?? { output: sinkTo(() => {}), input: new CharacterFifo() });
  }

  /** @param card what the description says of it. */
  #plugNetwork(number: number, card: Partial<Extract<VirtioSpec, { kind: "net" }>>): void {
    const given = this.#options.networks?.[number];
    const network = given?.backend ?? unplugged();
    const mac = given?.mac ?? (card.mac === undefined ? usualMac(number, network.station) : parseMac(card.mac));
    const wires = { network, clock: this.#clock, trace: this.#trace.channel("virtio"), mac, mtu: card.mtu };
    this.#plug(new VirtioNet(`net${number}`, wires), {
      layout: given?.layout ?? card.layout,
      irq: given?.irq ?? card.irq,
      ring: given?.ring ?? card.ring,
    });
  }

  #plug(device: VirtioDevice, own: Own): void {
    const layout = this.#layout(own.layout);
    const irq = own.irq ?? this.#options.irq ?? this.#spec.irq;
    const ring = own.ring ?? this.#options.ring ?? this.#spec.ring ?? "split";
    while (this.#bus.at(this.#slot, 0) !== undefined) this.#slot++;
    if (this.#slot > this.#spec.pci.freeSlots[1])
      throw new MachineError(
        `machine ${this.#spec.name} has no free slot for ${device.name}: take fewer drives or networks`,
      );
    const counts = new TransportCounts(device.name);
    this.#counts.set(device.name, counts);
    const fn = createVirtioPci(device, {
      layout,
      space: this.#spec.virtioSpace,
      counts,
      vectors: vectors[irq],
      packed: ring === "packed",
      clock: this.#clock,
      trace: this.#trace.channel("virtio"),
      ...this.#more,
    });
    this.#bus.plug(this.#slot, 0, fn);
  }
}
