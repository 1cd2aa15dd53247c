import { Bytes } from "../bytes.ts";
import { findDevice } from "../find-device.ts";
import type { PcSpec } from "../spec.ts";
import { dsdt } from "./dsdt.ts";

/** Where fields of the tables lie which the loader has to fix (ACPI 6.4 sections 5.2.5 to 5.2.9). */
export const field = {
  rsdp: { length: 20, checksum: 8, rsdt: 16 },
  table: { checksum: 9 },
  rsdt: { entries: 36 },
  fadt: { facs: 36, dsdt: 40, xDsdt: 140 },
} as const;

/** A system description table: header, then its body. The checksum is the loader's to fill in. */
function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  return new Bytes()
    .text(signature, 4)
    .u32(36 + body.length)
    .u8(revision, 0)
    .text("BARZER", 6)
    .text("BARZERO", 8, 0x20)
    .u32(1)
    .text("BRZR", 4)
    .u32(1)
    .add(body)
    .done();
}

/** The differentiated system description table, which holds the AML. Revision 1: integers are 32 bits wide. */
export function dsdtTable(spec: PcSpec): Uint8Array {
  return table("DSDT", 1, Uint8Array.from(dsdt(spec)));
}

/** The firmware control structure (5.2.10): aligned to 64 bytes, no checksum. */
export function facsTable(): Uint8Array {
  return new Bytes().text("FACS", 4).u32(64).zero(24).u8(1).zero(31).done();
}

/** The root table: a 32-bit pointer for each of `count` tables, to be filled in by the loader. */
export function rsdtTable(offsets: readonly number[]): Uint8Array {
  const body = new Bytes();
  for (const offset of offsets) body.u32(offset);
  return table("RSDT", 1, body.done());
}

/** The root pointer of ACPI 1.0 (5.2.5.3), 20 bytes. */
export function rsdp(rsdtOffset: number): Uint8Array {
  return new Bytes().text("RSD PTR ", 8).u8(0).text("BARZER", 6).u8(0).u32(rsdtOffset).done();
}

/** A generic address of `bits` bits in port space (5.2.3.2); zeros for a block that is absent. */
function generic(bytes: Bytes, address: number, bits: number): void {
  bytes.u8(address === 0 ? 0 : 1, address === 0 ? 0 : bits, 0, 0).u64(address);
}

/** Flags of the FADT (table 5.10). */
const wbinvd = 1 << 0;
const procC1 = 1 << 2;
const powerButtonIsDevice = 1 << 4;
const sleepButtonIsDevice = 1 << 5;
const resetRegister = 1 << 10;

/** PM1 event, PM1 control, timer and GPE0 blocks inside of PIIX4's 64 ports (82371AB datasheet section 7.2). */
const pmBlocks = { event: 0, control: 4, timer: 8, gpe0: 0xc } as const;

/** The fixed description table, revision 3 (5.2.9). */
export function fadtTable(spec: PcSpec, facsOffset: number, dsdtOffset: number): Uint8Array {
  const { address, sci, smiCommand, acpiEnable, acpiDisable } = spec.pci.power;
  const reset = findDevice(spec, "reset-control").address;
  const event = address + pmBlocks.event;
  const control = address + pmBlocks.control;
  const timer = address + pmBlocks.timer;
  const gpe0 = address + pmBlocks.gpe0;
  const bytes = new Bytes()
    .u32(facsOffset)
    .u32(dsdtOffset)
    .u8(0, 0)
    .u16(sci)
    .u32(smiCommand)
    .u8(acpiEnable, acpiDisable, 0, 0)
    .u32(event)
    .u32(0)
    .u32(control)
    .u32(0)
    .u32(0)
    .u32(timer)
    .u32(gpe0)
    .u32(0)
    .u8(4, 2, 0, 4, 4, 0, 0, 0)
    // No C2 and C3: latencies past what the states may have.
    .u16(0xfff)
    .u16(0xfff)
    .zero(4)
    // Duty cycle, alarms; the century lies in CMOS byte 0x32.
    .u8(0, 0, 0, 0, 0x32)
    // Legacy devices are there; a keyboard is not.
    .u16(1)
    .u8(0)
    .u32(wbinvd | procC1 | powerButtonIsDevice | sleepButtonIsDevice | resetRegister);
  generic(bytes, reset, 8);
  // What resets: hard reset with the processor (PIIX3 datasheet section 2.3.6).
  bytes.u8(6).zero(3).u64(0).u64(dsdtOffset);
  generic(bytes, event, 32);
  generic(bytes, 0, 0);
  generic(bytes, control, 16);
  generic(bytes, 0, 0);
  generic(bytes, 0, 0);
  generic(bytes, timer, 32);
  generic(bytes, gpe0, 32);
  generic(bytes, 0, 0);
  return table("FACP", 3, bytes.done());
}

/** The polarity and trigger of an interrupt (table 5.26): active high, level. */
const activeHighLevel = 0b1101;

/** The interrupt controllers (5.2.12). ISA interrupts are where they are on the 8259s, but for the timer, and for those which PCI and SCI share. */
export function madtTable(spec: PcSpec): Uint8Array {
  const lapic = findDevice(spec, "lapic");
  const ioapic = findDevice(spec, "ioapic");
  const timer = findDevice(spec, "i8254");
  const cascade = findDevice(spec, "i8259").cascade;
  const bytes = new Bytes()
    .u32(lapic.address)
    // PCAT_COMPAT: there are 8259s too.
    .u32(1)
    .u8(0, 8, 0, lapic.id)
    .u32(1)
    .u8(1, 12, ioapic.id, 0)
    .u32(ioapic.address)
    .u32(0);
  const override = (irq: number, gsi: number, flags: number) => bytes.u8(2, 10, 0, irq).u32(gsi).u16(flags);
  // The input of the cascade is free on an IO-APIC, and boards give it to the timer.
  override(timer.irq, cascade, 0);
  for (const irq of levelInterrupts(spec)) override(irq, irq, activeHighLevel);
  // LINT1 of every processor takes NMI.
  bytes.u8(4, 6, 0xff).u16(0).u8(1);
  return table("APIC", 1, bytes.done());
}

/** The ISA interrupts which are level-triggered: PCI's and the SCI. */
export function levelInterrupts(spec: PcSpec): readonly number[] {
  return [...new Set([spec.pci.power.sci, ...spec.pci.isa.pirqs])].sort((a, b) => a - b);
}
