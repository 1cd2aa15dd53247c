#include "arch.h"
#include "kernel.h"
#include "virtio_pci_overlay.h"

/*
 * The overlay layout (docs/overlay.md): one register file, in BAR0 and in its mirror BAR1. Which of the two is a
 * pointer, chosen once; nothing below asks. The configuration is a BAR of its own, and it and the rings are in
 * the guest's byte order.
 */
enum { PAGE_ALIGN = 4096, LEAST_ALIGN = 4, LEAST_UNIT = 16, WORDS = 4 };

struct overlay overlay_devices[VIRTIO_MAX];

static const struct region *file(struct virtio_device *device)
{
	return &device->regions[OVERLAY_FILE].region;
}

static u8 status(struct virtio_device *device)
{
	return (u8)region_read(file(device), OVERLAY_STATUS, 1);
}

static void set_status(struct virtio_device *device, u8 value)
{
	region_write(file(device), OVERLAY_STATUS, 1, value);
}

/* The read makes sure that the write has arrived; reset is immediate in this layout. */
static void reset(struct virtio_device *device)
{
	set_status(device, 0);
	status(device);
}

static u32 offered_word(struct virtio_device *device, u32 word)
{
	region_write(file(device), OVERLAY_HOST_SELECT, 4, word);
	return region_read(file(device), OVERLAY_HOST_FEATURES, 4);
}

/* The driver's words, and the last, where RING_ALIGN is. */
static bool is_used(const struct virtio_device *device, u32 word)
{
	return word < virtio_feature_words(device) || word == WORDS - 1;
}

/*
 * Nothing from offset 20 on is ours before the latch is set, and the latch is one of the features: word 0 is read,
 * the latch set by accepting it alone, and then the selects lead to the other words.
 */
static struct features offered(struct virtio_device *device)
{
	struct overlay *o = &overlay_devices[device->number];
	struct features features = {{region_read(file(device), OVERLAY_HOST_FEATURES, 4), 0}};

	if (!has_feature(&features, OVERLAY_F_SEPARATE_CONFIG))
		return (struct features){{0, 0}};
	region_write(file(device), OVERLAY_GUEST_FEATURES, 4, OVERLAY_SEPARATE_CONFIG);
	for (u32 word = 1; word < WORDS; word++)
		if (is_used(device, word))
			set_feature_word(&features, word, offered_word(device, word));
	o->ring_size = has_feature(&features, OVERLAY_F_RING_SIZE);
	o->ring_align = has_feature(&features, OVERLAY_F_RING_ALIGN);
	region_write(file(device), OVERLAY_HOST_SELECT, 4, 0);
	return features;
}

static bool accept(struct virtio_device *device, struct features features)
{
	const struct overlay *o = &overlay_devices[device->number];

	if (!has_feature(&device->features_offered, OVERLAY_F_SEPARATE_CONFIG))
		return false;
	features.half[0] |= FEATURE(OVERLAY_F_SEPARATE_CONFIG);
	if (o->ring_size)
		features.half[0] |= FEATURE(OVERLAY_F_RING_SIZE);
	if (o->ring_align)
		features.half[1] |= FEATURE(OVERLAY_F_RING_ALIGN);
	for (int word = WORDS - 1; word >= 0; word--) {
		if (!is_used(device, (u32)word))
			continue;
		region_write(file(device), OVERLAY_GUEST_SELECT, 4, (u32)word);
		region_write(file(device), OVERLAY_GUEST_FEATURES, 4, feature_word(&features, (u32)word));
	}
	device->features = features;
	return true;
}

static u8 isr(struct virtio_device *device)
{
	return (u8)region_read(file(device), OVERLAY_ISR, 1);
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
		value.byte[i] = (u8)region_read(&device->regions[OVERLAY_CONFIG].region, offset + i, 1);
	return width == 1 ? value.byte[0] : width == 2 ? value.w16 : width == 4 ? value.w32 : value.w64;
}

/* There is no generation counter: read until two readings agree. */
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
		region_write(&device->regions[OVERLAY_CONFIG].region, offset + i, 1, value.byte[i]);
}

static bool config_vector(struct virtio_device *device, u16 vector)
{
	region_write(file(device), OVERLAY_CONFIG_VECTOR, 2, vector);
	return region_read(file(device), OVERLAY_CONFIG_VECTOR, 2) == vector;
}

/* With RING_SIZE as large as we want it and the device can; what reads back is what it took. */
static u16 choose_size(struct virtio_device *device, u16 size, u16 limit)
{
	if (!overlay_devices[device->number].ring_size)
		return size;
	while (size > limit)
		size /= 2;
	region_write(file(device), OVERLAY_QUEUE_NUM, 2, size);
	return (u16)region_read(file(device), OVERLAY_QUEUE_NUM, 2);
}

