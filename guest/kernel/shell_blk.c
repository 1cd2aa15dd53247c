#include "arch.h"
#include "kernel.h"
#include "shell.h"
#include "string.h"
#include "virtio_blk.h"

enum { BENCH_SECTORS = 8, BENCH_DEPTH = 8 };

static void show(struct virtio_blk *blk, u32 sector, u32 count, u8 *page)
{
	for (; count > 0; count--, sector++) {
		u8 status = blk_read(blk, sector, page, 1);
		if (status != BLK_OK) {
			kprintf("sector %u: %s\n", sector, blk_status_name(status));
			return;
		}
		kprintf("sector %u, checksum %08x\n", sector, checksum(page, SECTOR));
		for (u32 i = 0; i < 64; i += 16) {
			kprintf("  %03x ", i);
			for (u32 j = i; j < i + 16; j++)
				kprintf(" %02x", page[j]);
			kprintf("  ");
			for (u32 j = i; j < i + 16; j++)
				kprintf("%c", page[j] >= ' ' && page[j] < 127 ? page[j] : '.');
			kprintf("\n");
		}
	}
}

static void fill(struct virtio_blk *blk, u32 sector, u32 word, u8 *page)
{
	u8 status;

	for (u32 i = 0; i < SECTOR / 4; i++)
		((u32 *)page)[i] = word;
	status = blk_write(blk, sector, page, 1);
	kprintf("sector %u, checksum %08x: %s\n", sector, checksum(page, SECTOR), blk_status_name(status));
}

/* Sequential reads of 4 KiB, eight in flight. */
static void bench(struct virtio_blk *blk, u32 requests, u8 *page)
{
	struct blk_request request[BENCH_DEPTH];
	struct virtio_buffer buffer = {page, BENCH_SECTORS * SECTOR};
	u32 interrupts = blk->device->interrupts, notifications = blk->device->queue[0].notifications;
	u32 span = (u32)(blk->capacity / BENCH_SECTORS), errors = 0, us;
	u64 start = cpu_ticks();

	if (span == 0)
		return kprintf("the disk is too small\n");
	for (u32 i = 0; i < requests + BENCH_DEPTH; i++) {
		struct blk_request *slot = &request[i % BENCH_DEPTH];
		if (i >= BENCH_DEPTH && i - BENCH_DEPTH < requests && blk_wait(blk, slot) != BLK_OK)
			errors++;
		if (i < requests &&
		    !blk_submit(blk, slot, BLK_READ, (u64)(i % span) * BENCH_SECTORS, &buffer, 1, true))
			return kprintf("request %u: the ring is full\n", i);
	}
	us = ticks_to_us(cpu_ticks() - start);
	kprintf("%u reads of %u bytes, %u in flight: %u us, %u interrupts, %u notifications, %u errors\n", requests,
	        BENCH_SECTORS * SECTOR, BENCH_DEPTH, us, blk->device->interrupts - interrupts,
	        blk->device->queue[0].notifications - notifications, errors);
}

void blk_command(int argc, const char **argv)
{
	struct virtio_blk *blk = blk_disk();
	const char *end;
	u32 a = argc > 2 ? parse_number(argv[2], &end) : 0;
	u32 b = argc > 3 ? parse_number(argv[3], &end) : 0;
	u8 *page;

	if (blk == NULL)
		return kprintf("there is no disk\n");
	page = page_alloc(1);
	if (page == NULL)
		return kprintf("there is no memory\n");
	if (argc > 2 && strcmp(argv[1], "read") == 0)
		show(blk, a, argc > 3 ? min_u32(b, 64) : 1, page);
	else if (argc > 3 && strcmp(argv[1], "write") == 0)
		fill(blk, a, b, page);
	else if (argc > 1 && strcmp(argv[1], "bench") == 0)
		bench(blk, argc > 2 ? min_u32(a, 100000) : 64, page);
	else
		kprintf("blk read SECTOR [COUNT] | write SECTOR WORD | bench [REQUESTS]\n");
	page_free(page, 1);
}
