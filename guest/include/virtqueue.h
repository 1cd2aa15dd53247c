#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H

#include "byteorder.h"
#include "types.h"

/* The split ring (virtio 1.2 section 2.7). */
struct vring_descriptor {
	u64 address;
	u32 length;
	u16 flags;
	u16 next;
};
enum {
	DESCRIPTOR_NEXT = 1,
	DESCRIPTOR_WRITE = 2,
	DESCRIPTOR_INDIRECT = 4,
	AVAIL_NO_INTERRUPT = 1,
	USED_NO_NOTIFY = 1,
};
struct vring_avail {
	u16 flags;
	u16 index;
	u16 ring[]; /* and used_event after the last */
};
struct vring_used_element {
	u32 id;
	u32 length;
};
struct vring_used {
	u16 flags;
	u16 index;
	struct vring_used_element ring[]; /* and avail_event after the last */
};

struct virtio_buffer {
	void *data;
	u32 length;
};

#define CHAIN_MAX 16 /* descriptors in one request */

struct virtqueue {
	u16 index;  /* of the queue in its device */
	u16 size;   /* entries, a power of two */
	u16 largest; /* entries which the device could have */
	u16 vector; /* the MSI-X entry, or VIRTIO_NO_VECTOR */
	bool event_index;
	bool indirect;
	const struct byte_order *order;

	volatile struct vring_descriptor *descriptors;
	volatile struct vring_avail *avail;
	volatile struct vring_used *used;
	void *ring_memory; /* what the transport allocated, to give back */
	u32 ring_pages;

	u16 free_head;
	u16 free_count;
	u16 avail_index;    /* ours; the device's copy is in the ring */
	u16 notified_index; /* avail_index when the device was last asked about */
	u16 used_seen;
	u32 notifications;
	void **tokens;                         /* one a chain, by its head */
	struct vring_descriptor *indirect_tables; /* CHAIN_MAX each, by head; NULL until needed */
};

/* Sizes of the three parts in bytes, event fields included. */
u32 vring_descriptors_size(u32 size);
u32 vring_avail_size(u32 size);
u32 vring_used_size(u32 size);

/* The transport has chosen size, order and places; the memory there is zero. False if out of memory. */
bool virtqueue_init(struct virtqueue *queue, u16 index, u16 size, const struct byte_order *order, void *descriptors,
                    void *avail, void *used, u64 features);
void virtqueue_release(struct virtqueue *queue);

/* Offers a chain of `out` readable buffers and then `in` writable ones; false if the ring has no room. */
bool virtqueue_add(struct virtqueue *queue, const struct virtio_buffer *buffers, u32 out, u32 in, void *token);
/* Whether the device wants to hear of what was added since the last call. */
bool virtqueue_should_notify(struct virtqueue *queue);
/* The token of a used chain, or NULL. */
void *virtqueue_take(struct virtqueue *queue, u32 *length);
/* Interrupt after that many more used chains (1: the next); with no event index 0 means none at all. */
void virtqueue_interrupt_after(struct virtqueue *queue, u16 chains);

#endif
