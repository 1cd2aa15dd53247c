import type { Comparison } from "./comparison.ts";
import { clockRate, prices } from "./model.ts";

/** All that was measured, and the prices of the model beside it. */
export function json(found: Comparison): string {
  const boots = found.boots.map(({ row, ...rest }) => {
    const { machine, layout, ring, irq } = row;
    return { machine, layout: layout.name, shown: layout.shown, driver: layout.driver, ring, irq, ...rest };
  });
  return JSON.stringify({ ...found, boots, model: { prices, clockRate } }, undefined, 2);
}
