#include "arch.h"
#include "kernel.h"
#include "virtio.h"
#include "virtio_pci_modern.h"

/* The modern layout, driven: each field at its own width (section 4.1.3.1), 64-bit ones as two halves. */

static const struct region *common(struct virtio_device *device)
{
	return &device->regions[COMMON].region;
}

static u8 status(struct virtio_device *device)
{
	return (u8)region_read(common(device), DEVICE_STATUS, 1);
}

static void set_status(struct virtio_device *device, u8 value)
{
	region_write(common(device), DEVICE_STATUS, 1, value);
}

static bool is_reset(void *device)
{
	return status(device) == 0;
}

/* Section 4.1.4.3.2: reset is over when the status reads 0; there is no interrupt for it. */
static void reset(struct virtio_device *device)
{
	set_status(device, 0);
	for (int tries = 0; tries < 100 && !is_reset(device); tries++)
		sleep_us(1000);
}

static struct features offered(struct virtio_device *device)
{
	struct features features = {{0, 0}};

	for (u32 word = 0; word < virtio_feature_words(device); word++) {
		region_write(common(device), DEVICE_FEATURE_SELECT, 4, word);
		set_feature_word(&features, word, region_read(common(device), DEVICE_FEATURE, 4));
	}
	return features;
}

/* Section 3.1.1 steps 4 to 6. A device which speaks this layout offers VERSION_1, and we must take it (section 6.1). */
static bool accept(struct virtio_device *device, struct features features)
{
	if (!has_feature(&device->features_offered, F_VERSION_1))
		return false;
	features.half[0] |= FEATURE(F_VERSION_1);
	for (u32 word = 0; word < virtio_feature_words(device); word++) {
		region_write(common(device), DRIVER_FEATURE_SELECT, 4, word);
		region_write(common(device), DRIVER_FEATURE, 4, feature_word(&features, word));
	}
	set_status(device, status(device) | STATUS_FEATURES_OK);
	device->features = features;
	return status(device) & STATUS_FEATURES_OK;
}

static u8 isr(struct virtio_device *device)
{
	return (u8)region_read(&device->regions[ISR].region, 0, 1);
}

static u64 config_once(const struct region *config, u32 offset, u32 width)
{
	if (width < 8)
		return region_read(config, offset, width);
	return region_read(config, offset, 4) | (u64)region_read(config, offset + 4, 4) << 32;
}

/* Section 2.5.1: read again if the generation moved meanwhile. */
static u64 config(struct virtio_device *device, u32 offset, u32 width)
{
	const struct region *at = &device->regions[CONFIG].region;
	u32 before, after;
	u64 value;

	if (at->ops == NULL || offset + width > at->length)
		return 0;
	do {
		before = region_read(common(device), CONFIG_GENERATION, 1);
		value = config_once(at, offset, width);
		after = region_read(common(device), CONFIG_GENERATION, 1);
	} while (before != after);
	return value;
}

static void set_config(struct virtio_device *device, u32 offset, u32 width, u64 value)
{
	const struct region *at = &device->regions[CONFIG].region;

	if (at->ops == NULL || offset + width > at->length)
		return;
	region_write(at, offset, min_u32(width, 4), low_half(value));
	if (width == 8)
		region_write(at, offset + 4, 4, high_half(value));
}

/* Section 4.1.5.1.2: what reads back is what the device could do. */
static bool config_vector(struct virtio_device *device, u16 vector)
{
	region_write(common(device), CONFIG_VECTOR, 2, vector);
	return region_read(common(device), CONFIG_VECTOR, 2) == vector;
}

static void write_address(struct virtio_device *device, u32 field, const void *at)
{
	region_write(common(device), field, 4, (u32)(uintptr_t)at);
	region_write(common(device), field + 4, 4, modern_devices[device->number].address_high);
}

/*
 * The parts need alignments of 16, 2 and 4 (section 2.7) and may be anywhere: with the device's part in the middle not a
 * byte is lost between them, and a split ring of 8 entries is 220 bytes. Those of a packed one need 16, 4 and 4.
 */
static bool queue_start(struct virtio_device *device, u16 index, u16 limit, u16 vector)
{
	const struct region *c = common(device);
	struct virtqueue *q = &device->queue[index];
	u16 size;

	region_write(c, QUEUE_SELECT, 2, index);
	size = q->largest = (u16)region_read(c, QUEUE_SIZE, 2);
	if (size == 0 || region_read(c, QUEUE_ENABLE, 2) != 0)
		return false;
	const struct virtqueue_format *format = virtqueue_format(&device->features);
	size = format->fit(size, limit);

	u32 device_at = format->descriptors_size(size);
	u32 driver_at = device_at + format->device_size(size);
	q->ring_pages = round_up(driver_at + format->driver_size(size), PAGE_SIZE) / PAGE_SIZE;
	u8 *ring = page_alloc(q->ring_pages);
	if (ring == NULL)
		return false;
	q->ring_memory = ring;
	q->vector = vector;
	if (!virtqueue_init(q, index, size, device->transport->order, ring, ring + driver_at, ring + device_at,
	                    &device->features))
		return false;

	region_write(c, QUEUE_SIZE, 2, size);
	region_write(c, QUEUE_VECTOR, 2, vector);
	if (region_read(c, QUEUE_VECTOR, 2) != vector)
		return false;
	write_address(device, QUEUE_DESCRIPTORS, ring);
	write_address(device, QUEUE_DRIVER, ring + driver_at);
	write_address(device, QUEUE_DEVICE, ring + device_at);
	modern_devices[device->number].notify_offset[index] =
		region_read(c, QUEUE_NOTIFY_OFF, 2) * device->notify_multiplier;
	region_write(c, QUEUE_ENABLE, 2, 1);
	return true;
}

/* Section 4.1.5.2: the queue's index, or with NOTIFICATION_DATA four bytes which also say how far the driver is. */
static void notify(struct virtio_device *device, u16 index)
{
	const struct virtqueue *q = &device->queue[index];
	const struct region *doorbells = &device->regions[NOTIFY].region;
	u32 at = modern_devices[device->number].notify_offset[index];

	if (virtio_has(device, F_NOTIFICATION_DATA))
		region_write(doorbells, at, 4, index | (u32)q->format->position(q) << 16);
	else
		region_write(doorbells, at, 2, index);
}

const struct virtio_transport virtio_pci_modern = {
	.layout = "modern",
	.order = &order_little,
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
