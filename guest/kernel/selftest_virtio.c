#include "arch.h"
#include "selftest.h"
#include "string.h"
#include "virtio_blk.h"

/* Interrupts of a virtio device in all their forms, tried with reads of a disk's first sector. No layout is known here. */

static u8 sector[SECTOR];

/* The disk, running in that mode; NULL if it cannot. */
static struct virtio_blk *disk_in(enum irq_mode mode)
{
	struct virtio_blk *blk = blk_disk();
	struct virtio_device *device;

	if (blk == NULL || blk->capacity == 0)
		return NULL;
	device = blk->device;
	if (device->mode == mode)
		return blk;
	virtio_stop(device);
	if (!virtio_start(device, mode))
		return NULL;
	return device->mode == mode ? blk : NULL;
}

static const char *one_message_a_request(void)
{
	struct virtio_blk *blk = disk_in(IRQ_MSIX);
	u32 messages, all;

	if (blk == NULL)
		return SKIP("no disk with MSI-X");
	messages = blk->device->messages;
	all = irq_count_messages();
	for (int i = 0; i < 5; i++)
		EXPECT("status", blk_read(blk, 0, sector, 1), BLK_OK);
	EXPECT("messages of the device", blk->device->messages - messages, 5);
	EXPECT("messages counted by the kernel", irq_count_messages() - all, 5);
	EXPECT("interrupts that were none", blk->device->interrupts, blk->device->messages);
	return NULL;
}

static const char *shared_message(void)
{
	struct virtio_blk *blk = disk_in(IRQ_MSIX_SHARED);
	u8 status;

	if (blk == NULL)
		return SKIP("no disk with MSI-X");
	status = blk_read(blk, 0, sector, 1);
	EXPECT("status", status, BLK_OK);
	EXPECT("messages", blk->device->messages, 1);
	return NULL;
}

static const char *line_interrupt(void)
{
	struct virtio_blk *blk = disk_in(IRQ_INTX);
	u32 interrupts;

	if (blk == NULL)
		return SKIP("no disk with a line");
	interrupts = blk->device->interrupts;
	EXPECT("status", blk_read(blk, 0, sector, 1), BLK_OK);
	EXPECT("messages", blk->device->messages, 0);
	EXPECT("interrupts", blk->device->interrupts - interrupts, 1);
	EXPECT("ISR afterwards", blk->device->transport->isr(blk->device), 0);
	return NULL;
}

static bool wait_for(bool (*happened)(struct virtio_device *), struct virtio_device *device)
{
	for (int i = 0; i < 1000; i++) {
		if (happened(device))
			return true;
		sleep_us(200);
	}
	return false;
}

