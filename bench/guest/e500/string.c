#include "bench.h"

/* Four words a turn where both ends are aligned, as they are in all tests; else by bytes. */
void *memset(void *to, int value, size_t size)
{
	u8 *at = to;

	if (((uintptr_t)at & 3) == 0) {
		u32 word = (u8)value * 0x01010101u;

		for (; size >= 16; size -= 16, at += 16) {
			u32 *words = (u32 *)at;

			words[0] = word;
			words[1] = word;
			words[2] = word;
			words[3] = word;
		}
	}
	while (size-- > 0)
		*at++ = (u8)value;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	u8 *at = to;
	const u8 *source = from;

	if ((((uintptr_t)at | (uintptr_t)source) & 3) == 0)
		for (; size >= 16; size -= 16, at += 16, source += 16) {
			u32 *words = (u32 *)at;
			const u32 *others = (const u32 *)source;
			u32 a = others[0], b = others[1], c = others[2], d = others[3];

			words[0] = a;
			words[1] = b;
			words[2] = c;
			words[3] = d;
		}
	while (size-- > 0)
		*at++ = *source++;
	return to;
}
