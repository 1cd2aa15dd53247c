#include "arch.h"
#include "kernel.h"
#include "virtio_blk.h"

/*
 * The work of `barzero compare`: the same reads from the first disk in three ways, once with event index and once
 * without. What is counted between two marks is the emulator's affair; the lines are our own account.
 */
enum { REQUESTS = 256, DEPTH = 8, SECTORS = 8 };

/* The emulator watches this word and takes its counts at each store. It has a page of its own: a watched page is slow. */
volatile u32 compare_marks[PAGE_SIZE / sizeof(u32)] __attribute__((aligned(PAGE_SIZE)));

static void mark(void)
{
	compare_marks[0] = 1;
}

struct work {
	struct virtio_blk *blk;
	struct virtio_buffer page;
	struct blk_request request[DEPTH];
	u32 errors;
};

static void submit(struct work *w, u32 i, bool kick)
{
	if (!blk_submit(w->blk, &w->request[i % DEPTH], BLK_READ, i * SECTORS, &w->page, 1, kick))
		w->errors++;
}

static void wait(struct work *w, u32 i)
{
	if (blk_wait(w->blk, &w->request[i % DEPTH]) != BLK_OK)
		w->errors++;
}

/* A request, its answer, the next. */
static void alone(struct work *w)
{
	for (u32 i = 0; i < REQUESTS; i++) {
		submit(w, i, true);
		wait(w, i);
	}
}

/* Eight in flight: as soon as the oldest is done there is another. */
static void stream(struct work *w)
{
	for (u32 i = 0; i < REQUESTS + DEPTH; i++) {
		if (i >= DEPTH)
			wait(w, i - DEPTH);
		if (i < REQUESTS)
			submit(w, i, true);
	}
}

/* Eight offered and then announced together; with event index one interrupt is asked for, behind the last. */
static void batch(struct work *w)
{
	struct virtio_device *device = w->blk->device;

	for (u32 first = 0; first < REQUESTS; first += DEPTH) {
		u32 flags = irq_save();
		virtqueue_interrupt_after(&device->queue[0], DEPTH);
		for (u32 i = first; i < first + DEPTH; i++)
			submit(w, i, false);
		virtio_kick(device, 0);
		irq_restore(flags);
		for (u32 i = first; i < first + DEPTH; i++)
			wait(w, i);
	}
}

static const struct {
	const char *name;
	void (*run)(struct work *work);
} ways[] = {{"alone", alone}, {"stream", stream}, {"batch", batch}};

/* False if the device did not come up again. */
static bool all_ways(struct work *w, bool event_index)
{
	struct virtio_device *device = w->blk->device;
	enum irq_mode mode = device->mode;

	virtio_stop(device);
	if (event_index)
		device->features_wanted.half[0] |= FEATURE(F_EVENT_INDEX);
	else
		device->features_wanted.half[0] &= ~FEATURE(F_EVENT_INDEX);
	if (!virtio_start(device, mode) || device->queue[0].event_index != event_index)
		return false;
	for (u32 i = 0; i < COUNT(ways); i++) {
		u32 interrupts = device->interrupts, messages = device->messages;
		u32 notifications = device->queue[0].notifications, accesses = device->accesses;
		mark();
		ways[i].run(w);
		mark();
		kprintf("compare event-index=%s %s requests=%u accesses=%u doorbells=%u interrupts=%u messages=%u errors=%u\n",
		        event_index ? "on" : "off", ways[i].name, REQUESTS, device->accesses - accesses,
		        device->queue[0].notifications - notifications, device->interrupts - interrupts,
		        device->messages - messages, w->errors);
	}
	return true;
}

int compare(void)
{
	static struct work work;

	mark();
	for (int i = 0; i < virtio_count; i++) {
		struct virtio_device *device = &virtio_devices[i];
		kprintf("found %s layout=%s ring=%s irq=%s setup_accesses=%u\n", virtio_type_name(device->type),
		        device->transport != NULL ? device->transport->layout : "none",
		        device->running ? device->queue[0].format->name : "none", irq_mode_name(device->mode),
		        device->setup_accesses);
	}
	work.blk = blk_disk();
	work.page = (struct virtio_buffer){page_alloc(1), SECTORS * SECTOR};
	if (work.blk == NULL || work.page.data == NULL || work.blk->capacity < REQUESTS * SECTORS) {
		kprintf("compare: there is no disk of %u sectors\n", REQUESTS * SECTORS);
		return 1;
	}
	if (!all_ways(&work, true) || !all_ways(&work, false)) {
		kprintf("compare: the disk did not come up again\n");
		return 1;
	}
	page_free(work.page.data, 1);
	return work.errors != 0;
}
