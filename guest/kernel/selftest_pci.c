#include "arch.h"
#include "layout.h"
#include "pci.h"
#include "selftest.h"

/* Configuration space and base address registers (PCI 3.0 chapter 6), without any driver. */

static const char *host_bridge(void)
{
	if (pci_count == 0)
		return "nothing was found";
	EXPECT("vendor", pci_devices[0].vendor, PCI_HOST_VENDOR);
	EXPECT("device", pci_devices[0].device, PCI_HOST_DEVICE);
	return NULL;
}

static bool is_absent(u32 slot)
{
	for (int i = 0; i < pci_count; i++)
		if (pci_devices[i].function >> 3 == slot)
			return false;
	return true;
}

static const char *absent_is_ones(void)
{
	for (u32 slot = 0; slot < 32; slot++) {
		if (!is_absent(slot))
			continue;
		arch_pci_write(slot << 3, PCI_COMMAND, 2, 7);
		EXPECT("32 bits", arch_pci_read(slot << 3, 0, 4), 0xffffffff);
		EXPECT("16 bits", arch_pci_read(slot << 3, PCI_COMMAND, 2), 0xffff);
		EXPECT("8 bits", arch_pci_read(slot << 3, PCI_HEADER_TYPE, 1), 0xff);
		return NULL;
	}
	return SKIP("every slot is taken");
}

static const char *widths_agree(void)
{
	for (int i = 0; i < pci_count; i++) {
		const struct pci_device *d = &pci_devices[i];
		for (u32 at = 0; at < 0x40; at += 4) {
			u32 bytes = 0, halves = 0;
			for (u32 b = 0; b < 4; b++)
				bytes |= pci_read(d, at + b, 1) << 8 * b;
			for (u32 h = 0; h < 4; h += 2)
				halves |= pci_read(d, at + h, 2) << 8 * h;
			EXPECT("four bytes", bytes, pci_read(d, at, 4));
			EXPECT("two halves", halves, pci_read(d, at, 4));
		}
	}
	return NULL;
}

static const char *identity_is_read_only(void)
{
	for (int i = 0; i < pci_count; i++) {
		const struct pci_device *d = &pci_devices[i];
		u32 class_code = pci_read(d, PCI_CLASS, 4);
		pci_write(d, PCI_VENDOR, 4, 0x12345678);
		pci_write(d, PCI_CLASS, 4, 0x12345678);
		EXPECT("vendor", pci_read(d, PCI_VENDOR, 2), d->vendor);
		EXPECT("device", pci_read(d, PCI_DEVICE, 2), d->device);
		EXPECT("class", pci_read(d, PCI_CLASS, 4), class_code);
	}
	return NULL;
}

static const char *bar_sizes(void)
{
	int bars = 0;

	for (int i = 0; i < pci_count; i++) {
		const struct pci_device *d = &pci_devices[i];
		for (int bar = 0; bar < 6; bar++) {
			const struct pci_bar *b = &d->bar[bar];
			u32 before = pci_read(d, PCI_BAR0 + 4 * (u32)bar, 4);
			if (b->size == 0)
				continue;
			bars++;
			EXPECT("size", pci_bar_size(d, bar), b->size);
			EXPECT("BAR afterwards", pci_read(d, PCI_BAR0 + 4 * (u32)bar, 4), before);
			EXPECT("bits of the size, less one", b->size & (b->size - 1), 0);
			EXPECT("address modulo size", b->address & (b->size - 1), 0);
		}
	}
	return bars > 0 ? NULL : SKIP("there are no BARs");
}

/* Every list ends within the space and has no loop. */
static const char *capability_lists(void)
{
	int lists = 0;

	for (int i = 0; i < pci_count; i++) {
		const struct pci_device *d = &pci_devices[i];
		u32 at = pci_read(d, PCI_CAPABILITIES, 1);
		int steps = 0;
		if (!(pci_read(d, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
			continue;
		for (lists++; at != 0; at = pci_read(d, at + 1, 1)) {
			if (at < 0x40 || at & 3 || ++steps > 48)
				return failure("%s: capability %d is at %x", pci_name(d), steps, at);
		}
	}
	return lists > 0 ? NULL : SKIP("no function has capabilities");
}

/* The MSI-X table serves as memory of which everything is known: an address which reads back. */
static struct pci_device *with_table(void)
{
	for (int i = 0; i < pci_count; i++)
		if (msix_open(&pci_devices[i]) && !pci_devices[i].msix->enabled)
			return &pci_devices[i];
	for (int i = 0; i < pci_count; i++)
		if (msix_open(&pci_devices[i]))
			return &pci_devices[i];
	return NULL;
}

static const char *decoding_off(void)
{
	struct pci_device *d = with_table();
	u32 before, after;

	if (d == NULL)
		return SKIP("no MSI-X table");
	before = region_read(&d->msix->table, 0, 4);
	pci_command(d, 0, PCI_COMMAND_MEMORY);
	region_write(&d->msix->table, 0, 4, before ^ 0x1000);
	pci_command(d, PCI_COMMAND_MEMORY, 0);
	after = region_read(&d->msix->table, 0, 4);
	EXPECT("word written while decoding was off", after, before);
	return NULL;
}

static bool is_free(u64 from, u64 size)
{
	for (int i = 0; i < pci_count; i++)
		for (int bar = 0; bar < 6; bar++) {
			const struct pci_bar *b = &pci_devices[i].bar[bar];
			if (b->size != 0 && !b->io && from < b->address + b->size && b->address < from + size)
				return false;
		}
	return true;
}

static const char *bar_moves(void)
{
	struct pci_device *d = with_table();
	u32 table, there, back, word;
	int bar;

	if (d == NULL)
		return SKIP("no MSI-X table");
	table = pci_read(d, d->msix->capability + 4, 4);
	bar = (int)(table & 7);
	u64 home = d->bar[bar].address, size = d->bar[bar].size, away = PCI_MEMORY_BASE;
	while (!is_free(away, size))
		away += size;
	word = region_read(&d->msix->table, 0, 4);
	pci_bar_place(d, bar, away);
	struct region moved = pci_region(d, bar, table & ~7u, 16);
	there = moved.ops == NULL ? 0 : region_read(&moved, 0, 4);
	pci_bar_place(d, bar, home);
	back = region_read(&d->msix->table, 0, 4);
	EXPECT("table at its new place", there, word);
	EXPECT("table back home", back, word);
	return NULL;
}

static const struct check checks[] = {
	{"PCI: the host bridge is the board's", host_bridge},
	{"PCI: an absent function reads as ones", absent_is_ones},
	{"PCI: bytes, halves and words of a header agree", widths_agree},
	{"PCI: identity and class are read-only", identity_is_read_only},
	{"PCI: BARs tell their sizes and keep their addresses", bar_sizes},
	{"PCI: capability lists end", capability_lists},
	{"PCI: a BAR is deaf while its decoding is off", decoding_off},
	{"PCI: a BAR moves and comes back", bar_moves},
};
const struct check_list checks_pci = {checks, COUNT(checks)};
