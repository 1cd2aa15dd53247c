#include "arch.h"
#include "byteorder.h"
#include "selftest.h"
#include "string.h"

/* What needs no device: the library, the allocator, time, interrupts on and off. */

static const char *formats(void)
{
	char text[64];

	kformat(text, sizeof(text), "%5d|%-4u|%04x|%llx|%s|%c", -42, 7u, 0xabu, 0x123456789abcull, "go", '!');
	if (strcmp(text, "  -42|7   |00ab|123456789abc|go|!") != 0)
		return failure("got %s", text);
	EXPECT("length that did not fit", (u32)kformat(text, 4, "%u", 123456u), 6);
	return strcmp(text, "123") == 0 ? NULL : failure("cut to %s", text);
}

static const char *moves(void)
{
	char a[32];

	for (u32 i = 0; i < sizeof(a); i++)
		a[i] = (char)i;
	memmove(a + 3, a, 20);
	for (u32 i = 0; i < 20; i++)
		EXPECT("byte moved up", a[3 + i], i);
	memmove(a, a + 3, 20);
	for (u32 i = 0; i < 20; i++)
		EXPECT("byte moved down", a[i], i);
	return NULL;
}

/* 64-bit arithmetic is done in pieces on both machines. */
static const char *wide_arithmetic(void)
{
	volatile u64 a = 0x123456789abcdef0ull, b = 0xfedcba987ull;

	EXPECT("product", a * b, 0x70a3d5f941160090ull);
	EXPECT("quotient", a / b, 0x1249249);
	EXPECT("remainder", a % b, 0x246fe8971ull);
	EXPECT("shift", a >> 36, 0x1234567);
	return NULL;
}

static const char *byte_orders(void)
{
	u32 word = 0;

	((u8 *)&word)[0] = 1;
	EXPECT("little-endian word", order_little.w32(word), 1);
	EXPECT("native word", order_native.w32(0x01020304), 0x01020304);
	EXPECT("16 bits there and back", order_little.w16(order_little.w16(0x1234)), 0x1234);
	return NULL;
}

static const char *pages_are_distinct(void)
{
	u32 before = pages_free();
	u32 *page[16];

	for (u32 i = 0; i < COUNT(page); i++) {
		page[i] = page_alloc(1);
		if (page[i] == NULL || (uintptr_t)page[i] % PAGE_SIZE != 0)
			return failure("page %u is at %p", i, (void *)page[i]);
		if (page[i][0] != 0 || page[i][PAGE_SIZE / 4 - 1] != 0)
			return failure("page %u is not clear", i);
		page[i][0] = page[i][PAGE_SIZE / 4 - 1] = 0xba200000 + i;
	}
	for (u32 i = 0; i < COUNT(page); i++) {
		EXPECT("first word", page[i][0], 0xba200000 + i);
		EXPECT("last word", page[i][PAGE_SIZE / 4 - 1], 0xba200000 + i);
	}
	EXPECT("free pages", pages_free(), before - COUNT(page));
	for (u32 i = 0; i < COUNT(page); i++)
		page_free(page[i], 1);
	EXPECT("free pages afterwards", pages_free(), before);
	return NULL;
}

static const char *page_runs(void)
{
	u32 before = pages_free();
	u8 *one = page_alloc(1), *run = page_alloc(9), *two = page_alloc(1);

	if (one == NULL || run == NULL || two == NULL)
		return "no memory";
	if ((one >= run && one < run + 9 * PAGE_SIZE) || (two >= run && two < run + 9 * PAGE_SIZE))
		return failure("%p and %p against a run at %p", (void *)one, (void *)two, (void *)run);
	if (page_alloc(pages_total() + 1) != NULL)
		return "more than there is was given";
	page_free(run, 9);
	page_free(one, 1);
	page_free(two, 1);
	EXPECT("free pages", pages_free(), before);
	return NULL;
}

static const char *alarm_wakes(void)
{
	u64 start = cpu_ticks();
	u32 short_us, long_us;

	sleep_us(500);
	short_us = ticks_to_us(cpu_ticks() - start);
	start = cpu_ticks();
	sleep_us(5000);
	long_us = ticks_to_us(cpu_ticks() - start);
	if (short_us < 500 || long_us < 5000)
		return failure("500 us took %u, 5000 took %u", short_us, long_us);
	return NULL;
}

static const char *ticks_go_up(void)
{
	u64 before = cpu_ticks();

	for (int i = 0; i < 100; i++) {
		u64 now = cpu_ticks();
		if (now <= before)
			return failure("%llx after %llx", now, before);
		before = now;
	}
	return NULL;
}

/* With interrupts off the alarm waits; it comes when they are on again. */
static const char *interrupts_off(void)
{
	u32 flags = irq_save(), before = irq_count_all(), off, on;
	u64 end = cpu_ticks() + arch_ticks_per_10ms() / 50;

	arch_timer_arm(1);
	while (cpu_ticks() < end)
		;
	off = irq_count_all();
	irq_restore(flags);
	end = cpu_ticks() + arch_ticks_per_10ms();
	while ((on = irq_count_all()) == before && cpu_ticks() < end)
		cpu_relax();
	arch_timer_disarm();
	EXPECT("interrupts while off", off - before, 0);
	if (on == before)
		return "the alarm was lost";
	return NULL;
}

static const char *caught_faults_nest(void)
{
	struct trap_info first, second;
	u32 *probe = page_alloc(1);

	if (!trap_catch((void (*)(void *))arch_fault, probe, &first))
		return "no trap came";
	if (!trap_catch((void (*)(void *))arch_fault, probe, &second))
		return "no second trap came";
	EXPECT("pc of the second", second.pc, first.pc);
	EXPECT("address of the second", second.address, first.address);
	page_free(probe, 1);
	return irq_enabled() ? NULL : "interrupts stayed off";
}

static const struct check checks[] = {
	{"printf: width, sign, 64 bits, truncation", formats},
	{"memory moves overlap in both directions", moves},
	{"64-bit product, quotient, remainder and shift", wide_arithmetic},
	{"byte orders convert both ways", byte_orders},
	{"pages are aligned, clear and distinct", pages_are_distinct},
	{"runs of pages do not overlap, too long a run is refused", page_runs},
	{"the time counter never goes back", ticks_go_up},
	{"an alarm wakes no sooner than asked", alarm_wakes},
	{"an interrupt waits while interrupts are off", interrupts_off},
	{"a fault is caught, and caught again", caught_faults_nest},
};
const struct check_list checks_core = {checks, COUNT(checks)};
