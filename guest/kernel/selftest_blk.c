#include "arch.h"
#include "selftest.h"
#include "string.h"
#include "virtio_blk.h"

/* The disk and its ring. The last sectors are saved first and put back at the end. */

enum { SCRATCH = 64, BYTES = SCRATCH * SECTOR, PAGES = BYTES / PAGE_SIZE };
static struct virtio_blk *blk; /* NULL: no disk to write on */
static u8 *saved, *data;
static u64 base;

/* SCRATCH sectors of a pattern which differs with seed and place. */
static void pattern(u8 *to, u32 bytes, u32 seed)
{
	for (u32 i = 0; i < bytes / 4; i++)
		((u32 *)to)[i] = (seed + i) * 2654435761u;
}

static const char *same(const u8 *got, u32 bytes, u32 seed)
{
	for (u32 i = 0; i < bytes / 4; i++)
		if (((const u32 *)got)[i] != (seed + i) * 2654435761u)
			return failure("word %u is %08x", i, ((const u32 *)got)[i]);
	return NULL;
}

static const char *save(void)
{
	blk = blk_disk();
	if (blk == NULL || blk->capacity < SCRATCH) {
		blk = NULL;
		return SKIP("no disk of 64 sectors");
	}
	saved = page_alloc(PAGES);
	data = page_alloc(PAGES);
	base = blk->capacity - SCRATCH;
	if (saved == NULL || data == NULL)
		return "no memory";
	EXPECT("status", blk_read(blk, base, saved, SCRATCH), BLK_OK);
	return NULL;
}

static const char *no_writable_disk(void)
{
	if (blk == NULL)
		return SKIP("no disk");
	return blk->readonly ? SKIP("the disk is read-only") : NULL;
}
#define NEED_WRITABLE()                                 \
	do {                                            \
		const char *skip_ = no_writable_disk(); \
		if (skip_ != NULL)                      \
			return skip_;                   \
	} while (0)

static const char *write_read(void)
{
	NEED_WRITABLE();
	pattern(data, BYTES, 1);
	EXPECT("status of the write", blk_write(blk, base, data, SCRATCH), BLK_OK);
	memset(data, 0, BYTES);
	EXPECT("status of the read", blk_read(blk, base, data, SCRATCH), BLK_OK);
	return same(data, BYTES, 1);
}

static const char *flush(void)
{
	if (blk == NULL || !virtio_has(blk->device, BLK_F_FLUSH))
		return SKIP("not offered");
	EXPECT("status", blk_flush(blk), BLK_OK);
	return NULL;
}

static const char *get_id(void)
{
	char id[21];

	if (blk == NULL)
		return SKIP("no disk");
	EXPECT("status", blk_get_id(blk, id), BLK_OK);
	for (u32 i = 0; id[i] != 0; i++)
		if (id[i] < ' ' || id[i] > '~')
			return failure("character %u is %02x", i, id[i]);
	return NULL;
}

/* Cut at places which are no sector boundaries: framing is the driver's business (section 2.7.4). */
static const char *segments(void)
{
	static const u32 cuts[] = {1, 511, 513, 1000, 23, 2048};
	struct virtio_buffer piece[COUNT(cuts)];
	u32 at = 0;

	NEED_WRITABLE();
	for (u32 i = 0; i < COUNT(cuts); i++) {
		piece[i] = (struct virtio_buffer){data + at, cuts[i]};
		at += cuts[i];
	}
	EXPECT("bytes, whole sectors", at % SECTOR, 0);
	pattern(data, at, 2);
	EXPECT("status of the write", blk_transfer(blk, BLK_WRITE, base, piece, COUNT(cuts)), BLK_OK);
	memset(data, 0, at);
	EXPECT("status of the read", blk_transfer(blk, BLK_READ, base, piece, COUNT(cuts)), BLK_OK);
	return same(data, at, 2);
}

/* The used length counts the bytes written by the device: the data and the status (section 2.7.8.2). */
static const char *used_length(void)
{
	struct virtio_buffer buffer = {data, 2 * SECTOR};
	struct blk_request request;

	if (blk == NULL)
		return SKIP("no disk");
	if (arch_is_qemu() && blk->device->queue[0].format == &virtqueue_packed)
		return SKIP("QEMU leaves out the flag without which there is no length (2.8.4)");
	blk_submit(blk, &request, BLK_READ, 0, &buffer, 1, true);
	EXPECT("status", blk_wait(blk, &request), BLK_OK);
	EXPECT("used length", request.used_length, 2 * SECTOR + 1);
	return NULL;
}

static const char *out_of_range(void)
{
	if (blk == NULL)
		return SKIP("no disk");
	EXPECT("first sector behind the end", blk_read(blk, blk->capacity, data, 1), BLK_IOERR);
	EXPECT("half behind the end", blk_read(blk, blk->capacity - 1, data, 2), BLK_IOERR);
	EXPECT("sector whose byte offset overflows", blk_read(blk, ~0ull - 1, data, 1), BLK_IOERR);
	EXPECT("last sector", blk_read(blk, blk->capacity - 1, data, 1), BLK_OK);
	return NULL;
}

