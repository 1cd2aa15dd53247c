#include "arch.h"
#include "kernel.h"
#include "net.h"
#include "string.h"
#include "virtio_blk.h"
#include "virtio_console.h"
#include "virtio_rng.h"

/* One functional test for each device found, and a line for each which names layout and interrupt mode. */

/* Each returns NULL or what went wrong. */
static const char *blk_cell(struct virtio_device *device)
{
	struct virtio_blk *blk = device->driver_data;
	u32 *saved = page_alloc(2), *data = saved + SECTOR;
	u64 at = blk->capacity - 8;
	const char *why = NULL;

	if (saved == NULL || blk->capacity < 8)
		return "no room";
	if (blk_read(blk, at, saved, 8) != BLK_OK)
		return "reading failed";
	if (!blk->readonly) {
		for (u32 i = 0; i < SECTOR; i++)
			data[i] = i * 0x01000193 ^ saved[i];
		u32 sum = checksum(data, 8 * SECTOR);
		if (blk_write(blk, at, data, 8) != BLK_OK)
			why = "writing failed";
		memset(data, 0, 8 * SECTOR);
		if (why == NULL && (blk_read(blk, at, data, 8) != BLK_OK || checksum(data, 8 * SECTOR) != sum))
			why = "other data came back";
		if (blk_write(blk, at, saved, 8) != BLK_OK && why == NULL)
			why = "restoring failed";
	}
	page_free(saved, 2);
	return why;
}

static const char *console_cell(struct virtio_device *device)
{
	static const char text[] = "barzero console cell\r\n";

	return virtio_console_write(device, text, sizeof(text) - 1) ? NULL : "the line was not taken";
}

static const char *rng_cell(struct virtio_device *device)
{
	u8 first[32], second[32];

	if (rng_read(device, first, sizeof(first)) != sizeof(first) ||
	    rng_read(device, second, sizeof(second)) != sizeof(second))
		return "fewer bytes than asked for";
	return memcmp(first, second, sizeof(first)) == 0 ? "the same bytes twice" : NULL;
}

static const char *net_cell(struct virtio_device *device)
{
	static const char text[] = "barzero net cell";

	if (device->driver_data != net_card())
		return "it is not the first";
	return net_udp_echo(net_address(), text, sizeof(text)) ? NULL : "the datagram to itself did not come back";
}

static const struct {
	u16 type;
	const char *(*run)(struct virtio_device *device);
} cells[] = {
	{VIRTIO_BLOCK, blk_cell}, {VIRTIO_CONSOLE, console_cell}, {VIRTIO_RNG, rng_cell}, {VIRTIO_NET, net_cell},
};

const char *matrix_try(struct virtio_device *device)
{
	for (u32 i = 0; i < COUNT(cells); i++)
		if (cells[i].type == device->type)
			return cells[i].run(device);
	return "no driver";
}

/* Beside the function itself a cell must be what the command line asks for and keep its interrupt mode's promise. */
static const char *check(struct virtio_device *device)
{
	const char *why;

	if (!device->running)
		return "did not come up";
	if (!virtio_pci_as_asked(device))
		return "another layout than asked for";
	if (!virtio_ring_as_asked(device))
		return "other rings than asked for";
	if (option_given("irq") && !option_is("irq", irq_mode_name(device->mode)))
		return "another interrupt mode than asked for";
	why = matrix_try(device);
	if (why != NULL)
		return why;
	if (device->interrupts == 0)
		return "no interrupt";
	if (device->mode == IRQ_INTX ? device->messages != 0 : device->messages != device->interrupts)
		return "interrupts of the wrong kind";
	return NULL;
}

int matrix(void)
{
	int failed = 0;

	for (int i = 0; i < virtio_count; i++) {
		struct virtio_device *device = &virtio_devices[i];
		const char *why = check(device);
		kprintf("cell %s layout=%s ring=%s%s%s irq=%s messages=%u interrupts=%u setup_accesses=%u %s%s\n",
		        virtio_type_name(device->type), device->transport != NULL ? device->transport->layout : "none",
		        device->running ? device->queue[0].format->name : "none",
		        virtio_has(device, F_IN_ORDER) ? "+in-order" : "",
		        virtio_has(device, F_NOTIFICATION_DATA) ? "+notification-data" : "",
		        irq_mode_name(device->mode), device->messages, device->interrupts, device->setup_accesses,
		        why == NULL ? "ok" : "FAIL ", why == NULL ? "" : why);
		failed += why != NULL;
	}
	if (virtio_count == 0)
		kprintf("no virtio devices\n");
	return failed != 0 || virtio_count == 0;
}
