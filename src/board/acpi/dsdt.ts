import { pirqOf } from "../../pci/piix3.ts";
import { slotNumber } from "../slot.ts";
import type { PcSpec } from "../spec.ts";
import {
  type Aml,
  and,
  arg0,
  byteFields,
  device,
  dwordField,
  eisaId,
  integer,
  method,
  named,
  or,
  packageOf,
  path,
  pciConfigRegion,
  returns,
  scope,
  store,
  when,
} from "./aml.ts";
import { buses, isaIrq, memoryWindow, ports, portWindow, resources, sharedInterrupts } from "./resources.ts";

/** The four links and the fields of the ISA bridge which route them. */
const links = ["LNKA", "LNKB", "LNKC", "LNKD"] as const;
const routes = ["PRQA", "PRQB", "PRQC", "PRQD"] as const;

/** What the operating system has to know of the PC beyond what it can probe: its PCI bus, the interrupt routing, S5. */
export function dsdt(spec: PcSpec): Aml {
  return [
    ...scope("\\_SB", pciBus(spec), ...links.map((_, i) => link(spec, i))),
    // PM1a and PM1b values of SLP_TYP, and two reserved elements (ACPI 6.4 section 7.4.2).
    ...named("\\_S5", packageOf(integer(spec.pci.power.s5), integer(spec.pci.power.s5), integer(0), integer(0))),
  ];
}

function pciBus(spec: PcSpec): Aml {
  const { memory, memory64, ports: io } = spec.pci.windows;
  return device(
    "PCI0",
    named("_HID", eisaId("PNP0A03")),
    named("_ADR", integer(0)),
    named("_UID", integer(0)),
    named(
      "_CRS",
      resources(
        buses(0, 255),
        ports(spec.pci.configAddress, 8),
        portWindow(io.base, io.base + io.size - 1),
        memoryWindow(memory.base, memory.size),
        memoryWindow(memory64.base, memory64.size),
      ),
    ),
    named("_PRT", routingTable(spec)),
    isaBridge(spec),
  );
}

/** Which link each slot's pins lead to (section 6.2.13): address with all functions, pin from 0, link, 0. */
function routingTable(spec: PcSpec): Aml {
  const rows: Aml[] = [];
  const [first, last] = spec.pci.freeSlots;
  const slots = [slotNumber(spec.pci.isa.slot)];
  for (let slot = first; slot <= last; slot++) slots.push(slot);
  for (const slot of slots) {
    for (let pin = 0; pin < 4; pin++) {
      const link = path(`\\_SB.${links[pirqOf(slot, pin + 1)]}`);
      rows.push(packageOf(integer(slot * 0x10000 + 0xffff), integer(pin), link, integer(0)));
    }
  }
  return packageOf(...rows);
}

/** The ISA bridge with its route registers, and the chips behind it which drivers ask ACPI for. */
function isaBridge(spec: PcSpec): Aml {
  const children: Aml[] = [];
  for (const chip of spec.devices) {
    if (chip.kind === "uart16550" && chip.bus === "ports") {
      const number = children.length + 1;
      children.push(
        device(
          `COM${number}`,
          named("_HID", eisaId("PNP0501")),
          named("_UID", integer(number)),
          named("_CRS", resources(ports(chip.address, 8), isaIrq(chip.irq))),
        ),
      );
    }
  }
  for (const chip of spec.devices) {
    if (chip.kind !== "mc146818") continue;
    const crs = resources(ports(chip.address, 2), isaIrq(chip.irq));
    children.push(device("RTC", named("_HID", eisaId("PNP0B00")), named("_CRS", crs)));
  }
  return device(
    "ISA",
    named("_ADR", integer(slotNumber(spec.pci.isa.slot) * 0x10000)),
    pciConfigRegion("PIRQ", spec.pci.isa.pirqRegisters, 4),
    byteFields("PIRQ", routes),
    ...children,
  );
}

/** A PCI interrupt link (section 6.2.13.1), which reads and writes its PIIX3 route register. Bit 7 there disables it. */
function link(spec: PcSpec, index: number): Aml {
  const route = path(`\\_SB.PCI0.ISA.${routes[index]}`);
  const possible = [...new Set(spec.pci.isa.pirqs)].sort((a, b) => a - b);
  return device(
    links[index] as string,
    named("_HID", eisaId("PNP0C0F")),
    named("_UID", integer(index + 1)),
    named("_PRS", resources(sharedInterrupts(...possible))),
    method("_STA", 0, when(and(route, integer(0x80)), returns(integer(9))), returns(integer(0xb))),
    method("_DIS", 0, or(route, integer(0x80), route)),
    method(
      "_CRS",
      0,
      named("BUF", resources(sharedInterrupts(0))),
      dwordField(path("BUF"), 5, "IRQN"),
      and(route, integer(0xf), path("IRQN")),
      returns(path("BUF")),
    ),
    method("_SRS", 1, dwordField(arg0, 5, "IRQN"), store(path("IRQN"), route)),
  );
}
