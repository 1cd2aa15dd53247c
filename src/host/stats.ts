import { createHash } from "node:crypto";
import type { Machine } from "../board/machine.ts";

/** A run in figures, one a line: the same for the same inputs. */
export function statistics(machine: Machine): string {
  const hash = createHash("sha256").update(machine.ram.contents()).digest("hex");
  const { instructions, ...rest } = machine.stats();
  const lines = Object.entries(rest).map(([name, count]) => `${name} ${count}`);
  return [`instructions ${instructions}`, `ram-sha256 ${hash}`, ...lines].map((line) => `${line}\n`).join("");
}

/**
 * What the run took of the host, each line beginning with `host-`: not the same for the same inputs.
 *
 * @param whole milliseconds from the machine's first instruction to its last; @param ran those in which it ran.
 */
export function hostFigures({ cpu }: Machine, whole: number, ran: number): string {
  const mips = (milliseconds: number) => (cpu.instructions / 1000 / milliseconds).toFixed(1);
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(3);
  const lines = [
    `seconds ${seconds(whole)}`,
    `run-seconds ${seconds(ran)}`,
    `compile-seconds ${seconds(cpu.compileTime ?? 0)}`,
    `mips ${mips(whole)}`,
    `run-mips ${mips(ran)}`,
  ];
  return lines.map((line) => `host-${line}\n`).join("");
}
