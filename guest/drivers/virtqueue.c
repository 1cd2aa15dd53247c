#include "kernel.h"
#include "virtio.h"
#include "virtqueue.h"

/*
 * A virtqueue, driver's side: what is the same in both formats of ring. Where the parts are and in which byte order is
 * the transport's affair; order->w16 and its like convert to and from it.
 */

const struct virtqueue_format *virtqueue_format(const struct features *features)
{
	return has_feature(features, F_RING_PACKED) ? &virtqueue_packed : &virtqueue_split;
}

static u32 chains_pages(u16 size) { return round_up(size * sizeof(struct virtqueue_chain), PAGE_SIZE) / PAGE_SIZE; }
static u32 tables_pages(u16 size) { return round_up(size * CHAIN_MAX * DESCRIPTOR_SIZE, PAGE_SIZE) / PAGE_SIZE; }

bool virtqueue_init(struct virtqueue *q, u16 index, u16 size, const struct byte_order *order, void *descriptors,
                    void *driver, void *device, const struct features *features)
{
	q->index = index;
	q->size = q->free_count = size;
	q->order = order;
	q->format = virtqueue_format(features);
	q->descriptor_area = descriptors;
	q->driver_area = driver;
	q->device_area = device;
	q->event_index = has_feature(features, F_EVENT_INDEX);
	q->indirect = has_feature(features, F_INDIRECT);
	q->in_order = has_feature(features, F_IN_ORDER);
	q->in_batch = false;
	q->notifications = q->used_elements = 0;

	q->chains = page_alloc(chains_pages(size));
	q->indirect_tables = q->indirect ? page_alloc(tables_pages(size)) : NULL;
	if (q->chains == NULL || (q->indirect && q->indirect_tables == NULL))
		return false;
	q->format->init(q);
	return true;
}

void virtqueue_release(struct virtqueue *q)
{
	if (q->chains != NULL)
		page_free(q->chains, chains_pages(q->size));
	if (q->indirect_tables != NULL)
		page_free(q->indirect_tables, tables_pages(q->size));
	if (q->ring_memory != NULL)
		page_free(q->ring_memory, q->ring_pages);
	*q = (struct virtqueue){.size = 0};
}

bool virtqueue_add(struct virtqueue *q, const struct virtio_buffer *buffers, u32 out, u32 in, void *token)
{
	u32 count = out + in, room = 0;
	bool indirect = q->indirect && count > 1;
	u16 taken = indirect ? 1 : (u16)count;
	u16 name;

	if (count == 0 || count > CHAIN_MAX || q->free_count < taken)
		return false;
	for (u32 i = out; i < count; i++)
		room += buffers[i].length;
	name = q->format->next_name(q);
	q->format->offer(q, name, buffers, out, count,
	                 indirect ? q->indirect_tables + name * CHAIN_MAX * DESCRIPTOR_SIZE : NULL);
	if (q->free_count == q->size)
		q->oldest = name;
	else if (q->in_order)
		q->chains[q->newest].behind = name;
	q->newest = name;
	q->chains[name].token = token;
	q->chains[name].room = room;
	q->chains[name].count = taken;
	q->free_count = (u16)(q->free_count - taken);
	return true;
}

bool virtqueue_should_notify(struct virtqueue *q)
{
	bool wanted = q->format->should_notify(q);

	q->notifications += wanted;
	return wanted;
}

/*
 * In order, one used element may stand for all chains up to the one it names: those before it were used completely
 * (section 2.8.8), and come out one by one.
 */
void *virtqueue_take(struct virtqueue *q, u32 *length)
{
	struct virtqueue_chain *chain;
	void *token;
	u16 name;

	if (!q->in_batch) {
		if (!q->format->used(q, &q->batch))
			return NULL;
		q->used_elements++;
	}
	name = q->in_order ? q->oldest : (u16)q->batch.name;
	if (q->batch.name >= q->size || name >= q->size || q->chains[name].token == NULL)
		panic("virtqueue %u: used chain %u was never offered", q->index, q->batch.name);
	chain = &q->chains[name];
	q->in_batch = name != q->batch.name;
	*length = q->in_batch ? chain->room : q->batch.length;
	token = chain->token;
	chain->token = NULL;
	q->oldest = chain->behind;
	q->free_count = (u16)(q->free_count + chain->count);
	q->format->release(q, name);
	return token;
}

bool virtqueue_has_used(const struct virtqueue *q)
{
	struct virtqueue_used used;

	return q->in_batch || q->format->used(q, &used);
}

void virtqueue_interrupt_after(struct virtqueue *q, u16 chains)
{
	q->format->interrupt_after(q, chains);
}