/* With RING_ALIGN the used ring follows the other two parts at once, and page numbers count 16 bytes. */
static u32 choose_align(struct virtio_device *device)
{
	if (!overlay_devices[device->number].ring_align)
		return PAGE_ALIGN;
	region_write(file(device), OVERLAY_QUEUE_ALIGN, 2, LEAST_ALIGN);
	return region_read(file(device), OVERLAY_QUEUE_ALIGN, 2);
}

static bool queue_start(struct virtio_device *device, u16 index, u16 limit, u16 vector)
{
	const struct region *f = file(device);
	struct virtqueue *q = &device->queue[index];

	region_write(f, OVERLAY_QUEUE_SEL, 2, index);
	q->largest = (u16)region_read(f, OVERLAY_QUEUE_SIZE, 2);
	if (q->largest == 0 || region_read(f, OVERLAY_QUEUE_PFN, 4) != 0)
		return false;
	u16 size = choose_size(device, q->largest, limit);
	u32 align = choose_align(device);
	u32 unit = align < LEAST_UNIT ? LEAST_UNIT : align;

	u32 avail_at = virtqueue_split.descriptors_size(size);
	u32 used_at = round_up(avail_at + virtqueue_split.driver_size(size), align);
	q->ring_pages = round_up(used_at + virtqueue_split.device_size(size), PAGE_SIZE) / PAGE_SIZE;
	u8 *ring = page_alloc(q->ring_pages);
	if (ring == NULL)
		return false;
	q->ring_memory = ring;
	q->vector = vector;
	if (!virtqueue_init(q, index, size, device->transport->order, ring, ring + avail_at, ring + used_at,
	                    &device->features))
		return false;

	region_write(f, OVERLAY_QUEUE_VECTOR, 2, vector);
	if (region_read(f, OVERLAY_QUEUE_VECTOR, 2) != vector)
		return false;
	/* The high half first: the low one starts the queue, and reads back if it did. */
	region_write(f, OVERLAY_QUEUE_PFN_HI, 4, overlay_devices[device->number].page_high);
	region_write(f, OVERLAY_QUEUE_PFN, 4, (u32)(uintptr_t)ring / unit);
	return region_read(f, OVERLAY_QUEUE_PFN, 4) == (u32)(uintptr_t)ring / unit;
}

static void notify(struct virtio_device *device, u16 index)
{
	region_write(file(device), OVERLAY_QUEUE_NOTIFY, 2, index);
}

#define OVERLAY_TRANSPORT(name)                 \
	{                                       \
		.layout = name,                 \
		.order = &order_native,         \
		.reset = reset,                 \
		.status = status,               \
		.set_status = set_status,       \
		.offered = offered,             \
		.accept = accept,               \
		.isr = isr,                     \
		.config = config,               \
		.set_config = set_config,       \
		.config_vector = config_vector, \
		.queue_start = queue_start,     \
		.notify = notify,               \
	}
const struct virtio_transport virtio_pci_overlay_bar0 = OVERLAY_TRANSPORT("overlay-bar0");
const struct virtio_transport virtio_pci_overlay_bar1 = OVERLAY_TRANSPORT("overlay-bar1");

u32 virtio_pci_overlay_capability(const struct pci_device *pci)
{
	for (u32 at = 0; (at = pci_capability(pci, PCI_CAP_VENDOR, at)) != 0;)
		if (pci_read(pci, at + OVERLAY_CAP_TYPE, 1) == OVERLAY_CAP_IS &&
		    pci_read(pci, at + OVERLAY_CAP_LENGTH, 1) >= OVERLAY_LENGTH)
			return at;
	return 0;
}

static bool map(struct virtio_device *device, enum overlay_part part, const char *name, u32 bar)
{
	struct virtio_region *r = &device->regions[part];

	if (bar > 5)
		return false;
	r->name = name;
	r->bar = (int)bar;
	r->offset = 0;
	r->region = pci_region(device->pci, (int)bar, 0, (u32)device->pci->bar[bar].size);
	r->region.accesses = &device->accesses;
	return r->region.ops != NULL;
}

static bool probe(struct virtio_device *device, u32 file_field, u32 config_field, const struct virtio_transport *transport)
{
	const struct pci_device *pci = device->pci;
	u32 at = virtio_pci_overlay_capability(pci);

	for (u32 i = 0; i < VIRTIO_REGIONS; i++)
		device->regions[i].name = NULL;
	if (at == 0 || !map(device, OVERLAY_FILE, "file", pci_read(pci, at + file_field, 1)) ||
	    !map(device, OVERLAY_CONFIG, "config", pci_read(pci, at + config_field, 1)))
		return false;
	pci_command(pci, PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER, 0);
	device->transport = transport;
	return true;
}

bool virtio_pci_overlay_bar0_probe(struct virtio_device *device)
{
	return probe(device, OVERLAY_CAP_PORTS, OVERLAY_CAP_CONFIG_PORTS, &virtio_pci_overlay_bar0);
}

bool virtio_pci_overlay_bar1_probe(struct virtio_device *device)
{
	return probe(device, OVERLAY_CAP_MIRROR, OVERLAY_CAP_CONFIG, &virtio_pci_overlay_bar1);
}
