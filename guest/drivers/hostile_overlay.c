#include "arch.h"
#include "hostile.h"
#include "virtio_pci_overlay.h"

/* What is hostile in the overlay's register file (docs/overlay.md), latched, through either BAR. */

enum { UP = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK };

static u32 get(struct hostile *h, u32 field, u32 width)
{
	return region_read(&h->device->regions[OVERLAY_FILE].region, field, width);
}

static void set(struct hostile *h, u32 field, u32 width, u32 value)
{
	region_write(&h->device->regions[OVERLAY_FILE].region, field, width, value);
}

/* queue_size can never be written, queue_num only to a power of two up to it. */
static const char *sizes(struct hostile *h)
{
	set(h, OVERLAY_QUEUE_SEL, 2, h->queue);
	set(h, OVERLAY_QUEUE_PFN, 4, 0);
	u32 largest = get(h, OVERLAY_QUEUE_SIZE, 2);
	u32 bad[] = {0, 3, largest - 1, largest + 1, 2 * largest, 0xffff};

	for (u32 i = 0; i < COUNT(bad); i++) {
		set(h, OVERLAY_QUEUE_SIZE, 2, bad[i]);
		set(h, OVERLAY_QUEUE_NUM, 2, bad[i]);
		set(h, OVERLAY_QUEUE_ALIGN, 2, i == 0 ? 2 : bad[i] * 2 + 1);
		EXPECT("queue_size", get(h, OVERLAY_QUEUE_SIZE, 2), largest);
		EXPECT("queue_num", get(h, OVERLAY_QUEUE_NUM, 2), largest);
		EXPECT("queue_align", get(h, OVERLAY_QUEUE_ALIGN, 2), 4096);
	}
	return NULL;
}

static const char *rewritten(struct hostile *h)
{
	set(h, OVERLAY_QUEUE_SEL, 2, h->queue);
	u32 num = get(h, OVERLAY_QUEUE_NUM, 2), align = get(h, OVERLAY_QUEUE_ALIGN, 2);

	for (u32 i = 0; i < 2; i++) {
		set(h, OVERLAY_QUEUE_NUM, 2, 1);
		set(h, OVERLAY_QUEUE_ALIGN, 2, 64);
		set(h, OVERLAY_QUEUE_PFN_HI, 4, 0x1234);
		EXPECT("queue_num", get(h, OVERLAY_QUEUE_NUM, 2), num);
		EXPECT("queue_align", get(h, OVERLAY_QUEUE_ALIGN, 2), align);
		EXPECT("queue_pfn_hi", get(h, OVERLAY_QUEUE_PFN_HI, 4), 0);
		TRY(hostile_works(h));
	}
	return NULL;
}

/* 0 gives the queue up (D13), and page numbers which are no address of 64 bits do not start it (D12). */
static const char *places(struct hostile *h)
{
	set(h, OVERLAY_QUEUE_SEL, 2, h->queue);
	set(h, OVERLAY_QUEUE_PFN, 4, 0);
	set(h, OVERLAY_QUEUE_PFN_HI, 4, 0xffffffff);
	set(h, OVERLAY_QUEUE_PFN, 4, 0xffffffff);
	EXPECT("queue_pfn", get(h, OVERLAY_QUEUE_PFN, 4), 0);
	set(h, OVERLAY_QUEUE_PFN, 4, 0);
	hostile_available(h, 0);
	hostile_kick(h);
	return hostile_expect_nothing(h);
}

static const char *moved_out(struct hostile *h)
{
	set(h, OVERLAY_QUEUE_SEL, 2, h->queue);
	set(h, OVERLAY_QUEUE_PFN, 4, 0);
	set(h, OVERLAY_QUEUE_PFN_HI, 4, 0x100);
	set(h, OVERLAY_QUEUE_PFN, 4, 0x1000);
	EXPECT("queue_pfn", get(h, OVERLAY_QUEUE_PFN, 4), 0x1000);
	return NULL;
}

static const char *selects(struct hostile *h)
{
	static const u16 queues[] = {0x100, 0x8000, 0xffff};
	static const u32 words[] = {4, 0x80000000, 0xffffffff};

	for (u32 i = 0; i < COUNT(queues); i++) {
		set(h, OVERLAY_QUEUE_SEL, 2, queues[i]);
		set(h, OVERLAY_QUEUE_PFN_HI, 4, 1);
		set(h, OVERLAY_QUEUE_PFN, 4, 0x10);
		set(h, OVERLAY_QUEUE_NUM, 2, 8);
		EXPECT("queue_size", get(h, OVERLAY_QUEUE_SIZE, 2), 0);
		EXPECT("queue_pfn", get(h, OVERLAY_QUEUE_PFN, 4), 0);
		EXPECT("queue_num", get(h, OVERLAY_QUEUE_NUM, 2), 0);
		EXPECT("vector", get(h, OVERLAY_QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
		set(h, OVERLAY_HOST_SELECT, 4, words[i]);
		EXPECT("host features", get(h, OVERLAY_HOST_FEATURES, 4), 0);
		set(h, OVERLAY_GUEST_SELECT, 4, words[i]);
		set(h, OVERLAY_GUEST_FEATURES, 4, 0xffffffff);
		EXPECT("guest features", get(h, OVERLAY_GUEST_FEATURES, 4), 0);
	}
	set(h, OVERLAY_GUEST_SELECT, 4, 0);
	return hostile_works(h);
}

static const char *status(struct hostile *h)
{
	set(h, OVERLAY_STATUS, 1, UP | STATUS_FEATURES_OK | STATUS_NEEDS_RESET | 0x30);
	EXPECT("status", get(h, OVERLAY_STATUS, 1), UP);
	TRY(hostile_works(h));
	set(h, OVERLAY_STATUS, 1, UP | STATUS_FAILED);
	hostile_available(h, 0);
	hostile_kick(h);
	return hostile_expect_nothing(h);
}

/* Its BAR may be larger than it is. */
static const char *configuration(struct hostile *h)
{
	const struct region *config = &h->device->regions[OVERLAY_CONFIG].region;
	u8 last = (u8)region_read(config, config->length - 1, 1);

	for (u32 at = config->length - 4; at < config->length; at++)
		region_write(config, at, 1, 0xff);
	region_write(config, config->length - 4, 4, 0xffffffff);
	EXPECT("the last byte", region_read(config, config->length - 1, 1), last);
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
		set(h, OVERLAY_QUEUE_NOTIFY, 2, queues[i]);
}

static void queue_vector(struct hostile *h, u16 vector)
{
	set(h, OVERLAY_QUEUE_SEL, 2, h->queue);
	set(h, OVERLAY_QUEUE_VECTOR, 2, vector);
}

#define HOSTILE_OVERLAY(through)                \
	{                                       \
		.transport = &through,          \
		.sizes = sizes,                 \
		.rewritten = rewritten,         \
		.places = places,               \
		.moved_out = moved_out,         \
		.selects = selects,             \
		.status = status,               \
		.configuration = configuration, \
		.window = window,               \
		.kick_absent = kick_absent,     \
		.queue_vector = queue_vector,   \
	}
const struct hostile_layout hostile_overlay_bar0 = HOSTILE_OVERLAY(virtio_pci_overlay_bar0);
const struct hostile_layout hostile_overlay_bar1 = HOSTILE_OVERLAY(virtio_pci_overlay_bar1);
