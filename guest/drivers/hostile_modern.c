#include "arch.h"
#include "hostile.h"
#include "virtio_pci_modern.h"

/* What is hostile in the modern layout's own registers (virtio 1.2 section 4.1.4). */

enum { DRIVER_UP = STATUS_ACKNOWLEDGE | STATUS_DRIVER, ALL_UP = DRIVER_UP | STATUS_FEATURES_OK | STATUS_DRIVER_OK };

static u32 get(struct hostile *h, u32 field, u32 width)
{
	return region_read(&h->device->regions[COMMON].region, field, width);
}

static void set(struct hostile *h, u32 field, u32 width, u32 value)
{
	region_write(&h->device->regions[COMMON].region, field, width, value);
}

/* From reset to where queues may be set up. */
static void negotiate(struct hostile *h)
{
	h->device->transport->reset(h->device);
	set(h, DEVICE_STATUS, 1, DRIVER_UP);
	set(h, DRIVER_FEATURE_SELECT, 4, 1);
	set(h, DRIVER_FEATURE, 4, high_half(FEATURE(F_VERSION_1) | (h->device->features.half[0] & FEATURE(F_RING_PACKED))));
	set(h, DEVICE_STATUS, 1, DRIVER_UP | STATUS_FEATURES_OK);
	set(h, QUEUE_SELECT, 2, h->queue);
}

static const char *sizes(struct hostile *h)
{
	u32 packed = hostile_packed(h);

	negotiate(h);
	u32 largest = get(h, QUEUE_SIZE, 2);
	u32 bad[] = {0, largest + 1, 2 * largest, 0xffff, packed ? 0 : 3, packed ? 0 : largest - 1};
	for (u32 i = 0; i < COUNT(bad); i++) {
		set(h, QUEUE_SIZE, 2, bad[i]);
		EXPECT("size", get(h, QUEUE_SIZE, 2), largest);
	}
	return NULL;
}

static void rewrite(struct hostile *h)
{
	set(h, QUEUE_SELECT, 2, h->queue);
	set(h, QUEUE_SIZE, 2, 1);
	set(h, QUEUE_SIZE, 2, 0);
	for (u32 field = QUEUE_DESCRIPTORS; field < COMMON_LENGTH; field += 4)
		set(h, field, 4, 0x12345678);
	set(h, QUEUE_ENABLE, 2, 0);
	set(h, QUEUE_ENABLE, 2, 1);
}

/* CVE-2026-5747: a queue's size and places are latched when it is enabled. */
static const char *rewritten(struct hostile *h)
{
	rewrite(h);
	EXPECT("size", get(h, QUEUE_SIZE, 2), hostile_ring(h)->size);
	EXPECT("descriptors", get(h, QUEUE_DESCRIPTORS, 4), (uintptr_t)hostile_ring(h)->descriptor_area);
	EXPECT("enabled", get(h, QUEUE_ENABLE, 2), 1);
	TRY(hostile_works(h));
	rewrite(h);
	return hostile_works(h);
}

static const char *places(struct hostile *h)
{
	static const u32 fields[] = {QUEUE_DESCRIPTORS, QUEUE_DRIVER, QUEUE_DEVICE};
	u32 unaligned[] = {8, hostile_packed(h) ? 2 : 1, 2};

	for (u32 wrong = 0; wrong < 2 * COUNT(fields); wrong++) {
		negotiate(h);
		for (u32 i = 0; i < COUNT(fields); i++)
			set(h, fields[i], 4, (u32)(uintptr_t)h->room + 0x1000 * i);
		u32 at = wrong % COUNT(fields);
		set(h, fields[at], 4, wrong < COUNT(fields) ? 0 : (u32)(uintptr_t)h->room + 0x1000 * at + unaligned[at]);
		set(h, QUEUE_ENABLE, 2, 1);
		EXPECT("enabled", get(h, QUEUE_ENABLE, 2), 0);
	}
	return NULL;
}

static const char *moved_out(struct hostile *h)
{
	static const u32 fields[] = {QUEUE_DESCRIPTORS, QUEUE_DRIVER, QUEUE_DEVICE};

	negotiate(h);
	set(h, CONFIG_VECTOR, 2, h->device->mode == IRQ_INTX ? VIRTIO_NO_VECTOR : 0);
	for (u32 i = 0; i < COUNT(fields); i++) {
		set(h, fields[i], 4, 0x1000 * (i + 1));
		set(h, fields[i] + 4, 4, 0x1000); /* 2^44 */
	}
	set(h, QUEUE_ENABLE, 2, 1);
	EXPECT("enabled", get(h, QUEUE_ENABLE, 2), 1);
	set(h, DEVICE_STATUS, 1, ALL_UP);
	return NULL;
}

