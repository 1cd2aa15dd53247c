#ifndef REGION_H
#define REGION_H

#include "types.h"

/*
 * A stretch of device registers, wherever it is: ports, memory, or whatever else has read and write.
 * Values are in CPU order; the registers themselves are little-endian.
 */
struct region;
struct region_ops {
	const char *kind;
	u32 (*read)(const struct region *region, u32 offset, u32 width);
	void (*write)(const struct region *region, u32 offset, u32 width, u32 value);
};
struct region {
	const struct region_ops *ops;
	uintptr_t base;  /* port number or virtual address */
	u32 length;      /* bytes */
	u64 bus_address; /* for printing */
	u32 *accesses;   /* counted there */
	const void *owner;
};

extern const struct region_ops region_ports;
extern const struct region_ops region_memory;

/* A device at fixed ports or at a fixed physical address. */
struct region region_at_port(u32 port, u32 length);
struct region region_at_memory(u64 physical, u32 length);

static inline u32 region_read(const struct region *region, u32 offset, u32 width)
{
	++*region->accesses;
	return region->ops->read(region, offset, width);
}

static inline void region_write(const struct region *region, u32 offset, u32 width, u32 value)
{
	++*region->accesses;
	region->ops->write(region, offset, width, value);
}

#endif
