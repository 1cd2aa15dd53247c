#include "bench.h"

/* Marsaglia's xorshift of 32 bits (Journal of Statistical Software 8, 2003). */
u32 random_next(struct random *random)
{
	u32 x = random->state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return random->state = x;
}

static u8 memory[2304 << 10] __attribute__((aligned(4096)));
static u32 taken;

void *take(u32 size)
{
	void *start = memory + taken;

	/* A page between two, or all of two buffers of 1 MiB would compete for the same entries of a direct-mapped TLB. */
	taken = round_up(taken + size, 4096) + 4096;
	if (taken > sizeof(memory))
		__builtin_trap();
	return start;
}

void take_nothing(void)
{
	taken = 0;
}
