#ifndef VIRTIO_H
#define VIRTIO_H

#include "features.h"
#include "pci.h"
#include "virtqueue.h"

enum { VIRTIO_VENDOR = 0x1af4 };
enum { VIRTIO_NET = 1, VIRTIO_BLOCK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4 };

/* Device status (virtio 1.2 section 2.1). */
enum {
	STATUS_ACKNOWLEDGE = 1,
	STATUS_DRIVER = 2,
	STATUS_DRIVER_OK = 4,
	STATUS_FEATURES_OK = 8,
	STATUS_NEEDS_RESET = 64,
	STATUS_FAILED = 128,
};
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };
enum { VIRTIO_NO_VECTOR = 0xffff };

enum {
	F_INDIRECT = 28,
	F_EVENT_INDEX = 29,
	F_VERSION_1 = 32,
	F_RING_PACKED = 34,
	F_IN_ORDER = 35,
	F_NOTIFICATION_DATA = 38,
};

#define VIRTIO_QUEUES 3
#define VIRTIO_REGIONS 5

struct virtio_device;

/* What a layout of registers does for a driver. Chosen once, when the device is found. */
struct virtio_transport {
	const char *layout;
	const struct byte_order *order; /* of rings and of the driver's own structures */

	void (*reset)(struct virtio_device *device); /* returns when the device says that it is done */
	u8 (*status)(struct virtio_device *device);
	void (*set_status)(struct virtio_device *device, u8 status);
	/* Of the words of 32 bits as many as the driver has a use for. */
	struct features (*offered)(struct virtio_device *device);
	/* Tells the device the set; true if it agrees. The set actually in force is left in device->features. */
	bool (*accept)(struct virtio_device *device, struct features features);
	u8 (*isr)(struct virtio_device *device); /* reading clears it */
	/* A field of 1, 2, 4 or 8 bytes of the device's configuration, in CPU order and not torn. */
	u64 (*config)(struct virtio_device *device, u32 offset, u32 width);
	void (*set_config)(struct virtio_device *device, u32 offset, u32 width, u64 value);
	bool (*config_vector)(struct virtio_device *device, u16 vector); /* false: the device had no room for it */
	/* Makes a ring of at most `limit` entries, with the vector, and enables it. */
	bool (*queue_start)(struct virtio_device *device, u16 index, u16 limit, u16 vector);
	void (*notify)(struct virtio_device *device, u16 index);
};

struct virtio_driver {
	u16 type;
	const char *name;
	struct features features;  /* those it knows what to do with */
	struct features on_demand; /* of them those which it does not take unless it is told to */
	u16 queues;
	u16 queue_limit;   /* entries it has a use for */
	bool (*start)(struct virtio_device *device); /* after the queues exist, before DRIVER_OK */
	void (*queue_interrupt)(struct virtio_device *device, u16 queue);
	void (*config_interrupt)(struct virtio_device *device);
};

enum irq_mode { IRQ_MSIX, IRQ_MSIX_SHARED, IRQ_INTX };

struct virtio_region {
	const char *name;
	int bar;
	u32 offset;
	struct region region;
};

struct virtio_device {
	struct pci_device *pci;
	u16 type;
	int number; /* among virtio devices */
	const struct virtio_transport *transport;
	const struct virtio_driver *driver;
	void *driver_data;
	struct virtio_region regions[VIRTIO_REGIONS]; /* filled by the transport */
	u32 notify_multiplier;
	bool running;

	struct features features_wanted; /* a filter of the driver's set: tests switch bits off and on */
	u16 queue_limit;                 /* likewise, for ring size; 0: the driver's */
	struct features features_offered, features;
	struct virtqueue queue[VIRTIO_QUEUES];
	enum irq_mode mode;
	int intx;

	u32 accesses; /* of its registers */
	u32 setup_accesses;
	u32 interrupts, messages, config_interrupts;
};

static inline bool virtio_has(const struct virtio_device *device, u32 bit)
{
	return has_feature(&device->features, bit);
}

#define VIRTIO_MAX 8
extern struct virtio_device virtio_devices[VIRTIO_MAX];
extern int virtio_count;

/* Finds every virtio device, picks its transport and starts its driver. */
void virtio_init(void);
/* From reset to DRIVER_OK with the interrupt mode asked for, or the next that works; false: left FAILED. */
bool virtio_start(struct virtio_device *device, enum irq_mode mode);
void virtio_stop(struct virtio_device *device);
enum irq_mode irq_mode_asked(void);
const char *irq_mode_name(enum irq_mode mode);
const char *virtio_type_name(u16 type);
void virtio_print(const struct virtio_device *device);
/* Notifies if the device wants it. */
void virtio_kick(struct virtio_device *device, u16 queue);
struct virtio_device *virtio_find(u16 type);
/* Words of 32 features up to the last in which the driver wants something. */
u32 virtio_feature_words(const struct virtio_device *device);
/* Whether its rings are of the format and with the features which the command line asks for, if it asks. */
bool virtio_ring_as_asked(const struct virtio_device *device);

/* kernel/matrix.c: the functional test of a device which runs; NULL or what went wrong. */
const char *matrix_try(struct virtio_device *device);

/* drivers/virtio_pci*.c: each probe fills transport and regions or returns false and leaves no trace. */
u16 virtio_pci_type(const struct pci_device *pci);
bool virtio_pci_detect(struct virtio_device *device);
bool virtio_pci_modern_probe(struct virtio_device *device);
bool virtio_pci_legacy_probe(struct virtio_device *device);
bool virtio_pci_overlay_bar0_probe(struct virtio_device *device);
bool virtio_pci_overlay_bar1_probe(struct virtio_device *device);
/* Whether the device is driven by the layout which the command line asks for, if it asks. */
bool virtio_pci_as_asked(const struct virtio_device *device);

#endif