static const char *part_of_a_sector(void)
{
	struct virtio_buffer buffer = {data, 100};

	if (blk == NULL)
		return SKIP("no disk");
	EXPECT("status", blk_transfer(blk, BLK_READ, 0, &buffer, 1), BLK_IOERR);
	return NULL;
}

static const char *unknown_request(void)
{
	struct virtio_buffer buffer = {data, SECTOR};

	if (blk == NULL)
		return SKIP("no disk");
	EXPECT("status", blk_transfer(blk, 0x7fff, 0, &buffer, 1), BLK_UNSUPP);
	return NULL;
}

static const char *read_only(void)
{
	if (blk == NULL || !blk->readonly)
		return SKIP("the disk is writable");
	pattern(data, SECTOR, 3);
	EXPECT("status of the write", blk_write(blk, base, data, 1), BLK_IOERR);
	EXPECT("status of the read", blk_read(blk, base, data, 1), BLK_OK);
	return memcmp(data, saved, SECTOR) == 0 ? NULL : "it was written all the same";
}

static const char *write_zeroes(void)
{
	NEED_WRITABLE();
	if (!virtio_has(blk->device, BLK_F_WRITE_ZEROES))
		return SKIP("not offered");
	pattern(data, 4 * SECTOR, 4);
	EXPECT("status of the write", blk_write(blk, base, data, 4), BLK_OK);
	EXPECT("status", blk_write_zeroes(blk, base + 1, 2), BLK_OK);
	EXPECT("status of the read", blk_read(blk, base, data, 4), BLK_OK);
	for (u32 i = 0; i < 2 * SECTOR; i++)
		EXPECT("byte of the zeroed sectors", data[SECTOR + i], 0);
	return same(data, SECTOR, 4);
}

static const char *discard(void)
{
	NEED_WRITABLE();
	if (!virtio_has(blk->device, BLK_F_DISCARD))
		return SKIP("not offered");
	EXPECT("status", blk_discard(blk, base + 8, 8), BLK_OK);
	EXPECT("status behind the end", blk_discard(blk, blk->capacity, 8), BLK_IOERR);
	return NULL;
}

static const char *many_in_flight(void)
{
	enum { FLIGHT = 32 };
	static struct blk_request request[FLIGHT];
	u32 errors = 0;

	NEED_WRITABLE();
	pattern(data, FLIGHT * SECTOR, 5);
	EXPECT("status of the write", blk_write(blk, base, data, FLIGHT), BLK_OK);
	memset(data, 0, FLIGHT * SECTOR);
	for (u32 i = 0; i < FLIGHT; i++) {
		struct virtio_buffer buffer = {data + i * SECTOR, SECTOR};
		if (!blk_submit(blk, &request[i], BLK_READ, base + i, &buffer, 1, i % 4 == 3))
			return failure("request %u has no room", i);
	}
	for (u32 i = 0; i < FLIGHT; i++)
		errors += blk_wait(blk, &request[i]) != BLK_OK;
	EXPECT("errors", errors, 0);
	return same(data, FLIGHT * SECTOR, 5);
}

/* Brings the device up with other parameters, runs, and brings it up as it was. */
static const char *with(u64 without_features, u16 limit, const char *(*run)(void))
{
	struct virtio_device *device;
	const char *result;

	if (blk == NULL)
		return SKIP("no disk");
	device = blk->device;
	struct features features = device->features_wanted;
	u16 before = device->queue_limit;
	virtio_stop(device);
	device->features_wanted.half[0] &= ~without_features;
	device->queue_limit = limit;
	result = virtio_start(device, irq_mode_asked()) ? run() : "it did not come up";
	virtio_stop(device);
	device->features_wanted = features;
	device->queue_limit = before;
	if (!virtio_start(device, irq_mode_asked()) && result == NULL)
		result = "it did not come up again";
	return result;
}

static const char *do_wrap(void)
{
	struct virtqueue *q = &blk->device->queue[0];
	u32 rounds = min_u32(q->size * 3 + 5, 400);

	for (u32 i = 0; i < rounds; i++)
		EXPECT("status", blk_read(blk, base + i % SCRATCH, data, 1), BLK_OK);
	if (q->format == &virtqueue_split) {
		EXPECT("index of the available ring", q->split.avail_index, rounds);
		EXPECT("index of the used ring", q->order->w16(q->split.used->index), rounds);
	}
	EXPECT("free descriptors", q->free_count, q->size);
	return NULL;
}
static const char *wrap(void) { return with(0, 8, do_wrap); }

