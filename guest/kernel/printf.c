#include "arch.h"
#include "kernel.h"
#include "string.h"

/*
 * %d %u %x %c %s %p %%, with a width, - and 0, and ll for 64 bits. Output goes through a sink, so that the console
 * and a buffer share the one formatter.
 */
struct sink {
	char *to; /* NULL: the console */
	size_t size;
	int count;
};

static void put(struct sink *sink, char c)
{
	if (sink->to == NULL)
		console_putc(c);
	else if ((size_t)sink->count + 1 < sink->size)
		sink->to[sink->count] = c;
	sink->count++;
}

static void put_padded(struct sink *sink, const char *s, int length, int width, bool left, char pad)
{
	for (int i = length; !left && i < width; i++)
		put(sink, pad);
	for (int i = 0; i < length; i++)
		put(sink, s[i]);
	for (int i = length; left && i < width; i++)
		put(sink, ' ');
}

static void put_number(struct sink *sink, u64 value, u32 base, bool negative, int width, bool left, char pad)
{
	char digits[24];
	int at = sizeof(digits);

	do {
		u32 d = high_half(value) == 0 ? low_half(value) % base : (u32)(value % base);
		value = high_half(value) == 0 ? low_half(value) / base : value / base;
		digits[--at] = "0123456789abcdef"[d];
	} while (value != 0);
	if (negative)
		digits[--at] = '-';
	put_padded(sink, digits + at, (int)sizeof(digits) - at, width, left, pad);
}

static void format_to(struct sink *sink, const char *f, va_list args)
{
	for (; *f; f++) {
		bool left = false, wide = false;
		char pad = ' ';
		int width = 0;

		if (*f != '%') {
			put(sink, *f);
			continue;
		}
		for (f++; *f == '-' || *f == '0'; f++) {
			if (*f == '-')
				left = true;
			else
				pad = '0';
		}
		for (; *f >= '0' && *f <= '9'; f++)
			width = width * 10 + (*f - '0');
		for (; *f == 'l'; f++)
			wide = f[1] == 'l' || wide;

		switch (*f) {
		case 'd': {
			int v = va_arg(args, int);
			put_number(sink, v < 0 ? 0u - (u32)v : (u32)v, 10, v < 0, width, left, pad);
			break;
		}
		case 'u':
		case 'x': {
			u64 v = wide ? va_arg(args, u64) : va_arg(args, u32);
			put_number(sink, v, *f == 'u' ? 10 : 16, false, width, left, pad);
			break;
		}
		case 'p':
			put_number(sink, (uintptr_t)va_arg(args, void *), 16, false, 8, false, '0');
			break;
		case 'c':
			put(sink, (char)va_arg(args, int));
			break;
		case 's': {
			const char *s = va_arg(args, const char *);
			put_padded(sink, s, (int)strlen(s), width, left, ' ');
			break;
		}
		case 0:
			return;
		default:
			put(sink, *f);
		}
	}
}

int kformatv(char *to, size_t size, const char *format, va_list args)
{
	struct sink sink = {to, size, 0};

	format_to(&sink, format, args);
	to[min_u32((u32)sink.count, (u32)size - 1)] = 0;
	return sink.count;
}

int kformat(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = kformatv(to, size, format, args);
	va_end(args);
	return n;
}

void kprintf(const char *format, ...)
{
	struct sink console = {NULL, 0, 0};
	va_list args;

	va_start(args, format);
	format_to(&console, format, args);
	va_end(args);
}

void panic(const char *format, ...)
{
	struct sink console = {NULL, 0, 0};
	va_list args;

	irq_save();
	kprintf("panic: ");
	va_start(args, format);
	format_to(&console, format, args);
	va_end(args);
	kprintf("\n");
	leave(1);
}
