#include "kernel.h"
#include "string.h"
#include "virtio.h"

/*
 * Section 4.1.2: 0x1040 and up carry the type in the identity, transitional devices in the subsystem. So do those
 * of the overlay layout, which have the identities for experiments.
 */
u16 virtio_pci_type(const struct pci_device *pci)
{
	if (pci->vendor != VIRTIO_VENDOR)
		return 0;
	if (pci->device >= 0x10f0 && pci->device <= 0x10ff)
		return pci->subsystem;
	if (pci->device < 0x1000 || pci->device > 0x107f)
		return 0;
	return pci->device >= 0x1040 ? (u16)(pci->device - 0x1040) : pci->subsystem;
}

static const struct {
	const char *name;
	bool (*probe)(struct virtio_device *device);
} layouts[] = {
	{"modern", virtio_pci_modern_probe},
	{"overlay-bar1", virtio_pci_overlay_bar1_probe},
	{"overlay-bar0", virtio_pci_overlay_bar0_probe},
	{"legacy", virtio_pci_legacy_probe},
};

/* `layout=overlay` is either of its ways, and with `bar=` that one. */
static bool is_asked(const char *layout)
{
	const char *bar = layout + strlen("overlay-bar");

	if (option_is("layout", "overlay") && strncmp(layout, "overlay-bar", strlen("overlay-bar")) == 0)
		return !option_given("bar") || option_is("bar", bar);
	return option_is("layout", layout);
}

bool virtio_pci_as_asked(const struct virtio_device *device)
{
	return !option_given("layout") || (device->transport != NULL && is_asked(device->transport->layout));
}

/* The one place where the layout is chosen: the one asked for if the device has it, else the first that fits. */
bool virtio_pci_detect(struct virtio_device *device)
{
	for (u32 i = 0; i < COUNT(layouts); i++)
		if (is_asked(layouts[i].name) && layouts[i].probe(device))
			return true;
	for (u32 i = 0; i < COUNT(layouts); i++)
		if (layouts[i].probe(device))
			return true;
	return false;
}
