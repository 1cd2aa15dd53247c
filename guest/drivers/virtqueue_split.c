#include "arch.h"
#include "virtqueue.h"

/* The split ring (virtio 1.2 section 2.7), driver's side. A chain's name is its first descriptor. */

/* Section 2.7: a power of 2. */
static u16 fit(u16 largest, u16 limit)
{
	while (largest > limit)
		largest /= 2;
	return largest;
}

static u32 descriptors_size(u32 size) { return DESCRIPTOR_SIZE * size; }
static u32 avail_size(u32 size) { return 6 + 2 * size; }
static u32 used_size(u32 size) { return 6 + 8 * size; }

/* Section 2.7.10: the event fields lie behind the last entry of the other ring. */
static volatile u16 *used_event(struct virtqueue *q) { return &q->split.avail->ring[q->size]; }
static volatile u16 *avail_event(struct virtqueue *q) { return (volatile u16 *)&q->split.used->ring[q->size]; }

static void init(struct virtqueue *q)
{
	q->split = (struct split_ring){
		.descriptors = q->descriptor_area, .avail = q->driver_area, .used = q->device_area};
	for (u16 i = 0; i < q->size; i++)
		q->split.descriptors[i].next = q->order->w16((u16)(i + 1));
}

static u16 next_name(const struct virtqueue *q) { return q->split.free_head; }

static void fill(const struct byte_order *order, volatile struct vring_descriptor *d, const struct virtio_buffer *b,
                 bool writable, bool more)
{
	d->address = order->w64((uintptr_t)b->data);
	d->length = order->w32(b->length);
	d->flags = order->w16((writable ? DESCRIPTOR_WRITE : 0) | (more ? DESCRIPTOR_NEXT : 0));
}

/* Section 2.7.5.3: one descriptor of the ring leads to a table with the whole chain. */
static void fill_table(struct virtqueue *q, const struct virtio_buffer *buffers, u32 out, u32 count,
                       struct vring_descriptor *table)
{
	volatile struct vring_descriptor *d = &q->split.descriptors[q->split.free_head];

	for (u32 i = 0; i < count; i++) {
		fill(q->order, &table[i], &buffers[i], i >= out, i + 1 < count);
		table[i].next = q->order->w16((u16)(i + 1));
	}
	q->split.free_head = q->order->w16(d->next);
	d->address = q->order->w64((uintptr_t)table);
	d->length = q->order->w32(DESCRIPTOR_SIZE * count);
	d->flags = q->order->w16(DESCRIPTOR_INDIRECT);
}

static void fill_ring(struct virtqueue *q, const struct virtio_buffer *buffers, u32 out, u32 count)
{
	u16 at = q->split.free_head;

	for (u32 i = 0; i < count; i++) {
		volatile struct vring_descriptor *d = &q->split.descriptors[at];
		fill(q->order, d, &buffers[i], i >= out, i + 1 < count);
		at = q->order->w16(d->next);
	}
	q->split.free_head = at;
}

static void offer(struct virtqueue *q, u16 name, const struct virtio_buffer *buffers, u32 out, u32 count, void *table)
{
	struct split_ring *r = &q->split;

	if (table != NULL)
		fill_table(q, buffers, out, count, table);
	else
		fill_ring(q, buffers, out, count);
	r->avail->ring[r->avail_index % q->size] = q->order->w16(name);
	memory_barrier(); /* the entry before the index which shows it (section 2.7.13.3) */
	r->avail_index++;
	r->avail->index = q->order->w16(r->avail_index);
}

/* Sections 2.7.9.1 and 2.7.10.1: the index must be visible before we look at what the device wishes. */
static bool should_notify(struct virtqueue *q)
{
	u16 now = q->split.avail_index, before = q->split.notified_index;

	memory_barrier();
	q->split.notified_index = now;
	if (q->event_index)
		return (u16)(now - q->order->w16(*avail_event(q)) - 1) < (u16)(now - before);
	return now != before && !(q->order->w16(q->split.used->flags) & USED_NO_NOTIFY);
}

static u16 position(const struct virtqueue *q) { return q->split.avail_index; }

static bool used(const struct virtqueue *q, struct virtqueue_used *used)
{
	const struct split_ring *r = &q->split;
	volatile struct vring_used_element *element;

	if (q->order->w16(r->used->index) == r->used_seen)
		return false;
	memory_barrier(); /* the index before the entry it shows */
	element = &r->used->ring[r->used_seen % q->size];
	used->name = q->order->w32(element->id);
	used->length = q->order->w32(element->length);
	return true;
}

static void release(struct virtqueue *q, u16 name)
{
	struct split_ring *r = &q->split;
	u16 tail = name;

	while (q->order->w16(r->descriptors[tail].flags) & DESCRIPTOR_NEXT)
		tail = q->order->w16(r->descriptors[tail].next);
	r->descriptors[tail].next = q->order->w16(r->free_head);
	r->free_head = name;
	r->used_seen++;
}

static void interrupt_after(struct virtqueue *q, u16 chains)
{
	if (q->event_index)
		*used_event(q) = q->order->w16((u16)(q->split.used_seen + chains - 1));
	else
		q->split.avail->flags = q->order->w16(chains == 0 ? AVAIL_NO_INTERRUPT : 0);
	memory_barrier();
}

const struct virtqueue_format virtqueue_split = {
	.name = "split",
	.fit = fit,
	.descriptors_size = descriptors_size,
	.driver_size = avail_size,
	.device_size = used_size,
	.init = init,
	.next_name = next_name,
	.offer = offer,
	.should_notify = should_notify,
	.position = position,
	.used = used,
	.release = release,
	.interrupt_after = interrupt_after,
};
