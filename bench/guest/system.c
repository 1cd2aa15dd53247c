#include "bench.h"
#include "user.h"

/* What an operating system does all day. */

static u32 syscall(u32 rounds)
{
	u32 right = 0;

	while (rounds-- > 0)
		right += user_call(CALL_NEXT, rounds) == rounds + 1;
	return right;
}

#ifdef FAST_CALLS
/* The way of libraries that know the processor. */
static u32 sysenter(u32 rounds)
{
	u32 right = 0;

	while (rounds-- > 0)
		right += user_fast_call(CALL_NEXT, rounds) == rounds + 1;
	return right;
}
#endif

/* Each page is touched for the first time, and was cleared for that. */
static u32 pgfault(u32 rounds)
{
	enum { PAGES = 256 };
	u32 sum = 0;

	while (rounds-- > 0) {
		user_call(CALL_UNMAP, 0);
		for (u32 i = 0; i < PAGES; i++) {
			volatile u8 *byte = (volatile u8 *)(PAGED + i * 4096);

			sum += *byte == 0;
			*byte = 1;
		}
	}
	return sum;
}

static volatile u32 seen;

/* The second process counts by three on a page of its own, which has the same address as the first one's. */
static void other_process(void)
{
	volatile u32 *mine = (volatile u32 *)PRIVATE;

	for (;;) {
		*mine += 3;
		seen = *mine;
		user_call(CALL_YIELD, 0);
	}
}

static u32 contexts(u32 rounds)
{
	volatile u32 *mine = (volatile u32 *)PRIVATE;

	*mine = 0;
	user_call(CALL_SPAWN, (u32)other_process);
	while (rounds-- > 0) {
		*mine += 1;
		user_call(CALL_YIELD, 0);
	}
	return *mine * 31 + seen;
}

/* A function that returns a constant, written anew each time. */
static u32 smc(u32 rounds)
{
	u32 *code = take(4096), sum = 0;

	for (u32 i = 0; i < rounds; i++) {
		write_constant(code, i);
		sum += ((u32(*)(void))code)();
	}
	return sum;
}

const struct test system_tests[] = {
	{"syscall", syscall, 1000000},
#ifdef FAST_CALLS
	{"sysenter", sysenter, 1000000},
#endif
	{"pgfault", pgfault, 200},
	{"contexts", contexts, 300000},
	{"smc", smc, 30000},
	{0},
};
