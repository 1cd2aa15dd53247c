#ifndef VIRTIO_PCI_MODERN_H
#define VIRTIO_PCI_MODERN_H

#include "virtio.h"

/* Which of virtio_device.regions is which. */
enum modern_structure { COMMON, NOTIFY, ISR, CONFIG };
/* Capability types (section 4.1.4) */
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAP_PCI_CFG = 5 };

/* Common configuration (section 4.1.4.3) */
enum {
	DEVICE_FEATURE_SELECT = 0,
	DEVICE_FEATURE = 4,
	DRIVER_FEATURE_SELECT = 8,
	DRIVER_FEATURE = 12,
	CONFIG_VECTOR = 16,
	NUM_QUEUES = 18,
	DEVICE_STATUS = 20,
	CONFIG_GENERATION = 21,
	QUEUE_SELECT = 22,
	QUEUE_SIZE = 24,
	QUEUE_VECTOR = 26,
	QUEUE_ENABLE = 28,
	QUEUE_NOTIFY_OFF = 30,
	QUEUE_DESCRIPTORS = 32,
	QUEUE_DRIVER = 40,
	QUEUE_DEVICE = 48,
	COMMON_LENGTH = 56,
};

struct modern_window {
	const struct pci_device *pci;
	u32 capability;
	u8 bar;
};
struct modern {
	u32 window_capability; /* 0: none */
	struct modern_window window[4];
	u32 notify_offset[VIRTIO_QUEUES];
	u32 address_high; /* of every ring; 0 but in checks */
};
extern struct modern modern_devices[VIRTIO_MAX];
extern const struct virtio_transport virtio_pci_modern;

/* The same structure by way of configuration space. */
struct region modern_window_region(struct virtio_device *device, enum modern_structure structure);

#endif
