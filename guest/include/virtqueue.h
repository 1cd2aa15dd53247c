#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H

#include "byteorder.h"
#include "features.h"
#include "types.h"

/* Flags of a descriptor, in either format of ring (virtio 1.2 sections 2.7.5 and 2.8.3 to 2.8.7). */
enum {
	DESCRIPTOR_NEXT = 1,
	DESCRIPTOR_WRITE = 2,
	DESCRIPTOR_INDIRECT = 4,
};

struct virtio_buffer {
	void *data;
	u32 length;
};

#define CHAIN_MAX 16 /* descriptors in one request */
#define DESCRIPTOR_SIZE 16

/* What the device said of a chain which it has used. */
struct virtqueue_used {
	u32 name;
	u32 length; /* bytes written */
};

struct virtqueue;

/* What a format of ring does. Chosen once, when the ring is made; no other file knows what a ring looks like. */
struct virtqueue_format {
	const char *name;
	/* The most entries which a ring may have that are neither more than the device's nor more than the limit. */
	u16 (*fit)(u16 largest, u16 limit);
	/* Bytes of the three parts. */
	u32 (*descriptors_size)(u32 size);
	u32 (*driver_size)(u32 size);
	u32 (*device_size)(u32 size);

	void (*init)(struct virtqueue *queue);
	/* The name, below the queue's size, which the next chain will have. */
	u16 (*next_name)(const struct virtqueue *queue);
	/* Makes a chain available under that name: in `table` if there is one, else in the ring. There is room. */
	void (*offer)(struct virtqueue *queue, u16 name, const struct virtio_buffer *buffers, u32 out, u32 count, void *table);
	bool (*should_notify)(struct virtqueue *queue);
	/* The upper half of notification data (section 2.9). */
	u16 (*position)(const struct virtqueue *queue);
	/* Whether the device has used a chain which was not released yet, and then which. */
	bool (*used)(const struct virtqueue *queue, struct virtqueue_used *used);
	/* A used chain's descriptors are the driver's again. */
	void (*release)(struct virtqueue *queue, u16 name);
	void (*interrupt_after)(struct virtqueue *queue, u16 chains);
};
extern const struct virtqueue_format virtqueue_split, virtqueue_packed;

/* The split ring (virtio 1.2 section 2.7). */
struct vring_descriptor {
	u64 address;
	u32 length;
	u16 flags;
	u16 next;
};
enum {
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
struct split_ring {
	volatile struct vring_descriptor *descriptors;
	volatile struct vring_avail *avail;
	volatile struct vring_used *used;
	u16 free_head;
	u16 avail_index;    /* ours; the device's copy is in the ring */
	u16 notified_index; /* avail_index when the device was last asked about */
	u16 used_seen;
};

/* The packed ring (virtio 1.2 section 2.8). */
struct packed_descriptor {
	u64 address;
	u32 length;
	u16 id;
	u16 flags;
};
enum {
	PACKED_AVAIL = 1 << 7,
	PACKED_USED = 1 << 15,
	PACKED_WRAP = 1 << 15, /* of an event's place: its wrap counter */
	EVENTS_ON = 0,
	EVENTS_OFF = 1,
	EVENTS_AT = 2,
};
struct packed_events {
	u16 place;
	u16 flags;
};
struct packed_place {
	u16 offset;
	bool wrap;
};
struct packed_ring {
	volatile struct packed_descriptor *descriptors;
	volatile struct packed_events *driver, *device;
	struct packed_place next; /* where the next descriptor goes */
	struct packed_place used; /* and where the device writes the next used one */
	u16 unnotified;           /* descriptors since the device was last asked about */
	u16 free_name;
};

/* What we know of a chain, by its name. */
struct virtqueue_chain {
	void *token; /* NULL: not offered */
	u32 room;    /* bytes which the device may write */
	u16 count;   /* descriptors of the ring */
	u16 behind;  /* the name offered after it; or of the next free one, for a format which asks for that */
};

struct virtqueue {
	u16 index;   /* of the queue in its device */
	u16 size;    /* entries */
	u16 largest; /* entries which the device could have */
	u16 vector;  /* the MSI-X entry, or VIRTIO_NO_VECTOR */
	bool event_index;
	bool indirect;
	bool in_order;
	const struct byte_order *order;
	const struct virtqueue_format *format;
	union {
		struct split_ring split;
		struct packed_ring packed;
	};

	void *ring_memory; /* what the transport allocated, to give back */
	u32 ring_pages;
	void *descriptor_area, *driver_area, *device_area;

	u16 free_count; /* descriptors of the ring */
	u32 notifications;
	u32 used_elements; /* which the device has written, as far as they were taken */
	struct virtqueue_chain *chains;
	u8 *indirect_tables; /* CHAIN_MAX descriptors each, by name; NULL until needed */

	/* In order (section 2.7.9, 2.8.8): the oldest chain and the newest; and of a batch which is being taken its last. */
	u16 oldest, newest;
	bool in_batch;
	struct virtqueue_used batch;
};

/* The format which these features bring. */
const struct virtqueue_format *virtqueue_format(const struct features *features);

/* The transport has chosen size, order and places; the memory there is zero. False if out of memory. */
bool virtqueue_init(struct virtqueue *queue, u16 index, u16 size, const struct byte_order *order, void *descriptors,
                    void *driver, void *device, const struct features *features);
void virtqueue_release(struct virtqueue *queue);

/* Offers a chain of `out` readable buffers and then `in` writable ones; false if the ring has no room. */
bool virtqueue_add(struct virtqueue *queue, const struct virtio_buffer *buffers, u32 out, u32 in, void *token);
/* Whether the device wants to hear of what was added since the last call. */
bool virtqueue_should_notify(struct virtqueue *queue);
/* The token of a used chain, or NULL. */
void *virtqueue_take(struct virtqueue *queue, u32 *length);
/* Whether virtqueue_take has something to give. */
bool virtqueue_has_used(const struct virtqueue *queue);
/*
 * Interrupt after that many more used chains (1: the next); with no event index 0 means none at all. A packed ring
 * counts descriptors, so that with chains of several the interrupt may come earlier.
 */
void virtqueue_interrupt_after(struct virtqueue *queue, u16 chains);

#endif
