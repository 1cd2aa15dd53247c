#include "arch.h"
#include "selftest.h"
#include "string.h"
#include "virtio_blk.h"

/*
 * Packed rings, use in order and notification data (virtio 1.2 sections 2.8, 2.7.9, 2.9), tried on a disk which offers
 * them whatever the command line asked for.
 */
enum { LIMIT = 7, BATCH = 6 };

static struct virtio_device *device;
static struct virtqueue *q;
static u8 *data;

/* Runs a check with those features beside the others, without these, in a ring of at most that many entries, and puts back what was. */
static const char *with(u64 features, u64 without, u16 limit, const char *(*run)(struct virtio_blk *blk))
{
	struct virtio_blk *blk = blk_disk();
	const char *result;
	struct features wanted;
	u16 before;

	if (blk == NULL || blk->capacity < 64)
		return SKIP("no disk");
	device = blk->device;
	if ((device->features_offered.half[0] & features) != features)
		return SKIP("not offered");
	data = page_alloc(1);
	if (data == NULL)
		return "no memory";
	q = &device->queue[0];
	wanted = device->features_wanted;
	before = device->queue_limit;
	virtio_stop(device);
	device->features_wanted.half[0] = (wanted.half[0] | features) & ~without;
	device->queue_limit = limit;
	result = virtio_start(device, irq_mode_asked()) ? run(device->driver_data) : "it did not come up";
	virtio_stop(device);
	device->features_wanted = wanted;
	device->queue_limit = before;
	if (!virtio_start(device, irq_mode_asked()) && result == NULL)
		result = "it did not come up again";
	page_free(data, 1);
	return result;
}

/* Three laps and a bit: each wrap counter has changed three times. */
static const char *do_laps(struct virtio_blk *blk)
{
	u32 rounds = 3 * q->size + 2;

	EXPECT("format", q->format == &virtqueue_packed, 1);
	EXPECT("entries", q->size, LIMIT);
	for (u32 i = 0; i < rounds; i++)
		EXPECT("status", blk_read(blk, i, data, 1), BLK_OK);
	EXPECT("offset of the next descriptor", q->packed.next.offset, 2);
	EXPECT("its wrap counter", q->packed.next.wrap, 0);
	EXPECT("offset of the next used one", q->packed.used.offset, 2);
	EXPECT("its wrap counter", q->packed.used.wrap, 0);
	EXPECT("free descriptors", q->free_count, q->size);
	return NULL;
}
static const char *laps(void)
{
	return with(FEATURE(F_RING_PACKED) | FEATURE(F_INDIRECT), 0, LIMIT, do_laps);
}

/* Lists of four in a ring of seven: they end at each of its places. */
static const char *do_lists(struct virtio_blk *blk)
{
	struct virtio_buffer whole = {data, 2 * SECTOR}, piece[2] = {{data, 100}, {data + 100, 2 * SECTOR - 100}};
	u32 sum;

	EXPECT("indirect", q->indirect, 0);
	for (u32 i = 0; i < 2 * LIMIT; i++) {
		EXPECT("status", blk_transfer(blk, BLK_READ, i, &whole, 1), BLK_OK);
		sum = checksum(data, 2 * SECTOR);
		memset(data, 0, 2 * SECTOR);
		EXPECT("status", blk_transfer(blk, BLK_READ, i, piece, 2), BLK_OK);
		EXPECT("checksum", checksum(data, 2 * SECTOR), sum);
		EXPECT("free descriptors", q->free_count, q->size);
	}
	return NULL;
}
static const char *lists(void) { return with(FEATURE(F_RING_PACKED), FEATURE(F_INDIRECT), LIMIT, do_lists); }

