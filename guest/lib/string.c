#include "string.h"

/* The compiler calls the first four by itself; -fno-tree-loop-distribute-patterns keeps it from doing so in here. */

void *memset(void *to, int value, size_t n)
{
	u8 *d = to;
	u32 word = (u8)value * 0x01010101u;

	for (; n > 0 && ((uintptr_t)d & 3); n--)
		*d++ = (u8)value;
	for (; n >= 4; n -= 4, d += 4)
		*(u32 *)d = word;
	while (n-- > 0)
		*d++ = (u8)value;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	u8 *d = to;
	const u8 *s = from;

	if ((((uintptr_t)d | (uintptr_t)s) & 3) == 0)
		for (; n >= 4; n -= 4, d += 4, s += 4)
			*(u32 *)d = *(const u32 *)s;
	while (n-- > 0)
		*d++ = *s++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	u8 *d = to;
	const u8 *s = from;

	if (d <= s || d >= s + n)
		return memcpy(to, from, n);
	while (n-- > 0)
		d[n] = s[n];
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n > 0; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, (size_t)-1);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++)
		if (*a != *b || *a == 0)
			return (u8)*a - (u8)*b;
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

u32 parse_number(const char *s, const char **end)
{
	u32 value = 0, base = 10;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit(s[2]) < 16) {
		base = 16;
		s += 2;
	}
	for (; digit(*s) < (int)base; s++)
		value = value * base + (u32)digit(*s);
	*end = s;
	return value;
}
