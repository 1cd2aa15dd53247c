import type { Machine } from "../../board/machine.ts";
import { PciFunction } from "../../pci/function.ts";
import { capability, command, header, status } from "../../pci/registers.ts";

const capabilityNames: Readonly<Record<number, string>> = {
  [capability.msi]: "MSI",
  [capability.vendor]: "vendor",
  [capability.msix]: "MSI-X",
};

/** `info pci`: every function with its gates, BARs and capabilities, from the bytes as they stand: nothing is read as a guest reads it. */
export function pci({ devices }: Machine): string {
  const functions = devices.filter((device) => device instanceof PciFunction);
  return functions.map(describe).join("") || "no PCI functions\n";
}

function describe(fn: PciFunction): string {
  const bits = fn.peek(header.command, 2);
  const gates = [
    (bits & command.io) !== 0 && "ports",
    (bits & command.memory) !== 0 && "memory",
    (bits & command.busMaster) !== 0 && "bus master",
    (bits & command.interruptDisable) !== 0 && "INTx disabled",
    fn.state.now.interrupt && "interrupt wanted",
  ].filter((gate) => gate !== false);
  const identity = `${hex(fn.peek(header.vendor, 2), 4)}:${hex(fn.peek(header.device, 2), 4)}`;
  const pin = fn.interruptPin === 0 ? "" : `, INT${"?ABCD"[fn.interruptPin]}# line ${fn.peek(header.interruptLine, 1)}`;
  let text = `${fn.address} ${identity} class ${hex(fn.peek(header.classCode - 1, 4) >>> 8, 6)} ${fn.name}\n`;
  text += `  ${gates.join(", ") || "all gates closed"}${pin}\n`;
  for (const { index, kind, size } of fn.bars) {
    const at = fn.barAddress(index);
    const where = at === undefined ? "not decoded" : `at ${hex(at, 8)}`;
    text += `  BAR${index} ${kind} 0x${size.toString(16)} bytes ${where}\n`;
  }
  const list = capabilities(fn);
  return list.length === 0 ? text : `${text}  capabilities ${list.join(", ")}\n`;
}

/** PCI 3.0 section 6.7. A list has at most 48 members; a guest cannot write to the links. */
function capabilities(fn: PciFunction): string[] {
  const found: string[] = [];
  if ((fn.peek(header.status, 2) & status.capabilities) === 0) return found;
  for (let at = fn.peek(header.capabilities, 1); at >= header.end && found.length < 48; at = fn.peek(at + 1, 1)) {
    const id = fn.peek(at, 1);
    found.push(`${capabilityNames[id] ?? `0x${hex(id, 2)}`} at 0x${hex(at, 2)}`);
  }
  return found;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
