#include "arch.h"
#include "hostile.h"
#include "kernel.h"
#include "string.h"
#include "virtio_blk.h"

/*
 * The `hostile` program: each case to each device, then a reset, the device's own driver, and its functional test. A line a case;
 * what a device or a layout has no way to do is skipped and says why.
 */

enum { SETTLE_US = 1000 };
enum { HEADER_AT = 0, DATA_AT = 512, STATUS_AT = 1024, BLK_HEADER = 16, FRAME = 60 };

static bool nothing_to_start(struct virtio_device *device)
{
	(void)device;
	return true;
}

/* Interrupts are counted by virtio_irq.c; the ring is looked at by hand. */
static void leave_it(struct virtio_device *device, u16 queue)
{
	(void)device;
	(void)queue;
}

static const struct hostile_layout *const layouts[] = {
	&hostile_modern, &hostile_legacy, &hostile_overlay_bar0, &hostile_overlay_bar1,
};

static const struct hostile_layout *layout_of(const struct virtio_device *device)
{
	for (u32 i = 0; i < COUNT(layouts); i++)
		if (layouts[i]->transport == device->transport)
			return layouts[i];
	return NULL;
}

bool hostile_begin(struct hostile *h, u64 without)
{
	static struct virtio_driver driver;
	struct virtio_device *device = h->device;
	u8 *room = h->room;

	virtio_stop(device);
	driver = *h->honest;
	driver.features = (struct features){{0, 0}};
	driver.start = nothing_to_start;
	driver.queue_interrupt = leave_it;
	driver.config_interrupt = NULL;
	device->driver = &driver;
	/* With no event index the device tells of each chain that it uses. */
	device->features_wanted = h->features_wanted;
	device->features_wanted.half[0] &= ~(FEATURE(F_EVENT_INDEX) | without);
	h->next = h->available = h->used = h->used_at = 0;
	memset(room, 0, HOSTILE_PAGES * PAGE_SIZE);
	return virtio_start(device, irq_mode_asked());
}

u32 hostile_request(struct hostile *h, struct piece *p, u32 *data)
{
	u64 room = (uintptr_t)h->room;
	u32 header = has_feature(&h->device->features, F_VERSION_1) ? 12 : 10;

	*data = 0;
	switch (h->device->type) {
	case VIRTIO_BLOCK: /* zeroes are a read of sector 0 in either byte order */
		*data = 1;
		p[0] = (struct piece){room + HEADER_AT, BLK_HEADER, 0, 0};
		p[1] = (struct piece){room + DATA_AT, SECTOR, DESCRIPTOR_WRITE, 0};
		p[2] = (struct piece){room + STATUS_AT, 1, DESCRIPTOR_WRITE, 0};
		return 3;
	case VIRTIO_NET:
		*data = 1;
		memset(h->room + DATA_AT, 0xff, 6);
		p[0] = (struct piece){room + HEADER_AT, header, 0, 0};
		p[1] = (struct piece){room + DATA_AT, FRAME, 0, 0};
		return 2;
	case VIRTIO_CONSOLE:
		memcpy(h->room + DATA_AT, "hostile\r\n", 9);
		p[0] = (struct piece){room + DATA_AT, 9, 0, 0};
		return 1;
	default:
		p[0] = (struct piece){room + DATA_AT, 64, DESCRIPTOR_WRITE, 0};
		return 1;
	}
}

u32 hostile_request_used(const struct hostile *h)
{
	return h->device->type == VIRTIO_BLOCK ? SECTOR + 1 : h->device->type == VIRTIO_RNG ? 64 : 0;
}

static void offer_request(struct hostile *h)
{
	struct piece p[3];
	u32 data, count = hostile_request(h, p, &data);

	hostile_offer(h, p, count);
	hostile_kick(h);
}

static bool is_used(void *h)
{
	u32 length;
	struct hostile copy = *(struct hostile *)h;

	return hostile_used(&copy, &length);
}

