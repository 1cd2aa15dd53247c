import type { MachineSpec } from "../src/board/spec.ts";

/** A big-endian PowerPC board after the MPC8544, where everything is memory: 36 address lines, one block of registers, no port space. */
export const ppce500 = {
  name: "ppce500",
  description: "big-endian PowerPC e500mc: everything is memory",
  board: "ppce500",
  cpu: { architecture: "e500", model: "e500mc", timebaseClock: 400_000_000, clock: 400_000_000, svr: 0x8034_0110 },
  time: { nsPerInstruction: 10, epoch: 1_767_225_600 },
  memory: { base: 0, size: 0x1000_0000, minimum: 0x0400_0000, maximum: 0x8000_0000, granule: 0x0400_0000 },
  addressBits: 36,
  firmware: { image: "e500.bin", address: 0xf_fff8_0000, size: 0x8_0000 },
  kernel: "ppce500.elf",
  console: "uart0",
  ccsr: { address: 0xf_e000_0000, size: 0x10_0000 },
  devices: [
    { kind: "mpic", name: "mpic", address: 0xf_e004_0000, msiir: 0x1740, msi: 0x1600, timerClock: 400_000_000 },
    { kind: "uart16550", name: "uart0", bus: "memory", address: 0xf_e000_4500, irq: 42, clock: 400_000_000 },
    { kind: "guts", name: "guts", address: 0xf_e00e_0000 },
    { kind: "fw-cfg", name: "fw-cfg", bus: "memory", address: 0xf_e00e_8000 },
    { kind: "exit", name: "exit", bus: "memory", address: 0xf_e00f_0000 },
    { kind: "gpio", name: "gpio", address: 0xf_e00f_f000, irq: 47, powerOffPin: 0 },
    { kind: "spin-table", name: "spin-table", address: 0xf_ef00_0000 },
  ],
  pci: {
    bridge: "mpc8544",
    slot: "0.0",
    vendor: 0x1957,
    device: 0x0030,
    configAddress: 0xf_e000_8000,
    configData: 0xf_e000_8004,
    atmu: 0xf_e000_8c00,
    pcicsrbar: 0xdff0_0000,
    clock: 66_666_666,
    irq: 24,
    intxBase: 1,
    windows: {
      memory: { physical: 0xc_0000_0000, base: 0xe000_0000, size: 0x2000_0000 },
      ports: { physical: 0xf_e100_0000, base: 0, size: 0x1_0000 },
    },
    freeSlots: [1, 31],
  },
  virtio: [{ kind: "rng" }, { kind: "console" }],
  layout: "modern",
  irq: "msix",
} as const satisfies MachineSpec;

/** The same with a bridge that makes no I/O transactions, as many of its kind: legacy virtio registers are out of reach there. */
export const ppce500Noio = {
  ...ppce500,
  name: "ppce500-noio",
  description: "ppce500 whose PCI bridge has no I/O window",
  pci: { ...ppce500.pci, windows: { memory: ppce500.pci.windows.memory } },
} as const satisfies MachineSpec;
