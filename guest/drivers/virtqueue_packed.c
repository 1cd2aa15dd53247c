#include "arch.h"
#include "kernel.h"
#include "virtqueue.h"

/*
 * The packed ring (virtio 1.2 section 2.8), driver's side: descriptors go into the ring one after the other, and the
 * device writes what it has used over them. A chain's name is its buffer ID.
 */

/* Section 2.8.10.1: any size will do. */
static u16 fit(u16 largest, u16 limit) { return (u16)min_u32(largest, limit); }

static u32 descriptors_size(u32 size) { return DESCRIPTOR_SIZE * size; }
static u32 events_size(u32 size)
{
	(void)size;
	return sizeof(struct packed_events);
}

static void init(struct virtqueue *q)
{
	q->packed = (struct packed_ring){
		.descriptors = q->descriptor_area,
		.driver = q->driver_area,
		.device = q->device_area,
		.next = {0, true},
		.used = {0, true},
	};
	for (u16 i = 0; i < q->size; i++)
		q->chains[i].behind = (u16)(i + 1);
}

static u16 next_name(const struct virtqueue *q) { return q->packed.free_name; }

static void advance(const struct virtqueue *q, struct packed_place *place, u32 descriptors)
{
	u32 offset = place->offset + descriptors;

	if (offset >= q->size) {
		offset -= q->size;
		place->wrap = !place->wrap;
	}
	place->offset = (u16)offset;
}

static u16 word(struct packed_place place) { return (u16)(place.offset | (place.wrap ? PACKED_WRAP : 0)); }

/* Section 2.8.1: what marks a descriptor as available in this lap. */
static u16 available(bool wrap) { return wrap ? PACKED_AVAIL : PACKED_USED; }

static void fill(const struct byte_order *order, volatile struct packed_descriptor *d, u64 address, u32 length, u16 id)
{
	d->address = order->w64(address);
	d->length = order->w32(length);
	d->id = order->w16(id);
}

/* Writes `count` descriptors into the ring; the first one's flags last, since they show the whole (section 2.8.6). */
static void put(struct virtqueue *q, u16 name, const struct virtio_buffer *buffers, u32 count, const u16 *flags)
{
	struct packed_ring *r = &q->packed;
	volatile struct packed_descriptor *first = &r->descriptors[r->next.offset];
	u16 first_flags = flags[0] | available(r->next.wrap);

	for (u32 i = 0; i < count; i++) {
		volatile struct packed_descriptor *d = &r->descriptors[r->next.offset];
		fill(q->order, d, (uintptr_t)buffers[i].data, buffers[i].length, name);
		if (i > 0)
			d->flags = q->order->w16(flags[i] | available(r->next.wrap));
		advance(q, &r->next, 1);
	}
	memory_barrier();
	first->flags = q->order->w16(first_flags);
	r->unnotified = (u16)(r->unnotified + count);
}

/* Section 2.8.7: in a table WRITE is the one flag there is. */
static void fill_table(const struct byte_order *order, const struct virtio_buffer *buffers, u32 out, u32 count,
                       struct packed_descriptor *table)
{
	for (u32 i = 0; i < count; i++) {
		fill(order, &table[i], (uintptr_t)buffers[i].data, buffers[i].length, 0);
		table[i].flags = order->w16(i >= out ? DESCRIPTOR_WRITE : 0);
	}
}

static void offer(struct virtqueue *q, u16 name, const struct virtio_buffer *buffers, u32 out, u32 count, void *table)
{
	struct virtio_buffer whole = {table, DESCRIPTOR_SIZE * count};
	u16 flags[CHAIN_MAX];

	q->packed.free_name = q->chains[name].behind;
	if (table != NULL) {
		fill_table(q->order, buffers, out, count, table);
		flags[0] = DESCRIPTOR_INDIRECT;
		put(q, name, &whole, 1, flags);
		return;
	}
	for (u32 i = 0; i < count; i++)
		flags[i] = (u16)((i >= out ? DESCRIPTOR_WRITE : 0) | (i + 1 < count ? DESCRIPTOR_NEXT : 0));
	put(q, name, buffers, count, flags);
}

/* Section 2.8.10: whether the descriptor which the device named is among the last `count` made available. */
static bool passed(const struct virtqueue *q, u16 event, u16 count)
{
	const struct packed_place *next = &q->packed.next;
	int offset = event & ~PACKED_WRAP;
	int ago = next->offset - (!(event & PACKED_WRAP) == !next->wrap ? offset : offset - q->size);

	return ago >= 1 && ago <= count;
}

static bool should_notify(struct virtqueue *q)
{
	struct packed_ring *r = &q->packed;
	u16 count = r->unnotified;

	memory_barrier(); /* the descriptors are visible before we look at what the device wishes */
	r->unnotified = 0;
	switch (q->order->w16(r->device->flags) & 3) {
	case EVENTS_OFF: return false;
	case EVENTS_AT: return passed(q, q->order->w16(r->device->place), count);
	default: return count != 0;
	}
}

static u16 position(const struct virtqueue *q) { return word(q->packed.next); }

/* Section 2.8.1: used in this lap, when both marks are as the wrap counter. Only with WRITE is there a length. */
static bool used(const struct virtqueue *q, struct virtqueue_used *used)
{
	const struct packed_ring *r = &q->packed;
	volatile struct packed_descriptor *d = &r->descriptors[r->used.offset];
	u16 flags = q->order->w16(d->flags);

	if (!(flags & PACKED_AVAIL) != !r->used.wrap || !(flags & PACKED_USED) != !r->used.wrap)
		return false;
	memory_barrier(); /* the flags before what they show */
	used->name = q->order->w16(d->id);
	used->length = flags & DESCRIPTOR_WRITE ? q->order->w32(d->length) : 0;
	return true;
}

static void release(struct virtqueue *q, u16 name)
{
	advance(q, &q->packed.used, q->chains[name].count);
	q->chains[name].behind = q->packed.free_name;
	q->packed.free_name = name;
}

static void interrupt_after(struct virtqueue *q, u16 chains)
{
	struct packed_place at = q->packed.used;
	u16 flags = chains == 0 ? EVENTS_OFF : q->event_index ? EVENTS_AT : EVENTS_ON;

	if (flags == EVENTS_AT) {
		advance(q, &at, (u32)chains - 1);
		q->packed.driver->place = q->order->w16(word(at));
		memory_barrier();
	}
	q->packed.driver->flags = q->order->w16(flags);
	memory_barrier();
}

const struct virtqueue_format virtqueue_packed = {
	.name = "packed",
	.fit = fit,
	.descriptors_size = descriptors_size,
	.driver_size = events_size,
	.device_size = events_size,
	.init = init,
	.next_name = next_name,
	.offer = offer,
	.should_notify = should_notify,
	.position = position,
	.used = used,
	.release = release,
	.interrupt_after = interrupt_after,
};
