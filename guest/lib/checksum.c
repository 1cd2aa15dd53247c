#include "byteorder.h"
#include "string.h"

u32 checksum(const void *data, size_t n)
{
	const u32 *word = data;
	u32 hash = 2166136261u;

	for (; n >= 4; n -= 4)
		hash = (hash ^ le32(*word++)) * 16777619u;
	return hash;
}
