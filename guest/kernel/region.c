#include "arch.h"
#include "byteorder.h"
#include "region.h"

static u32 uncounted;

static u32 memory_read(const struct region *region, u32 offset, u32 width)
{
	uintptr_t at = region->base + offset;
	u32 value;

	if (width == 1)
		value = *(volatile u8 *)at;
	else if (width == 2)
		value = le16(*(volatile u16 *)at);
	else
		value = le32(*(volatile u32 *)at);
	device_barrier();
	return value;
}

static void memory_write(const struct region *region, u32 offset, u32 width, u32 value)
{
	uintptr_t at = region->base + offset;

	device_barrier();
	if (width == 1)
		*(volatile u8 *)at = (u8)value;
	else if (width == 2)
		*(volatile u16 *)at = le16((u16)value);
	else
		*(volatile u32 *)at = le32(value);
	device_barrier();
}

const struct region_ops region_memory = {"memory", memory_read, memory_write};

struct region region_at_port(u32 port, u32 length)
{
	return (struct region){&region_ports, port, length, port, &uncounted, NULL};
}

struct region region_at_memory(u64 physical, u32 length)
{
	void *at = arch_map_device(physical, length);

	return (struct region){at == NULL ? NULL : &region_memory, (uintptr_t)at, length, physical, &uncounted, NULL};
}