static bool line_status(struct virtio_device *device)
{
	return pci_read(device->pci, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT;
}

/* PCI 3.0 section 6.2.2: the disable bit keeps the pin quiet while the status bit shows what is pending. */
static const char *line_disabled(void)
{
	struct virtio_blk *blk = disk_in(IRQ_INTX);
	struct virtio_buffer buffer = {sector, SECTOR};
	struct blk_request request;
	u32 interrupts, while_off;
	bool shown;

	if (blk == NULL)
		return SKIP("no disk with a line");
	interrupts = blk->device->interrupts;
	pci_command(blk->device->pci, PCI_COMMAND_NO_INTX, 0);
	blk_submit(blk, &request, BLK_READ, 0, &buffer, 1, true);
	shown = wait_for(line_status, blk->device);
	while_off = blk->device->interrupts;
	pci_command(blk->device->pci, 0, PCI_COMMAND_NO_INTX);
	EXPECT("status", blk_wait(blk, &request), BLK_OK);
	EXPECT("interrupt status bit", shown, 1);
	EXPECT("interrupts while disabled", while_off, interrupts);
	EXPECT("interrupts when enabled again", blk->device->interrupts, interrupts + 1);
	return NULL;
}

static bool pending_1(struct virtio_device *device)
{
	return msix_pending(device->pci, 1);
}

/* PCI 3.0 section 6.8.2.9: a masked message waits in the pending array and goes out when unmasked. */
static const char *masked(void (*mask)(struct pci_device *, bool))
{
	struct virtio_blk *blk = disk_in(IRQ_MSIX);
	struct virtio_buffer buffer = {sector, SECTOR};
	struct blk_request request;
	u32 messages, while_masked;
	bool pending, done;

	if (blk == NULL)
		return SKIP("no disk with MSI-X");
	messages = blk->device->messages;
	mask(blk->device->pci, true);
	blk_submit(blk, &request, BLK_READ, 0, &buffer, 1, true);
	pending = wait_for(pending_1, blk->device);
	while_masked = blk->device->messages;
	done = request.done;
	mask(blk->device->pci, false);
	EXPECT("status", blk_wait(blk, &request), BLK_OK);
	EXPECT("pending bit while masked", pending, 1);
	EXPECT("messages while masked", while_masked, messages);
	EXPECT("request done while masked", done, 0);
	EXPECT("messages when unmasked", blk->device->messages, messages + 1);
	EXPECT("pending bit afterwards", msix_pending(blk->device->pci, 1), 0);
	return NULL;
}

static void mask_entry(struct pci_device *pci, bool on) { msix_mask(pci, 1, on); }
static const char *entry_masked(void) { return masked(mask_entry); }
static const char *function_masked(void) { return masked(msix_mask_function); }

static u32 ring_sum(const struct virtio_device *device)
{
	return checksum(device->queue[0].ring_memory, device->queue[0].ring_pages * PAGE_SIZE);
}

/* Virtio 1.2 section 2.4.1: after reset the device neither interrupts nor writes rings. */
static const char *reset_is_quiet(void)
{
	struct virtio_blk *blk = disk_in(IRQ_MSIX);
	struct virtio_buffer buffer = {sector, SECTOR};
	struct blk_request request;
	struct virtio_device *device;
	u32 ring, later, all, all_later;
	u8 status;
	bool up;

	if (blk == NULL)
		blk = disk_in(IRQ_INTX);
	if (blk == NULL)
		return SKIP("no disk");
	device = blk->device;
	blk_submit(blk, &request, BLK_READ, 0, &buffer, 1, true);
	device->transport->reset(device);
	sleep_us(100); /* what was on its way before the reset arrives now */
	status = device->transport->status(device);
	ring = ring_sum(device);
	all = device->interrupts;
	sleep_us(5000);
	later = ring_sum(device);
	all_later = device->interrupts;
	virtio_stop(device);
	up = virtio_start(device, irq_mode_asked());
	EXPECT("status after reset", status, 0);
	EXPECT("checksum of the ring", later, ring);
	EXPECT("interrupts", all_later, all);
	return up ? NULL : "it did not come up again";
}

/* PCI 3.0 section 6.2.2: without the bus master bit a function may neither read nor write memory, nor send messages. */
static const char *not_master(void)
{
	struct virtio_blk *blk = disk_in(IRQ_MSIX);
	struct virtio_buffer buffer = {sector, SECTOR};
	static struct blk_request request;
	struct virtio_device *device;
	u32 interrupts, later;
	bool done, up;

	if (blk == NULL)
		return SKIP("no disk with MSI-X");
	device = blk->device;
	if (arch_is_qemu() && device->queue[0].format == &virtqueue_packed)
		return SKIP("QEMU never ends at a packed ring which it may not read");
	interrupts = device->interrupts;
	pci_command(device->pci, 0, PCI_COMMAND_MASTER);
	blk_submit(blk, &request, BLK_READ, 0, &buffer, 1, true);
	sleep_us(5000);
	done = request.status != BLK_PENDING || virtqueue_has_used(&device->queue[0]);
	later = device->interrupts;
	virtio_stop(device);
	pci_command(device->pci, PCI_COMMAND_MASTER, 0);
	up = virtio_start(device, irq_mode_asked());
	EXPECT("status or used ring written", done, 0);
	EXPECT("interrupts", later, interrupts);
	if (!up)
		return "it did not come up again";
	EXPECT("status of a read afterwards", blk_read(blk, 0, sector, 1), BLK_OK);
	return NULL;
}

static bool takes_used(void *arg)
{
	struct blk_request *request = ((void **)arg)[1];
	struct virtio_device *device = ((void **)arg)[0];
	u32 flags = irq_save();

	device->driver->queue_interrupt(device, 0);
	irq_restore(flags);
	return request->done;
}

/*
 * A request is in flight while MSI-X goes on and off. Whatever the layout does with its registers meanwhile, each reading
 * of the configuration gives what it gave before. The request's interrupt may get lost, so its end is looked for.
 */
static const char *msix_in_flight(void)
{
	struct virtio_blk *blk = disk_in(IRQ_MSIX);
	struct virtio_buffer buffer = {sector, SECTOR};
	static struct blk_request request;
	struct virtio_device *device;
	u64 read[2];
	void *both[2];

	if (blk == NULL)
		return SKIP("no disk with MSI-X");
	device = blk->device;
	both[0] = device;
	both[1] = &request;
	for (u32 round = 0; round < 20; round++) {
		blk_submit(blk, &request, BLK_READ, round % 8, &buffer, 1, true);
		for (u32 i = 0; i < 2; i++) {
			msix_enable(device->pci, i);
			read[i] = device->transport->config(device, 0, 8);
		}
		bool done = wait_until(takes_used, both, 1000000);
		EXPECT("capacity with MSI-X off", read[0], blk->capacity);
		EXPECT("capacity with MSI-X on", read[1], blk->capacity);
		EXPECT("end of the request", done, 1);
		EXPECT("status", request.status, BLK_OK);
	}
	EXPECT("status of a read afterwards", blk_read(blk, 0, sector, 1), BLK_OK);
	return NULL;
}

static const char *features_subset(void)
{
	struct virtio_blk *blk = blk_disk();

	if (blk == NULL)
		return SKIP("no disk");
	const struct features *force = &blk->device->features, *offered = &blk->device->features_offered;
	for (int i = 0; i < 2; i++)
		EXPECT("features in force beyond those offered", force->half[i] & ~offered->half[i], 0);
	EXPECT("DRIVER_OK", blk->device->transport->status(blk->device) & STATUS_DRIVER_OK, STATUS_DRIVER_OK);
	EXPECT("FAILED or NEEDS_RESET",
	       blk->device->transport->status(blk->device) & (STATUS_FAILED | STATUS_NEEDS_RESET), 0);
	return NULL;
}

static const struct check checks[] = {
	{"virtio: the features in force were offered, the device runs", features_subset},
	{"virtio: one message a request", one_message_a_request},
	{"virtio: one message serves all queues", shared_message},
	{"virtio: the line, and reading ISR releases it", line_interrupt},
	{"virtio: a disabled line shows in the status register and comes later", line_disabled},
	{"MSI-X: a masked entry's message waits in the pending array", entry_masked},
	{"MSI-X: the function mask holds all messages back", function_masked},
	{"virtio: MSI-X goes on and off with a request in flight, and the configuration reads right", msix_in_flight},
	{"virtio: a device that is no bus master reaches nothing", not_master},
	{"virtio: a reset device is quiet, and comes up again", reset_is_quiet},
};
const struct check_list checks_virtio = {checks, COUNT(checks)};
