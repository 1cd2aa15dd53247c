#include "arch.h"
#include "byteorder.h"
#include "kernel.h"
#include "pci.h"

/* PCI 3.0 section 6.8.2: the capability, 16 bytes a table entry, one pending bit an entry. */
enum {
	MSIX_CONTROL = 2,
	MSIX_TABLE = 4,
	MSIX_PENDING = 8,
	CONTROL_ENABLE = 1 << 15,
	CONTROL_MASK_ALL = 1 << 14,
	CONTROL_SIZE = 0x7ff,
	ENTRY_SIZE = 16,
	ENTRY_ADDRESS = 0,
	ENTRY_ADDRESS_HIGH = 4,
	ENTRY_DATA = 8,
	ENTRY_CONTROL = 12,
};

static struct msix pool[PCI_MAX];

bool msix_open(struct pci_device *device)
{
	u32 capability = pci_capability(device, PCI_CAP_MSIX, 0);
	struct msix *m;

	if (device->msix != NULL)
		return true;
	if (capability == 0)
		return false;
	m = &pool[device - pci_devices];
	m->capability = capability;
	m->table_size = (pci_read(device, capability + MSIX_CONTROL, 2) & CONTROL_SIZE) + 1;
	m->vectors = min_u32(m->table_size, MSIX_MAX);
	u32 table = pci_read(device, capability + MSIX_TABLE, 4);
	u32 pending = pci_read(device, capability + MSIX_PENDING, 4);
	m->table = pci_region(device, table & 7, table & ~7u, m->table_size * ENTRY_SIZE);
	m->pending = pci_region(device, pending & 7, pending & ~7u, (m->table_size + 63) / 64 * 8);
	if (m->table.ops == NULL || m->pending.ops == NULL)
		return false;
	pci_command(device, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 0);
	for (u32 vector = 0; vector < m->vectors; vector++) {
		m->irq[vector] = -1;
		region_write(&m->table, vector * ENTRY_SIZE + ENTRY_CONTROL, 4, 1);
	}
	device->msix = m;
	return true;
}

/* An entry keeps its interrupt number for good, so that restarting a device does not use them up. */
bool msix_assign(struct pci_device *device, u32 vector)
{
	struct msix *m = device->msix;
	u64 address;
	u32 data;

	if (vector >= m->vectors)
		return false;
	if (m->irq[vector] < 0) {
		m->irq[vector] = arch_message(&address, &data);
		if (m->irq[vector] < 0)
			return false;
		region_write(&m->table, vector * ENTRY_SIZE + ENTRY_ADDRESS, 4, low_half(address));
		region_write(&m->table, vector * ENTRY_SIZE + ENTRY_ADDRESS_HIGH, 4, high_half(address));
		region_write(&m->table, vector * ENTRY_SIZE + ENTRY_DATA, 4, data);
	}
	msix_mask(device, vector, false);
	return true;
}

void msix_enable(struct pci_device *device, bool on)
{
	struct msix *m = device->msix;
	u32 control = pci_read(device, m->capability + MSIX_CONTROL, 2) & ~(u32)(CONTROL_ENABLE | CONTROL_MASK_ALL);

	pci_write(device, m->capability + MSIX_CONTROL, 2, control | (on ? CONTROL_ENABLE : 0));
	m->enabled = on;
}

void msix_mask(struct pci_device *device, u32 vector, bool masked)
{
	region_write(&device->msix->table, vector * ENTRY_SIZE + ENTRY_CONTROL, 4, masked);
}

void msix_mask_function(struct pci_device *device, bool masked)
{
	u32 at = device->msix->capability + MSIX_CONTROL;

	pci_write(device, at, 2, (pci_read(device, at, 2) & ~(u32)CONTROL_MASK_ALL) | (masked ? CONTROL_MASK_ALL : 0));
}

bool msix_pending(struct pci_device *device, u32 vector)
{
	return region_read(&device->msix->pending, vector / 32 * 4, 4) >> (vector % 32) & 1;
}
