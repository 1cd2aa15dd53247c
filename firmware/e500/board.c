// The parts of the board which firmware has to program, and the machine's half of lib/.
#include "e500.h"
#include "pci.h"

// --- serial port ---

#define LSR_THRE 0x20

static volatile uint8 *uart(void) {
  return (volatile uint8 *)(CCSR_EA + UART0_OFFSET);
}

void console_init(void) {
  uint32 divisor = (UART0_CLOCK_HZ + 8 * 115200) / (16 * 115200);
  uart()[1] = 0;  // IER
  uart()[3] = 0x83;  // LCR: divisor latch, 8N1
  uart()[0] = divisor;
  uart()[1] = divisor >> 8;
  uart()[3] = 0x03;
  uart()[2] = 0x07;  // FCR: FIFOs on and empty
  uart()[4] = 0x03;  // MCR: DTR, RTS
}

static void uart_send(char c) {
  for (int polls = 0; !(uart()[5] & LSR_THRE) && polls < 100000; polls++)
    ;
  uart()[0] = c;
}

void console_putc(char c) {
  if (c == '\n')
    uart_send('\r');
  uart_send(c);
}

// There is no debug console here: the last lines stay in memory, for a debugger to read.
char progress[8192];
static uint32 progress_at;

void debug_putc(char c) {
  progress[progress_at++ % sizeof progress] = c;
}

void stop(void) {
  for (;;)
    asm volatile("wait");  // MSR[EE] is off
}

void finish(uint32 status) {
  *ccsr(EXIT_OFFSET) = status;
  stop();
}

// --- fw_cfg in memory: data +0, selector +8, DMA address +16; big-endian ---

void fwcfg_port_select(uint16 key) {
  *(volatile uint16 *)ccsr(FWCFG_OFFSET + 8) = key;
}

void fwcfg_port_bytes(void *to, uint32 count) {
  volatile uint8 *data = (volatile uint8 *)ccsr(FWCFG_OFFSET);
  for (uint8 *p = to; count; count--)
    *p++ = *data;
}

void fwcfg_port_dma(uint32 descriptor) {
  *ccsr(FWCFG_OFFSET + 16) = 0;
  *ccsr(FWCFG_OFFSET + 20) = descriptor;  // the low half starts it
}

// --- configuration space: CFGADDR big-endian, CFGDATA little-endian (MPC8544 section 16.3.1) ---

static volatile uint8 *config(uint32 devfn, uint32 reg) {
  *ccsr(PCI_CONFIG_OFFSET) = 0x80000000 | devfn << 8 | (reg & 0xfc);
  return (volatile uint8 *)ccsr(PCI_CONFIG_OFFSET + 4) + (reg & 3);
}

uint32 pci_read32(uint32 devfn, uint32 reg) {
  return mmio_read32(config(devfn, reg));
}

uint16 pci_read16(uint32 devfn, uint32 reg) {
  return mmio_read16(config(devfn, reg));
}

uint8 pci_read8(uint32 devfn, uint32 reg) {
  return mmio_read8(config(devfn, reg));
}

void pci_write32(uint32 devfn, uint32 reg, uint32 value) {
  mmio_write32(config(devfn, reg), value);
}

void pci_write16(uint32 devfn, uint32 reg, uint16 value) {
  mmio_write16(config(devfn, reg), value);
}

void pci_write8(uint32 devfn, uint32 reg, uint8 value) {
  mmio_write8(config(devfn, reg), value);
}

volatile void *pci_memory(uint64 address) {
  if (address < PCI_MEMORY_BASE || address >= (uint64)PCI_MEMORY_BASE + PCI_MEMORY_EA_SIZE)
    return NULL;
  return (void *)((uint32)address - PCI_MEMORY_BASE + PCI_MEMORY_EA);
}

// The device tree's interrupt map: INTA of slot 0 is the first, each slot and pin one further.
uint8 pci_irq(uint32 devfn, uint32 pin) {
  return PCI_INTX_IRQ_BASE + (((devfn >> 3) + pin - 1) & 3);
}

// --- device memory: little-endian, by the byte-reversed loads and stores ---

uint8 mmio_read8(volatile void *address) {
  return *(volatile uint8 *)address;
}

uint16 mmio_read16(volatile void *address) {
  uint32 value;
  asm volatile("lhbrx %0, 0, %1" : "=r"(value) : "r"(address) : "memory");
  return value;
}

uint32 mmio_read32(volatile void *address) {
  uint32 value;
  asm volatile("lwbrx %0, 0, %1" : "=r"(value) : "r"(address) : "memory");
  return value;
}

void mmio_write8(volatile void *address, uint8 value) {
  *(volatile uint8 *)address = value;
}

void mmio_write16(volatile void *address, uint16 value) {
  asm volatile("sthbrx %0, 0, %1" : : "r"(value), "r"(address) : "memory");
}

void mmio_write32(volatile void *address, uint32 value) {
  asm volatile("stwbrx %0, 0, %1" : : "r"(value), "r"(address) : "memory");
}

void barrier(void) {
  asm volatile("sync" : : : "memory");
}

// --- the PCI host bridge ---

// ATMU windows, MPC8544 section 16.3.1.2: translation, base and attributes, in pages of 4 KiB.
#define OUTBOUND(n) (PCI_ATMU_OFFSET + 0x20 * (n))
#define INBOUND_1 (PCI_ATMU_OFFSET + 0x1e0)
#define TRANSLATION 0x00
#define BASE 0x08
#define ATTRIBUTES 0x10

#define WINDOW_ON 0x80000000
#define OUTBOUND_MEMORY 0x00044000
#define OUTBOUND_IO 0x00088000
#define INBOUND_RAM 0x20f55000  // prefetchable, local memory, snooped

// Attributes hold the size as n of 2^(n+1).
static uint32 size_field(uint32 size) {
  uint32 n = 0;
  while (n < 30 && (2u << n) < size)
    n++;
  return n;
}

static void outbound(int n, uint64 physical, uint32 bus, uint32 size, uint32 kind) {
  *ccsr(OUTBOUND(n) + TRANSLATION) = bus >> 12;
  *ccsr(OUTBOUND(n) + BASE) = (uint32)(physical >> 12);
  *ccsr(OUTBOUND(n) + ATTRIBUTES) = WINDOW_ON | kind | size_field(size);
}

void pci_init(uint32 ram_size) {
  outbound(1, PCI_MEMORY_PHYSICAL, PCI_MEMORY_BASE, PCI_MEMORY_SIZE, OUTBOUND_MEMORY);
  outbound(2, PCI_IO_PHYSICAL, PCI_IO_BASE, PCI_IO_SIZE, OUTBOUND_IO);
  *ccsr(INBOUND_1 + TRANSLATION) = 0;
  *ccsr(INBOUND_1 + BASE) = 0;
  *ccsr(INBOUND_1 + ATTRIBUTES) = WINDOW_ON | INBOUND_RAM | size_field(ram_size);
  // PCICSRBAR, so that messages reach the MPIC; the bridge masters and answers
  pci_write32(0, PCI_BAR0, PCICSRBAR_BASE);
  pci_write16(0, PCI_COMMAND, pci_read16(0, PCI_COMMAND) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);

  struct pci_windows windows = {
      .io = {PCI_IO_BASE + 0x1000, PCI_IO_BASE + PCI_IO_SIZE},  // no device at I/O address 0
      .memory = {PCI_MEMORY_BASE, (uint64)PCI_MEMORY_BASE + PCI_MEMORY_SIZE},
  };
  pci_assign(&windows);
}
