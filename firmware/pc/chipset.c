// The 440FX and PIIX parts which firmware has to program, and the arch half of lib/.
#include "pc.h"
#include "pci.h"

#define VENDOR_INTEL 0x8086
#define DEVICE_PIIX3_ISA 0x7000
#define DEVICE_PIIX4_PM 0x7113

// --- serial port and debug console ---

#define UART_DATA UART0_PORT
#define UART_IER (UART0_PORT + 1)
#define UART_FCR (UART0_PORT + 2)
#define UART_LCR (UART0_PORT + 3)
#define UART_MCR (UART0_PORT + 4)
#define UART_LSR (UART0_PORT + 5)
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define IER_DATA 0x01
#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT2 0x08
#define LSR_DATA 0x01
#define LSR_THRE 0x20

void console_init(void) {
  uint32 divisor = UART0_CLOCK_HZ / 16 / 115200;
  outb(UART_IER, 0);
  outb(UART_LCR, LCR_DLAB | LCR_8N1);
  outb(UART_DATA, divisor);
  outb(UART_IER, divisor >> 8);
  outb(UART_LCR, LCR_8N1);
  outb(UART_FCR, 0x07);  // FIFOs on and empty
  // OUT2 lets its interrupt through: there are kernels that enable one and never look at MCR
  outb(UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
}

void console_send(char c) {
  // a port with nothing behind it reads 0xff: the bit is set
  for (int polls = 0; !(inb(UART_LSR) & LSR_THRE) && polls < 100000; polls++)
    ;
  outb(UART_DATA, c);
}

void console_putc(char c) {
  if (c == '\n')
    console_send('\r');
  console_send(c);
}

// Nobody takes the interrupt; but whoever sees the port from outside knows that it is read.
void console_listen(void) {
  outb(UART_IER, IER_DATA);
}

int console_receive(void) {
  return inb(UART_LSR) & LSR_DATA ? inb(UART_DATA) : -1;
}

void debug_putc(char c) {
  outb(DEBUGCON_PORT, c);
}

void stop(void) {
  for (;;)
    asm volatile("cli; hlt");
}

void finish(uint32 status) {
  outb(EXIT_PORT, status);
  stop();
}

// --- fw_cfg ---

void fwcfg_port_select(uint16 key) {
  outw(FWCFG_PORT, key);
}

void fwcfg_port_bytes(void *to, uint32 count) {
  asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(FWCFG_PORT + 1) : "memory");
}

void fwcfg_port_dma(uint32 descriptor) {
  outl(FWCFG_PORT + 4, 0);
  outl(FWCFG_PORT + 8, __builtin_bswap32(descriptor));  // the low half starts it
}

// --- configuration mechanism 1, PCI 3.0 section 3.2.2.3.2 ---

static uint16 config_port(uint32 devfn, uint32 reg) {
  outl(PCI_CONFIG_ADDRESS_PORT, 0x80000000 | devfn << 8 | (reg & 0xfc));
  return PCI_CONFIG_DATA_PORT + (reg & 3);
}

uint32 pci_read32(uint32 devfn, uint32 reg) {
  return inl(config_port(devfn, reg));
}

uint16 pci_read16(uint32 devfn, uint32 reg) {
  return inw(config_port(devfn, reg));
}

uint8 pci_read8(uint32 devfn, uint32 reg) {
  return inb(config_port(devfn, reg));
}

void pci_write32(uint32 devfn, uint32 reg, uint32 value) {
  outl(config_port(devfn, reg), value);
}

void pci_write16(uint32 devfn, uint32 reg, uint16 value) {
  outw(config_port(devfn, reg), value);
}

void pci_write8(uint32 devfn, uint32 reg, uint8 value) {
  outb(config_port(devfn, reg), value);
}

volatile void *pci_memory(uint64 address) {
  return address >> 32 ? NULL : (void *)(uint32)address;
}

static const uint8 pirq_irq[4] = {PIRQA_IRQ, PIRQB_IRQ, PIRQC_IRQ, PIRQD_IRQ};

// INTA of slot 1 is PIRQA; each slot and each pin moves one further.
uint8 pci_irq(uint32 devfn, uint32 pin) {
  return pirq_irq[((devfn >> 3) - 1 + pin - 1) & 3];
}

// --- device memory: this processor is little-endian and keeps its stores in order ---

uint8 mmio_read8(volatile void *address) {
  return *(volatile uint8 *)address;
}

uint16 mmio_read16(volatile void *address) {
  return *(volatile uint16 *)address;
}

