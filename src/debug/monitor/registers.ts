import type { Debugger } from "../debugger.ts";

const columns = 4;

/** `info registers`: all of them in gdb's order, and what the processor is doing. */
export function registers({ machine, target, symbols, stopped }: Debugger): string {
  const { cpu } = machine;
  const doing = stopped ? "held" : cpu.halted ? "waits for an interrupt" : "running";
  let text = `pc ${hex(BigInt(target.pc), 32)}${symbols.label(target.pc)}, ${doing}, ${cpu.instructions} instructions\n`;
  let column = 0;
  for (const { name, bits, read } of target.registers) {
    const wide = bits > 32;
    if (column > 0 && (column === columns || wide)) {
      text += "\n";
      column = 0;
    }
    text += `${column > 0 ? "  " : ""}${name.padEnd(10)} ${hex(read(), bits)}`;
    column = wide ? columns : column + 1;
  }
  return `${text}\n`;
}

function hex(value: bigint, bits: number): string {
  return value.toString(16).padStart(bits / 4, "0");
}
