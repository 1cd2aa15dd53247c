#include "arch.h"
#include "kernel.h"
#include "virtio.h"
#include "virtqueue.h"

/*
 * The split ring (virtio 1.2 section 2.7), driver's side. Where the parts are and in which byte order is the
 * transport's affair; order->w16 and its like convert to and from it.
 */

u32 vring_descriptors_size(u32 size) { return 16 * size; }
u32 vring_avail_size(u32 size) { return 6 + 2 * size; }
u32 vring_used_size(u32 size) { return 6 + 8 * size; }

/* Section 2.7.10: the event fields lie behind the last entry of the other ring. */
static volatile u16 *used_event(struct virtqueue *q) { return &q->avail->ring[q->size]; }
static volatile u16 *avail_event(struct virtqueue *q) { return (volatile u16 *)&q->used->ring[q->size]; }

bool virtqueue_init(struct virtqueue *q, u16 index, u16 size, const struct byte_order *order, void *descriptors,
                    void *avail, void *used, u64 features)
{
	q->index = index;
	q->size = size;
	q->order = order;
	q->descriptors = descriptors;
	q->avail = avail;
	q->used = used;
	q->event_index = features & FEATURE(F_EVENT_INDEX);
	q->indirect = features & FEATURE(F_INDIRECT);
	q->free_head = 0;
	q->free_count = size;
	q->avail_index = q->notified_index = q->used_seen = 0;
	q->notifications = 0;

	q->tokens = page_alloc(round_up(size * sizeof(void *), PAGE_SIZE) / PAGE_SIZE);
	q->indirect_tables = NULL;
	if (q->indirect)
		q->indirect_tables = page_alloc(round_up(size * CHAIN_MAX * 16, PAGE_SIZE) / PAGE_SIZE);
	if (q->tokens == NULL || (q->indirect && q->indirect_tables == NULL))
		return false;
	for (u16 i = 0; i < size; i++)
		q->descriptors[i].next = order->w16((u16)(i + 1));
	return true;
}

void virtqueue_release(struct virtqueue *q)
{
	if (q->tokens != NULL)
		page_free(q->tokens, round_up(q->size * sizeof(void *), PAGE_SIZE) / PAGE_SIZE);
	if (q->indirect_tables != NULL)
		page_free(q->indirect_tables, round_up(q->size * CHAIN_MAX * 16, PAGE_SIZE) / PAGE_SIZE);
	if (q->ring_memory != NULL)
		page_free(q->ring_memory, q->ring_pages);
	*q = (struct virtqueue){.size = 0};
}

static void fill(const struct byte_order *order, volatile struct vring_descriptor *d, const struct virtio_buffer *b,
                 bool writable, bool more)
{
	d->address = order->w64((uintptr_t)b->data);
	d->length = order->w32(b->length);
	d->flags = order->w16((writable ? DESCRIPTOR_WRITE : 0) | (more ? DESCRIPTOR_NEXT : 0));
}

/* Section 2.7.5.3: one descriptor of the ring leads to a table with the whole chain. */
static u16 add_indirect(struct virtqueue *q, const struct virtio_buffer *buffers, u32 out, u32 count)
{
	u16 head = q->free_head;
	volatile struct vring_descriptor *d = &q->descriptors[head];
	struct vring_descriptor *table = &q->indirect_tables[head * CHAIN_MAX];

	for (u32 i = 0; i < count; i++) {
		fill(q->order, &table[i], &buffers[i], i >= out, i + 1 < count);
		table[i].next = q->order->w16((u16)(i + 1));
	}
	q->free_head = q->order->w16(d->next);
	q->free_count--;
	d->address = q->order->w64((uintptr_t)table);
	d->length = q->order->w32(16 * count);
	d->flags = q->order->w16(DESCRIPTOR_INDIRECT);
	return head;
}

static u16 add_direct(struct virtqueue *q, const struct virtio_buffer *buffers, u32 out, u32 count)
{
	u16 head = q->free_head, at = head;

	for (u32 i = 0; i < count; i++) {
		volatile struct vring_descriptor *d = &q->descriptors[at];
		fill(q->order, d, &buffers[i], i >= out, i + 1 < count);
		at = q->order->w16(d->next);
	}
	q->free_head = at;
	q->free_count = (u16)(q->free_count - count);
	return head;
}

bool virtqueue_add(struct virtqueue *q, const struct virtio_buffer *buffers, u32 out, u32 in, void *token)
{
	u32 count = out + in;
	bool indirect = q->indirect && count > 1;
	u16 head;

	if (count == 0 || count > CHAIN_MAX || q->free_count < (indirect ? 1 : count))
		return false;
	head = indirect ? add_indirect(q, buffers, out, count) : add_direct(q, buffers, out, count);
	q->tokens[head] = token;
	q->avail->ring[q->avail_index % q->size] = q->order->w16(head);
	memory_barrier(); /* the entry before the index which shows it (section 2.7.13.3) */
	q->avail_index++;
	q->avail->index = q->order->w16(q->avail_index);
	return true;
}

/* Sections 2.7.9.1 and 2.7.10.1: the index must be visible before we look at what the device wishes. */
bool virtqueue_should_notify(struct virtqueue *q)
{
	u16 now = q->avail_index, before = q->notified_index;
	bool wanted;

	memory_barrier();
	q->notified_index = now;
	if (q->event_index)
		wanted = (u16)(now - q->order->w16(*avail_event(q)) - 1) < (u16)(now - before);
	else
		wanted = now != before && !(q->order->w16(q->used->flags) & USED_NO_NOTIFY);
	if (wanted)
		q->notifications++;
	return wanted;
}

static void give_back(struct virtqueue *q, u16 head)
{
	u16 tail = head, count = 1;

	while (q->order->w16(q->descriptors[tail].flags) & DESCRIPTOR_NEXT) {
		tail = q->order->w16(q->descriptors[tail].next);
		count++;
	}
	q->descriptors[tail].next = q->order->w16(q->free_head);
	q->free_head = head;
	q->free_count = (u16)(q->free_count + count);
}

void *virtqueue_take(struct virtqueue *q, u32 *length)
{
	volatile struct vring_used_element *element;
	void *token;
	u32 head;

	if (q->order->w16(q->used->index) == q->used_seen)
		return NULL;
	memory_barrier(); /* the index before the entry it shows */
	element = &q->used->ring[q->used_seen % q->size];
	head = q->order->w32(element->id);
	*length = q->order->w32(element->length);
	q->used_seen++;
	if (head >= q->size || q->tokens[head] == NULL)
		panic("virtqueue %u: used chain %u was never offered", q->index, head);
	token = q->tokens[head];
	q->tokens[head] = NULL;
	give_back(q, (u16)head);
	return token;
}

void virtqueue_interrupt_after(struct virtqueue *q, u16 chains)
{
	if (q->event_index)
		*used_event(q) = q->order->w16((u16)(q->used_seen + chains - 1));
	else
		q->avail->flags = q->order->w16(chains == 0 ? AVAIL_NO_INTERRUPT : 0);
	memory_barrier();
}
