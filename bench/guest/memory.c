#include "bench.h"
#include "user.h"

/* Copies, fills, and pages in random order. */
enum { MIB = 1 << 20 };

static u32 copy_bytes(u32 rounds)
{
	u8 *from = take(MIB), *to = take(MIB);
	u32 sum = 0;

	memset(from, 1, MIB);
	while (rounds-- > 0) {
		memcpy(to, from, MIB);
		sum += to[rounds % MIB];
	}
	return sum;
}

/* Bytes count as signed ones. */
static u32 fill_bytes(u32 rounds)
{
	u8 *bytes = take(MIB);
	u32 sum = 0;

	while (rounds-- > 0) {
		memset(bytes, (int)rounds, MIB);
		sum += (u32)(i8)bytes[rounds % MIB];
	}
	return sum;
}

static u32 copy_words_by_instruction(u32 rounds)
{
	u8 *from = take(MIB), *to = take(MIB);
	u32 sum = 0;

	memset(from, 1, MIB);
	while (rounds-- > 0) {
		word_copy((u32 *)to, (const u32 *)from, MIB / 4);
		sum += to[rounds % MIB];
	}
	return sum;
}

static u32 copy_words(u32 rounds)
{
	enum { N = MIB / 4 };
	volatile u32 *from = take(MIB), *to = take(MIB);
	u32 sum = 0;

	for (u32 i = 0; i < N; i++)
		from[i] = i;
	while (rounds-- > 0) {
		for (u32 i = 0; i < N; i++)
			to[i] = from[i];
		sum += to[rounds % N];
	}
	return sum;
}

/* More pages than any TLB has entries. */
static u32 touch_pages(u32 rounds)
{
	enum { PAGES = 4096 };
	u8 *bytes = (u8 *)PAGED;
	struct random random = {6};
	u32 sum = 0;

	user_call(CALL_MAP, 0);
	memset(bytes, 1, PAGES * 4096);
	while (rounds-- > 0) {
		u32 where = random_next(&random);

		sum += bytes[where % PAGES * 4096 + (where >> 20 & 0xffc)];
	}
	return sum;
}

const struct test memory_tests[] = {
	{"memcpy", copy_bytes, 3000},
	{"memset", fill_bytes, 3000},
	{"repmovs", copy_words_by_instruction, 3000},
	{"wordcopy", copy_words, 500},
	{"tlb", touch_pages, 10000000},
	{0},
};
