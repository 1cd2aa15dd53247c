import type { Saved } from "../../bus/state.ts";
import type { Debugger } from "../debugger.ts";
import { mappings, segments, translations } from "./maps.ts";
import { pci } from "./pci.ts";
import { registers } from "./registers.ts";
import { virtio } from "./virtio.ts";

/** Numbers of an array that are shown. */
const shown = 64;

/** Chips which have to do with interrupts, by the kind that begins their name. */
const interruptChips = /^(i8259|ioapic|lapic|mpic|piix3)/;

const topics: Readonly<Record<string, (debug: Debugger, rest: readonly string[]) => string>> = {
  registers: (debug) => registers(debug),
  mem: (debug) => mappings(debug),
  tlb: (debug) => translations(debug),
  pci: (debug) => pci(debug.machine),
  virtio: (debug) => virtio(debug.machine),
  irq: (debug) => irq(debug),
  mtree: (debug) => segments(debug.machine),
  devices: (debug, [name]) => devices(debug, name),
  stats: (debug) => lines(debug.machine.stats()),
};

export const infoTopics: readonly string[] = Object.keys(topics);

/** `info TOPIC`. */
export function info(debug: Debugger, [topic = "", ...rest]: readonly string[]): string {
  const tell = Object.hasOwn(topics, topic) ? topics[topic] : undefined;
  return tell?.(debug, rest) ?? `info of ${infoTopics.join(", ")}\n`;
}

function devices({ machine }: Debugger, name: string | undefined): string {
  if (name === undefined) return `${machine.devices.map((device) => device.name).join("\n")}\n`;
  const device = machine.device(name);
  return device === undefined ? `there is no device ${name.slice(0, 40)}\n` : lines(device.state.save());
}

function irq({ machine }: Debugger): string {
  let text = "";
  for (const { name, state } of machine.devices)
    if (interruptChips.test(name)) text += `${name}\n${lines(state.save(), "  ")}`;
  const { interrupts = 0, messages = 0 } = machine.stats();
  return `${text}taken ${interrupts}, messages ${messages}\n`;
}

/** A field a line. */
export function lines(fields: Saved, indent = ""): string {
  return Object.entries(fields)
    .map(([name, value]) => `${indent}${name.padEnd(24)} ${field(value)}\n`)
    .join("");
}

function field(value: Saved[string]): string {
  if (typeof value === "number") return number(value);
  if (!Array.isArray(value)) return String(value);
  const more = value.length > shown ? ` ... ${value.length} in all` : "";
  return `${value.slice(0, shown).map(number).join(" ")}${more}`;
}

/** Hexadecimal where that is what people think in. */
function number(value: number): string {
  return Number.isInteger(value) && value > 9 ? `0x${value.toString(16)}` : String(value);
}
