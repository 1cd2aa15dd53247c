#include "kernel.h"
#include "virtio.h"

/* Section 4.1.2: 0x1040 and up carry the type in the identity, transitional devices in the subsystem. */
u16 virtio_pci_type(const struct pci_device *pci)
{
	if (pci->vendor != VIRTIO_VENDOR || pci->device < 0x1000 || pci->device > 0x107f)
		return 0;
	return pci->device >= 0x1040 ? (u16)(pci->device - 0x1040) : pci->subsystem;
}

/* The one place where the layout is chosen: the one asked for if the device has it, else the first that fits. */
bool virtio_pci_detect(struct virtio_device *device)
{
	static const struct {
		const char *name;
		bool (*probe)(struct virtio_device *device);
	} layouts[] = {
		{"modern", virtio_pci_modern_probe},
		{"legacy", virtio_pci_legacy_probe},
	};

	for (u32 i = 0; i < COUNT(layouts); i++)
		if (option_is("layout", layouts[i].name) && layouts[i].probe(device))
			return true;
	for (u32 i = 0; i < COUNT(layouts); i++)
		if (layouts[i].probe(device))
			return true;
	return false;
}
