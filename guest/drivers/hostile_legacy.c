#include "arch.h"
#include "hostile.h"
#include "virtio_pci_legacy.h"

/* What is hostile in the legacy header (virtio 1.2 section 4.1.4.10). */

enum { UP = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK };

static u32 get(struct hostile *h, u32 field, u32 width)
{
	return region_read(&h->device->regions[0].region, field, width);
}

static void set(struct hostile *h, u32 field, u32 width, u32 value)
{
	region_write(&h->device->regions[0].region, field, width, value);
}

static const char *sizes(struct hostile *h)
{
	static const u16 bad[] = {0, 1, 3, 0x8000, 0xffff};

	set(h, LEGACY_QUEUE_SELECT, 2, h->queue);
	for (u32 i = 0; i < COUNT(bad); i++) {
		set(h, LEGACY_QUEUE_SIZE, 2, bad[i]);
		EXPECT("size", get(h, LEGACY_QUEUE_SIZE, 2), hostile_ring(h)->size);
	}
	return hostile_works(h);
}

static const char *rewritten(struct hostile *h)
{
	(void)h;
	return SKIP("a driver of this layout may place its queue again, and writes nothing else of it");
}

/* Page 0 gives the queue up; every other number is a place, aligned by what it counts. */
static const char *places(struct hostile *h)
{
	set(h, LEGACY_QUEUE_SELECT, 2, h->queue);
	set(h, LEGACY_QUEUE_PFN, 4, 0);
	EXPECT("page", get(h, LEGACY_QUEUE_PFN, 4), 0);
	hostile_available(h, 0);
	hostile_kick(h);
	return hostile_expect_nothing(h);
}

static const char *moved_out(struct hostile *h)
{
	set(h, LEGACY_QUEUE_SELECT, 2, h->queue);
	set(h, LEGACY_QUEUE_PFN, 4, 0xfffffff0);
	EXPECT("page", get(h, LEGACY_QUEUE_PFN, 4), 0xfffffff0);
	return NULL;
}

static const char *selects(struct hostile *h)
{
	static const u16 queues[] = {0x100, 0x8000, 0xffff};

	for (u32 i = 0; i < COUNT(queues); i++) {
		set(h, LEGACY_QUEUE_SELECT, 2, queues[i]);
		set(h, LEGACY_QUEUE_PFN, 4, 0x10);
		EXPECT("size", get(h, LEGACY_QUEUE_SIZE, 2), 0);
		EXPECT("page", get(h, LEGACY_QUEUE_PFN, 4), 0);
		if (h->device->mode == IRQ_INTX)
			continue;
		set(h, LEGACY_QUEUE_VECTOR, 2, 1);
		EXPECT("vector", get(h, LEGACY_QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
	}
	if (h->device->mode != IRQ_INTX) {
		set(h, LEGACY_QUEUE_SELECT, 2, h->queue);
		u32 before = get(h, LEGACY_QUEUE_VECTOR, 2);
		set(h, LEGACY_QUEUE_VECTOR, 2, h->device->pci->msix->table_size);
		EXPECT("vector beyond the table", get(h, LEGACY_QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
		set(h, LEGACY_QUEUE_VECTOR, 2, before);
	}
	return hostile_works(h);
}

/* FEATURES_OK and DEVICE_NEEDS_RESET are no bits of this interface; any of the others may be set in any order. */
static const char *status(struct hostile *h)
{
	set(h, LEGACY_STATUS, 1, UP | STATUS_FEATURES_OK | STATUS_NEEDS_RESET | 0x30);
	EXPECT("status", get(h, LEGACY_STATUS, 1), UP);
	TRY(hostile_works(h));
	set(h, LEGACY_STATUS, 1, UP | STATUS_FAILED);
	hostile_available(h, 0);
	hostile_kick(h);
	return hostile_expect_nothing(h);
}

/* To the end of the BAR, the configuration wherever it is. */
static const char *configuration(struct hostile *h)
{
	u32 end = h->device->regions[0].region.length;
	static u8 before[256];

	for (u32 at = LEGACY_CONFIG_WITH_MSIX; at < end && at < sizeof(before); at++)
		before[at] = (u8)get(h, at, 1);
	for (u32 at = end - 3; at < end; at++)
		set(h, at, 1, 0xff);
	set(h, end - 4, 4, 0xffffffff);
	set(h, end - 2, 2, 0xffff);
	/* Every width gives the bytes which single reads give (2.5.3). */
	for (u32 at = LEGACY_CONFIG_WITH_MSIX; at + 4 <= end && at < 60; at++) {
		u32 word = get(h, at, 4);
		for (u32 i = 0; i < 4; i++)
			EXPECT("byte of a word", word >> 8 * i & 0xff, get(h, at + i, 1));
		EXPECT("byte of the configuration", get(h, at, 1), before[at]);
	}
	return hostile_works(h);
}

static const char *window(struct hostile *h)
{
	(void)h;
	return SKIP("this layout has no window in configuration space");
}

static void kick_absent(struct hostile *h)
{
	static const u16 queues[] = {0x100, 0x8000, 0xffff};

	for (u32 i = 0; i < COUNT(queues); i++)
		set(h, LEGACY_QUEUE_NOTIFY, 2, queues[i]);
}

static void queue_vector(struct hostile *h, u16 vector)
{
	set(h, LEGACY_QUEUE_SELECT, 2, h->queue);
	set(h, LEGACY_QUEUE_VECTOR, 2, vector);
}

const struct hostile_layout hostile_legacy = {
	.transport = &virtio_pci_legacy,
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
