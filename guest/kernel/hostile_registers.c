#include "arch.h"
#include "hostile.h"
#include "string.h"
#include "virtio_blk.h"

/* Cases 13 to 22: registers. Those which only a layout can express are in drivers/hostile_*.c. */

static const char *sizes(struct hostile *h) { return h->layout->sizes(h); }
static const char *rewritten(struct hostile *h) { return h->layout->rewritten(h); }
static const char *places(struct hostile *h) { return h->layout->places(h); }
static const char *selects(struct hostile *h) { return h->layout->selects(h); }
static const char *status(struct hostile *h) { return h->layout->status(h); }
static const char *configuration(struct hostile *h) { return h->layout->configuration(h); }
static const char *window(struct hostile *h) { return h->layout->window(h); }

/* A queue's place may be anywhere until it is used: then the device finds no RAM there. */
static const char *out_of_ram(struct hostile *h)
{
	TRY(h->layout->moved_out(h));
	hostile_kick(h);
	h->next = hostile_ring(h)->size;
	return hostile_expect_broken(h);
}

/* Section 3.1.1: a device which was reset and nothing else takes nothing, whichever doorbell rings. */
static const char *untimely_kicks(struct hostile *h)
{
	struct virtio_device *device = h->device;
	struct piece p[3];
	u32 data, count = hostile_request(h, p, &data);

	h->layout->kick_absent(h);
	TRY(hostile_works(h));
	u32 interrupts = device->interrupts;
	device->transport->reset(device);
	hostile_offer(h, p, count);
	for (u16 q = 0; q < VIRTIO_QUEUES; q++)
		device->transport->notify(device, q);
	TRY(hostile_expect_nothing(h));
	EXPECT("interrupts", device->interrupts, interrupts);
	return NULL;
}

/* The machine goes on meanwhile: its timer still does. */
static const char *storm(struct hostile *h)
{
	for (u32 i = 0; i < 10000; i++)
		hostile_kick(h);
	sleep_us(100);
	TRY(hostile_expect_nothing(h));
	return hostile_works(h);
}

/* Section 2.4.1: what was in flight is forgotten, nothing is written and nobody interrupted any more. */
static const char *reset_in_flight(struct hostile *h)
{
	struct virtio_device *device = h->device;
	struct piece p[3];
	u32 data, count = hostile_request(h, p, &data);

	if (device->type == VIRTIO_CONSOLE || device->type == VIRTIO_NET)
		return SKIP("its transmit queue is done at once");
	u32 interrupts = device->interrupts;
	memset(h->room + 512, 0x5a, 1024);
	hostile_offer(h, p, count);
	hostile_kick(h);
	device->transport->reset(device);
	TRY(hostile_expect_nothing(h));
	for (u32 i = 0; i < 513; i++)
		EXPECT("byte of the buffers", h->room[512 + i], 0x5a);
	EXPECT("interrupts", device->interrupts, interrupts);
	return NULL;
}

static const struct hostile_case cases[] = {
	{13, "sizes which no queue has", sizes},
	{14, "set-up written again behind the device's back", rewritten},
	{15, "places which no ring can have", places},
	{15, "a ring which is not in RAM", out_of_ram},
	{16, "selects beyond what there is", selects},
	{17, "untimely kicks", untimely_kicks},
	{18, "a storm of kicks", storm},
	{19, "status bits which are not the driver's to set so", status},
	{20, "a reset with requests in flight", reset_in_flight},
	{21, "configuration beyond its end", configuration},
	{22, "the window in configuration space", window},
};
const struct hostile_list hostile_registers = {cases, COUNT(cases)};
