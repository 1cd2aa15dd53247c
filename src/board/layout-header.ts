import { findDevice } from "./find-device.ts";
import type { E500Spec, MachineSpec, PciWindow, PcSpec } from "./spec.ts";

/** A section of the header: what it is about, and names with their values in the order of the text. */
type Section = readonly [comment: string, ...defines: (readonly [name: string, value: string])[]];

const hex = (value: number, digits = 0): string => `0x${value.toString(16).padStart(digits, "0")}`;
const decimal = (value: number): string => String(value);

function pcSections(spec: PcSpec): readonly Section[] {
  const { pci } = spec;
  const pit = findDevice(spec, "i8254");
  const pic = findDevice(spec, "i8259");
  const rtc = findDevice(spec, "mc146818");
  const uart = findDevice(spec, "uart16550", spec.console);
  return [
    [
      "i8254: counters at +0..2, control at +3; counter 0 raises the ISA interrupt",
      ["I8254_PORT", hex(pit.address)],
      ["I8254_IRQ", decimal(pit.irq)],
      ["I8254_HZ", decimal(pit.clock)],
    ],
    [
      "i8259 pair, its edge/level registers, and the line the second one hangs on",
      ["I8259_MASTER_PORT", hex(pic.master)],
      ["I8259_SLAVE_PORT", hex(pic.slave)],
      ["I8259_CASCADE_IRQ", decimal(pic.cascade)],
      ["ELCR_PORT", hex(pic.elcr)],
    ],
    ["i8042: command and status; the data port is four below", ["I8042_PORT", hex(findDevice(spec, "i8042").command)]],
    ["mc146818: index at +0, data at +1", ["MC146818_PORT", hex(rtc.address)], ["MC146818_IRQ", decimal(rtc.irq)]],
    [
      "16550",
      ["UART0_PORT", hex(uart.address)],
      ["UART0_IRQ", decimal(uart.irq)],
      ["UART0_CLOCK_HZ", decimal(uart.clock)],
    ],
    ["debug console: every byte written is shown", ["DEBUGCON_PORT", hex(findDevice(spec, "debug-console").address)]],
    [
      "fw_cfg: selector at +0 (16 bits), data at +1 (8 bits), DMA address at +4 (big-endian)",
      ["FWCFG_PORT", hex(findDevice(spec, "fw-cfg").address)],
    ],
    ["exit register: the value written is the exit status", ["EXIT_PORT", hex(findDevice(spec, "exit").address)]],
    ["reset control: writing 6 resets the machine", ["RESET_PORT", hex(findDevice(spec, "reset-control").address)]],
    [
      "PCI configuration mechanism 1",
      ["PCI_CONFIG_ADDRESS_PORT", hex(pci.configAddress)],
      ["PCI_CONFIG_DATA_PORT", hex(pci.configData)],
    ],
    [
      "PCI windows, as the processor and as the bus see them",
      ["PCI_MEMORY_BASE", hex(pci.windows.memory.base)],
      ["PCI_MEMORY_SIZE", hex(pci.windows.memory.size)],
      ["PCI_IO_BASE", hex(pci.windows.ports.base)],
      ["PCI_IO_SIZE", hex(pci.windows.ports.size)],
      ["PCI_MEMORY64_BASE", hex(pci.windows.memory64.base)],
      ["PCI_MEMORY64_SIZE", hex(pci.windows.memory64.size)],
    ],
    ["identity of the host bridge", ["PCI_HOST_VENDOR", hex(pci.vendor, 4)], ["PCI_HOST_DEVICE", hex(pci.device, 4)]],
    [
      "the four PCI interrupt routes: their registers in the ISA bridge, and the ISA interrupts they lead to",
      ["PIRQ_REGISTERS", hex(pci.isa.pirqRegisters)],
      ["PIRQA_IRQ", decimal(pci.isa.pirqs[0] as number)],
      ["PIRQB_IRQ", decimal(pci.isa.pirqs[1] as number)],
      ["PIRQC_IRQ", decimal(pci.isa.pirqs[2] as number)],
      ["PIRQD_IRQ", decimal(pci.isa.pirqs[3] as number)],
    ],
    [
      "ACPI power management: base, the PM1a control register, the timer, the value that enters S5, the interrupt",
      ["PM_BASE_PORT", hex(pci.power.address)],
      ["PM1A_CONTROL_PORT", hex(pci.power.address + 4)],
      ["PM_TIMER_PORT", hex(pci.power.address + 8)],
      ["PM1A_S5_VALUE", hex(s5Value(pci.power.s5))],
      ["SCI_IRQ", decimal(pci.power.sci)],
    ],
    [
      "interrupt controllers in memory",
      ["LAPIC_BASE", hex(findDevice(spec, "lapic").address)],
      ["IOAPIC_BASE", hex(findDevice(spec, "ioapic").address)],
    ],
    [
      "firmware: the ROM ends at 4 GiB, its last bytes are seen again below 1 MiB",
      ["ROM_BASE", hex(spec.firmware.address)],
      ["ROM_SIZE", hex(spec.firmware.size)],
    ],
  ];
}

