#ifndef HOSTILE_H
#define HOSTILE_H

#include "selftest.h"
#include "virtio.h"

/*
 * A driver which breaks the rules, a rule at a time, and looks at what the device makes of it. Nothing is made good here: rings are
 * filled as they are given.
 */

#define TRY(expression)                          \
	do {                                     \
		const char *why_ = (expression); \
		if (why_ != NULL)                \
			return why_;             \
	} while (0)

enum { HOSTILE_PAGES = 4, HOSTILE_CHAINS = 64 };

struct hostile_layout;

/* A device in such a driver's hands, between a reset and the next. */
struct hostile {
	struct virtio_device *device;
	const struct hostile_layout *layout;
	const struct virtio_driver *honest; /* the driver it has else */
	u16 queue;                          /* whose chains the device looks at at once */
	u8 *room;                           /* memory of ours */
	struct features features_wanted;

	u16 next; /* the next free descriptor */
	u16 available, used; /* chains offered; seen to be used */
	u16 used_at;         /* packed: where the next used descriptor will be */
	u16 count[HOSTILE_CHAINS]; /* descriptors of each, by its first */
};

/* A descriptor. */
struct piece {
	u64 address;
	u32 length;
	u16 flags;
	u16 next; /* split rings, where it is written as it stands */
};

struct hostile_case {
	u32 number; /* in docs/threat-model.md */
	const char *name;
	const char *(*run)(struct hostile *h);
};
struct hostile_list {
	const struct hostile_case *cases;
	u32 count;
};
extern const struct hostile_list hostile_chains, hostile_registers, hostile_functions;

/* What only the layout knows how to do. Each file of drivers/ has one; a case which it cannot express is a SKIP with the reason. */
struct hostile_layout {
	const struct virtio_transport *transport;
	bool says_broken; /* DEVICE_NEEDS_RESET is a bit of its status */
	const char *(*sizes)(struct hostile *h);        /* 13 */
	const char *(*rewritten)(struct hostile *h);    /* 14 */
	const char *(*places)(struct hostile *h);       /* 15: addresses which no ring can have */
	const char *(*moved_out)(struct hostile *h);    /* 15: puts the queue where there is no RAM; NULL when it is there */
	const char *(*selects)(struct hostile *h);      /* 16 */
	const char *(*status)(struct hostile *h);       /* 19 */
	const char *(*configuration)(struct hostile *h); /* 21 */
	const char *(*window)(struct hostile *h);       /* 22 */
	void (*kick_absent)(struct hostile *h);         /* 17: the doorbell of a queue which is not there */
	void (*queue_vector)(struct hostile *h, u16 vector); /* 25 */
};
extern const struct hostile_layout hostile_modern, hostile_legacy, hostile_overlay_bar0, hostile_overlay_bar1;

/* kernel/hostile.c: resets the device and starts it for the hostile driver, without those of the first 64 features. */
bool hostile_begin(struct hostile *h, u64 without);
/* The request which a driver by the book makes of this kind of device; gives how many descriptors, and which of them is the data. */
u32 hostile_request(struct hostile *h, struct piece *pieces, u32 *data);
u32 hostile_request_used(const struct hostile *h); /* bytes which it claims for that */
/* NULL when the device has stopped as a broken one has to (2.1.2), and lets nothing more through. */
const char *hostile_expect_broken(struct hostile *h);
/* NULL when it uses one more chain, with that length. */
const char *hostile_expect_used(struct hostile *h, u32 length);
/* NULL when nothing is used. */
const char *hostile_expect_nothing(struct hostile *h);
/* Offers the request, kicks, and expects it to be done. */
const char *hostile_works(struct hostile *h);

/* NULL when a request whose data lie there fails as it has to, from a fresh start. */
const char *hostile_data_at(struct hostile *h, u64 address);
/* Waits with interrupts off; true when another chain was used. */
bool hostile_poll(struct hostile *h);

/* kernel/hostile_rings.c */
struct virtqueue *hostile_ring(struct hostile *h);
bool hostile_packed(struct hostile *h);
/* Descriptors with NEXT between them, made available. */
void hostile_offer(struct hostile *h, const struct piece *pieces, u32 count);
/* Descriptors just as they stand; the first is made available. */
void hostile_offer_raw(struct hostile *h, const struct piece *pieces, u32 count);
void hostile_table(struct hostile *h, void *table, const struct piece *pieces, u32 count);
void hostile_available(struct hostile *h, u16 head);
void hostile_kick(struct hostile *h);
bool hostile_used(struct hostile *h, u32 *length);

#endif