/* As many requests as the ring has room for, one notification and, by the event index, one interrupt. */
static const char *do_batches(struct virtio_blk *blk)
{
	static struct blk_request request[BATCH];
	struct virtio_buffer buffer = {data, SECTOR};
	u32 interrupts = blk->device->interrupts, notifications = q->notifications;

	for (u32 round = 0; round < 5; round++) {
		for (u32 i = 0; i < BATCH; i++)
			if (!blk_submit(blk, &request[i], BLK_READ, i, &buffer, 1, false))
				return failure("no room for request %u", i);
		virtqueue_interrupt_after(q, BATCH);
		virtio_kick(blk->device, 0);
		for (u32 i = 0; i < BATCH; i++)
			EXPECT("status", blk_wait(blk, &request[i]), BLK_OK);
	}
	EXPECT("interrupts", blk->device->interrupts - interrupts, 5);
	EXPECT("notifications", q->notifications - notifications, 5);
	return NULL;
}
static const char *packed_events(void)
{
	return with(FEATURE(F_RING_PACKED) | FEATURE(F_INDIRECT) | FEATURE(F_EVENT_INDEX), 0, LIMIT, do_batches);
}

static const char *do_no_events(struct virtio_blk *blk)
{
	struct virtio_buffer buffer = {data, SECTOR};
	struct blk_request request;
	u32 interrupts = blk->device->interrupts;

	virtqueue_interrupt_after(q, 0);
	blk_submit(blk, &request, BLK_READ, 0, &buffer, 1, true);
	for (int i = 0; i < 1000 && !virtqueue_has_used(q); i++)
		sleep_us(200);
	u32 flags = irq_save();
	blk->device->driver->queue_interrupt(blk->device, 0);
	irq_restore(flags);
	EXPECT("done", request.done, 1);
	EXPECT("interrupts", blk->device->interrupts - interrupts, 0);
	EXPECT("status of the next", blk_read(blk, 0, data, 1), BLK_OK);
	EXPECT("interrupts of the next", blk->device->interrupts - interrupts, 1);
	return NULL;
}
static const char *no_events(void)
{
	return with(FEATURE(F_RING_PACKED), FEATURE(F_EVENT_INDEX), LIMIT, do_no_events);
}

/* The driver takes its chains from the oldest on and panics at one which is not its next; the last to end is the last offered. */
static const char *do_in_order(struct virtio_blk *blk)
{
	static struct blk_request request[BATCH];
	struct virtio_buffer buffer = {data, SECTOR};

	EXPECT("in order", q->in_order, 1);
	for (u32 round = 0; round < 5; round++) {
		for (u32 i = 0; i < BATCH; i++)
			if (!blk_submit(blk, &request[i], i % 2 == 0 ? BLK_READ : BLK_GET_ID, 0, &buffer, 1, false))
				return failure("no room for request %u", i);
		virtio_kick(blk->device, 0);
		blk_wait(blk, &request[BATCH - 1]);
		for (u32 i = 0; i < BATCH; i++)
			EXPECT("done with the last", request[i].done, 1);
	}
	return NULL;
}
static const char *split_in_order(void)
{
	return with(FEATURE(F_IN_ORDER) | FEATURE(F_INDIRECT), FEATURE(F_RING_PACKED), 8, do_in_order);
}
static const char *packed_in_order(void)
{
	return with(FEATURE(F_IN_ORDER) | FEATURE(F_INDIRECT) | FEATURE(F_RING_PACKED), 0, LIMIT, do_in_order);
}

static const char *do_reads(struct virtio_blk *blk)
{
	for (u32 i = 0; i < 20; i++)
		EXPECT("status", blk_read(blk, i, data, 1), BLK_OK);
	return NULL;
}
static const char *split_data(void)
{
	return with(FEATURE(F_NOTIFICATION_DATA), FEATURE(F_RING_PACKED), 8, do_reads);
}
static const char *packed_data(void)
{
	return with(FEATURE(F_NOTIFICATION_DATA) | FEATURE(F_RING_PACKED), 0, LIMIT, do_reads);
}

static const struct check checks[] = {
	{"packed: wrap counters in a ring of seven", laps},
	{"packed: lists which go round the end of the ring", lists},
	{"packed: by an event at a descriptor six requests are one interrupt", packed_events},
	{"packed: events which are off stay off", no_events},
	{"packed: requests are used in order", packed_in_order},
	{"packed: doorbells with notification data", packed_data},
	{"ring: requests are used in order", split_in_order},
	{"ring: doorbells with notification data", split_data},
};
const struct check_list checks_packed = {checks, COUNT(checks)};
