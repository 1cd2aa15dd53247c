#ifndef VIRTIO_PCI_OVERLAY_H
#define VIRTIO_PCI_OVERLAY_H

#include "virtio.h"

/* Which of virtio_device.regions is which. */
enum overlay_part { OVERLAY_FILE, OVERLAY_CONFIG };

/* The register file (docs/overlay.md) */
enum {
	OVERLAY_HOST_FEATURES = 0,
	OVERLAY_GUEST_FEATURES = 4,
	OVERLAY_QUEUE_PFN = 8,
	OVERLAY_QUEUE_SIZE = 12,
	OVERLAY_QUEUE_SEL = 14,
	OVERLAY_QUEUE_NOTIFY = 16,
	OVERLAY_STATUS = 18,
	OVERLAY_ISR = 19,
	/* Through BAR0 the rest is there only once the latch is set. */
	OVERLAY_CONFIG_VECTOR = 20,
	OVERLAY_QUEUE_VECTOR = 22,
	OVERLAY_HOST_SELECT = 24,
	OVERLAY_GUEST_SELECT = 28,
	OVERLAY_QUEUE_PFN_HI = 32,
	OVERLAY_QUEUE_NUM = 36,
	OVERLAY_QUEUE_ALIGN = 38,
	OVERLAY_LENGTH = 40,
};
/* Features, and as bits of their words */
enum { OVERLAY_F_SEPARATE_CONFIG = 25, OVERLAY_F_RING_SIZE = 44, OVERLAY_F_RING_ALIGN = 127 };
enum {
	OVERLAY_SEPARATE_CONFIG = 1 << 25, /* word 0 */
	OVERLAY_RING_SIZE = 1 << 12,       /* word 1 */
	OVERLAY_RING_ALIGN = 1u << 31,     /* word 3 */
};
/* The capability which names the BARs */
enum {
	OVERLAY_CAP_TYPE = 3,
	OVERLAY_CAP_PORTS = 4,
	OVERLAY_CAP_MIRROR = 5,
	OVERLAY_CAP_CONFIG = 6,
	OVERLAY_CAP_CONFIG_PORTS = 7,
	OVERLAY_CAP_LENGTH = 8,
	OVERLAY_CAP_IS = 0xb0,
};

struct overlay {
	bool ring_size, ring_align; /* the device lets us choose */
	u32 page_high;              /* of every queue; 0 but in checks */
};
extern struct overlay overlay_devices[VIRTIO_MAX];
extern const struct virtio_transport virtio_pci_overlay_bar0, virtio_pci_overlay_bar1;

/* Offset of the capability, or 0. */
u32 virtio_pci_overlay_capability(const struct pci_device *pci);

#endif
