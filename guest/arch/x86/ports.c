#include "region.h"
#include "x86.h"

static u32 port_read(const struct region *region, u32 offset, u32 width)
{
	u16 port = (u16)(region->base + offset);

	return width == 1 ? in8(port) : width == 2 ? in16(port) : in32(port);
}

static void port_write(const struct region *region, u32 offset, u32 width, u32 value)
{
	u16 port = (u16)(region->base + offset);

	if (width == 1)
		out8(port, (u8)value);
	else if (width == 2)
		out16(port, (u16)value);
	else
		out32(port, value);
}

const struct region_ops region_ports = {"ports", port_read, port_write};
