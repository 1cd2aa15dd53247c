#include "arch.h"
#include "kernel.h"
#include "virtio.h"
#include "virtio_pci_modern.h"

/*
 * The modern layout (virtio 1.2 section 4.1.4): four structures, each wherever a capability says. This file finds
 * them; virtio_pci_modern_ops.c drives them.
 */
enum { CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_EXTRA = 16 };

struct modern modern_devices[VIRTIO_MAX];

/*
 * Section 4.1.4.9: a window in configuration space reaches structures in BARs which the processor does not,
 * such as memory above 4 GiB.
 */
static void window_point(const struct modern_window *w, u32 offset, u32 width)
{
	pci_write(w->pci, w->capability + CAP_BAR, 1, w->bar);
	pci_write(w->pci, w->capability + CAP_OFFSET, 4, offset);
	pci_write(w->pci, w->capability + CAP_LENGTH, 4, width);
}

static u32 window_read(const struct region *region, u32 offset, u32 width)
{
	const struct modern_window *w = region->owner;

	window_point(w, (u32)region->base + offset, width);
	return pci_read(w->pci, w->capability + CAP_EXTRA, width);
}

static void window_write(const struct region *region, u32 offset, u32 width, u32 value)
{
	const struct modern_window *w = region->owner;

	window_point(w, (u32)region->base + offset, width);
	pci_write(w->pci, w->capability + CAP_EXTRA, width, value);
}

static const struct region_ops region_window = {"window", window_read, window_write};

struct region modern_window_region(struct virtio_device *device, enum modern_structure structure)
{
	struct modern *m = &modern_devices[device->number];
	const struct virtio_region *r = &device->regions[structure];
	struct modern_window *w = &m->window[structure];

	*w = (struct modern_window){device->pci, m->window_capability, (u8)r->bar};
	return (struct region){&region_window, r->offset, r->region.length, r->region.bus_address, &device->accesses, w};
}

/* The first usable capability of a type wins: the device lists them in order of preference (section 4.1.4.1). */
static bool find_structure(struct virtio_device *device, enum modern_structure structure, u8 type, u32 least)
{
	struct virtio_region *r = &device->regions[structure];
	struct modern *m = &modern_devices[device->number];
	const struct pci_device *pci = device->pci;

	for (u32 at = 0; (at = pci_capability(pci, PCI_CAP_VENDOR, at)) != 0;) {
		u32 bar = pci_read(pci, at + CAP_BAR, 1);
		u32 offset = pci_read(pci, at + CAP_OFFSET, 4);
		u32 length = pci_read(pci, at + CAP_LENGTH, 4);
		if (pci_read(pci, at + CAP_TYPE, 1) != type || bar > 5 || length < least)
			continue;
		r->bar = (int)bar;
		r->offset = offset;
		r->region = pci_region(pci, (int)bar, offset, length);
		if (r->region.ops == NULL && m->window_capability != 0 && pci->bar[bar].size >= (u64)offset + length) {
			r->region.length = length;
			r->region.bus_address = pci->bar[bar].address + offset;
			r->region = modern_window_region(device, structure);
		}
		if (r->region.ops == NULL)
			continue;
		r->region.accesses = &device->accesses;
		if (type == CAP_NOTIFY)
			device->notify_multiplier = pci_read(pci, at + CAP_EXTRA, 4);
		return true;
	}
	return false;
}

static u32 find_window(const struct pci_device *pci)
{
	for (u32 at = 0; (at = pci_capability(pci, PCI_CAP_VENDOR, at)) != 0;)
		if (pci_read(pci, at + CAP_TYPE, 1) == CAP_PCI_CFG)
			return at;
	return 0;
}

bool virtio_pci_modern_probe(struct virtio_device *device)
{
	struct modern *m = &modern_devices[device->number];

	m->window_capability = find_window(device->pci);
	device->regions[COMMON].name = "common";
	device->regions[NOTIFY].name = "notify";
	device->regions[ISR].name = "isr";
	device->regions[CONFIG].name = "config";
	if (!find_structure(device, COMMON, CAP_COMMON, COMMON_LENGTH) ||
	    !find_structure(device, NOTIFY, CAP_NOTIFY, 2) || !find_structure(device, ISR, CAP_ISR, 1))
		return false;
	if (!find_structure(device, CONFIG, CAP_DEVICE, 1))
		device->regions[CONFIG].name = NULL; /* a device without configuration, such as rng */
	pci_command(device->pci, PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER, 0);
	device->transport = &virtio_pci_modern;
	return true;
}
