#include "arch.h"
#include "byteorder.h"
#include "e500.h"
#include "fdt.h"
#include "pci.h"

/* The PCI host bridge (MPC8544E reference manual, PCI bus interface): configuration access and the address windows. */
enum {
	OUTBOUND = 0x20, /* from one window to the next; number 0 is the default */
	OUT_TRANSLATION = 0x00,
	OUT_BASE = 0x08,
	OUT_ATTRIBUTES = 0x10,
	INBOUND_1 = 0x1e0, /* from PCI_ATMU_OFFSET */
	IN_TRANSLATION = 0x00,
	IN_BASE = 0x08,
	IN_ATTRIBUTES = 0x10,

	ENABLE = 1u << 31,
	PREFETCH = 1 << 29,
	TO_MEMORY = 4 << 16 | 4 << 12, /* read and write transactions: memory */
	TO_PORTS = 8 << 16 | 8 << 12,  /* I/O */
	TO_LOCAL_MEMORY = 15 << 20 | 5 << 16 | 5 << 12,
};

static bool io_window = true;

/* Seven cells a range: three of bus address, whose first tells the space, two of ours, two of size (IEEE 1275 PCI binding). */
void pci_host_ranges(const void *ranges, u32 length)
{
	enum { RANGE_CELLS = 7, SPACE = 3 << 24, SPACE_IO = 1 << 24 };

	io_window = false;
	for (u32 cell = 0; cell + RANGE_CELLS <= length / 4; cell += RANGE_CELLS)
		if ((fdt_cell(ranges, cell) & SPACE) == SPACE_IO)
			io_window = true;
}

/* Sizes are given as the logarithm less one. */
static u32 size_bits(u64 size)
{
	u32 n = 0;

	while ((1ull << (n + 1)) < size)
		n++;
	return n;
}

static void outbound(u32 window, u64 physical, u64 bus, u64 size, u32 kind)
{
	u32 at = PCI_ATMU_OFFSET + window * OUTBOUND;

	ccsr_write(at + OUT_ATTRIBUTES, 0);
	ccsr_write(at + OUT_TRANSLATION, (u32)(bus >> 12));
	ccsr_write(at + OUT_BASE, (u32)(physical >> 12));
	ccsr_write(at + OUT_ATTRIBUTES, ENABLE | kind | size_bits(size));
}

/* The processor's way to the bus, the bus's way to RAM, and the bus's view of our own registers, where messages go. */
void pci_host_init(void)
{
	u32 in = PCI_ATMU_OFFSET + INBOUND_1;
	u64 ram_end = 0;

	for (int i = 0; i < boot.ram_count; i++)
		if (boot.ram[i].base + boot.ram[i].size > ram_end)
			ram_end = boot.ram[i].base + boot.ram[i].size;
	outbound(1, PCI_MEMORY_PHYSICAL, PCI_MEMORY_BASE, PCI_MEMORY_SIZE, TO_MEMORY);
	if (io_window)
		outbound(2, PCI_IO_PHYSICAL, PCI_IO_BASE, PCI_IO_SIZE, TO_PORTS);
	ccsr_write(in + IN_ATTRIBUTES, 0);
	ccsr_write(in + IN_TRANSLATION, 0);
	ccsr_write(in + IN_BASE, 0);
	ccsr_write(in + IN_ATTRIBUTES, ENABLE | PREFETCH | TO_LOCAL_MEMORY | size_bits(ram_end));
	arch_pci_write(0, PCI_BAR0, 4, PCICSRBAR_BASE);
	arch_pci_write(0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void *select(u32 function, u32 offset)
{
	ccsr_write(PCI_CONFIG_OFFSET, 0x80000000 | function << 8 | (offset & 0xfc));
	return (void *)(EA_CCSR + PCI_CONFIG_OFFSET + 4 + (offset & 3));
}

u32 arch_pci_read(u32 function, u32 offset, u32 width)
{
	u32 flags = irq_save();
	void *at = select(function, offset);
	u32 value = width == 1 ? *(volatile u8 *)at : width == 2 ? le16(*(volatile u16 *)at) : le32(*(volatile u32 *)at);

	device_barrier();
	irq_restore(flags);
	return value;
}

void arch_pci_write(u32 function, u32 offset, u32 width, u32 value)
{
	u32 flags = irq_save();
	void *at = select(function, offset);

	if (width == 1)
		*(volatile u8 *)at = (u8)value;
	else if (width == 2)
		*(volatile u16 *)at = le16((u16)value);
	else
		*(volatile u32 *)at = le32(value);
	device_barrier();
	irq_restore(flags);
}

bool arch_pci_ports(void) { return false; }
u64 arch_pci_memory(u64 bus_address) { return bus_address - PCI_MEMORY_BASE + PCI_MEMORY_PHYSICAL; }
u64 arch_pci_io(u32 bus_address) { return io_window ? bus_address - PCI_IO_BASE + PCI_IO_PHYSICAL : 0; }
