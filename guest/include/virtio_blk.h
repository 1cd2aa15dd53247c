#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

#include "virtio.h"

/* virtio 1.2 section 5.2 */
enum {
	BLK_F_SIZE_MAX = 1,
	BLK_F_SEG_MAX = 2,
	BLK_F_RO = 5,
	BLK_F_BLK_SIZE = 6,
	BLK_F_FLUSH = 9,
	BLK_F_DISCARD = 13,
	BLK_F_WRITE_ZEROES = 14,
};
enum { BLK_READ = 0, BLK_WRITE = 1, BLK_FLUSH = 4, BLK_GET_ID = 8, BLK_DISCARD = 11, BLK_WRITE_ZEROES = 13 };
enum { BLK_OK = 0, BLK_IOERR = 1, BLK_UNSUPP = 2, BLK_TIMEOUT = 0xfe, BLK_NO_ROOM = 0xfd, BLK_PENDING = 0xff };

#define SECTOR 512
#define BLK_SEGMENTS (CHAIN_MAX - 2) /* header and status take one descriptor each */

struct virtio_blk {
	struct virtio_device *device;
	u64 capacity; /* sectors */
	bool readonly;
	u32 requests, completions;
};

/* One request; it belongs to the device from submit until done. */
struct blk_request {
	struct {
		u32 type;
		u32 reserved;
		u64 sector;
	} header;
	volatile u8 status;
	volatile bool done;
	u32 used_length;
};

extern const struct virtio_driver virtio_blk_driver;
extern struct virtio_blk *blk_disk(void); /* the first that runs, or NULL */

/* Queues a request, telling the device at once if `kick`; false if the ring is full. */
bool blk_submit(struct virtio_blk *blk, struct blk_request *request, u32 type, u64 sector,
                const struct virtio_buffer *segments, u32 count, bool kick);
/* Sleeps until it is done; its status, or BLK_TIMEOUT after which the device has been reset. */
u8 blk_wait(struct virtio_blk *blk, struct blk_request *request);

u8 blk_transfer(struct virtio_blk *blk, u32 type, u64 sector, const struct virtio_buffer *segments, u32 count);
u8 blk_read(struct virtio_blk *blk, u64 sector, void *data, u32 sectors);
u8 blk_write(struct virtio_blk *blk, u64 sector, const void *data, u32 sectors);
u8 blk_flush(struct virtio_blk *blk);
u8 blk_get_id(struct virtio_blk *blk, char id[21]);
u8 blk_discard(struct virtio_blk *blk, u64 sector, u32 sectors);
u8 blk_write_zeroes(struct virtio_blk *blk, u64 sector, u32 sectors);
const char *blk_status_name(u8 status);

#endif
