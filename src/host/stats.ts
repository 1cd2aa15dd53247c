import { createHash } from "node:crypto";
import type { Machine } from "../board/machine.ts";

/** A run in figures, one a line: the same for the same inputs. */
export function statistics(machine: Machine): string {
  const hash = createHash("sha256").update(machine.ram.contents()).digest("hex");
  const { instructions, ...rest } = machine.stats();
  const lines = Object.entries(rest).map(([name, count]) => `${name} ${count}`);
  return [`instructions ${instructions}`, `ram-sha256 ${hash}`, ...lines].map((line) => `${line}\n`).join("");
}
