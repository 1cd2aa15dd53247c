#include "arch.h"
#include "selftest.h"
#include "virtio_blk.h"

/*
 * What a layout lets the guest say about its rings, tried on a disk: how large they are, how much memory they take, and
 * that an address is taken whole. No layout is known here.
 */
enum { LARGE = 1024, SMALL = 8, AT_ONCE = 1000, PATIENCE_US = 10000000 };

static struct virtio_device *device;
static u8 *sector;

/* Runs a check on the disk with rings of at most that many entries, and puts back what was. */
static const char *with_limit(u16 limit, const char *(*run)(struct virtio_blk *blk))
{
	struct virtio_blk *blk = blk_disk();
	const char *result;
	u16 before;

	if (blk == NULL || blk->capacity == 0)
		return SKIP("no disk");
	sector = page_alloc(1);
	if (sector == NULL)
		return "no memory";
	device = blk->device;
	before = device->queue_limit;
	virtio_stop(device);
	device->queue_limit = limit;
	result = virtio_start(device, irq_mode_asked()) ? run(device->driver_data) : "it did not come up";
	virtio_stop(device);
	device->queue_limit = before;
	if (!virtio_start(device, irq_mode_asked()) && result == NULL)
		result = "it did not come up again";
	page_free(sector, 1);
	return result;
}

static struct blk_request requests[AT_ONCE];

static bool all_done(void *blk)
{
	return ((struct virtio_blk *)blk)->completions == AT_ONCE;
}

static const char *do_large(struct virtio_blk *blk)
{
	struct virtio_buffer buffer = {sector, SECTOR};

	if (device->queue[0].largest < LARGE)
		return SKIP("the device's largest ring is smaller");
	EXPECT("entries", device->queue[0].size, LARGE);
	for (u32 i = 0; i < AT_ONCE; i++)
		if (!blk_submit(blk, &requests[i], BLK_READ, i % blk->capacity, &buffer, 1, false))
			return failure("no room for request %u", i);
	virtio_kick(device, 0);
	if (!wait_until(all_done, blk, PATIENCE_US))
		return failure("%u of %u requests ended", blk->completions, AT_ONCE);
	for (u32 i = 0; i < AT_ONCE; i++)
		EXPECT("status", requests[i].status, BLK_OK);
	return NULL;
}
static const char *large(void) { return with_limit(LARGE, do_large); }

/* 128 bytes of descriptors, 22 of available ring, 70 of used ring, and at most 3 between them. */
static const char *do_small(struct virtio_blk *blk)
{
	const struct virtqueue *q = &device->queue[0];
	uintptr_t start = (uintptr_t)q->descriptor_area;
	uintptr_t driver_end = (uintptr_t)q->driver_area + q->format->driver_size(q->size);
	uintptr_t device_end = (uintptr_t)q->device_area + q->format->device_size(q->size);
	u32 bytes = (u32)((driver_end > device_end ? driver_end : device_end) - start);
	u32 page;

	if (q->format != &virtqueue_split)
		return SKIP("the ring is packed");
	if (q->size == q->largest && q->size != SMALL)
		return SKIP("the device dictates the size of its ring");
	EXPECT("entries", q->size, SMALL);
	if (bytes < 220 || bytes > 223)
		return failure("the ring takes %u bytes", bytes);
	/* What lies behind it on its page stays as it is. */
	for (page = bytes; page < PAGE_SIZE; page++)
		((volatile u8 *)start)[page] = 0xa5;
	for (u32 i = 0; i < 3 * SMALL; i++)
		EXPECT("status", blk_read(blk, 0, sector, 1), BLK_OK);
	for (page = bytes; page < PAGE_SIZE; page++)
		EXPECT("a byte behind the ring", ((volatile u8 *)start)[page], 0xa5);
	return NULL;
}
static const char *small(void) { return with_limit(SMALL, do_small); }

static const struct check checks[] = {
	{"rings: 1024 entries, which the guest chose, hold a thousand requests at once", large},
	{"rings: 8 entries take 220 bytes and their alignment", small},
};
const struct check_list checks_rings = {checks, COUNT(checks)};

/* For the layouts which can say it: `place` has put the rings 16 TiB or more above RAM, sharing its low half. */
const char *ring_out_of_reach(struct virtio_device *disk, void (*place)(struct virtio_device *disk, bool out))
{
	static struct blk_request request;
	struct virtio_buffer buffer;
	bool used = false;
	u8 status = BLK_PENDING;
	bool up;

	sector = page_alloc(1);
	if (sector == NULL)
		return "no memory";
	buffer = (struct virtio_buffer){sector, SECTOR};
	virtio_stop(disk);
	place(disk, true);
	up = virtio_start(disk, irq_mode_asked());
	if (up) {
		blk_submit(disk->driver_data, &request, BLK_READ, 0, &buffer, 1, true);
		disk->transport->notify(disk, 0);
		sleep_us(5000);
		status = request.status;
		used = virtqueue_has_used(&disk->queue[0]);
	}
	virtio_stop(disk);
	place(disk, false);
	up = virtio_start(disk, irq_mode_asked());
	EXPECT("status of a request in it", status, BLK_PENDING);
	EXPECT("used chains in the ring below", used, 0);
	if (!up)
		return "it did not come up again";
	status = blk_read(disk->driver_data, 0, sector, 1);
	page_free(sector, 1);
	EXPECT("status of a read afterwards", status, BLK_OK);
	return NULL;
}
