#include "arch.h"
#include "kernel.h"
#include "virtio_pci_legacy.h"

/*
 * The legacy layout (virtio 1.2 sections 4.1.4.10 and 4.1.5.1.1.1): one header at the start of BAR0, little-endian;
 * everything beyond it, and the rings, in the guest's own byte order.
 */
enum { RING_ALIGN = 4096 };

static const struct region *header(struct virtio_device *device)
{
	return &device->regions[0].region;
}

static u8 status(struct virtio_device *device)
{
	return (u8)region_read(header(device), LEGACY_STATUS, 1);
}

static void set_status(struct virtio_device *device, u8 value)
{
	region_write(header(device), LEGACY_STATUS, 1, value);
}

/* The read makes sure that the write has arrived; reset is immediate in this layout. */
static void reset(struct virtio_device *device)
{
	set_status(device, 0);
	status(device);
}

/* There is one word of features, and no way to another. */
static struct features offered(struct virtio_device *device)
{
	return (struct features){{region_read(header(device), LEGACY_HOST_FEATURES, 4), 0}};
}

static bool accept(struct virtio_device *device, struct features features)
{
	u32 word = feature_word(&features, 0);

	region_write(header(device), LEGACY_GUEST_FEATURES, 4, word);
	device->features = (struct features){{word, 0}};
	return true;
}

static u8 isr(struct virtio_device *device)
{
	return (u8)region_read(header(device), LEGACY_ISR, 1);
}

/* Where the device's configuration is changes with the MSI-X enable bit, so it is asked at each access. */
static u32 config_base(struct virtio_device *device)
{
	return device->pci->msix != NULL && device->pci->msix->enabled ? LEGACY_CONFIG_WITH_MSIX : LEGACY_CONFIG_WITHOUT_MSIX;
}

/* Byte by byte in memory order gives the guest's own order without asking which that is. */
static u64 config_once(struct virtio_device *device, u32 offset, u32 width)
{
	union {
		u8 byte[8];
		u16 w16;
		u32 w32;
		u64 w64;
	} value = {.w64 = 0};

	for (u32 i = 0; i < width; i++)
		value.byte[i] = (u8)region_read(header(device), config_base(device) + offset + i, 1);
	return width == 1 ? value.byte[0] : width == 2 ? value.w16 : width == 4 ? value.w32 : value.w64;
}

/* There is no generation counter: read until two readings agree (section 2.5.4). */
static u64 config(struct virtio_device *device, u32 offset, u32 width)
{
	u64 before, value = config_once(device, offset, width);

	do {
		before = value;
		value = config_once(device, offset, width);
	} while (value != before);
	return value;
}

static void set_config(struct virtio_device *device, u32 offset, u32 width, u64 v)
{
	union {
		u8 byte[8];
		u16 w16;
		u32 w32;
		u64 w64;
	} value = {.w64 = v};

	if (width == 1)
		value.byte[0] = (u8)v;
	else if (width == 2)
		value.w16 = (u16)v;
	else if (width == 4)
		value.w32 = (u32)v;
	for (u32 i = 0; i < width; i++)
		region_write(header(device), config_base(device) + offset + i, 1, value.byte[i]);
}

static bool config_vector(struct virtio_device *device, u16 vector)
{
	if (config_base(device) != LEGACY_CONFIG_WITH_MSIX)
		return vector == VIRTIO_NO_VECTOR;
	region_write(header(device), LEGACY_CONFIG_VECTOR, 2, vector);
	return region_read(header(device), LEGACY_CONFIG_VECTOR, 2) == vector;
}

/* Section 2.7.2: the device dictates the size; the used ring starts on the next page boundary after the other two parts. */
static bool queue_start(struct virtio_device *device, u16 index, u16 limit, u16 vector)
{
	const struct region *h = header(device);
	struct virtqueue *q = &device->queue[index];
	u16 size;

	(void)limit;
	region_write(h, LEGACY_QUEUE_SELECT, 2, index);
	size = q->largest = (u16)region_read(h, LEGACY_QUEUE_SIZE, 2);
	if (size == 0 || region_read(h, LEGACY_QUEUE_PFN, 4) != 0)
		return false;

	u32 avail_at = virtqueue_split.descriptors_size(size);
	u32 used_at = round_up(avail_at + virtqueue_split.driver_size(size), RING_ALIGN);
	q->ring_pages = (used_at + round_up(virtqueue_split.device_size(size), RING_ALIGN)) / PAGE_SIZE;
	u8 *ring = page_alloc(q->ring_pages);
	if (ring == NULL)
		return false;
	q->ring_memory = ring;
	q->vector = vector;
	if (!virtqueue_init(q, index, size, device->transport->order, ring, ring + avail_at, ring + used_at,
	                    &device->features))
		return false;

	region_write(h, LEGACY_QUEUE_PFN, 4, (u32)(uintptr_t)ring / RING_ALIGN);
	if (config_base(device) == LEGACY_CONFIG_WITH_MSIX) {
		region_write(h, LEGACY_QUEUE_VECTOR, 2, vector);
		if (region_read(h, LEGACY_QUEUE_VECTOR, 2) != vector)
			return false;
	}
	return true;
}

static void notify(struct virtio_device *device, u16 index)
{
	region_write(header(device), LEGACY_QUEUE_NOTIFY, 2, index);
}

const struct virtio_transport virtio_pci_legacy = {
	.layout = "legacy",
	.order = &order_native,
	.reset = reset,
	.status = status,
	.set_status = set_status,
	.offered = offered,
	.accept = accept,
	.isr = isr,
	.config = config,
	.set_config = set_config,
	.config_vector = config_vector,
	.queue_start = queue_start,
	.notify = notify,
};

/* Section 4.1.2.3: identities below 0x1040, revision 0, header in BAR0. */
bool virtio_pci_legacy_probe(struct virtio_device *device)
{
	const struct pci_device *pci = device->pci;
	struct virtio_region *r = &device->regions[0];

	if (pci->device >= 0x1040 || pci->revision != 0 || !pci->bar[0].io)
		return false;
	r->name = "header";
	r->bar = 0;
	r->offset = 0;
	r->region = pci_region(pci, 0, 0, (u32)pci->bar[0].size);
	if (r->region.ops == NULL) {
		kprintf("virtio: %s: legacy: there is no window to its ports\n", pci_name(pci));
		return false;
	}
	r->region.accesses = &device->accesses;
	for (u32 i = 1; i < VIRTIO_REGIONS; i++)
		device->regions[i].name = NULL;
	pci_command(pci, PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER, 0);
	device->transport = &virtio_pci_legacy;
	return true;
}
