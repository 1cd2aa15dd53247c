import type { Machine } from "../board/machine.ts";
import type { Slot } from "../ir/slots.ts";
import { seen } from "./seen.ts";

/**
 * What became of the guest's instruction at a linear address, as it is mapped now: of each region of translated code that holds it, block by block, the guest's
 * instructions beside their IR beside their WebAssembly; where no region does, what the interpreter does for it. The machine is not changed. The same run gives
 * the same text.
 *
 * Instructions are in our decoder's words, the name of a form and its operands: this is no assembler's syntax.
 *
 * @throws Error for a machine whose processor no debugger knows.
 */
export function dumpRegion(machine: Machine, address: number): string {
  const { cpu, target } = seen(machine);
  const at = `0x${(address >>> 0).toString(16)}`;
  const physical = target.physical(address >>> 0);
  if (physical === undefined) return `${at} is not mapped\n`;
  const found = cpu.engine.list(address >>> 0, physical, namer(cpu.front.stateSlots));
  if (found.length === 0) return `no code was run at ${at}\n`;
  return found.map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** Names for bytes of the state: that of the slot, or of the slot with the byte in it. */
function namer(slots: readonly Slot[]): (offset: number) => string | undefined {
  const names = new Map<number, string>();
  for (const { name, offset, width } of slots)
    for (let byte = 0; byte < width; byte++) names.set(offset + byte, byte === 0 ? name : `${name}.${byte}`);
  return (offset) => names.get(offset);
}