static const char *do_direct(void)
{
	struct virtqueue *q = &blk->device->queue[0];
	struct virtio_buffer piece[3] = {{data, 512}, {data + 512, 1}, {data + 513, 511}};
	struct virtio_buffer whole = {data, 1024};
	u32 sum;

	EXPECT("status", blk_transfer(blk, BLK_READ, base, &whole, 1), BLK_OK);
	sum = checksum(data, 1024);
	memset(data, 0, 1024);
	EXPECT("status", blk_transfer(blk, BLK_READ, base, piece, 3), BLK_OK);
	EXPECT("checksum", checksum(data, 1024), sum);
	EXPECT("free descriptors", q->free_count, q->size);
	EXPECT("indirect", q->indirect, 0);
	return NULL;
}
static const char *direct(void) { return with(FEATURE(F_INDIRECT), 0, do_direct); }

static const char *indirect(void)
{
	struct virtqueue *q;
	struct virtio_buffer piece[4] = {{data, 512}, {data + 512, 512}, {data + 1024, 512}, {data + 1536, 512}};
	struct blk_request request;
	u16 taken;

	if (blk == NULL || !blk->device->queue[0].indirect)
		return SKIP("not offered");
	q = &blk->device->queue[0];
	taken = q->free_count;
	blk_submit(blk, &request, BLK_READ, base, piece, 4, false);
	taken = (u16)(taken - q->free_count);
	virtio_kick(blk->device, 0);
	EXPECT("status", blk_wait(blk, &request), BLK_OK);
	EXPECT("descriptors of the ring for six buffers", taken, 1);
	return NULL;
}

/* Section 2.7.7.2: asked to interrupt after eight, the device interrupts once. */
static const char *event_index(void)
{
	enum { BATCH = 8 };
	static struct blk_request request[BATCH];
	struct virtio_buffer buffer = {data, SECTOR};
	u32 interrupts, notifications;

	if (blk == NULL || !blk->device->queue[0].event_index)
		return SKIP("not offered");
	interrupts = blk->device->interrupts;
	notifications = blk->device->queue[0].notifications;
	for (u32 i = 0; i < BATCH; i++)
		blk_submit(blk, &request[i], BLK_READ, base, &buffer, 1, false);
	virtqueue_interrupt_after(&blk->device->queue[0], BATCH);
	virtio_kick(blk->device, 0);
	for (u32 i = 0; i < BATCH; i++)
		EXPECT("status", blk_wait(blk, &request[i]), BLK_OK);
	EXPECT("interrupts", blk->device->interrupts - interrupts, 1);
	EXPECT("notifications", blk->device->queue[0].notifications - notifications, 1);
	return NULL;
}

/* Without the event index the driver's flag asks for no interrupt (section 2.7.7); the ring is looked at instead. */
static const char *do_no_interrupt(void)
{
	struct virtqueue *q = &blk->device->queue[0];
	struct virtio_buffer buffer = {data, SECTOR};
	struct blk_request request;
	u32 interrupts = blk->device->interrupts;

	EXPECT("event index", q->event_index, 0);
	virtqueue_interrupt_after(q, 0);
	blk_submit(blk, &request, BLK_READ, base, &buffer, 1, true);
	for (int i = 0; i < 1000 && !virtqueue_has_used(q); i++)
		sleep_us(200);
	u32 flags = irq_save();
	blk->device->driver->queue_interrupt(blk->device, 0);
	irq_restore(flags);
	EXPECT("done", request.done, 1);
	EXPECT("status", request.status, BLK_OK);
	EXPECT("interrupts", blk->device->interrupts - interrupts, 0);
	EXPECT("status of the next", blk_read(blk, base, data, 1), BLK_OK);
	EXPECT("interrupts of the next", blk->device->interrupts - interrupts, 1);
	return NULL;
}
static const char *no_interrupt(void) { return with(FEATURE(F_EVENT_INDEX), 0, do_no_interrupt); }

static const char *restore(void)
{
	NEED_WRITABLE();
	EXPECT("status of the write", blk_write(blk, base, saved, SCRATCH), BLK_OK);
	EXPECT("status of the read", blk_read(blk, base, data, SCRATCH), BLK_OK);
	return memcmp(saved, data, BYTES) == 0 ? NULL : "other data came back";
}

static const struct check checks[] = {
	{"blk: the last sectors are saved", save},
	{"blk: 64 sectors come back as written", write_read},
	{"blk: flush", flush},
	{"blk: the name is printable", get_id},
	{"blk: segments cut inside sectors", segments},
	{"blk: the used length is data and status", used_length},
	{"blk: behind the end is IOERR, the last sector is not", out_of_range},
	{"blk: part of a sector is IOERR", part_of_a_sector},
	{"blk: an unknown request is UNSUPP", unknown_request},
	{"blk: a read-only disk refuses to be written", read_only},
	{"blk: write zeroes", write_zeroes},
	{"blk: discard", discard},
	{"blk: 32 requests in flight", many_in_flight},
	{"ring: indices go around", wrap},
	{"ring: chains without indirect tables, descriptors all come back", direct},
	{"ring: an indirect chain takes one descriptor", indirect},
	{"ring: by the event index eight requests are one interrupt", event_index},
	{"ring: the no-interrupt flag is obeyed", no_interrupt},
	{"blk: the last sectors are put back", restore},
};
const struct check_list checks_blk = {checks, COUNT(checks)};
