import { machines } from "../machines.ts";

/** `barzero machines`: what there is, a line each, as text. */
export function machinesCommand(): string {
  const lines: string[] = [];
  const width = Math.max(...machines.map((spec) => spec.name.length));
  for (const { name, description, memory } of machines)
    lines.push(`${name.padEnd(width)}  ${description}; ${memory.size / 2 ** 20}M of memory unless told otherwise\n`);
  return lines.join("");
}
