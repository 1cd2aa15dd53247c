import type { GuestMemory } from "../bus/guest-memory.ts";
import type { AddressSpace, Mapping } from "../bus/space.ts";
import type { Device } from "../bus/state.ts";
import { AcpiPm } from "../devices/acpi-pm.ts";
import { ResetControl } from "../devices/reset-ports.ts";
import { PciBus, type PciWindow } from "../pci/bus.ts";
import { I440fx } from "../pci/i440fx.ts";
import { ConfigMechanism1 } from "../pci/mechanism1.ts";
import { Piix3 } from "../pci/piix3.ts";
import { Piix4Pm } from "../pci/piix4-pm.ts";
import type { Clock } from "../time/clock.ts";
import type { Trace } from "../trace/trace.ts";
import type { Requests } from "./board.ts";
import { priority } from "./common.ts";
import { findDevice } from "./find-device.ts";
import type { PcInterrupts } from "./pc-interrupts.ts";
import type { PcMemory } from "./pc-memory.ts";
import { functionNumber, slotNumber } from "./slot.ts";
import type { PcSpec } from "./spec.ts";

export interface PciWires {
  readonly memory: AddressSpace;
  readonly ports: AddressSpace;
  readonly guest: GuestMemory;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly requests: Requests;
  readonly interrupts: PcInterrupts;
  readonly ram: PcMemory;
}

/** The host bridge with its bus, the ISA bridge which routes interrupts, and power management. */
export class PcPci {
  readonly bus: PciBus;
  /** What has a state here and is not plugged into the bus. */
  readonly devices: readonly Device[];

  constructor(spec: PcSpec, wires: PciWires) {
    const { ports, requests, interrupts, ram } = wires;
    const { power, isa, configAddress } = spec.pci;
    const host = new I440fx((segment, readRam, writeRam) => ram.turn(segment, readRam, writeRam));
    const piix3 = new Piix3((irq) => interrupts.isa(irq));
    this.bus = new PciBus({
      name: "pci",
      memory: wires.memory,
      ports,
      guest: wires.guest,
      // All that is neither RAM nor a chip goes to PCI, as on the 82441FX; the ISA bridge takes what is left (its data sheet, section 4.1).
      windows: [everything("memory", wires.memory), everything("io", ports)],
      intx: (device, pin) => piix3.intx(device, pin),
      trace: wires.trace.channel("pci"),
    });
    const pm = new AcpiPm({
      clock: wires.clock,
      sci: interrupts.isa(power.sci),
      powerOff: () => requests.exit(0),
      trace: wires.trace.channel("acpi"),
      s5: power.s5,
      acpiEnable: power.acpiEnable,
      acpiDisable: power.acpiDisable,
    });
    // Firmware says where the ports are; until then they are nowhere.
    const block: Mapping = ports.map(power.address, 64, pm.registers, {
      name: "acpi-pm",
      priority: priority.chip,
      enabled: false,
    });
    const piix4 = new Piix4Pm((base, enabled) => block.update({ base, enabled: enabled && base !== 0 }));
    const reset = new ResetControl({ reset: () => requests.reset("the reset control register") });
    const config = new ConfigMechanism1(this.bus, reset.registers);
    ports.map(configAddress, 8, config, { name: "pci configuration", priority: priority.chip });
    ports.map(power.smiCommand, 2, pm.smiCommand, { name: "smi command", priority: priority.chip });
    findDevice(spec, "reset-control");

    const plug = (slot: string, fn: Parameters<PciBus["plug"]>[2]) =>
      this.bus.plug(slotNumber(slot), functionNumber(slot), fn);
    plug(spec.pci.slot, host.function);
    plug(isa.slot, piix3.function);
    plug(power.slot, piix4.function);
    this.devices = [config, reset, pm];
  }

  /** Counters of the way from devices to memory. */
  counts(): Record<string, number> {
    const { messagesSent, messagesDropped, refused } = this.bus.path.state.now;
    return { messages: messagesSent, "messages-dropped": messagesDropped, "dma-refused": refused };
  }
}

function everything(kind: "memory" | "io", { size }: AddressSpace): PciWindow {
  return { kind, bus: 0, cpu: 0, size };
}
