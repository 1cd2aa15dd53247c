import type { Comparison } from "../comparison.ts";
export function page(_found: Comparison): string {
  return "";
}