static const char *selects(struct hostile *h)
{
	static const u32 queues[] = {0x100, 0x8000, 0xffff};
	static const u32 words[] = {4, 0x80000000, 0xffffffff};

	for (u32 i = 0; i < COUNT(queues); i++) {
		set(h, QUEUE_SELECT, 2, queues[i]);
		for (u32 field = QUEUE_SIZE; field < COMMON_LENGTH; field += 2)
			set(h, field, 2, 1);
		EXPECT("size", get(h, QUEUE_SIZE, 2), 0);
		EXPECT("vector", get(h, QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
		EXPECT("enabled", get(h, QUEUE_ENABLE, 2), 0);
		set(h, DEVICE_FEATURE_SELECT, 4, words[i]);
		EXPECT("device features", get(h, DEVICE_FEATURE, 4), 0);
		set(h, DRIVER_FEATURE_SELECT, 4, words[i]);
		set(h, DRIVER_FEATURE, 4, 0xffffffff);
		EXPECT("driver features", get(h, DRIVER_FEATURE, 4), 0);
	}
	set(h, QUEUE_SELECT, 2, h->queue);
	u32 before = get(h, QUEUE_VECTOR, 2);
	set(h, QUEUE_VECTOR, 2, h->device->pci->msix == NULL ? 0 : h->device->pci->msix->table_size);
	EXPECT("vector beyond the table", get(h, QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
	set(h, QUEUE_VECTOR, 2, before);
	return hostile_works(h);
}

static const char *status(struct hostile *h)
{
	static const u8 clearing[] = {1, 3, 4, 7, 8, 0x0b, 0x80};

	for (u32 i = 0; i < COUNT(clearing); i++) {
		set(h, DEVICE_STATUS, 1, clearing[i]);
		EXPECT("status after one with fewer bits", get(h, DEVICE_STATUS, 1), ALL_UP);
	}
	set(h, DEVICE_STATUS, 1, ALL_UP | STATUS_NEEDS_RESET | 0x30);
	EXPECT("status after one with bits of nobody's", get(h, DEVICE_STATUS, 1), ALL_UP);
	TRY(hostile_works(h));
	set(h, DEVICE_STATUS, 1, 0);
	set(h, DEVICE_STATUS, 1, DRIVER_UP);
	set(h, DEVICE_STATUS, 1, DRIVER_UP | STATUS_DRIVER_OK);
	EXPECT("DRIVER_OK without FEATURES_OK", get(h, DEVICE_STATUS, 1), DRIVER_UP);
	set(h, DRIVER_FEATURE_SELECT, 4, 1);
	set(h, DRIVER_FEATURE, 4, 0); /* no VERSION_1 */
	set(h, DEVICE_STATUS, 1, DRIVER_UP | STATUS_FEATURES_OK);
	EXPECT("FEATURES_OK without VERSION_1", get(h, DEVICE_STATUS, 1), DRIVER_UP);
	set(h, DRIVER_FEATURE, 4, 1 | 1u << 31); /* bit 63 is offered by none */
	set(h, DEVICE_STATUS, 1, DRIVER_UP | STATUS_FEATURES_OK);
	EXPECT("FEATURES_OK with what was not offered", get(h, DEVICE_STATUS, 1), DRIVER_UP);
	return NULL;
}

/* The structure and what is behind it, to the end of its page. */
static const char *configuration(struct hostile *h)
{
	const struct virtio_region *r = &h->device->regions[CONFIG];
	struct region page = pci_region(h->device->pci, r->bar, r->offset, 0x1000);
	u32 end = r->region.length;

	if (page.ops == NULL)
		return SKIP("its page is out of the processor's reach");
	for (u32 at = end; at + 4 <= 0x1000; at += at < end + 16 ? 1 : 61)
		for (u32 width = 1; width <= 4; width *= 2) {
			region_write(&page, at, width, 0xffffffff);
			EXPECT("behind the configuration", region_read(&page, at, width), 0);
		}
	u32 last = region_read(&page, 0xfff, 1);
	EXPECT("the last byte", last, 0);
	return hostile_works(h);
}

static const char *window(struct hostile *h)
{
	static const struct {
		u32 bar, offset, length;
	} bad[] = {
		{0, DEVICE_STATUS, 1}, {5, DEVICE_STATUS, 1}, {0xff, DEVICE_STATUS, 1}, {4, DEVICE_STATUS, 0},
		{4, DEVICE_STATUS, 3}, {4, DEVICE_STATUS, 8}, {4, DEVICE_STATUS, 0xffffffff}, {4, NUM_QUEUES, 4},
		{4, 0x0ffe, 4}, {4, 0x4000, 4}, {4, 0xfffffffc, 4},
	};
	u32 at = modern_devices[h->device->number].window_capability;
	const struct pci_device *pci = h->device->pci;

	if (at == 0)
		return "there is none";
	for (u32 i = 0; i < COUNT(bad); i++) {
		pci_write(pci, at + 4, 1, bad[i].bar);
		pci_write(pci, at + 8, 4, bad[i].offset);
		pci_write(pci, at + 12, 4, bad[i].length);
		pci_write(pci, at + 16, 4, 0);
		EXPECT("data", pci_read(pci, at + 16, 4), 0);
		EXPECT("status", get(h, DEVICE_STATUS, 1), ALL_UP);
	}
	return hostile_works(h);
}

/* The doorbells lie side by side, and there is one for each queue: what is behind them is nobody's, as is one of the wrong width. */
static void kick_absent(struct hostile *h)
{
	const struct virtio_region *r = &h->device->regions[NOTIFY];
	u32 end = get(h, NUM_QUEUES, 2) * h->device->notify_multiplier;
	struct region page = pci_region(h->device->pci, r->bar, r->offset, 0x1000);

	region_write(&r->region, h->queue * h->device->notify_multiplier, 1, h->queue);
	if (page.ops == NULL)
		return;
	for (u32 at = end; at < 0x1000; at += 4)
		region_write(&page, at, 2, at / 4);
}

static void queue_vector(struct hostile *h, u16 vector)
{
	set(h, QUEUE_SELECT, 2, h->queue);
	set(h, QUEUE_VECTOR, 2, vector);
}

const struct hostile_layout hostile_modern = {
	.transport = &virtio_pci_modern,
	.says_broken = true,
	.sizes = sizes,
	.rewritten = rewritten,
	.places = places,
	.moved_out = moved_out,
	.selects = selects,
	.status = status,
	.configuration = configuration,
	.window = window,
	.kick_absent = kick_absent,
	.queue_vector = queue_vector,
};
