#include "bench.h"

/* By the instructions which are there for it, as libraries have it for processors of the time. */
void *memset(void *to, int value, size_t size)
{
	void *at = to;
	size_t words = size / 4, bytes = size % 4;

	__asm__ volatile("rep stosl" : "+D"(at), "+c"(words) : "a"((u8)value * 0x01010101u) : "memory");
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}