/** SLP_EN is bit 13 of PM1a control and SLP_TYP bits 10-12 (ACPI 6.4 table 4.16). */
function s5Value(type: number): number {
  return (1 << 13) | (type << 10);
}

function e500Sections(spec: E500Spec): readonly Section[] {
  const { pci, ccsr } = spec;
  const offset = (address: number): string => hex(address - ccsr.address);
  const uart = findDevice(spec, "uart16550", spec.console);
  const mpic = findDevice(spec, "mpic");
  const gpio = findDevice(spec, "gpio");
  return [
    [
      "configuration, control and status registers; the *_OFFSETs below count from here",
      ["CCSR_BASE", hex(ccsr.address)],
      ["CCSR_SIZE", hex(ccsr.size)],
    ],
    [
      "16550",
      ["UART0_OFFSET", offset(uart.address)],
      ["UART0_IRQ", decimal(uart.irq)],
      ["UART0_CLOCK_HZ", decimal(uart.clock)],
    ],
    [
      "PCI host: CFGADDR at +0 (big-endian), CFGDATA at +4 (little-endian); ATMU windows",
      ["PCI_CONFIG_OFFSET", offset(pci.configAddress)],
      ["PCI_ATMU_OFFSET", offset(pci.atmu)],
    ],
    [
      "PCI windows: physical address, bus address, size",
      ["PCI_MEMORY_PHYSICAL", hex(pci.windows.memory.physical)],
      ["PCI_MEMORY_BASE", hex(pci.windows.memory.base)],
      ["PCI_MEMORY_SIZE", hex(pci.windows.memory.size)],
      ...ioWindow(pci.windows.ports),
    ],
    ["where the bus sees the CCSR block (BAR0 of the host bridge)", ["PCICSRBAR_BASE", hex(pci.pcicsrbar)]],
    [
      "identity of the host bridge, and the interrupt of slot 0 pin A counted modulo 4",
      ["PCI_HOST_VENDOR", hex(pci.vendor, 4)],
      ["PCI_HOST_DEVICE", hex(pci.device, 4)],
      ["PCI_INTX_IRQ_BASE", decimal(pci.intxBase)],
    ],
    [
      "interrupt controller",
      ["MPIC_OFFSET", offset(mpic.address)],
      ["MPIC_MSIIR_OFFSET", offset(mpic.address + mpic.msiir)],
    ],
    [
      "global utilities: the reset control register is at +0xb0",
      ["GUTS_OFFSET", offset(findDevice(spec, "guts").address)],
    ],
    [
      "fw_cfg: data at +0, selector at +8, DMA address at +16",
      ["FWCFG_OFFSET", offset(findDevice(spec, "fw-cfg").address)],
    ],
    [
      "exit register: 32 bits, big-endian; the value written is the exit status",
      ["EXIT_OFFSET", offset(findDevice(spec, "exit").address)],
    ],
    [
      "GPIO: pin 0 powers the machine off",
      ["GPIO_OFFSET", offset(gpio.address)],
      ["GPIO_POWEROFF_MASK", hex(0x8000_0000 >>> gpio.powerOffPin)],
    ],
    [
      "firmware: the ROM ends where physical addresses do",
      ["ROM_BASE", hex(spec.firmware.address)],
      ["ROM_SIZE", hex(spec.firmware.size)],
    ],
    ["processor", ["TIMEBASE_HZ", decimal(spec.cpu.timebaseClock)]],
  ];
}

function ioWindow(ports: PciWindow | undefined): readonly (readonly [string, string])[] {
  if (ports === undefined) return [];
  return [
    ["PCI_IO_PHYSICAL", hex(ports.physical)],
    ["PCI_IO_BASE", hex(ports.base)],
    ["PCI_IO_SIZE", hex(ports.size)],
  ];
}

/** The C header which firmware and guest kernel know this machine by. */
export function layoutHeader(spec: MachineSpec): string {
  const sections = spec.board === "pc" ? pcSections(spec) : e500Sections(spec);
  const guard = `LAYOUT_${spec.name.toUpperCase().replaceAll("-", "_")}_H`;
  const lines = [
    `/* generated by \`npm run layout\` from machines/${spec.name}.ts: do not edit */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    "",
    `#define MACHINE_NAME "${spec.name}"`,
  ];
  for (const [comment, ...defines] of sections) {
    lines.push("", `/* ${comment} */`);
    for (const [name, value] of defines) lines.push(`#define ${name} ${value}`);
  }
  return `${[...lines, "", "#endif"].join("\n")}\n`;
}
