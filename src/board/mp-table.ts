import { pirqOf } from "../pci/piix3.ts";
import { levelInterrupts } from "./acpi/tables.ts";
import { Bytes } from "./bytes.ts";
import { findDevice } from "./find-device.ts";
import { slotNumber } from "./slot.ts";
import type { PcSpec } from "./spec.ts";

/** Fields of the table which the loader has to fix (MP 1.4 sections 4.1 and 4.2). The table follows its pointer. */
export const mpField = { pointer: 4, pointerChecksum: 10, pointerLength: 16, tableChecksum: 16 + 7 } as const;

/** Entry types (section 4.3). */
const processorEntry = 0;
const busEntry = 1;
const ioApicEntry = 2;
const ioInterruptEntry = 3;
const localInterruptEntry = 4;

/** Interrupt types (table 4-10). */
const vectored = 0;
const nmi = 1;
const extInt = 3;

/** Polarity and trigger: as the bus has it, or active high and level. */
const conforms = 0;
const activeHighLevel = 0b1101;

const pciBus = 0;
const isaBus = 1;

/** The Intel MP tables for an operating system without ACPI: the floating pointer and, behind it, the configuration table. */
export function mpTable(spec: PcSpec): Uint8Array {
  const lapic = findDevice(spec, "lapic");
  const ioapic = findDevice(spec, "ioapic");
  const timer = findDevice(spec, "i8254");
  const cascade = findDevice(spec, "i8259").cascade;
  const entries = new Bytes();
  let count = 0;
  const entry = (type: number): Bytes => {
    count++;
    return entries.u8(type);
  };
  // Enabled, and the one which boots. Signature and feature flags as CPUID gives them, a P6 with an APIC and an FPU.
  entry(processorEntry).u8(lapic.id, 0x14, 0b11).u32(0x0619).u32(0x0201).zero(8);
  entry(busEntry).u8(pciBus).text("PCI", 6, 0x20);
  entry(busEntry).u8(isaBus).text("ISA", 6, 0x20);
  entry(ioApicEntry).u8(ioapic.id, 0x11, 1).u32(ioapic.address);

  const interrupt = (type: number, flags: number, bus: number, source: number, pin: number) =>
    entry(ioInterruptEntry).u8(type).u16(flags).u8(bus, source, ioapic.id, pin);
  // ISA first: readers with room for few entries need the timer more than an empty slot.
  const level = levelInterrupts(spec);
  for (let irq = 0; irq < 16; irq++) {
    if (irq === cascade) continue;
    const pin = irq === timer.irq ? cascade : irq;
    interrupt(vectored, level.includes(irq) ? activeHighLevel : conforms, isaBus, irq, pin);
  }
  const [first, last] = spec.pci.freeSlots;
  const slots = new Set([slotNumber(spec.pci.isa.slot)]);
  for (let slot = first; slot <= last; slot++) slots.add(slot);
  for (const slot of slots)
    for (let pin = 0; pin < 4; pin++) {
      const irq = spec.pci.isa.pirqs[pirqOf(slot, pin + 1)] as number;
      interrupt(vectored, activeHighLevel, pciBus, (slot << 2) | pin, irq);
    }
  entry(localInterruptEntry).u8(extInt).u16(conforms).u8(isaBus, 0, lapic.id, 0);
  entry(localInterruptEntry).u8(nmi).u16(conforms).u8(isaBus, 0, 0xff, 1);

  return (
    new Bytes()
      // The pointer holds the offset of the table; a default configuration byte of 0 says that there is one, and IMCR is absent.
      .text("_MP_", 4)
      .u32(mpField.pointerLength)
      .u8(1, 4, 0)
      .zero(5)
      .text("PCMP", 4)
      .u16(44 + entries.length)
      .u8(4, 0)
      .text("BARZERO", 8, 0x20)
      .text(spec.name.toUpperCase(), 12, 0x20)
      .u32(0)
      .u16(0)
      .u16(count)
      .u32(lapic.address)
      .zero(4)
      .add(entries.done())
      .done()
  );
}
