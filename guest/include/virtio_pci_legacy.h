#ifndef VIRTIO_PCI_LEGACY_H
#define VIRTIO_PCI_LEGACY_H

#include "virtio.h"

/* The header at the start of BAR0 */
enum {
	LEGACY_HOST_FEATURES = 0,
	LEGACY_GUEST_FEATURES = 4,
	LEGACY_QUEUE_PFN = 8,
	LEGACY_QUEUE_SIZE = 12,
	LEGACY_QUEUE_SELECT = 14,
	LEGACY_QUEUE_NOTIFY = 16,
	LEGACY_STATUS = 18,
	LEGACY_ISR = 19,
	LEGACY_CONFIG_VECTOR = 20, /* these two only while MSI-X is enabled */
	LEGACY_QUEUE_VECTOR = 22,
	LEGACY_CONFIG_WITHOUT_MSIX = 20,
	LEGACY_CONFIG_WITH_MSIX = 24,
};

extern const struct virtio_transport virtio_pci_legacy;

#endif
