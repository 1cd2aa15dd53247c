#ifndef SELFTEST_H
#define SELFTEST_H

#include "kernel.h"

/* A check returns NULL when it holds, SKIP(reason) when it cannot be made here, else what went wrong. */
struct check {
	const char *name;
	const char *(*run)(void);
};
struct check_list {
	const struct check *checks;
	u32 count;
};
#define SKIP(reason) ("SKIP " reason)

/* The text of a failure; it lives until the next. */
const char *failure(const char *format, ...) PRINTF(1, 2);
#define EXPECT(what, got, want)                                                                 \
	do {                                                                                    \
		u64 got_ = (got), want_ = (want);                                               \
		if (got_ != want_)                                                              \
			return failure("%s is %llx and not %llx", what, got_, want_);           \
	} while (0)

extern const struct check_list checks_core, checks_pci, checks_virtio, checks_modern, checks_overlay, checks_legacy,
	checks_rings, checks_packed, checks_blk, checks_net;
extern const struct check_list *const checks_arch[]; /* of the architecture, NULL at the end */

/* selftest_rings.c: a check for a layout to make, with its own way to put rings 16 TiB too high and back. */
struct virtio_device;
const char *ring_out_of_reach(struct virtio_device *disk, void (*place)(struct virtio_device *disk, bool out));

#endif
