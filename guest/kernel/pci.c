#include "arch.h"
#include "kernel.h"
#include "layout.h"
#include "pci.h"

struct pci_device pci_devices[PCI_MAX];
int pci_count;

u32 pci_read(const struct pci_device *device, u32 offset, u32 width)
{
	return arch_pci_read(device->function, offset, width);
}

void pci_write(const struct pci_device *device, u32 offset, u32 width, u32 value)
{
	arch_pci_write(device->function, offset, width, value);
}

void pci_command(const struct pci_device *device, u32 set, u32 clear)
{
	pci_write(device, PCI_COMMAND, 2, (pci_read(device, PCI_COMMAND, 2) & ~clear) | set);
}

/* At most as many steps as capabilities fit: a device could make a loop. */
u32 pci_capability(const struct pci_device *device, u8 id, u32 from)
{
	u32 at;

	if (!(pci_read(device, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
		return 0;
	at = pci_read(device, from == 0 ? PCI_CAPABILITIES : from + 1, 1) & ~3u;
	for (int left = 48; left > 0 && at >= 0x40; left--) {
		if (pci_read(device, at, 1) == id)
			return at;
		at = pci_read(device, at + 1, 1) & ~3u;
	}
	return 0;
}

/* PCI 3.0 section 6.2.5.1: write ones, read which stay zero. Decoding is off meanwhile. */
u64 pci_bar_size(const struct pci_device *device, int bar)
{
	u32 at = PCI_BAR0 + 4 * (u32)bar;
	u32 command = pci_read(device, PCI_COMMAND, 2);
	u32 low, high = 0, low_mask, high_mask = 0xffffffff;
	u64 mask;

	pci_write(device, PCI_COMMAND, 2, command & ~(u32)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	low = pci_read(device, at, 4);
	bool io = low & 1, wide = !io && (low & 6) == 4;
	pci_write(device, at, 4, 0xffffffff);
	low_mask = pci_read(device, at, 4);
	pci_write(device, at, 4, low);
	if (wide) {
		high = pci_read(device, at + 4, 4);
		pci_write(device, at + 4, 4, 0xffffffff);
		high_mask = pci_read(device, at + 4, 4);
		pci_write(device, at + 4, 4, high);
	}
	pci_write(device, PCI_COMMAND, 2, command);

	low_mask &= io ? ~3u : ~15u;
	if (low_mask == 0 && (high_mask == 0 || !wide))
		return 0;
	if (io)
		low_mask |= 0xffff0000; /* the upper half may be hard-wired to zero */
	mask = (u64)high_mask << 32 | low_mask;
	return ~mask + 1;
}

static void read_bar(struct pci_device *device, int bar)
{
	struct pci_bar *b = &device->bar[bar];
	u32 low = pci_read(device, PCI_BAR0 + 4 * (u32)bar, 4);

	b->size = pci_bar_size(device, bar);
	if (b->size == 0)
		return;
	b->io = low & 1;
	b->wide = !b->io && (low & 6) == 4;
	b->address = low & (b->io ? ~3u : ~15u);
	if (b->wide)
		b->address |= (u64)pci_read(device, PCI_BAR0 + 4 * (u32)bar + 4, 4) << 32;
}

void pci_bar_place(struct pci_device *device, int bar, u64 address)
{
	struct pci_bar *b = &device->bar[bar];
	u32 at = PCI_BAR0 + 4 * (u32)bar;
	u32 command = pci_read(device, PCI_COMMAND, 2);

	pci_write(device, PCI_COMMAND, 2, command & ~(u32)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	pci_write(device, at, 4, low_half(address));
	if (b->wide)
		pci_write(device, at + 4, 4, high_half(address));
	pci_write(device, PCI_COMMAND, 2, command);
	b->address = address;
}

/* For machines whose firmware left BARs at zero: from the bottom of each window up, each at a multiple of its size. */
static void place_unassigned(struct pci_device *device)
{
	static u64 next_memory = PCI_MEMORY_BASE, next_io = PCI_IO_BASE + 0x1000;

	for (int bar = 0; bar < 6; bar++) {
		struct pci_bar *b = &device->bar[bar];
		u64 *next = b->io ? &next_io : &next_memory;
		u64 end = b->io ? (u64)PCI_IO_BASE + PCI_IO_SIZE : (u64)PCI_MEMORY_BASE + PCI_MEMORY_SIZE;
		u64 at = (*next + b->size - 1) & ~(b->size - 1);
		if (b->size == 0 || b->address != 0)
			continue;
		if (at + b->size > end)
			continue;
		pci_bar_place(device, bar, at);
		*next = at + b->size;
	}
}

static void add(u32 function)
{
	struct pci_device *d = &pci_devices[pci_count++];

	d->function = function;
	d->vendor = (u16)pci_read(d, PCI_VENDOR, 2);
	d->device = (u16)pci_read(d, PCI_DEVICE, 2);
	d->class_code = pci_read(d, PCI_CLASS, 4) >> 8;
	d->revision = (u8)pci_read(d, PCI_REVISION, 1);
	if ((pci_read(d, PCI_HEADER_TYPE, 1) & 0x7f) != 0)
		return; /* a bridge: its registers from 0x18 on mean other things */
	d->subsystem_vendor = (u16)pci_read(d, PCI_SUBSYSTEM_VENDOR, 2);
	d->subsystem = (u16)pci_read(d, PCI_SUBSYSTEM, 2);
	d->line = (u8)pci_read(d, PCI_INTERRUPT_LINE, 1);
	d->pin = (u8)pci_read(d, PCI_INTERRUPT_PIN, 1);
	/* The host bridge's own BAR0 is the board's business. */
	if (d->class_code >> 8 == 0x0600 || d->class_code >> 8 == 0x0b20)
		return;
	for (int bar = 0; bar < 6; bar += d->bar[bar].wide ? 2 : 1)
		read_bar(d, bar);
}

void pci_init(void)
{
	for (u32 function = 0; function < 256 && pci_count < PCI_MAX; function++) {
		if (arch_pci_read(function, PCI_VENDOR, 2) == 0xffff) {
			if ((function & 7) == 0)
				function += 7;
			continue;
		}
		add(function);
		if ((function & 7) == 0 && !(arch_pci_read(function, PCI_HEADER_TYPE, 1) & 0x80))
			function += 7;
	}
	for (int i = 0; i < pci_count; i++)
		place_unassigned(&pci_devices[i]);
}

struct region pci_region(const struct pci_device *device, int bar, u32 offset, u32 length)
{
	static const struct region none;
	const struct pci_bar *b = &device->bar[bar];
	struct region region;

	if (bar < 0 || bar > 5 || b->size == 0 || b->address == 0 || (u64)offset + length > b->size)
		return none;
	if (b->io && arch_pci_io((u32)b->address) == 0)
		return none;
	if (!b->io)
		region = region_at_memory(arch_pci_memory(b->address + offset), length);
	else if (arch_pci_ports())
		region = region_at_port((u32)arch_pci_io((u32)b->address + offset), length);
	else
		region = region_at_memory(arch_pci_io((u32)b->address + offset), length);
	region.bus_address = b->address + offset;
	return region;
}

const char *pci_name(const struct pci_device *device)
{
	static char name[16];

	kformat(name, sizeof(name), "%02x:%02x.%x", device->function >> 8, device->function >> 3 & 31, device->function & 7);
	return name;
}

void pci_print(void)
{
	for (int i = 0; i < pci_count; i++) {
		const struct pci_device *d = &pci_devices[i];
		kprintf("  %s %04x:%04x class %06x revision %02x", pci_name(d), d->vendor, d->device, d->class_code, d->revision);
		if (d->pin != 0)
			kprintf(" INT%c line %u", 'A' + d->pin - 1, d->line);
		kprintf("\n");
		for (int bar = 0; bar < 6; bar++)
			if (d->bar[bar].size != 0)
				kprintf("    BAR%d %s %08llx size %llx%s\n", bar, d->bar[bar].io ? "ports " : "memory",
				        d->bar[bar].address, d->bar[bar].size, d->bar[bar].wide ? " 64-bit" : "");
	}
}
