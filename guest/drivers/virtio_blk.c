#include "arch.h"
#include "kernel.h"
#include "string.h"
#include "virtio_blk.h"

/* A block device (virtio 1.2 section 5.2): one queue; a request is a header, data, and a byte of status. */
enum { CONFIG_CAPACITY = 0, ID_LENGTH = 20, TIMEOUT_US = 2000000 };

static struct virtio_blk disks[VIRTIO_MAX];

struct virtio_blk *blk_disk(void)
{
	struct virtio_device *device = virtio_find(VIRTIO_BLOCK);

	return device != NULL ? device->driver_data : NULL;
}

static bool start(struct virtio_device *device)
{
	struct virtio_blk *blk = &disks[device->number];

	*blk = (struct virtio_blk){.device = device};
	blk->capacity = device->transport->config(device, CONFIG_CAPACITY, 8);
	blk->readonly = virtio_has(device, BLK_F_RO);
	device->driver_data = blk;
	return true;
}

/* After asking to be interrupted again the ring is looked at once more: something may have come in between. */
static void queue_interrupt(struct virtio_device *device, u16 queue)
{
	struct virtio_blk *blk = device->driver_data;
	struct virtqueue *q = &device->queue[queue];
	struct blk_request *request;
	u32 length;

	do {
		while ((request = virtqueue_take(q, &length)) != NULL) {
			request->used_length = length;
			request->done = true;
			blk->completions++;
		}
		virtqueue_interrupt_after(q, 1);
	} while (virtqueue_has_used(q));
}

const struct virtio_driver virtio_blk_driver = {
	.type = VIRTIO_BLOCK,
	.name = "blk",
	.features = {{FEATURE(BLK_F_SEG_MAX) | FEATURE(BLK_F_RO) | FEATURE(BLK_F_BLK_SIZE) | FEATURE(BLK_F_FLUSH) |
	              FEATURE(BLK_F_DISCARD) | FEATURE(BLK_F_WRITE_ZEROES)}},
	.queues = 1,
	.queue_limit = 128,
	.start = start,
	.queue_interrupt = queue_interrupt,
};

bool blk_submit(struct virtio_blk *blk, struct blk_request *request, u32 type, u64 sector,
                const struct virtio_buffer *segments, u32 count, bool kick)
{
	const struct byte_order *order = blk->device->transport->order;
	bool to_device = type == BLK_WRITE || type == BLK_DISCARD || type == BLK_WRITE_ZEROES;
	struct virtio_buffer chain[CHAIN_MAX];
	bool added;

	if (count > BLK_SEGMENTS || !blk->device->running)
		return false;
	request->header.type = order->w32(type);
	request->header.reserved = 0;
	request->header.sector = order->w64(sector);
	request->status = BLK_PENDING;
	request->done = false;
	chain[0] = (struct virtio_buffer){&request->header, sizeof(request->header)};
	for (u32 i = 0; i < count; i++)
		chain[1 + i] = segments[i];
	chain[1 + count] = (struct virtio_buffer){(void *)&request->status, 1};

	u32 flags = irq_save();
	added = to_device ? virtqueue_add(&blk->device->queue[0], chain, 1 + count, 1, request)
	                  : virtqueue_add(&blk->device->queue[0], chain, 1, count + 1, request);
	if (added) {
		blk->requests++;
		if (kick)
			virtio_kick(blk->device, 0);
	}
	irq_restore(flags);
	return added;
}

static bool is_done(void *arg)
{
	return ((struct blk_request *)arg)->done;
}

/* A request which never ends still belongs to the device, so only a reset makes its memory ours again. */
u8 blk_wait(struct virtio_blk *blk, struct blk_request *request)
{
	if (wait_until(is_done, request, TIMEOUT_US))
		return request->status;
	kprintf("blk: %s: a request did not end; resetting the device\n", pci_name(blk->device->pci));
	virtio_stop(blk->device);
	return BLK_TIMEOUT;
}

u8 blk_transfer(struct virtio_blk *blk, u32 type, u64 sector, const struct virtio_buffer *segments, u32 count)
{
	struct blk_request request;

	if (!blk_submit(blk, &request, type, sector, segments, count, true))
		return BLK_NO_ROOM;
	return blk_wait(blk, &request);
}

u8 blk_read(struct virtio_blk *blk, u64 sector, void *data, u32 sectors)
{
	struct virtio_buffer all = {data, sectors * SECTOR};

	return blk_transfer(blk, BLK_READ, sector, &all, 1);
}

u8 blk_write(struct virtio_blk *blk, u64 sector, const void *data, u32 sectors)
{
	struct virtio_buffer all = {(void *)data, sectors * SECTOR};

	return blk_transfer(blk, BLK_WRITE, sector, &all, 1);
}

u8 blk_flush(struct virtio_blk *blk)
{
	return blk_transfer(blk, BLK_FLUSH, 0, NULL, 0);
}

/* The name is padded with zeroes and has none at its end if it fills all 20 bytes. */
u8 blk_get_id(struct virtio_blk *blk, char id[21])
{
	struct virtio_buffer buffer = {id, ID_LENGTH};

	memset(id, 0, ID_LENGTH + 1);
	return blk_transfer(blk, BLK_GET_ID, 0, &buffer, 1);
}

static u8 range_request(struct virtio_blk *blk, u32 type, u64 sector, u32 sectors)
{
	const struct byte_order *order = blk->device->transport->order;
	struct {
		u64 sector;
		u32 sectors;
		u32 flags;
	} range = {order->w64(sector), order->w32(sectors), 0};
	struct virtio_buffer buffer = {&range, sizeof(range)};

	return blk_transfer(blk, type, 0, &buffer, 1);
}

u8 blk_discard(struct virtio_blk *blk, u64 sector, u32 sectors)
{
	return range_request(blk, BLK_DISCARD, sector, sectors);
}

u8 blk_write_zeroes(struct virtio_blk *blk, u64 sector, u32 sectors)
{
	return range_request(blk, BLK_WRITE_ZEROES, sector, sectors);
}

const char *blk_status_name(u8 status)
{
	switch (status) {
	case BLK_OK: return "OK";
	case BLK_IOERR: return "IOERR";
	case BLK_UNSUPP: return "UNSUPP";
	case BLK_TIMEOUT: return "TIMEOUT";
	case BLK_NO_ROOM: return "NO ROOM";
	default: return "?";
	}
}
