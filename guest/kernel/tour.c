#include "arch.h"
#include "byteorder.h"
#include "kernel.h"
#include "layout.h"
#include "pci.h"
#include "string.h"
#include "virtio_blk.h"

/* What the machine is, and one round trip to the disk. Nothing on the disk is different afterwards. */

enum { TOUR_SECTORS = 16 };

static void memory_tour(void)
{
	u64 sum = 0;

	for (int i = 0; i < boot.ram_count; i++)
		sum += boot.ram[i].size;
	kprintf("memory: %llu KiB in %d ranges, %u pages of %u free\n", sum / 1024, boot.ram_count, pages_free(), pages_total());
	for (int i = 0; i < boot.ram_count; i++)
		kprintf("  %08llx-%08llx\n", boot.ram[i].base, boot.ram[i].base + boot.ram[i].size - 1);
}

/* The same bytes on both machines. */
static void pattern(u32 *words, u32 count)
{
	u32 x = 0xba20;

	for (u32 i = 0; i < count; i++) {
		x = x * 1664525 + 1013904223;
		words[i] = le32(x);
	}
}

/* The last sectors are saved, written with a pattern, read back, and restored. */
static void write_and_read(struct virtio_blk *blk, u8 *saved, u8 *data)
{
	u64 at = blk->capacity - TOUR_SECTORS;
	u32 bytes = TOUR_SECTORS * SECTOR;
	u8 status;
	u32 written, read;

	if ((status = blk_read(blk, at, saved, TOUR_SECTORS)) != BLK_OK) {
		kprintf("  reading sector %llu: %s\n", at, blk_status_name(status));
		return;
	}
	kprintf("  read  %u sectors at %llu: checksum %08x\n", TOUR_SECTORS, at, checksum(saved, bytes));
	if (blk->readonly) {
		kprintf("  the disk is read-only: nothing written\n");
		return;
	}

	pattern((u32 *)data, bytes / 4);
	written = checksum(data, bytes);
	status = blk_write(blk, at, data, TOUR_SECTORS);
	kprintf("  wrote %u sectors at %llu: checksum %08x, %s\n", TOUR_SECTORS, at, written, blk_status_name(status));
	memset(data, 0, bytes);
	status = blk_read(blk, at, data, TOUR_SECTORS);
	read = checksum(data, bytes);
	kprintf("  read  %u sectors at %llu: checksum %08x, %s, %s\n", TOUR_SECTORS, at, read, blk_status_name(status),
	        read == written ? "the same" : "DIFFERENT");
	status = blk_write(blk, at, saved, TOUR_SECTORS);
	if (virtio_has(blk->device, BLK_F_FLUSH) && status == BLK_OK)
		status = blk_flush(blk);
	kprintf("  restored and flushed: %s\n", blk_status_name(status));
}

static void disk_tour(void)
{
	struct virtio_blk *blk = blk_disk();
	u8 *buffer;
	char id[21];
	u64 start;

	if (blk == NULL) {
		kprintf("disk: none\n");
		return;
	}
	kprintf("disk: %llu sectors of %u bytes%s", blk->capacity, SECTOR, blk->readonly ? ", read-only" : "");
	if (blk_get_id(blk, id) == BLK_OK)
		kprintf(", named \"%s\"", id);
	kprintf("\n");
	if (blk->capacity < TOUR_SECTORS) {
		kprintf("  too small to try\n");
		return;
	}
	buffer = page_alloc(2 * TOUR_SECTORS * SECTOR / PAGE_SIZE);
	if (buffer == NULL)
		panic("tour: no memory");
	start = cpu_ticks();
	write_and_read(blk, buffer, buffer + TOUR_SECTORS * SECTOR);
	kprintf("  %u requests in %u us: %u interrupts, %u of them messages, %u notifications\n", blk->completions,
	        ticks_to_us(cpu_ticks() - start), blk->device->interrupts, blk->device->messages,
	        blk->device->queue[0].notifications);
	page_free(buffer, 2 * TOUR_SECTORS * SECTOR / PAGE_SIZE);
}

void tour(void)
{
	memory_tour();
	arch_print();
	kprintf("pci: %d functions\n", pci_count);
	pci_print();
	kprintf("virtio: %d devices\n", virtio_count);
	for (int i = 0; i < virtio_count; i++)
		virtio_print(&virtio_devices[i]);
	disk_tour();
	kprintf("interrupts: %u, %u of them messages\n", irq_count_all(), irq_count_messages());
}
