import { ivor, spr } from "../../../src/cpu/e500/slots.ts";
import { b } from "./asm.ts";
import type { Bare } from "./bare.ts";

const base = 0x000f_0000;
const names: Readonly<Record<number, string>> = {
  0: "critical",
  1: "machine check",
  2: "data storage",
  3: "instruction storage",
  4: "external",
  5: "alignment",
  6: "program",
  7: "floating-point unavailable",
  8: "system call",
  10: "decrementer",
  11: "fixed interval",
  12: "watchdog",
  13: "data TLB",
  14: "instruction TLB",
  15: "debug",
  36: "doorbell",
  37: "doorbell critical",
  40: "hypervisor call",
  41: "hypervisor privilege",
};

/** Puts each interrupt at an address of its own, where it goes round and round, and tells which one the pc stands at. */
export const vectors = {
  set(m: Bare): void {
    m.set(spr.IVPR, base);
    for (let k = 0; k < 42; k++) {
      m.set(ivor[k], 0x100 + 16 * k);
      m.code(base + 0x100 + 16 * k, b(0));
    }
  },
  of(m: Bare): string | undefined {
    const offset = m.pc - base - 0x100;
    return offset >= 0 && offset < 42 * 16 && offset % 16 === 0
      ? (names[offset / 16] ?? `IVOR${offset / 16}`)
      : undefined;
  },
};
