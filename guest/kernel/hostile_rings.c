#include "arch.h"
#include "hostile.h"

/* Rings of either format, filled by hand. Only the first lap of a packed ring is used, so its wrap counter stays 1. */

struct virtqueue *hostile_ring(struct hostile *h)
{
	return &h->device->queue[h->queue];
}

bool hostile_packed(struct hostile *h)
{
	return hostile_ring(h)->format == &virtqueue_packed;
}

static void split_descriptor(volatile struct vring_descriptor *d, const struct byte_order *order, const struct piece *p)
{
	d->address = order->w64(p->address);
	d->length = order->w32(p->length);
	d->flags = order->w16(p->flags);
	d->next = order->w16(p->next);
}

static void packed_descriptor(volatile struct packed_descriptor *d, const struct byte_order *order, const struct piece *p,
                              u16 id, u16 mark)
{
	d->address = order->w64(p->address);
	d->length = order->w32(p->length);
	d->id = order->w16(id);
	d->flags = order->w16(p->flags | mark);
}

void hostile_table(struct hostile *h, void *table, const struct piece *pieces, u32 count)
{
	const struct byte_order *order = hostile_ring(h)->order;

	for (u32 i = 0; i < count; i++) {
		struct piece p = pieces[i];
		if (hostile_packed(h)) {
			packed_descriptor((struct packed_descriptor *)table + i, order, &p, 0, 0);
			continue;
		}
		if (i + 1 < count) {
			p.flags |= DESCRIPTOR_NEXT;
			p.next = (u16)(i + 1);
		}
		split_descriptor((struct vring_descriptor *)table + i, order, &p);
	}
}

void hostile_available(struct hostile *h, u16 head)
{
	struct virtqueue *q = hostile_ring(h);
	struct split_ring *r = &q->split;

	r->avail->ring[h->available % q->size] = q->order->w16(head);
	memory_barrier();
	r->avail->index = q->order->w16(++h->available);
	memory_barrier();
}

void hostile_offer_raw(struct hostile *h, const struct piece *pieces, u32 count)
{
	struct virtqueue *q = hostile_ring(h);
	u16 head = h->next;

	h->next = (u16)(head + count);
	h->count[head % HOSTILE_CHAINS] = (u16)count;
	if (!hostile_packed(h)) {
		for (u32 i = 0; i < count; i++)
			split_descriptor(&q->split.descriptors[(head + i) % q->size], q->order, &pieces[i]);
		hostile_available(h, head);
		return;
	}
	/* The first one last: it makes the others available (section 2.8.15). */
	for (u32 i = count; i-- > 0;) {
		packed_descriptor(&q->packed.descriptors[(head + i) % q->size], q->order, &pieces[i], head, PACKED_AVAIL);
		memory_barrier();
	}
	h->available++;
}

void hostile_offer(struct hostile *h, const struct piece *pieces, u32 count)
{
	struct piece chain[8];

	for (u32 i = 0; i < count && i < COUNT(chain); i++) {
		chain[i] = pieces[i];
		if (i + 1 < count) {
			chain[i].flags |= DESCRIPTOR_NEXT;
			chain[i].next = (u16)(h->next + i + 1);
		}
	}
	hostile_offer_raw(h, chain, count);
}

void hostile_kick(struct hostile *h)
{
	memory_barrier();
	h->device->transport->notify(h->device, h->queue);
}

bool hostile_used(struct hostile *h, u32 *length)
{
	struct virtqueue *q = hostile_ring(h);

	if (!hostile_packed(h)) {
		if (q->order->w16(q->split.used->index) == h->used)
			return false;
		memory_barrier();
		*length = q->order->w32(q->split.used->ring[h->used % q->size].length);
		h->used++;
		return true;
	}
	volatile struct packed_descriptor *d = &q->packed.descriptors[h->used_at % q->size];
	u16 flags = q->order->w16(d->flags);
	if (!(flags & PACKED_AVAIL) || !(flags & PACKED_USED))
		return false;
	memory_barrier();
	*length = flags & DESCRIPTOR_WRITE ? q->order->w32(d->length) : 0;
	h->used_at = (u16)(h->used_at + h->count[q->order->w16(d->id) % HOSTILE_CHAINS]);
	h->used++;
	return true;
}
