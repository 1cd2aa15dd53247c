import type { MachineSpec } from "../src/board/spec.ts";

/** An x86 PC of the i440FX and PIIX3 kind, with ports. The numbers are those which SeaBIOS and Linux know this board by. */
export const pc = {
  name: "pc",
  description: "x86 PC: i440FX, PIIX3, 8259 and APIC, a port space",
  board: "pc",
  cpu: { architecture: "x86", model: "pentium-m", tscClock: 1_000_000_000 },
  time: { nsPerInstruction: 10, epoch: 1_767_225_600 },
  memory: { base: 0, size: 0x0800_0000, minimum: 0x0080_0000, maximum: 0x8000_0000, granule: 0x10_0000 },
  addressBits: 36,
  firmware: {
    image: "pc.bin",
    address: 0xfffc_0000,
    size: 0x4_0000,
    most: 0x80_0000,
    alias: { address: 0xe_0000, size: 0x2_0000 },
  },
  kernel: "pc.elf",
  console: "uart0",
  devices: [
    { kind: "i8254", name: "i8254", address: 0x40, irq: 0, clock: 1_193_182, systemControl: 0x61 },
    { kind: "i8259", name: "i8259", master: 0x20, slave: 0xa0, cascade: 2, elcr: 0x4d0 },
    { kind: "i8042", name: "i8042", data: 0x60, command: 0x64, irq: 1, fastA20: 0x92 },
    { kind: "mc146818", name: "mc146818", address: 0x70, irq: 8 },
    { kind: "uart16550", name: "uart0", bus: "ports", address: 0x3f8, irq: 4, clock: 1_843_200 },
    { kind: "post-code", name: "post-code", address: 0x80 },
    { kind: "debug-console", name: "debug-console", address: 0x402 },
    { kind: "fw-cfg", name: "fw-cfg", bus: "ports", address: 0x510 },
    { kind: "coprocessor-error", name: "coprocessor-error", address: 0xf0, irq: 13 },
    { kind: "exit", name: "exit", bus: "ports", address: 0xf4 },
    { kind: "reset-control", name: "reset-control", address: 0xcf9 },
    { kind: "lapic", name: "lapic", address: 0xfee0_0000, size: 0x10_0000, id: 0, clock: 1_000_000_000 },
    { kind: "ioapic", name: "ioapic", address: 0xfec0_0000, id: 1 },
  ],
  pci: {
    bridge: "i440fx",
    slot: "0.0",
    vendor: 0x8086,
    device: 0x1237,
    configAddress: 0xcf8,
    configData: 0xcfc,
    isa: { slot: "1.0", pirqRegisters: 0x60, pirqs: [10, 10, 11, 11] },
    power: {
      slot: "1.3",
      address: 0x600,
      sci: 9,
      smiCommand: 0xb2,
      acpiEnable: 0xf1,
      acpiDisable: 0xf0,
      s5: 0,
    },
    windows: {
      memory: { physical: 0xe000_0000, base: 0xe000_0000, size: 0x1ec0_0000 },
      memory64: { physical: 0x8_0000_0000, base: 0x8_0000_0000, size: 0x8_0000_0000 },
      ports: { physical: 0xc000, base: 0xc000, size: 0x4000 },
    },
    freeSlots: [2, 31],
  },
  virtio: [{ kind: "rng" }, { kind: "console" }],
  layout: "modern",
  irq: "msix",
} as const satisfies MachineSpec;

/** The same with virtio registers in ports alone: what a device can show that has no memory to spare. */
export const pcPorts = {
  ...pc,
  name: "pc-ports",
  description: "pc with virtio registers in ports only",
  virtioSpace: "ports",
  layout: "legacy",
} as const satisfies MachineSpec;

/** The same with virtio registers in memory alone. */
export const pcMemory = {
  ...pc,
  name: "pc-memory",
  description: "pc with virtio registers in memory only",
  virtioSpace: "memory",
} as const satisfies MachineSpec;