uint32 mmio_read32(volatile void *address) {
  return *(volatile uint32 *)address;
}

void mmio_write8(volatile void *address, uint8 value) {
  *(volatile uint8 *)address = value;
}

void mmio_write16(volatile void *address, uint16 value) {
  *(volatile uint16 *)address = value;
}

void mmio_write32(volatile void *address, uint32 value) {
  *(volatile uint32 *)address = value;
}

void barrier(void) {
  asm volatile("lock; addl $0, (%%esp)" : : : "memory");
}

// --- interrupt controllers ---

// Two 8259s at the vectors which a PC has had since 1984, every line masked. Datasheet: ICW1-4.
static void pic_init(void) {
  outb(I8259_MASTER_PORT, 0x11);  // ICW1: edge, cascade, ICW4 follows
  outb(I8259_SLAVE_PORT, 0x11);
  outb(I8259_MASTER_PORT + 1, 0x08);  // ICW2: vectors
  outb(I8259_SLAVE_PORT + 1, 0x70);
  outb(I8259_MASTER_PORT + 1, 1 << I8259_CASCADE_IRQ);  // ICW3
  outb(I8259_SLAVE_PORT + 1, I8259_CASCADE_IRQ);
  outb(I8259_MASTER_PORT + 1, 0x01);  // ICW4: 8086 mode
  outb(I8259_SLAVE_PORT + 1, 0x01);
  outb(I8259_MASTER_PORT + 1, 0xff);  // OCW1: all masked
  outb(I8259_SLAVE_PORT + 1, 0xff);
}

#define CPUID_APIC (1u << 9)
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_LINT0 0x350
#define LAPIC_LINT1 0x360

// Virtual wire mode: the 8259 reaches the processor through LINT0. MP 1.4 section 3.6.2.2.
static void lapic_init(void) {
  uint32 eax = 1, ebx, ecx, edx;
  asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
  if (!(edx & CPUID_APIC))
    return;
  mmio_write32((void *)(LAPIC_BASE + LAPIC_SPURIOUS), 0x1ff);  // on, spurious vector 0xff
  mmio_write32((void *)(LAPIC_BASE + LAPIC_LINT0), 0x700);  // ExtINT
  mmio_write32((void *)(LAPIC_BASE + LAPIC_LINT1), 0x400);  // NMI
}

// PIRQRC[A:D] (82371SB section 2.3.5); PCI interrupts and the SCI are levels.
static void route_pirqs(uint32 devfn) {
  uint32 level = 1 << SCI_IRQ;
  for (int i = 0; i < 4; i++) {
    pci_write8(devfn, PIRQ_REGISTERS + i, pirq_irq[i]);
    level |= 1 << pirq_irq[i];
  }
  outb(ELCR_PORT, level);
  outb(ELCR_PORT + 1, level >> 8);
}

// PMBA at 0x40, PMREGMISC at 0x80 (82371AB sections 7.1.8, 7.1.26). There is no SMI handler
// to switch ACPI on later, so it is on from here (ACPI 2.0 section 4.7.3.2.1).
static void power_init(uint32 devfn) {
  pci_write32(devfn, 0x40, PM_BASE_PORT | 1);
  pci_write8(devfn, 0x80, 1);
  outw(PM1A_CONTROL_PORT, inw(PM1A_CONTROL_PORT) | 1);  // SCI_EN
}

void chipset_init(void) {
  pic_init();
  lapic_init();
  for (int devfn = -1; pci_next(&devfn);) {
    if (pci_read16(devfn, PCI_VENDOR) != VENDOR_INTEL)
      continue;
    if (pci_read16(devfn, PCI_DEVICE) == DEVICE_PIIX3_ISA)
      route_pirqs(devfn);
    if (pci_read16(devfn, PCI_DEVICE) == DEVICE_PIIX4_PM) {
      power_init(devfn);
      debug("power: ports %x, SCI %d\n", PM_BASE_PORT, SCI_IRQ);
    }
  }
}

void pci_init(uint64 ram_end) {
  uint64 high = (ram_end + 0xfff) & ~0xfffull;
  struct pci_windows windows = {
      .io = {PCI_IO_BASE, PCI_IO_BASE + PCI_IO_SIZE},
      .memory = {PCI_MEMORY_BASE, (uint64)PCI_MEMORY_BASE + PCI_MEMORY_SIZE},
      .memory64 = {high > PCI_MEMORY64_BASE ? high : PCI_MEMORY64_BASE, PCI_MEMORY64_BASE + PCI_MEMORY64_SIZE},
  };
  pci_assign(&windows);
}
