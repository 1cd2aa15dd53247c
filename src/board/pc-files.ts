import { dsdtTable, facsTable, fadtTable, field, madtTable, rsdp, rsdtTable } from "./acpi/tables.ts";
import { Bytes } from "./bytes.ts";
import { mpField, mpTable } from "./mp-table.ts";
import type { PcSpec } from "./spec.ts";
import { TableLoader } from "./table-loader.ts";

/** The files by which the PC tells firmware, and through it the operating system, what it is made of. */
export interface FirmwareFiles {
  readonly [name: string]: Uint8Array;
}

const tablesFile = "etc/acpi/tables";
const rsdpFile = "etc/acpi/rsdp";
const mpFile = "etc/mp-table";

/** @param memory RAM in bytes. */
export function pcFirmwareFiles(spec: PcSpec, memory: number): FirmwareFiles {
  const loader = new TableLoader();
  loader.allocate(tablesFile, 64, "high").allocate(rsdpFile, 16, "fseg").allocate(mpFile, 16, "fseg");
  const acpi = acpiTables(spec, loader);
  const mp = mpTable(spec);
  loader
    .addPointer(mpFile, mpFile, mpField.pointer, 4)
    .addChecksum(mpFile, mpField.pointerChecksum, 0, mpField.pointerLength)
    .addChecksum(mpFile, mpField.tableChecksum, mpField.pointerLength, mp.length - mpField.pointerLength);
  return {
    [rsdpFile]: acpi.rsdp,
    [tablesFile]: acpi.tables,
    [mpFile]: mp,
    "etc/table-loader": loader.done(),
    "etc/e820": e820(spec, memory),
  };
}

/** The tables one after the other in one file, and the commands which make their pointers and checksums right. */
function acpiTables(spec: PcSpec, loader: TableLoader): { rsdp: Uint8Array; tables: Uint8Array } {
  const tables = new Bytes();
  // The FACS comes first: it has to lie on a multiple of 64, as the file does.
  const facs = put(tables, facsTable());
  const dsdt = place(tables, dsdtTable(spec), loader);
  const fadtBytes = fadtTable(spec, facs, dsdt);
  const fadtAt = tables.length;
  for (const [offset, size] of [
    [field.fadt.facs, 4],
    [field.fadt.dsdt, 4],
    [field.fadt.xDsdt, 8],
  ] as const)
    loader.addPointer(tablesFile, tablesFile, fadtAt + offset, size);
  const fadt = place(tables, fadtBytes, loader);
  const madt = place(tables, madtTable(spec), loader);
  const rsdtAt = tables.length;
  const entries = [fadt, madt];
  for (const i of entries.keys()) loader.addPointer(tablesFile, tablesFile, rsdtAt + field.rsdt.entries + 4 * i, 4);
  const rsdt = place(tables, rsdtTable(entries), loader);
  loader
    .addPointer(rsdpFile, tablesFile, field.rsdp.rsdt, 4)
    .addChecksum(rsdpFile, field.rsdp.checksum, 0, field.rsdp.length);
  return { rsdp: rsdp(rsdt), tables: tables.done() };
}

/** Appends and gives where. */
function put(tables: Bytes, table: Uint8Array): number {
  const at = tables.length;
  tables.add(table);
  return at;
}

/** Appends a table with a checksum, whose pointers have had their commands already. */
function place(tables: Bytes, table: Uint8Array, loader: TableLoader): number {
  const at = put(tables, table);
  loader.addChecksum(tablesFile, at + field.table.checksum, at, table.length);
  return at;
}

/** The memory map as QEMU gives it: RAM alone; what firmware keeps for itself it knows best. Type 1 is RAM. */
function e820(spec: PcSpec, memory: number): Uint8Array {
  return new Bytes().u64(spec.memory.base).u64(memory).u32(1).done();
}
