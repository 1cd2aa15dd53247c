import type { Cell } from "./cells.ts";
import { devices } from "./plan.ts";

/** One line of the Test Anything Protocol for a cell. */
export function tapLine(cell: Cell, number: number): string {
  const { machine, layout, ring, irq, device, messages, interrupts, setupAccesses } = cell;
  const place = `${number} - ${machine} ${layout} ${ring} ${irq} ${device}`;
  const figures = `messages=${messages} interrupts=${interrupts} setup-accesses=${setupAccesses}`;
  if (cell.skipped !== undefined) return `ok ${place} # SKIP ${cell.skipped}`;
  const name = `${cell.ok ? "ok" : "not ok"} ${place} ${figures}`;
  return cell.ok ? name : `${name} # ${cell.why?.replaceAll("#", "") ?? ""}`;
}

export function tapPlan(count: number): string {
  return `TAP version 13\n1..${count}`;
}

const widths = { machine: 14, layout: 24, ring: 8, irq: 13, device: 14 } as const;

export function tableHead(): string {
  const names = [
    "machine".padEnd(widths.machine),
    "layout".padEnd(widths.layout),
    "rings".padEnd(widths.ring),
    "interrupts".padEnd(widths.irq),
  ];
  return [
    "Of each device: messages / interrupts / register accesses from reset to DRIVER_OK, as the emulator counted them.",
    "",
    [...names, ...devices.map((device) => device.padEnd(widths.device))].join("").trimEnd(),
  ].join("\n");
}

/** A row of the table, the cells of one boot; and a line for each which is not ok. */
export function tableRow(cells: readonly Cell[]): string {
  const [first] = cells;
  if (first === undefined) return "";
  const names = [
    first.machine.padEnd(widths.machine),
    first.layout.padEnd(widths.layout),
    `${first.ring} `.padEnd(widths.ring),
    first.irq.padEnd(widths.irq),
  ];
  if (first.skipped !== undefined) return `${names.join("")}--  ${first.skipped}`;
  const figures = cells.map(({ ok, messages, interrupts, setupAccesses }) =>
    `${ok ? "ok " : "BAD"} ${messages}/${interrupts}/${setupAccesses}`.padEnd(widths.device),
  );
  const row = [...names, ...figures];
  const bad = cells.filter((cell) => !cell.ok).map((cell) => `    ${cell.device}: ${cell.why}`);
  return [row.join("").trimEnd(), ...bad].join("\n");
}

export function json(cells: readonly Cell[]): string {
  const skipped = cells.filter((cell) => cell.skipped !== undefined).length;
  const good = cells.filter((cell) => cell.ok).length;
  return JSON.stringify({ passed: good - skipped, skipped, failed: cells.length - good, cells }, undefined, 2);
}