/* Some 20 ms of a slow machine's. */
bool hostile_poll(struct hostile *h)
{
	u64 end = cpu_ticks() + (u64)arch_ticks_per_10ms() * 2;
	u32 length;

	while (cpu_ticks() < end)
		if (hostile_used(h, &length))
			return true;
	return false;
}

const char *hostile_expect_nothing(struct hostile *h)
{
	return wait_until(is_used, h, SETTLE_US) ? "a chain was used" : NULL;
}

const char *hostile_expect_used(struct hostile *h, u32 length)
{
	u32 got = 0;

	if (!wait_until(is_used, h, 20 * SETTLE_US))
		return "the chain was not used";
	hostile_used(h, &got);
	EXPECT("used length", got, length);
	return NULL;
}

/* Section 2.1.2: DEVICE_NEEDS_RESET where the layout has it, and a configuration interrupt; no chain until the reset. */
const char *hostile_expect_broken(struct hostile *h)
{
	struct virtio_device *device = h->device;
	const char *why = hostile_expect_nothing(h);
	u8 status;

	if (why != NULL)
		return why;
	status = device->transport->status(device);
	EXPECT("DEVICE_NEEDS_RESET", (status & STATUS_NEEDS_RESET) != 0, h->layout->says_broken);
	if (h->layout->says_broken)
		EXPECT("configuration interrupts", device->config_interrupts, 1);
	if (h->next + 3 > hostile_ring(h)->size)
		return NULL;
	offer_request(h);
	return hostile_expect_nothing(h) == NULL ? NULL : "it goes on although it is broken";
}

const char *hostile_works(struct hostile *h)
{
	offer_request(h);
	return hostile_expect_used(h, hostile_request_used(h));
}

/* As it was before, and doing what it is for. */
static const char *recovers(struct hostile *h)
{
	struct virtio_device *device = h->device;

	virtio_stop(device);
	device->driver = h->honest;
	device->features_wanted = h->features_wanted;
	if (!virtio_start(device, irq_mode_asked()))
		return "it did not come up after the reset";
	const char *why = matrix_try(device);
	return why == NULL ? NULL : failure("after the reset: %s", why);
}

static u32 ran, failed, skipped;

static void run(struct hostile *h, const struct hostile_case *c)
{
	const char *result = hostile_begin(h, 0) ? c->run(h) : "it did not come up";
	bool skip = result != NULL && strncmp(result, "SKIP ", 5) == 0;

	if (result == NULL)
		result = recovers(h);
	else if (recovers(h) != NULL && skip)
		result = "it did not come up after nothing was done to it", skip = false;
	ran++;
	failed += result != NULL && !skip;
	skipped += skip;
	kprintf("hostile %s layout=%s ring=%s irq=%s case %u, %s: %s%s\n", virtio_type_name(h->device->type),
	        h->device->transport->layout, h->device->queue[0].format->name, irq_mode_name(h->device->mode), c->number,
	        c->name, result == NULL ? "ok" : skip ? "" : "FAIL ", result == NULL ? "" : result);
}

int hostile(void)
{
	static const struct hostile_list *const lists[] = {&hostile_chains, &hostile_registers, &hostile_functions};
	static struct hostile h;

	h.room = page_alloc(HOSTILE_PAGES);
	for (int i = 0; i < virtio_count && h.room != NULL; i++) {
		struct virtio_device *device = &virtio_devices[i];
		if (!device->running || !virtio_pci_as_asked(device) || !virtio_ring_as_asked(device)) {
			kprintf("hostile %s: it is not driven as asked\n", virtio_type_name(device->type));
			failed++;
			continue;
		}
		h.device = device;
		h.layout = layout_of(device);
		h.honest = device->driver;
		h.features_wanted = device->features_wanted;
		h.queue = device->type == VIRTIO_CONSOLE || device->type == VIRTIO_NET ? 1 : 0;
		for (u32 l = 0; l < COUNT(lists); l++)
			for (u32 c = 0; c < lists[l]->count; c++)
				run(&h, &lists[l]->cases[c]);
	}
	kprintf("hostile: %u cases, %u failed, %u skipped\n", ran, failed, skipped);
	return failed != 0 || ran == 0;
}
