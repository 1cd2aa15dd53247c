#include "bench.h"

/* Arithmetic and loops over arrays. */

static void insertion_sort(i32 *a, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		i32 value = a[i];
		u32 j = i;

		for (; j > 0 && a[j - 1] > value; j--)
			a[j] = a[j - 1];
		a[j] = value;
	}
}

/* Hoare's partition: what is left of the result is not above the pivot, what is right of it not below. */
static u32 partition(i32 *a, u32 n)
{
	i32 pivot = a[n / 2];
	i32 *low = a, *high = a + n - 1;

	for (;;) {
		while (*low < pivot)
			low++;
		while (*high > pivot)
			high--;
		if (low >= high)
			return (u32)(low - a);
		i32 other = *low;
		*low++ = *high;
		*high-- = other;
	}
}

/* The smaller part by recursion, so that the stack stays small. */
static void quicksort(i32 *a, u32 n)
{
	while (n > 16) {
		u32 left = partition(a, n);

		if (left < n - left) {
			quicksort(a, left);
			a += left;
			n -= left;
		} else {
			quicksort(a + left, n - left);
			n = left;
		}
	}
	insertion_sort(a, n);
}

static u32 sort(u32 rounds)
{
	enum { N = 200000 };
	i32 *a = take(N * sizeof(*a));
	struct random random = {1};
	u32 sum = 0;

	while (rounds-- > 0) {
		for (u32 i = 0; i < N; i++)
			a[i] = (i32)random_next(&random);
		quicksort(a, N);
		for (u32 i = 0; i < N; i += 997)
			sum = sum * 31 + (u32)a[i];
	}
	return sum;
}

/* The polynomial of IEEE 802.3, low bit first, a byte at a time. */
static u32 crc32(u32 rounds)
{
	enum { SIZE = 65536 };
	static u32 table[256];
	u8 *bytes = take(SIZE);
	struct random random = {2};
	u32 crc = 0xffffffff;

	for (u32 i = 0; i < SIZE; i++)
		bytes[i] = (u8)random_next(&random);
	for (u32 i = 0; i < 256; i++) {
		u32 entry = i;

		for (int bit = 0; bit < 8; bit++)
			entry = entry & 1 ? entry >> 1 ^ 0xedb88320 : entry >> 1;
		table[i] = entry;
	}
	while (rounds-- > 0)
		for (u32 i = 0; i < SIZE; i++)
			crc = table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

/* Each product depends on the one before by a single element, so that none can be left out. */
static u32 matint(u32 rounds)
{
	enum { N = 128 };
	static i32 a[N][N], b[N][N], product[N][N];
	struct random random = {3};
	u32 sum = 0;

	for (u32 i = 0; i < N; i++)
		for (u32 j = 0; j < N; j++) {
			a[i][j] = (i32)(random_next(&random) & 0xff);
			b[i][j] = (i32)(random_next(&random) & 0xff);
		}
	while (rounds-- > 0) {
		for (u32 i = 0; i < N; i++)
			for (u32 j = 0; j < N; j++) {
				i32 dot = 0;

				for (u32 k = 0; k < N; k++)
					dot += a[i][k] * b[k][j];
				product[i][j] = dot;
			}
		sum = sum * 31 + (u32)product[rounds % N][rounds * 7 % N];
		a[rounds % N][0] ^= sum & 15;
	}
	return sum;
}

/* Counts primes; 0 and 1 are left out of the count. */
static u32 sieve(u32 rounds)
{
	enum { N = 1 << 20 };
	u8 *prime = take(N);
	u32 count = 0;

	while (rounds-- > 0) {
		memset(prime, 1, N);
		for (u32 i = 2; i * i < N; i++)
			if (prime[i])
				for (u32 j = i * i; j < N; j += i)
					prime[j] = 0;
		for (u32 i = 2; i < N; i++)
			count += prime[i];
	}
	return count;
}

/* A linear congruential generator of 64 bits (Knuth's MMIX), divided by what changes and by a constant. */
static u32 div64(u32 rounds)
{
	u64 x = 0x123456789abcdef;
	u32 sum = 0;

	for (u32 i = 1; i <= rounds; i++) {
		x = x * 6364136223846793005 + 1442695040888963407;
		sum += (u32)((x >> 11) / (i | 1));
		sum ^= (u32)(x % 1000003);
	}
	return sum;
}

const struct test integer_tests[] = {
	{"sort", sort, 16},
	{"crc32", crc32, 600},
	{"matint", matint, 60},
	{"sieve", sieve, 40},
	{"div64", div64, 4000000},
	{0},
};
