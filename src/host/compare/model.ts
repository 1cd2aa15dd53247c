import type { AccessCounts } from "../../virtio/transport-counts.ts";
import type { Measured, Work } from "./measure-row.ts";

/**
 * The price of an access in cycles, as QEMU's pci-testdev measured it under KVM on x86 in 2013 (QEMU commit 22773d60661): through user space,
 * and for a doorbell which the kernel catches by an eventfd. A model: nothing here is measured by this program.
 */
export const prices = {
  ports: { user: 5287, eventfd: 1762 },
  memory: { user: 8796, eventfd: 3609 },
} as const;

/** A processor of that time, in cycles a second. */
export const clockRate = 3e9;

export interface Priced {
  /** All register accesses from reset to DRIVER_OK. */
  readonly setup: number;
  /** A request's doorbells and ISR reads through user space; with an eventfd for the doorbells; and in accesses, which is what is left when both cost the same. */
  readonly user: number;
  readonly eventfd: number;
  readonly accesses: number;
}

/** What a boot's disk would have cost, of the registers of its layout alone. Undefined for a boot without figures. */
export function priced({ setup, work }: Measured, way: Work["way"], eventIndex: boolean): Priced | undefined {
  const found = work.find((each) => each.way === way && each.eventIndex === eventIndex);
  const { blk } = setup;
  if (found === undefined || blk === undefined) return undefined;
  const kind = found.accesses.ports > 0 ? "ports" : "memory";
  const accesses = found.accesses.ports + found.accesses.memory;
  const price = prices[kind];
  const others = accesses - found.doorbells;
  return {
    setup: userCycles(blk),
    user: (accesses * price.user) / found.requests,
    eventfd: (found.doorbells * price.eventfd + others * price.user) / found.requests,
    accesses: accesses / found.requests,
  };
}

export function userCycles({ ports, memory }: AccessCounts): number {
  return ports * prices.ports.user + memory * prices.memory.user;
}
